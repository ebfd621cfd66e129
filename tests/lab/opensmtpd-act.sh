# OpenSMTPD: what ghostq does about its ghosts arrives once, or is returned once, or is refused with the spool as it was.
. /lab/inside.sh
. /lab/acting.sh
SENDMAIL="/usr/sbin/sendmail -i"
S=/var/spool/smtpd
MTA_SPOOLS="$S/queue $S/offline $S/incoming"
HERE="--spool $S --listing live"

say "setup"
configure() {
  cat >/etc/smtpd.conf <<C
listen on 127.0.0.1
action "grey" relay host smtp://127.0.0.2
action "slow" relay host smtp://$1
action "ok" relay host smtp://127.0.0.4
match from any for domain "back.test" action "ok"
match from any for domain "ok.test" action "ok"
match from any for domain "slow.test" action "slow"
match from any for any action "grey"
C
}
configure 127.0.0.3
# It reads its queue in the background once it has started, and lists only what it has read.
start() {
  smtpd -d >>/lab/smtpd.log 2>&1 &
  wait_for 10 smtpctl show status
  sleep 4
}
stop() {
  pkill -9 -x smtpd
  sleep 0.5
  rm -f /run/smtpd.sock
}
start
id_of() { grep -rl --include='????????????????' "^rcpt: $1@" $S/queue | head -1 | xargs -r dirname | xargs -r basename; }
folder_of() { echo "$S/queue/$(echo "$1" | cut -c1-2)/$1"; }
envelope_of() { find "$(folder_of "$1")" -type f -name "$1*"; }
flush() { smtpctl schedule all >/dev/null; sleep 1; smtpctl schedule all >/dev/null; }
# made TAG SENDER [RECIPIENT…]: a message that was put off, its ID in ID.
made() {
  letter "$1" "$2" "$1@grey.test" "${@:3}"
  is_queued() { ID=$(id_of "$1") && [ -n "$ID" ]; }
  wait_for 10 is_queued "$1"
  wait_for 10 tried "$ID"
}
tried() { grep -q '^errorline: .*451' $(folder_of "$1")/"$1"????????; }
up() { [ -S /run/smtpd.sock ]; }

say "what is repaired, discovered or released arrives"
BACK=grey@back.test
made held1 a@lab.test && HELD1=$ID && to_arrive held1 held1@grey.test
made owner1 a@lab.test && chown root:root "$(envelope_of "$ID")" && OWNER1=$ID && to_arrive owner1 owner1@grey.test
made mode1 a@lab.test && chmod 000 "$(envelope_of "$ID")" && MODE1=$ID && to_arrive mode1 mode1@grey.test
made mis1 a@lab.test && mkdir -p $S/queue/zz && chown opensmtpq $S/queue/zz && chmod 700 $S/queue/zz && mv "$(folder_of "$ID")" $S/queue/zz/ && MIS1=$ID
to_arrive mis1 mis1@grey.test
made part1 a@lab.test part1x@ok.test part1y@grey.test && PART1=$ID && mv "$(folder_of "$ID")" /lab/part1
to_arrive part1 part1@grey.test && to_arrive part1 part1x@ok.test && to_arrive part1 part1y@grey.test
made moved1 a@lab.test && MOVED1=$ID && mv "$(folder_of "$ID")" /lab/moved1 && to_arrive moved1 moved1@grey.test
made body1 a@lab.test && rm "$(envelope_of "$ID")" && BODY1=$ID && to_arrive body1 body1@grey.test
# Returned:
made nowner "$BACK" && chown root:root "$(envelope_of "$ID")" && NOWNER=$ID && to_return nowner "$BACK"
made nmoved "$BACK" && NMOVED=$ID && mv "$(folder_of "$ID")" /lab/nmoved && to_return nmoved "$BACK"
made nfull "$BACK" && NFULL=$ID && mv "$(folder_of "$ID")" /lab/nfull && to_return nfull "$BACK"
made nother "$BACK" && NOTHER=$ID && mv "$(folder_of "$ID")" /lab/nother && to_return nother postmaster@back.test
made nbody "$BACK" && rm "$(folder_of "$ID")/message" && NBODY=$ID && mv "$(folder_of "$ID")" /lab/nbody && to_return nbody "$BACK"
# Refused:
made rcor a@lab.test && truncate -s 60 "$(envelope_of "$ID")" && RCOR=$ID && to_stay rcor
made remp a@lab.test && : >"$(envelope_of "$ID")" && REMP=$ID && to_stay remp
made rbak a@lab.test && X=$(envelope_of "$ID") && mv "$X" "$X.bak" && RBAK=$ID && to_stay rbak
made rbody a@lab.test && rm "$(folder_of "$ID")/message" && RBODY=$ID && to_stay rbody
made rmem "$BACK" && RMEM=$ID && to_arrive rmem rmem@grey.test
stop
for n in 1 2 3; do letter off$n a@lab.test off$n@grey.test; to_arrive off$n off$n@grey.test; done
# Only what has waited for five minutes is unclaimed.
touch -d '10 minutes ago' $S/offline/*
mkdir /lab/offline && mv $S/offline/* /lab/offline/
start
cp -r --preserve=mode,ownership /lab/moved1 "$(folder_of "$MOVED1")"
cp -r --preserve=mode,ownership /lab/part1 "$(folder_of "$PART1")"
for one in $NMOVED:nmoved $NFULL:nfull $NOTHER:nother $NBODY:nbody; do cp -r --preserve=mode,ownership "/lab/${one#*:}" "$(folder_of "${one%:*}")"; done
mv /lab/offline/* $S/offline/
# The envelope that the listing shows and the disk does not have:
made rgone a@lab.test && rm -r "$(folder_of "$ID")" && RGONE=$ID && to_stay rgone
smtpctl pause envelope "$HELD1"
writes_nothing "a plan" /lab/ghostq requeue $HERE --state $STATE --quiet
[ ! -e $STATE ] && echo "ok: no state folder comes of planning" || echo "FAILED: planning made a state folder"

say "what is refused"
all_refused() {
  refused 'an envelope of it is damaged' requeue "$RCOR" $HERE
  refused 'a file of it has no bytes' requeue "$REMP" $HERE
  refused 'sender and recipients are not known\|none of smtpd' requeue "$RBAK" $HERE
  refused 'its content is missing' requeue "$RBODY" $HERE
  refused 'nothing on disk to act on' requeue "$RGONE" $HERE
  refused 'sender and recipients are not known' requeue "$BODY1" $HERE
  refused 'may hold it in memory' ndr "$HELD1" $HERE
  refused 'healthy in the queue' ndr "$RMEM" $HERE
}
writes_nothing "what is refused" all_refused
grep -v '^---' /lab/nothing.out
writes_nothing "what is refused is not applied" /lab/ghostq requeue "$RCOR" "$REMP" "$RBAK" "$RBODY" "$RGONE" $HERE --apply --state $STATE

say "undo"
# What smtpd knows by another of its envelopes is put right, and not tried.
act requeue "$OWNER1" $HERE
if /lab/ghostq undo --apply --state $STATE 2>&1 | tr '\n' ' ' | tee /lab/undo.out | grep -q 'cannot be taken back\|handed in'; then
  echo "ok: what was sent is not taken back"
else
  echo "FAILED: undo"; cat /lab/undo.out
fi
for ID in $HELD1 $MODE1 $MIS1 $PART1 $MOVED1; do act requeue "$ID" $HERE; done
act requeue "$BODY1" $HERE --mail-from a@lab.test --to body1@grey.test
act requeue --rule unclaimed $HERE
for ID in $NOWNER $NMOVED $NBODY; do act ndr "$ID" $HERE; done
act ndr "$NFULL" $HERE --ret full
act ndr "$NOTHER" $HERE --ndr-to postmaster@back.test
accept_all
sleep 1
flush
arrived 20
refuse_again

say "the last one left of several"
# smtpd knows the message by another envelope: what is put right is not discovered, and can be put back as it was.
letter two1 a@lab.test two1@grey.test two1b@grey.test && to_arrive two1 two1@grey.test && to_arrive two1 two1b@grey.test
sleep 2
ID=$(id_of two1)
X=$(grep -l '^rcpt: two1@' $(folder_of "$ID")/"$ID"*)
stop
chown root:root "$X"
start
spool_state $MTA_SPOOLS >/lab/two-before.txt
act requeue "$ID" $HERE
/lab/ghostq undo --apply --state $STATE >/lab/undo.out 2>&1 && spool_state $MTA_SPOOLS >/lab/two-after.txt
if diff /lab/two-before.txt /lab/two-after.txt >/lab/diff.txt; then echo "ok: undone, everything is as it was"; else echo "FAILED: undo"; cat /lab/undo.out; head -5 /lab/diff.txt; fi
act requeue "$ID" $HERE
stop
accept_all
start
flush
arrived 20
refuse_again

say "other doors"
for n in 1 2 3 4; do made door$n a@lab.test && mv "$(folder_of "$ID")" /lab/door$n && to_arrive door$n door$n@grey.test && eval "V$n=$ID"; done
stop
start
for n in 1 2 3 4; do eval "ID=\$V$n"; cp -r --preserve=mode,ownership /lab/door$n "$(folder_of "$ID")"; done
refused '3 more' requeue "$V1" "$V2" "$V3" "$V4" $HERE --max 1
/lab/ghostq requeue "$V3" "$V4" $HERE --canary --apply --state $STATE >/lab/canary.out 2>&1
[ "$(smtpctl show queue | grep -c 'door[34]@')" = 1 ] && echo "ok: a canary is one message" || { echo "FAILED: the canary"; cat /lab/canary.out; smtpctl show queue; }
/lab/ghostq resume --state $STATE >>/lab/canary.out 2>&1 || { echo "FAILED: resume after the canary"; cat /lab/canary.out; }
for ID in $V1 $V2; do act requeue "$ID" $HERE; done
accept_all
sleep 1
flush
arrived 20
refuse_again

say "killed at random: handed in"
stop
for n in $(seq 25); do letter kill$n a@lab.test kill$n@grey.test; to_arrive kill$n kill$n@grey.test; done
touch -d '10 minutes ago' $S/offline/*
mv $S/offline/* /lab/offline/
start
mv /lab/offline/* $S/offline/
# What is taken leaves the queue at once, so that only what arrived can tell.
accept_all
killed_and_settled 15 requeue --rule unclaimed $HERE
flush
arrived 30
refuse_again

say "killed at random: repaired"
for n in $(seq 25); do letter fix$n a@lab.test fix$n@grey.test && to_arrive fix$n fix$n@grey.test; done
sleep 2
for n in $(seq 25); do chown root:root "$(envelope_of "$(id_of fix$n)")"; done
stop
start
killed_and_settled 8 requeue --rule wrong-owner-or-mode $HERE
accept_all
sleep 1
flush
arrived 30
refuse_again

say "what smtpd works on"
letter slow1 "$BACK" slow1@slow.test && to_arrive slow1 slow1@slow.test
wait_for 10 is_queued slow1
sleep 1
ID=$(id_of slow1)
chown root:root "$(envelope_of "$ID")"
refused 'may hold it in memory' ndr "$ID" $HERE
act requeue "$ID" $HERE
[ "$(stat -c %U "$(envelope_of "$ID")")" = opensmtpq ] && echo "ok: it is given back to smtpd" || echo "FAILED: whose is it"
stop
configure 127.0.0.4
start
flush
arrived 20

say "what sendmail would change"
refuse_again
printf 'From: a@lab.test\nTo: odd@grey.test\nSubject: odd\nX-Tag: odd\nMessage-ID: <odd@x>\nDate: Thu, 26 Nov 2026 06:00:00 +0000\n\n%s\nh\344\n' "$(head -c 995 /dev/zero | tr '\0' x)" >/lab/odd.eml
sed '1,/^$/d' /lab/odd.eml >/lab/sent/odd
python3 - <<'P'
import smtplib
smtplib.SMTP("127.0.0.1", 25).sendmail("a@lab.test", ["odd@grey.test"], open("/lab/odd.eml", "rb").read())
P
wait_for 10 is_queued odd
to_arrive odd odd@grey.test
rm "$(envelope_of "$ID")"
stop
start
if /lab/ghostq requeue "$ID" $HERE --mail-from a@lab.test --to odd@grey.test --quiet --state $STATE | tr '\n' ' ' | grep -q 'whole body is recoded'; then
  echo "ok: the plan says what sendmail would change"
else
  echo "FAILED: the plan does not say that sendmail would recode it"
fi
act requeue "$ID" $HERE --mail-from a@lab.test --to odd@grey.test --via smtp://127.0.0.1:25
accept_all
sleep 1
flush
arrived 20
refuse_again

say "a spool that is emptied"
for n in 1 2 3; do made end$n a@lab.test && to_arrive end$n end$n@grey.test && eval "V$n=$ID"; done
made nend "$BACK" && NEND=$ID && to_return nend "$BACK"
stop
for ID in $V1 $V2 $V3 $NEND; do chown root:root "$(envelope_of "$ID")"; done
refused 'not that of a mail system on this host' requeue "$V1" --spool $S
act ndr "$NEND" --spool $S --offline --via smtp://127.0.0.4:25
for ID in $V1 $V2 $V3; do act requeue "$ID" --spool $S --offline --via smtp://127.0.0.4:25; done
arrived 10
say "done"
