# In the chroot: what is listed in /lab/listing is held against what is on the disk, and then everything is measured in turn: ghostq, the
# mail system's own tools (on stdin, as measure.py takes commands), find, and the lower bound. Arguments: postfix or exim, spool, rounds.
kind=$1 S=$2 rounds=$3
/lab/ghostq scan "$S" --listing /lab/listing --quiet --format json >/lab/report.json
python3 /lab/answers.py "$kind" "$S" /lab/listing /lab/report.json /lab/planted >"/lab/out/$kind.answers"
cat "/lab/out/$kind.answers" >&2
tools=$(cat)
python3 /lab/measure.py "$rounds" "/lab/out/$kind.json" <<C
ghostq, 1 thread	/lab/ghostq scan $S --listing none --threads 1 --quiet --format jsonl
ghostq, 2 threads	/lab/ghostq scan $S --listing none --threads 2 --quiet --format jsonl
ghostq --no-envelopes, 1 thread	/lab/ghostq scan $S --no-envelopes --listing none --threads 1 --quiet --format jsonl
ghostq --no-envelopes, 2 threads	/lab/ghostq scan $S --no-envelopes --listing none --threads 2 --quiet --format jsonl
ghostq with a listing, 1 thread	/lab/ghostq scan $S --listing /lab/listing --threads 1 --quiet --format jsonl
ghostq with a listing, 2 threads	/lab/ghostq scan $S --listing /lab/listing --threads 2 --quiet --format jsonl
$tools
find -type f	find $S -type f
lower bound: list, 1 thread	/lab/walk list 1 $S
lower bound: stat, 1 thread	/lab/walk stat 1 $S
lower bound: stat, 2 threads	/lab/walk stat 2 $S
lower bound: same reads, 1 thread	/lab/walk same 1 $S
lower bound: same reads, 2 threads	/lab/walk same 2 $S
lower bound: read every file, 1 thread	/lab/walk read 1 $S
C
