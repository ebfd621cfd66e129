#!/usr/bin/env python3
"""report.py MEASURED RESULTS.txt PLOT.svg < NOTE - what was measured as text, the targets first, and as a plot (plot.py)."""
import json
import os
import statistics
import sys

import plot

MEASURED, TABLE, PLOT = sys.argv[1:4]
NOTE = sys.stdin.read().strip()
SYSTEMS = {"postfix": "Postfix", "exim": "Exim"}
OURS = "ghostq, 2 threads"


class Part:
    """One run of measure.py: medians and spread of each command that did not fail."""

    def __init__(self, name):
        base = f"{MEASURED}/{name}"
        with open(f"{base}.json") as file:
            runs = json.load(file)
        with open(f"{base}.about") as file:
            count, self.program, self.when, self.load, sizes = file.read().split("\n")[:5]
        with open(f"{base}.answers") as file:
            self.answers = file.read().strip()
        self.count, self.sizes = int(count), [int(size) for size in sizes.split()]
        self.kind = SYSTEMS[name.removeprefix("scale-")]
        self.rows, self.failed = {}, []
        for row, result in runs.items():
            # 1 is what ghostq says when it found something.
            allowed = (0, 1) if "ghostq" in row else (0,)
            if any(run["exit"] not in allowed for run in result["runs"]):
                self.failed.append(result["command"])
                continue
            self.rows[row] = {key: [run[key] for run in result["runs"]] for key in ("wall", "cpu", "rss")}

    def rounds(self):
        return max(len(row["cpu"]) for row in self.rows.values())

    def middle(self, row, key):
        return statistics.median(self.rows[row][key]) if row in self.rows else None

    def ratio(self, row, base, key):
        """How many times as much `row` takes, with the spread of the rounds; None if one was not measured."""
        if row not in self.rows or base not in self.rows:
            return None
        each = [above / below for above, below in zip(self.rows[row][key], self.rows[base][key])]
        return self.middle(row, key) / self.middle(base, key), min(each), max(each)

    def peak(self, part_of_name):
        """The largest peak of all rounds, in MiB."""
        return max((max(row["rss"]) / 1024 for name, row in self.rows.items() if part_of_name in name), default=None)


def spread(values, form="{:.2f}"):
    return f"{form.format(statistics.median(values))} ({form.format(min(values))}-{form.format(max(values))})"


def times(ratio):
    return "not measured" if ratio is None else f"{ratio[0]:.2f}x ({ratio[1]:.2f}-{ratio[2]:.2f})"


def memory(row):
    """A program may end before it is looked at."""
    return f"{max(row['rss']) / 1024:.1f}" if any(row["rss"]) else "-"


def verdict(reached):
    return "not measured" if reached is None else "reached" if reached else "not reached"


def faster(part, tool, target):
    wall, cpu = (part.ratio(tool, OURS, key) if part else None for key in ("wall", "cpu"))
    return (f"{tool} takes at least {target}x as long as {OURS} (the default on two cores)",
            f"{times(wall)} as long, {times(cpu)} the CPU", verdict(wall and wall[0] >= target))


def near_bound(part, kind, threads, program="ghostq", bound="same reads"):
    cpu = part.ratio(f"{program}, {threads}", f"lower bound: {bound}, {threads}", "cpu") if part else None
    return (f"{kind}: {program} takes at most 1.2x the CPU of the lower bound `{bound}`, {threads}",
            f"{times(cpu)}", verdict(cpu and cpu[0] <= 1.2))


def small(part, kind, listing, target):
    if not part or part.sizes[-1] < 1_000_000:
        return f"{kind}: 1000000 messages within {target} MiB {listing}", "not measured at this size", verdict(None)
    most = part.peak(": ghostq with a listing" if listing == "with a listing" else f"{part.sizes[-1]}: ghostq, ")
    return (f"{kind}: {part.sizes[-1]} messages within {target} MiB {listing}", f"{most:.1f} MiB at most",
            verdict(most <= target))


def per_message(part, program):
    """CPU seconds for 100,000 messages at each size."""
    return [part.middle(f"{size}: {program}", "cpu") / size * 100_000 for size in part.sizes]


def linear(part, kind, threads):
    name = f"{kind}: linear from 10000 to 1000000 (CPU for each message grows by no more than a fifth), {threads}"
    if not part or part.sizes[0] > 10_000 or part.sizes[-1] < 1_000_000:
        return name, "not measured at these sizes", verdict(None)
    ours = per_message(part, f"ghostq, {threads}")
    bound = per_message(part, f"lower bound: same reads, {threads}")
    grown = max(ours) / ours[0]
    return name, f"{grown:.2f}x the CPU for a message (lower bound: {max(bound) / bound[0]:.2f}x)", verdict(grown <= 1.2)


def targets(parts):
    get = parts.get
    said = [part.answers for part in parts.values()]
    wrong = sum("NOT" in answer for answer in said)
    answers = ("the same messages as the mail system's own tool, and those that it does not show",
               f"{len(said) - wrong} of {len(said)} comparisons as they should be", verdict(not wrong if said else None))
    lines = [answers, faster(get("postfix"), "postqueue -j", 5), faster(get("exim"), "exim -bp", 3),
             faster(get("exim"), "exipick", 15)]
    for how in ((), ("ghostq --no-envelopes", "stat")):
        lines += [near_bound(get(name), kind, threads, *how) for name, kind in SYSTEMS.items()
                  for threads in ("1 thread", "2 threads")]
    for name, kind in SYSTEMS.items():
        part = get(f"scale-{name}")
        lines += [small(part, kind, "without a listing", 64), small(part, kind, "with a listing", 128)]
        lines += [linear(part, kind, threads) for threads in ("1 thread", "2 threads")]
    return lines


def table(part, out):
    print(f"\n{part.kind}, {part.count} deferred messages; {part.program}; begun {part.when}, load {part.load}; medians "
          f"(least-most)\nof {part.rounds()} alternating rounds after one that does not count. Ratios: how many times as much "
          f"it takes as `{OURS}`\nanswers: {part.answers}\n", file=out)
    print(f"{'':38} {'wall s':>20} {'ratio':>8} {'CPU s':>20} {'ratio':>8} {'peak MiB':>9}", file=out)
    for name, row in part.rows.items():
        wall, cpu = (part.ratio(name, OURS, key) for key in ("wall", "cpu"))
        print(f"{name:38} {spread(row['wall']):>20} {wall[0]:>7.2f}x {spread(row['cpu']):>20} {cpu[0]:>7.2f}x "
              f"{memory(row):>9}", file=out)


def scale_table(part, out):
    print(f"\n{part.kind}, growing; {part.program}; begun {part.when}, load {part.load}; medians (least-most) of {part.rounds()} "
          f"alternating\nrounds after one that does not count. Growth: how many times as much it takes as for the size before\n"
          f"answers at {part.count}: {part.answers}\n", file=out)
    print(f"{'':36} {'messages':>9} {'wall s':>20} {'growth':>8} {'CPU s':>20} {'growth':>8} {'CPU s/100000':>13} {'peak MiB':>9}",
          file=out)
    programs = [name.split(": ", 1)[1] for name in part.rows if name.startswith(f"{part.sizes[-1]}: ")]
    for program in programs:
        before = None
        for size in part.sizes:
            name = f"{size}: {program}"
            row = part.rows.get(name)
            if row is None:
                continue
            growth = [f"{part.middle(name, key) / part.middle(before, key):.2f}x" if before else "" for key in ("wall", "cpu")]
            print(f"{program:36} {size:>9} {spread(row['wall']):>20} {growth[0]:>8} {spread(row['cpu']):>20} {growth[1]:>8} "
                  f"{part.middle(name, 'cpu') / size * 100_000:>13.2f} {memory(row):>9}", file=out)
            before = name


def main():
    names = [f"{before}{kind}" for before in ("", "scale-") for kind in SYSTEMS]
    parts = {name: Part(name) for name in names if os.path.exists(f"{MEASURED}/{name}.json")
             and os.path.exists(f"{MEASURED}/{name}.about")}
    with open(TABLE, "w") as out:
        print(f"{NOTE}\n\"lower bound\": walk.rs, the standard library alone. \"same reads\": envelopes read, everything else asked "
              "for its metadata.\nPeak: the largest process of the command, in any round; showq, the daemon behind postqueue, "
              "is in its CPU seconds only.\n", file=out)
        if len({part.program for part in parts.values()}) > 1:
            print("NOT ONE RUN: the parts were measured with different builds of ghostq.\n", file=out)
        for target, measured, reached in targets(parts):
            print(f"{reached:12}  {target}\n{'':14}{measured}", file=out)
        for name, part in parts.items():
            (scale_table if part.sizes else table)(part, out)
            for command in part.failed:
                print(f"left out, since it failed: {command}", file=out)
    with open(PLOT, "w") as out:
        out.write(plot.drawing(parts, NOTE))


main()
