#!/usr/bin/env bash
# Starting and ending: command line, daemonizing, unmounting while busy, signals, an ordinary user.
. "$(dirname "$0")/../lib/mount.sh"
contains help "$("$PAGERIG" -h)" "--machine SHAPE"
contains version "$("$PAGERIG" -V)" "pagerig 0.1.0"

# what can't be done is said in a sentence, and nothing is mounted
mkdir "$DIR/other"; : >"$DIR/file"
fails "where to?" "$PAGERIG"
fails "there is no such directory" "$PAGERIG" --machine 64M "$DIR/nowhere"
fails "this is not a directory" "$PAGERIG" --machine 64M "$DIR/file"
fails "a second one" "$PAGERIG" "$MNT" "$DIR/other"
fails "busy: a file system of type proc is mounted there already" "$PAGERIG" /proc
fails "unknown option '--machin'; the nearest is --machine" "$PAGERIG" --machin 64M "$MNT"
fails "unknown option 'alow_other'; the nearest is allow_other" "$PAGERIG" -o ro,alow_other "$MNT"
fails "unknown word 'cpu=2'; the nearest is cpus=" "$PAGERIG" --machine=64M,cpu=2 "$MNT"
for shape in "" x 64 0M 64Q 64M,cpus=0 64M,cpus=257 64M,foo=1 65x1G 32T 2x16T 1M 64M,movable=99% 2x1G,distance=10:20 -64M 99999999999999999999G; do
  fails "--machine:" "$PAGERIG" --machine "$shape" "$MNT"
done
for size in 12Q -1M 1 99999999999999999999 18446744073709551615T x ""; do
  fails "is not a size" "$PAGERIG" --backing "$size" "$MNT"
done
fails "no such" unshare -m bash -c 'mount -t tmpfs none /dev && "$0" "$1" 2>&1 | tr N n; exit "${PIPESTATUS[0]}"' "$PAGERIG" "$MNT"
expect "nothing was mounted" "" "$(grep "$DIR" /proc/mounts)"

gone() { for _ in $(seq 40); do [ -z "$(daemon_pids)" ] && break; sleep 0.05; done; expect "$1" "" "$(daemon_pids)$(grep "$MNT" /proc/mounts)"; }
rig_mount --machine 4x1G,cpus=8,movable=25%
expect nodes 0-3 "$(cat "$MNT/nodes/online")" # at once: the command came back when the mount served
expect movable "DMA32 Movable" "$(ls "$MNT/nodes/node1/zones" | tr '\n' ' ' | sed 's/ $//')"
expect check ok "$(cat "$MNT/lab/check")"
fails "busy: a file system of type fuse.pagerig is mounted there already" "$PAGERIG" "$MNT"
device=$(awk -v m="$MNT" '$5 == m { print $3 }' /proc/self/mountinfo)
expect "writers of mappings are not slowed down" "0 100" "$(cat "/sys/class/bdi/$device/strict_limit") $(cat "/sys/class/bdi/$device/max_ratio")"
rig_unmount
rig_mount -o machine=64M:cpus=2
expect "colons for commas" 0,1 "$(cat "$MNT/nodes/node0/cpulist")"

# somebody is inside: the unmount is refused and all goes on
(cd "$MNT" && exec sleep 30) & inside=$!
sleep 0.2
fails "busy" fusermount3 -u "$MNT"
expect "and it still serves" ok "$(cat "$MNT/lab/check")"
kill $inside; wait $inside 2>/dev/null

# files left open, and a dirty mapping, at a lazy unmount: gone when the last of them is
holder() { exec "$BUILD/tests/shm-client" "$MNT/shm" hold; }
holder & held=$!
for _ in $(seq 40); do [ -s "$MNT/shm/hold" ] && break; sleep 0.05; done
exec 5<"$MNT/proc/buddyinfo" 6<>"$MNT/control"
fails "busy" fusermount3 -u "$MNT"
works timeout 5 fusermount3 -uz "$MNT"
exec 5<&- 6<&-
kill $held; wait $held 2>/dev/null
gone "after a lazy unmount"

# signals end it in any case: who still has it open is told
for signal in TERM INT HUP; do
  rig_mount --machine 64M
  holder & held=$!
  for _ in $(seq 40); do [ -s "$MNT/shm/hold" ] && break; sleep 0.05; done
  exec 5<>"$MNT/control"
  kill -$signal "$(daemon_pids)"
  gone "SIG$signal"
  fails "not connected" bash -c 'echo drain >&5'
  exec 5<&-
  kill $held 2>/dev/null; wait $held 2>/dev/null
done

# killed: the dead mount is named, and cleared like any other
rig_mount --machine 64M
kill -9 "$(daemon_pids)"; for _ in $(seq 40); do [ -z "$(daemon_pids)" ] && break; sleep 0.05; done
fails "the daemon of an earlier mount is dead" "$PAGERIG" "$MNT"
works fusermount3 -u "$MNT"

# in the foreground, with one thread
"$PAGERIG" -f -s --machine 64M "$MNT" & front=$!
for _ in $(seq 100); do [ -e "$MNT/README" ] && break; sleep 0.05; done
expect "-f -s" ok "$(cat "$MNT/lab/check")"
works fusermount3 -u "$MNT"
wait $front; expect "its status" 0 $?

# an ordinary user, with a /dev/fuse as udev makes it
user_mount() {
  mknod -m 666 "$DIR/fuse" c 10 229 && mount --bind "$DIR/fuse" /dev/fuse && chmod 755 "$DIR" && chown 65534 "$DIR/other" || return
  setpriv --reuid 65534 --regid 65534 --clear-groups bash -c '"$0" --machine 64M "$1" && echo "order=1 name=u" >"$1/nodes/node0/alloc" &&
    cat "$1/lab/check" && stat -c %u "$1/allocations/u" && fusermount3 -u "$1"' "$PAGERIG" "$DIR/other"
}
export -f user_mount; export DIR PAGERIG
expect "an ordinary user" "ok 65534" "$(unshare -m bash -c user_mount 2>&1 | tr '\n' ' ' | sed 's/ $//')"
for _ in $(seq 40); do pgrep -f "pagerig .*$DIR/other\$" >/dev/null || break; sleep 0.05; done
expect "and leaves nothing" "" "$(pgrep -f "pagerig .*$DIR/other\$")"

rig_mount --machine 1T
expect "1 TiB" ok "$(timeout 60 head -c 2 "$MNT/nodes/node0/zones/Normal/managed" >/dev/null && echo ok)"
