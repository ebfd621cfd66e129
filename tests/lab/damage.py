#!/usr/bin/env python3
"""damage.py FILE sender|attribute|content - turns one record of a Postfix queue file into one of a type that does not exist.

A record is its type, its length in seven bits a byte, the lowest first, and so many bytes (Postfix `global/record.c`).
"""
import sys

path, what = sys.argv[1:3]
with open(path, "rb") as file:
    data = bytearray(file.read())
at, in_content = 0, False
while at < len(data):
    kind, begin, length, shift = chr(data[at]), at, 0, 0
    at += 1
    while True:
        byte = data[at]
        at += 1
        length |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            break
    value = bytes(data[at : at + length])
    at += length
    if kind == "M":
        in_content = True
    if kind == "X":
        in_content = False
    if (
        (what == "sender" and kind == "S")
        or (what == "attribute" and kind == "A" and value.startswith(b"rewrite_context"))
        or (what == "content" and in_content and value.startswith(b".a line"))
    ):
        data[begin] = 1
        break
else:
    sys.exit(f"no such record in {path}")
with open(path, "r+b") as file:
    file.write(data)
