# In the chroot, Postfix not running: memory and time on many messages, once: what is of interest here hardly varies.
S=/var/spool/postfix
cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf
postconf -e compatibility_level=3.6 myhostname=lab.test maillog_file=/var/log/postfix.log
# What `postqueue -j` would print, which takes minutes: one line a message, with all the members it has in 3.7.
find $S/deferred -type f -printf '%f %s\n' | awk '{
  printf "{\"queue_name\": \"deferred\", \"queue_id\": \"%s\", \"arrival_time\": 1795481208, \"message_size\": %d, \"forced_expire\": false, \"sender\": \"sender@lab.test\", \"recipients\": [{\"address\": \"grey@grey.test\", \"delay_reason\": \"host 127.0.0.2[127.0.0.2] said: 451 4.7.1 Greylisted, try again later (in reply to RCPT TO command)\"}]}\n", $1, $2}' >/lab/listing.json
/lab/ghostq scan $S --listing /lab/listing.json --format jsonl >&2
python3 /lab/measure.py 1 /lab/memory.json <<C
ghostq scan, 1 thread	/lab/ghostq scan $S --listing none --threads 1 --quiet --format jsonl
ghostq scan, 2 threads	/lab/ghostq scan $S --listing none --threads 2 --quiet --format jsonl
ghostq scan with a listing, 1 thread	/lab/ghostq scan $S --listing /lab/listing.json --threads 1 --quiet --format jsonl
lower bound: same reads	/lab/walk same 1 $S
C
