# In the chroot: Postfix's own tools, find, the lower bound, and ghostq. Argument: rounds.
S=/var/spool/postfix
cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf
postconf -e compatibility_level=3.6 myhostname=lab.test mydestination= inet_interfaces=127.0.0.1 inet_protocols=ipv4 \
  maillog_file=/var/log/postfix.log alias_maps= max_idle=3600s
# Nothing is delivered meanwhile: the services that would are not there.
postconf -MX qmgr/unix pickup/unix smtp/inet
# postsuper, which warns of the planted names, cannot make the log.
install -o postfix -m 600 /dev/null /var/log/postfix.log
postfix start >/lab/start.log 2>&1 || { cat /lab/start.log >&2; exit 1; }
sleep 3
for _ in $(seq 100); do pgrep -x postsuper >/dev/null || break; sleep 1; done
postfix status >&2 || exit 1
postqueue -j >/lab/listing
/lab/ghostq scan $S --listing /lab/listing --quiet --format json >/lab/report.json
python3 /lab/answers.py postfix $S /lab/listing /lab/report.json /lab/planted >/lab/out/postfix.answers
cat /lab/out/postfix.answers >&2
python3 /lab/measure.py "$1" /lab/out/postfix.json <<C
ghostq, 1 thread	/lab/ghostq scan $S --listing none --threads 1 --quiet --format jsonl
ghostq, 2 threads	/lab/ghostq scan $S --listing none --threads 2 --quiet --format jsonl
ghostq with a listing, 1 thread	/lab/ghostq scan $S --listing /lab/listing --threads 1 --quiet --format jsonl
ghostq with a listing, 2 threads	/lab/ghostq scan $S --listing /lab/listing --threads 2 --quiet --format jsonl
postqueue -j	postqueue -j
postqueue -p	postqueue -p
find -type f	find $S -type f
lower bound: list, 1 thread	/lab/walk list 1 $S
lower bound: stat, 1 thread	/lab/walk stat 1 $S
lower bound: same reads, 1 thread	/lab/walk same 1 $S
lower bound: same reads, 2 threads	/lab/walk same 2 $S
lower bound: read every file, 1 thread	/lab/walk read 1 $S
C
postfix stop >/dev/null 2>&1 || true
