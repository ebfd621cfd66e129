# In the chroot: Exim's own tools, find, the lower bound, and ghostq. Argument: rounds.
S=/var/spool/exim4
cat >/etc/exim4/exim4.conf <<C
primary_hostname = lab.test
spool_directory = $S
log_file_path = /var/log/exim4/%slog
split_spool_directory = true
queue_list_requires_admin = false
C
exim -bp >/lab/listing.txt
exim -bpc >&2
/lab/ghostq scan $S --listing /lab/listing.txt --format jsonl >&2
python3 /lab/measure.py "$1" /lab/exim.json <<C
ghostq scan, 1 thread	/lab/ghostq scan $S --listing none --threads 1 --quiet --format jsonl
ghostq scan, 2 threads	/lab/ghostq scan $S --listing none --threads 2 --quiet --format jsonl
ghostq scan with a listing, 1 thread	/lab/ghostq scan $S --listing /lab/listing.txt --threads 1 --quiet --format jsonl
exim -bp	exim -bp
exiqgrep -i	exiqgrep -i
exipick	exipick
find -type f	find $S -type f
lower bound: list	/lab/walk list 1 $S
lower bound: stat	/lab/walk stat 1 $S
lower bound: same reads	/lab/walk same 1 $S
lower bound: read every file	/lab/walk read 1 $S
C
