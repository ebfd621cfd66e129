# Sendmail: what ghostq does about its ghosts arrives once, or is returned once, or is refused with the spool as it was.
. /lab/inside.sh
. /lab/acting.sh
SENDMAIL="/usr/sbin/sendmail -Am -i -odb"
Q=/var/spool/mqueue
C=/var/spool/mqueue-client
MTA_SPOOLS="$Q $C"
HERE="--spool $Q"

say "setup"
# All mail goes to 127.0.0.5, which takes recipients that begin with `ok` and, once told so, all; that for slow.test goes to 127.0.0.3.
configure() {
  python3 - "$@" <<'P'
import sys
path = "/etc/mail/sendmail.cf"
with open(path, encoding="utf-8") as file:
    lines = file.read().split("\n")
dropped = ("O QueueLA", "O RefuseLA", "O DaemonPortOptions", "O MinQueueAge", "O ConnectionRateThrottle", "R$* < @ slow.test", "O Timeout.hoststatus",
           "O ServiceSwitchFile", "#lab")
lines = [line for line in lines if not line.startswith(dropped)]
lines = ["DSrelay:[127.0.0.5]" if line.startswith("DS") else line for line in lines]
at = next(number for number, line in enumerate(lines) if line.startswith("SParseLocal"))
lines[at + 1:at + 1] = [f"R$* < @ slow.test{dot} > $*\t\t$#relay $@ [{sys.argv[1]}] $: $1 < @ slow.test{dot} > $2" for dot in (" .", "")]
lines += ["O DaemonPortOptions=Family=inet,Name=MTA,Addr=127.0.0.1,Port=25", "O MinQueueAge=0", "O QueueLA=99", "O RefuseLA=99",
          "O ServiceSwitchFile=/etc/mail/service.switch-nodns", "O Timeout.hoststatus=1s", ""]
with open(path, "w", encoding="utf-8") as file:
    file.write("\n".join(lines))
P
}
configure 127.0.0.3
echo 'hosts files' >/etc/mail/service.switch-nodns
# sendmail calls a host by the first of its names.
sed -i 's/^127.0.0.4 .*/127.0.0.4 ok.test\n127.0.0.6 back.test/' /etc/hosts
: >/etc/mail/local-host-names
sendmail -bd -Am && sleep 1
id_of() { grep -l "^R.*[:<]$1@" $Q/[qhQ]f* 2>/dev/null | head -1 | sed 's/.*[qhQ]f//'; }
idle() { ! pgrep -f 'sendmail: .*(client|running queue|from queue|user open|startup|DATA|[0-9] [^ ]+ )'; }
flush() { timeout 60 sendmail -Am -q >/dev/null 2>&1; wait_for 40 idle; }
# made TAG SENDER [RECIPIENT…]: a message that was put off, its ID in ID.
made() {
  letter "$1" "$2" "$1@grey.test" "${@:3}"
  is_queued() { ID=$(id_of "$1") && [ -n "$ID" ]; }
  wait_for 10 is_queued "$1"
  wait_for 10 tried "$ID"
}
tried() { grep -q '^N[1-9]' "$Q/qf$1"; }

say "what is repaired or released arrives"
made held1 a@lab.test && sendmail -Am -Qlab "-qI$ID" && HELD1=$ID && to_arrive held1 held1@grey.test
made loose1 a@lab.test && chmod 666 "$Q/qf$ID" && LOOSE1=$ID && to_arrive loose1 loose1@grey.test
made lost1 a@lab.test && chmod 666 "$Q/qf$ID" && timeout 20 sendmail -Am "-qI$ID" && LOST1=$ID && to_arrive lost1 lost1@grey.test
made owner1 a@lab.test && chown labuser:labuser "$Q/qf$ID" && chmod 666 "$Q/qf$ID" && OWNER1=$ID && to_arrive owner1 owner1@grey.test
made moved1 a@lab.test okmoved1@grey.test && mkdir -p $Q/q1 && mv "$Q/qf$ID" "$Q/df$ID" $Q/q1/ && MOVED1=$ID
to_arrive moved1 moved1@grey.test && to_arrive moved1 okmoved1@grey.test
made hidden1 a@lab.test && sed -i '/^V/a qlab' "$Q/qf$ID" && HIDDEN1=$ID && to_arrive hidden1 hidden1@grey.test
cp /usr/sbin/sendmail-mta /lab/sendmail
chmod 755 /lab/sendmail
LATER="env LD_PRELOAD=$(ls /usr/lib/*/faketime/libfaketime.so.1) FAKETIME=+400d /lab/sendmail -Am -i -odi"
SENDMAIL=$LATER letter future1 a@lab.test future1@grey.test && FUTURE1=$(id_of future1) && to_arrive future1 future1@grey.test
[ -e "$Q/Qf$LOST1" ] || echo "FAILED: $LOST1 was not set aside"
writes_nothing "a plan" /lab/ghostq requeue $HERE --state $STATE --quiet
chmod 755 $Q
writes_nothing "a plan of somebody else" setpriv --reuid labuser --regid labuser --clear-groups /lab/ghostq requeue $HERE --state $STATE --quiet
[ ! -e $STATE ] && echo "ok: no state folder comes of planning" || echo "FAILED: planning made a state folder"
for ID in $HELD1 $LOOSE1 $LOST1 $OWNER1 $MOVED1 $HIDDEN1 $FUTURE1; do act requeue "$ID" $HERE; done
wait_for 20 idle
accept_all
flush
arrived 30

say "undo"
if /lab/ghostq undo --apply --state $STATE 2>&1 | tr '\n' ' ' | tee /lab/undo.out | grep -q 'cannot be taken back\|handed in'; then
  echo "ok: what was sent is not taken back"
else
  echo "FAILED: undo"; cat /lab/undo.out
fi
refuse_again

say "the submission program's queue"
pkill -f 'sendmail: .*accepting'
sleep 1
SENDMAIL="/usr/sbin/sendmail -i" letter sub2 labuser@lab.test sub2@grey.test && to_arrive sub2 sub2@grey.test
sendmail -bd -Am && sleep 1
sendmail -bp >/lab/default.txt
for ID in $(ls $C | sed -n 's/^qf//p'); do act requeue "$ID" --spool $C --listing /lab/default.txt; done
wait_for 20 idle
accept_all
flush
arrived 30
refuse_again

say "what is returned"
BACK=okback@back.test
made nheld $BACK && sendmail -Am -Qlab "-qI$ID" && A=$ID && to_return nheld $BACK
made nloose $BACK && chmod 666 "$Q/qf$ID" && B=$ID && to_return nloose $BACK
made nlost $BACK && chmod 666 "$Q/qf$ID" && timeout 20 sendmail -Am "-qI$ID" && D=$ID && to_return nlost $BACK
made nbody $BACK && rm "$Q/df$ID" && E=$ID && to_return nbody $BACK
made nmoved $BACK oknmoved@grey.test && mv "$Q/qf$ID" "$Q/df$ID" $Q/q1/ && F=$ID && to_return nmoved $BACK && to_arrive nmoved oknmoved@grey.test
SENDMAIL=$LATER letter nfuture $BACK nfuture@grey.test && G=$(id_of nfuture) && to_return nfuture $BACK
made nfull $BACK && sendmail -Am -Qlab "-qI$ID" && H=$ID && to_return nfull $BACK
made nother $BACK && sendmail -Am -Qlab "-qI$ID" && I=$ID && to_return nother okpostmaster@back.test
# A report that is put off itself has to come, too.
made nlater grey@back.test && chmod 666 "$Q/qf$ID" && J=$ID && to_return nlater grey@back.test
refused 'quarantine of a filter' ndr "$A" $HERE
act ndr "$A" $HERE --allow-backscatter
for ID in $B $D $E $F $G $J; do act ndr "$ID" $HERE; done
act ndr "$H" $HERE --ret full --allow-backscatter
act ndr "$I" $HERE --ndr-to okpostmaster@back.test
python3 - "$BACK" <<'P'
import smtplib, sys
with open("/lab/sent/nfar", "w") as file: file.write("from afar\n")
smtplib.SMTP("127.0.0.1", 25).sendmail(sys.argv[1], ["nfar@grey.test"], "Subject: x\r\nX-Tag: nfar\r\nMessage-ID: <nfar@x>\r\n\r\nfrom afar\r\n")
P
wait_for 10 is_queued nfar
wait_for 10 tried "$ID"
chmod 666 "$Q/qf$ID"
act ndr "$ID" $HERE && to_return nfar $BACK
wait_for 30 idle
flush
accept_all
flush
arrived 30
for lost in /root/dead.letter /var/lib/sendmail/dead.letter /var/tmp/dead.letter; do
  [ ! -s $lost ] || { echo "FAILED: a report ended in $lost"; cat $lost; }
done
refuse_again

say "what is refused"
r() { made "$1" a@lab.test && to_stay "$1"; }
r unf && mv "$Q/qf$ID" "$Q/tf$ID" && R1=$ID
r emp && : >"$Q/qf$ID" && R2=$ID
r dfo && rm "$Q/qf$ID" && R3=$ID
r nod && rm "$Q/df$ID" && R4=$ID
r cor && truncate -s 200 "$Q/qf$ID" && R5=$ID
r bak && mv "$Q/qf$ID" "$Q/qf$ID.backup" && R6=$ID
r sid && rm "$Q/qf$ID" "$Q/df$ID" && touch "$Q/xf$ID" && R7=$ID
r blo && sed -i '/^S/d' "$Q/qf$ID" && R8=$ID
r jou && cp "$Q/qf$ID" "$Q/tf$ID" && touch -d '3 hours ago' $Q/[tqd]f"$ID" && R9=$ID
r pro && sed -i 's/^\(RPFD:\).*/\1|\/bin\/true/' "$Q/qf$ID" && chmod 666 "$Q/qf$ID" && R10=$ID
r two && ln "$Q/qf$ID" "$Q/qf${ID}x" && R11=$ID
made lck labuser@lab.test && to_arrive lck lck@grey.test && R12=$ID
all_refused() {
  refused 'not finished' requeue "$R1" $HERE
  refused 'no bytes' requeue "$R2" $HERE
  refused 'a data file alone' requeue "$R3" $HERE
  refused 'a data file alone' ndr "$R3" $HERE
  refused 'would have no body' requeue "$R4" $HERE
  refused 'not whole' requeue "$R5" $HERE
  refused 'old copy of a control file' requeue "$R6" $HERE
  refused 'a transcript is all' requeue "$R7" $HERE
  refused 'every queue run dies' requeue "$R8" $HERE
  refused 'who was served in it' requeue "$R9" $HERE
  refused 'names a program' requeue "$R10" $HERE
  refused 'under a name of sendmail' requeue "${R11}x" $HERE
  refused 'healthy in the queue' requeue "$R12" $HERE
}
writes_nothing "what is refused" all_refused
cat /lab/nothing.out
writes_nothing "what is refused is not applied" /lab/ghostq requeue "$R1" "$R2" "$R3" "$R4" "$R5" "$R6" "$R7" "$R8" "$R9" "$R10" $HERE --apply --state $STATE
for ID in $R1 $R2 $R3 $R4 $R5 $R6 $R7 $R8 $R9 $R10 $R11; do rm -f $Q/?f"$ID"*; done

say "what sendmail works on"
letter slow1 a@lab.test slow1@slow.test && to_arrive slow1 slow1@slow.test
hangs() { pgrep -f 'sendmail: .*127.0.0.3.*client DATA'; }
wait_for 15 hangs
ID=$(id_of slow1)
chmod 666 "$Q/qf$ID"
writes_nothing "what is locked" /lab/ghostq requeue "$ID" $HERE --apply --state /lab/other-state
grep -q 'working on this message right now\|no rule speaks' /lab/nothing.out && echo "ok: the lock of sendmail is respected" || { echo "FAILED: the lock"; cat /lab/nothing.out; }
pkill -9 -f 'sendmail: .*127.0.0.3'
configure 127.0.0.5
sleep 1
act requeue "$ID" $HERE
accept_all
flush
arrived 30

say "other doors"
refuse_again
for n in 1 2 3 4; do made door$n a@lab.test && mv "$Q/qf$ID" "$Q/df$ID" $Q/q1/ && to_arrive door$n door$n@grey.test && eval "V$n=$ID"; done
act requeue "$V1" $HERE --via smtp://127.0.0.1:25
act requeue "$V2" $HERE --via smtp://127.0.0.4:25
refused '1 more' requeue --rule other-queue $HERE --max 1
/lab/ghostq requeue --rule other-queue $HERE --canary --apply --state $STATE >/lab/canary.out 2>&1
[ "$(ls $Q/q1/qf* | wc -l)" = 1 ] && echo "ok: a canary is one message" || { echo "FAILED: the canary"; cat /lab/canary.out; }
/lab/ghostq resume --state $STATE >>/lab/canary.out 2>&1 || { echo "FAILED: resume after the canary"; cat /lab/canary.out; }
wait_for 20 idle
accept_all
flush
arrived 30

say "killed at random: handed in"
refuse_again
for n in $(seq 25); do letter kill$n a@lab.test kill$n@grey.test && to_arrive kill$n kill$n@grey.test; done
wait_for 40 idle
for n in $(seq 25); do ID=$(id_of kill$n) && mv "$Q/qf$ID" "$Q/df$ID" $Q/q1/; done
# What is taken leaves the queue at once, so that only what arrived can tell.
accept_all
killed_and_settled 15 requeue --rule other-queue $HERE
wait_for 20 idle
flush
arrived 40

say "killed at random: repaired"
refuse_again
for n in $(seq 25); do letter fix$n a@lab.test fix$n@grey.test && to_arrive fix$n fix$n@grey.test; done
wait_for 40 idle
for n in $(seq 25); do chmod 666 "$Q/qf$(id_of fix$n)"; done
killed_and_settled 15 requeue --rule wrong-owner-or-mode $HERE
wait_for 20 idle
accept_all
flush
arrived 40
[ -z "$(find $Q $C -type f)" ] && echo "ok: the queues are empty" || { echo "FAILED: something is left"; find $Q $C -type f; }
say "done"
