#!/usr/bin/env python3
"""measure.py ROUNDS OUT.json < COMMANDS - runs each command once a round, one after the other, and writes down what each took.

A line of COMMANDS is `NAME<tab>COMMAND`. CPU seconds are those of the command with its children, and of every other process
of this namespace meanwhile: `postqueue` lets a daemon (showq) do its work. Peak memory is that of the command's own process
(VmHWM, looked at every 20 ms)."""
import glob
import json
import os
import shlex
import sys
import time

ROUNDS, OUT = int(sys.argv[1]), sys.argv[2]
TICKS = os.sysconf("SC_CLK_TCK")
COMMANDS = [line.rstrip("\n").split("\t", 1) for line in sys.stdin if line.strip()]


def others(child):
    """CPU seconds of all processes but this one and its child."""
    total = 0
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path) as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        pid = int(path.split("/")[2])
        if pid not in (os.getpid(), child):
            # utime, stime, and those of children that ended.
            total += sum(int(field) for field in fields[11:15])
    return total / TICKS


def peak(pid):
    try:
        with open(f"/proc/{pid}/status") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1])
    except OSError:
        pass
    return 0


def run(command):
    before = others(0)
    begun = time.monotonic()
    pid = os.fork()
    if pid == 0:
        null = os.open("/dev/null", os.O_RDWR)
        for fd in 0, 1, 2:
            os.dup2(null, fd)
        words = shlex.split(command)
        os.execvp(words[0], words)
    memory = 0
    while True:
        done, status, usage = os.wait4(pid, os.WNOHANG)
        if done:
            break
        # Before exec the memory is still that of this program.
        if time.monotonic() - begun > 0.05:
            memory = max(memory, peak(pid))
        time.sleep(0.02)
    wall = time.monotonic() - begun
    cpu = usage.ru_utime + usage.ru_stime + max(0.0, others(pid) - before)
    return {"wall": wall, "cpu": cpu, "rss": memory, "exit": os.waitstatus_to_exitcode(status)}


results = {name: {"command": command, "runs": []} for name, command in COMMANDS}
for number in range(ROUNDS):
    for name, command in COMMANDS:
        taken = run(command)
        results[name]["runs"].append(taken)
        print(f"round {number + 1}: {name}: {taken['cpu']:.2f} s of CPU, {taken['wall']:.2f} s, exit {taken['exit']}",
              file=sys.stderr, flush=True)
        with open(OUT, "w") as file:
            json.dump(results, file)
