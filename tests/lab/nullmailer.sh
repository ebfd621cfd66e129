# nullmailer: greylisted mail, then a killed writer, a refused message, foreign names and an empty file.
. /lab/inside.sh
SENDMAIL="/usr/sbin/sendmail"
S=/var/spool/nullmailer
SCAN=$S

say "setup"
echo '127.0.0.2 smtp --port=25' >/etc/nullmailer/remotes
chown mail /etc/nullmailer/remotes
: >/etc/nullmailer/adminaddr
[ -p $S/trigger ] || { mkfifo $S/trigger && chown mail $S/trigger && chmod 622 $S/trigger; }
sender() { setpriv --reuid mail --regid mail --clear-groups nullmailer-send >>/lab/nullmailer.log 2>&1 & }
sender

say "baseline"
mail 60 grey grey.test
mail 10 multi grey.test extra@dead.test
sleep 6
healthy "70 deferred messages"

say "flow"
flow() {
  while [ ! -e /lab/stop ]; do
    mail 3 flow grey.test
    echo 1 >$S/trigger
    sleep 0.2
  done
}
calm flow
sleep 2

say "ghosts"
pkill nullmailer-send
(printf 'a@lab.test\nx@grey.test\n\nSubject: half\n\n'; yes a line of text | head -20000; sleep 20) |
  setpriv --reuid mail --regid mail --clear-groups nullmailer-queue &
sleep 1.5
pkill -9 nullmailer-queu
sleep 0.5
expect unfinished "$(ls $S/tmp | head -1)"
set -- $(ls $S/queue | head -4)
mv "$S/queue/$1" "$S/failed/$1" && expect held "$1"
mv "$S/queue/$2" "$S/queue/.$2" && expect foreign-name "$2"
: >"$S/queue/$3" && expect empty-file "$3"
chown 4321 "$S/queue/$4" && chmod 600 "$S/queue/$4" && expect wrong-owner-or-mode "$4"
kill %2 2>/dev/null
sleep 1
compare
say "done"
