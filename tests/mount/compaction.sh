#!/usr/bin/env bash
# Movable allocations keep their names while compaction moves their frames; the files that start it.
. "$(dirname "$0")/../lib/mount.sh"
rig_mount --machine 64M,cpus=2
cd "$MNT" || exit 1
zone=nodes/node0/zones/DMA32
vm() { awk -v n="$1" '$1 == n { print $2 }' proc/vmstat; }
largest() { awk '$1 >= 8 && $2 > 0 { n += $2 * 2 ^ ($1 - 8) } END { print n + 0 }' $zone/free_area; }

# all of the zone in pieces of 16 pages, then every second piece gone
i=0
while put "order=0 gfp=GFP_HIGHUSER_MOVABLE|__GFP_NOWARN|~__GFP_DIRECT_RECLAIM count=16 name=m$i" $zone/alloc 2>/dev/null; do i=$((i + 1)); done
expect "the zone is full of them" yes "$([ $i -gt 600 ] && echo yes)"
for ((k = 0; k < i; k += 2)); do rm allocations/m$k; done
ask drain >/dev/null
expect "only small pieces are free" yes "$([ "$(largest)" -lt 4 ] && echo yes)"
before=$(sum=; for ((k = 1; k < i; k += 2)); do sum+=$(grep -c ^block allocations/m$k)\ ; done; echo "$sum")
frames=$(for ((k = 1; k < i; k += 2)); do grep ^block allocations/m$k; done | sort)

put "order=9 gfp=GFP_TRANSHUGE count=2 name=huge" $zone/alloc
expect "huge pages were made" 2 "$(grep -c ^block allocations/huge)"
expect "by compaction" yes "$([ "$(vm compact_success)" -gt 0 ] && echo yes)"
expect "frames moved" yes "$([ "$(vm pgmigrate_success)" -gt 100 ] && echo yes)"
expect "nobody lost a block" "$before" "$(sum=; for ((k = 1; k < i; k += 2)); do sum+=$(grep -c ^block allocations/m$k)\ ; done; echo "$sum")"
expect "they lie elsewhere now" no "$([ "$frames" = "$(for ((k = 1; k < i; k += 2)); do grep ^block allocations/m$k; done | sort)" ] && echo yes || echo no)"
expect "and each frame knows whose it is" "owner allocation m1" "$(grep ^owner pages/"$(awk '/^block/ { print $2; exit }' allocations/m1)")"
expect "no frame twice" "" "$(for ((k = 1; k < i; k += 2)); do awk '/^block/ { print $2 }' allocations/m$k; done | sort | uniq -d)"
expect checked ok "$(cat lab/check)"

moved=$(vm pgmigrate_success) made=$(largest)
put 1 nodes/node0/compact
expect "the node is compacted" yes "$([ "$(vm pgmigrate_success)" -gt "$moved" ] && [ "$(largest)" -ge "$made" ] && echo yes)"
put 1 $zone/compact
put 1 proc/sys/vm/compact_memory
expect checked ok "$(cat lab/check)"
fails "Invalid argument" put 2 proc/sys/vm/compact_memory
contains "the reason" "$(cat tracing/error_log)" "'2' is not 1"
contains "scanners" "$(cat $zone/compaction)" "defer_shift 0"
contains "kcompactd" "$(cat nodes/node0/kcompactd)" "state asleep"
expect "a sysctl" 20 "$(cat proc/sys/vm/compaction_proactiveness)"
put 900 proc/sys/vm/extfrag_threshold
fails "Invalid argument" put 2000 proc/sys/vm/extfrag_threshold

# all of it can be given back
for ((k = 1; k < i; k += 2)); do rm allocations/m$k; done
rm allocations/huge
ask drain >/dev/null
expect checked ok "$(cat lab/check)"
expect "nothing is in use" "$(cat $zone/managed)" "$(cat $zone/nr_free)"
