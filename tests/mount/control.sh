#!/usr/bin/env bash
# Commands: what they do, and bad input, which changes nothing.
. "$(dirname "$0")/../lib/mount.sh"
rig_mount --machine 64M,cpus=2
cd "$MNT" || exit 1
zone=nodes/node0/zones/DMA32

put "order=3 gfp=GFP_KERNEL count=100 name=foo" $zone/alloc
expect pages 800 "$(awk '/^pages/ { print $2 }' allocations/foo)"
expect "all from this zone" 100 "$(grep -c '^block .* DMA32 Unmovable$' allocations/foo)"
contains "a frame knows it" "$(cat pages/"$(awk '/^block/ { print $2; exit }' allocations/foo)")" "state used"
rm allocations/foo
expect gone "" "$(ls allocations)"
fails "No such file" rm allocations/foo
fails "No such file" put name=foo nodes/node0/free

expect "a reply" "ok 1" "$(ask 'alloc order=2 gfp=GFP_KERNEL node=0 cpu=1 name=c1' | head -n 1)"
expect "by name" "ok 0" "$(ask 'free name=c1')"
expect "not twice" "error ENOENT there is no allocation 'c1'" "$(ask 'free name=c1')"
expect "two lines" "ok 0 ok 0" "$(ask $'drain\ndrain cpu=1' | tr '\n' ' ' | sed 's/ $//')"
expect "names are unique" "error EEXIST there is an allocation 'n' already" "$(ask 'alloc name=n' 'alloc name=n' | tail -n 1)"
ask 'free name=n' >/dev/null

ask drain >/dev/null
digest=$(cat lab/digest)
unchanged() { expect "unchanged by $1" "$digest" "$(cat lab/digest)"; }
while IFS='|' read -r line answer; do
  expect "$line" "error $answer" "$(ask "$line")"
  unchanged "$line"
done <<'END'
aloc order=1|EINVAL unknown command 'aloc'; the nearest is alloc
alloc ordr=1|EINVAL unknown word 'ordr=1'; the nearest that alloc takes is order=
alloc order|EINVAL unknown word 'order'; the nearest that alloc takes is order=
alloc order=1 order=2|EINVAL order= is given twice
free order=1|EINVAL unknown word 'order=1'; the nearest that free takes is name=
help me|EINVAL help takes no words: 'me'
alloc order=11|EINVAL order=11 is over 10
alloc order=-1|EINVAL order='-1' is not a number
alloc order=2x|EINVAL order='2x' is not a number
alloc order=99999999999999999999|EINVAL order=99999999999999999999 is over 10
alloc cpu=2|EINVAL cpu=2 is over 1
alloc node=1|EINVAL node=1 is over 0
alloc count=0|EINVAL count=0 asks for nothing
alloc gfp=GFP_KERNL|EINVAL unknown gfp flag 'GFP_KERNL'; the nearest is GFP_KERNEL
alloc zone=Norml|EINVAL node 0 has no zone 'Norml'; the nearest is DMA
alloc zone=|EINVAL node 0 has no zone ''; the nearest is DMA
alloc gfp=__GFP_DMA,__GFP_DMA32|EINVAL gfp flags that no zone or type goes with
alloc name=a/b|EINVAL 'a/b' can't be the name of a file
alloc name=..|EINVAL '..' can't be the name of a file
alloc name=.|EINVAL '.' can't be the name of a file
alloc name=a\057b|EINVAL 'a/b' can't be the name of a file
alloc name=a\012b|EINVAL a name goes without newlines
alloc name=a\9|EINVAL name='a\9': a backslash begins three octal digits, as in a\040b
alloc name=|EINVAL name= needs a name
alloc count=16777217|EINVAL count=16777217 is over 16777216
free|EINVAL free needs name=
|EINVAL an empty line; try help
END
unchanged "all of them"
contains "256 bytes" "$(ask "alloc name=$(printf 'x%.0s' {1..256})")" "error ENAMETOOLONG"
expect "255 bytes" "ok 1" "$(ask "alloc name=$(printf 'x%.0s' {1..255})" | head -n 1)"
rm allocations/x*; ask drain >/dev/null
digest=$(cat lab/digest)
fails "Invalid argument" bash -c 'printf "%05000d\n" 0 | dd bs=8192 iflag=fullblock of=control conv=notrunc status=none'
contains "over 4 KiB" "$(cat tracing/error_log)" "control: EINVAL: a line has at most 4096 bytes"
fails "Invalid argument" bash -c 'printf "order=1\0" >nodes/node0/alloc'
fails "Invalid argument" bash -c 'printf "order=1\norder=2\n" | dd of=nodes/node0/alloc bs=4096 status=none'
fails "Invalid argument" put "node=0 zone=DMA" $zone/alloc
contains "the log names the file" "$(cat tracing/error_log)" "$zone/alloc: EINVAL: zone=DMA: this file is DMA32's"
unchanged "any of this"
expect "nothing was taken" "" "$(ls allocations)"
expect check ok "$(cat lab/check)"
works bash -c 'printf order=1 >nodes/node0/alloc' # no newline
rm allocations/*
ask drain >/dev/null

# names: a space is an escape, as in /proc/mounts; the nearest one is named
expect "escaped" 'a\040b' "$(ask 'alloc name=a\040b' | awk 'NR == 2 { print $1 }')"
expect "inside too" 'name a\040b' "$(head -n 1 'allocations/a b')"
expect "nearest" "error ENOENT there is no allocation 'a'; the nearest is a b" "$(ask 'free name=a')"
expect "by escape" "ok 0" "$(ask 'free name=a\040b')"

# many lines in one write: each its own command, in order, up to the first that is refused
expect "a row" "ok 0 ok 0 ok 0" "$(ask $'drain\ndrain cpu=1' drain | tr '\n' ' ' | sed 's/ $//')"
fails "Invalid argument" bash -c 'printf "%s\n" "alloc name=r1" "alloc nme=r2" "alloc name=r3" >control'
expect "up to the fault" r1 "$(ls allocations)"
ask 'free name=r1' >/dev/null
for i in {1..3000}; do echo "alloc name=batch$i"; done >"$DIR/batch"
works dd if="$DIR/batch" of=control bs=10007 conv=notrunc status=none # cut within lines
expect "a stream of lines" "$(wc -l <"$DIR/batch")" "$(find allocations -name 'batch*' | wc -l)"
printf 'drain\nalloc name=last' >control # the rest, at the close
expect "no newline at the end" last "$(ls allocations/last | xargs basename)"
sed 's/alloc/free/' "$DIR/batch" >control; rm allocations/last; ask drain >/dev/null
expect "free by a stream" "" "$(ls allocations)"
expect "all came back to the lists" "$(cat $zone/managed)" "$(cat $zone/nr_free)"
expect "whole lines" "ok 1" "$(exec 3<>control; echo 'alloc name=w' >&3; dd bs=7 count=1 status=none <&3)"
rm allocations/w

# free by a zone's or a node's file: what lies there
put "name=here" $zone/alloc
fails "Invalid argument" put "name=here" nodes/node0/zones/DMA/free
contains "why" "$(tail -n 1 tracing/error_log)" "'here' has blocks elsewhere"
works put "name=here" $zone/free
put "order=2 count=5000 name=long gfp=GFP_KERNEL|__GFP_NOWARN" nodes/node0/alloc 2>/dev/null || put "count=10000 name=long" nodes/node0/alloc
expect "a long file in pieces" "$(md5sum <allocations/long)" "$(dd if=allocations/long bs=333 status=none | md5sum)"
expect "all blocks" "$(awk '/^count/ { print $2 }' allocations/long)" "$(grep -c ^block allocations/long)"
works put "name=long" nodes/node0/free
ask drain >/dev/null

# all or nothing, and why
dd if=/dev/zero of=shm/held bs=4096 count=100 status=none
fails "Cannot allocate memory" put "order=10 count=1000 gfp=GFP_KERNEL name=big" nodes/node0/alloc
contains "what holds memory" "$(cat tracing/error_log)" " mapped:0 shmem:100 pagetables:0"
rm shm/held; ask drain >/dev/null
expect "none of it stays" "" "$(ls allocations)"
contains "the kernel's report" "$(cat tracing/error_log)" "page allocation failure: order:10, mode:0xcc0(GFP_KERNEL), nodemask=(null),cpuset=/,mems_allowed=0"
contains "to its end" "$(cat tracing/error_log)" " pages cma reserved"
contains "whose it was" "$(grep ' page allocation failure: ' tracing/error_log | tail -n 1)" "bash: page allocation"
# reserves: where GFP_KERNEL ends, GFP_ATOMIC goes on
i=0; while ask "alloc gfp=GFP_KERNEL|__GFP_NORETRY|__GFP_NOWARN zone=DMA32 count=16 name=f$i" | grep -q ^ok; do i=$((i + 1)); done
while ask "alloc gfp=GFP_KERNEL|__GFP_NORETRY|__GFP_NOWARN zone=DMA32 name=g$i" | grep -q ^ok; do i=$((i + 1)); done
contains "the low road is closed" "$(ask 'alloc gfp=GFP_KERNEL|__GFP_NORETRY zone=DMA32')" "error ENOMEM"
contains "the high one is not" "$(ask 'alloc gfp=GFP_ATOMIC zone=DMA32 name=atomic')" "ok 1"
[ "$i" -gt 100 ]; expect "it took a while" 0 $?
expect check ok "$(cat lab/check)"
rm allocations/*
ask drain >/dev/null
expect "all came back" "$(cat $zone/managed)" "$(cat $zone/nr_free)"
expect check ok "$(cat lab/check)"
