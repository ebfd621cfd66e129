# alone.sh - sourced after acting.sh by the scripts of mail systems that leave a message to a single process, or to none: what a spool
# is like before and after, and operations that are killed and settled.

# act and refused, in this spool only.
act() {
  /lab/ghostq "$@" --spool $S --apply --state $STATE --quiet >/lab/act.one 2>&1
  local code=$?
  cat /lab/act.one >>/lab/act.out
  if [ "$code" != 0 ]; then
    echo "FAILED: ghostq $*: exit $code"
    sed 's/^/  /' /lab/act.one | tail -12
  fi
}
refused() {
  local why=$1
  shift
  says "$why" /lab/ghostq "$@" --spool $S --state $STATE --quiet
}

# spool_of FOLDER…: everything about what is below: kind, size, mode, owner, time of change, links, bytes.
spool_of() {
  find "$@" -printf '%p %y %s %m %U:%G %n %T@\n' | sort
  find "$@" -type f -print0 | sort -z | xargs -0r sha256sum
}

# unchanged TEXT COMMAND…: the command leaves $S and the state folder as they are, in every respect.
unchanged() {
  local text=$1
  shift
  { spool_of $S; find $STATE 2>/dev/null | sort; } >/lab/before
  "$@" >/lab/unchanged.out 2>&1
  { spool_of $S; find $STATE 2>/dev/null | sort; } >/lab/after
  if cmp -s /lab/before /lab/after; then
    echo "ok: nothing is written: $text"
  else
    echo "FAILED: $text: the spool or the state folder changed"
    diff /lab/before /lab/after | sed 's/^/  /' | head -8
  fi
}

# undone TEXT VERB ARGUMENT…: applies and undoes; names, bytes, owner, mode and time of change are as before.
undone() {
  local text=$1
  shift
  spool_of $S >/lab/before
  act "$@"
  if spool_of $S | cmp -s /lab/before; then echo "FAILED: $text: nothing was changed that could be undone"; fi
  /lab/ghostq undo --apply --state $STATE >>/lab/act.out 2>&1
  spool_of $S >/lab/after
  # Folders have a new time of change, since names came and went, and a FIFO into which was written.
  if diff <(grep -v ' [dp] ' /lab/before) <(grep -v ' [dp] ' /lab/after) >/lab/diff; then
    echo "ok: undone: $text"
  else
    echo "FAILED: $text: undo left something"
    sed 's/^/  /' /lab/diff | head -8
    tail -4 /lab/act.out
  fi
}

# no_undo TEXT: the newest operation cannot be undone, and this is why.
no_undo() {
  /lab/ghostq undo --apply --state $STATE 2>&1 | tr '\n' ' ' | tr -s ' ' >/lab/undo.out
  if grep -q "$1" /lab/undo.out; then echo "ok: not undone: $1"; else echo "FAILED: undo does not say \`$1\`"; cat /lab/undo.out; fi
}

# says TEXT COMMAND…: the output of the command holds this.
says() {
  local text=$1
  shift
  if "$@" 2>&1 | tr '\n' ' ' | tr -s ' ' | grep -q -- "$text"; then
    echo "ok: said: $text"
  else
    echo "FAILED: not said: $text: $*"
    "$@" 2>&1 | head -12
  fi
}

# killed ROUNDS VERB ARGUMENT…: begins or resumes so often, and kills a random while after the journal grew. Then everything is
# resumed, what nobody knows is settled by the mark of the message (`truth MARK` says `sent` or not), and the rest is done.
killed() {
  local rounds=$1 n pid kills=0 size
  shift
  for n in $(seq "$rounds"); do
    size=$(stat -c %s $STATE/journal.jsonl 2>/dev/null || echo 0)
    if is_open; then
      /lab/ghostq resume --state $STATE >>/lab/killed.out 2>&1 &
    else
      /lab/ghostq "$@" --spool $S --apply --state $STATE --quiet >>/lab/killed.out 2>&1 &
    fi
    pid=$!
    python3 - $pid $STATE/journal.jsonl "$size" <<'PYTHON'
import os, random, signal, sys, time
pid, journal, size = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
def alive():
    try:
        return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
while alive() and not (os.path.exists(journal) and os.path.getsize(journal) > size):
    time.sleep(0.0005)
time.sleep(random.random() ** 2 * 0.2)
if alive():
    os.kill(pid, signal.SIGKILL)
PYTHON
    wait $pid 2>/dev/null
    [ $? = 137 ] && kills=$((kills + 1))
  done
  sleep 2 # what was handed over is taken in without us
  /lab/ghostq resume --state $STATE >>/lab/killed.out 2>&1
  settled
  /lab/ghostq resume --state $STATE >>/lab/killed.out 2>&1
  /lab/ghostq "$@" --spool $S --apply --state $STATE --quiet --max 1000 >>/lab/killed.out 2>&1
  echo "  killed $kills of $rounds times: $(outcomes)"
  if is_open; then echo "FAILED: something is open after all"; fi
}

is_open() { /lab/ghostq journal --state $STATE --format json 2>/dev/null | grep -q '"open": *true'; }

outcomes() {
  /lab/ghostq journal --state $STATE --format json | python3 -c '
import collections, json, sys
ends = collections.Counter(str(job["end"] or "open") for op in json.load(sys.stdin)["operations"] for job in op["jobs"])
print(", ".join(f"{n} {end}" for end, n in sorted(ends.items())))'
}

# settled: says of each message of which nobody knows what is true.
settled() {
  local label sent=0 not=0
  /lab/ghostq journal --state $STATE --format json | python3 -c '
import json, sys
for op in json.load(sys.stdin)["operations"]:
    for job in op["jobs"]:
        if "UNKNOWN" in (job["end"], *job["states"]):
            print("%s.%s" % (op["operation"], job["number"]))' >/lab/unknown
  while read -r label; do
    if [ "$(truth "ghostq-${label%.*}-${label##*.}")" = sent ]; then
      /lab/ghostq resume "$label" --sent --state $STATE >>/lab/killed.out 2>&1
      sent=$((sent + 1))
    else
      /lab/ghostq resume "$label" --not-sent --state $STATE >>/lab/killed.out 2>&1
      not=$((not + 1))
    fi
  done </lab/unknown
  echo "  nobody knew of $((sent + not)): $sent were sent, $not were not"
}
