# nullmailer: greylisted mail, then a killed writer, a refused message, foreign names, an empty and a damaged file.
. /lab/inside.sh
SENDMAIL="/usr/sbin/sendmail"
S=/var/spool/nullmailer
SCAN=$S

say "setup"
echo '127.0.0.5 smtp --port=25' >/etc/nullmailer/remotes
chown mail /etc/nullmailer/remotes
: >/etc/nullmailer/adminaddr
[ -p $S/trigger ] || { mkfifo $S/trigger && chown mail $S/trigger && chmod 622 $S/trigger; }
as_mail() { setpriv --reuid mail --regid mail --clear-groups "$@"; }
as_mail nullmailer-send >>/lab/nullmailer.log 2>&1 &
idle() { ! pgrep -x smtp; }

say "baseline"
mail 60 grey grey.test
mail 10 multi grey.test extra@dead.test
wait_for 30 idle
healthy "70 deferred messages"

say "flow"
flow() {
  while [ ! -e /lab/stop ]; do
    mail 2 okflow ok.test
    mail 1 flow grey.test
    echo 1 >$S/trigger
    sleep 0.2
    pkill -9 -x smtp && echo killed
  done
}
calm flow
wait_for 30 idle
sleep 1

say "ghosts"
pkill -f nullmailer-send
(printf 'a@lab.test\nx@grey.test\n\nSubject: half\n\n'; yes a line of text | head -20000; sleep 20) | as_mail nullmailer-queue &
being_written() { [ -n "$(find $S/tmp -type f -size +16k)" ]; }
wait_for 10 being_written
pkill -9 nullmailer-queu
sleep 0.5
expect unfinished "$(ls $S/tmp | head -1)"
set -- $(ls $S/queue | head -6)
mv "$S/queue/$1" "$S/failed/$1" && expect held "$1"
mv "$S/queue/$2" "$S/queue/.$2" && expect foreign-name "$2"
: >"$S/queue/$3" && expect empty-file "$3"
chown 4321 "$S/queue/$4" && chmod 600 "$S/queue/$4" && expect wrong-owner-or-mode "$4"
truncate -s 20 "$S/queue/$5" && expect corrupt "$5"
touch -d '+90 days' "$S/queue/$6" && expect future-time "$6"
pkill -x sleep
sleep 1
compare
say "done"
