# acting.sh - sourced after inside.sh by the scripts that act: hands in mail whose arrival can be told, switches the remote
# servers, and holds what arrived against what was to arrive.
STATE=/lab/state
GHOSTQ_ACT="/lab/ghostq"

# The remote servers on 127.0.0.2 (grey.test) refuse for now until this; what they accept lies in /lab/received.
accept_all() { touch /lab/accept; }
refuse_again() { rm -f /lab/accept; }

# letter TAG SENDER RECIPIENT…: one message with a body of its own, handed in through the mail system. Its body is kept in
# /lab/sent/TAG.
letter() {
  local tag=$1 sender=$2
  shift 2
  mkdir -p /lab/sent
  { printf 'letter %s\n.a line with a dot\n' "$tag"; head -c $((RANDOM % 3000 + 200)) /dev/urandom | base64; printf 'the end\n'; } >"/lab/sent/$tag"
  { printf 'From: %s\nTo: %s\nSubject: letter %s\nMessage-ID: <%s@lab.test>\nX-Tag: %s\n\n' "$sender" "$1" "$tag" "$tag" "$tag"; cat "/lab/sent/$tag"; } |
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
  /lab/ghostq "$@" --apply --state $STATE --quiet >>/lab/act.out 2>&1
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
  if /lab/ghostq "$@" --state $STATE --quiet 2>&1 | tr '\n' ' ' | tr -s ' ' | grep -q "$why"; then
    echo "ok: refused: $why"
  else
    echo "FAILED: not refused with \`$why\`: ghostq $*"
    /lab/ghostq "$@" --state $STATE --quiet 2>&1 | head -20
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

# killed_at_random COUNT VERB ARGUMENT…: starts the command so often, kills it after a random while, and so the resuming of it.
# Then everything is carried to its end (settle.py, which prints how often it came to what), and what was not begun is done.
killed_at_random() {
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

# spool_state FOLDER…: everything that can be told of the files of a spool.
spool_state() {
  find "$@" -printf '%y %i %m %U:%G %n %s %T@ %p\n' | sort -k 8
  find "$@" -type f -exec sha256sum {} + | sort -k 2
}

# untouched TEXT COMMAND…: the command leaves spool and state folder as they are.
untouched() {
  local text=$1
  shift
  spool_state $MTA_SPOOLS >/lab/before.txt
  ls -laR $STATE >/lab/state-before.txt 2>&1
  "$@" >/lab/untouched.out 2>&1
  spool_state $MTA_SPOOLS >/lab/after.txt
  ls -laR $STATE >/lab/state-after.txt 2>&1
  if diff /lab/before.txt /lab/after.txt >/lab/diff.txt && diff /lab/state-before.txt /lab/state-after.txt >>/lab/diff.txt; then
    echo "ok: nothing is written: $text"
  else
    echo "FAILED: $text: the spool or the state folder changed"
    head -6 /lab/diff.txt | sed 's/^/  /'
  fi
}
