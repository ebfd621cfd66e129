# In the chroot: ghostq and the lower bound on spools of several sizes, one after the other, so that all sizes take turns.
# Arguments: rounds, postfix or exim, sizes. The spools are /lab/scale/SIZE; the last is that of the mail system, too, and its
# own tool makes the listing of it. Then Postfix is stopped: what is measured is ghostq alone.
rounds=$1 kind=$2
shift 2
if [ "$kind" = postfix ]; then
  S=/var/spool/postfix
  . /lab/start-postfix.sh
  postqueue -j >/lab/listing || exit 1
  postfix stop >/dev/null 2>&1
else
  S=/var/spool/exim4
  printf 'primary_hostname = lab.test\nspool_directory = %s\nlog_file_path = /var/log/exim4/%%slog\nsplit_spool_directory = true\n' $S \
    >/etc/exim4/exim4.conf
  exim -bp >/lab/listing
fi
/lab/ghostq scan $S --listing /lab/listing --quiet --format json >/lab/report.json
python3 /lab/answers.py "$kind" $S /lab/listing /lab/report.json /lab/planted >"/lab/out/scale-$kind.answers"
cat "/lab/out/scale-$kind.answers" >&2
for size; do
  for threads in 1 2; do
    many=threads
    [ $threads = 2 ] || many=thread
    printf '%s: ghostq, %s\t/lab/ghostq scan /lab/scale/%s --listing none --threads %s --quiet --format jsonl\n' \
      "$size" "$threads $many" "$size" "$threads"
    printf '%s: ghostq --no-envelopes, %s\t/lab/ghostq scan /lab/scale/%s --no-envelopes --listing none --threads %s --quiet --format jsonl\n' \
      "$size" "$threads $many" "$size" "$threads"
    printf '%s: lower bound: same reads, %s\t/lab/walk same %s /lab/scale/%s\n' "$size" "$threads $many" "$threads" "$size"
    printf '%s: lower bound: stat, %s\t/lab/walk stat %s /lab/scale/%s\n' "$size" "$threads $many" "$threads" "$size"
  done
done >/lab/commands
for threads in "1 thread" "2 threads"; do
  printf '%s: ghostq with a listing, %s\t/lab/ghostq scan %s --listing /lab/listing --threads %s --quiet --format jsonl\n' \
    "$size" "$threads" $S "${threads%% *}"
done >>/lab/commands
python3 /lab/measure.py "$rounds" "/lab/out/scale-$kind.json" </lab/commands
