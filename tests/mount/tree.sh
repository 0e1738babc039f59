#!/usr/bin/env bash
# The tree: every file that can be read is read, and what can't be done is refused.
. "$(dirname "$0")/../lib/mount.sh"
rig_mount --machine 2x64M,cpus=4
cd "$MNT" || exit 1
zone=nodes/node0/zones/DMA32

expect top "README allocations control lab nodes pages proc segments shm swap tasks tracing" "$(ls | tr '\n' ' ' | sed 's/ $//')"
expect zones "DMA DMA32" "$(ls nodes/node0/zones | tr '\n' ' ' | sed 's/ $//')"
expect link ../node1/zones/DMA32 "$(readlink nodes/zones/node1-DMA32)"
expect "through the link" "$(cat nodes/node1/zones/DMA32/managed)" "$(cat nodes/zones/node1-DMA32/managed)"
expect cpus 0,1 "$(cat nodes/node0/cpulist)"
expect distance "20 10" "$(cat nodes/node1/distance)"
expect check ok "$(cat lab/check)"
while read -r f; do
  checks=$((checks + 1))
  timeout 20 cat "$f" >/dev/null 2>"$DIR/err" || complain "$f: $(cat "$DIR/err")"
done < <(timeout 20 find nodes proc lab tracing README -type f -perm -400 ! -name trace_pipe)
contains readme "$(cat README)" "nodes/{node}/zones/{zone}/free_lists/{order}/{type}"

# what one file says, the others say
free=$(awk '/zone +DMA32/ && /Node 0/ { n = 0; for (o = 0; o < 11; o++) n += $(5 + o) * 2 ^ o; print n }' proc/buddyinfo)
expect "buddyinfo and nr_free" "$(cat $zone/nr_free)" "$free"
expect "free_area and a list" "$(awk '$1 == 10 { print $4 }' $zone/free_area)" "$(wc -l <$zone/free_lists/10/Movable)"
pfn=$(head -n 1 $zone/free_lists/10/Movable)
contains frame "$(cat "pages/$pfn")" "state free"
inside=$(cat "pages/$(printf '%#x' $((pfn + 3)))")
contains "a frame inside a free block" "$inside" "state free"
contains "its block" "$inside" "block $pfn"
ask "alloc order=2 name=owner\\040of gfp=GFP_KERNEL zone=DMA32 node=0" >/dev/null
pfn=$(awk '/^block/ { print $2 }' "allocations/owner of")
expect "the owner by name" 'owner allocation owner\040of' "$(grep ^owner "pages/$((pfn + 1))")"
rm "allocations/owner of"
truncate -s 4096 shm/seg; dd if=shm/seg of=/dev/null status=none
expect "a segment's page" 1 "$(cd pages && seq 0 16383 | xargs grep -ls '^owner segment seg$' | wc -l)"
rm shm/seg; ask drain >/dev/null
fails "No such file" cat pages/99999999999
fails "No such file" cat pages/12x
expect "pages can't be listed" "" "$(ls pages)"

fails "Permission denied" put 1 $zone/managed
fails "Permission denied" cat $zone/alloc
fails "No such file" cat nodes/node2/meminfo
fails "No such file" cat nodes/node00/meminfo
fails "No such file" cat $zone/free_lists/11/Movable
fails "not permitted" mkdir nodes/x
fails "not permitted" rm README
fails "cross-device" ln -T README shm/readme
fails "File name too long" cat "nodes/$(printf 'x%.0s' {1..300})"

# fragmentation: whole at first; with every second order-0 block held, order 9 fails for its pieces
expect "nothing is unusable" "10 0.000" "$(tail -n 1 $zone/fragmentation/unusable_index)"
expect "a request would succeed" "10 -1.000" "$(tail -n 1 $zone/fragmentation/extfrag_index)"
dma=nodes/node0/zones/DMA
seq 5000 | sed 's/.*/alloc zone=DMA gfp=GFP_ATOMIC|__GFP_NOWARN name=one&/' | dd of=control status=none 2>/dev/null
n=$(find allocations -name 'one*' | wc -l)
[ "$n" -gt 3000 ]; expect "until there is no more" 0 $?
expect "no memory: near 0" "9 0" "$(awk '$1 == 9 { printf "9 %d", $2 }' $dma/fragmentation/extfrag_index)"
for ((i = 1; i < n; i += 2)); do rm "allocations/one$i"; done; ask drain >/dev/null
contains "in pieces: near 1" "$(awk '$1 == 9' $dma/fragmentation/extfrag_index)" "9 0.9"
rm allocations/*; ask drain >/dev/null

# limits
put 220 $zone/watermarks/high
expect "high is what was written" 220 "$(cat $zone/watermarks/high)"
fails "out of range" put 1 $zone/watermarks/high
put 300 $zone/watermarks/low
expect "a raised one takes those above along" "300 300" "$(cat $zone/watermarks/low) $(cat $zone/watermarks/high)"
works bash -c 'cat "$0" >"$0"' proc/sys/vm/watermark_scale_factor
put 220 $zone/watermarks/high
fails "Invalid argument" put -5 $zone/watermarks/high
fails "Invalid argument" put 12x $zone/watermarks/high
expect "and stays" 220 "$(cat $zone/watermarks/high)"
for w in min low high promo boost; do # what a file prints, it accepts
  works cp $zone/watermarks/$w "$DIR/w"; works bash -c 'cat "$0" >"$1"' "$DIR/w" $zone/watermarks/$w
  expect "$w" "$(cat "$DIR/w")" "$(cat $zone/watermarks/$w)"
done
low=$(cat $zone/watermarks/low)
put 100 $zone/watermarks/boost
expect "boost is in all of them" $((low + 100)) "$(cat $zone/watermarks/low)"
put $((low + 101)) $zone/watermarks/low
put 0 $zone/watermarks/boost
expect "and in what is written" $((low + 1)) "$(cat $zone/watermarks/low)"
fails "out of range" put 99999999 $zone/watermarks/boost
fails "out of range" put 99999999 $zone/watermarks/promo
old=$(cat $zone/watermarks/min)
put 4000 proc/sys/vm/min_free_kbytes
expect min_free_kbytes 4000 "$(cat proc/sys/vm/min_free_kbytes)"
[ "$(cat $zone/watermarks/min)" -gt "$old" ]; expect "the watermark follows" 0 $?
fails "Invalid argument" put 0 proc/sys/vm/watermark_scale_factor
fails "Invalid argument" put 7 proc/sys/vm/percpu_pagelist_high_fraction
contains "the reason" "$(cat tracing/error_log)" "percpu_pagelist_high_fraction does not take '7'"
expect "text is read in pieces as in one" "$(md5sum <proc/zoneinfo)" "$(dd if=proc/zoneinfo bs=100 status=none | md5sum)"
expect check ok "$(cat lab/check)"
cd /

# lists of a large machine come in pieces
rig_unmount
case $BUILD in *tsan*) large=64G ;; *) large=4T ;; esac # that sanitizer has no room for more
rig_mount --machine $large
zone=$MNT/nodes/node0/zones/Normal
rss() { awk '/^VmHWM/ { print $2 }' "/proc/$(daemon_pids)/status"; }
before=$(rss)
expect "the whole list" "$(awk '$1 == 10 { print $4 }' "$zone/free_area")" "$(timeout 60 wc -l <"$zone/free_lists/10/Movable")"
expect "pageblocks" "$(awk '{ print int(($1 + 511) / 512) }' "$zone/spanned")" "$(timeout 60 tr -d '\n' <"$zone/pageblocks" | wc -c)"
expect "a piece from the middle" "$(sed -n '5000p' "$zone/free_lists/10/Movable")" "$(tail -n +4999 "$zone/free_lists/10/Movable" | sed -n 2p)"
[ $(($(rss) - before)) -lt 16384 ]; expect "not built whole: $before kB, then $(rss) kB" 0 $?
