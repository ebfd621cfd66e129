# In the chroot: Exim's own tools, find, the lower bound, and ghostq. Argument: rounds.
S=/var/spool/exim4
cat >/etc/exim4/exim4.conf <<C
primary_hostname = lab.test
spool_directory = $S
log_file_path = /var/log/exim4/%slog
split_spool_directory = true
queue_list_requires_admin = false
C
exim -bp >/lab/listing
/lab/ghostq scan $S --listing /lab/listing --quiet --format json >/lab/report.json
python3 /lab/answers.py exim $S /lab/listing /lab/report.json /lab/planted >/lab/out/exim.answers
cat /lab/out/exim.answers >&2
# exiqgrep wants a criterion, else it prints its help and fails: older than a second are all.
python3 /lab/measure.py "$1" /lab/out/exim.json <<C
ghostq, 1 thread	/lab/ghostq scan $S --listing none --threads 1 --quiet --format jsonl
ghostq, 2 threads	/lab/ghostq scan $S --listing none --threads 2 --quiet --format jsonl
ghostq --no-envelopes, 1 thread	/lab/ghostq scan $S --no-envelopes --listing none --threads 1 --quiet --format jsonl
ghostq --no-envelopes, 2 threads	/lab/ghostq scan $S --no-envelopes --listing none --threads 2 --quiet --format jsonl
ghostq with a listing, 1 thread	/lab/ghostq scan $S --listing /lab/listing --threads 1 --quiet --format jsonl
ghostq with a listing, 2 threads	/lab/ghostq scan $S --listing /lab/listing --threads 2 --quiet --format jsonl
exim -bp	exim -bp
exiqgrep -i	exiqgrep -i -o 1
exipick	exipick
find -type f	find $S -type f
lower bound: list, 1 thread	/lab/walk list 1 $S
lower bound: stat, 1 thread	/lab/walk stat 1 $S
lower bound: stat, 2 threads	/lab/walk stat 2 $S
lower bound: same reads, 1 thread	/lab/walk same 1 $S
lower bound: same reads, 2 threads	/lab/walk same 2 $S
lower bound: read every file, 1 thread	/lab/walk read 1 $S
C
