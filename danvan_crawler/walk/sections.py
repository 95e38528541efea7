"""How a section is walked: where a run begins, and when it has seen enough.

A walk goes through a section page by page. It ends at the last page, at a page that repeats what the walk has seen, and
at known ground: a page without anything new, once a walk has come to an end before. So an unchanged section costs one
page, and a section with news the pages that hold them and one more. Such a page holds something that this section
listed before the end of the last walk: what another section brought, or a walk listed that was cut short, is no ground.
What an editor slips in behind known ground is found by a walk through all pages now and then.

Some portals link a page after the last one, which is not there, is empty or leads to the front page. So may any page be
in a bad minute. Such a page is asked for once more, when all else is done, before a walk ends there.

Where a walk through all pages is cut short (killed, stopped, a page that failed) its cursor stays behind: the next run
reads the first page for news and goes on, one page before the cursor, since what was deleted meanwhile has moved the
others up. After a walk for news that was cut short the next one goes down to the same ground. A first page that was
read within the hours before is not read again for that, and such a run leaves out sections that were read to their end
within these hours too: it continues an earlier one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from danvan_crawler.store.frontier import Walked
from danvan_crawler.walk.seen import KeySet

FRESH = timedelta(hours=6)
"""So long a first page counts as read: a run that was killed is continued where it was."""
MAX_PAGES = 10_000
"""Pages of one section in one walk; a calendar that never ends stops here at the latest."""

Step = Literal["goes on", "last page", "known ground"]
"""Where a walk stands after a page."""


@dataclass(slots=True)
class Walk:
    """One walk through one section."""

    section: str
    first_url: str
    start_url: str
    stops_at_known: bool = False
    """Known ground is a reason to stop: a walk before came to an end of its own."""
    backlog: str | None = None
    """The page at which an older walk goes on when this one has ended."""
    backlog_pages: int = 0
    """That the older walk had read before that page."""
    notes_cursor: bool = True
    """Where it ends is where the next run goes on."""
    pages: int = 0
    """Read by this walk, in earlier runs too."""
    seen: KeySet = field(default_factory=KeySet)
    started: bool = False
    oldest_first: bool = False
    """What is new stands on the last page, so known ground on the first is no reason to stop."""
    just_ended: bool = False
    """The walk before this one came to its end within the hours before."""
    doubted: bool = False
    """A page that seems to lie behind the last one is asked for once more."""
    ground: str = ""
    """WARC-Date of the end of the last walk: what was listed up to then is known ground. "": all that is known."""
    is_second: bool = False
    """The walk for news before this one was cut short."""
    last_read: datetime | None = None
    """When the first page was read before."""
    awaits: str | None = None
    """The page that it has asked for."""

    @property
    def is_resumed(self) -> bool:
        return self.start_url != self.first_url

    @property
    def is_later(self) -> bool:
        """Whether it stands behind the first page of its section."""
        return self.pages > 0 or self.is_resumed

    def older(self) -> Walk | None:
        """The walk that was cut short before this one, if there is one to be continued."""
        if self.backlog is None:
            return None
        return Walk(
            self.section,
            self.first_url,
            self.backlog,
            pages=self.backlog_pages,
            started=True,  # the section counts as read by now
        )


def begin(section: str, first_url: str, known: Walked | None, now: datetime, sweep_after: timedelta) -> Walk:
    """Where a run begins with a section. `sweep_after` is the time after which all pages are walked again."""
    if known is None:
        return Walk(section, first_url, first_url)
    if known.cursor is not None and _is_within(known.began_at, now, FRESH):
        walk = Walk(section, first_url, known.cursor, stops_at_known=known.for_news, pages=known.pages)
        walk.ground = known.completed_at or ""
        return walk
    is_swept = _is_within(known.swept_at or known.completed_at, now, sweep_after)
    walk = Walk(section, first_url, first_url, stops_at_known=is_swept, ground=known.completed_at or "")
    walk.last_read = _moment(known.began_at) if known.began_at is not None else None
    if known.cursor is None:
        walk.just_ended = _is_within(known.completed_at, now, FRESH)
    elif known.for_news:
        walk.is_second = True
    else:
        walk.stops_at_known = True
        overlaps = known.last_page is not None and known.last_page != first_url
        walk.backlog = known.last_page if overlaps else known.cursor
        walk.backlog_pages = known.pages - overlaps
    return walk


def step_after(walk: Walk, following: str | None, *, repeats: bool, news: bool) -> Step:
    """Where a walk stands after a page: `following` is the next one that it names, `repeats` says that the walk has
    seen all that the page lists, `news` that something on it is no known ground."""
    if following is None or repeats or walk.pages >= MAX_PAGES:
        return "last page"
    if walk.stops_at_known and not news and not walk.oldest_first:
        return "known ground"
    return "goes on"


def is_known(seen_at: str | None, walk: Walk) -> bool:
    """Whether an article that a section listed first at this WARC-Date, if ever before, is known ground of a walk."""
    return seen_at is not None and (walk.ground == "" or seen_at <= walk.ground)


def _is_within(date: str | None, now: datetime, span: timedelta) -> bool:
    """Whether a WARC-Date is not longer ago, nor further in the future, where clocks that were wrong have put some."""
    return date is not None and abs(now - _moment(date)) < span


def due_now(walks: Sequence[Walk]) -> list[Walk]:
    """The walks of a run: all, or where one goes on that was cut short just before, those that had not ended."""
    continued = any(walk.is_resumed for walk in walks)
    return [walk for walk in walks if not (continued and walk.just_ended)]


def _moment(date: str) -> datetime:
    return datetime.fromisoformat(date)
