"""Holds what foreign programs read in reports against what the reports were made from. One line for each judge and report.

Usage: hold.py FOLDER JUDGE... with JUDGE one of structure, flufl, sisimai, bounceparser. FOLDER holds pairs NAME.eml and NAME.json.
"""

import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
COMMANDS = {
    "structure": [sys.executable, HERE / "structure.py"],
    "flufl": [sys.executable, HERE / "mailman.py"],
    "sisimai": ["perl", HERE / "sisimai.pl"],
    "bounceparser": ["perl", HERE / "bounceparser.pl"],
}
# Sisimai calls a bounce hard or soft by the reason it finds, not by the class of the status: `expired` is soft to it.
KNOWS_PERMANENT = ["flufl", "bounceparser"]
KNOWS_STATUS = ["sisimai", "bounceparser"]
KNOWS_ID = ["sisimai", "bounceparser"]


def run(judge, *arguments):
    done = subprocess.run([*COMMANDS[judge], *arguments], capture_output=True, encoding="utf-8", timeout=120)
    error = done.stderr.strip().splitlines()
    return done.stdout.strip("\n"), (error or ["it failed"])[-1] if done.returncode else ""


def bare(message_id):
    return (message_id or "").strip("<>")


def faults(judge, path, expected):
    """What the judge reads otherwise."""
    if judge == "structure":
        expectation = path.with_suffix(".expected")
        expectation.write_text(json.dumps(expected), encoding="utf-8")
        out, error = run(judge, path, expectation)
        expectation.unlink()
        return out.splitlines() + ([error] if error else [])
    out, error = run(judge, path)
    if error:
        return [error]
    rows = [(line + "\t\t\t").split("\t")[:4] for line in out.splitlines()]
    found = []
    if len(rows) != len(expected["recipients"]):
        found.append(f"{len(rows)} recipients")
    for recipient in expected["recipients"]:
        names = [name.lower() for name in (recipient["address"], recipient["original"]) if name]
        row = next((row for row in rows if row[0].lower() in names), None)
        if row is None:
            found.append(f"no {recipient['address']} among {[row[0] for row in rows]}")
            continue
        if judge in KNOWS_STATUS and row[1] != recipient["status"]:
            found.append(f"{recipient['address']}: status {row[1]}, not {recipient['status']}")
        if judge in KNOWS_PERMANENT and (row[2] == "hard") != expected["permanent"]:
            found.append(f"{recipient['address']}: {row[2]}")
        if judge in KNOWS_ID and bare(row[3]) != bare(expected["message_id"]):
            found.append(f"{recipient['address']}: original {row[3]!r}")
    return found


def sees_what_is_wrong(judge, path, expected):
    """A judge that is content with everything is none."""
    wrong = json.loads(json.dumps(expected))
    wrong["recipients"][0]["address"] = "nobody@nowhere.example"
    wrong["recipients"][0]["original"] = None
    return bool(faults(judge, path, wrong))


def main():
    folder, judges = pathlib.Path(sys.argv[1]), sys.argv[2:]
    reports = sorted(folder.glob("*.eml"))
    held = failed = left_out = 0
    for judge in judges:
        for path in reports:
            expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            if judge in expected["unread_by"]:
                print(f"left out  {judge:13} {path.stem}: it cannot read such an address")
                left_out += 1
                continue
            found = faults(judge, path, expected)
            if not found and not sees_what_is_wrong(judge, path, expected):
                found = ["it would be content with anything"]
            print(f"{'FAILED' if found else 'held':9} {judge:13} {path.stem}", *found, sep="\n          ")
            held, failed = held + (not found), failed + bool(found)
    print(f"{len(judges)} judges, {len(reports)} reports: {held} held, {failed} failed, {left_out} left out")
    sys.exit(1 if failed or not held else 0)


main()
