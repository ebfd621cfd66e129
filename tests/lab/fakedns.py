#!/usr/bin/env python3
"""fakedns.py - a name server on 127.0.0.1:53 that knows the addresses of /etc/hosts, and of nothing else says that there is no such record.
Some programs ask for names even where the way is given by an address, and wait very long where no server answers.
"""
import socket, struct

known = {}
for line in open("/etc/hosts"):
    address, *names = line.split("#")[0].split() or [""]
    for name in names:
        known.setdefault(name, address)

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
while True:
    query, client = server.recvfrom(4096)
    labels, at = [], 12
    while at < len(query) and query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode("latin-1"))
        at += query[at] + 1
    question = query[12 : at + 5]
    if len(query) < at + 5:
        continue
    address = known.get(".".join(labels).lower()) if question[-4:-2] == b"\0\1" else None
    answer = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton(address) if address and ":" not in address else b""
    flags = 0x8480 | (query[2] & 1) << 8
    server.sendto(query[:2] + struct.pack("!HHHHH", flags, 1, bool(answer), 0, 0) + question + answer, client)
