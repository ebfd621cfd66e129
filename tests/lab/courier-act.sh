# Courier: what is requeued arrives once, what is returned is reported once, what is refused stays as it is.
. /lab/inside.sh
. /lab/acting.sh
. /lab/alone.sh
SENDMAIL="/usr/sbin/sendmail"
S=/var/lib/courier

say "setup"
# Addresses in brackets: without, and without a name server, courieresmtp looks for names for minutes and delivers nothing.
printf 'slow.test:[127.0.0.3],25\n:[127.0.0.2],25\n' >/etc/courier/esmtproutes
echo lab.test >/etc/courier/me
echo lab.test >/etc/courier/defaultdomain
: >/etc/courier/locals
chown courier:courier /etc/courier/esmtproutes
mkdir -p /run/courier /etc/courier/aliases
chown courier /run/courier
makealiases
python3 /lab/fakedns.py &
echo 'nameserver 127.0.0.1' >/etc/resolv.conf
courier start
sleep 2
d_of() { grep -lx "X-Tag: $1" $S/msgs/*/D* 2>/dev/null | head -1; }
c_of() { d_of "$1" | sed 's|/D\([0-9]*\)$|/C\1|'; }
id_of() { sed -n 's/^M//p' "$(c_of "$1")" | head -1; }
ids_of() { for tag in "$@"; do id_of "$tag"; done; }
link_of() { find $S/msgq -samefile "$1"; }
idle() { [ -z "$(find $S/tmp -type f -name '[CD0-9]*')" ]; }
# A message is tried at once; an idle courieresmtp holds its last control file open, and what is in use is no suspect.
LAST=0
settle() {
  wait_for 20 idle
  sleep 3
  LAST=$((LAST + 1))
  letter last$LAST last@back.test last@ok.test
  wait_for 20 idle
  sleep 1
}
flush() { courier flush; }
truth() { grep -rqF -e "$1;" -e "$1@" $S/msgs $S/tmp /lab/received && echo sent; }
ghost() { # KIND TAG
  local d c
  d=$(d_of "$2") c=$(c_of "$2")
  case $1 in
    owner) chown root:root "$c" "$d" && chmod 600 "$c" "$d" ;;
    link) rm "$(link_of "$c")" ;;
    control) rm "$c" ;;
    lost) rm "$(link_of "$c")" "$c" ;;
    body) rm "$d" ;;
    misfiled) mkdir -p $S/msgs/x && chown courier:courier $S/msgs/x && mv "$c" "$d" $S/msgs/x/ ;;
    empty) : >"$d" ;;
    corrupt) : >"$c" ;;
  esac
}
sed -i 's|^:\[127|ok.test:[127.0.0.4],25\n:[127|' /etc/courier/esmtproutes

say "requeue"
KINDS="owner link control lost"
for kind in $KINDS; do letter $kind $kind@back.test $kind@grey.test; done
letter several several@back.test several1@grey.test several2@ok.test several3@other.test
settle
IDS=$(ids_of owner link control)
for kind in $KINDS; do ghost $kind $kind && to_arrive $kind $kind@grey.test; done
LOST="D$(d_of lost | sed 's/.*D//')"
ghost link several
IDS="$IDS $(id_of several)"
for n in "1 grey" "2 ok" "3 other"; do to_arrive several several${n% *}@${n#* }.test; done
sleep 6
unchanged "a dry run" /lab/ghostq requeue $IDS $LOST --spool $S --state $STATE --quiet
cat /lab/unchanged.out
unchanged "a dry run of a return" /lab/ghostq ndr $IDS --spool $S --state $STATE --quiet --allow-backscatter
cat /lab/unchanged.out
unchanged "a dry run by somebody else" setpriv --reuid labuser --regid labuser --clear-groups /lab/ghostq requeue --spool $S --quiet
tail -3 /lab/unchanged.out
act requeue $IDS
cat /lab/act.one
act requeue $LOST --mail-from lost@back.test --to lost@grey.test
no_undo "handed in"
accept_all
sleep 2
flush
arrived 20
refuse_again

say "return"
for tag in nowner nlink rcontrol rfull; do letter $tag $tag@back.test $tag@grey.test; done
settle
IDS="$(ids_of nowner nlink)" RC=$(id_of rcontrol) RF=$(id_of rfull)
ghost owner nowner; ghost link nlink; ghost control rcontrol; ghost control rfull
for tag in nowner nlink rcontrol rfull; do to_return $tag $tag@back.test; done
sleep 6
act ndr $IDS --allow-backscatter
cat /lab/act.one
act ndr $RC --allow-backscatter
act ndr $RF --allow-backscatter --ret full
accept_all
sleep 2
flush
arrived 20
refuse_again

say "refused"
for tag in empty corrupt body misfiled; do letter $tag $tag@back.test $tag@grey.test; done
(printf 'Subject: half\n\n'; yes a line of text | head -20000; sleep 20) | $SENDMAIL -f a@lab.test half@grey.test &
being_written() { HALF=$(find $S/tmp -type f -name '*.lab.test') && [ -n "$HALF" ]; }
wait_for 10 being_written
sleep 1
pkill -9 -x submit
# What it leaves in `tmp` stays there.
sleep 5
letter last last@back.test last@ok.test
sleep 4
EMPTY=$(id_of empty) BODY=$(id_of body) MISFILED=$(id_of misfiled) CORRUPT=C$(c_of corrupt | sed 's/.*C//')
for tag in empty corrupt body misfiled; do ghost $tag $tag; done
HALF=$(sed -n 's/^M//p' "$HALF" | head -1)
sleep 6
refused "no bytes" requeue $EMPTY
refused "damaged" requeue $CORRUPT
refused "data file is missing" requeue $BODY
refused "may hold it in memory" requeue $MISFILED
refused "may hold it in memory" ndr $BODY
refused "did not finish" requeue "$HALF"
unchanged "refusals" /lab/ghostq requeue $EMPTY $CORRUPT $BODY $MISFILED "$HALF" --spool $S --apply --quiet --state $STATE
refused "works in this spool" requeue $MISFILED --offline
# A delivery that hangs has its control file open.
letter slow slow@back.test slow@slow.test
sleep 3
SLOW=$(id_of slow)
ghost link slow
refused "healthy in the queue" requeue $SLOW
unchanged "a return while it is sent" /lab/ghostq ndr $SLOW --allow-backscatter --spool $S --apply --quiet --state $STATE
to_stay slow
# courierd ends when its deliveries have, and this one does not.
courier stop
pkill -9 -x courieresmtp
sleep 2
pkill -9 -x courierd
stopped() { ! pgrep -x courierd; }
wait_for 10 stopped
unchanged "offline without a way" /lab/ghostq requeue $MISFILED --offline --spool $S --apply --quiet --state $STATE
cat /lab/unchanged.out
to_arrive misfiled misfiled@grey.test
act requeue $MISFILED --offline --via smtp://127.0.0.4:25
act ndr $BODY --offline --allow-backscatter --via smtp://127.0.0.4:25
count=$(grep -l '"body@back.test"' /lab/received/*.json 2>/dev/null | wc -l)
[ "$count" = 1 ] && echo "ok: one report about what has no content" || echo "FAILED: $count reports about body"
to_stay empty
arrived 5
find $S/msgs $S/msgq $S/tmp/[0-9]* -type f -delete
courier start
sleep 2

say "byte for byte"
RAW=/lab/raw
{ printf 'Received: from x by y; Thu, 26 Nov 2026 06:07:28 +0000\nDate: Thu, 26 Nov 2026 06:07:28 +0000\nMessage-ID: <odd@lab.test>\nFrom: "A (x)" <a@back.test>\nTo: b@grey.test\nBcc: secret@grey.test\nSUBJECT: odd\n folded\t\n\n'
  printf 'From the start\n.\n..\nblanks   \neight bits \303\274\377\001\n\n\n'; } >$RAW
letter raw raw@back.test raw@grey.test
settle
# In place of the content of a message: the number of the file stays.
D=$(d_of raw)
ghost lost raw
cat $RAW >$D
sleep 6
says "writes the field .From. anew" /lab/ghostq requeue "$D" --mail-from a@back.test --to b@grey.test --spool $S --state $STATE
act requeue "$D" --mail-from a@back.test --to b@grey.test
sleep 3
F=$(grep -l 'SUBJECT: odd' $S/msgs/*/D* | head -1)
if [ "$F" = "$D" ]; then echo "FAILED: it was not handed in"; fi
if tail -c "$(stat -c %s $RAW)" "$F" | cmp - $RAW; then echo "ok: Courier took it byte for byte"; else echo "FAILED: what Courier wrote"; diff -a $RAW "$F" | cat -A | head -40; fi
accept_all; flush; sleep 4; refuse_again

say "killed: repair"
for n in $(seq 25); do letter krep$n krep$n@back.test krep$n@grey.test; done
settle
for n in $(seq 25); do ghost link krep$n && to_arrive krep$n krep$n@grey.test; done
sleep 6
killed 15 requeue --rule missing-part
accept_all
sleep 2
flush
arrived 20
refuse_again

say "killed: handed in anew"
for n in $(seq 25); do letter kin$n kin$n@back.test kin$n@grey.test; done
settle
for n in $(seq 25); do ghost lost kin$n && to_arrive kin$n kin@grey.test; done
KIN=$(for n in $(seq 25); do d_of kin$n; done)
sleep 6
killed 15 requeue $KIN --mail-from kin@back.test --to kin@grey.test
accept_all
sleep 2
flush
arrived 20
courier stop
say "done"
