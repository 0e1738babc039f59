#!/usr/bin/env bash
# A recording in which one number was altered must come out as `differs`: altered.sh GOLDEN-RUN
# Each kind of line and each figure is altered in turn, once, behind "# OPS" or "# FINAL".
set -euo pipefail
run=$(realpath "$1"); here=$(dirname "$(realpath "$0")")
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
tar -xJf "$here/page_alloc.tar.xz" -C "$dir"
n=0
# altered RECORDING BEHIND PATTERN SED: SED on the last line behind BEHIND that matches PATTERN
altered() {
  local file=$dir/page_alloc/$1.golden new=$dir/$1.golden at
  at=$(awk -v behind="$2" -v pattern="$3" '$0 == behind { on = 1 } on && $0 ~ pattern { at = NR } END { print at + 0 }' "$file")
  [ "$at" -gt 0 ] || { echo "$1 has no line $3 behind $2"; exit 1; }
  sed "$at$4" "$file" >"$new"
  cmp -s "$file" "$new" && { echo "nothing was altered: $*"; exit 1; }
  if "$run" "$new" >"$dir/out"; then echo "not noticed: $*"; exit 1; fi
  grep -q "^differs $1.golden $at: expected .*, got " "$dir/out" || { echo "$*"; cat "$dir/out"; exit 1; }
  grep -q '^0 of 1 exact$' "$dir/out"
  n=$((n + 1))
}
"$run" "$dir/page_alloc/01_pcp_lifo.golden" >"$dir/out" || { echo "the untouched recording differs:"; cat "$dir/out"; exit 1; }

digit='y/0123456789/1234567890/'
# frames
altered 01_pcp_lifo '# OPS' '^A .* -> [0-9a-f]' 's/ -> \([0-9a-f]*\)/ -> \10/'
altered 01_pcp_lifo '# OPS' '^F .* o' 's/^\(F [0-9]* [0-9a-f]*\)/\10/'
altered 60_bulk '# OPS' '^BULK got=.* : ' 's/ \([0-9a-f]*\) |/ \10 |/'
altered 60_bulk '# OPS' '^BULK got=' 's/got=\([0-9]*\)/got=\10/'
altered 17_buddy_merge_split '# OPS' '^SPLIT ' 's/ o10/ o9/'
altered 38_wm_cascade_o0 '# OPS' '^A .*FAIL' 's/FAIL/18000/'
# each figure behind |
for key in fp c h af fc b kw; do
  altered 41_wm_cascade_o1_batch1 '# OPS' '^A .* -> [0-9a-f]* \|' "s/ $key=\([0-9]\)/ $key=1\1/"
done
altered 10_pcp_thp '# OPS' '^A ' 's/\(fp=[0-9]*\)[+-]\([0-9]*\)/\1+1\2/'
altered 10_pcp_thp '# OPS' '^F ' 's/ pf=\([0-9a-f]*\)/ pf=1\1/'
altered 10_pcp_thp '# OPS' '^A ' 's/ zf=\([0-9a-f]*\)/ zf=1\1/'
altered 51_wm_highatomic '# OPS' '^A .* ha=[1-9]' 's/ ha=\([0-9]*\)/ ha=1\1/'
altered 51_wm_highatomic '# OPS' '^A .* ha=[1-9]' 's/ ha=\([0-9]*\/\)/ ha=\11/'
altered 51_wm_highatomic '# OPS' '^A .* kw=' 's/ kw=\([0-9]*\),\([0-9]*\)/ kw=\1,1\2/'
altered 66_slow_exhausted_kernel_o0 '# OPS' '^EV .*allocstall' 's/\(allocstall_[a-z]*=[0-9]*\)/\10/'
altered 66_slow_exhausted_kernel_o0 '# OPS' '^EV .*allocstall' 's/$/ oom_kill=1/'
# each kind of line of a dump
for head in 'NODE ' 'ZONE 1' ' WMARK' ' PROT' ' HIGHATOMIC' ' VMSTAT' ' PAGESET' ' COMPACT' ' PCP'; do
  altered 12_pcp_two_cpus '# FINAL' "^$head" "s/\([0-9]\)\([^0-9]*\)\$/1\1\2/"
done
altered 12_pcp_two_cpus '# FINAL' '^ ZONELIST fallback' 's/n1.DMA32//'
altered 12_pcp_two_cpus '# FINAL' '^ZONE . .*unpopulated' 's/unpopulated/present/'
altered 12_pcp_two_cpus '# OPS' '^ PL ' 's/: \([0-9a-f]*\) \([0-9a-f]*\)/: \2 \1/'
altered 12_pcp_two_cpus '# FINAL' '^ AREA' 's/\([0-9]\)$/1\1/'
altered 12_pcp_two_cpus '# FINAL' '^ FL .*: [0-9a-f]* [0-9a-f]' 's/: \([0-9a-f]*\) \([0-9a-f]*\)/: \2 \1/'
altered 12_pcp_two_cpus '# FINAL' '^ PB ' 's/[MUR]$/H/'
altered 12_pcp_two_cpus '# FINAL' '^ SKIP ' "$digit"
[ "$n" -ge 34 ] || { echo "only $n alterations were tried"; exit 1; }
