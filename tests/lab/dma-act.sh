# dma: what is requeued arrives once, what is returned is reported once, what is refused stays as it is.
. /lab/inside.sh
. /lab/acting.sh
. /lab/alone.sh
SENDMAIL="/usr/sbin/sendmail -i"
S=/var/spool/dma

say "setup"
to() { printf 'SMARTHOST %s\nPORT 25\n' "$1" >/etc/dma/dma.conf; }
to 127.0.0.2
# Each message has a process of its own, which locks it and sleeps between attempts: without it nothing happens until `dma -q`.
quiet() { sleep 0.7; pkill -9 -x dma; pkill -9 -x sendmail; sleep 0.3; }
flush() { dma -q; }
# Of the content there is one name a recipient; the ID is that of the first.
id_of() { grep -lx "X-Tag: $1" $S/M* | head -1 | sed 's/.*\/M//'; }
ids_of() { for tag in "$@"; do grep -lx "X-Tag: $tag" $S/M* | sed 's/.*\/M//'; done; }
truth() { grep -rqF -e "$1;" -e "$1@" --include='M*' $S && echo sent || { grep -rqF -e "$1;" -e "$1@" /lab/received && echo sent; }; }
report() { /lab/ghostq ndr "$@" --spool $S --state $STATE --quiet; }
VIA="--via smtp://127.0.0.4:25"

say "requeue"
KINDS="owner future expired deferred"
for kind in $KINDS; do letter $kind $kind@back.test $kind@grey.test; done
letter several several@back.test several1@grey.test several2@other.test several3@third.test
quiet
chown root:root $S/[QM]$(id_of owner) && chmod 600 $S/[QM]$(id_of owner)
touch -d '+90 days' $S/Q$(id_of future)
touch -d '-20 days' $S/Q$(id_of expired)
for kind in owner future expired; do to_arrive $kind $kind@grey.test; done
# Two of three have lost their rights; the third goes on by itself.
set -- $(ids_of several)
for id in $1 $2; do chown root:root $S/Q$id && chmod 600 $S/Q$id; done
IDS="$1 $2"
for n in "1 grey" "2 other" "3 third"; do to_arrive several several${n% *}@${n#* }.test; done
to_arrive deferred deferred@grey.test
IDS="$(id_of owner) $(id_of future) $(id_of expired) $IDS"
unchanged "a dry run" /lab/ghostq requeue $IDS --spool $S --state $STATE --quiet
cat /lab/unchanged.out
unchanged "a dry run of a return" report $IDS --allow-backscatter
cat /lab/unchanged.out
says "cannot be told" report $(id_of owner) --allow-backscatter
says "via smtp://" report $(id_of owner) --allow-backscatter
unchanged "a dry run by somebody else" setpriv --reuid labuser --regid labuser --clear-groups /lab/ghostq requeue --spool $S --quiet
tail -3 /lab/unchanged.out
for kind in owner future expired; do undone "$kind" requeue "$(id_of $kind)"; done
act requeue $IDS
sleep 1
[ -z "$(ls /lab/received)" ] && echo "ok: a repair does not run dma, which would try all the rest" || echo "FAILED: something was sent"
accept_all
flush
arrived 20
refuse_again
cp /lab/act.one /lab/first.one; cat /lab/first.one

say "return"
for tag in rbare rexpired rfull rowner rnull rempty rmany; do letter $tag $tag@back.test $tag@grey.test; done
letter rtwo rtwo@back.test rtwo1@grey.test rtwo2@grey.test
quiet
id_of rbare >/lab/rbare; rm $S/M$(cat /lab/rbare)
sleep 6 # so long a Q file without content may be one in the making
touch -d '-20 days' $S/Q$(id_of rexpired) $S/Q$(id_of rfull)
chown root:root $S/[QM]$(id_of rowner) && chmod 600 $S/[QM]$(id_of rowner)
touch -d '+90 days' $S/Q$(id_of rnull)
id_of rempty >/lab/rempty; : >$S/M$(cat /lab/rempty)
to_return rexpired rexpired@back.test
to_return rfull rfull@back.test
to_return rowner rowner@back.test
to_return rnull postmaster@back.test
act ndr $(id_of rexpired) $(id_of rowner) --allow-backscatter $VIA
act ndr $(id_of rfull) --allow-backscatter --ret full $VIA
act ndr $(id_of rnull) --ndr-to postmaster@back.test $VIA
# Of these only the envelope is left, and no tag.
act ndr $(cat /lab/rbare) $(cat /lab/rempty) --allow-backscatter $VIA
no_undo "handed in"
for tag in rbare rempty; do
  count=$(grep -l "\"$tag@back.test\"" /lab/received/*.json 2>/dev/null | wc -l)
  [ "$count" = 1 ] && echo "ok: one report about $tag, of which there is no content" || echo "FAILED: $count reports about $tag"
done
# One of two recipients is returned, the other gets it.
set -- $(ids_of rtwo)
touch -d '-20 days' $S/Q$1
GONE=$(sed -n 's/^Recipient: //p' $S/Q$1); LEFT=$(sed -n 's/^Recipient: //p' $S/Q$2)
echo "  of rtwo $GONE is returned and $LEFT waits"
act ndr $1 --allow-backscatter $VIA
to_return rtwo rtwo@back.test
to_arrive rtwo $LEFT
to_arrive rmany rmany@grey.test
accept_all
flush
arrived 10
refuse_again

say "refused"
for tag in empty cut line nobody gone slow; do letter $tag $tag@back.test $tag@grey.test && to_stay $tag; done
quiet
EMPTY=$(id_of empty); : >$S/M$EMPTY
LINE=$(id_of line); truncate -s -1 $S/M$LINE; touch -d '+90 days' $S/Q$LINE
CUT=$(id_of cut); truncate -s 20 $S/Q$CUT
NOBODY=$(id_of nobody); rm $S/Q$NOBODY
GONE=$(id_of gone); rm $S/M$GONE
sleep 6
(printf 'Subject: half\n\n'; yes a line of text | head -20000; sleep 20) | $SENDMAIL -f a@lab.test half@grey.test &
being_written() { [ -n "$(find $S -name 'tmp_*' -size +16k)" ]; }
wait_for 10 being_written
quiet
HALF=$(find $S -name 'tmp_*' -printf '%f\n' | head -1)
refused "it has no bytes\|content has no bytes" requeue $EMPTY
refused "last line has no end" requeue $LINE
refused "envelope is damaged" requeue $CUT
refused "not known" requeue $NOBODY
refused "its content is gone" requeue $GONE
refused "never queued" requeue $HALF
refused "healthy in the queue" requeue $(id_of slow)
unchanged "refusals" /lab/ghostq requeue $EMPTY $LINE $CUT $NOBODY $GONE $HALF --spool $S --apply --quiet --state $STATE
# A half of which the operator knows the envelope.
sed -i '/ nobody /d; / cut /d' /lab/to_arrive
to_arrive nobody nobody@grey.test
to_arrive cut cut@grey.test
act requeue $NOBODY --mail-from nobody@back.test --to nobody@grey.test
act requeue $CUT --mail-from cut@back.test --to cut@grey.test
quiet
rm -f $S/[QM]$EMPTY $S/[QM]$LINE $S/[QM]$GONE $S/$HALF
# A delivery that hangs holds the lock.
to 127.0.0.3
SLOW=$(id_of slow)
touch -d '-20 days' $S/Q$SLOW
dma -q &
sleep 2
/lab/ghostq requeue $SLOW --spool $S --state $STATE --quiet --apply >/lab/locked.out 2>&1
cat /lab/locked.out
says "healthy in the queue\|is locked" cat /lab/locked.out
unchanged "a return while it is sent" /lab/ghostq ndr $SLOW --allow-backscatter $VIA --spool $S --apply --quiet --state $STATE
cat /lab/unchanged.out
quiet
to 127.0.0.2
sed -i '/ slow /d' /lab/to_arrive
to_return slow slow@back.test
act ndr $SLOW --allow-backscatter $VIA
accept_all
flush
arrived 20
refuse_again

say "byte for byte"
rm -f $S/[QM]*
RAW=/lab/raw
{ printf 'Date: Thu, 26 Nov 2026 06:07:28 +0000\nMessage-ID: <odd@lab.test>\nFrom: a@back.test\nSUBJECT: odd\n folded\t\n\n'
  printf 'From the start\n.\n..\nblanks   \neight bits \303\274\377\001\nlone \r return\n\n\n'; } >$RAW
cp $RAW $S/Mabc.1 && chown root:mail $S/Mabc.1 && chmod 660 $S/Mabc.1
/lab/ghostq requeue abc.1 --spool $S --state $STATE --quiet --mail-from a@back.test --to 'b@grey.test'
act requeue abc.1 --mail-from a@back.test --to 'b@grey.test'
quiet
F=$(grep -l 'SUBJECT: odd' $S/M* | head -1)
if tail -c "$(stat -c %s $RAW)" "$F" | cmp - $RAW; then echo "ok: dma took it byte for byte"; else echo "FAILED: what dma wrote"; cat -A "$F"; fi
rm -f $S/[QM]*

say "by SMTP"
for tag in via1 via2 via3; do letter $tag $tag@back.test $tag@grey.test; done
quiet
for tag in via1 via2 via3; do to_arrive $tag $tag@grey.test; rm $S/Q$(id_of $tag); done
N="--mail-from via@back.test"
act requeue $(id_of via1) $N --to via1@grey.test $VIA
act requeue $(id_of via2) $N --to via2@grey.test
quiet
act requeue $(id_of via3) $N --to via3@grey.test --via smtp://127.0.0.4:25
for n in 1 2 3; do letter can$n can$n@back.test can$n@grey.test; done
quiet
for n in 1 2 3; do touch -d '-20 days' $S/Q$(id_of can$n); to_return can$n can$n@back.test; done
/lab/ghostq ndr --rule expired --spool $S --allow-backscatter $VIA --canary --apply --quiet --state $STATE >/lab/canary.out 2>&1
says "2 left" cat /lab/canary.out
/lab/ghostq resume --state $STATE >>/lab/act.out 2>&1
for n in 1 2 3; do letter max$n max$n@back.test max$n@grey.test; done
quiet
for n in 1 2 3; do touch -d '-20 days' $S/Q$(id_of max$n); to_return max$n max$n@back.test; done
/lab/ghostq ndr --rule expired --spool $S --allow-backscatter $VIA --max 2 --apply --quiet --state $STATE >>/lab/act.out 2>&1
[ "$(ls $S/Q* | wc -l)" = 2 ] && echo "ok: --max 2 takes two of three" || { echo "FAILED: --max 2"; ls $S; }
act ndr --rule expired --allow-backscatter $VIA
accept_all
flush
arrived 10
refuse_again

say "killed: repair"
for n in $(seq 25); do letter krep$n krep$n@back.test krep$n@grey.test; done
quiet
for n in $(seq 25); do ID=$(id_of krep$n); chown root:root $S/[QM]$ID && chmod 600 $S/[QM]$ID && to_arrive krep$n krep$n@grey.test; done
killed 15 requeue --rule wrong-owner-or-mode
quiet
accept_all
flush
arrived 20
refuse_again

say "killed: handed in anew"
for n in $(seq 25); do letter kin$n kin$n@back.test kin$n@grey.test; done
quiet
KIN=
for n in $(seq 25); do
  ID=$(id_of kin$n)
  rm "$S/Q$ID" && to_arrive kin$n kin@grey.test
  KIN="$KIN $ID"
done
killed 15 requeue $KIN --mail-from kin@back.test --to kin@grey.test
quiet
accept_all
flush
arrived 20
refuse_again

say "killed: returned by SMTP"
for n in $(seq 25); do letter ksm$n ksm$n@back.test ksm$n@grey.test; done
quiet
for n in $(seq 25); do touch -d '-20 days' $S/Q$(id_of ksm$n) && to_return ksm$n ksm$n@back.test; done
killed 15 ndr --rule expired --allow-backscatter $VIA
accept_all
flush
arrived 5
say "done"
