#!/usr/bin/env python3
"""report.py RESULTS.txt PLOT.svg TITLE=RUN.json… - medians of each run as a text table and as bars of CPU seconds."""
import json
import statistics
import sys
from html import escape

TABLE, PLOT = sys.argv[1:3]
GROUPS = [argument.split("=", 1) for argument in sys.argv[3:]]
NOTE = sys.stdin.read().strip()


def medians(path):
    with open(path) as file:
        runs = json.load(file)
    rows = []
    for name, result in runs.items():
        if any(run["exit"] not in (0, 1) or run["exit"] and not name.startswith("ghostq") for run in result["runs"]):
            print(f"left out: `{result['command']}` failed", file=sys.stderr)
            continue
        take = lambda key: statistics.median(run[key] for run in result["runs"])
        rows.append({"name": name, "cpu": take("cpu"), "wall": take("wall"), "rss": take("rss") / 1024,
                     "rounds": len(result["runs"]), "command": result["command"]})
    return rows


def against(rows):
    """What ratios are taken to: ghostq with one thread and no listing."""
    return next((row for row in rows if row["name"].startswith("ghostq")), rows[0])


groups = [(title, medians(path)) for title, path in GROUPS]
with open(TABLE, "w") as out:
    print(NOTE, file=out)
    for title, rows in groups:
        base = against(rows)
        rounds = rows[0]["rounds"]
        how = "one round" if rounds == 1 else f"medians of {rounds} alternating rounds"
        print(f"\n{title}; {how}; ratios to `{base['name']}`\n", file=out)
        print(f"{'':44} {'CPU s':>8} {'ratio':>7} {'wall s':>8} {'ratio':>7} {'peak MiB':>9}", file=out)
        for row in rows:
            memory = f"{row['rss']:9.1f}" if row["rss"] else f"{'-':>9}"
            print(f"{row['name']:44} {row['cpu']:8.2f} {row['cpu'] / base['cpu']:6.2f}x {row['wall']:8.2f} "
                  f"{row['wall'] / base['wall']:6.2f}x {memory}", file=out)

WIDTH, LABEL, BAR, LINE = 860, 300, 440, 20
height = 40 + sum(34 + LINE * len(rows) for _, rows in groups) + 34
parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="12">',
         f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
         '<text x="12" y="24" font-size="15" font-weight="bold">CPU seconds, less is better</text>']
y = 40
for title, rows in groups:
    y += 24
    parts.append(f'<text x="12" y="{y}" font-weight="bold">{escape(title)}</text>')
    y += 8
    most = max(row["cpu"] for row in rows)
    for row in rows:
        own = row["name"].startswith("ghostq")
        bound = row["name"].startswith("lower bound")
        colour = "#0b6e4f" if own else "#9aa5b1" if bound else "#c8553d"
        wide = max(1.0, BAR * row["cpu"] / most)
        parts.append(f'<text x="{LABEL - 8}" y="{y + 13}" text-anchor="end">{escape(row["name"])}</text>'
                     f'<rect x="{LABEL}" y="{y + 2}" width="{wide:.1f}" height="14" fill="{colour}"/>'
                     f'<text x="{LABEL + wide + 6:.1f}" y="{y + 13}">{row["cpu"]:.2f}</text>')
        y += LINE
    y += 2
for number, line in enumerate(NOTE.splitlines()[:2]):
    parts.append(f'<text x="12" y="{y + 16 + 13 * number}" font-size="10" fill="#555">{escape(line)}</text>')
parts.append("</svg>")
with open(PLOT, "w") as out:
    print("\n".join(parts), file=out)
