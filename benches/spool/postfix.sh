# In the chroot: a Postfix that runs, and what it brings along. Argument: rounds.
S=/var/spool/postfix
. /lab/start-postfix.sh
postqueue -j >/lab/listing
bash /lab/compare.sh postfix $S "$1" <<'C'
postqueue -j	postqueue -j
postqueue -p	postqueue -p
C
postfix stop >/dev/null 2>&1 || true
