#!/usr/bin/env bash
# The tree: every file that can be read is read, and what can't be done is refused.
. "$(dirname "$0")/../lib/mount.sh"
rig_mount --machine 2x64M,cpus=4
cd "$MNT" || exit 1
zone=nodes/node0/zones/DMA32

expect top "README allocations control lab nodes pages proc segments shm tracing" "$(ls | tr '\n' ' ' | sed 's/ $//')"
expect zones "DMA DMA32" "$(ls nodes/node0/zones | tr '\n' ' ' | sed 's/ $//')"
expect link ../node1/zones/DMA32 "$(readlink nodes/zones/node1-DMA32)"
expect "through the link" "$(cat nodes/node1/zones/DMA32/managed)" "$(cat nodes/zones/node1-DMA32/managed)"
expect cpus 0,1 "$(cat nodes/node0/cpulist)"
expect distance "20 10" "$(cat nodes/node1/distance)"
expect check ok "$(cat lab/check)"
while read -r f; do
  checks=$((checks + 1))
  timeout 20 cat "$f" >/dev/null 2>"$DIR/err" || complain "$f: $(cat "$DIR/err")"
done < <(timeout 20 find nodes proc lab tracing README -type f -perm -400)
contains readme "$(cat README)" "nodes/{node}/zones/{zone}/free_lists/{order}/{type}"

# what one file says, the others say
free=$(awk '/zone +DMA32/ && /Node 0/ { n = 0; for (o = 0; o < 11; o++) n += $(5 + o) * 2 ^ o; print n }' proc/buddyinfo)
expect "buddyinfo and nr_free" "$(cat $zone/nr_free)" "$free"
expect "free_area and a list" "$(awk '$1 == 10 { print $4 }' $zone/free_area)" "$(wc -l <$zone/free_lists/10/Movable)"
pfn=$(head -n 1 $zone/free_lists/10/Movable)
contains frame "$(cat "pages/$pfn")" "state free"
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

# limits
put 220 $zone/watermarks/high
expect "high is what was written" 220 "$(cat $zone/watermarks/high)"
fails "out of range" put 1 $zone/watermarks/high
fails "Invalid argument" put -5 $zone/watermarks/high
fails "Invalid argument" put 12x $zone/watermarks/high
expect "and stays" 220 "$(cat $zone/watermarks/high)"
old=$(cat $zone/watermarks/min)
put 4000 proc/sys/vm/min_free_kbytes
expect min_free_kbytes 4000 "$(cat proc/sys/vm/min_free_kbytes)"
[ "$(cat $zone/watermarks/min)" -gt "$old" ]; expect "the watermark follows" 0 $?
fails "Invalid argument" put 0 proc/sys/vm/watermark_scale_factor
fails "Invalid argument" put 7 proc/sys/vm/percpu_pagelist_high_fraction
contains "the reason" "$(cat tracing/error_log)" "percpu_pagelist_high_fraction does not take '7'"
expect "text is read in pieces as in one" "$(md5sum <proc/zoneinfo)" "$(dd if=proc/zoneinfo bs=100 status=none | md5sum)"
expect check ok "$(cat lab/check)"
