#!/usr/bin/env python3
"""findings.py FOUND.jsonl [EXPECTED]: prints findings, or holds them against lines of `RULE ID` (`-`: no ID)."""
import json
import sys


def load(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def main():
    found = load(sys.argv[1])
    if len(sys.argv) == 2:
        for one in found[:20]:
            message = one["message"]
            print(f'  {one["class"]} {one["rule"]} {message["native_id"]} {message["place"]["path"]} '
                  f'{one["confidence"]}: {one["opinions"][0]["why"]}')
        return 0
    with open(sys.argv[2], encoding="utf-8") as file:
        expected = sorted(tuple(line.replace(" -", " ").rstrip("\n").split(" ")) for line in file if line.strip())
    seen = sorted((one["rule"], one["message"]["native_id"] or "") for one in found)
    if seen == expected:
        print(f"ok: the {len(expected)} ghosts that were made are found, and no other")
        return 0
    for rule, name in expected:
        if (rule, name) not in seen:
            others = [other for other, found_name in seen if found_name == name]
            print(f"FAILED: {name} is not found under {rule}" + (f", but under {others}" if others else ""))
    for rule, name in seen:
        if (rule, name) not in expected:
            print(f"FAILED: {name} is called {rule}, and was not made")
    return 1


sys.exit(main())
