"""Small charts as inline SVG: no script, no file from elsewhere, the colours are those of the page around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

_GAP = 0.18
"""Share of a bar's place that stays empty."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: how high, what it says when it is pointed at, and the class that colours it."""

    value: float
    label: str
    style: str = ""


def bars(found: Sequence[Bar], *, width: int, height: int, title: str, most: float = 0) -> str:
    """A bar chart without axes, as high as its highest bar or `most`.

    A bar of 0 that has a style is a stub, so that a bad night without news can be seen.
    """
    most = most or max((bar.value for bar in found), default=0) or 1
    place = width / max(len(found), 1)
    shapes = []
    for number, bar in enumerate(found):
        tall = max(bar.value / most * height, 3 if bar.style or bar.value else 1)
        shapes.append(
            f'<rect class="{escape(bar.style or "bar")}" x="{number * place + place * _GAP / 2:.1f}"'
            f' y="{height - tall:.1f}" width="{place * (1 - _GAP):.1f}" height="{tall:.1f}">'
            f"<title>{escape(bar.label)}</title></rect>"
        )
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}" preserveAspectRatio="none">'
        f"{''.join(shapes)}</svg>"
    )


def nights_chart(days: Mapping[date, int], *, title: str) -> str:
    """New articles per day as bars, with a scale at the left and dates under them; `days` ascend.

    Words are HTML around the picture: the picture is stretched to its place, and letters would be stretched with it.
    """
    top = _round_up(max(days.values(), default=0))
    found = [Bar(value, f"{day:%d/%m/%Y}: {value}") for day, value in days.items()]
    scale = "".join(f"<span>{value}</span>" for value in ((top, top // 2, 0) if top > 1 else (top, 0)))
    # Four dates fit on a telephone; the first and the last stand at the ends.
    known = list(days)
    named = [known[place * (len(known) - 1) // 3] for place in range(4)] if len(known) > 3 else known
    dates = "".join(f"<span>{day:%d/%m}</span>" for day in named)
    picture = bars(found, width=720, height=160, title=title, most=top)
    return f'<div class="chart"><div class="scale">{scale}</div>{picture}<div class="dates">{dates}</div></div>'


def share_bar(having: int, of: int, name: str) -> str:
    """How many of how many, as a filled bar with its name and number."""
    share = having / of if of else 0.0
    track = f'<span class="track"><span style="width:{share:.0%}"></span></span>'
    return f'<div class="share"><span>{escape(name)}</span>{track}<span>{having}/{of}</span></div>'


def _round_up(value: int) -> int:
    """The end of a scale: 1, 2 or 5 with zeros, even from 2 on so that its half is whole."""
    if value <= 1:
        return 1
    step = 1
    while True:
        for factor in (2, 4, 6, 10):
            if value <= factor * step:
                return factor * step
        step *= 10
