#!/usr/bin/env python3
"""half.py PORT SENDER RECIPIENT SECONDS: an SMTP client that begins a message and does not end it."""
import socket
import sys
import time

port, sender, recipient, seconds = int(sys.argv[1]), sys.argv[2], sys.argv[3], float(sys.argv[4])
server = socket.create_connection(("127.0.0.1", port))
answers = server.makefile("rb")
answers.readline()
for command in ("HELO half.lab.test", f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>", "DATA"):
    server.sendall(command.encode() + b"\r\n")
    answers.readline()
server.sendall(b"Subject: half\r\n\r\n")
for number in range(4000):
    server.sendall(b"half written line %d\r\n" % number)
time.sleep(seconds)
