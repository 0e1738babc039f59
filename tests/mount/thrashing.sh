#!/usr/bin/env bash
# examples/thrashing: what fits is read once; what does not comes back again and again.
. "$(dirname "$0")/../lib/mount.sh"
out=$(PAGERIG=$PAGERIG timeout 60 "$root/examples/thrashing" 2>&1)
row() { awk -v mb="$1" '$1 == mb { print $2, $4, $5 }' <<<"$out"; }
expect "64 MB fit" "16384 0 0" "$(row 64)"
expect "112 MB fit" "28672 0 0" "$(row 112)"
expect "192 MB do not: two walks of three are refaults" "147456 98304 66" "$(row 192)"
expect "nothing stays mounted" 0 "$(grep -c 'tasks/walker' /proc/self/mountinfo)"
