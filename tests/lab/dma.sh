# dma: greylisted mail, then halves, damage, a killed writer.
. /lab/inside.sh
SENDMAIL="/usr/sbin/sendmail -i"
S=/var/spool/dma
SCAN=$S

say "setup"
printf 'SMARTHOST 127.0.0.2\nPORT 25\n' >/etc/dma/dma.conf

say "baseline"
mail 40 grey grey.test
mail 10 multi grey.test extra@dead.test
sleep 4
healthy "60 deferred messages"

say "flow"
flow() {
  while [ ! -e /lab/stop ]; do
    mail 2 flow grey.test
    timeout 5 dma -q
    sleep 0.2
  done
}
calm flow
sleep 1
pkill -9 -x dma
pkill -9 -x sendmail
sleep 1

say "ghosts"
set -- $(ls $S | grep '^Q' | sed 's/^Q//' | head -5)
rm "$S/Q$1" && expect body-without-envelope "$1"
rm "$S/M$2" && expect envelope-without-body "$2"
: >"$S/Q$3" && expect empty-file "$3"
truncate -s 20 "$S/Q$4" && expect corrupt "$4"
(printf 'Subject: half\n\n'; yes a line of text | head -20000; sleep 20) | $SENDMAIL -f a@lab.test half@grey.test &
sleep 1.5
pkill -9 -x sendmail
pkill -9 -x dma
sleep 0.5
expect unfinished "$(find $S -name 'tmp_*' -printf '%f\n' | head -1)"
compare
say "done"
