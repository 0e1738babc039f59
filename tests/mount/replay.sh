#!/usr/bin/env bash
# lab/replay and lab/reference: the shipped trace, the same twice, progress, broken ones, two writers.
. "$(dirname "$0")/../lib/mount.sh"
rig_mount --machine 1G,cpus=2
trace=$DIR/trace
zstdcat "$root/examples/trace.txt.zst" >"$trace"
stat() { awk -v k="$1" '$1 == k { print $2 }' "$MNT/lab/replay"; }
last_error() { tail -n 1 "$MNT/tracing/error_log"; }
free_pages() { # on free lists and per-CPU lists
  cat "$MNT"/nodes/*/zones/*/nr_free; awk '$1 == "count" { print $2 }' "$MNT"/nodes/node*/zones/*/pcp/*
}
sum() { awk '{ n += $1 } END { print n }'; }

expect "before" "state none" "$(head -n 1 "$MNT/lab/replay")"
free=$(free_pages | sum)
cp "$MNT/proc/buddyinfo" "$DIR/before"
works bash -c "timeout 60 cat '$trace' >'$MNT/lab/replay'"
expect state done "$(stat state)"
expect lines "$(wc -l <"$trace")" "$(stat lines)"
expect allocs "$(grep -c ' mm_page_alloc: ' "$trace")" "$(stat allocs)"
expect frees "$(grep -c ' mm_page_free: ' "$trace")" "$(stat frees)"
expect batched "$(grep -c ' mm_page_free_batched: ' "$trace")" "$(stat batched)"
expect "in use" "$(stat pages_in_use_by_trace)" "$(stat pages_in_use)"
expect "in use, by the machine" "$(stat pages_in_use)" "$((free - $(free_pages | sum)))"
expect failures 0 "$(stat failures)"
expect "nothing was in use before, and the trace freed some" "0 1" "$(stat start_pages) $(($(stat unmatched_pages) > 0))"
expect check ok "$(cat "$MNT/lab/check")"
digest=$(cat "$MNT/lab/digest")

# free blocks beside a reference: what was before, and what is now
works cp "$DIR/before" "$MNT/lab/reference"
expect "reference is kept" "$(cat "$DIR/before")" "$(cat "$MNT/lab/reference")"
expect "doing nothing is exact" 0 "$(stat error_blocks_of_nothing)"
expect "an error" 1 "$(($(stat error_blocks) > 0 && $(stat error_pages) > 0))"
cp "$MNT/proc/buddyinfo" "$DIR/now"
works cp "$DIR/now" "$MNT/lab/reference"
expect "the replay is exact" "0 0" "$(stat error_blocks) $(stat error_pages)"
for o in 0 3 10; do
  expect "order $o" "start=$(awk -v c=$((5 + o)) '{ n += $c } END { print n }' "$DIR/before") now=$(awk -v c=$((5 + o)) '{ n += $c } END { print n }' "$DIR/now")" \
    "$(awk -v k=order$o '$1 == k { print $2, $3 }' "$MNT/lab/replay")"
done
fails "Invalid argument" put "Node 7, zone Normal 1 2 3 4 5 6 7 8 9 10 11" "$MNT/lab/reference"
contains "which line" "$(last_error)" "lab/reference: EINVAL: line 1: this machine's node has no zone 'Normal'"
expect "the old one is kept" "$(cat "$DIR/now")" "$(cat "$MNT/lab/reference")"
works bash -c "echo >'$MNT/lab/reference'"
expect "none" "" "$(cat "$MNT/lab/reference")"

# the pages come back, and the same trace once more
works bash -c "echo >'$MNT/lab/replay'"
expect "all given back" "$free" "$(free_pages | sum)"
rig_unmount; rig_mount --machine 1G,cpus=2
works bash -c "timeout 60 cat '$trace' >'$MNT/lab/replay'"
expect "in use, again" "$(stat pages_in_use_by_trace)" "$(stat pages_in_use)"
expect "the same state" "$digest" "$(cat "$MNT/lab/digest")"

# while one runs: others read, and may not write
mkfifo "$DIR/fifo"
cat "$DIR/fifo" >"$MNT/lab/replay" &
writer=$!
exec 4>"$DIR/fifo"
head -n 30000 "$trace" >&4
for _ in $(seq 100); do [ "$(stat lines)" = 30000 ] && break; sleep 0.05; done
expect "how far" "running 30000" "$(stat state) $(stat lines)"
fails "busy" put "#" "$MNT/lab/replay"
contains "whose" "$(last_error)" "lab/replay: EBUSY: another writer's replay is not finished"
tail -n +30001 "$trace" >&4
exec 4>&-
wait $writer; expect "the writer ends well" 0 $?
expect "to its end" "done 60000 $(stat pages_in_use_by_trace)" "$(stat state) $(stat lines) $(stat pages_in_use)"
(for _ in 1 2 3 4 5 6 7 8; do cat "$trace"; done >"$MNT/lab/replay") & # in large pieces
writer=$! seen=0 slowest=0
while kill -0 $writer 2>/dev/null; do
  t0=$(date +%s%N)
  [ "$(stat state)" = running ] && seen=$((seen + 1))
  t1=$(date +%s%N); [ $((t1 - t0)) -gt $slowest ] && slowest=$((t1 - t0))
done
wait $writer; expect "a long one ends well" 0 $?
expect "its lines" 480000 "$(stat lines)"
expect "seen on its way" 1 $((seen > 0))
expect "no reader waited for it (slowest $((slowest / 1000000)) ms)" 1 $((slowest < 1500000000))

# broken ones: the events before are done, nothing is lost
fails "Invalid argument" bash -c "head -c 100007 '$trace' | dd of='$MNT/lab/replay' bs=64k iflag=fullblock status=none"
contains "half a line" "$(last_error)" "the text stops inside a line"
contains "half a line" "$(head -n 1 "$MNT/lab/replay")" "state failed line $(head -c 100007 "$trace" | wc -l | awk '{ print $1 + 1 }'): the text stops"
expect "those before" "$(head -c 100007 "$trace" | grep -c ' mm_page_alloc: .*gfp_flags=.*$')" "$(($(stat allocs) + 0))"
fails "Invalid argument" bash -c "echo nonsense >'$MNT/lab/replay'"
contains "which line" "$(last_error)" "lab/replay: EINVAL: line 1: this is no event of tracefs"
fails "Invalid argument" bash -c "{ head -n 1000 '$trace'; head -c 5000 /dev/zero; echo; } | dd of='$MNT/lab/replay' bs=1M iflag=fullblock status=none"
contains "a huge line" "$(last_error)" "line 1001: longer than 1023 bytes"
expect "the thousand before" "$(head -n 1000 "$trace" | grep -c ' mm_page_alloc: ')" "$(stat allocs)"
fails "Invalid argument" bash -c "{ head -n 1000 '$trace'; head -c 1 /dev/zero; echo; } | dd of='$MNT/lab/replay' bs=1M iflag=fullblock status=none"
contains "a NUL" "$(last_error)" "line 1001: a NUL byte"
expect check ok "$(cat "$MNT/lab/check")"
works bash -c "echo >'$MNT/lab/replay'"
expect "nothing is lost" "$free" "$(free_pages | sum)"

# the machine on which the trace was recorded, as it was: frames that were in use then are freed
rig_unmount
tar -C "$DIR" -xJf "$root/tests/fixtures/machines.tar.xz" live_6.18
rig_mount --machine "$DIR/live_6.18"
cp "$DIR/live_6.18/buddyinfo" "$DIR/before"
works cp "$DIR/before" "$MNT/lab/reference"
free=$(free_pages | sum)
expect "its example's end" "$(wc -l <"$trace")" "$("$root/examples/replay" "$root/examples/trace.txt.zst" "$MNT" | awk '$1 == "lines" { print $2 }')"
expect failures "0 0" "$(stat failures) $(stat unmatched_pages)"
expect "freed from the start" 1 $(($(stat start_frees) > 700 && $(stat start_pages) >= $(stat start_frees)))
expect "in use" "$(stat pages_in_use_by_trace)" "$(stat pages_in_use)"
expect "in use, by the machine" "$(($(stat pages_in_use) - $(stat start_pages)))" "$((free - $(free_pages | sum)))"
expect check ok "$(cat "$MNT/lab/check")"
fails "no mounted machine" "$root/examples/replay" "$trace" "$DIR"
fails "the replay ended early: failed line 3: this is no event of tracefs" "$root/examples/replay" "$root/README.md" "$MNT"
