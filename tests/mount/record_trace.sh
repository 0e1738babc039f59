#!/usr/bin/env bash
# examples/record-trace on this machine, if its kernel can; the tracing of the kernel is left as it was.
. "$(dirname "$0")/../lib/mount.sh"
record=$root/examples/record-trace
fails "FOLDER must not exist" "$record"
fails "-b takes whole MiB, not '1G'" "$record" -b 1G "$DIR/out"
fails "exists already" "$record" "$DIR" true
before=$(grep -c tracefs /proc/mounts)
if ! said=$("$record" -b 8 "$DIR/out" bash -c 'for i in 1 2 3 4 5; do ls -lR /usr/share/doc; done >/dev/null' 2>&1); then
  # a kernel or container without it: one sentence
  expect "a sentence" 1 "$(printf '%s\n' "$said" | grep -c '^record-trace: .*\.$')"
  expect "nothing is left" "" "$(ls "$DIR" | grep out)"
else
  contains "what to do next" "$said" "--machine $DIR/out/before"
  for f in before/zoneinfo before/buddyinfo before/pagetypeinfo before/sys_vm/min_free_kbytes after/buddyinfo; do
    expect "$f" 1 "$([ -s "$DIR/out/$f" ] && echo 1)"
  done
  rig_mount --machine "$DIR/out/before"
  contains "it replays" "$("$root/examples/replay" "$DIR"/out/trace.txt* "$MNT" "$DIR/out/after/buddyinfo" 2>&1)" "error_pages_of_nothing"
  expect "some events, no failures" "1 0" \
    "$(awk '$1 == "allocs" { a = $2 } $1 == "failures" { f = $2 } END { print (a > 100), f }' "$MNT/lab/replay")"
  expect "in use" 1 "$(awk '$1 == "pages_in_use" { a = $2 } $1 == "pages_in_use_by_trace" { b = $2 } END { print (a == b) }' "$MNT/lab/replay")"
  expect check ok "$(cat "$MNT/lab/check")"
  # ended by a signal: nothing stays
  timeout -s TERM 1 "$record" -b 8 "$DIR/killed" sleep 5 >/dev/null 2>&1
  sleep 0.3
  expect "no half folder" "" "$(ls "$DIR" | grep killed)"
fi
expect "mounts of tracefs" "$before" "$(grep -c tracefs /proc/mounts)"
tracefs=$(mktemp -d)
if mount -t tracefs none "$tracefs" 2>/dev/null; then
  for _ in $(seq 30); do ls "$tracefs/instances" | grep -q pagerig || break; sleep 0.2; done
  expect "no instance" "" "$(ls "$tracefs/instances" | grep pagerig)"
  umount "$tracefs"
fi
rmdir "$tracefs"
