# In the chroot: Postfix's own tools, find, the lower bound, and ghostq. Argument: rounds.
S=/var/spool/postfix
. /lab/start-postfix.sh
postqueue -j >/lab/listing
/lab/ghostq scan $S --listing /lab/listing --quiet --format json >/lab/report.json
python3 /lab/answers.py postfix $S /lab/listing /lab/report.json /lab/planted >/lab/out/postfix.answers
cat /lab/out/postfix.answers >&2
python3 /lab/measure.py "$1" /lab/out/postfix.json <<C
ghostq, 1 thread	/lab/ghostq scan $S --listing none --threads 1 --quiet --format jsonl
ghostq, 2 threads	/lab/ghostq scan $S --listing none --threads 2 --quiet --format jsonl
ghostq --no-envelopes, 1 thread	/lab/ghostq scan $S --no-envelopes --listing none --threads 1 --quiet --format jsonl
ghostq --no-envelopes, 2 threads	/lab/ghostq scan $S --no-envelopes --listing none --threads 2 --quiet --format jsonl
ghostq with a listing, 1 thread	/lab/ghostq scan $S --listing /lab/listing --threads 1 --quiet --format jsonl
ghostq with a listing, 2 threads	/lab/ghostq scan $S --listing /lab/listing --threads 2 --quiet --format jsonl
postqueue -j	postqueue -j
postqueue -p	postqueue -p
find -type f	find $S -type f
lower bound: list, 1 thread	/lab/walk list 1 $S
lower bound: stat, 1 thread	/lab/walk stat 1 $S
lower bound: stat, 2 threads	/lab/walk stat 2 $S
lower bound: same reads, 1 thread	/lab/walk same 1 $S
lower bound: same reads, 2 threads	/lab/walk same 2 $S
lower bound: read every file, 1 thread	/lab/walk read 1 $S
C
postfix stop >/dev/null 2>&1 || true
