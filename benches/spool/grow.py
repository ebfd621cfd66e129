#!/usr/bin/env python3
"""grow.py postfix|exim FIXTURE SPOOL COUNT HIDDEN - fills a spool with COUNT deferred messages, as the mail system would have made them.

Each is a copy of a real message of the fixture, with its log, under a queue ID of its own: for Postfix five hex digits of
microseconds and the inode of the file, hashed into folders of one letter; for Exim a time, a process and a fraction, in
folders of one letter (`split_spool_directory`). Times within are moved to yesterday, so that nothing is overdue. Files get
the owner of the spool's folders. The copies are as long as the originals.

HIDDEN more are invisible to the mail system's own listing; their IDs are printed, one a line."""
import os
import random
import re
import sys
import time

KIND, FIXTURE, SPOOL = sys.argv[1:4]
COUNT, HIDDEN = int(sys.argv[4]), int(sys.argv[5])
NOW = int(time.time())
RECEIVED = NOW - 86_400
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def content(path):
    with open(path, "rb") as file:
        return file.read()


def folder(path, owner, mode):
    if not os.path.isdir(path):
        os.mkdir(path)
    os.chown(path, *owner)
    os.chmod(path, mode)


def write(path, data, owner, mode):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    os.write(fd, data)
    os.fchown(fd, *owner)
    os.fchmod(fd, mode)
    return fd


def owner_of(path):
    stat = os.stat(path)
    return stat.st_uid, stat.st_gid


def postfix():
    owner = owner_of(f"{SPOOL}/deferred")
    models = []
    for place, _, names in os.walk(f"{FIXTURE}/tree/deferred"):
        for name in sorted(names):
            log = content(f"{place}/{name}".replace("/tree/deferred/", "/tree/defer/"))
            models.append((name.encode(), content(f"{place}/{name}"), log))
    for queue in "deferred", "defer":
        for letter in "0123456789ABCDEF":
            folder(f"{SPOOL}/{queue}/{letter}", owner, 0o700)
    os.makedirs(f"{SPOOL}/corrupt", exist_ok=True)
    for number in range(COUNT + HIDDEN):
        old, message, log = models[number % len(models)]
        microseconds = "%05X" % random.randrange(1_000_000)
        hashed = f"{SPOOL}/deferred/{microseconds[0]}"
        fd = write(f"{hashed}/new", message, owner, 0o700)
        name = "%s%X" % (microseconds, os.fstat(fd).st_ino)
        # The time of arrival, and an ID as long as the old one where it stands in the header.
        message = re.sub(rb"(T\x11|create_time=)\d{10}", rb"\g<1>%d" % RECEIVED, message)
        os.pwrite(fd, message.replace(old, name.encode()[:len(old)].ljust(len(old), b"0")), 0)
        attempt = NOW + random.randrange(60, 3_600)
        os.utime(fd, (NOW, attempt))
        place = f"{hashed}/{name}"
        if number >= COUNT:
            # A mode that Postfix does not open, a name that it does not own, a folder that its listing does not read.
            kind = (number - COUNT) % 3
            os.fchmod(fd, 0o600 if kind == 0 else 0o700)
            place = [place, f"{place}.bak", f"{SPOOL}/corrupt/{name}"][kind]
            print(name)
        else:
            os.close(write(f"{SPOOL}/defer/{microseconds[0]}/{name}", log, owner, 0o600))
        os.close(fd)
        os.rename(f"{hashed}/new", place)


def digits(number, width):
    text = ""
    for _ in range(width):
        text = BASE62[number % 62] + text
        number //= 62
    return text


def exim():
    owner = owner_of(f"{SPOOL}/input")
    models = []
    for name in sorted(os.listdir(f"{FIXTURE}/tree/input")):
        if name.endswith("-H"):
            beside = f"{FIXTURE}/tree/input/{name[:-2]}"
            log = content(f"{FIXTURE}/tree/msglog/{name[:-2]}")
            models.append((name[:-2].encode(), content(f"{beside}-H"), content(f"{beside}-D"), log))
    for part in "input", "msglog":
        for letter in BASE62:
            folder(f"{SPOOL}/{part}/{letter}", owner, 0o750)
    folder(f"{SPOOL}/input/old", owner, 0o750)
    for number in range(COUNT + HIDDEN):
        old, header, body, log = models[number % len(models)]
        # So many a second as make the last one come in today.
        received = RECEIVED + number * 43_200 // (COUNT + HIDDEN)
        name = f"{digits(received, 6)}-{digits(100 + number, 6)}-{digits(random.randrange(2_000), 2)}"
        letter = name[5]
        header = re.sub(rb"(?m)^\d{10} 0$", b"%d 0" % received, header, count=1)
        new = name.encode()
        if number >= COUNT:
            # A body without its envelope, and a folder that Exim does not read.
            print(name)
            if number % 2:
                letter = "old"
        os.close(write(f"{SPOOL}/input/{letter}/{name}-D", body.replace(old, new), owner, 0o640))
        if number < COUNT or number % 2:
            os.close(write(f"{SPOOL}/input/{letter}/{name}-H", header.replace(old, new), owner, 0o640))
        if number < COUNT:
            os.close(write(f"{SPOOL}/msglog/{letter}/{name}", log, owner, 0o640))


begun = time.time()
{"postfix": postfix, "exim": exim}[KIND]()
print(f"{COUNT} messages in {time.time() - begun:.1f} s", file=sys.stderr)
