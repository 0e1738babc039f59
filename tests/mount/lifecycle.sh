#!/usr/bin/env bash
# Starting and ending: command line, daemonizing, unmounting while busy, signals.
. "$(dirname "$0")/../lib/mount.sh"
contains help "$("$PAGERIG" -h)" "--machine SHAPE"
contains version "$("$PAGERIG" -V)" "pagerig 0.1.0"
fails "where to?" "$PAGERIG"
for shape in "" x 64 0M 64Q 64M,cpus=0 64M,cpus=257 64M,foo=1 65x1G 32T 2x16T 1M 64M,movable=99% 2x1G,distance=10:20 -64M 99999999999999999999G; do
  fails "--machine:" "$PAGERIG" --machine "$shape" "$MNT"
done
fails "is not a size" "$PAGERIG" --backing 12Q "$MNT"
fails "" "$PAGERIG" --machine 64M "$DIR/nowhere"
expect "nothing was mounted" "" "$(grep "$DIR" /proc/mounts)"

rig_mount --machine 4x1G,cpus=8,movable=25%
expect nodes 0-3 "$(cat "$MNT/nodes/online")"
expect movable "DMA32 Movable" "$(ls "$MNT/nodes/node1/zones" | tr '\n' ' ' | sed 's/ $//')"
expect check ok "$(cat "$MNT/lab/check")"
rig_unmount
rig_mount -o machine=64M:cpus=2
expect "colons for commas" 0,1 "$(cat "$MNT/nodes/node0/cpulist")"
# somebody is inside: the unmount is refused and all goes on
(cd "$MNT" && exec sleep 30) & inside=$!
sleep 0.2
fails "busy" fusermount3 -u "$MNT"
expect "and it still serves" ok "$(cat "$MNT/lab/check")"
kill $inside; wait $inside 2>/dev/null
# files left open at the end
exec 5<"$MNT/proc/buddyinfo" 6<>"$MNT/control"
timeout 5 umount -l "$MNT"; expect "lazy unmount" 0 $?
exec 5<&- 6<&-
for _ in $(seq 40); do [ -z "$(daemon_pids)" ] && break; sleep 0.05; done
expect "and the daemon ends" "" "$(daemon_pids)"
rig_mount --machine 64M
pkill -TERM -f "pagerig .*$MNT\$"
for _ in $(seq 40); do [ -z "$(daemon_pids)" ] && break; sleep 0.05; done
expect "SIGTERM ends it" "" "$(daemon_pids)$(grep "$MNT" /proc/mounts)"
# a large machine
rig_mount --machine 1T
expect "1 TiB" ok "$(timeout 60 head -c 2 "$MNT/nodes/node0/zones/Normal/managed" >/dev/null && echo ok)"
