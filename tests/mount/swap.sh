#!/usr/bin/env bash
# Segments larger than the machine: eviction, swap, and what happens when swap is full, broken or missing.
. "$(dirname "$0")/../lib/mount.sh"
shm=$MNT/shm fsx=$BUILD/tests/fsx client=$BUILD/tests/shm-client
value() { awk -v k="$1" '$1 == k { print $2 }' "$2"; }
over() { checks=$((checks + 1)); [ "${3:-0}" -gt "$2" ] || complain "$1: ${3:-nothing} is not over $2"; }
managed() { awk '{ n += $1 } END { print n }' "$MNT"/nodes/node*/zones/*/managed; }
gone() { local i; for i in $(seq 60); do [ "$(value SwapFree: "$MNT/proc/meminfo")" = "$(value SwapTotal: "$MNT/proc/meminfo")" ] && break; sleep 0.05; done
  expect "$1: swap is free again" "$(value SwapTotal: "$MNT/proc/meminfo")" "$(value SwapFree: "$MNT/proc/meminfo")"; expect "$1: check" ok "$(cat "$MNT/lab/check")"; }

# bad words
fails "is not SIZE" "$PAGERIG" --machine 64M --swap 12Q "$MNT"
fails "a priority is 0 to 32767" "$PAGERIG" --machine 64M --swap 1M,pri=x "$MNT"
fails "No such file or directory" "$PAGERIG" --machine 64M --swap "1M:$DIR/no/swap" "$MNT"
echo "my thesis" >"$DIR/mine"
fails "there is something else in it" "$PAGERIG" --machine 64M --swap "1M:$DIR/mine" "$MNT"
expect "it is untouched" "my thesis" "$(cat "$DIR/mine")"

# two processes, four times the machine, every byte compared
rig_mount --machine 32M,cpus=2 --swap "24M:$DIR/swap1,pri=5" --swap "128M:$DIR/swap2"
works "$fsx" "$shm/x" 120 "${FSX_SECONDS:-8}" "${SEED:-1}"
over major 1000 "$(value major "$MNT/segments/x/stat")"
over swapped_out 1000 "$(value swapped_out "$MNT/segments/x/stat")"
over refault 1000 "$(value refault "$MNT/segments/x/stat")"
over pswpout 1000 "$(value pswpout "$MNT/proc/vmstat")"
expect "never more than there is" 1 "$(($(value resident "$MNT/segments/x/stat") <= $(managed)))"
contains "the first area first" "$(sed -n 2p "$MNT/proc/swaps")" "$DIR/swap1"
rm "$shm/x"
works "$client" "$shm" stamp 80
over "the second area too" 0 "$(awk 'NR == 3 { print $4 }' "$MNT/proc/swaps")"
expect "all of it" "lost 0 wrong 0" "$("$client" "$shm" verify 80)"
rm "$shm/stamp"
gone "after rm"
for t in share sigbus unlink random; do works "$client" "$shm" $t; done
works "$client" "$shm" race 3
gone "after the races"

# who is killed while it waits is gone, and nothing of it stays
for _ in 1 2 3; do
  "$client" "$shm" thrash 90 & one=$!; disown
  sleep 0.7; kill -9 $one
  checks=$((checks + 1)); timeout 10 tail --pid=$one -f /dev/null || complain "a killed client is still there"
  rm -f "$shm/thrash"
done
gone "after kills"
rig_unmount
expect "the areas stay what they are" "pagerig-swap 1" "$(head -c 14 "$DIR/swap1")"

# a slot that comes back changed is never handed out
rig_mount --machine 32M --swap "128M:$DIR/swap1"
works "$client" "$shm" stamp 80
dd if=/dev/urandom of="$DIR/swap1" bs=4096 seek=1 count=6000 conv=notrunc status=none
expect "pages lost, and none wrong" "ok" "$("$client" "$shm" verify 80 | awk '{ print ($2 > 0 && $4 == 0) ? "ok" : $0 }')"
contains "error log" "$(cat "$MNT/tracing/error_log")" "its checksum is wrong"
fails "Input/output error" cat "$shm/stamp"
works truncate -s 0 "$shm/stamp"
works "$client" "$shm" stamp 80
rm "$shm/stamp"
gone "after corruption"
rig_unmount

# a full area: SIGBUS and ENOSPC, and what is there stays; an area that can't be written
rig_mount --machine 32M --swap 8M
works "$client" "$shm" full
gone "after a full area"
rig_unmount
mkdir "$DIR/small"; mount -t tmpfs -o size=4M none "$DIR/small"
fails "No space left" "$PAGERIG" --machine 32M --swap "64M:$DIR/small/swap" "$MNT"
umount "$DIR/small"

# host memory is bounded too
rig_mount --machine 64M --backing 16M --swap 128M
works "$client" "$shm" stamp 64
expect "all of it" "lost 0 wrong 0" "$("$client" "$shm" verify 64)"
expect "bounded" 1 "$(($(value resident "$MNT/segments/stamp/stat") <= 4096))"
