#!/usr/bin/env python3
"""answers.py postfix|exim SPOOL LISTING REPORT.json PLANTED - whether ghostq and the mail system's own tool count the same messages.

Three are held against each other: the IDs of the tool's own listing, the IDs of the names on the disk, and the report of
ghostq with that listing. PLANTED are the IDs of messages that grow.py made invisible, one a line: the tool must not show
them, ghostq must, and nothing else. They are then taken away: a running mail system's ghosts make ghostq wait before it looks
at them again, which is no part of its speed."""
import json
import os
import re
import sys

KIND, SPOOL, LISTING, REPORT, PLANTED = sys.argv[1:6]


def listed():
    with open(LISTING) as file:
        if KIND == "postfix":
            return [json.loads(line)["queue_id"] for line in file]
        return [found[1] for found in (re.match(r"\s*\w+\s+\S+ (\w{6}-\w{6}-\w\w) <", line) for line in file) if found]


def on_disk():
    part, pattern = ("deferred", r"([0-9A-F]{6,})") if KIND == "postfix" else ("input", r"(\w{6}-\w{6}-\w\w)-[HD]")
    names = [name for _, _, names in os.walk(f"{SPOOL}/{part}") for name in names]
    names += os.listdir(f"{SPOOL}/corrupt") if KIND == "postfix" else []
    return {found[1] for found in (re.match(pattern, name) for name in names) if found}


with open(REPORT) as file:
    report = json.load(file)
with open(PLANTED) as file:
    planted = set(file.read().split())
tool, disk = listed(), on_disk()
ids = {finding["rule"]: set() for finding in report["findings"]}
ghosts = set()
for finding in report["findings"]:
    ids[finding["rule"]].add(finding["message"]["native_id"])
    if finding["class"] == "ghost":
        ghosts.add(finding["message"]["native_id"])
count = report["sources"][0]["messages"]
checks = {
    "the tool lists no message twice": len(tool) == len(set(tool)),
    "the tool shows none of the planted": not planted & set(tool),
    "listed and planted are what is on the disk": set(tool) | planted == disk,
    "ghostq counts as many": count == len(disk),
    "ghostq finds all listed messages on the disk": not ids.get("listed-not-on-disk"),
    "ghostq calls the planted invisible, and no other": ghosts == planted,
}
failed = [check for check, holds in checks.items() if not holds]
print(f"the tool's listing shows {len(tool)} messages, ghostq counts {count}; {len(planted)} were hidden before, the tool shows "
      f"{len(planted & set(tool))} of them, ghostq names {len(ghosts & planted)}, and {len(ghosts - planted)} others: "
      f"{'NOT as it should be; not true: ' + '; '.join(failed) if failed else 'as it should be'}")
for folder, _, names in os.walk(SPOOL):
    for name in names:
        if any(hidden in name for hidden in planted):
            os.remove(f"{folder}/{name}")
