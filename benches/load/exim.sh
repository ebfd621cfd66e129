# In the chroot: Exim with short retry times. Arguments: seconds, messages a second, standing messages, seed.
set -u
cat >/etc/exim4/exim4.conf <<'C'
primary_hostname = lab.test
keep_environment = LD_PRELOAD : FAKETIME
add_environment = PATH=/usr/bin:/bin
spool_directory = /var/spool/exim4
log_file_path = /var/log/exim4/%slog
local_interfaces = 127.0.0.1
acl_smtp_rcpt = acl_ok
split_spool_directory = true
remote_max_parallel = 1
queue_run_max = 1
begin acl
acl_ok:
  warn local_parts = ^named
       queue = quarantine
  warn domains = stand.test
       control = queue_only
  accept
begin routers
all:
  driver = manualroute
  route_list = again.test 127.0.0.6 ; slow.test 127.0.0.3 ; ok.test 127.0.0.4 ; * 127.0.0.2
  transport = smtp
  self = send
begin transports
smtp:
  driver = smtp
  port = 25
begin retry
again.test * F,2h,10s
* * F,4d,5m
C
: >>/var/log/exim4/paniclog
chown Debian-exim /var/log/exim4/*log
exim4 -bd -q2m -oP /run/exim.pid || exit 1
sleep 1
python3 /lab/load.py exim "$@"
code=$?
kill "$(cat /run/exim.pid)"
exit "$code"
