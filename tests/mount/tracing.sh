#!/usr/bin/env bash
# tracing/: switches, text, filters, trace_pipe that waits, poll, replay of our own trace.
. "$(dirname "$0")/../lib/mount.sh"
rig_mount --machine 2x128M,cpus=2
cd "$MNT" || exit 1
t=tracing k=tracing/events/kmem

expect "nothing is enabled" "0" "$(cat $t/events/enable)"
expect "on as after boot" "1" "$(cat $t/tracing_on)"
expect "a kmem event in the list" 1 "$(grep -c '^kmem:mm_page_alloc$' $t/available_events)"
expect systems "compaction kmem migrate oom vmscan" "$(echo $(ls $t/events | grep -v enable))"
contains format "$(cat $k/mm_page_free/format)" 'print fmt: "page=%p pfn=0x%lx order=%lld"'
expect "an id" "$(cat $k/mm_page_free/id)" "$(awk '/^ID:/ { print $2 }' $k/mm_page_free/format)"

works put 1 $k/mm_page_alloc/enable
expect "some" X "$(cat $k/enable)"
expect "listed" kmem:mm_page_alloc "$(cat $t/set_event)"
works put "order=2 gfp=GFP_KERNEL count=3 name=a" nodes/node0/alloc
expect "three events" 3 "$(grep -c ': mm_page_alloc: page=ffffea[0-9a-f]* pfn=0x[0-9a-f]* order=2 migratetype=0 gfp_flags=GFP_KERNEL$' $t/trace)"
contains head "$(head -n 3 $t/trace)" "# entries-in-buffer/entries-written: 3/3   #P:2"
contains "who" "$(tail -n 1 $t/trace)" "bash-"
frame=$(awk '/^block/ { print $2; exit }' allocations/a)
expect "the frame" 1 "$(grep -c "pfn=$frame " $t/trace)"
works rm allocations/a
expect "frees are not enabled" 3 "$(grep -c ': mm_page' $t/trace)"
works put 0 $t/tracing_on
works put "order=0 count=5 name=b" nodes/node0/alloc
expect "off" 3 "$(grep -c ': mm_page' $t/trace)"
works put 1 $t/tracing_on
: >$t/trace
expect "cleared" 0 "$(grep -c ': mm_page' $t/trace)"

# filters and set_event
works put "order > 1 && migratetype == 1" $k/mm_page_alloc/filter
expect "the filter" "order > 1 && migratetype == 1" "$(cat $k/mm_page_alloc/filter)"
works put "order=3 gfp=GFP_KERNEL name=c" nodes/node0/alloc
works put "order=3 gfp=GFP_HIGHUSER_MOVABLE name=d" nodes/node0/alloc
expect "filtered" 1 "$(grep -c ': mm_page_alloc: .*order=3 migratetype=1' $t/trace)"
expect "and no more" 1 "$(grep -c ': mm_page_alloc' $t/trace)"
fails "Invalid argument" put "ordr > 1" $k/mm_page_alloc/filter
contains "the word" "$(cat $t/error_log)" "mm_page_alloc has no field 'ordr'"
works put 0 $k/mm_page_alloc/filter
expect "no filter" none "$(cat $k/mm_page_alloc/filter)"
echo "kmem:* !kmem:mm_page_free vmscan" >$t/set_event
expect "by word" 0 "$(grep -c '^kmem:mm_page_free$' $t/set_event)"
expect "a system" 1 "$(cat $t/events/vmscan/enable)"
fails "Invalid argument" put kmem:nothing $t/set_event
fails "Invalid argument" put 2 $t/tracing_on
fails "Invalid argument" put -1 $t/buffer_size_kb
fails "Permission denied" put x $t/available_events
: >$t/set_event
expect "none" "" "$(cat $t/set_event)"

# trace_pipe waits; what was read is gone
: >$t/trace
works put 1 $k/mm_page_free/enable
timeout 20 head -n 2 $t/trace_pipe >"$DIR/piped" 2>/dev/null & reader=$!
sleep 0.3
expect "it waits" "" "$(cat "$DIR/piped")"
expect "others are served meanwhile" ok "$(cat lab/check)"
rm allocations/c allocations/d
wait $reader
expect "two lines" 2 "$(grep -c ': mm_page_free: ' "$DIR/piped")"
expect "consumed" 0 "$(grep -c ': mm_page' $t/trace)"
fails "Resource temporarily unavailable" perl -e 'use Fcntl; sysopen(F, $ARGV[0], O_RDONLY | O_NONBLOCK) or die; defined(sysread(F, $b, 100)) or die "$!"' $t/trace_pipe
# poll: nothing, then something
perl -e 'open(F, "<", $ARGV[0]) or die; vec($r = "", fileno(F), 1) = 1; print scalar(select($a = $r, undef, undef, 0.2)), " "; $| = 1;
  print scalar(select($a = $r, undef, undef, 10))' $t/trace_pipe >"$DIR/polled" & reader=$!
sleep 0.6
rm allocations/b
wait $reader
expect "poll" "0 1" "$(cat "$DIR/polled")"
# an interrupted reader goes
timeout 20 cat $t/trace_pipe >/dev/null & reader=$!
sleep 0.2
timeout 0.2 cat $t/trace_pipe >/dev/null
timeout 5 bash -c "kill $reader; while kill -0 $reader 2>/dev/null; do sleep 0.05; done"
expect "a killed reader is gone" 0 $?

# lost events are counted: a ring of 8 kB a CPU
works put 8 $t/buffer_size_kb
expect size "8 16" "$(cat $t/buffer_size_kb) $(cat $t/buffer_total_size_kb)"
: >$t/trace
works put 1 $k/mm_page_alloc/enable
works put "order=0 count=1000 name=many" nodes/node0/alloc
contains "overrun" "$(sed -n 3p $t/trace)" "/1000 "
expect "stats add up" 1000 "$(awk '/entries|overrun:/ && !/commit/ { n += $2 } END { print n }' $t/per_cpu/cpu0/stats)"
works rm allocations/many

# our own trace replays to the same digest
works put 1408 $t/buffer_size_kb
rig_unmount() { cd /; timeout 20 fusermount3 -u "$MNT"; while [ -n "$(daemon_pids)" ]; do sleep 0.05; done; }
rig_unmount
rig_mount --machine 128M,cpus=2
cd "$MNT" || exit 1
printf 'kmem:mm_page_alloc kmem:mm_page_free\n' >$t/set_event
for i in 1 2 3 4 5 6; do
  put "order=$((i % 4)) gfp=GFP_KERNEL|__GFP_RECLAIMABLE cpu=$((i % 2)) count=$((i * 40)) name=m$i" nodes/node0/alloc
  put "order=0 gfp=GFP_KERNEL cpu=$((i % 2)) count=$((i * 70)) name=k$i" nodes/node0/alloc
  [ "$i" -gt 2 ] && rm allocations/m$((i - 2)) allocations/k$((i - 1))
done
put 0 $t/tracing_on
cat $t/trace >"$DIR/own"
digest=$(cat lab/digest)
cd / && rig_unmount
rig_mount --machine 128M,cpus=2
cd "$MNT" || exit 1
works bash -c "cat '$DIR/own' >lab/replay"
expect "failures" 0 "$(awk '$1 == "failures" { print $2 }' lab/replay)"
expect "the same digest" "$digest" "$(cat lab/digest)"
