"""The state of the sites as one HTML file: what needs attention, new articles, the last runs of each site.

It opens from disk, also on a phone: one file, charts as inline SVG, no script, nothing loaded from elsewhere.
This module prepares numbers and texts; the template `status_page.html` beside it lays them out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from danvan_crawler.health.archive_status import ArchiveStatus, disk_in_words
from danvan_crawler.health.history import RunReport
from danvan_crawler.health.problems import Problem
from danvan_crawler.health.status import RUNS_SHOWN, SiteStatus
from danvan_crawler.plurals import counted
from danvan_crawler.sites.rules import COVERED_FIELDS
from danvan_crawler.templates import render

_DAYS = 30
_BAD = frozenset({"unhealthy", "failed", "error", "overdue", "damaged", "disk full"})
_GAP = 0.18
"""Share of a bar's place that stays empty."""


def page(
    sites: Sequence[SiteStatus], now: datetime, archive: ArchiveStatus | None = None, notes: Sequence[str] = ()
) -> str:
    """The whole document. Moments are shown by this machine's clock. `notes` explain why no site is shown."""
    shown = [one for one in sites if one.enabled]
    last = _last_day(shown)
    return render(
        "health/status_page.html",
        when=f"{last[0].started_at.astimezone():%d/%m/%Y}" if last else "no run yet",
        now=f"{now.astimezone():%d/%m/%Y %H:%M}",
        tiles=_tiles(shown, last),
        notes=notes,
        archive=_archive(archive, now),
        problems=[*(("archive", one) for one in (archive or ArchiveStatus()).problems), *_problems(shown)],
        days=_DAYS,
        per_day=_per_day(_new_per_day(shown, now)),
        sites=[_site(one) for one in sorted(sites, key=_order)],
    )


def _order(one: SiteStatus) -> tuple[bool, bool, str]:
    return not one.unhealthy, not one.enabled, one.site


def _last_day(sites: Iterable[SiteStatus]) -> list[RunReport]:
    """The last runs of all sites within a day before the newest, newest first."""
    runs = sorted((one.last for one in sites if one.last), key=lambda run: run.started_at, reverse=True)
    return [run for run in runs if runs[0].started_at - run.started_at < timedelta(days=1)]


def _tiles(sites: Sequence[SiteStatus], last: Sequence[RunReport]) -> list[dict[str, str]]:
    unhealthy = sum(one.unhealthy for one in sites)
    received = _bytes(sum(run.received_bytes for run in last))
    found = [
        (f"{len(last)} of {len(sites)}", f"{_noun(len(sites), 'site')} crawled", ""),
        (str(unhealthy), "unhealthy", "bad" if unhealthy else "good"),
    ]
    for kind in ("new", "edited", "gone"):
        number = sum(run.articles.get(kind, 0) for run in last)
        found.append((_number(number), f"{_noun(number, 'article')} {kind}", ""))
    requests = sum(run.requests for run in last)
    found.append((_number(requests), f"{_noun(requests, 'request')}, {received}", ""))
    return [{"number": number, "meaning": meaning, "style": style} for number, meaning, style in found]


def _archive(archive: ArchiveStatus | None, now: datetime) -> list[str]:
    """Sentences about the archive."""
    if archive is None:
        return []
    check, found = archive.last_check, []
    if check is not None:
        damage = f"{counted(check.damage, 'finding')} of damage" if check.damage else "no damage"
        found.append(f"Last check {check.started_at.astimezone():%d/%m/%Y}: {damage}")
    return found + ([f"Disk: {disk_in_words(archive.disk, now)}"] if archive.disk is not None else [])


def _noun(number: int, noun: str) -> str:
    """The noun alone: the number stands above it."""
    return counted(number, noun).partition(" ")[2]


def _problems(sites: Iterable[SiteStatus]) -> list[tuple[str, Problem]]:
    """Site and problem, failures first."""
    found = [(one.site, problem) for one in sites for problem in one.problems]
    return sorted(found, key=lambda entry: not entry[1].is_failure)


def _new_per_day(sites: Iterable[SiteStatus], now: datetime) -> dict[date, int]:
    today = now.astimezone().date()
    days = {today - timedelta(days=ago): 0 for ago in range(_DAYS - 1, -1, -1)}
    for one in sites:
        for run in one.runs:
            day = run.started_at.astimezone().date()
            if day in days:
                days[day] += run.articles.get("new", 0)
    return days


def _per_day(days: Mapping[date, int]) -> dict[str, Any]:
    """The chart of new articles per day, with its scale and dates; `days` are in ascending order."""
    top = _round_up(max(days.values(), default=0))
    bars = [Bar(value, f"{day:%d/%m/%Y}: {value}") for day, value in days.items()]
    # Four dates fit on a phone; the first and the last are at the ends.
    known = list(days)
    named = [known[place * (len(known) - 1) // 3] for place in range(4)] if len(known) > 3 else known
    return {
        "chart": chart(bars, width=720, height=160, most=top),
        "scale": (top, top // 2, 0) if top > 1 else (top, 0),
        "dates": [f"{day:%d/%m}" for day in named],
    }


def _site(one: SiteStatus) -> dict[str, Any]:
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
    return {
        "slug": one.site,
        "name": one.name,
        "outcome": one.outcome,
        "style": "bad" if one.unhealthy or one.outcome in _BAD else "good" if one.outcome == "good" else "mild",
        "facts": facts,
        "runs": _runs(one.runs[:RUNS_SHOWN]),
        "coverage": _coverage(one.runs),
    }


def _runs(runs: Sequence[RunReport]) -> dict[str, Any] | None:
    """The chart of a site's last runs; None if there are no runs."""
    if not runs:
        return None
    found = []
    for run in reversed(runs):
        new = run.articles.get("new", 0)
        style = "" if run.code == 0 else "is-bad" if run.is_conclusive else "is-mild"
        found.append(Bar(new, f"{run.started_at.astimezone():%d/%m}: {new} new, {run.outcome}", style))
    # The first run brings years of news; at full height it would hide all other bars.
    usual = sorted(bar.value for bar in found)[len(found) * 9 // 10] if len(found) > 1 else found[0].value
    clipped = [Bar(min(bar.value, max(usual, 1) * 1.5), bar.label, bar.style) for bar in found]
    empty = [Bar(0) for _ in range(RUNS_SHOWN - len(clipped))]
    return {
        "chart": chart([*empty, *clipped], width=300, height=40),
        "title": f"New articles in the last {counted(len(found), 'run')}",
    }


def _coverage(runs: Iterable[RunReport]) -> dict[str, Any] | None:
    """How many articles of the last run with articles have each field; None if no run has any."""
    run = next((run for run in runs if run.coverage.get("articles")), None)
    if run is None:
        return None
    articles = run.coverage["articles"]
    having = {name: run.coverage.get(name, 0) for name in COVERED_FIELDS}
    return {
        "title": f"Fields of {_number(articles)} {_noun(articles, 'article')}, {run.started_at.astimezone():%d/%m}",
        "fields": [
            {"name": name, "having": number, "articles": articles, "percent": round(100 * number / articles)}
            for name, number in having.items()
        ],
    }


def _day(text: str) -> str:
    return f"{date.fromisoformat(text[:10]):%d/%m/%Y}"


def _number(value: int) -> str:
    """With thin spaces between thousands."""
    return f"{value:,}".replace(",", "\u202f")


def _bytes(value: int) -> str:
    """In the largest unit in which the value is at least 1."""
    size, unit = next((known for known in ((1e9, "GB"), (1e6, "MB"), (1e3, "KB")) if value >= known[0]), (1, "B"))
    return f"{value / size:.{0 if size == 1 else 1}f}\u202f{unit}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f}\u202fs" if seconds < 90 else f"{seconds / 60:.0f}\u202fmin"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its height, its tooltip, and the class that colours it."""

    value: float
    label: str = ""
    style: str = ""


def chart(bars: Sequence[Bar], *, width: int, height: int, most: float = 0) -> dict[str, Any]:
    """Positions and sizes of a bar chart without axes, as high as its highest bar or `most`.

    A bar of 0 with a style is drawn as a stub, so that a failed run without news is visible.
    """
    most = most or max((bar.value for bar in bars), default=0) or 1
    place = width / max(len(bars), 1)
    shapes = []
    for number, bar in enumerate(bars):
        tall = max(bar.value / most * height, 3 if bar.style or bar.value else 1)
        shapes.append(
            {
                "label": bar.label,
                "style": bar.style,
                "x": f"{number * place + place * _GAP / 2:.1f}",
                "y": f"{height - tall:.1f}",
                "width": f"{place * (1 - _GAP):.1f}",
                "height": f"{tall:.1f}",
            }
        )
    return {"width": width, "height": height, "bars": shapes}


def _round_up(value: int) -> int:
    """The end of a scale: 1, or 2, 4, 6 or 10 times a power of ten, so that its half is a whole number."""
    if value <= 1:
        return 1
    step = 1
    while True:
        for factor in (2, 4, 6, 10):
            if value <= factor * step:
                return factor * step
        step *= 10
