# Courier: greylisted mail, then halves, a lost link in msgq, a killed writer.
. /lab/inside.sh
SENDMAIL="/usr/sbin/sendmail"
S=/var/lib/courier
SCAN=$S

say "setup"
echo ':127.0.0.2,25' >/etc/courier/esmtproutes
echo lab.test >/etc/courier/me
echo lab.test >/etc/courier/defaultdomain
: >/etc/courier/locals
chown courier:courier /etc/courier/esmtproutes
mkdir -p /run/courier /etc/courier/aliases
chown courier /run/courier
makealiases
courier start
sleep 2

say "baseline"
mail 60 grey grey.test
mail 10 multi grey.test extra@dead.test
sleep 8
healthy "70 deferred messages"

say "flow"
flow() {
  while [ ! -e /lab/stop ]; do
    mail 2 flow grey.test
    courier flush
    sleep 0.3
  done
}
calm flow
sleep 4

say "ghosts"
number() { basename "$(find $S/msgs -name 'C*' | sort | sed -n "$1p")" | sed 's/^C//'; }
name_of() { python3 /lab/courier_id.py "$1"; }
A=$(number 1) B=$(number 2) C=$(number 3)
expect body-without-envelope "$(name_of "$A")"
expect envelope-without-body "$(name_of "$B")"
expect missing-part "$(name_of "$C")"
rm "$(find $S/msgs -name "C$A")"
rm "$(find $S/msgs -name "D$B")"
find $S/msgq -samefile "$(find $S/msgs -name "C$C")" -delete
compare
courier stop
say "done"
