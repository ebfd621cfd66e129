# Sendmail: greylisted and refused mail, then quarantined mail, halves, damage, loose modes, folders that nobody reads.
. /lab/inside.sh
SENDMAIL="/usr/sbin/sendmail -Am -i -odb"
Q=/var/spool/mqueue
C=/var/spool/mqueue-client
SCAN="$Q $C"

say "setup"
# Everything goes to one host: that is the whole of the routing.
python3 - <<'P'
path = "/etc/mail/sendmail.cf"
with open(path, encoding="utf-8") as file:
    lines = file.read().split("\n")
dropped = ("O QueueLA", "O RefuseLA", "O DaemonPortOptions", "O MinQueueAge", "O ConnectionRateThrottle")
lines = [line for line in lines if not line.startswith(dropped)]
lines = ["DSrelay:[127.0.0.5]" if line.startswith("DS") else line for line in lines]
lines += ["O DaemonPortOptions=Family=inet,Name=MTA,Addr=127.0.0.1,Port=25", "O MinQueueAge=0", "O QueueLA=99", "O RefuseLA=99",
          "O ServiceSwitchFile=/etc/mail/service.switch-nodns", "O Timeout.hoststatus=1s", ""]
with open(path, "w", encoding="utf-8") as file:
    file.write("\n".join(lines))
P
echo 'hosts files' >/etc/mail/service.switch-nodns
: >/etc/mail/local-host-names
daemon() { sendmail -bd -Am && sleep 1; }
daemon
id_of() { grep -l "^R.*:$1@" $Q/qf* | head -1 | sed 's/.*qf//'; }
idle() { ! pgrep -f 'sendmail: .*(client|running queue|from queue|user open)'; }

say "baseline"
mail 60 grey grey.test
mail 10 multi grey.test extra@dead.test
wait_for 40 idle
healthy "70 deferred messages"

say "flow"
# Killed while it talks to the next host; killed while it removes a message that was delivered it leaves a ghost.
flow() {
  while [ ! -e /lab/stop ]; do
    mail 2 okflow ok.test
    mail 1 flow grey.test
    timeout 20 sendmail -Am -q &
    for try in $(seq 30); do
      pkill -9 -f 'sendmail: .*(user open|client (greeting|EHLO|MAIL|RCPT))' && echo killed
    done
    sleep 0.2
  done
}
calm flow
wait_for 60 idle
sleep 2

say "ghosts"
python3 /lab/half.py 25 half@lab.test half@grey.test 20 &
being_written() { HALF=$(find $Q -name 'df*' -size +16k) && [ -n "$HALF" ]; }
wait_for 10 being_written
sleep 1
HALF=$(basename "$HALF")
pkill -9 -f "sendmail: .*${HALF#df} .*DATA"
kill $! 2>/dev/null
expect body-without-envelope "${HALF#df}"
next 11 && sendmail -Am -Qlab "-qI$ID" && expect held "$ID"
next 12 && rm "$Q/qf$ID" && expect body-without-envelope "$ID"
next 13 && rm "$Q/df$ID" && expect envelope-without-body "$ID"
next 14 && chmod 666 "$Q/qf$ID" && expect wrong-owner-or-mode "$ID"
next 15 && chmod 666 "$Q/qf$ID" && timeout 20 sendmail -Am "-qI$ID" && expect wrong-owner-or-mode "$ID"
next 16 && truncate -s 200 "$Q/qf$ID" && expect corrupt "$ID"
next 17 && : >"$Q/qf$ID" && expect empty-file "$ID"
next 18 && mkdir -p $Q/q1 && mv "$Q/qf$ID" "$Q/df$ID" $Q/q1/ && expect other-queue "$ID"
next 19 && mv "$Q/qf$ID" "$Q/qf$ID.backup" && expect foreign-name "$ID"
next 20 && mv "$Q/qf$ID" "$Q/tf$ID" && expect unfinished "$ID"
next 21 && rm "$Q/qf$ID" "$Q/df$ID" && touch "$Q/xf$ID" && expect orphan-side-file "$ID"
cp /usr/sbin/sendmail-mta /lab/sendmail
chmod 755 /lab/sendmail
printf 'Subject: future\n\nx\n' | LD_PRELOAD=$(ls /usr/lib/*/faketime/libfaketime.so.1) FAKETIME=+400d \
  /lab/sendmail -Am -i -odi -f a@lab.test future1@grey.test
ID=$(id_of future1) && expect future-time "$ID"
sleep 1
compare

say "blocker"
next 22 && cp -a "$Q/qf$ID" /lab/saved && sed -i '/^S/d' "$Q/qf$ID" && expect queue-blocker "$ID"
compare
cp -a /lab/saved "$Q/qf$ID"
sed -i '$d' /lab/expected

say "forecast"
EMPTY=$(sed -n 's/^empty-file //p' /lab/expected)
BODILESS=$(sed -n 's/^envelope-without-body //p' /lab/expected)
LOOSE=$(sed -n 's/^wrong-owner-or-mode //p' /lab/expected | while read -r ID; do [ -e "$Q/qf$ID" ] && echo "$ID"; done)
forecast --as-of "@$(($(date +%s) + 660))"
foretold queue_run destroyed now 1
foretold queue_run sent_empty now 1
foretold queue_run set_aside now 1
foretold listing destroyed now 0
# The clock alone: times of files are not to move with it.
LD_PRELOAD=$(ls /usr/lib/*/faketime/libfaketime.so.1) NO_FAKE_STAT=1 FAKETIME=+11m timeout 120 /lab/sendmail -Am -q
wait_for 60 gone "$Q/qf$EMPTY"
wait_for 90 idle
came "the empty control file is deleted" gone "$Q/qf$EMPTY"
came "and its data file with it" gone "$Q/df$EMPTY"
came "an empty data file is made" there "$Q/df$BODILESS"
came "what others may write is set aside" there "$Q/Qf$LOOSE"

say "submission queue"
pkill -f 'sendmail: .*accepting'
sleep 1
for i in 1 2 3; do printf 'Subject: submitted\n\nx\n' | /usr/sbin/sendmail -i -f root@lab.test "submitted$i@grey.test"; done
sendmail -bp >/lab/default.txt
SCAN="$C --listing /lab/default.txt"
: >/lab/expected
for ID in $(ls $C | sed -n 's/^qf//p'); do expect other-queue "$ID"; done
compare
SCAN=$C
: >/lab/expected
healthy "the submission queue by itself"
say "done"
