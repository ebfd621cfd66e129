#!/usr/bin/env python3
"""arrived.py EXPECTED RECEIVED - holds what the fake servers accepted against what was to arrive.

EXPECTED has lines `letter TAG RECIPIENT`, `report TAG SENDER`, `nothing TAG -`. RECEIVED is a folder of JSON files, one a
message: sender, recipients, and the bytes as latin-1. Bodies are compared with /lab/sent/TAG. Prints one line for each kind and
each difference; ends in 1 if there is one.
"""
import collections, email, email.policy, json, os, sys

expected, received = sys.argv[1:3]


def body_of(raw):
    raw = raw.replace(b"\r\n", b"\n")
    return raw.split(b"\n\n", 1)[1].rstrip(b"\n") if b"\n\n" in raw else b""


letters, reports, wrong = collections.Counter(), collections.Counter(), []
for name in sorted(os.listdir(received)) if os.path.isdir(received) else []:
    if not name.endswith(".json"):
        continue
    with open(os.path.join(received, name)) as file:
        one = json.load(file)
    raw = one["data"].encode("latin-1")
    message = email.message_from_bytes(raw, policy=email.policy.compat32)
    if message.get_content_type() == "multipart/report":
        tag = next((p.get_payload() for p in message.walk() if p.get_content_type() in ("text/rfc822-headers", "message/rfc822")), "")
        text = tag if isinstance(tag, str) else tag[0].as_string()
        tag = next((line.split(":", 1)[1].strip() for line in text.splitlines() if line.lower().startswith("x-tag:")), None)
        if tag is None:
            whole = raw.decode("latin-1")
            tag = next((line.split(":", 1)[1].strip() for line in whole.splitlines() if line.lower().startswith("x-tag:")), None)
        if tag is None:
            # Of a message that has lost its header only the recipient is known.
            final = next((line for line in whole.splitlines() if line.lower().startswith("final-recipient:")), ";@")
            tag = final.split(";", 1)[1].strip().split("@")[0]
        for recipient in one["recipients"]:
            reports[(tag, recipient)] += 1
        if one["sender"] != "":
            wrong.append(f"the report about {tag} has the sender {one['sender']}")
        continue
    tag = message["X-Tag"]
    if tag is None:
        continue
    for recipient in one["recipients"]:
        letters[(tag, recipient)] += 1
    with open(f"/lab/sent/{tag}", "rb") as file:
        if body_of(raw) != file.read().rstrip(b"\n"):
            wrong.append(f"letter {tag}: the body is not the one that was handed in")
    if os.path.exists("/lab/strict"):
        with open(f"/lab/header/{tag}") as file:
            sent = file.read().splitlines()
        # What `sendmail` added when the letter was first handed in stays in it.
        fields = [f"{name}: {value}" for name, value in message.items() if name not in ("Received", "Date", "Return-Path")]
        if sorted(field.lower() for field in fields) != sorted(field.lower() for field in sent):
            wrong.append(f"letter {tag}: its header is not the one that was handed in: {fields}")
        if len(message.get_all("Date", [])) > 1:
            wrong.append(f"letter {tag}: it has several dates")

wanted, ok = [line.split() for line in open(expected)], collections.Counter()
tags = {tag for _, tag, _ in wanted}
for kind, tag, address in wanted:
    if kind == "letter":
        count = letters.pop((tag, address), 0)
        wrong += [] if count == 1 else [f"letter {tag} to {address} arrived {count} times"]
        ok[kind] += count == 1
    elif kind == "report":
        count = reports.pop((tag, address), 0)
        wrong += [] if count == 1 else [f"the report about {tag} to {address} arrived {count} times"]
        ok[kind] += count == 1
wrong += [f"letter {tag} arrived at {address} unasked" for tag, address in letters if tag in tags]
wrong += [f"a report about {tag} arrived at {address} unasked" for tag, address in reports if tag in tags]
for line in wrong:
    print("FAILED: " + line)
kinds = ", ".join(f"{count} {kind}s" for kind, count in sorted(ok.items()))
if not wrong:
    print(f"ok: arrived exactly once, with the same bytes: {kinds or 'nothing'}")
sys.exit(bool(wrong))
