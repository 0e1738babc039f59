#!/usr/bin/env bash
# A recording in which one frame was altered must come out as `differs`: altered.sh GOLDEN-RUN
set -euo pipefail
run=$(realpath "$1"); here=$(dirname "$(realpath "$0")")
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
tar -xJf "$here/page_alloc.tar.xz" -C "$dir" page_alloc/01_pcp_lifo.golden
file=$dir/page_alloc/01_pcp_lifo.golden
"$run" "$file" >"$dir/out" || { echo "the untouched recording differs:"; cat "$dir/out"; exit 1; }
# the fifth allocation's frame, one further
awk '/^A / && ++n == 5 { $6 = $6 "0" } { print }' "$file" >"$file.new"
cmp -s "$file" "$file.new" && { echo "nothing was altered"; exit 1; }
mv "$file.new" "$file"
if "$run" "$file" >"$dir/out"; then echo "an altered frame was not noticed"; exit 1; fi
grep -q '^differs 01_pcp_lifo.golden [0-9]*: expected .*, got ' "$dir/out" || { cat "$dir/out"; exit 1; }
grep -q '^0 of 1 exact$' "$dir/out"
