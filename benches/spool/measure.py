#!/usr/bin/env python3
"""measure.py ROUNDS OUT.json < COMMANDS - runs each command once a round, one after the other, and writes down what each took.

A line of COMMANDS is `NAME<tab>COMMAND`. One round more is run first, and not counted: it brings what is read into the cache.
CPU seconds are those of the command with its children, and of every other process of this namespace meanwhile: `postqueue`
lets a daemon (showq) do its work. Peak memory is that of the command's largest process, without daemons: what the kernel
says at its end, or, where that is less than this program has itself (its child begins as a copy of it), VmHWM, looked at
every 5 ms."""
import glob
import json
import os
import shlex
import sys
import threading
import time

TICKS = os.sysconf("SC_CLK_TCK")


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


def watch(pid, done, seen):
    """Keeps the peak of a process, from when it is no longer a copy of this one."""
    own = os.readlink("/proc/self/exe")
    while not done.wait(0.005):
        try:
            if os.readlink(f"/proc/{pid}/exe") != own:
                seen[0] = max(seen[0], peak(pid))
        except OSError:
            continue


def run(command):
    words = shlex.split(command)
    null = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1, 2)]
    before = others(0)
    done, seen = threading.Event(), [0]
    begun = time.monotonic()
    pid = os.posix_spawnp(words[0], words, os.environ, file_actions=null)
    watcher = threading.Thread(target=watch, args=(pid, done, seen))
    watcher.start()
    _, status, usage = os.wait4(pid, 0)
    wall = time.monotonic() - begun
    done.set()
    watcher.join()
    memory = usage.ru_maxrss if usage.ru_maxrss > peak(os.getpid()) else seen[0]
    cpu = usage.ru_utime + usage.ru_stime + max(0.0, others(pid) - before)
    return {"wall": wall, "cpu": cpu, "rss": memory, "exit": os.waitstatus_to_exitcode(status)}


def main():
    rounds, out = int(sys.argv[1]), sys.argv[2]
    commands = [line.rstrip("\n").split("\t", 1) for line in sys.stdin if line.strip()]
    results = {name: {"command": command, "runs": []} for name, command in commands}
    for number in range(rounds + 1):
        for name, command in commands:
            taken = run(command)
            if number:
                results[name]["runs"].append(taken)
            print(f"{f'round {number}' if number else 'warm-up'}: {name}: {taken['cpu']:.2f} s of CPU, "
                  f"{taken['wall']:.2f} s, {taken['rss'] / 1024:.1f} MiB, exit {taken['exit']}", file=sys.stderr, flush=True)
    with open(out, "w") as file:
        json.dump(results, file)


main()
