"""The script held against what was told: functions that return complaints, sentences that name site, night and article.

How late something may be told, in nights, counted without those in which a trouble kept the site out of reach:

| event | is seen by | may be told |
| --- | --- | --- |
| new article | the next listing | the same night |
| one slipped in behind known ground | the sweep of all pages after 30 days | one night later |
| new title, on a listing's first page | the next listing | one night later |
| edit | the next visit: 1, 3, 7, 30 days after publication | one night later |
| gone | the next visit, confirmed a night later | one night later |
| come back | the next visit: 1, 3, 7, 30 days after it was found gone | two nights later |

A visit that a trouble falls upon is made up for after it. What would have to be told after the last night, or was
undone before anybody could see it, may be told and need not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from fleet import Fleet, Told
from lives import MAY_BE_UNHEARD, SIGNS, Life
from stories import Story

from danvan_crawler.health.history import run_report_of

VISITS = (1, 3, 7, 30)
SWEEP = 30


@dataclass(frozen=True, slots=True)
class Due:
    """That a change has to be told: not before `since`, and by night `until` unless that is None."""

    kind: str
    site: str
    path: str
    since: int
    until: int | None


def reached(life: Life, night: int | None) -> int | None:
    """The first night from this one on in which the site can be seen."""
    while night is not None and (trouble := life.trouble(night)) is not None and SIGNS[trouble.kind].blocks:
        night = trouble.last + 1
    return night


def visit(life: Life, begun: int, night: int) -> int | None:
    """The night of the first visit from `night` on to what was published, or went, on night `begun`."""
    return reached(life, next((begun + days for days in VISITS if begun + days >= night), None))


def _later(night: int | None, more: int, days: int) -> int | None:
    """A deadline; None when the simulation ends before it."""
    return night + more if night is not None and night + more < days else None


def due(life: Life, story: Story, days: int, told: list[Told]) -> Iterator[Due]:
    """The changes of one article that its script asks for. `told` is what was told of it."""
    site, path = life.slug_of(story.section), life.path(story)
    if story.day >= days:
        return
    slipped = story.dated is not None
    seen = reached(life, SWEEP + 1 if slipped else max(story.day, 0))
    fates = [day for day in (story.gone, story.edited, story.retitled) if day is not None]
    if seen is not None and story.gone is not None and story.gone <= seen:
        seen = None  # gone before it could be seen
    yield Due("new", site, path, max(story.day, 0), _later(seen, int(slipped), days))
    for day in (story.edited, story.retitled):
        if day is not None:
            by_listing = day == story.retitled and _is_on_first_page(life, story, day)
            night = reached(life, day) if by_listing else visit(life, story.day, day)
            known = seen is not None and seen < day
            yield Due("edited", site, path, day, _later(night, 1, days) if known else None)
    if story.gone is None:
        return
    first = visit(life, story.day, story.gone)
    sure = reached(life, first + 1) if first is not None else None
    # An absence that lasted no longer than it takes to be sure of it need not be told.
    lasting = story.back is None or (sure is not None and sure + 1 < story.back)
    yield Due("gone", site, path, story.gone, _later(sure, 1, days) if seen is not None and lasting else None)
    if story.back is not None:
        gone = next((one.night for one in told if one.kind == "gone"), None)
        night = visit(life, gone, story.back) if gone is not None else None
        yield Due("revived", site, path, story.back, _later(night, 2, days))
    assert len(fates) == 1


def _is_on_first_page(life: Life, story: Story, night: int) -> bool:
    newer = [
        one for one in life.stories if one.section == story.section and one.exists(night)
        and (one.published, one.number) > (story.published, story.number)
    ]  # fmt: skip
    return len(newer) < life.a_page


def wrong_changes(fleet: Fleet) -> list[str]:
    """What was not told, told too late, twice, or without having happened."""
    by_article: dict[tuple[str, str], list[Told]] = {}
    for one in fleet.changes:
        by_article.setdefault((one.site, one.path), []).append(one)
    complaints: list[str] = []
    for portal in fleet.portals:
        life = portal.life
        for story in life.stories:
            told = by_article.pop((life.slug_of(story.section), life.path(story)), [])
            complaints += _held(life, list(due(life, story, fleet.days, told)), told)
    complaints += [f"{site}{path}: {told} of no article of ours" for (site, path), told in by_article.items()]
    return complaints


def _held(life: Life, wanted: list[Due], told: list[Told]) -> Iterator[str]:
    left = list(told)
    for one in wanted:
        found = next((change for change in left if change.kind == one.kind and change.night >= one.since), None)
        if found is not None:
            left.remove(found)
            if one.until is not None and found.night > one.until:
                yield f"{one.site}{one.path}: {one.kind} on day {one.since}, told in {found.night}, not by {one.until}"
        elif one.until is not None:
            yield f"{one.site}{one.path}: {one.kind} on day {one.since} was not told by night {one.until}"
    for change in left:
        yield f"{change.site}{change.path}: told as {change.kind} in night {change.night}, which it was not"


def _problems(fleet: Fleet, slug: str, night: int) -> tuple[set[str], set[str]]:
    """Kinds of problems that a night's report tells, all and those that make a site unwell."""
    told = run_report_of(fleet.reports[slug, night])
    assert told is not None
    every = {problem.kind for problem in told.problems}
    return every, {problem.kind for problem in told.problems if problem.is_failure}


def unheard(fleet: Fleet) -> list[str]:
    """Nights in which nothing was said of a trouble that was there."""
    complaints = []
    for portal in fleet.portals:
        for trouble in portal.life.troubles:
            sign = SIGNS[trouble.kind]
            if trouble.kind in MAY_BE_UNHEARD:
                continue
            for slug in portal.life.slugs:
                for night in range(trouble.first + sign.within, min(trouble.last + 1, fleet.days)):
                    kinds, _ = _problems(fleet, slug, night)
                    if not kinds & sign.kinds:
                        complaints.append(f"{slug}: {trouble.kind} in night {night}, told was {sorted(kinds)}")
    return complaints


def false_alarms(fleet: Fleet) -> list[str]:
    """Alarms in nights in which all was well, or of another kind than the trouble that was there."""
    complaints = []
    for portal in fleet.portals:
        for slug in portal.life.slugs:
            for night in range(fleet.days):
                _, kinds = _problems(fleet, slug, night)
                expected: set[str] = set()
                for trouble in portal.life.troubles:
                    if trouble.first <= night <= trouble.last + SIGNS[trouble.kind].after:
                        expected |= SIGNS[trouble.kind].kinds | SIGNS[trouble.kind].besides
                if kinds - expected:
                    said = fleet.reports[slug, night]["findings"]
                    complaints.append(f"{slug}: {sorted(kinds - expected)} in night {night}: {said}")
    return complaints


def ill_at_the_end(fleet: Fleet) -> set[str]:
    """Sites that `danvan status` has to call unhealthy after the last night."""
    found = set()
    for portal in fleet.portals:
        trouble = portal.life.trouble(fleet.days - 1)
        if trouble is None or trouble.kind in MAY_BE_UNHEARD or trouble.kind == "certificate":
            continue
        if fleet.days - 1 >= trouble.first + SIGNS[trouble.kind].within:
            found |= set(portal.life.slugs)
    return found


def forbidden_requests(fleet: Fleet) -> list[str]:
    """Requests that robots.txt, or a server that wanted to be left alone, did not allow."""
    complaints = []
    for life, one in fleet.asked():
        trouble = life.trouble(one.night)
        kind = trouble.kind if trouble is not None else ""
        second = trouble is not None and one.night > trouble.first
        if one.kind == "forbidden" or (kind == "robots" and one.kind != "robots") or (kind == "leave-alone" and second):
            complaints.append(f"{life.name}: {one.target} in night {one.night}")
    return complaints


def hurried(fleet: Fleet) -> list[str]:
    """Nights in which a site that wants a delay was asked faster.

    A server thread may wake late, which makes one interval shorter and the next one longer; of several together it is
    the sum that counts.
    """
    complaints = []
    for portal in fleet.portals:
        delay = portal.life.delay
        if not delay:
            continue
        for night in range(fleet.days):
            moments = sorted(one.at for one in portal.log if one.night == night)[1:]  # robots.txt opens the way
            shortest = min((after - before for before, after in pairwise(moments)), default=delay)
            if moments and (moments[-1] - moments[0] < delay * (len(moments) - 1) - 0.1 or shortest < delay / 2):
                complaints.append(f"{portal.life.name}: {len(moments)} requests, shortest interval {shortest:.3f} s")
    return complaints


def crossed(fleet: Fleet) -> list[str]:
    """Nights in which two sites of one host were asked at the same time."""
    complaints = []
    for portal in fleet.portals:
        if not portal.life.twins:
            continue
        for night in range(fleet.days):
            spans = []
            for name in portal.life.sections:
                start = portal.life.platform.section_path(name)
                moments = [one.at for one in portal.log if one.night == night and one.target.startswith(start)]
                spans.append((min(moments, default=0.0), max(moments, default=0.0)))
            (began, ended), (later, _) = sorted(spans)
            if ended >= later:
                complaints.append(f"{portal.life.name}: both at once in night {night}, from {began} to {ended}")
    return complaints


def unspared(fleet: Fleet) -> list[str]:
    """Sites whose sitemap names everything and whose listings are read nearly as often as those of others."""
    complaints = []
    for portal in fleet.portals:
        if not portal.life.mapped:
            continue
        late = range(fleet.days // 2, fleet.days)  # by then it has proved itself
        read = sum(one.kind == "listing" and one.night in late for one in portal.log)
        every = len(late) * len(portal.life.sections)
        # A third of the nights reads all of them (DANVAN_FEED_DAYS), the others those with news and a page more.
        if read > 0.7 * every:
            complaints.append(f"{portal.life.name}: {read} listing pages in {len(late)} nights, {every} first pages")
    return complaints


_COUNTED = ("revisits", "revisits_failed", "articles_changed")


@dataclass(frozen=True, slots=True)
class Costs:
    """What the fleet's articles cost, from the servers' logs; nights of trouble are left out."""

    new: int
    stories: int
    revisits: int
    retitled: int
    files: int
    other: int
    listings: int
    robots: int

    @property
    def per_new_article(self) -> float:
        """Requests for a new article: its own page, pictures and skin, and whatever else is no listing or visit."""
        return (self.stories - self.revisits - self.retitled + self.files + self.other) / self.new

    @property
    def pages_per_new_article(self) -> float:
        return (self.stories - self.revisits - self.retitled) / self.new

    def lines(self) -> Iterator[str]:
        yield (
            f"{self.new} new articles: {self.stories} article pages, of which {self.revisits} scheduled visits and"
            f" {self.retitled} for new titles; {self.files} pictures and other files, {self.other} others,"
            f" {self.listings} listings and feeds, {self.robots} robots.txt"
        )
        yield (
            f"requests per new article: {self.pages_per_new_article:.3f} pages,"
            f" {self.per_new_article:.3f} with all but listings"
        )


def costs(fleet: Fleet) -> Costs:
    """Counts what was asked for in nights without a trouble that kept the site out of reach."""
    well = {
        (slug, night)
        for portal in fleet.portals
        for slug in portal.life.slugs
        for night in range(fleet.days)
        if reached(portal.life, night) == night
    }
    kinds = Counter(one.kind for life, one in fleet.asked() if not one.troubled and (life.slugs[0], one.night) in well)
    stats: Counter[str] = Counter()
    for key, report in fleet.reports.items():
        if key in well:
            stats.update({name: report["stats"].get(f"danvan/{name}", 0) for name in _COUNTED})
    return Costs(
        new=sum(one.kind == "new" and (one.site, one.night) in well for one in fleet.changes),
        stories=kinds["story"],
        # A visit that failed without trouble never came: its address was of the host that the site had before.
        revisits=stats["revisits"] - stats["revisits_failed"],
        retitled=stats["articles_changed"],
        files=kinds["file"],
        other=kinds["front"] + kinds["other"] + kinds["forbidden"],
        listings=kinds["listing"] + kinds["feed"],
        robots=kinds["robots"],
    )


def summary(fleet: Fleet) -> Iterator[str]:
    """The fleet's life in a few lines."""
    kinds = Counter(one.kind for one in fleet.changes)
    troubles = Counter(trouble.kind for portal in fleet.portals for trouble in portal.life.troubles)
    asked = sum(1 for _ in fleet.asked())
    yield f"{len(fleet.slugs)} sites, {fleet.days} nights, {asked} requests, {sum(fleet.seconds):.0f} s of crawling"
    yield f"told: {dict(kinds)}; troubles: {dict(troubles)}; exit codes: {dict(Counter(fleet.codes))}"
    held = [report["stats"].get("memusage/max", 0) / 2**20 for report in fleet.reports.values()]
    yield f"memory of a crawl at most {max(held, default=0):.0f} MiB"
