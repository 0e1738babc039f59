#!/usr/bin/env bash
# Unmodified programs whose shared memory pages through a rig with less memory than they use: what
# they print is what they print on a tmpfs. PROGRAMS: which of them.
TEST_TIMEOUT=${TEST_TIMEOUT:-240}
. "$(dirname "$0")/../lib/mount.sh"
chmod 755 "$DIR"
rig_mount --machine 32M,cpus=2 --swap 512M -o allow_other
on_tmpfs() { unshare -m bash -c 'mount --make-rprivate / && mount -t tmpfs -o mode=1777 none /dev/shm && exec "$0" "$@"' "$@" 2>&1; }
for program in ${PROGRAMS:-python-shm sqlite-wal fio-mmap stress-shm postgres-parallel}; do
  want=$(on_tmpfs timeout 100 "$root/tests/clients/$program")
  got=$(timeout 150 "$root/examples/on-pagerig" -m "$MNT" "$root/tests/clients/$program" 2>&1)
  contains "$program says something" "$want" "[0-9]"
  expect "$program" "$want" "$got"
  expect "$program leaves nothing behind" "" "$(ls "$MNT/shm")"
done
checks=$((checks + 1)); [ "$(awk '/^pswpout/ { print $2 }' "$MNT/proc/vmstat")" -gt 1000 ] || complain "nothing was swapped"
expect "nothing was lost" "" "$(cat "$MNT/tracing/error_log")"
expect check ok "$(cat "$MNT/lab/check")"
fails "there is no rig mounted here" "$root/examples/on-pagerig" -m "$DIR" true
