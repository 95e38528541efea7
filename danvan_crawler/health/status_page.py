"""The state of the sites as one HTML file: what needs somebody, what came in, each site's last nights.

It opens from disk, on a telephone too: one file, charts as inline SVG, no script, nothing from elsewhere.
The colours of the charts are those of the page around them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from html import escape

from danvan_crawler.health.history import Night
from danvan_crawler.health.status import NIGHTS, SiteStatus
from danvan_crawler.sites.rules import COVERED_FIELDS

_DAYS = 30
_BAD = frozenset({"unhealthy", "failed", "error", "overdue", "damaged", "disk full"})

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --paper: #f5f6f8; --card: #fff; --line: #dfe3e8;
  --good: #1a7f4b; --bad: #c0322b; --mild: #a86a00; --bar: #3a6ea5; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ebf0; --soft: #9ba7b4; --paper: #14181d; --card: #1d232a;
  --line: #323b45; --good: #4cc38a; --bad: #ff7a70; --mild: #e0a83e; --bar: #6ea3dc; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, "Noto Sans", sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; margin: .5rem 0 0; } h2 { font-size: 1.15rem; margin: 1.75rem 0 .6rem; }
p { margin: .25rem 0; } .soft { color: var(--soft); font-size: .875rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: .6rem; margin-top: 1rem; }
.tile, .card { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .7rem .9rem; }
.tile b { display: block; font-size: 1.5rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
.card { margin-bottom: .6rem; overflow-wrap: anywhere; } .trouble { border-left: .3rem solid var(--bad); }
.trouble.mild { border-left-color: var(--mild); }
.sites { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); gap: .6rem; }
.sites .card { margin: 0; } .head { display: flex; justify-content: space-between; gap: .5rem; align-items: start; }
.badge { border: 1px solid; border-radius: 1rem; padding: 0 .6rem; font-size: .8rem; white-space: nowrap; }
.good { color: var(--good); } .bad { color: var(--bad); } .mild { color: var(--mild); }
.trouble, .trouble.mild { color: inherit; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 0 .8rem; margin: .5rem 0; font-size: .9rem; }
dt { color: var(--soft); } dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; }
svg { display: block; width: 100%; } .nights svg { height: 2.6rem; }
svg .bar { fill: var(--bar); } svg .is-bad { fill: var(--bad); } svg .is-mild { fill: var(--mild); }
.chart { display: grid; grid-template-columns: auto 1fr; gap: .2rem .5rem; color: var(--soft); font-size: .8rem; }
.chart svg { height: 10rem; border-bottom: 1px solid var(--line); border-top: 1px solid var(--line); }
.scale { display: flex; flex-direction: column; justify-content: space-between; text-align: right; line-height: 1; }
.dates { grid-column: 2; display: flex; justify-content: space-between; }
code { background: var(--paper); border-radius: .2rem; padding: 0 .2rem; }
details { margin-top: .5rem; font-size: .9rem; } summary { cursor: pointer; color: var(--soft); }
.share { display: grid; grid-template-columns: 7rem 1fr 4.5rem; gap: .5rem; align-items: center; }
.share > :last-child { text-align: right; font-variant-numeric: tabular-nums; }
.track { background: var(--line); border-radius: .3rem; height: .5rem; overflow: hidden; }
.track span { display: block; height: 100%; background: var(--bar); }
@media (max-width: 40rem) { .tiles { grid-template-columns: 1fr 1fr; } }
"""

_GAP = 0.18
"""Share of a bar's place that stays empty."""


def page(sites: Sequence[SiteStatus], now: datetime) -> str:
    """The whole document. Moments are shown by this machine's clock."""
    shown = [one for one in sites if one.enabled]
    last = _last_night(shown)
    when = f"{last[0].started_at.astimezone():%d/%m/%Y}" if last else "no run yet"
    parts = [
        f"<h1>Crawls of the last night, {when}</h1>",
        f'<p class="soft">as of {now.astimezone():%d/%m/%Y %H:%M}; read from run reports and the item database</p>',
        _tiles(shown, last),
        "<h2>Needs attention</h2>",
        *(_troubles(shown) or ['<p class="card">Nothing is wrong.</p>']),
        f"<h2>New articles, last {_DAYS} days</h2>",
        f'<div class="card">{nights_chart(_new_per_day(shown, now), title="New articles per day")}</div>',
        "<h2>Sites</h2>",
        f'<div class="sites">{"".join(_site(one) for one in sorted(sites, key=_order))}</div>',
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>danvan: {escape(when)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(parts)
        + "\n</main>\n</body>\n</html>\n"
    )


def _order(one: SiteStatus) -> tuple[bool, bool, str]:
    return not one.unhealthy, not one.enabled, one.site


def _last_night(sites: Iterable[SiteStatus]) -> list[Night]:
    """The last runs of all sites in the day before the newest of them, newest first."""
    runs = sorted((one.last for one in sites if one.last), key=lambda night: night.started_at, reverse=True)
    return [night for night in runs if runs[0].started_at - night.started_at < timedelta(days=1)]


def _tiles(sites: Sequence[SiteStatus], last: Sequence[Night]) -> str:
    unhealthy = sum(one.unhealthy for one in sites)
    tiles = [
        (f"{len(last)} of {len(sites)}", "sites crawled", ""),
        (str(unhealthy), "unhealthy", "bad" if unhealthy else "good"),
        *(
            (_number(sum(night.articles.get(kind, 0) for night in last)), f"articles {kind}", "")
            for kind in ("new", "edited", "gone")
        ),
        (
            _number(sum(night.requests for night in last)),
            f"requests, {_bytes(sum(night.received_bytes for night in last))}",
            "",
        ),
    ]
    found = (f'<div class="tile"><b class="{style}">{number}</b>{what}</div>' for number, what, style in tiles)
    return f'<div class="tiles">{"".join(found)}</div>'


def _troubles(sites: Iterable[SiteStatus]) -> list[str]:
    found = []
    for one in sites:
        for problem in one.problems:
            style = "trouble" if problem.is_failure else "trouble mild"
            kind = f'<span class="soft">{problem.kind}</span>'
            card = (
                f'<div class="card {style}"><strong>{escape(one.site)}</strong> {kind}'
                f'<p>{escape(problem.text)}</p><p class="soft">{_with_code(problem.remedy)}</p></div>'
            )
            found.append((not problem.is_failure, card))
    return [card for _, card in sorted(found, key=lambda entry: entry[0])]


def _with_code(text: str) -> str:
    """What stands between backticks is what somebody types or writes into a file."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _new_per_day(sites: Iterable[SiteStatus], now: datetime) -> dict[date, int]:
    today = now.astimezone().date()
    days = {today - timedelta(days=ago): 0 for ago in range(_DAYS - 1, -1, -1)}
    for one in sites:
        for night in one.nights:
            day = night.started_at.astimezone().date()
            if day in days:
                days[day] += night.articles.get("new", 0)
    return days


def _site(one: SiteStatus) -> str:
    style = "good" if one.outcome == "good" else "bad" if one.outcome in _BAD else "mild"
    life, last = one.activity, one.last
    facts = [
        ("last run", f"{last.started_at.astimezone():%d/%m %H:%M}, {_duration(last.seconds)}" if last else "never"),
        ("new, edited, gone", ", ".join(_number(last.articles.get(kind, 0)) for kind in ("new", "edited", "gone")))
        if last
        else ("articles", "0"),
        ("published in 7, 30 days", f"{life.published[7]}, {life.published[30]}" if life else "0, 0"),
        ("newest article", _day(life.newest) if life is not None and life.newest else "-"),
        ("articles in all", _number(life.articles) if life else "0"),
    ]
    listed = "".join(f"<dt>{what}</dt><dd>{escape(value)}</dd>" for what, value in facts)
    return (
        f'<div class="card"><div class="head"><div><strong>{escape(one.site)}</strong>'
        f'<p class="soft">{escape(one.name)}</p></div><span class="badge {style}">{escape(one.outcome)}</span></div>'
        f"<dl>{listed}</dl>{_nights(one)}{_coverage(one)}</div>"
    )


def _nights(one: SiteStatus) -> str:
    if not one.nights:
        return ""
    found = []
    for night in reversed(one.nights[:NIGHTS]):
        new = night.articles.get("new", 0)
        style = "" if night.code == 0 else "is-bad" if night.says_something else "is-mild"
        found.append(Bar(new, f"{night.started_at.astimezone():%d/%m}: {new} new, {night.outcome}", style))
    # The first run brings years of news: beside it nothing else would be seen.
    usual = sorted(bar.value for bar in found)[len(found) * 9 // 10] if len(found) > 1 else found[0].value
    clipped = [Bar(min(bar.value, max(usual, 1) * 1.5), bar.label, bar.style) for bar in found]
    empty = [Bar(0, "") for _ in range(NIGHTS - len(clipped))]
    chart = bars([*empty, *clipped], width=300, height=40, title=f"New articles in the last {len(found)} runs")
    return f'<div class="nights">{chart}</div>'


def _coverage(one: SiteStatus) -> str:
    with_articles = next((night for night in one.nights if night.coverage.get("articles")), None)
    if with_articles is None:
        return ""
    of = with_articles.coverage["articles"]
    rows = "".join(share_bar(with_articles.coverage.get(name, 0), of, name) for name in COVERED_FIELDS)
    summary = f"Fields of {_number(of)} articles, {with_articles.started_at.astimezone():%d/%m}"
    return f"<details><summary>{summary}</summary>{rows}</details>"


def _day(text: str) -> str:
    return f"{date.fromisoformat(text[:10]):%d/%m/%Y}"


def _number(value: int) -> str:
    """With thin spaces between thousands."""
    return f"{value:,}".replace(",", "\u202f")


def _bytes(value: int) -> str:
    return f"{value / 1e9:.1f}\u202fGB" if value >= 1e9 else f"{value / 1e6:.1f}\u202fMB"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f}\u202fs" if seconds < 90 else f"{seconds / 60:.0f}\u202fmin"


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
