#!/usr/bin/env bash
# tasks/: processes that use memory: faults, swap, refaults, mlock; reclaim by hand and by kswapd, traced.
. "$(dirname "$0")/../lib/mount.sh"
rig_mount --machine 128M,cpus=2 --swap "128M:$DIR/swap"
cd "$MNT" || exit 1
field() { awk -v k="$2" '$1 == k { print $2 }' "$1"; }
told() { timeout 60 bash -c 'exec 3<>"tasks/$0/control"; for l; do printf "%s\n" "$l" >&3; done 2>/dev/null; cat <&3' "$@"; }

works mkdir tasks/t1
expect "it is there" t1 "$(ls tasks)"
fails "File exists" mkdir tasks/t1
fails "Operation not permitted" mkdir nodes/x
contains mmap "$(told t1 "mmap size=16M")" "ok 1
mapping 0 0x7f0000000000"
contains touch "$(told t1 write)" "present 0 minor 4096 major 0"
expect resident 4096 "$(field tasks/t1/stat resident)"
contains maps "$(cat tasks/t1/maps)" "7f0000000000-7f0001000000 rw-p"
expect "on the LRU, but for the CPU's batch" 4092 "$(($(field nodes/node0/lru inactive_anon) + $(field nodes/node0/lru active_anon)))"
contains "again" "$(told t1 "touch from=10 count=5")" "present 5 minor 0 major 0"

# an owner that can be found back: whatever frame is in use by user memory
put 1 tracing/events/kmem/mm_page_alloc/enable
told t1 "mmap size=4K kind=file" touch >/dev/null
frame=$(sed -n 's/.*mm_page_alloc: .*pfn=\(0x[0-9a-f]*\).*/\1/p' tracing/trace | tail -n 1)
contains "its owner" "$(cat pages/"$frame")" "owner task t1 mapping 1 page 0"
put 0 tracing/events/enable; : >tracing/trace

# words at fault
contains "no such command" "$(told t1 tuch)" "error EINVAL unknown command 'tuch'; the nearest is touch"
contains "no such key" "$(told t1 "touch fron=1")" "unknown word 'fron'; the nearest is from="
contains "too far" "$(told t1 "touch map=0 from=4096 count=1")" "error EFAULT the mapping has 4096 pages"
contains "no mapping" "$(told t1 "touch map=7")" "error EINVAL this task has no such mapping"
contains "no size" "$(told t1 mmap)" "error EINVAL mmap needs size="
contains "no kind" "$(told t1 "mmap size=1M kind=x")" "none of anon, file, exec"

# more than there is: kswapd and direct reclaim swap out, traced; what comes back is a major fault
printf 'vmscan\n' >tracing/set_event
works mkdir tasks/big
contains "more than memory" "$(told big "mmap size=160M" write)" "present 0 minor 40960 major 0"
expect "all of it is somewhere" 40960 "$(($(field tasks/big/stat resident) + $(field tasks/big/stat swapped)))"
expect "some in swap" 1 "$(($(field tasks/big/stat swapped) > 5000))"
expect "pages come back" 1 "$(($(told big touch | awk '/major/ { print $6 }') > 5000))"
cat proc/vmstat >"$DIR/vmstat"; v=$DIR/vmstat
expect "stolen" 1 "$(($(field "$v" pgsteal_anon) > 5000))"
expect "scanned by both" "$(($(field "$v" pgscan_anon) + $(field "$v" pgscan_file)))" "$(($(field "$v" pgscan_kswapd) + $(field "$v" pgscan_direct)))"
expect refaults 1 "$(($(field nodes/node0/lru workingset_refault_anon) > 5000))"
contains "vmscan events" "$(grep -m 1 mm_vmscan_lru_shrink_inactive: tracing/trace)" "flags=RECLAIM_WB_ANON|RECLAIM_WB_ASYNC"
contains "kswapd was woken" "$(cat tracing/trace)" "mm_vmscan_kswapd_wake: nid=0 order=0"
contains "by name" "$(grep -m 1 mm_vmscan_kswapd_wake: tracing/trace)" "kswapd0-"
expect check ok "$(cat lab/check)"

# mlock, proactive reclaim, drop_caches
works mkdir tasks/l
told l "mmap size=4M" mlock >/dev/null
expect locked 1024 "$(field tasks/l/stat locked)"
expect unevictable 1024 "$(field nodes/node0/lru unevictable)"
works put 8M nodes/node0/reclaim
expect "locked stays" 1024 "$(field tasks/l/stat resident)"
works rmdir tasks/big tasks/t1
fails "Resource temporarily unavailable" put 64M nodes/node0/reclaim
contains "how much" "$(cat tracing/error_log)" "of 16384 pages could be reclaimed"
told l "mmap size=8M kind=file" touch >/dev/null
put 3 proc/sys/vm/drop_caches
expect "mapped pages are not dropped" 3072 "$(field tasks/l/stat resident)"
put exit tasks/l/control
expect "gone" "" "$(ls tasks)"
expect "nothing left" 0 "$(field nodes/node0/lru inactive_file)"
expect check ok "$(cat lab/check)"
