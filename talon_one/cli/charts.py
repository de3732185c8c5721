"""Charts: sparklines of a line of text, and bars of a page of HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise

_BLOCKS = "▁▂▃▄▅▆▇█"
_ASCII = "_.-=+*#@"
_WIDTH = 30


def sparkline(values: Sequence[float], encoding: str | None = "utf-8") -> str:
    """Return values as a line of bars of different heights, at most 30 of them.

    Args:
        values: The values. Zero and what lies below it is the lowest bar.
        encoding: Encoding of what shows it; one without blocks gets letters.
    """
    if not values:
        return ""
    letters = _BLOCKS if _can_show(_BLOCKS, encoding) else _ASCII
    values = _thinned(values, _WIDTH)
    highest = max(values)
    if highest <= 0:
        return letters[0] * len(values)
    steps = len(letters) - 1
    return "".join(letters[_height(value, highest, steps)] for value in values)


def _height(value: float, highest: float, steps: int) -> int:
    if value <= 0:
        return 0
    # What is there at all is above what is not.
    return max(1, round(value / highest * steps))


def _thinned(values: Sequence[float], most: int) -> list[float]:
    """Return at most so many values, each the sum of those that it stands for."""
    if len(values) <= most:
        return list(values)
    edges = [round(index * len(values) / most) for index in range(most + 1)]
    return [sum(values[begin:end]) for begin, end in pairwise(edges)]


def _can_show(text: str, encoding: str | None) -> bool:
    try:
        text.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


# -- HTML ------------------------------------------------------------------------------------------

_STYLE = """\
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --line: #d0d7de; --bar: #2563a8 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --paper: #0d1117; --line: #3d444d; --bar: #6cb0f5 }
}
body { color: var(--ink); background: var(--paper); font: 16px/1.5 system-ui, sans-serif;
  margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
div { overflow-x: auto }
table { border-collapse: collapse; width: 100% }
caption { text-align: left; padding-bottom: .5rem }
th, td { border-bottom: 1px solid var(--line); padding: .4rem .6rem; text-align: left }
.n { text-align: right; font-variant-numeric: tabular-nums }
svg { display: block }
rect { fill: var(--bar) }
@media print { :root { --ink: #000; --paper: #fff; --bar: #444 } }"""


def bar_svg(value: float, highest: float, width: int = 160, height: int = 14) -> str:
    """Return a bar as SVG; the number beside it says what it shows."""
    length = 0.0 if highest <= 0 or value <= 0 else max(1.0, value / highest * width)
    return (
        f'<svg width="{width}" height="{height}" aria-hidden="true">'
        f'<rect width="{length:.1f}" height="{height}" rx="2"/></svg>'
    )


def bars_svg(values: Sequence[float], label: str, width: int = 180, height: int = 32) -> str:
    """Return a series of bars as SVG.

    Args:
        values: The values.
        label: What it shows, for those who do not see it.
        width: Width in pixels.
        height: Height in pixels.
    """
    values = _thinned(values, width // 3)
    highest = max(values, default=0)
    step = width / max(len(values), 1)
    bars = []
    for index, value in enumerate(values):
        if highest > 0 and value > 0:
            tall = max(1.0, value / highest * height)
            bars.append(
                f'<rect x="{index * step:.1f}" y="{height - tall:.1f}"'
                f' width="{max(1.0, step - 1):.1f}" height="{tall:.1f}"/>'
            )
    return (
        f'<svg width="{width}" height="{height}" role="img" aria-label="{escape(label)}">'
        f"{''.join(bars)}</svg>"
    )


def page(title: str, caption: str, head: Sequence[tuple[str, bool]], rows: Sequence[str]) -> str:
    """Return a page of HTML that needs nothing else.

    Args:
        title: Its title.
        caption: What the table shows.
        head: Titles of the columns, and whether they are numbers.
        rows: Cells of each row, as HTML.
    """
    numeric = ("", ' class="n"')
    columns = "".join(
        f'<th scope="col"{numeric[is_number]}>{escape(each)}</th>' for each, is_number in head
    )
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>
{_STYLE}
</style>
</head>
<body>
<h1>{escape(title)}</h1>
<div tabindex="0" role="region" aria-label="{escape(title)}">
<table>
<caption>{escape(caption)}</caption>
<thead><tr>{columns}</tr></thead>
<tbody>
{body}
</tbody>
</table>
</div>
</body>
</html>
"""
