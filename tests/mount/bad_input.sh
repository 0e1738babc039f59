#!/usr/bin/env bash
# Every writable file of the tree takes every kind of wrong input: refused with an errno, a line in the
# error log that names the file, and nothing changed. Then what can't be opened, made or removed.
: "${TEST_TIMEOUT:=300}" # thousands of writes
. "$(dirname "$0")/../lib/mount.sh"
rig_mount --machine 2x64M,cpus=2
cd "$MNT" || exit 1
put "order=1 count=3 name=kept" nodes/node0/alloc
state() { cat lab/digest; ls allocations; cat nodes/node0/zones/DMA32/watermarks/* $(ls -d proc/sys/vm/* | grep -v -e drop_caches -e compact_memory) proc/buddyinfo; }
before=$(state | md5sum)

# what to write, as printf wants it
inputs=('xyzzy\n' '\n' '-1\n' '-5 1\n' '1x\n' '1 2 x\n' '0x\n' '1e3\n' '99999999999999999999\n' '18446744073709551616\n' '1\0002\n' '\0' '1\n2\n'
  'name=\n' '=\n' 'order=1 count\n' 'order=11\n' 'order=-1\n' 'gfp=\n' 'gfp=|\n' 'gfp=GFP_KERNEL|\n' 'node=7\n' 'zone=Nowhere\n' 'cpu=2\n' 'count=0\n' 'name=a/b\n'
  'name=..\n' 'name=kept order=0\n' '\377\376\n' "$(printf '1%.0s' {1..5000})\n" "$(printf 'name=%0300d' 0)\n")
# shellcheck disable=SC2059
for i in "${!inputs[@]}"; do printf -- "${inputs[i]}" >"$DIR/$i"; done # one write each
mapfile -t files < <(timeout 30 find . -path ./shm -prune -o -type f -perm -200 -print | grep -v -e '^./tracing/' | sort)
[ ${#files[@]} -gt 30 ]; expect "writable files" 0 $?
for f in "${files[@]}"; do
  for i in "${!inputs[@]}"; do
    input=${inputs[i]}
    # what is right there: an allocation with nothing said, an empty line of a trace, any number for a ratio
    case $f:$input in */alloc:'\n'|*/replay:'\n'|*/reference:'\n'|*/lowmem_reserve_ratio:-*) continue ;; esac
    checks=$((checks + 1))
    if out=$(cat "$DIR/$i" 2>&1 >"$f"); then
      complain "$f takes ${input:0:40}"
    elif [[ ! $out =~ Invalid\ argument|out\ of\ range|No\ such\ file|File\ exists|File\ name\ too\ long ]]; then
      complain "$f with ${input:0:40}: $out"
    fi
  done
  contains "the log names it" "$(tail -n 1 tracing/error_log)" "${f#./}: E"
  now=$(state | md5sum)
  expect "nothing changed by $f" "$before" "$now"
  before=$now
done
expect check ok "$(cat lab/check)"

# a trace that stops in a line, or has none
line='  cc1-1 [000] .....  1.0: mm_page_alloc: page=0x1 pfn=0x100 order=0 migratetype=0 gfp_flags=GFP_KERNEL'
fails "Invalid argument" bash -c 'printf "%s" "$1" | dd of=lab/replay status=none' _ "$line"
contains "the line" "$(tail -n 1 tracing/error_log)" "lab/replay: EINVAL: line 1: "
fails "Invalid argument" bash -c 'printf "%s\nnonsense\n" "$1" >lab/replay' _ "$line"
contains "the line" "$(tail -n 1 tracing/error_log)" "lab/replay: EINVAL: line 2: "

# what can't be opened, for root too
while read -r f; do
  checks=$((checks + 1))
  out=$(dd if=/dev/null of="$f" conv=notrunc status=none 2>&1)
  [[ $out == *"Permission denied"* ]] || complain "$f opened for writing: '$out'"
done < <(timeout 30 find README nodes/node0 proc lab allocations -type f ! -perm -200)
fails "Permission denied" truncate -s 0 README
fails "Permission denied" cat nodes/node0/alloc
fails "No such file" cat nodes/node0/zones/DMA32/nothing
fails "No such file" put 1 nodes/node0/zones/DMA32/watermarks/lo
contains "the nearest" "$(tail -n 1 tracing/error_log)" "watermarks/lo: ENOENT: there is no such file; the nearest is low"
fails "No such file" cat allocations/none
fails "No such file" rm allocations/none
works rm allocations/kept
fails "No such file" rm allocations/kept
for name in node2 node-1 node01 'node0 ' nodeX; do fails "No such file" cat "nodes/$name/meminfo"; done
for pfn in -1 0x 1x 1.0 99999999999999999999999 0xfffffffff ' 1' +1; do fails "No such file" cat "pages/$pfn"; done
fails "not permitted" mkdir proc/x
fails "not permitted" rm README
fails "not permitted" mv README R
fails "not permitted" ln -sT x allocations/l
fails "not permitted" chmod 666 README
fails "not permitted" chown 1 README
fails "File name too long" cat "proc/$(printf 'x%.0s' {1..256})"

# odd ways to use files: append, truncate, ioctl, xattr, poll, seek
works bash -c 'echo drain >>control'
works truncate -s 100 control
expect "no length" 0 "$(stat -c %s proc/buddyinfo)"
expect "no terminal" "not a tty" "$(tty <control)"
works bash -c 'exec 3<>control; read -t 0 <&3; echo drain >&3'
expect "from a middle" "$(tail -c +101 proc/zoneinfo | md5sum)" "$(dd if=proc/zoneinfo bs=100 skip=1 status=none | md5sum)"
cp proc/buddyinfo "$DIR/copy"; expect copy "$(cat proc/buddyinfo)" "$(cat "$DIR/copy")"
expect check ok "$(cat lab/check)"
