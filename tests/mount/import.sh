#!/usr/bin/env bash
# --machine FOLDER and host: proc/ in the mount prints what the folder holds; what can't be is refused.
. "$(dirname "$0")/../lib/mount.sh"
shopt -s extglob
tar -xJf "$root/tests/fixtures/machines.tar.xz" -C "$DIR"
cd "$DIR" || exit 1

# zoneinfo without the counters, which are not copied, and with 6.12's spacing
fields() { sed -E '/^      [a-z_]+ +[0-9]+$/d; /high_m(in|ax):/d; s/: +([0-9])/: \1/' "$@"; }
keys() { awk '{ print $1 }' "$@"; }

for machine in uma_4096M_thp numa4_uneven movable_numa2_4096 live_6.18; do
  rig_mount --machine "$DIR/$machine" 2>"$DIR/said"
  said=$(cat "$DIR/said")
  buddyinfo=$(cat "$machine/buddyinfo")
  if [ "$machine" = live_6.18 ]; then
    contains "$machine says by how much" "$said" "warning: node 0 zone Normal: buddyinfo and pagetypeinfo differ by 3 blocks (+48 pages): order 4: 113 against 110"
    buddyinfo=${buddyinfo/   113/   110}
  else
    expect "$machine agrees with itself" "" "$said"
  fi
  expect "$machine: buddyinfo" "$buddyinfo" "$(cat "$MNT/proc/buddyinfo")"
  expect "$machine: pagetypeinfo" "$(cat "$machine/pagetypeinfo")" "$(cat "$MNT/proc/pagetypeinfo")"
  expect "$machine: zoneinfo" "$(fields "$machine/zoneinfo")" "$(fields "$MNT/proc/zoneinfo")"
  for sysctl in min_free_kbytes watermark_scale_factor watermark_boost_factor percpu_pagelist_high_fraction; do
    expect "$machine: $sysctl" "$(cat "$machine/sys_vm/$sysctl")" "$(cat "$MNT/proc/sys/vm/$sysctl")"
  done
  expect "$machine: lowmem_reserve_ratio" "256 256 32 0" "$(echo $(cat "$MNT/proc/sys/vm/lowmem_reserve_ratio"))"
  expect "$machine: check" ok "$(cat "$MNT/lab/check")"
  if [ "$machine" != live_6.18 ]; then
    expect "$machine: zoneinfo's lines" "$(keys "$machine/zoneinfo")" "$(keys "$MNT/proc/zoneinfo")"
  fi
  if [ "$machine" = uma_4096M_thp ]; then # the names of 6.12, all of them, in order
    expect "vmstat's names" "$(keys "$machine/vmstat")" "$(keys "$MNT/proc/vmstat")"
    expect "meminfo's names and spacing" "$(sed 's/[0-9]* kB/ kB/; s/ *kB//' "$machine/meminfo")" \
      "$(sed 's/[0-9]* kB/ kB/; s/ *kB//' "$MNT/proc/meminfo")"
    expect "width of meminfo" "$(awk '{ print length }' "$machine/meminfo")" "$(awk '{ print length }' "$MNT/proc/meminfo")"
    expect "MemFree" "$(awk '$1 == "MemFree:"' "$machine/meminfo")" "$(awk '$1 == "MemFree:"' "$MNT/proc/meminfo")"
    expect "MemTotal" "$(awk '$1 == "MemTotal:"' "$machine/meminfo")" "$(awk '$1 == "MemTotal:"' "$MNT/proc/meminfo")"
    expect "names of a node's meminfo" "$(awk '{ print $1, $2, $3 }' "$machine/node0_meminfo")" \
      "$(awk '{ print $1, $2, $3 }' "$MNT/nodes/node0/meminfo")"
    expect "names of a node's vmstat" "$(keys "$machine/vmstat" | sed '/nr_dirty_threshold/,$d')" "$(keys "$MNT/nodes/node0/vmstat")"
  fi
  # what the mount prints is a machine, too: the same
  mkdir again; cp "$MNT"/proc/{buddyinfo,pagetypeinfo,zoneinfo} again/; cp -r "$MNT/proc/sys/vm" again/sys_vm 2>/dev/null # drop_caches can only be written
  digest=$(cat "$MNT/lab/digest")
  rig_unmount
  rig_mount --machine again
  for file in buddyinfo pagetypeinfo; do
    expect "$machine, from its mount: $file" "$(cat "again/$file")" "$(cat "$MNT/proc/$file")"
  done
  expect "$machine, from its mount: zoneinfo" "$(fields again/zoneinfo)" "$(fields "$MNT/proc/zoneinfo")"
  # 6.12's zoneinfo does not say high_min and high_max, which 6.18 does
  [ "$machine" = live_6.18 ] || expect "$machine, from its mount: digest" "$digest" "$(cat "$MNT/lab/digest")"
  rig_unmount
  rm -r again
done

# pages of shm/ are in the counters, and gone with the file
rig_mount -o "machine=$DIR/uma_4096M_thp"
head -c 1M /dev/zero >"$MNT/shm/a"
expect Shmem "Shmem: 1024 kB" "$(echo $(grep Shmem: "$MNT/proc/meminfo"))"
expect nr_shmem "nr_shmem 256" "$(grep '^nr_shmem ' "$MNT/proc/vmstat")"
expect "nr_shmem of the node" "nr_shmem 256" "$(grep '^nr_shmem ' "$MNT/nodes/node0/vmstat")"
value() { awk -v k="$1" '$1 == k { n += $2 } END { print n }' "$2"; }
lru=$(value nr_inactive_anon "$MNT/proc/vmstat")
expect "not more on the LRU than there is" yes "$([ "$lru" -le 256 ] && echo yes)"
expect "the LRU by zone" "$lru" "$(value nr_zone_inactive_anon "$MNT/proc/zoneinfo")"
expect "Inactive" "$((lru * 4))" "$(value Inactive: "$MNT/proc/meminfo")"
rm "$MNT/shm/a"
for _ in $(seq 40); do grep -q '^nr_shmem 0' "$MNT/proc/vmstat" && break; sleep 0.05; done
expect "nr_shmem afterwards" "nr_shmem 0" "$(grep '^nr_shmem ' "$MNT/proc/vmstat")"
expect check ok "$(cat "$MNT/lab/check")"
rig_unmount

# user memory of tasks is, too
rig_mount --machine 256M
works mkdir "$MNT/tasks/t"
timeout 20 bash -c 'exec 3<>"$0"; printf "mmap size=4M\nwrite\nmmap size=1M kind=file\ntouch map=1\n" >&3 2>/dev/null; cat <&3' "$MNT/tasks/t/control" >/dev/null
expect AnonPages "AnonPages: 4096 kB" "$(echo $(grep AnonPages: "$MNT/proc/meminfo"))"
expect nr_anon_pages "nr_anon_pages 1024" "$(grep nr_anon_pages "$MNT/nodes/node0/vmstat")"
expect Mapped "Mapped: 1024 kB" "$(echo $(grep ^Mapped: "$MNT/proc/meminfo"))"
lru=$(value nr_inactive_anon "$MNT/proc/vmstat") # but for what waits on a CPU's batch
expect "on the LRU" yes "$([ $((lru + $(value nr_active_anon "$MNT/proc/vmstat"))) -gt 992 ] && echo yes)"
expect "the LRU by zone" "$lru" "$(value nr_zone_inactive_anon "$MNT/proc/zoneinfo")"
rmdir "$MNT/tasks/t"
expect "AnonPages afterwards" "AnonPages: 0 kB" "$(echo $(grep AnonPages: "$MNT/proc/meminfo"))"
rig_unmount

# where a folder may be: below the working directory, with commas as colons in -o
mkdir -p "a,b"; cp -r numa4_uneven "a,b/c"
rig_mount -o "machine=a:b/c"
expect "nodes" 0-3 "$(cat "$MNT/nodes/online")"
rig_unmount
rig_mount --machine numa4_uneven
rig_unmount
mkdir -p numa4_uneven/node/node{1,2}; echo 1 >numa4_uneven/node/node1/cpulist; echo "30 31 10 32" >numa4_uneven/node/node2/distance
rig_mount --machine numa4_uneven/
expect "CPUs of a node" 1 "$(cat "$MNT/nodes/node1/cpulist")"
expect "distances of a node" "30 31 10 32" "$(cat "$MNT/nodes/node2/distance")"
rig_unmount

# this host: sizes do not change while it runs
if [ -r /proc/pagetypeinfo ] && grep -q Normal /proc/buddyinfo; then
  sizes() { sed -nE '/^Node|spanned|present|managed|start_pfn|protection/p' "$1"; }
  rig_mount --machine host 2>/dev/null
  expect "the host's zones" "$(sizes /proc/zoneinfo)" "$(sizes "$MNT/proc/zoneinfo")"
  expect "the host's pageblocks" "$(sed -n '/^Number/,$p' /proc/pagetypeinfo | awk '{ n = 0; for (i = 5; i <= NF; i++) n += $i; print $1, $2, $3, $4, n }' | sed 1d)" \
    "$(sed -n '/^Number/,$p' "$MNT/proc/pagetypeinfo" | awk '{ n = 0; for (i = 5; i <= NF; i++) n += $i; print $1, $2, $3, $4, n }' | sed 1d)"
  expect "the host's CPUs" "$(grep -c ^processor /proc/cpuinfo)" "$(grep -c 'cpu: ' <(sed -n '/zone.*Normal/,/start_pfn/p' "$MNT/proc/zoneinfo"))"
  expect check ok "$(cat "$MNT/lab/check")"
  rig_unmount
fi

# what can't be is refused with file, line and reason, and nothing is mounted
broken() { # FILE SED TEXT
  rm -rf bad; cp -r uma_4096M_thp bad
  sed -i "$2" "bad/$1"
  fails "$3" "$PAGERIG" --machine bad "$MNT"
}
broken buddyinfo '3s/ 234 / 999 /' "bad/buddyinfo:3: node 0 zone Normal: 1024747 pages are free, but 243931 managed (bad/zoneinfo:128)"
broken pagetypeinfo '/Number/,$s/512/9999/; s/  4          506/  4         9999/' "bad/pagetypeinfo:27: node 0 zone Normal: 10005 pageblocks, but frames 1048576 to 1310720 are 512"
broken zoneinfo 's/spanned  262144/spanned  200000/' "bad/zoneinfo:128: node 0 zone Normal: 262144 pages present, but it spans 200000"
broken zoneinfo '100,$d' "bad/zoneinfo:87: "
broken zoneinfo '1,$d' "bad/zoneinfo: no zone with memory"
broken sys_vm/watermark_scale_factor 's/.*/0/' "watermark_scale_factor does not take '0'"
rm bad/pagetypeinfo; fails "bad/pagetypeinfo: no such file" "$PAGERIG" --machine bad "$MNT"
printf 'Node 0, zone\0DMA\n' >bad/pagetypeinfo; fails "holds a NUL byte" "$PAGERIG" --machine bad "$MNT"
fails "hots: the nearest is host" "$PAGERIG" --machine hots "$MNT"
fails "neither a shape" "$PAGERIG" --machine my-laptop "$MNT"
fails "given twice: 'cpus=3'" "$PAGERIG" --machine 1G,cpus=2,cpus=3 "$MNT"
fails "distance needs 4 numbers" "$PAGERIG" --machine 2x1G,distance=10:20 "$MNT"
fails "a whole number with K, M, G or T: '1.5G'" "$PAGERIG" --machine 1.5G "$MNT"
fails "behind a size comes ',' or the end: '1GB'" "$PAGERIG" --machine 1GB "$MNT"
fails "nowhere/at/all: No such file or directory" "$PAGERIG" --machine nowhere/at/all "$MNT"
fails "is not a folder" "$PAGERIG" --machine ./a,b/c/zoneinfo "$MNT"
fails "no such file; a machine is zoneinfo, buddyinfo and pagetypeinfo" "$PAGERIG" --machine "$DIR" "$MNT"
expect "nothing was mounted" "" "$(grep "$DIR" /proc/mounts)"
