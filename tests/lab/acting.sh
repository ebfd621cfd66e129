# acting.sh - sourced after inside.sh by the scripts that act: hands in mail whose arrival can be told, switches the remote
# servers, and holds what arrived against what was to arrive.
STATE=/lab/state
# Options of every command that scans: `--spool …`.
WHERE=

# The remote servers on 127.0.0.2 (grey.test) refuse for now until this; what they accept lies in /lab/received.
accept_all() { touch /lab/accept; }
refuse_again() { rm -f /lab/accept; }

# letter TAG SENDER RECIPIENT…: one message with a body of its own, handed in through the mail system. Its body is kept in
# /lab/sent/TAG, and its header in /lab/header/TAG. Where /lab/strict is, the header has to arrive as it was handed in as well, but for
# trace fields and the date. $EXTRA are further lines of every body, as printf takes them.
letter() {
  local tag=$1 sender=$2
  shift 2
  mkdir -p /lab/sent /lab/header
  { printf 'letter %s\n.a line with a dot\n' "$tag"; printf "${EXTRA:-}"; head -c $((RANDOM % 3000 + 200)) /dev/urandom | base64; printf 'the end\n'; } >"/lab/sent/$tag"
  printf 'From: %s\nTo: %s\nSubject: letter %s\nMessage-ID: <%s@lab.test>\nX-Tag: %s\n' "$sender" "$1" "$tag" "$tag" "$tag" >"/lab/header/$tag"
  { cat "/lab/header/$tag"; echo; cat "/lab/sent/$tag"; } |
    $SENDMAIL -f "$sender" "$@"
}

# to_arrive TAG RECIPIENT: this message has to arrive at this recipient, once, with the body that was handed in.
to_arrive() { echo "letter $1 $2" >>/lab/to_arrive; }
# to_return TAG SENDER: a report about this message has to arrive at its sender, once, and the message nowhere.
to_return() { echo "report $1 $2" >>/lab/to_arrive; }
# to_stay TAG: this message has to arrive nowhere.
to_stay() { echo "nothing $1 -" >>/lab/to_arrive; }
: >/lab/to_arrive

# act VERB ARGUMENT…: applies; a refusal or a failure is printed and counted.
act() {
  /lab/ghostq "$@" ${WHERE:-} --apply --state $STATE --quiet >>/lab/act.out 2>&1
  local code=$?
  if [ "$code" != 0 ]; then
    echo "FAILED: ghostq $*: exit $code"
    tail -12 /lab/act.out
  fi
}

# refused VERB ARGUMENT…: the plan refuses, and says why.
refused() {
  local why=$1
  shift
  if /lab/ghostq "$@" ${WHERE:-} --state $STATE --quiet 2>&1 | tr '\n' ' ' | tr -s ' ' | grep -q "$why"; then
    echo "ok: refused: $why"
  else
    echo "FAILED: not refused with \`$why\`: ghostq $*"
    /lab/ghostq "$@" ${WHERE:-} --state $STATE --quiet 2>&1 | head -20
  fi
}

# arrived SECONDS: waits until everything has arrived, then a little longer for what must not.
arrived() {
  local tries=$(($1 * 2))
  while [ "$tries" -gt 0 ] && ! python3 /lab/arrived.py /lab/to_arrive /lab/received >/lab/arrived.out; do
    sleep 0.5
    tries=$((tries - 1))
  done
  sleep 3
  python3 /lab/arrived.py /lab/to_arrive /lab/received
}

# spool_state FOLDER…: names, types, modes, owners, inodes, sizes, times of change and bytes of everything below.
spool_state() {
  find "$@" -printf '%p %y %m %U:%G %i %s %T@ %l\n' 2>/dev/null | sort
  find "$@" -type f -print0 2>/dev/null | sort -z | xargs -0r sha256sum
}
files_of() { if [ "${FOLDERS:-}" = no ]; then grep -v '^[^ ]* d ' "$1"; else cat "$1"; fi; }
# untouched TEXT BEFORE FOLDER…: the folders are as BEFORE, a file made by spool_state, says. FOLDERS=no leaves out the folders themselves.
untouched() {
  local text=$1 before=$2
  shift 2
  spool_state "$@" >/lab/after
  if diff <(files_of "$before") <(files_of /lab/after) >/lab/difference; then
    echo "ok: $text: the spool is as it was"
  else
    echo "FAILED: $text: the spool has changed"
    head -20 /lab/difference
  fi
}

# outcome: how many jobs of the journal ended how. Those of which nobody knows are written into /lab/unknown.
outcome() {
  /lab/ghostq journal --state $STATE --format json | python3 -c '
import collections, json, sys
told, ends, unknown = json.load(sys.stdin), collections.Counter(), []
for operation in told["operations"]:
    for job in operation["jobs"]:
        end = job["end"] or next((state for state in job["states"] if state == "UNKNOWN"), "open")
        ends[end if isinstance(end, str) else json.dumps(end)] += 1
        if end == "UNKNOWN":
            unknown.append("%s.%s" % (operation["operation"], job["number"]))
print("  journal: %d operations: %s" % (len(told["operations"]), ", ".join("%d %s" % (n, e) for e, n in sorted(ends.items()))))
open("/lab/unknown", "w").write("".join(label + "\n" for label in unknown))'
}

# settle FOLDER…: decides what nobody knows by looking for the mark of each such message in these folders and in what arrived.
settle() {
  local label sent=0 not_sent=0
  sleep 2 # a command that outlived ghostq comes to its end
  outcome
  while read -r label; do
    # The mark that hand_in::mark makes has a hyphen before the number.
    if grep -rqsF -e "ghostq-${label%.*}-${label##*.};" -e "ghostq-${label%.*}-${label##*.}@" "$@" /lab/received; then
      /lab/ghostq resume "$label" --sent --state $STATE >>/lab/killed.out 2>&1
      sent=$((sent + 1))
    else
      /lab/ghostq resume "$label" --not-sent --state $STATE >>/lab/killed.out 2>&1
      not_sent=$((not_sent + 1))
    fi
  done </lab/unknown
  echo "  of those that nobody knew of $sent were sent and $not_sent were not"
}

# open_operation: whether an operation is left off that `resume` can carry on.
open_operation() { /lab/ghostq journal --state $STATE --format json 2>/dev/null | grep -q '"open": *true'; }

# killed_at_random COUNT VERB ARGUMENT…: starts the command, or `resume` where something is left, so often, and kills it a random while
# after it began to act. The last resume has to find nothing left to do that it can.
killed_at_random() {
  local count=$1 kills=0 size pid n
  shift
  for n in $(seq "$count"); do
    size=$(stat -c %s $STATE/journal.jsonl 2>/dev/null || echo 0)
    if open_operation; then
      /lab/ghostq resume --state $STATE >>/lab/killed.out 2>&1 &
    else
      /lab/ghostq "$@" ${WHERE:-} --apply --state $STATE --quiet >>/lab/killed.out 2>&1 &
    fi
    pid=$!
    python3 /lab/kill_later.py $pid $STATE/journal.jsonl "$size" "${KILL_WITHIN:-0.15}"
    wait $pid 2>/dev/null
    [ $? = 137 ] && kills=$((kills + 1))
  done
  for n in 1 2 3; do
    open_operation || break
    /lab/ghostq resume --state $STATE >>/lab/killed.out 2>&1
  done
  /lab/ghostq "$@" ${WHERE:-} --apply --state $STATE --quiet >>/lab/killed.out 2>&1
  echo "  killed $kills times"
}

# killed_and_settled COUNT VERB ARGUMENT…: starts the command so often, kills it after a random while, and so the resuming of it.
# Then everything is carried to its end (settle.py, which prints how often it came to what), and what was not begun is done.
killed_and_settled() {
  local count=$1 n began plan
  shift
  began=$(date +%s%N)
  /lab/ghostq "$@" --state $STATE --quiet >/dev/null 2>&1
  plan=$((($(date +%s%N) - began) / 1000000))
  for n in $(seq "$count"); do
    killed_after "$plan" /lab/ghostq "$@" --apply --state $STATE --quiet
    killed_after 0 /lab/ghostq resume --state $STATE
  done
  sleep 3 # what was handed in is read to its end by those to whom it was
  python3 /lab/settle.py $STATE $MTA_SPOOLS
  /lab/ghostq "$@" --apply --state $STATE --quiet >>/lab/killed.out 2>&1
}

# killed_after MILLISECONDS COMMAND…: kills it up to 0.3 s after that.
killed_after() {
  local least=$1
  shift
  "$@" >>/lab/killed.out 2>&1 &
  local pid=$!
  sleep "$(python3 -c "import random; print($least / 1000 + random.random() * 0.3)")"
  kill -9 $pid 2>/dev/null
  wait $pid 2>/dev/null
}

# writes_nothing TEXT COMMAND…: the command leaves spool and state folder as they are.
writes_nothing() {
  local text=$1
  shift
  spool_state $MTA_SPOOLS >/lab/before.txt
  ls -laR $STATE >/lab/state-before.txt 2>&1
  "$@" >/lab/nothing.out 2>&1
  spool_state $MTA_SPOOLS >/lab/after.txt
  ls -laR $STATE >/lab/state-after.txt 2>&1
  if diff /lab/before.txt /lab/after.txt >/lab/diff.txt && diff /lab/state-before.txt /lab/state-after.txt >>/lab/diff.txt; then
    echo "ok: nothing is written: $text"
  else
    echo "FAILED: $text: the spool or the state folder changed"
    head -6 /lab/diff.txt | sed 's/^/  /'
  fi
}
