# Sourced in the chroot: starts Postfix on the large spool.
cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf
postconf -e compatibility_level=3.6 myhostname=lab.test mydestination= inet_interfaces=127.0.0.1 inet_protocols=ipv4 \
  maillog_file=/var/log/postfix.log alias_maps= max_idle=3600s
# Nothing is delivered meanwhile: the services that would are not there.
postconf -MX qmgr/unix pickup/unix smtp/inet
# postsuper, which warns of the planted names, cannot make the log.
install -o postfix -m 600 /dev/null /var/log/postfix.log
postfix start >/lab/start.log 2>&1 || { cat /lab/start.log >&2; exit 1; }
sleep 3
for _ in $(seq 100); do pgrep -x postsuper >/dev/null || break; sleep 1; done
postfix status >&2 || exit 1
