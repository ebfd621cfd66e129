# Postfix: greylisted and refused mail, then ghosts by kill, chmod, chown, mv, damage and a second instance.
. /lab/inside.sh
SENDMAIL="/usr/sbin/sendmail -i"
SCAN=/var/spool/postfix
Q=/var/spool/postfix

say "setup"
cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf
postconf -e compatibility_level=3.6 myhostname=lab.test mydestination= inet_interfaces=127.0.0.1 inet_protocols=ipv4 \
  'relayhost=[127.0.0.2]:25' maillog_file=/var/log/postfix.log smtp_dns_support_level=disabled smtp_host_lookup=native \
  'transport_maps=texthash:/etc/postfix/transport' alias_maps= local_recipient_maps= mynetworks=127.0.0.0/8 \
  disable_dns_lookups=yes queue_run_delay=600s minimal_backoff_time=600s in_flow_delay=0
printf 'dead.test smtp:[127.0.0.1]:9\nslow.test smtp:[127.0.0.3]:25\nok.test smtp:[127.0.0.4]:25\n' >/etc/postfix/transport
touch /var/log/postfix.log
chown postfix /var/log/postfix.log
postfix start
idle() { [ -z "$(find $Q/incoming $Q/active $Q/maildrop -type f)" ]; }
id_of() { postqueue -j | python3 -c '
import json, sys
for line in sys.stdin:
    entry = json.loads(line)
    if any(r["address"].startswith(sys.argv[1]) for r in entry["recipients"]): print(entry["queue_id"])' "$1" | head -1; }
file_of() { find $Q/deferred -name "$1"; }

say "baseline"
mail 60 grey grey.test
mail 20 dead dead.test
mail 10 multi grey.test extra@dead.test
wait_for 30 idle
healthy "90 deferred messages"

say "flow"
flow() {
  while [ ! -e /lab/stop ]; do
    mail 2 flow ok.test
    mail 1 flow grey.test
    postqueue -f
    pkill -9 -x smtp
    sleep 0.2
  done
}
calm flow
wait_for 60 idle
sleep 2

say "ghosts"
python3 /lab/half.py 25 half@lab.test half@grey.test 20 &
being_written() { [ -n "$(find $Q/incoming -type f -perm 0600)" ]; }
wait_for 10 being_written
sleep 1
HALF=$(basename "$(find $Q/incoming -type f -perm 0600 | head -1)")
kill -9 $(pgrep -x cleanup)
expect unfinished "$HALF"
kill $! 2>/dev/null
(printf 'Subject: killed postdrop\n\n'; yes "a long line" | head -20000; sleep 20) | $SENDMAIL -f a@lab.test pd@grey.test &
sleep 1
pkill -9 -x postdrop
expect unfinished "$(basename "$(find $Q/maildrop -type f | head -1)")"
A=$(id_of grey11@) B=$(id_of grey12@) C=$(id_of grey13@) D=$(id_of grey14@) E=$(id_of grey15@) F=$(id_of grey16@) G=$(id_of dead7@)
chmod 600 "$(file_of "$A")" && expect wrong-owner-or-mode "$A"
mv "$(file_of "$B")" "$(file_of "$B").bak" && expect foreign-name "$B"
mv "$(file_of "$C")" "$Q/deferred/$C" && expect misfiled "$C"
mv "$(file_of "$D")" "$Q/corrupt/$D" && truncate -s 300 "$Q/corrupt/$D" && expect corrupt "$D"
rm "$(file_of "$E")" && expect orphan-side-file "$E"
touch -d '+90 days' "$(file_of "$F")" && expect future-time "$F"
postsuper -h "$G" && expect held "$G"
wait 2>/dev/null
sleep 1
compare

say "blocker"
H=$(id_of grey17@)
chown 4321 "$(file_of "$H")" && expect queue-blocker "$H"
compare
chown postfix "$(file_of "$H")"

say "forecast"
PD=$(find $Q/maildrop -type f | head -1)
touch -d '-8 days' "$Q/incoming/$HALF" "$(file_of "$A")"
OLD=$(file_of "$A")
cp -a "$(file_of "$(id_of grey18@)")" "$Q/deferred/restored" && mv "$Q/deferred/restored" "$(file_of "$(id_of grey18@)")"
postfix stop
idle_agents() { ! pgrep -x smtp; }
wait_for 10 idle_agents
forecast
foretold start destroyed now 1
foretold start purged now 1
foretold start purged later 1
foretold start renamed now 2
foretold start released later 2
foretold structure_check renamed now 2
foretold structure_check destroyed now 0
foretold queue_run destroyed now 0
foretold flush renamed now 0
BEFORE=$(find $Q/{incoming,active,deferred,hold,maildrop} -type f | wc -l)
IDS=$(find $Q/deferred -type f -printf '%f\n' | sort)
postfix start
started() { postfix status; }
wait_for 20 started
sleep 2
AFTER=$(find $Q/{incoming,active,deferred,hold,maildrop} -type f | wc -l)
came "the half message that is 8 days old is deleted" gone "$Q/incoming/$HALF"
came "the message of mode 0600 is deleted" gone "$OLD"
came "the young half message stays" there "$PD"
came "the misfiled message is moved to where it belongs" there "$Q/deferred/$(echo "$C" | cut -c1)/$C"
came "and not tried before its time" [ "$(stat -c %Y "$Q/deferred/$(echo "$C" | cut -c1)/$C")" -gt "$(date +%s)" ]
came "two files less, and no more" [ "$((BEFORE - AFTER))" = 2 ]
came "one message has another ID" [ "$(find $Q/deferred -type f -printf '%f\n' | sort | comm -13 <(echo "$IDS") - | wc -l)" = 1 ]
grep -v -e "$HALF" -e "$A" -e "misfiled $C" -e queue-blocker /lab/expected >/lab/kept
cp /lab/kept /lab/expected

say "second instance"
postmulti -e init
postmulti -I postfix-out -e create
postconf -c /etc/postfix-out -e inet_interfaces= 'relayhost=[127.0.0.2]:25' compatibility_level=3.6 \
  maillog_file=/var/log/postfix-out.log authorized_submit_users=static:anyone master_service_disable=inet \
  multi_instance_enable=yes disable_dns_lookups=yes
postfix -c /etc/postfix-out start
printf 'Subject: second\n\nx\n' | sendmail -C /etc/postfix-out -i -f a@lab.test second@grey.test
second() { [ -n "$(find /var/spool/postfix-out/deferred -type f)" ]; }
wait_for 20 second
postqueue -j >/lab/default.json
SCAN="/var/spool/postfix-out --listing /lab/default.json"
: >/lab/expected
expect other-queue "$(basename "$(find /var/spool/postfix-out/deferred -type f)")"
compare
SCAN=/var/spool/postfix-out
: >/lab/expected
healthy "the second instance, held against its own listing"
postfix -c /etc/postfix-out stop
postfix stop
say "done"
