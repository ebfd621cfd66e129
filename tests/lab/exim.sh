# Exim: greylisted and refused mail, then frozen mail, halves, damage, a named queue, foreign and wrong names.
. /lab/inside.sh
SENDMAIL="/usr/sbin/exim4 -i"
S=/var/spool/exim4
I=$S/input
SCAN=$S

say "setup"
cat >/etc/exim4/exim4.conf <<C
primary_hostname = lab.test
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
  route_data = \${if eq{\$domain}{ok.test}{127.0.0.4}{\${if eq{\$domain}{dead.test}{127.0.0.1}{127.0.0.2}}}}
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

say "baseline"
mail 60 grey grey.test
mail 20 dead dead.test
mail 10 multi grey.test extra@dead.test
wait_for 30 queued 90
sleep 3
healthy "90 deferred messages"

say "flow"
flow() {
  while [ ! -e /lab/stop ]; do
    mail 2 flow ok.test
    mail 1 flow grey.test
    exim4 -qff
    sleep 0.2
  done
}
calm flow
sleep 3

say "ghosts"
A=$(id_of grey11) B=$(id_of grey12) C=$(id_of grey13) D=$(id_of grey14) E=$(id_of grey15) F=$(id_of grey16) G=$(id_of grey17)
exim4 -Mf "$A" && expect held "$A"
rm "$(file_of "$B" H)" && expect body-without-envelope "$B"
rm "$(file_of "$C" D)" && expect envelope-without-body "$C"
truncate -s 300 "$(file_of "$D" H)" && expect corrupt "$D"
: >"$(file_of "$E" H)" && expect empty-file "$E"
chown 4321 "$(file_of "$F" H)" "$(file_of "$F" D)" && chmod 600 "$(file_of "$F" H)" && expect wrong-owner-or-mode "$F"
python3 - <<'P'
import socket
server = socket.create_connection(("127.0.0.1", 25))
answers = server.makefile("rb")
answers.readline()
for command in ("HELO x", "MAIL FROM:<a@lab.test>", "RCPT TO:<named1@grey.test>", "DATA", "Subject: q\r\n\r\nx\r\n.", "QUIT"):
    server.sendall(command.encode() + b"\r\n")
    answers.readline()
P
sleep 1
expect other-queue "$(basename "$(find $S/quarantine -name '*-H')" -H)"
sleep 1
compare
pkill -x exim4
say "done"
