# mount.sh: sourced by mount tests. One private mount, a watchdog that ends it when the test hangs, checks
# that count, and nothing left behind. BUILD is the build folder, TEST_TIMEOUT the watchdog's patience in seconds.
set -uo pipefail
root=$(dirname "$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")")
BUILD=$(realpath "${BUILD:-$root/build}")
PAGERIG=$BUILD/fs/pagerig
checks=0 bad=0 dog=
DIR=$(mktemp -d /tmp/pagerig-test-XXXXXX); MNT=$DIR/mm; mkdir "$MNT"

# the daemon has no terminal: what a sanitizer has to say goes to files, and fails the test
for tool in ASAN UBSAN LSAN TSAN; do
  var=${tool}_OPTIONS
  export "$var=${!var:+${!var}:}log_path=$DIR/sanitizer"
done

mounted() { awk -v m="$MNT" '$5 == m { found = 1 } END { exit !found }' /proc/self/mountinfo; } # also if its daemon is dead
daemon_pids() { pgrep -f "pagerig .*$MNT\$"; }

abort_connection() { # the client that hangs is let go with ENOTCONN
  local dev
  dev=$(awk -v m="$MNT" '$5 == m { split($3, d, ":"); print d[2] }' /proc/self/mountinfo)
  [ -n "$dev" ] || return 0
  mountpoint -q /sys/fs/fuse/connections || mount -t fusectl none /sys/fs/fuse/connections 2>/dev/null
  [ -e "/sys/fs/fuse/connections/$dev/abort" ] && echo 1 >"/sys/fs/fuse/connections/$dev/abort"
}

watchdog() {
  local main=$1 pid
  sleep "${TEST_TIMEOUT:-120}"
  echo "watchdog: no end after ${TEST_TIMEOUT:-120} s; the daemon's threads:"
  for pid in $(daemon_pids); do
    if command -v gdb >/dev/null; then gdb -p "$pid" -batch -ex "thread apply all bt" 2>/dev/null
    else cat /proc/"$pid"/task/*/stack 2>/dev/null; fi
  done
  touch "$DIR/hung"
  abort_connection
  kill "$main"
}

rig_mount() { # rig_mount [OPTION…]
  [ $# -gt 0 ] || set -- --machine 64M
  timeout 60 "$PAGERIG" "$@" "$MNT" || { echo "the mount failed: pagerig $*"; exit 1; }
  [ -n "$dog" ] || { watchdog $$ & dog=$!; }
}

rig_unmount() { # and nothing is left two seconds later
  local i
  timeout 20 fusermount3 -u "$MNT" || { echo "unmount failed"; bad=$((bad + 1)); abort_connection; umount -l "$MNT"; }
  for i in $(seq 40); do [ -z "$(daemon_pids)" ] && return 0; sleep 0.05; done
  echo "the daemon is still there two seconds after the unmount"; bad=$((bad + 1))
  for i in $(daemon_pids); do kill -9 "$i"; done
}

finish() {
  local status=$? nap
  trap - EXIT TERM
  if [ -n "$dog" ]; then # itself first, then its sleep
    nap=$(pgrep -P "$dog" 2>/dev/null)
    kill "$dog" 2>/dev/null; wait "$dog" 2>/dev/null
    [ -n "$nap" ] && kill $nap 2>/dev/null
  fi
  cd /
  if [ -e "$DIR/hung" ] || { mounted && [ -z "$(daemon_pids)" ]; }; then
    [ -e "$DIR/hung" ] || echo "the daemon died"
    bad=$((bad + 1))
    for nap in $(daemon_pids); do kill -9 "$nap"; done
    mounted && umount -l "$MNT"
  fi
  mounted && rig_unmount
  if compgen -G "$DIR/sanitizer.*" >/dev/null; then bad=$((bad + 1)); head -n 60 "$DIR"/sanitizer.*; fi
  rm -rf "$DIR" 2>/dev/null
  if [ "$bad" != 0 ]; then echo "$bad of $checks checks failed"; exit 1; fi
  if [ "$checks" = 0 ]; then echo "the test checked nothing"; exit 1; fi
  exit "$status"
}
trap finish EXIT
trap 'bad=$((bad + 1)); exit 1' TERM

complain() { # says which line of the test it was
  local i=1
  while [ "${BASH_SOURCE[i]}" = "${BASH_SOURCE[0]}" ]; do i=$((i + 1)); done
  bad=$((bad + 1)); printf '%s:%s: %s\n' "$(basename "${BASH_SOURCE[i]}")" "${BASH_LINENO[i - 1]}" "$*"
}
expect() { # NAME EXPECTED ACTUAL
  checks=$((checks + 1))
  [ "$2" = "$3" ] || complain "$1: expected '$2', got '$3'"
}
contains() { # NAME TEXT PATTERN
  checks=$((checks + 1))
  # shellcheck disable=SC2053
  [[ $2 == *$3* ]] || complain "$1: no '$3' in '${2:0:1000}'"
}
fails() { # TEXT COMMAND…: it must fail and say TEXT
  local text=$1 out
  shift
  checks=$((checks + 1))
  if out=$(timeout 20 bash -c '"$@"' _ "$@" 2>&1); then complain "this should have failed: $*"
  elif [[ $out != *$text* ]]; then complain "$*: no '$text' in '$out'"; fi
}
works() { # COMMAND…
  local out
  checks=$((checks + 1))
  out=$(timeout 60 bash -c '"$@"' _ "$@" 2>&1) || complain "$*: $out"
}
put() { bash -c 'printf "%s\n" "$1" >"$2"' put "$1" "$2"; } # TEXT FILE, as one command that can fail
export -f put
ask() { # COMMAND…: each a line on control; prints the replies
  timeout 20 bash -c 'exec 3<>"$0/control"; for l; do printf "%s\n" "$l" >&3; done 2>/dev/null; cat <&3' "$MNT" "$@"
}
