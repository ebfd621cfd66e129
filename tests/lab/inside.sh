# inside.sh - sourced by each mail system's script, inside its chroot.
set -u
exec 2>&1
cd /

say() { echo "--- $*"; }

# mail COUNT PREFIX DOMAIN [RECIPIENT]: hands in so many messages through the mail system's own sendmail command.
mail() {
  local i
  for i in $(seq 1 "$1"); do
    printf 'From: sender@lab.test\nTo: %s%s@%s\nSubject: %s %s of %s\n\nbody %s\n.dot line\n%s\n' \
      "$2" "$i" "$3" "$2" "$i" "$1" "$i" "$(head -c $((RANDOM % 900)) /dev/zero | tr '\0' x)" |
      $SENDMAIL -f sender@lab.test "$2$i@$3" ${4:-}
  done
}

# wait_for SECONDS COMMAND…: until the command succeeds.
wait_for() {
  local tries=$(($1 * 4))
  shift
  while [ "$tries" -gt 0 ]; do
    "$@" >/dev/null 2>&1 && return 0
    sleep 0.25
    tries=$((tries - 1))
  done
  echo "FAILED: waited in vain for: $*"
  return 1
}

# expect RULE ID: a ghost or stuck message that was just made (ID `-`: it has none). Written down for `compare`.
: >/lab/expected
expect() {
  [ -n "$2" ] || { echo "FAILED: nothing is there to be found under $1"; return 1; }
  echo "$1 $2" >>/lab/expected
}

# next NUMBER: sets ID to that of the message to greyNUMBER@, by the script's own `id_of`.
next() {
  ID=$(id_of "grey$1")
  [ -n "$ID" ] || { echo "FAILED: there is no message to grey$1"; return 1; }
}

# healthy WHEN: a scan now finds nothing and ends in 0.
healthy() {
  /lab/ghostq scan $SCAN --format jsonl --quiet >/lab/found.jsonl 2>/lab/found.err
  local code=$?
  if [ "$code" = 0 ]; then
    echo "ok: $1: nothing is found"
  else
    echo "FAILED: $1: exit $code"
    python3 /lab/findings.py /lab/found.jsonl
    head -5 /lab/found.err
  fi
}

# calm COMMAND: 20 scans while COMMAND keeps mail flowing find nothing.
calm() {
  "$@" >/lab/flow.log 2>&1 &
  local flow=$! false=0 n
  sleep 2
  for n in $(seq 20); do
    sleep 0.4 # so that the scans meet the flow at different moments
    /lab/ghostq scan $SCAN --format jsonl --quiet >/lab/calm.jsonl 2>/lab/calm.err
    local code=$?
    if [ "$code" != 0 ]; then
      false=$((false + 1))
      echo "scan $n: exit $code"
      python3 /lab/findings.py /lab/calm.jsonl
      head -5 /lab/calm.err
    fi
  done
  touch /lab/stop
  wait "$flow" 2>/dev/null
  rm -f /lab/stop
  if [ "$false" = 0 ]; then echo "ok: 20 scans while mail flows: no false finding"; else echo "FAILED: $false of 20 scans while mail flows"; fi
}

# compare: a scan finds the ghosts that were made, each under its rule, and no other.
compare() {
  /lab/ghostq scan $SCAN --format jsonl --quiet >/lab/found.jsonl 2>/lab/found.err
  python3 /lab/findings.py /lab/found.jsonl /lab/expected || head -5 /lab/found.err
}

# forecast [OPTION…]: what ghostq says would happen to SCAN, for `foretold`.
forecast() {
  /lab/ghostq forecast $SCAN --format json --quiet "$@" >/lab/forecast.json 2>/lab/forecast.err
  local code=$?
  [ "$code" -le 1 ] || { echo "FAILED: forecast: exit $code"; head -5 /lab/forecast.err; }
}

# foretold TRIGGER EFFECT MOMENT COUNT: that is what the last forecast says.
foretold() {
  local said
  said=$(python3 -c '
import json, sys
trigger, effect, moment = sys.argv[1:]
occasions = json.load(open("/lab/forecast.json"))["places"][0]["occasions"]
outcomes = next(one for one in occasions if one["trigger"] == trigger)["outcomes"]
print(sum(one["count"] for one in outcomes if (one["effect"], one["moment"]) == (effect, moment)))' "$1" "$2" "$3")
  if [ "$said" = "$4" ]; then echo "ok: forecast of $1: $4 $2 $3"; else echo "FAILED: forecast of $1: $said $2 $3, not $4"; fi
}

# came TEXT COMMAND…: what was foretold did happen, as the command shows.
came() {
  local text=$1
  shift
  if "$@"; then echo "ok: forecast came true: $text"; else echo "FAILED: forecast did not come true: $text"; fi
}
gone() { [ ! -e "$1" ]; }
there() { [ -e "$1" ]; }
