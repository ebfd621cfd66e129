# Exim: what is requeued arrives once, what is returned is reported once, what is refused stays as it is.
. /lab/inside.sh
. /lab/acting.sh
SENDMAIL="/usr/sbin/exim4 -i"
S=/var/spool/exim4
I=$S/input
WHERE="--spool $S"
QUEUES="$I $S/msglog $S/quarantine $S/Finput $S/Fmsglog"
EXTRA='gr\303\274\303\237e in eight bits\nblanks at the end   \nFrom here on\n'

touch /lab/strict

say "setup"
cat >/etc/exim4/exim4.conf <<C
primary_hostname = lab.test
keep_environment = LD_PRELOAD : FAKETIME
add_environment = PATH=/usr/bin:/bin
spool_directory = $S
log_file_path = /var/log/exim4/%slog
local_interfaces = 127.0.0.1
acl_smtp_rcpt = acl_ok
split_spool_directory = true
remote_max_parallel = 1
dsn_advertise_hosts = *
begin acl
acl_ok:
  warn local_parts = ^named
       queue = quarantine
  accept
begin routers
all:
  driver = manualroute
  route_list = dead.test 127.0.0.1 ; slow.test 127.0.0.3 ; ok.test 127.0.0.4 ; back.test 127.0.0.4 ; mixed.test 127.0.0.5 ; * 127.0.0.2
  transport = \${if eq{\$domain}{dead.test}{deadsmtp}{smtp}}
  self = send
begin transports
smtp:
  driver = smtp
  port = 25
deadsmtp:
  driver = smtp
  port = 9
begin retry
* * F,2h,15m; G,16h,1h,1.5; F,4d,6h
C
exim4 -bd -oP /run/exim.pid
: >>/var/log/exim4/paniclog
chown Debian-exim /var/log/exim4/*log
sleep 1
idle() { ! pgrep -f 'exim4 -(Mc|q|i|M|bd -q)' && ! pgrep -f 'exim4 -i'; }
# The envelope file of the message with this tag, whatever became of it.
file_of() { grep -rlaF "X-Tag: $1" $I $S/quarantine $S/Finput --include='*-H*' --include='hdr.*' 2>/dev/null | while read -r f; do grep -qaE "X-Tag: $1\$" "$f" && echo "$f"; done | head -1; }
id_of() { basename "$(file_of "$1")" | sed 's/^hdr\.//; s/\.bak$//; s/-H$//'; }
ids_of() { for tag in "$@"; do id_of "$tag"; done; }
deferred() { for tag in "$@"; do letter "$tag" "$tag@back.test" "$tag@grey.test"; done; }
# Everything that Exim can see is tried, but not what is frozen; what is being tried before it would be passed over.
flush() { wait_for 20 idle; exim4 -qf; sleep 1; wait_for 20 idle; }
FAKE="LD_PRELOAD=$(ls /usr/lib/*/faketime/libfaketime.so.1) FAKETIME=+400d"
gone_again() { # GHOST TAG: makes the one out of the other
  local H ID A B LONG
  H=$(file_of "$2") ID=$(id_of "$2")
  case $1 in
    hold) exim4 -Mf "$ID" >/dev/null ;;
    owner) chown 4321 "$H" "${H%H}D" && chmod 600 "$H" ;;
    named) mv "$H" "$H.bak" && mv "${H%H}D" "${H%H}D.bak" ;;
    header) mv "$H" "$(dirname "$H")/hdr.$ID" ;;
    old) mkdir -p $I/old && mv "$H" "${H%H}D" $I/old/ ;;
    long)
      LONG=$(echo "$ID" | sed 's/^\(......\)-\(......\)-\(..\)$/\1-00000\2-00\3/')
      sed -i "1s/$ID/$LONG/" "$H" "${H%H}D" && mv "$H" "${H%"$ID"-H}$LONG-H" && mv "${H%H}D" "${H%"$ID"-H}$LONG-D" &&
        rm -f "$(find $S/msglog -name "$ID")" && chown Debian-exim:Debian-exim "${H%"$ID"-H}$LONG-"? ;;
    misfiled)
      A=$I B=x && [ "$(basename "$(dirname "$H")")" = x ] && B=y
      mkdir -p $A/$B && chown Debian-exim:Debian-exim $A/$B && mv "$H" "${H%H}D" "$A/$B/"
      [ ! -e "${H%H}J" ] || mv "${H%H}J" "$A/$B/" ;;
    finput) # As `move_frozen_messages` does.
      A=$(basename "$(dirname "$H")") && mkdir -p "$S/Finput/$A" "$S/Fmsglog/$A" && mv "$H" "${H%H}D" "$S/Finput/$A/" &&
        mv "$S/msglog/$A/$ID" "$S/Fmsglog/$A/" && chown -R Debian-exim:Debian-exim $S/Finput $S/Fmsglog ;;
    cut) truncate -s 300 "$H" ;;
    short) truncate -s 5 "${H%H}D" ;;
    empty) : >"$H" ;;
    bodiless) rm "${H%H}D" ;;
    headless) rm "$H" ;;
    journal) printf '%s\n' "ok$2@mixed.test" >"${H%H}J" && chown Debian-exim:Debian-exim "${H%H}J" && chmod 640 "${H%H}J" &&
      touch -d '-2 hours' "${H%H}J" "$H" "${H%H}D" "$(find $S/msglog -name "$ID")" ;;
  esac
}
# by_smtp TAG SENDER RECIPIENT: the same letter through the listener, whose ACL puts recipients named… into a named queue.
by_smtp() {
  SENDMAIL="written /lab/out.eml" letter "$1" "$2" "$3" >/dev/null 2>&1
  python3 - "$2" "$3" <<'P'
import os, smtplib, sys
with open("/lab/out.eml", "rb") as file:
    smtplib.SMTP("127.0.0.1", 25).sendmail(sys.argv[1], [sys.argv[2]], os.environ.get("HOP", "").encode() + file.read())
P
}
written() { cat >"$1"; } # `letter` gives it -f and the recipients as well

say "requeue"
KINDS="hold owner named header old long misfiled finput"
deferred $KINDS unlisted
for tag in done1 done2 done3; do
  # One of the two has it, and only the journal knows.
  letter $tag $tag@back.test $tag@grey.test
done
letter partly partly@back.test okpartly@mixed.test partly@mixed.test
letter quoted '"quoted,one"@back.test' '"two..dots"@grey.test' '"quoted,one"@grey.test'
letter null '' null@grey.test
by_smtp named1 named1@back.test named1@grey.test
by_smtp named2 named2@back.test named2@grey.test
env $FAKE true 2>/dev/null && SENDMAIL="env $FAKE /usr/sbin/exim4 -odq -i" letter future future@back.test future@grey.test
wait_for 30 idle
for kind in $KINDS; do gone_again "$kind" "$kind" && to_arrive "$kind" "$kind@grey.test"; done
gone_again misfiled partly
gone_again long quoted
gone_again named null
for tag in named1 named2 future; do to_arrive $tag $tag@grey.test; done
to_arrive partly okpartly@mixed.test
to_arrive partly partly@mixed.test
to_arrive quoted '"quoted,one"@grey.test'
to_arrive quoted '"two..dots"@grey.test'
to_arrive null null@grey.test
# A delivery that is killed after one of two recipients.
for n in 1 2 3; do
  letter jour$n jour$n@back.test jour$n@ok.test slow$n@slow.test
done
journals() { [ "$(find $I -name '*-J' -size +0 | wc -l)" = 3 ]; }
wait_for 20 journals
sleep 0.5
spool_state $QUEUES >/lab/before
refused "healthy in the queue\|delivering it now\|locked" requeue "$(id_of jour1)"
untouched "what is being delivered" /lab/before $QUEUES
pkill -9 -f 'exim4 -Mc'
sed -i 's/slow.test 127.0.0.3/slow.test 127.0.0.2/' /etc/exim4/exim4.conf
kill -HUP "$(cat /run/exim.pid)"
for n in 1 2 3; do
  H=$(file_of jour$n)
  touch -d '-2 hours' "$H" "${H%H}D" "${H%H}J" "$(find $S/msglog -name "$(basename "${H%-H}")")"
  to_arrive jour$n jour$n@ok.test
  to_arrive jour$n slow$n@slow.test
done
gone_again misfiled jour2
H=$(file_of jour3) && mv "$H" "$H.bak" && mv "${H%H}D" "${H%H}D.bak" && mv "${H%H}J" "${H%H}J.bak"
sleep 1
for tag in done1 done2 done3; do to_arrive $tag $tag@grey.test; done
spool_state $QUEUES >/lab/before
IDS=$(ids_of $KINDS partly null named1 named2 future jour1 jour2 jour3)
/lab/ghostq requeue $IDS $WHERE --state $STATE --quiet | cat
untouched "a dry run" /lab/before $QUEUES
if [ ! -e $STATE ]; then echo "ok: a dry run makes no state folder"; else echo "FAILED: a dry run made $STATE"; fi
act requeue $IDS
refused "a sendmail command may misread" requeue "$(id_of quoted)"
act requeue "$(id_of quoted)" --via smtp://127.0.0.1:25
wait_for 20 idle
exim4 -bp | grep -v "$(id_of unlisted)" >/lab/listing.txt
act requeue "$(id_of unlisted)" --listing /lab/listing.txt
to_arrive unlisted unlisted@grey.test
wait_for 20 idle
accept_all
flush
arrived 30
cat /lab/act.out

say "refused"
refuse_again
deferred empty bodiless headless short cut link
wait_for 20 idle
LINK=$(id_of link) && FILE=$(file_of link) && ln "$FILE" "$FILE.bak"
EMPTY=$(id_of empty) BODILESS=$(id_of bodiless) HEADLESS=$(id_of headless) SHORT=$(id_of short) CUT=$(id_of cut)
for kind in empty bodiless headless short cut; do gone_again $kind $kind; to_stay $kind; done
python3 /lab/half.py 25 half@lab.test half@grey.test 20 &
being_written() { [ -n "$(find $I -name '*-D' -size +16k)" ]; }
wait_for 10 being_written
HALF=$(basename "$(find $I -name '*-D' -size +16k)" -D)
kill -9 "$(pgrep -f 'exim4 -bd' | tail -1)"
kill $! 2>/dev/null
sleep 1
spool_state $QUEUES >/lab/before
refused "no bytes" requeue "$EMPTY"
refused "body" requeue "$BODILESS"
refused "envelope file is lost" requeue "$HEADLESS"
refused "envelope file is lost" requeue "$HALF"
refused "body" requeue "$SHORT"
refused "." requeue "$CUT"
refused "there more than once\\|more than one name\\|another envelope file" requeue "$LINK"
for id in $BODILESS $SHORT $CUT $HALF; do /lab/ghostq requeue "$id" $WHERE --state $STATE --quiet | tail -3; done
/lab/ghostq requeue "$EMPTY" "$SHORT" "$HALF" "$CUT" $WHERE --apply --state $STATE --quiet
untouched "refusals" /lab/before $QUEUES
rm -f "$FILE.bak"
for id in $EMPTY $BODILESS $HEADLESS $SHORT $CUT $HALF; do rm -f $(find $S -name "$id*"); done
to_arrive link link@grey.test
# A message without an envelope, for which the operator gives one.
SENDMAIL="written /lab/out.eml" letter plain plain@back.test x@grey.test >/dev/null 2>&1
cp /lab/out.eml $I/saved.eml
chown Debian-exim:Debian-exim $I/saved.eml
/lab/ghostq scan $S --quiet
refused "without an envelope" requeue $I/saved.eml
accept_all
act requeue $I/saved.eml --to given@grey.test --mail-from given@back.test
to_arrive plain given@grey.test
flush
arrived 20

say "ndr"
refuse_again
NKINDS="nhold nowner nnamed nheader nold nlong nmisfiled nfinput nbodiless"
deferred $NKINDS nfull nto
letter npartly npartly@back.test oknpartly@mixed.test npartly@mixed.test
letter nnull '' nnull@grey.test
by_smtp nqueue nqueue@back.test named3@grey.test
# It came from elsewhere, so that anybody may have written its sender.
HOP=$'Received: from elsewhere.test ([192.0.2.7]) by filter.test; Thu, 26 Nov 2026 01:12:57 +0000\r\n'
export HOP
by_smtp ngate ngate@back.test ngate@grey.test
unset HOP
wait_for 20 idle
for kind in $NKINDS; do gone_again "${kind#n}" "$kind" && to_return "$kind" "$kind@back.test"; done
for tag in nfull nto ngate npartly nnull; do gone_again named $tag; done
to_return nfull nfull@back.test
to_return nto postmaster@back.test
to_return npartly npartly@back.test
to_return nqueue nqueue@back.test
to_arrive npartly oknpartly@mixed.test
to_stay nnull
to_stay ngate
sleep 1
spool_state $QUEUES >/lab/before
refused "nothing shows that its sender is not forged" ndr "$(id_of ngate)"
refused "null sender" ndr "$(id_of nnull)" --allow-backscatter
untouched "refused reports" /lab/before $QUEUES
/lab/ghostq ndr $(ids_of $NKINDS npartly nqueue) --allow-backscatter $WHERE --quiet | cat
act ndr $(ids_of $NKINDS npartly nqueue) --allow-backscatter
act ndr "$(id_of nfull)" --allow-backscatter --ret full
act ndr "$(id_of nto)" --ndr-to postmaster@back.test
for tag in ngate nnull; do rm -f $(find $S -name "$(id_of $tag)*"); done
wait_for 20 idle
accept_all
flush
arrived 30

say "undo"
refuse_again
deferred unamed uowner umisfiled ulong
wait_for 20 idle
for kind in named owner misfiled long; do gone_again $kind u$kind; done
spool_state $QUEUES >/lab/before
act requeue "$(id_of uowner)"
if /lab/ghostq undo --state $STATE | tr '\n' ' ' | tr -s ' ' | grep -q "cannot be taken back"; then
  echo "ok: undo of what Exim was told to deliver is refused"
else
  echo "FAILED: undo of what Exim was told to deliver"
fi
act requeue "$(id_of ulong)"
/lab/ghostq undo --state $STATE 2>&1 | tr '\n' ' ' | tr -s ' ' >/lab/undo.out
if grep -q "would send it a second time" /lab/undo.out; then echo "ok: undo of what was handed in is refused"; else echo "FAILED: undo of what was handed in: $(cat /lab/undo.out)"; fi
act requeue $(ids_of unamed umisfiled)
for kind in named owner misfiled long; do to_arrive u$kind u$kind@grey.test; done
wait_for 20 idle
accept_all
flush
arrived 20

# With nothing but long IDs in the spool nothing shows that this Exim does not read them: then they are `unlisted`.
say "another way in"
refuse_again
deferred v1 v2 v3 v4 v5 v6
wait_for 20 idle
for n in 1 2 3 4 5 6; do gone_again long v$n; to_arrive v$n v$n@grey.test; done
accept_all
act requeue "$(id_of v1)" --via smtp://127.0.0.1:25
act requeue "$(id_of v2)" --via smtp://127.0.0.4:25
/lab/ghostq requeue --rule foreign-name --rule unlisted --canary $WHERE --apply --state $STATE --quiet
left() { find $I -name '*-H' | grep -cE '/......-...........-....-H'; }
if [ "$(left)" = 3 ]; then echo "ok: the canary is one"; else echo "FAILED: $(left) are left after the canary"; fi
/lab/ghostq resume --state $STATE
if [ "$(left)" = 0 ]; then echo "ok: resume does the others"; else echo "FAILED: $(left) are left after resume"; fi
flush
arrived 20

say "killed while it hands over"
refuse_again
rm -f /lab/killed.out
deferred $(seq -f 'k%g' 25)
wait_for 30 idle
for n in $(seq 25); do gone_again long k$n; to_arrive k$n k$n@grey.test; done
KILL_WITHIN=0.6 WHERE="$WHERE --settle 0" killed_at_random 15 requeue --rule foreign-name --rule unlisted
settle $S
/lab/ghostq requeue --rule foreign-name --rule unlisted $WHERE --apply --state $STATE --quiet
outcome
wait_for 20 idle
accept_all
flush
arrived 30

say "killed while it puts right"
refuse_again
deferred $(seq -f 'r%g' 25)
wait_for 30 idle
for n in $(seq 25); do
  case $((n % 3)) in 0) gone_again owner r$n ;; 1) gone_again misfiled r$n ;; 2) gone_again named r$n ;; esac
  to_arrive r$n r$n@grey.test
done
KILL_WITHIN=0.4 WHERE="$WHERE --settle 0" killed_at_random 15 requeue --rule wrong-owner-or-mode --rule misfiled --rule foreign-name
settle $S
outcome
wait_for 20 idle
accept_all
flush
arrived 30
/lab/ghostq scan $S --quiet
pkill -x exim4
say "done"
