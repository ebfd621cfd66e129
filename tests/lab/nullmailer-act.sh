# nullmailer: what is requeued arrives once, what is returned is reported once, what is refused stays as it is.
. /lab/inside.sh
. /lab/acting.sh
. /lab/alone.sh
SENDMAIL="/usr/sbin/sendmail"
S=/var/spool/nullmailer

say "setup"
to() { echo "$1 smtp --port=25" >/etc/nullmailer/remotes && chown mail /etc/nullmailer/remotes; }
to 127.0.0.2
: >/etc/nullmailer/adminaddr
[ -p $S/trigger ] || { mkfifo $S/trigger && chown mail $S/trigger && chmod 622 $S/trigger; }
as_mail() { setpriv --reuid mail --regid mail --clear-groups "$@"; }
working() { pgrep -x nullmailer-send; }
begin() { as_mail nullmailer-send >>/lab/nullmailer.log 2>&1 & wait_for 5 working; sleep 0.5; }
end() { pkill -x nullmailer-send; pkill -x smtp; sleep 0.5; }
idle() { ! pgrep -x smtp; }
# What was handed in is tried at once; after that nothing moves for a minute.
settle() { sleep 0.5; wait_for 20 idle; }
flush() { echo 1 >$S/trigger; }
file_of() { grep -lx "X-Tag: $1" $S/queue/* $S/queue/.[!.]* $S/failed/* 2>/dev/null | head -1; }
# A dot that was put in front of the name is not part of the ID.
id_of() { basename "$(file_of "$1")" | sed 's/^\.//'; }
ids_of() { for tag in "$@"; do id_of "$tag"; done; }
# The mark is in the spool, or among what arrived.
truth() { grep -rqF -e "$1;" -e "$1@" $S/queue $S/failed /lab/received && echo sent; }
ghost() { # KIND TAG
  local file
  file=$(file_of "$2")
  case $1 in
    held) mv "$file" $S/failed/ ;;
    foreign) mv "$file" "$S/queue/.$(basename "$file")" ;;
    twice) cp -a "$file" "$S/queue/.$(basename "$file")" && : >"$file.tmp" && mv "$file.tmp" "$file" ;;
    owner) chown 4321:4321 "$file" && chmod 600 "$file" ;;
    future) touch -d '+90 days' "$file" ;;
    expired) touch -d '-20 days' "$file" ;;
  esac
}
begin

say "requeue"
KINDS="held foreign owner future"
for kind in $KINDS; do letter $kind $kind@back.test $kind@grey.test; done
letter null '' null@grey.test
letter several several@back.test several1@grey.test several2@other.test
settle
for kind in $KINDS; do ghost $kind $kind && to_arrive $kind $kind@grey.test; done
ghost held null && to_arrive null null@grey.test
ghost held several && to_arrive several several1@grey.test && to_arrive several several2@other.test
IDS=$(ids_of $KINDS null several)
unchanged "a dry run" /lab/ghostq requeue $IDS --spool $S --state $STATE --quiet
cat /lab/unchanged.out
unchanged "a dry run of a return" /lab/ghostq ndr $IDS --spool $S --state $STATE --quiet --allow-backscatter
cat /lab/unchanged.out
unchanged "a dry run by somebody else" setpriv --reuid labuser --regid labuser --clear-groups /lab/ghostq requeue --spool $S --quiet
tail -3 /lab/unchanged.out
for kind in $KINDS; do undone "$kind" requeue "$(id_of $kind)"; settle; done
act requeue $IDS
settle
accept_all
flush
arrived 20
refuse_again

say "return"
RETURNED="rforeign rowner"
for tag in $RETURNED rfull rnull rheld; do letter $tag $tag@back.test $tag@grey.test; done
letter rnull2 '' rnull2@grey.test
settle
ghost foreign rforeign; ghost owner rowner; ghost foreign rfull; ghost held rheld; ghost held rnull2; ghost foreign rnull
for tag in $RETURNED rfull; do to_return $tag $tag@back.test; done
to_return rnull postmaster@back.test
to_return rnull2 postmaster@back.test
refused "nullmailer itself returns" ndr "$(id_of rheld)"
refused "null sender" ndr "$(id_of rnull2)"
act ndr $(ids_of $RETURNED) --allow-backscatter
no_undo "handed in"
act ndr "$(id_of rfull)" --allow-backscatter --ret full
act ndr $(ids_of rnull rnull2) --ndr-to postmaster@back.test
to_stay rheld
settle
accept_all
flush
arrived 20
refuse_again
rm "$(file_of rheld)"

say "refused"
for tag in empty cut envelope linked slow; do letter $tag $tag@back.test $tag@grey.test && to_stay $tag; done
settle
ID_EMPTY=$(id_of empty); : >"$(file_of empty)"
F=$(file_of cut); ID_CUT=$(id_of cut); mv "$F" $S/failed/; truncate -s -3 $S/failed/$ID_CUT
F=$(file_of envelope); ID_ENV=$(id_of envelope); mv "$F" $S/failed/; truncate -s 20 $S/failed/$ID_ENV
ID_LINKED=$(id_of linked); ln "$(file_of linked)" "$S/queue/.$ID_LINKED"
(printf 'a@lab.test\nx@grey.test\n\nSubject: half\n\n'; yes a line of text | head -20000; sleep 20) | as_mail nullmailer-queue &
being_written() { [ -n "$(find $S/tmp -type f -size +16k)" ]; }
wait_for 10 being_written
pkill -9 nullmailer-queu
ID_HALF=$(ls $S/tmp | head -1)
sleep 1
refused "it has no bytes" requeue "$ID_EMPTY"
refused "last line has no end" requeue "$ID_CUT"
refused "envelope is damaged" requeue "$ID_ENV"
refused "has 2 names\|another copy" requeue "$ID_LINKED"
refused "never queued" requeue "$ID_HALF"
touch -d '+90 days' "$(file_of slow)"
refused "may be sending it right now" ndr "$(id_of slow)" --allow-backscatter
touch "$(file_of slow)"
refused "healthy in the queue" requeue "$(id_of slow)"
unchanged "refusals" /lab/ghostq requeue "$ID_EMPTY" "$ID_CUT" "$ID_ENV" "$ID_LINKED" "$ID_HALF" --spool $S --apply --quiet --state $STATE
# A delivery that hangs: nobody can tell it from outside, so that what nullmailer can see is never taken away.
to 127.0.0.3
touch -d '+90 days' "$(file_of slow)"
rm -f $S/queue/$ID_EMPTY "$S/queue/.$ID_LINKED" $S/queue/$ID_LINKED $S/failed/$ID_CUT $S/failed/$ID_ENV $S/tmp/$ID_HALF
flush
sending() { pgrep -x smtp; }
wait_for 10 sending
refused "healthy in the queue" ndr "$(id_of slow)" --allow-backscatter
unchanged "a return while it is sent" /lab/ghostq ndr "$(id_of slow)" --spool $S --allow-backscatter --apply --quiet --state $STATE
end
to 127.0.0.2
sed -i '/ slow /d' /lab/to_arrive
to_return slow slow@back.test
act ndr "$(id_of slow)" --allow-backscatter
accept_all
begin
arrived 20
refuse_again

say "byte for byte"
end
RAW=/lab/raw
{ printf 'From: a@back.test\nBcc: secret@grey.test\nSUBJECT: odd\n folded\t\nX-Long: %s\n\n' "$(head -c 2000 /dev/zero | tr '\0' y)"
  printf 'From the start\n.\n..\nblanks   \neight bits \303\274\377\001\nlone \r return\n\n\n'; } >$RAW
{ printf 'a@back.test\n"one,two"@grey.test\nthree@grey.test\n\n'; cat $RAW; } >$S/failed/1.1
chown mail:mail $S/failed/1.1 && chmod 600 $S/failed/1.1
act requeue 1.1 --offline
F=$(ls $S/queue/* | head -1)
if [ "$(tail -c "$(stat -c %s $RAW)" "$F" | cmp - $RAW && sed '/^Received/,$d' "$F")" = "$(printf 'a@back.test\n"one,two"@grey.test\nthree@grey.test\n\n')" ]; then
  echo "ok: nullmailer-queue took it byte for byte, and its envelope"
else
  echo "FAILED: what nullmailer-queue wrote"
  head -c 600 "$F"
fi
head -8 "$F" | cut -c1-100 | sed 's/^/  /'
rm -f $S/queue/* $S/failed/*

say "by SMTP"
begin
for tag in via1 via2 via3; do letter $tag $tag@back.test $tag@grey.test; done
settle
for tag in via1 via2 via3; do ghost foreign $tag && to_arrive $tag $tag@grey.test; done
end
act requeue "$(id_of via1)" --offline --via smtp://127.0.0.4:25
/lab/ghostq requeue --rule foreign-name --spool $S --offline --via smtp://127.0.0.4:25 --canary --apply --state $STATE >/lab/canary.out 2>&1
says "1 left" cat /lab/canary.out
/lab/ghostq resume --state $STATE >>/lab/act.out 2>&1
arrived 5
for n in 1 2 3; do letter max$n max$n@back.test max$n@grey.test; ghost foreign max$n && to_arrive max$n max$n@grey.test; done
/lab/ghostq requeue --rule foreign-name --spool $S --offline --max 2 --apply --state $STATE >>/lab/act.out 2>&1
[ "$(ls -A $S/queue | grep -c '^\.')" = 1 ] && echo "ok: --max 2 takes two of three" || echo "FAILED: --max 2"
act requeue --rule foreign-name --offline
accept_all
begin
arrived 10

say "killed: repair"
end
for n in $(seq 25); do letter krep$n krep$n@back.test krep$n@grey.test; done
for n in $(seq 25); do ghost held krep$n && to_arrive krep$n krep$n@grey.test; done
begin
killed 15 requeue --rule held
flush
arrived 20

say "killed: handed in anew"
end
for n in $(seq 25); do letter kin$n kin$n@back.test kin$n@grey.test; done
for n in $(seq 25); do ghost held kin$n && to_arrive kin$n kin$n@grey.test; done
killed 15 requeue --rule held --offline
begin
flush
arrived 20

say "killed: by SMTP"
end
for n in $(seq 25); do letter ksm$n ksm$n@back.test ksm$n@grey.test; done
for n in $(seq 25); do ghost held ksm$n && to_arrive ksm$n ksm$n@grey.test; done
killed 15 requeue --rule held --offline --via smtp://127.0.0.4:25
arrived 5
end
say "done"
