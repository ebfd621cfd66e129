"""plot.py - what was measured as bars of wall clock and CPU seconds, and growth as lines; for light and dark pages."""
import math
from html import escape

WIDTH, LABEL, BAR, ROW = 900, 250, 540, 34
STYLE = """<style>
.page{fill:#fff}text{fill:#1f2328;font:12px sans-serif}.small{font-size:10px}.title{font-size:15px;font-weight:bold}
.head{font-weight:bold}.own{fill:#0b6e4f}.tool{fill:#c8553d}.bound{fill:#7d8894}.cpu{opacity:.5}
.line{fill:none;stroke-width:2}.a{stroke:#0b6e4f}.b{stroke:#7d8894}.dash{stroke-dasharray:5 4}.grid{stroke:#8884;fill:none}
@media(prefers-color-scheme:dark){.page{fill:#0d1117}text{fill:#e6edf3}.own{fill:#3fb68b}.tool{fill:#e5826d}
.bound{fill:#98a3af}.a{stroke:#3fb68b}.b{stroke:#98a3af}}
</style>"""


def text(x, y, words, kind="", anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def bars(part, y):
    pieces = [text(12, y, f"{part.kind}, {part.count} deferred messages", "head")]
    y += 8
    most = max(part.middle(name, key) for name in part.rows for key in ("wall", "cpu"))
    for name in part.rows:
        colour = "own" if name.startswith("ghostq") else "bound" if name.startswith("lower bound") else "tool"
        pieces.append(text(LABEL - 8, y + 19, name, anchor="end"))
        for place, (key, kind) in enumerate((("wall", ""), ("cpu", " cpu"))):
            value = part.middle(name, key)
            wide = max(1.0, BAR * value / most)
            top = y + 3 + 14 * place
            pieces.append(f'<rect x="{LABEL}" y="{top}" width="{wide:.1f}" height="12" class="{colour}{kind}"/>'
                          + text(LABEL + wide + 6, top + 10, f"{value:.2f} s {'wall' if key == 'wall' else 'CPU'}", "small"))
        y += ROW
    return pieces, y


def growth(part, left, top, wide, high):
    """CPU seconds over messages, both logarithmic: a straight line of this slope is linear."""
    programs = [("ghostq, 1 thread", "a"), ("ghostq, 2 threads", "a dash"),
                ("lower bound: same reads, 1 thread", "b"), ("lower bound: same reads, 2 threads", "b dash")]
    points = {program: [(size, part.middle(f"{size}: {program}", "cpu")) for size in part.sizes] for program, _ in programs}
    values = [value for line in points.values() for _, value in line if value]
    if not values:
        return []
    low, up = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    first, last = math.log10(part.sizes[0]), math.log10(part.sizes[-1])
    across = lambda size: left + wide * (math.log10(size) - first) / max(last - first, 1e-9)
    down = lambda value: top + high - high * (math.log10(value) - low) / max(up - low, 1)
    pieces = [text(left - 34, top - 14, f"{part.kind}, growing: CPU seconds over messages", "head")]
    for power in range(low, up + 1):
        pieces.append(f'<path d="M{left} {down(10 ** power):.1f}h{wide}" class="grid"/>'
                      + text(left - 6, down(10 ** power) + 4, f"{10.0 ** power:g}", "small", "end"))
    for size in part.sizes:
        pieces.append(f'<path d="M{across(size):.1f} {top}v{high}" class="grid"/>'
                      + text(across(size), top + high + 14, f"{size}", "small", "middle"))
    for number, (program, kind) in enumerate(programs):
        path = " ".join(f"{across(size):.1f},{down(value):.1f}" for size, value in points[program] if value)
        pieces.append(f'<polyline points="{path}" class="line {kind}"/>')
        at = top + high + 32 + 15 * number
        pieces.append(f'<path d="M{left} {at - 4}h24" class="line {kind}"/>' + text(left + 30, at, program, "small"))
    return pieces


def drawing(parts, note):
    flat = [part for part in parts.values() if not part.sizes]
    growing = [part for part in parts.values() if part.sizes]
    pieces, y = [text(12, 26, "Seconds, less is better", "title")], 54
    for part in flat:
        more, y = bars(part, y)
        pieces += more
        y += 28
    if growing:
        y += 16
        for number, part in enumerate(growing):
            pieces += growth(part, 60 + 440 * number, y, 350, 190)
        y += 190 + 32 + 60 + 12
    for line in note.splitlines():
        pieces.append(text(12, y, line, "small"))
        y += 13
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}">', STYLE,
                      f'<rect width="{WIDTH}" height="{y}" class="page"/>', *pieces, "</svg>", ""])
