# SPDX-License-Identifier: Apache-2.0
"""Draws panels of curves as an SVG for a page that is light or dark: each column two panels that share their points."""
import math
from html import escape

WIDTH, MARGIN, GAP, TOP = 1020, 62, 62, 92
HEIGHTS, BETWEEN, BOTTOM = (170, 120), 34, 52

STYLE = """
text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328; }
.title { font-size: 16px; font-weight: 600; } .heading { font-weight: 600; } .tick { font-size: 11px; fill: #59636e; }
.page { fill: #ffffff; } .grid { stroke: #d1d9e0; stroke-width: 1; } .frame { fill: none; stroke: #818b98; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.s0 { stroke: #6e7781; } .s1 { stroke: #0969da; } .s2 { stroke: #bc4c00; }
.s0 .mark { fill: #6e7781; } .s1 .mark { fill: #0969da; } .s2 .mark { fill: #bc4c00; } .s0 .line { stroke-dasharray: 5 4; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; } .tick { fill: #9198a1; } .page { fill: #0d1117; } .grid { stroke: #2f353d; } .frame { stroke: #656c76; }
  .s0 { stroke: #9198a1; } .s1 { stroke: #4493f8; } .s2 { stroke: #f0883e; }
  .s0 .mark { fill: #9198a1; } .s1 .mark { fill: #4493f8; } .s2 .mark { fill: #f0883e; }
}
"""


class Panel:
    """`series`: name to its points (x, y), x on a logarithmic scale. `log`: y as well."""

    def __init__(self, heading, across, up, series, log):
        self.heading, self.across, self.up, self.series, self.log = heading, across, up, series, log
        points = [point for those in series.values() for point in those]
        if not points or min(x for x, _ in points) <= 0 or log and min(y for _, y in points) <= 0:
            raise ValueError(f"{heading or up}: a logarithmic scale needs points above 0")
        self.xs = sorted({x for x, _ in points})
        self.ys = log_ticks(points) if log else linear_ticks(points)

    def scale(self, left, top, width, height):
        """From values to the picture: two functions."""
        def on(value, low, high, log):
            if log:
                value, low, high = math.log10(value), math.log10(low), math.log10(high)
            return (value - low) / (high - low) if high > low else 0.5
        return (lambda x: left + width * (0.06 + 0.88 * on(x, self.xs[0], self.xs[-1], True)),
                lambda y: top + height * (1 - on(y, self.ys[0], self.ys[-1], self.log)))


def log_ticks(points):
    """1, 2 and 5 of each decade, or only 1 where that would be many; the first and last are the ends of the axis."""
    low, high = min(y for _, y in points), max(y for _, y in points)
    decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
    for steps in ((1, 2, 5), (1,)):
        every = [step * 10.0 ** decade for decade in decades for step in steps]
        ticks = every[max(i for i, y in enumerate(every) if y <= low):min(i for i, y in enumerate(every) if y >= high) + 1]
        if len(ticks) <= 6:
            break
    return ticks if len(ticks) > 1 else [ticks[0], every[every.index(ticks[0]) + 1]]


def linear_ticks(points):
    """At most 7 round numbers around the values; differences of less than 0.02 are not made to look large."""
    low, high = min(y for _, y in points), max(y for _, y in points)
    high = max(high, low + 0.02)
    least = (high - low) / 5
    unit = 10.0 ** math.floor(math.log10(least))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= least * 0.999)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [number * step for number in range(first, last + 1)]


def number(value):
    for size, letter in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}" if value == int(value) else f"{value:.3f}".rstrip("0")


def mark(kind, x, y):
    """Each series has a shape of its own, for those who see no colours."""
    return (f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>',
            f'<rect class="mark" x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7"/>',
            f'<path class="mark" d="M{x:.1f} {y - 4.5:.1f}l4.5 8h-9z"/>')[kind]


def text(x, y, words, kind="", anchor="middle", more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}"{more}>{escape(words)}</text>'


def draw(panel, names, left, top, width, height, bottom):
    """`bottom`: the lowest of its column, which has the points and what they are."""
    across, up = panel.scale(left, top, width, height)
    lines = []
    for y in panel.ys:
        lines += [f'<path class="grid" d="M{left} {up(y):.1f}h{width:.1f}"/>', text(left - 6, up(y) + 4, number(y), "tick", "end")]
    for x in panel.xs:
        lines.append(f'<path class="grid" d="M{across(x):.1f} {top}v{height}"/>')
        if bottom:
            lines.append(text(across(x), top + height + 17, f"{x:,}".replace(",", " "), "tick"))
    lines.append(f'<rect class="frame" x="{left:.1f}" y="{top}" width="{width:.1f}" height="{height}"/>')
    for name, points in panel.series.items():
        kind, places = names.index(name), [(across(x), up(y)) for x, y in points]
        lines.append(f'<g class="s{kind}"><title>{escape(name)}</title><polyline class="line" points="'
                     + " ".join(f"{x:.1f},{y:.1f}" for x, y in places) + '"/>' + "".join(mark(kind, x, y) for x, y in places)
                     + "</g>")
    if panel.heading:
        lines.append(text(left + width / 2, top - 10, panel.heading, "heading"))
    if bottom:
        lines.append(text(left + width / 2, top + height + 36, f"{panel.across} (logarithmic)"))
    return lines


def picture(title, columns):
    """`columns`: two panels each, one below the other."""
    names = list(dict.fromkeys(name for column in columns for panel in column for name in panel.series))
    width = (WIDTH - MARGIN - 16 - GAP * (len(columns) - 1)) / len(columns)
    tops = (TOP, TOP + HEIGHTS[0] + BETWEEN)
    height = tops[1] + HEIGHTS[1] + BOTTOM
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img">',
             f"<!-- SPDX-License-Identifier: Apache-2.0 --><title>{escape(title)}</title><style>{STYLE}</style>",
             '<rect class="page" width="100%" height="100%" rx="6"/>', text(16, 28, title, "title", "start")]
    at = 16
    for kind, name in enumerate(names):
        lines += [f'<g class="s{kind}"><path class="line" d="M{at} 48h26"/>{mark(kind, at + 13, 48)}</g>',
                  text(at + 33, 52, name, "", "start")]
        at += 60 + 8 * len(name)
    for row, top in enumerate(tops):
        panel = columns[0][row]
        words = panel.up + (" (logarithmic)" if panel.log else "")
        middle = top + HEIGHTS[row] / 2
        lines.append(text(14, middle, words, more=f' transform="rotate(-90 14 {middle:.1f})"'))
    for number_of, column in enumerate(columns):
        left = MARGIN + number_of * (width + GAP)
        for row, panel in enumerate(column):
            lines += draw(panel, names, left, tops[row], width, HEIGHTS[row], row == len(column) - 1)
    return "\n".join(lines + ["</svg>"]) + "\n"
