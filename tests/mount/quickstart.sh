#!/usr/bin/env bash
# examples/quickstart in a mount namespace of its own, where /mnt is empty: twice, from elsewhere, and when it can't go on.
. "$(dirname "$0")/../lib/mount.sh"
case $BUILD in */build) ;; *) expect "quickstart is the plain build's" 1 1; exit ;; esac
export Q=$root/examples/quickstart
alone() { timeout 100 unshare -m bash -c "mount -t tmpfs none /mnt && cd / && { $1; }" 2>&1; } # COMMANDS
ours() { pgrep -f 'pagerig --machine [^ ]* /mnt/mm$' | sort; }
before=$(ours)

out=$(alone '"$Q" && cd /mnt/mm && "$Q" && cd / && cat /mnt/mm/lab/check && fusermount3 -u /mnt/mm')
contains "the host's lists" "$out" "Node 0, zone"
contains "GFP_KERNEL fails" "$out" "GFP_KERNEL|__GFP_NORETRY     error ENOMEM"
contains "GFP_ATOMIC does not" "$out" "GFP_ATOMIC                   ok 1: atomic 0x"
contains "why" "$out" "and its watermark min is"
contains "the report" "$out" "page allocation failure: order:0, mode:0x10cc0(GFP_KERNEL|__GFP_NORETRY)"
contains "two processes" "$out" "reads:  and hello back from process"
contains "the replay" "$out" "state done"
contains "the second time" "$out" "replacing our earlier mount at /mnt/mm"
contains "stays mounted" "$out" "/mnt/mm stays mounted"
in_use=$(awk '$1 == "pages_in_use" && $2 + 0 == $2 { print $2 }' <<<"$out" | sort -u)
expect "pages in use as the trace counts them" "$in_use" "$(awk '$1 == "pages_in_use_by_trace" { print $2 }' <<<"$out" | sort -u)"
contains "a dead earlier mount" "$(alone '"$Q" >/dev/null && for p in $(pgrep -f "pagerig --machine [^ ]* /mnt/mm\$"); do [ "$(readlink /proc/$p/ns/mnt)" = "$(readlink /proc/self/ns/mnt)" ] && kill -9 $p; done; sleep 0.2; "$Q"; fusermount3 -u /mnt/mm')" "stays mounted"
contains "somebody else's mount" "$(alone 'mkdir /mnt/mm && mount -t tmpfs none /mnt/mm && "$Q"')" "/mnt/mm is in use: a file system of type tmpfs"
contains "files in the way" "$(alone 'mkdir /mnt/mm && touch /mnt/mm/x && "$Q"')" "/mnt/mm is not empty"
contains "a file" "$(alone 'touch /mnt/mm && "$Q"')" "/mnt/mm is not a directory"
contains "not root" "$(alone 'setpriv --reuid 65534 bash "$Q"')" "run it as root"
for script in "$Q" "$root/tests/run"; do
  contains "no /dev/fuse" "$(SCRIPT=$script alone 'mount -t tmpfs none /dev && "$SCRIPT"')" "there is no /dev/fuse here"
done
contains "not root" "$(setpriv --reuid 65534 bash "$root/tests/run" 2>&1)" "run it as root"
out=$(alone '"$Q" >/dev/null & sleep 0.7; kill -TERM $!; wait $!; echo "status $?"; grep -c " /mnt/mm " /proc/mounts')
contains "ended in the middle" "$out" "status 143"
expect "no mount is left" 0 "$(tail -n 1 <<<"$out")"
for _ in $(seq 60); do [ "$(ours)" = "$before" ] && break; sleep 0.05; done
expect "no daemon is left" "$before" "$(ours)"
