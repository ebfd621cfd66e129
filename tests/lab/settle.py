#!/usr/bin/env python3
"""settle.py STATE SPOOL... - carries every open operation of the journal to its end.

Where the journal does not know whether a message was handed in, it is told what is true: whether the mark of that job is in a
spool, or in what the fake servers accepted. Prints how the jobs ended; ends in 1 if an operation is still open.
"""
import collections, json, os, subprocess, sys

state, spools = sys.argv[1], sys.argv[2:]


def ghostq(*words):
    with open("/lab/killed.out", "a") as log:
        ran = subprocess.run(["/lab/ghostq", *words, "--state", state], stdout=subprocess.PIPE, stderr=log, text=True)
        log.write(ran.stdout)
    return ran.stdout


def operations():
    return json.loads(ghostq("journal", "--format", "json"))["operations"]


def is_sent(mark):
    for top in ["/lab/received", *spools]:
        for folder, _, names in os.walk(top):
            for name in names:
                try:
                    with open(os.path.join(folder, name), "rb") as file:
                        data = file.read()
                except OSError:
                    continue
                if any((mark + end).encode() in data for end in ";@"):
                    return True
    return False


counts = collections.Counter()
for operation in operations():
    counts["operations"] += 1
    if operation["open"]:
        counts["still open"] += 1
        ghostq("resume", operation["operation"])
for operation in operations():
    for job in operation["jobs"]:
        if job["end"] is None and "UNKNOWN" in job["states"]:
            sent = is_sent(f"ghostq-{operation['operation']}-{job['number']}")
            counts["unknown, and it was " + ("sent" if sent else "not sent")] += 1
            ghostq("resume", f"{operation['operation']}.{job['number']}", "--sent" if sent else "--not-sent")
still = []
for operation in operations():
    still += [operation["operation"]] if operation["open"] else []
    for job in operation["jobs"]:
        counts[str(job["end"])] += 1
print("  killed: " + ", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
for name in still:
    print(f"FAILED: operation {name} is still open")
sys.exit(bool(still))
