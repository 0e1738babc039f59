#!/usr/bin/env bash
# shm/ answers as a tmpfs: a fixed row of steps, then generated ones, in both, call by call.
. "$(dirname "$0")/../lib/mount.sh"
parity=$BUILD/tests/parity
grep -q '^user_allow_other' /etc/fuse.conf 2>/dev/null || [ "$(id -u)" = 0 ] || exit 1
rig_mount --machine 256M,cpus=2 -o allow_other
mkdir "$DIR/tmpfs"; chmod 755 "$DIR"
mount -t tmpfs -o size=256M,mode=1777,nodev,nosuid none "$DIR/tmpfs"
trap 'umount -l "$DIR/tmpfs" 2>/dev/null; finish' EXIT
for seed in ${SEEDS:-1 2 3 4}; do
  mkdir -m 1777 "$DIR/tmpfs/$seed" "$MNT/shm/$seed"
  works "$parity" "$DIR/tmpfs/$seed" "$MNT/shm/$seed" "$seed" "${CALLS:-6000}"
  rm -rf "$DIR/tmpfs/$seed" "$MNT/shm/$seed"
done
expect "five differences have a reason" 5 "$("$parity" --differences | wc -l)"
expect "no segment is left" "" "$(ls "$MNT/segments")"
expect check ok "$(cat "$MNT/lab/check")"
