#!/usr/bin/env python3
"""kill_later.py PID JOURNAL SIZE WITHIN - waits until the journal is longer than SIZE bytes, so that the process acts, and kills it at a
random moment of the WITHIN seconds after that. A process that has ended by then is left alone.
"""
import os, random, signal, sys, time

pid, journal, size, within = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])


def alive():
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


while alive() and not (os.path.exists(journal) and os.path.getsize(journal) > size):
    time.sleep(0.001)
time.sleep(random.random() * within)
if alive():
    os.kill(pid, signal.SIGKILL)
