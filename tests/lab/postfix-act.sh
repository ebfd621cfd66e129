# Postfix: what is requeued arrives once, what is returned is reported once, what is refused stays as it is.
. /lab/inside.sh
. /lab/acting.sh
SENDMAIL="/usr/sbin/sendmail -i"
Q=/var/spool/postfix
WHERE="--spool $Q"
QUEUES="$Q/maildrop $Q/incoming $Q/active $Q/deferred $Q/hold $Q/corrupt $Q/saved $Q/defer $Q/bounce $Q/trace"
EXTRA='gr\303\274\303\237e in eight bits\nblanks at the end   \nFrom here on\n'

touch /lab/strict

say "setup"
cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf
postconf -e compatibility_level=3.6 myhostname=lab.test mydestination= inet_interfaces=127.0.0.1 inet_protocols=ipv4 \
  'relayhost=[127.0.0.2]:25' maillog_file=/var/log/postfix.log smtp_dns_support_level=disabled smtp_host_lookup=native \
  'transport_maps=texthash:/etc/postfix/transport' alias_maps= local_recipient_maps= mynetworks=127.0.0.0/8 \
  disable_dns_lookups=yes queue_run_delay=600s minimal_backoff_time=600s in_flow_delay=0
printf '%s\n' 'dead.test smtp:[127.0.0.1]:9' 'slow.test smtp:[127.0.0.3]:25' 'ok.test smtp:[127.0.0.4]:25' 'back.test smtp:[127.0.0.4]:25' \
  'mixed.test smtp:[127.0.0.5]:25' >/etc/postfix/transport
touch /var/log/postfix.log
chown postfix /var/log/postfix.log
mkdir -p $Q/saved $Q/corrupt && chown postfix $Q/saved $Q/corrupt && chmod 700 $Q/saved $Q/corrupt
postfix start
idle() { [ -z "$(find $Q/incoming $Q/active $Q/maildrop -type f)" ]; }
# The queue ID of the message with this tag, and its file, whatever became of either.
file_of() { find $Q/{maildrop,incoming,active,deferred,hold,corrupt,saved} -type f -exec grep -laE "X-Tag: $1([^a-z0-9]|\$)" {} + | head -1; }
id_of() { basename "$(file_of "$1")"; }
ids_of() { for tag in "$@"; do basename "$(file_of "$tag")" .bak; done; }
deferred() { for tag in "$@"; do letter "$tag" "$tag@back.test" "$tag@grey.test"; done; }
# After a flush everything that Postfix can see is tried; what is being tried before it would be passed over.
flush() { wait_for 20 idle; postqueue -f; sleep 2; }
gone_again() { # GHOST TAG: makes the one out of the other
  local file
  file=$(file_of "$2")
  case $1 in
    mode) chmod 600 "$file" ;;
    owner) chown 4321 "$file" ;;
    both) chown 4321 "$file" && chmod 600 "$file" ;;
    named) mv "$file" "$file.bak" ;;
    copied) cp -a "$file" "$file.bak" && rm "$file" ;;
    flat) mv "$file" "$Q/deferred/$(basename "$file")" ;;
    corrupt) mv "$file" "$Q/corrupt/$(basename "$file")" ;;
    saved) mv "$file" "$Q/saved/$(basename "$file")" ;;
    hold) postsuper -h "$(basename "$file")" >/dev/null 2>&1 ;;
    holdmode) postsuper -h "$(basename "$file")" >/dev/null 2>&1 && chmod 600 "$(file_of "$2")" ;;
    future) touch -d '+90 days' "$file" ;;
    record) python3 /lab/damage.py "$file" attribute ;;
    sender) mv "$file" "$Q/corrupt/$(basename "$file")" && python3 /lab/damage.py "$(file_of "$2")" sender ;;
    content) python3 /lab/damage.py "$file" content ;;
  esac
}

say "requeue"
KINDS="mode owner both named copied flat corrupt saved hold holdmode future record"
deferred $KINDS unlisted
letter done1 done1@back.test okdone1@mixed.test done1@mixed.test
letter done2 done2@back.test okdone2@mixed.test done2@mixed.test
letter quoted '"quoted,one"@back.test' '"two..dots"@grey.test' '"quoted,one"@grey.test'
letter null '' null@grey.test
SENDMAIL="/usr/sbin/sendmail -i -N never -R hdrs -V envid" letter never never@back.test never@grey.test
wait_for 30 idle
for kind in $KINDS; do gone_again "$kind" "$kind" && to_arrive "$kind" "$kind@grey.test"; done
gone_again mode done1
gone_again corrupt done2
gone_again corrupt quoted
gone_again corrupt null
gone_again corrupt never
for n in 1 2; do to_arrive done$n okdone$n@mixed.test && to_arrive done$n done$n@mixed.test; done
to_arrive quoted '"quoted,one"@grey.test'
to_arrive quoted '"two..dots"@grey.test'
to_arrive null null@grey.test
to_arrive never never@grey.test
sleep 1
spool_state $QUEUES >/lab/before
IDS=$(ids_of $KINDS done1 done2 null never)
/lab/ghostq requeue $IDS $WHERE --state $STATE --quiet | tee /lab/plan.out
untouched "a dry run" /lab/before $QUEUES
if [ ! -e $STATE ]; then echo "ok: a dry run makes no state folder"; else echo "FAILED: a dry run made $STATE"; fi
su labuser -s /bin/sh -c "/lab/ghostq requeue --spool $Q --quiet" >/lab/user.out 2>&1
echo "exit $? of a dry run as a user"; tail -3 /lab/user.out
untouched "a dry run by a user" /lab/before $QUEUES
if [ ! -e /home/labuser/.local ]; then echo "ok: nor one for a user"; else echo "FAILED: it made one for a user"; fi
act requeue $IDS
# A sendmail command may read a quotation mark as it likes.
refused "a sendmail command may misread" requeue "$(id_of quoted)"
act requeue "$(id_of quoted)" --via smtp://127.0.0.1:25
postqueue -j | grep -v "unlisted@" >/lab/listing.json
act requeue "$(id_of unlisted)" --listing /lab/listing.json
to_arrive unlisted unlisted@grey.test
wait_for 20 idle
accept_all
flush
arrived 30

say "refused"
refuse_again
deferred empty link short inode locked active1 side
wait_for 20 idle
: >/lab/nothing
ID=$(id_of empty) && : >"$(file_of empty)" && EMPTY=$ID
LINK=$(id_of link) && ln "$(file_of link)" "$Q/deferred/$LINK.bak"
SHORT=$(id_of short) && truncate -s 900 "$(file_of short)"
python3 /lab/half.py 25 half@lab.test half@grey.test 20 &
being_written() { [ -n "$(find $Q/incoming -type f -perm 0600)" ]; }
wait_for 10 being_written
sleep 1
HALF=$(basename "$(find $Q/incoming -type f -perm 0600 | head -1)")
kill -9 $(pgrep -x cleanup)
kill $! 2>/dev/null
INODE=$(id_of inode) && cp -a "$(file_of inode)" /lab/copy && rm "$(file_of inode)" && cp -a /lab/copy "$Q/deferred/$(echo "$INODE" | cut -c1)/$INODE"
SIDE=$(id_of side) && rm "$(file_of side)"
to_stay empty
to_stay short
to_stay link
letter slow slow@back.test slow@slow.test
in_active() { [ -n "$(find $Q/active -type f)" ]; }
wait_for 10 in_active
SLOW=$(id_of slow)
LOCKED=$(id_of locked)
chmod 600 "$(file_of locked)"
flock "$(file_of locked)" sleep 30 &
HOLDER=$!
sleep 1
spool_state $QUEUES >/lab/before
refused "no bytes" requeue "$EMPTY"
refused "there more than once" requeue "$LINK"
refused "not whole" requeue "$SHORT"
refused "reception was never finished" requeue "$HALF"
refused "only its name does not fit its inode" requeue "$INODE" --rule name-inode-mismatch
refused "it is a log without its message" requeue "$SIDE"
refused "healthy in the queue" requeue "$SLOW"
refused "healthy in the queue" requeue "$LOCKED"
/lab/ghostq requeue "$EMPTY" "$SHORT" "$HALF" $WHERE --apply --state $STATE --quiet
untouched "refusals" /lab/before $QUEUES
kill $HOLDER; pkill -x sleep
wait 2>/dev/null
act requeue "$LOCKED"
to_arrive locked locked@grey.test
rm -f "$Q/deferred/$LINK.bak"
# The transport now leads to a server that answers; what hung there becomes a ghost and is sent on.
rm "$Q/incoming/$HALF"
pkill -9 -x smtp
wait_for 20 idle
sed -i 's/^slow.test .*/slow.test smtp:[127.0.0.2]:25/' /etc/postfix/transport
postfix reload
sleep 1
gone_again hold slow
act requeue "$(id_of slow)"
to_arrive slow slow@slow.test
find $Q -name "$EMPTY" -delete
rm -f "$(file_of short)" "$(file_of link)" $Q/defer/*/"$EMPTY"
accept_all
flush
to_arrive active1 active1@grey.test
to_arrive inode inode@grey.test
arrived 20

say "half with an envelope that is given"
refuse_again
deferred sender content
wait_for 20 idle
gone_again sender sender
refused "sender is lost" requeue "$(id_of sender)"
accept_all
act requeue "$(id_of sender)" --to given@grey.test --mail-from given@back.test
to_arrive sender given@grey.test
gone_again content content
refused "not whole" requeue "$(id_of content)" --deep --to given@grey.test --mail-from given@back.test
rm "$(file_of content)"
to_stay content
flush
arrived 20

say "ndr"
refuse_again
NKINDS="nmode nowner nnamed ncopied nflat ncorrupt nsaved nhold nholdmode nfuture nrecord ncontent"
deferred $NKINDS nfull nto nshort ngate
letter ndone ndone@back.test okndone@mixed.test ndone@mixed.test
letter nnull '' nnull@grey.test
SENDMAIL="/usr/sbin/sendmail -i -N never" letter nnever nnever@back.test nnever@grey.test
SENDMAIL="/usr/sbin/sendmail -i -N failure -R full -V some+envid" letter nasked nasked@back.test nasked@grey.test
wait_for 20 idle
for kind in $NKINDS; do gone_again "${kind#n}" "$kind" && to_return "$kind" "$kind@back.test"; done
for tag in nfull nto ndone nnull nnever nasked; do gone_again corrupt $tag; done
gone_again record ngate
to_return nfull nfull@back.test
to_return nto postmaster@back.test
to_return ndone ndone@back.test
to_return nasked nasked@back.test
to_arrive ndone okndone@mixed.test
to_stay nnull
to_stay nnever
to_stay ngate
sleep 1
spool_state $QUEUES >/lab/before
refused "nothing shows that its sender is not forged" ndr "$(id_of ngate)"
refused "null sender" ndr "$(id_of nnull)" --allow-backscatter
refused "asked not to be told" ndr "$(id_of nnever)" --allow-backscatter
/lab/ghostq ndr "$(id_of nasked)" --allow-backscatter $WHERE --preview --quiet >/lab/preview.out 2>&1
untouched "refused reports and a preview" /lab/before $QUEUES
/lab/ghostq ndr $(ids_of $NKINDS ndone nasked) --deep --allow-backscatter $WHERE --quiet | tee /lab/plan.out
act ndr $(ids_of $NKINDS ndone nasked) --deep --allow-backscatter
act ndr "$(id_of nfull)" --allow-backscatter --ret full
act ndr "$(id_of nto)" --ndr-to postmaster@back.test
wait_for 20 idle
sleep 2
rm -f $(for t in ngate nnull nnever; do file_of $t; done)
accept_all
flush
to_arrive nshort nshort@grey.test
arrived 30
python3 - <<'P'
import json, glob, email
full = hdrs = 0
for name in glob.glob("/lab/received/*.json"):
    one = json.load(open(name))
    if one["recipients"] == ["nfull@back.test"]:
        full = one["data"].count("\nthe end\r")
    if one["recipients"] == ["nto@back.test"] or one["recipients"] == ["ncorrupt@back.test"]:
        hdrs = one["data"].count("\nthe end\r")
    if one["recipients"] == ["nasked@back.test"]:
        print("ok: the report names the envelope ID" if "Original-Envelope-Id: some+envid" in one["data"] else "FAILED: no Original-Envelope-Id")
print("ok: `--ret full` returns the body, and nothing else does" if (full, hdrs) == (1, 0) else f"FAILED: bodies in reports: {full}, {hdrs}")
P

say "undo"
refuse_again
deferred umode unamed uflat uholdmode ucorrupt gone
wait_for 20 idle
postqueue -j >/lab/listing.json
GONE=$(id_of gone) && rm "$(file_of gone)" $Q/defer/*/"$GONE"
for kind in mode named flat holdmode corrupt; do gone_again $kind u$kind; done
UIDS=$(ids_of umode unamed uflat)
postfix stop >/dev/null 2>&1
sleep 1
# Without Postfix nothing is delivered: what is put right can be taken back.
refused "only the listing shows it" requeue "$GONE" --listing /lab/listing.json
spool_state $QUEUES >/lab/before
act requeue $UIDS
if spool_state $QUEUES | diff /lab/before - >/dev/null 2>&1; then echo "FAILED: nothing was put right"; fi
/lab/ghostq undo --apply --state $STATE
# The folders have been written to.
FOLDERS=no untouched "undo" /lab/before $QUEUES
act requeue $UIDS "$(id_of uholdmode)"
act requeue "$(id_of ucorrupt)"
/lab/ghostq undo --state $STATE 2>&1 | tr '\n' ' ' | tr -s ' ' >/lab/undo.out
if grep -q "would send it a second time" /lab/undo.out; then echo "ok: undo of what was handed in is refused"; else echo "FAILED: undo of what was handed in: $(cat /lab/undo.out)"; fi
/lab/ghostq undo --apply --state $STATE
# The maildrop of a Postfix that is down, one message with a mode that pickup does not read.
letter drop1 drop1@back.test drop1@grey.test 2>/dev/null
letter drop2 drop2@back.test drop2@grey.test 2>/dev/null
letter drop3 drop3@back.test drop3@grey.test 2>/dev/null
chmod 700 "$(file_of drop1)"
spool_state $QUEUES >/lab/before
act requeue "$(id_of drop1)"
act requeue "$(id_of drop2)"
act ndr "$(id_of drop3)" --allow-backscatter
for tag in umode unamed uflat uholdmode ucorrupt drop1 drop2; do to_arrive $tag $tag@grey.test; done
to_return drop3 drop3@back.test
accept_all
postfix start >/dev/null 2>&1
sleep 2
flush
arrived 30

say "another way in"
refuse_again
deferred v1 v2 v3 v4 v5 v6 v7
wait_for 20 idle
for n in 1 2 3 4 5 6 7; do gone_again corrupt v$n; to_arrive v$n v$n@grey.test; done
accept_all
act requeue "$(id_of v1)" --via smtp://127.0.0.1:25
act requeue "$(id_of v2)" --via smtp://127.0.0.4:25
/lab/ghostq requeue --rule corrupt --canary $WHERE --apply --state $STATE --quiet
left() { find $Q/corrupt -type f | wc -l; }
if [ "$(left)" = 4 ]; then echo "ok: the canary is one"; else echo "FAILED: $(left) are left after the canary"; fi
/lab/ghostq resume --state $STATE
if [ "$(left)" = 0 ]; then echo "ok: resume does the others"; else echo "FAILED: $(left) are left after resume"; fi
deferred w1 w2 w3
wait_for 20 idle
refuse_again
deferred x1 x2 x3
wait_for 20 idle
for n in 1 2 3; do gone_again corrupt x$n; to_arrive w$n w$n@grey.test; to_arrive x$n x$n@grey.test; done
accept_all
/lab/ghostq requeue --rule corrupt --max 2 $WHERE --apply --state $STATE --quiet
if [ "$(left)" = 1 ]; then echo "ok: --max 2"; else echo "FAILED: $(left) are left after --max 2"; fi
act requeue --rule corrupt
flush
arrived 20

say "not taken"
refuse_again
deferred big
letter bigs bigs@back.test bigs1@grey.test bigs2@grey.test
wait_for 20 idle
gone_again corrupt big
gone_again corrupt bigs
spool_state $QUEUES >/lab/before
postconf -e smtpd_relay_restrictions=reject
postfix reload >/dev/null 2>&1
sleep 1
/lab/ghostq requeue "$(id_of big)" --via smtp://127.0.0.1:25 $WHERE --apply --state $STATE --quiet
FOLDERS=no untouched "Postfix refuses to take it" /lab/before $QUEUES
# `queue file write error` and `message file too big` end in 75 (EX_TEMPFAIL), which leaves open what became of it.
postconf -X smtpd_relay_restrictions
postconf -e message_size_limit=300 mailbox_size_limit=300
/lab/ghostq requeue "$(id_of bigs)" $WHERE --apply --state $STATE --quiet 2>&1 | tee /lab/unknown.out
LABEL=$(sed -n 's/^\([^ ]*\) .*: UNKNOWN.*/\1/p' /lab/unknown.out)
if /lab/ghostq undo "$LABEL" --state $STATE | tr '\n' ' ' | tr -s ' ' | grep -q "settle that first"; then
  echo "ok: undo waits until it is known whether it was sent"
else
  echo "FAILED: undo of what nobody knows"
fi
/lab/ghostq resume "$LABEL" --not-sent --state $STATE
FOLDERS=no untouched "the operator says that it was not sent" /lab/before $QUEUES
postconf -X message_size_limit mailbox_size_limit
accept_all
act requeue "$(id_of big)" "$(id_of bigs)"
to_arrive big big@grey.test
to_arrive bigs bigs1@grey.test
to_arrive bigs bigs2@grey.test
flush
arrived 20

say "killed while it hands over"
refuse_again
rm -f /lab/killed.out
deferred $(seq -f 'k%g' 25)
wait_for 30 idle
for n in $(seq 25); do gone_again corrupt k$n; to_arrive k$n k$n@grey.test; done
WHERE="$WHERE --settle 0" killed_at_random 15 requeue --rule corrupt
settle $Q
/lab/ghostq requeue --rule corrupt $WHERE --apply --state $STATE --quiet
outcome
accept_all
flush
arrived 30

say "killed while it puts right"
refuse_again
deferred $(seq -f 'r%g' 25)
wait_for 30 idle
for n in $(seq 25); do
  case $((n % 3)) in 0) gone_again mode r$n ;; 1) gone_again both r$n ;; 2) gone_again named r$n ;; esac
  to_arrive r$n r$n@grey.test
done
WHERE="$WHERE --settle 0" killed_at_random 15 requeue --rule wrong-owner-or-mode --rule queue-blocker --rule foreign-name
settle $Q
accept_all
flush
arrived 30

say "killed while it returns"
refuse_again
deferred $(seq -f 'b%g' 12)
wait_for 30 idle
for n in $(seq 12); do gone_again corrupt b$n; to_return b$n b$n@back.test; done
WHERE="$WHERE --settle 0" killed_at_random 8 ndr --rule corrupt --allow-backscatter
settle $Q
/lab/ghostq ndr --rule corrupt --allow-backscatter $WHERE --apply --state $STATE --quiet
outcome
flush
arrived 30

say "second instance"
postfix stop >/dev/null 2>&1
postmulti -e init
postmulti -I postfix-out -e create
postconf -c /etc/postfix-out -e inet_interfaces= 'relayhost=[127.0.0.2]:25' compatibility_level=3.6 \
  maillog_file=/var/log/postfix-out.log authorized_submit_users=static:anyone master_service_disable=inet \
  multi_instance_enable=yes disable_dns_lookups=yes smtp_dns_support_level=disabled smtp_host_lookup=native
refuse_again
postfix -c /etc/postfix-out start
SENDMAIL="/usr/sbin/sendmail -C /etc/postfix-out -i" letter second second@back.test second@grey.test
SENDMAIL="/usr/sbin/sendmail -C /etc/postfix-out -i" letter second2 second2@back.test second2@grey.test
O=/var/spool/postfix-out
second() { [ "$(find $O/deferred -type f | wc -l)" = 2 ]; }
wait_for 20 second
chmod 600 "$(grep -rlaF 'X-Tag: second2' $O/deferred)"
postqueue -p >/lab/default.txt
accept_all
WHERE="--spool $O" act requeue $(find $O/deferred -type f -printf '%f ') --listing /lab/default.txt
to_arrive second second@grey.test
to_arrive second2 second2@grey.test
arrived 20
postfix -c /etc/postfix-out stop
say "done"
