# In the chroot: Postfix's own tools, find, the lower bound, and ghostq. Argument: rounds.
S=/var/spool/postfix
cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf
postconf -e compatibility_level=3.6 myhostname=lab.test mydestination= inet_interfaces=127.0.0.1 inet_protocols=ipv4 \
  maillog_file=/var/log/postfix.log alias_maps= max_idle=3600s
# Nothing is delivered meanwhile: the services that would are not there.
postconf -MX qmgr/unix pickup/unix smtp/inet
postfix start >/lab/start.log 2>&1
sleep 3
for _ in $(seq 100); do pgrep -x postsuper >/dev/null || break; sleep 1; done
postqueue -j >/lab/listing.json
wc -l </lab/listing.json >&2
/lab/ghostq scan $S --listing /lab/listing.json --format jsonl >&2
python3 /lab/measure.py "$1" /lab/postfix.json <<C
ghostq scan, 1 thread	/lab/ghostq scan $S --listing none --threads 1 --quiet --format jsonl
ghostq scan, 2 threads	/lab/ghostq scan $S --listing none --threads 2 --quiet --format jsonl
ghostq scan with a listing, 1 thread	/lab/ghostq scan $S --listing /lab/listing.json --threads 1 --quiet --format jsonl
postqueue -j	postqueue -j
postqueue -p	postqueue -p
find -type f	find $S -type f
lower bound: list	/lab/walk list 1 $S
lower bound: stat	/lab/walk stat 1 $S
lower bound: same reads	/lab/walk same 1 $S
lower bound: read every file	/lab/walk read 1 $S
C
postfix stop >/dev/null 2>&1
