#!/usr/bin/env bash
# lab/replay: the shipped trace, the same twice, and broken ones.
. "$(dirname "$0")/../lib/mount.sh"
rig_mount --machine 1G,cpus=2
trace=$DIR/trace
zstdcat "$root/examples/trace.txt.zst" >"$trace"
stat() { awk -v k="$1" '$1 == k { print $2 }' "$MNT/lab/replay"; }

works bash -c "timeout 60 cat '$trace' >'$MNT/lab/replay'"
expect lines "$(wc -l <"$trace")" "$(stat lines)"
expect allocs "$(grep -c ' mm_page_alloc: ' "$trace")" "$(stat allocs)"
expect frees "$(grep -c ' mm_page_free: ' "$trace")" "$(stat frees)"
expect "in use" "$(stat pages_in_use_by_trace)" "$(stat pages_in_use)"
expect failures 0 "$(stat failures)"
expect check ok "$(cat "$MNT/lab/check")"
works bash -c "timeout 60 cat '$trace' >'$MNT/lab/replay'"
expect "in use, again" "$(stat pages_in_use_by_trace)" "$(stat pages_in_use)"

fails "Invalid argument" bash -c "head -c 100007 '$trace' | dd of='$MNT/lab/replay' bs=64k iflag=fullblock status=none"
contains "half a line" "$(cat "$MNT/tracing/error_log")" "the text stops inside a line"
fails "Invalid argument" bash -c "echo nonsense >'$MNT/lab/replay'"
contains "which line" "$(cat "$MNT/tracing/error_log")" "lab/replay: EINVAL: line 1: this is no event of tracefs"
expect check ok "$(cat "$MNT/lab/check")"
