# SPDX-License-Identifier: GPL-2.0
"""Two kinds of plots as SVG text: bars() for figures side by side, lines() for figures against a size."""
import math
from xml.sax.saxutils import escape

FONT = 'font-family="sans-serif" font-size="12"'
OURS = "#1f6feb"
# In the order in which series are given; ours is always OURS.
COLOURS = ["#d1761c", "#3f9142", "#8e5bb5", "#b5423c", "#5f6b76", "#0f8a8a", "#a08b1b"]


class Picture:
    """Collects SVG elements."""

    def __init__(self, width, height, title):
        self.width, self.height = width, height
        self.parts = []
        self.text(10, 20, title, weight="bold")

    def text(self, x, y, text, anchor="start", weight="normal", colour="#24292f"):
        # The white edge keeps it readable where it crosses a line.
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" '
                          f'fill="{colour}" stroke="#ffffff" stroke-width="3" paint-order="stroke" '
                          f'{FONT}>{escape(text)}</text>')

    def line(self, x1, y1, x2, y2, colour="#d0d7de", dash=""):
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{dashes}/>')

    def bar(self, x, y, width, height, colour):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.5):.1f}" height="{height}" '
                          f'fill="{colour}"/>')

    def path(self, points, colour, width=2):
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="{width}"/>')
        self.parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]

    def svg(self):
        head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
                f'width="{self.width}" height="{self.height}">')
        return "\n".join([head, f'<rect width="{self.width}" height="{self.height}" fill="#ffffff"/>',
                          *self.parts, "</svg>"]) + "\n"


def is_ours(name):
    return name.startswith("kserv")


def bars(title, panels, mark):
    """panels: [(heading, [(label, value)])]; a dashed line stands at the value of the row labelled `mark`."""
    row, label_width, bar_width, gap = 18, 150, 330, 40
    columns = 2
    panel_width = label_width + bar_width + gap + 40
    heights = [len(rows) * row + 40 for _, rows in panels]
    lines_of_panels = [max(heights[i:i + columns]) for i in range(0, len(panels), columns)]
    picture = Picture(panel_width * columns, 40 + sum(lines_of_panels), title)
    for i, (heading, rows) in enumerate(panels):
        left = (i % columns) * panel_width + 10
        top = 50 + sum(lines_of_panels[:i // columns])
        scale = bar_width / max(value for _, value in rows)
        picture.text(left, top, heading, weight="bold")
        for value in (value for label, value in rows if label == mark):
            x = left + label_width + value * scale
            picture.line(x, top + 6, x, top + 8 + len(rows) * row, colour="#24292f", dash="4 3")
        for j, (label, value) in enumerate(rows):
            y = top + 8 + j * row
            picture.text(left + label_width - 6, y + 12, label, anchor="end")
            picture.bar(left + label_width, y + 2, value * scale, row - 5, OURS if is_ours(label) else "#9aa7b4")
            picture.text(left + label_width + value * scale + 4, y + 12, f"{value:,.0f}", colour="#57606a")
    return picture.svg()


def decades(low, high):
    return [10 ** e for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]


def short(value):
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:g}{name}"
    return f"{value:g}"


def steps_of(high):
    """About five round values from 0 up to `high`."""
    raw = high / 5
    unit = 10 ** math.floor(math.log10(raw))
    size = next(unit * m for m in (1, 2, 5, 10) if unit * m >= raw)
    return [size * i for i in range(int(high / size) + 2)]


def lines(title, series, x_title, log_y):
    """series: {name: [(x, y)]}; x is always on a logarithmic scale."""
    width, height, left, right, top, bottom = 760, 380, 70, 170, 40, 50
    picture = Picture(width, height, title)
    points = [point for line in series.values() for point in line]
    x_ticks = decades(min(x for x, _ in points), max(x for x, _ in points))
    y_high = max(y for _, y in points)
    y_ticks = decades(min(y for _, y in points), y_high) if log_y else steps_of(y_high)

    def place_x(x):
        span = math.log10(x_ticks[-1] / x_ticks[0]) or 1
        return left + (width - left - right) * math.log10(x / x_ticks[0]) / span

    def place_y(y):
        share = (math.log10(y / y_ticks[0]) / math.log10(y_ticks[-1] / y_ticks[0]) if log_y else y / y_ticks[-1])
        return height - bottom - (height - top - bottom) * share

    for tick in x_ticks:
        picture.line(place_x(tick), top, place_x(tick), height - bottom)
        picture.text(place_x(tick), height - bottom + 16, short(tick), anchor="middle")
    for tick in y_ticks:
        picture.line(left, place_y(tick), width - right, place_y(tick))
        picture.text(left - 6, place_y(tick) + 4, short(tick), anchor="end")
    picture.text((left + width - right) / 2, height - 10, x_title, anchor="middle")
    colours = iter(COLOURS)
    ends = []
    for name, line in series.items():
        colour = OURS if is_ours(name) else next(colours)
        picture.path([(place_x(x), place_y(y)) for x, y in line], colour)
        ends.append((place_y(line[-1][1]), place_x(line[-1][0]), name, colour))
    label_y = -math.inf
    for y, x, name, colour in sorted(ends):
        label_y = max(y + 4, label_y + 14)
        picture.text(x + 8, label_y, name, colour=colour)
    return picture.svg()
