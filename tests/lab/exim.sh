# Exim: greylisted and refused mail, then frozen mail, halves, damage, a named queue, foreign and wrong names.
. /lab/inside.sh
SENDMAIL="/usr/sbin/exim4 -i"
S=/var/spool/exim4
I=$S/input
SCAN=$S

say "setup"
cat >/etc/exim4/exim4.conf <<C
primary_hostname = lab.test
keep_environment = LD_PRELOAD : FAKETIME
add_environment = PATH=/usr/bin:/bin
spool_directory = $S
log_file_path = /var/log/exim4/%slog
local_interfaces = 127.0.0.1
acl_smtp_rcpt = acl_ok
split_spool_directory = true
remote_max_parallel = 1
begin acl
acl_ok:
  warn local_parts = ^named
       queue = quarantine
  accept
begin routers
all:
  driver = manualroute
  route_list = dead.test 127.0.0.1 ; slow.test 127.0.0.3 ; ok.test 127.0.0.4 ; * 127.0.0.2
  transport = \${if eq{\$domain}{dead.test}{deadsmtp}{smtp}}
  self = send
begin transports
smtp:
  driver = smtp
  port = 25
deadsmtp:
  driver = smtp
  port = 9
begin retry
* * F,2h,15m; G,16h,1h,1.5; F,4d,6h
C
exim4 -bd -oP /run/exim.pid
: >>/var/log/exim4/paniclog
chown Debian-exim /var/log/exim4/*log
sleep 1
id_of() { exim4 -bp | grep -B1 "^ *$1@" | sed -n 's/^ *[0-9]*[mhd] *[^ ]* *\([^ ]*\).*/\1/p' | head -1; }
file_of() { find $I -name "$1-$2"; }
queued() { [ "$(exim4 -bpc)" -ge "$1" ]; }
idle() { ! pgrep -f 'exim4 -(Mc|q|i)'; }

say "baseline"
mail 60 grey grey.test
mail 20 dead dead.test
mail 10 multi grey.test extra@dead.test
wait_for 30 queued 90
wait_for 30 idle
healthy "90 deferred messages"

say "flow"
# What is killed is a delivery that hangs after DATA, and as a whole: killed while it removes a message that it has delivered
# it leaves a ghost, and a message whose transport alone is killed Exim itself freezes.
flow() {
  while [ ! -e /lab/stop ]; do
    mail 2 flow ok.test
    mail 1 flow grey.test
    mail 1 flow slow.test
    exim4 -Rff grey.test
    sleep 0.2
    pkill -9 --older 1 -f 'exim4 -Mc' && echo killed
  done
}
calm flow
pkill -9 -f 'exim4 -Mc'
wait_for 60 idle

say "ghosts"
python3 /lab/half.py 25 half@lab.test half@grey.test 20 &
being_written() { [ -n "$(find $I -name '*-D' -size +16k)" ]; }
wait_for 10 being_written
HALF=$(basename "$(find $I -name '*-D' -size +16k)" -D)
kill -9 "$(pgrep -f 'exim4 -bd' | tail -1)"
kill $! 2>/dev/null
expect body-without-envelope "$HALF"
printf 'Subject: journal\n\nx\n' | $SENDMAIL -f a@lab.test journal@ok.test slow@slow.test
journal() { find $I -name '*-J' -size +0 | grep -q .; }
wait_for 10 journal
sleep 0.5
pkill -9 -f 'exim4 -Mc'
J=$(basename "$(find $I -name '*-J' -size +0)" -J)
touch -d '-2 hours' "$(file_of "$J" J)" "$(file_of "$J" H)" "$(file_of "$J" D)" "$(find $S/msglog -name "$J")"
expect delivery-journal-left "$J"
next 11 && exim4 -Mf "$ID" && expect held "$ID"
next 12 && rm "$(file_of "$ID" H)" && expect body-without-envelope "$ID"
next 13 && rm "$(file_of "$ID" D)" && expect envelope-without-body "$ID"
next 14 && truncate -s 300 "$(file_of "$ID" H)" && expect corrupt "$ID"
next 15 && truncate -s 5 "$(file_of "$ID" D)" && expect corrupt "$ID"
next 16 && : >"$(file_of "$ID" H)" && expect empty-file "$ID"
next 17 && chown 4321 "$(file_of "$ID" H)" "$(file_of "$ID" D)" && chmod 600 "$(file_of "$ID" H)" &&
  expect wrong-owner-or-mode "$ID"
next 18 && H=$(file_of "$ID" H) && mv "$H" "$H.bak" && mv "${H%H}D" "${H%H}D.bak" && expect foreign-name "$ID"
next 19 && H=$(file_of "$ID" H) && mv "$H" "$(dirname "$H")/hdr.$ID" && expect foreign-name "$ID"
next 20 && mkdir -p $I/old && mv "$(file_of "$ID" H)" "$(file_of "$ID" D)" $I/old/ && expect foreign-name "$ID"
next 21 && H=$(file_of "$ID" H) && LONG=$(echo "$ID" | sed 's/^\(......\)-\(......\)-\(..\)$/\1-00000\2-00\3/') &&
  sed -i "1s/$ID/$LONG/" "$H" "${H%H}D" && mv "$H" "${H%"$ID"-H}$LONG-H" && mv "${H%H}D" "${H%"$ID"-H}$LONG-D" &&
  rm "$(find $S/msglog -name "$ID")" && chown Debian-exim:Debian-exim "${H%"$ID"-H}$LONG-"? && expect foreign-name "$LONG"
next 22 && H=$(file_of "$ID" H) && A=$(dirname "$(dirname "$H")") && B=x && [ "$(basename "$(dirname "$H")")" = x ] && B=y
mkdir -p $I/$B && chown Debian-exim:Debian-exim $I/$B && mv "$H" "${H%H}D" "$A/$B/" && expect misfiled "$ID"
next 23 && rm "$(file_of "$ID" H)" "$(file_of "$ID" D)" && expect orphan-side-file "$ID"
LD_PRELOAD=$(ls /usr/lib/*/faketime/libfaketime.so.1) FAKETIME=+400d $SENDMAIL -odq -f a@lab.test future1@grey.test <<M
Subject: future

x
M
expect future-time "$(basename "$(grep -rl 'future1@' $I --include='*-H')" -H)"
python3 - <<'P'
import socket
server = socket.create_connection(("127.0.0.1", 25))
answers = server.makefile("rb")
answers.readline()
for command in ("HELO x", "MAIL FROM:<a@lab.test>", "RCPT TO:<named1@grey.test>", "DATA", "Subject: q\r\n\r\nx\r\n.", "QUIT"):
    server.sendall(command.encode() + b"\r\n")
    answers.readline()
P
named() { find $S/quarantine -name '*-H' | grep -q .; }
wait_for 10 named
expect other-queue "$(basename "$(find $S/quarantine -name '*-H')" -H)"
wait_for 20 idle
sleep 1
compare
pkill -x exim4

say "forecast"
MALFORMED=$(sed -n 's/^corrupt //p' /lab/expected | while read -r ID; do find $I -name "$ID-H" -size -301c; done | head -1)
EMPTY=$(file_of "$(sed -n 's/^empty-file //p' /lab/expected)" H)
forecast --as-of "@$(date +%s)"
foretold queue_run destroyed now 0
foretold queue_run destroyed later 2
forecast --as-of "@$(($(date +%s) + 5 * 86400))"
foretold queue_run destroyed now 2
# A run of the one message: one of the whole queue would return everything else, which takes minutes.
for H in "$MALFORMED" "$EMPTY"; do
  ID=$(basename "$H" -H)
  exim4 -q "$ID" "$ID"
  came "$ID stays for now" there "$H"
  LD_PRELOAD=$(ls /usr/lib/*/faketime/libfaketime.so.1) FAKETIME=+5d timeout 60 exim4 -q "$ID" "$ID"
done
came "the malformed envelope is deleted" gone "$MALFORMED"
came "the empty envelope is deleted" gone "$EMPTY"
came "with their bodies" gone "${EMPTY%H}D"
say "done"
