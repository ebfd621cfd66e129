# dma: greylisted mail, then halves, damage, wrong owners, a killed writer.
. /lab/inside.sh
SENDMAIL="/usr/sbin/sendmail -i"
S=/var/spool/dma
SCAN=$S

say "setup"
printf 'SMARTHOST 127.0.0.5\nPORT 25\n' >/etc/dma/dma.conf
# Each message has a process of its own, which locks it and sleeps between attempts: `dma -q` retries what has lost its own.
quiet() { pkill -9 -x dma; pkill -9 -x sendmail; sleep 0.5; }

say "baseline"
mail 50 grey grey.test
mail 10 multi grey.test extra@dead.test
sleep 3
healthy "70 deferred messages"

say "flow"
flow() {
  while [ ! -e /lab/stop ]; do
    mail 2 okflow ok.test
    mail 1 flow grey.test
    pkill -9 --older 1 -x sendmail && echo killed
    timeout 5 dma -q &
    sleep 0.0$((RANDOM % 10))
    pkill -9 -x dma && echo killed
    sleep 0.2
  done
}
calm flow
sleep 1
quiet

say "ghosts"
set -- $(ls $S | grep '^Q' | sed 's/^Q//' | head -8)
rm "$S/Q$1" && expect body-without-envelope "$1"
rm "$S/M$2" && expect envelope-without-body "$2"
: >"$S/M$3" && expect empty-file "$3"
truncate -s 20 "$S/Q$4" && expect corrupt "$4"
: >"$S/Q$5" && expect corrupt "$5"
chown root:root "$S/Q$6" "$S/M$6" && chmod 600 "$S/Q$6" "$S/M$6" && expect wrong-owner-or-mode "$6"
touch -d '+90 days' "$S/Q$7" && expect future-time "$7"
mv "$S/Q$8" "$S/old.Q$8" && expect foreign-name "old.Q$8" && expect body-without-envelope "$8"
(printf 'Subject: half\n\n'; yes a line of text | head -20000; sleep 20) | $SENDMAIL -f a@lab.test half@grey.test &
being_written() { [ -n "$(find $S -name 'tmp_*' -size +16k)" ]; }
wait_for 10 being_written
quiet
expect unfinished "$(find $S -name 'tmp_*' -printf '%f\n' | head -1)"
pkill -x sleep
sleep 6 # so long a pair that was touched last may be one in the making
compare
say "done"
