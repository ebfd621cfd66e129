# In the chroot: an Exim, and what it brings along. Argument: rounds.
S=/var/spool/exim4
cat >/etc/exim4/exim4.conf <<C
primary_hostname = lab.test
spool_directory = $S
log_file_path = /var/log/exim4/%slog
split_spool_directory = true
queue_list_requires_admin = false
C
exim -bp >/lab/listing
# exiqgrep wants a criterion, else it prints its help and fails: older than a second are all.
bash /lab/compare.sh exim $S "$1" <<'C'
exim -bp	exim -bp
exiqgrep -i	exiqgrep -i -o 1
exipick	exipick
C
