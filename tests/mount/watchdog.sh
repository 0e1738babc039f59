#!/usr/bin/env bash
# The watchdog of tests/lib/mount.sh itself: a mount that hangs is aborted, its stacks are shown, the test fails; a
# daemon that a sanitizer or a signal ended makes it fail, too.
. "$(dirname "$0")/../lib/mount.sh"

cat >"$DIR/hangs.sh" <<'END2'
. "$LIB"
rig_mount --machine 64M
echo "$MNT" >"$WHERE"
kill -STOP "$(daemon_pids)"
cat "$MNT/lab/digest" # never answered
expect "not reached" 1 1
END2
start=$(date +%s)
out=$(LIB=$root/tests/lib/mount.sh WHERE=$DIR/where TEST_TIMEOUT=2 timeout -k 1 60 bash "$DIR/hangs.sh" 2>&1); status=$?
expect "it fails" 1 $status
contains "it says so" "$out" "watchdog: no end after 2 s"
contains "with stacks of all threads" "$out" "Thread "
[ $(($(date +%s) - start)) -lt 40 ]; expect "in time" 0 $?
expect "and leaves no mount" "" "$(grep -F "$(cat "$DIR/where")" /proc/mounts)"
expect "and no daemon" "" "$(pgrep -f "pagerig .*$(cat "$DIR/where")\$")"

cat >"$DIR/fails.sh" <<'END2'
. "$LIB"
rig_mount --machine 64M
expect "a wrong figure" 64 "$(cat "$MNT/nodes/online")"
END2
out=$(LIB=$root/tests/lib/mount.sh bash "$DIR/fails.sh" 2>&1); status=$?
expect "a failed check fails" 1 $status
contains "with its line" "$out" "fails.sh:3: a wrong figure: expected '64', got '0'"

cat >"$DIR/dies.sh" <<'END2'
. "$LIB"
rig_mount --machine 64M
expect "fine so far" 0 "$(cat "$MNT/nodes/online")"
kill -SEGV "$(daemon_pids)"
for _ in $(seq 40); do [ -z "$(daemon_pids)" ] && break; sleep 0.05; done
END2
out=$(LIB=$root/tests/lib/mount.sh bash "$DIR/dies.sh" 2>&1); status=$?
expect "a daemon that died fails" 1 $status
contains "it says so" "$out" "the daemon died"
