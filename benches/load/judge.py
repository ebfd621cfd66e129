#!/usr/bin/env python3
"""judge.py TITLE=FOLDER… | --self-test - holds what ghostq said against what was made, by ledger and reports alone.

A ghost is expected of a scan that began when it had been made, and was old enough, and that ended before it was taken away. It is found if
there is a finding with its rule and its ID. Every finding counts, of whatever class, those called notes too; one is false unless a ghost with
that rule and ID was there, or in the making, or about to go, at some time of that scan. A minimum age has only what ghostq itself gives
time: a message handed in must have waited five minutes to be called unclaimed. Other rules have none by default (no --min-age), only the
pause of 1.5 s between two looks, which lies within the scan. Ends in 1 if anything was missed, false, or could not be read without exit 3.
"""
import collections, json, statistics, sys

OLD_ENOUGH = {"unclaimed": 300}
SHOWN = 40


def lines(path):
    with open(path) as file:
        return [json.loads(line) for line in file if line.strip()]


def load(folder):
    ghosts = {}
    for line in lines(f"{folder}/ledger.jsonl"):
        ghosts.setdefault(line["number"], {}).update(line)
    scans = lines(f"{folder}/scans.jsonl")
    for scan in scans:
        scan["findings"] = [{"rule": one["rule"], "class": one["class"], "id": one["message"]["native_id"],
                             "path": one["message"]["place"]["path"], "why": one["opinions"][0]["why"]}
                            for one in lines(f"{folder}/scans/{scan['number']}.jsonl")]
        with open(f"{folder}/scans/{scan['number']}.err", errors="replace") as file:
            scan["said"] = file.read().strip()
    with open(f"{folder}/flow.json") as file:
        flow = json.load(file)
    return list(ghosts.values()), scans, lines(f"{folder}/samples.jsonl"), flow


def judge(ghosts, scans):
    """What each scan had to find, and found: counts, names of what was missed and false, and how long each ghost waited."""
    result = {"expected": 0, "found": 0, "findings": 0, "true": 0, "missed": [], "false": [], "waits": {}, "after": 0,
              "kinds": collections.defaultdict(lambda: collections.Counter()), "overlap": 0}
    for ghost in ghosts:
        result["kinds"][ghost["kind"], ghost["rule"]]["made"] += 1
        result["kinds"][ghost["kind"], ghost["rule"]]["removed"] += "removed" in ghost
    for scan in scans:
        seen = {(one["rule"], one["id"]) for one in scan["findings"]}
        possible = {}
        for ghost in ghosts:
            key, kind = (ghost["rule"], ghost["id"]), result["kinds"][ghost["kind"], ghost["rule"]]
            if ghost["began"] <= scan["end"] and ghost.get("removed", scan["begin"]) >= scan["begin"]:
                possible[key] = ghost
            elif ghost.get("removed", scan["begin"]) < scan["begin"]:
                result["after"] += 1
            ready = ghost["planted"] + OLD_ENOUGH.get(ghost["rule"], 0)
            if key in seen and key in possible:
                result["waits"].setdefault(ghost["number"], max(0, scan["end"] - ready))
            if ready > scan["begin"] or ghost.get("removing", scan["end"]) < scan["end"]:
                continue
            result["expected"] += 1
            kind["expected"] += 1
            if key in seen:
                result["found"] += 1
                kind["found"] += 1
            else:
                others = sorted({one["rule"] for one in scan["findings"] if one["id"] == ghost["id"]})
                result["missed"].append(f"scan {scan['number']}: {ghost['id']} ({ghost['kind']}) not under {ghost['rule']}"
                                        + (f", but under {', '.join(others)}" if others else "") + f"; it was {scan['begin'] - ready:.1f} s old")
        taken = set()
        for one in scan["findings"]:
            key = (one["rule"], one["id"])
            result["findings"] += 1
            if key in possible and key not in taken:
                taken.add(key)
                result["true"] += 1
            else:
                gone = any(key == (ghost["rule"], ghost["id"]) for ghost in ghosts)
                result["false"].append(f"scan {scan['number']}: {one['class']} {one['rule']} {one['id']} ({one['path']}): {one['why']}"
                                       + ("; a ghost that was not there then, or the second finding of it" if gone else ""))
    return result


def ratio(part, whole):
    return f"{part / whole:.4f} ({part} of {whole})" if whole else "none to judge"


def report(title, folder):
    ghosts, scans, samples, flow = load(folder)
    result = judge(ghosts, scans)
    minutes = (flow["end"] - flow["begin"]) / 60
    sizes = [sample["queue"] for sample in samples]
    took = [scan["end"] - scan["begin"] for scan in scans]
    codes = collections.Counter(scan["exit"] for scan in scans)
    waits = result["waits"].values()
    rows = [
        ("flow", f"{minutes:.1f} minutes; {flow['injected']} messages handed in ({flow['injected'] / minutes / 60:.1f} a second), {flow['refused']} refused"),
        ("deliveries", f"{flow['delivered']}; {flow['put off']} times put off; {flow['deliverers killed']} deliverers killed"),
        ("files in the queue", f"{min(sizes)} / {statistics.median(sizes):.0f} / {max(sizes)} (least, median, most of {len(sizes)} samples)"),
        ("load average", f"{statistics.median(sample['load'] for sample in samples):.1f} median, {max(sample['load'] for sample in samples):.1f} at most"),
        ("scans", f"{len(scans)}; " + ", ".join(f"{count} ended in {code}" for code, count in sorted(codes.items()))),
        ("a scan took", f"{statistics.median(took):.1f} s (median), {max(took):.1f} s (longest)"),
        ("ghosts made", f"{len(ghosts)} of {len(result['kinds'])} kinds; {sum('removed' in ghost for ghost in ghosts)} taken away again"),
        ("sightings expected", str(result["expected"])),
        ("recall", ratio(result["found"], result["expected"])),
        ("precision", ratio(result["true"], result["findings"])),
        ("looked for after they were gone", f"{result['after']} times"),
        ("longest from old enough to found", f"{max(waits):.1f} s" if waits else "none found"),
        ("never found", str(sum(ghost["number"] not in result["waits"] and any(
            ghost["planted"] + OLD_ENOUGH.get(ghost["rule"], 0) <= scan["begin"] and ghost.get("removing", scan["end"]) >= scan["end"]
            for scan in scans) for ghost in ghosts))),
    ]
    print(f"{title}\n")
    for name, value in rows:
        print(f"  {name:34}{value}")
    print(f"\n  {'KIND':34}{'RULE':24}{'MADE':>5}{'TAKEN AWAY':>12}{'EXPECTED':>10}{'FOUND':>7}")
    for (kind, rule), of in sorted(result["kinds"].items(), key=lambda item: (item[0][1], item[0][0])):
        print(f"  {kind:34}{rule:24}{of['made']:>5}{of['removed']:>12}{of['expected']:>10}{of['found']:>7}")
    # What cannot be read must be said; what is said to be incomplete must say why.
    silent = [f"scan {scan['number']}: exit {scan['exit']}: {scan['said'][-300:]}" for scan in scans
              if scan["exit"] not in (0, 1, 3) or scan["exit"] == 3 and not scan["said"]
              or scan["exit"] in (0, 1) and scan["exit"] != int(bool(scan["findings"]))]
    incomplete = [f"scan {scan['number']}: {scan['said'][-300:]}" for scan in scans if scan["exit"] == 3]
    for name, named in (("missed", result["missed"]), ("false", result["false"]), ("exit not as it should be", silent), ("incomplete", incomplete)):
        if named:
            print(f"\n  {name}: {len(named)}")
            print("\n".join(f"    {one}" for one in named[:SHOWN]))
    print()
    return not (result["missed"] or result["false"] or silent) and result["expected"] > 0


def self_test():
    """A judge that cannot find fault is worth nothing: one ghost that was never made, and one finding that was invented."""
    finding = lambda rule, name: {"rule": rule, "class": "ghost", "id": name, "path": name, "why": "so"}
    ghost = lambda number, name, **more: {"number": number, "kind": "k", "rule": "held", "id": name, "began": 10, "planted": 11, **more}
    scan = lambda number, begin, *findings: {"number": number, "begin": begin, "end": begin + 5, "exit": 1, "findings": list(findings)}
    cases = [
        ("all is true", [ghost(0, "A")], [scan(0, 20, finding("held", "A"))], (1, 1, 0, 0)),
        ("a ghost that was never made", [ghost(0, "A"), ghost(1, "B")], [scan(0, 20, finding("held", "A"))], (2, 1, 1, 0)),
        ("an invented finding", [ghost(0, "A")], [scan(0, 20, finding("held", "A"), finding("held", "X"))], (1, 1, 0, 1)),
        ("under another rule", [ghost(0, "A")], [scan(0, 20, finding("corrupt", "A"))], (1, 0, 1, 1)),
        ("twice in one report", [ghost(0, "A")], [scan(0, 20, finding("held", "A"), finding("held", "A"))], (1, 1, 0, 1)),
        ("made while it was scanned", [ghost(0, "A")], [scan(0, 8), scan(1, 8, finding("held", "A"))], (0, 0, 0, 0)),
        ("before it was made", [ghost(0, "A")], [scan(0, 2, finding("held", "A"))], (0, 0, 0, 1)),
        ("after it was taken away", [ghost(0, "A", removing=14, removed=15)], [scan(0, 20, finding("held", "A"))], (0, 0, 0, 1)),
        ("not yet old enough", [ghost(0, "A", rule="unclaimed")], [scan(0, 20), scan(1, 312)], (1, 0, 1, 0)),
    ]
    for name, ghosts, scans, wanted in cases:
        result = judge(ghosts, scans)
        got = (result["expected"], result["found"], len(result["missed"]), len(result["false"]))
        if got != wanted:
            sys.exit(f"the judge is wrong about `{name}`: {got}, not {wanted}")
    print(f"the judge is right about {len(cases)} made-up runs")


if sys.argv[1:] == ["--self-test"]:
    self_test()
else:
    sys.exit(not all([report(*argument.split("=", 1)) for argument in sys.argv[1:]]))
