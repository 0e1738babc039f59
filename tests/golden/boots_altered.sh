#!/usr/bin/env bash
# A boot in which one number was altered must come out as `differs`: boots_altered.sh BOOTS-RUN
set -euo pipefail
run=$(realpath "$1"); here=$(dirname "$(realpath "$0")")
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
tar -xJf "$here/boots/boots.tar.xz" -C "$dir"
name=numa2_4096_combo; file=$dir/boots/$name.txt; new=$dir/$name.txt
"$run" "$file" >"$dir/out" || { echo "the untouched boot differs:"; cat "$dir/out"; exit 1; }
# altered first|last PATTERN SED: SED on the first or last line that matches
altered() {
  local at
  at=$(awk -v which="$1" -v pattern="$2" '$0 ~ pattern && (which == "last" || !at) { at = NR } END { print at + 0 }' "$file")
  [ "$at" -gt 0 ] || { echo "no line $2"; exit 1; }
  sed "$at$3" "$file" >"$new"
  cmp -s "$file" "$new" && { echo "nothing was altered: $*"; exit 1; }
  if "$run" "$new" >"$dir/out"; then echo "not noticed: $*"; exit 1; fi
  grep -q "^differs $name.txt $at: expected .*, got " "$dir/out" || { echo "$*"; cat "$dir/out"; exit 1; }
  grep -q '^0 of 1 exact$' "$dir/out"
}
last='s/\([0-9]\)$/1\1/'
for which in first last; do # after the boot, after the last sysctl
  altered $which '^vm.min_free_kbytes' "$last"
  for key in min low high promo drift_mark; do altered $which '^ WMARK' "s/ $key=/ $key=1/"; done
  altered $which '^ PROT' "$last"
  for key in high_min high_max batch; do altered $which '^ PAGESET' "s/ $key=/ $key=1/"; done
  for key in high_min high_max batch stat_threshold; do altered $which '^ PCP' "s/ $key=/ $key=1/"; done
  altered $which '^NODE' 's/ totalreserve=/ totalreserve=1/'
  altered $which '^ ZONELIST fallback' 's/ n1/ n0/'
  for key in min low high promo managed; do altered $which "^        $key +[1-9]" "$last"; done
  altered $which '^        protection: [(]0, [0-9]*[1-9]' 's/, \([0-9]\)/, 1\1/'
  altered $which '^  vm stats threshold' "$last"
  altered $which '^              batch' "$last"
done
