# Courier: greylisted mail, then halves, lost links in msgq, damage, wrong owners, a killed writer.
. /lab/inside.sh
SENDMAIL="/usr/sbin/sendmail"
S=/var/lib/courier
SCAN=$S

say "setup"
printf 'ok.test:127.0.0.4,25\n:127.0.0.2,25\n' >/etc/courier/esmtproutes
echo lab.test >/etc/courier/me
echo lab.test >/etc/courier/defaultdomain
: >/etc/courier/locals
chown courier:courier /etc/courier/esmtproutes
mkdir -p /run/courier /etc/courier/aliases
chown courier /run/courier
makealiases
courier start
sleep 2
# Control files that no process has open: an idle courieresmtp keeps its last one, and what is in use is no suspect.
at_rest() { comm -23 <(grep -rl --include='C*' '^rgrey' $S/msgs | sort) <(readlink /proc/[0-9]*/fd/* | sort -u); }
# The queue ID stands in the control file itself.
id_of() { sed -n 's/^M//p' "$1" | head -1; }
link_of() { find $S/msgq -samefile "$1"; }
# courieresmtp is one process that takes orders, whose children deliver; without it courierd would end.
deliverers() { for pid in $(pgrep -x courieresmtp); do pgrep -x -P "$pid" courieresmtp; done; }
idle() { [ -z "$(find $S/tmp -type f -name '[CD0-9]*')" ]; }

say "baseline"
mail 60 grey grey.test
mail 10 multi grey.test extra@dead.test
wait_for 30 idle
sleep 2
healthy "70 deferred messages"

say "flow"
flow() {
  while [ ! -e /lab/stop ]; do
    mail 2 okflow ok.test
    mail 1 flow grey.test
    courier flush
    sleep 0.3
    kill -9 $(deliverers) && echo killed
  done
}
calm flow
wait_for 30 idle
sleep 5

say "ghosts"
(printf 'Subject: half\n\n'; yes a line of text | head -20000; sleep 20) | $SENDMAIL -f a@lab.test half@grey.test &
being_written() { HALF=$(find $S/tmp -type f -name '*.lab.test') && [ -n "$HALF" ]; }
wait_for 10 being_written
sleep 1
pkill -9 -x submit
expect unfinished "$(id_of "$HALF")"
set -- $(at_rest)
expect body-without-envelope "D${1##*/C}" && rm "$(link_of "$1")" "$1"
expect envelope-without-body "$(id_of "$2")" && rm "${2%/C*}/D${2##*/C}"
expect missing-part "$(id_of "$3")" && rm "$(link_of "$3")"
expect wrong-owner-or-mode "$(id_of "$4")" && chown root:root "$4" && chmod 600 "$4"
expect corrupt "C${5##*/C}" && : >"$5"
expect empty-file "$(id_of "$6")" && : >"${6%/C*}/D${6##*/C}"
expect misfiled "$(id_of "$7")" && mkdir -p $S/msgs/x && mv "$7" "${7%/C*}/D${7##*/C}" $S/msgs/x/
pkill -x sleep
sleep 6
compare
courier stop
say "done"
