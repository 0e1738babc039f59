#!/usr/bin/env bash
# Shared memory: faults take frames and give them back; files behave as on a tmpfs.
. "$(dirname "$0")/../lib/mount.sh"
rig_mount --machine 64M,cpus=2
shm=$MNT/shm client=$BUILD/tests/shm-client
free_pages() { ask drain >/dev/null; awk '{ for (o = 0; o < 11; o++) n += $(5 + o) * 2 ^ o } END { print n }' "$MNT/proc/buddyinfo"; }
settle() { local i; for i in $(seq 40); do [ "$(free_pages)" = "$before" ] && return; sleep 0.05; done; }
before=$(free_pages)

for t in share sigbus unlink random full; do works "$client" "$shm" $t; done
for seed in 1 2 3; do SEED=$seed works "$client" "$shm" random; done
settle
expect "every page came back" "$before" "$(free_pages)"
expect check ok "$(cat "$MNT/lab/check")"
expect "no segment is left" "" "$(ls "$MNT/segments")"

# one fault a touched page
truncate -s 1M "$shm/s"
expect "a hole takes nothing" "$before" "$(free_pages)"
works dd if="$shm/s" of=/dev/null bs=4096 count=3 status=none
expect resident 3 "$(awk '/^resident/ { print $2 }' "$MNT/segments/s/stat")"
expect minor 3 "$(awk '/^minor/ { print $2 }' "$MNT/segments/s/stat")"
expect "three frames" $((before - 3)) "$(free_pages)"
expect "blocks" 24 "$(stat -c %b "$shm/s")"

# a small tmpfs
cd "$shm" || exit 1
works mkdir d; works touch d/f; works mv d/f d/g; works ln d/g h; works ln -s d/g l
expect "links" 2 "$(stat -c %h h)"
expect "through the symlink" "" "$(cat l)"
fails "not empty" rmdir d
fails "File exists" mkdir d
fails "cannot overwrite" mv -T h d
fails "No such file" mv -T --no-clobber h "$MNT/proc/h"
fails "File name too long" touch "$(printf 'x%.0s' {1..256})"
works chmod 640 h; expect mode 640 "$(stat -c %a h)"
echo hello >h; expect "content by the other name" hello "$(cat d/g)"
works fallocate -l 64K a; expect "allocated" 128 "$(stat -c %b a)"
works fallocate -p -o 4096 -l 8192 a; expect "punched" 112 "$(stat -c %b a)"
fails "No space left" fallocate -l 1G a2
for i in $(seq 1 300); do : >"d/$i"; done
expect "a long listing" 301 "$(find d -type f | wc -l)"
works rm -r d h l a a2 s
expect "empty again" "" "$(ls)"
cd /
settle
expect "every page came back" "$before" "$(free_pages)"
expect statfs "$before" "$(stat -f -c %a "$MNT")"
expect check ok "$(cat "$MNT/lab/check")"
