# In the chroot: Postfix with short retry times. Arguments: seconds, messages a second, standing messages, seed.
set -u
cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf
postconf -e compatibility_level=3.6 myhostname=lab.test mydestination= inet_interfaces=127.0.0.1 inet_protocols=ipv4 \
  'relayhost=[127.0.0.2]:25' maillog_file=/var/log/postfix.log smtp_dns_support_level=disabled smtp_host_lookup=native \
  'transport_maps=texthash:/etc/postfix/transport' alias_maps= local_recipient_maps= mynetworks=127.0.0.0/8 \
  disable_dns_lookups=yes in_flow_delay=0 queue_run_delay=5s minimal_backoff_time=15s maximal_backoff_time=300s
printf 'ok.test smtp:[127.0.0.4]:25\nagain.test smtp:[127.0.0.6]:25\n' >/etc/postfix/transport
touch /var/log/postfix.log
chown postfix /var/log/postfix.log
postfix start || exit 1
python3 /lab/load.py postfix "$@"
code=$?
postfix stop
exit "$code"
