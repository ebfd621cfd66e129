# OpenSMTPD: greylisted and refused mail, then halves, damage, wrong owners, suspended mail, and what lies there unindexed.
. /lab/inside.sh
SENDMAIL="/usr/sbin/sendmail -i"
S=/var/spool/smtpd
# For some time after its start ghostq asks smtpd for its listing only if told to.
SCAN="$S --listing live"

say "setup"
cat >/etc/smtpd.conf <<C
listen on 127.0.0.1
action "grey" relay host smtp://127.0.0.2
action "dead" relay host smtp://127.0.0.1:9
action "ok" relay host smtp://127.0.0.4
match from any for domain "dead.test" action "dead"
match from any for domain "ok.test" action "ok"
match from any for any action "grey"
C
# It reads its queue in the background once it has started, and lists only what it has read.
start() {
  smtpd -d >>/lab/smtpd.log 2>&1 &
  wait_for 10 smtpctl show status
  sleep 5
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
tried() { [ "$(smtpctl show queue | grep -c '|pending|')" -ge "$1" ]; }

say "baseline"
mail 60 grey grey.test
mail 15 dead dead.test
mail 10 multi grey.test extra@dead.test
wait_for 30 tried 95
sleep 2
healthy "85 deferred messages"

say "flow"
# Nothing is killed: smtpd ends as a whole when one of its processes does.
flow() {
  while [ ! -e /lab/stop ]; do
    mail 2 flow ok.test
    mail 1 flow grey.test
    smtpctl schedule all
    sleep 0.3
  done
}
calm flow
sleep 5

say "ghosts"
next 11 && rm "$(envelope_of "$ID")" && expect body-without-envelope "$ID"
next 12 && rm "$(folder_of "$ID")/message" && expect envelope-without-body "$ID"
next 13 && truncate -s 60 "$(envelope_of "$ID")" && expect corrupt "$ID"
next 14 && : >"$(envelope_of "$ID")" && expect empty-file "$ID"
next 15 && chown root:root "$(envelope_of "$ID")" && expect wrong-owner-or-mode "$ID"
next 16 && chmod 000 "$(envelope_of "$ID")" && expect wrong-owner-or-mode "$ID"
next 17 && mkdir -p $S/queue/zz && chown opensmtpq $S/queue/zz && mv "$(folder_of "$ID")" $S/queue/zz/ && expect misfiled "$ID"
next 18 && X=$(envelope_of "$ID") && mv "$X" "$X.bak" && expect body-without-envelope "$ID" &&
  expect foreign-name -
next 19 && SUSPENDED=$ID
next 20 && RESTORED=$ID && mv "$(folder_of "$ID")" /lab/restored
next 21 && MOVED=$ID && mv "$(folder_of "$ID")" /lab/moved
stop
start
cp -r --preserve=mode,ownership /lab/restored "$(folder_of "$RESTORED")" && expect unindexed "$RESTORED"
cp -a /lab/moved "$(folder_of "$MOVED")" && expect unlisted "$MOVED"
next 22 && rm -r "$(folder_of "$ID")" && expect listed-not-on-disk "$ID"
smtpctl pause envelope "$SUSPENDED" && expect held "$SUSPENDED"
sleep 1
compare

say "killed while receiving, and handed in while it is down"
# What smtpd only remembers is gone with it, and what it did not know is as good as any other now.
grep -v -e unindexed -e unlisted -e listed-not-on-disk -e held /lab/expected >/lab/kept
cp /lab/kept /lab/expected
SCAN=$S
python3 /lab/half.py 25 half@lab.test half@grey.test 20 &
being_written() { HALF=$(find $S/temporary -type f -size +16k) && [ -n "$HALF" ]; }
wait_for 10 being_written
stop
kill $! 2>/dev/null
expect unfinished "$(basename "$HALF")"
for i in 1 2 3; do printf 'Subject: offline\n\nx\n' | $SENDMAIL -f a@lab.test "offline$i@grey.test"; done
for ID in $(ls $S/offline); do expect unclaimed "$ID"; done
compare

say "forecast"
forecast
foretold start purged now 1
foretold start released now 3
foretold flush purged now 0
KEPT=$(find $S/queue -type f | wc -l)
start
offline_is_read() { [ -z "$(ls $S/offline)" ]; }
wait_for 10 offline_is_read
came "the half message is removed" [ -z "$(find $S/temporary $S/incoming -type f)" ]
came "what was handed in while it was down is taken in" offline_is_read
came "nothing else is removed" [ "$(find $S/queue -type f | wc -l)" -ge "$KEPT" ]
say "done"
