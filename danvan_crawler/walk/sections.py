"""How a section is walked: where a run begins, and where it ends.

A walk reads a section page by page. It ends at the last page, where the listing has no end (`walk.traps`), and at known
articles: a page without new or changed entries, if an earlier walk was complete. So an unchanged section costs one
page, and a section with new articles costs their pages and one more. A page counts as known only if this section listed
one of its articles before the end of the last complete walk; articles from another section or from an interrupted walk
do not count. Articles that an editor inserts after known ones are found by a walk through all pages from time to time.

Some portals link a page after the last one, which is missing, empty or redirects to the front page. Any page may also
look like this for a moment. Such a page is requested once more, after all other requests, before the walk ends there.

If a walk through all pages is interrupted (killed, stopped, a failed page), its cursor is kept: the next run reads the
first page for new articles and continues one page before the cursor, because deletions move entries to earlier pages.
If a walk for new articles is interrupted, the next one goes back to the same known articles. If the first page was read
within the last hours, it is not read again; such a run continues the earlier one and also omits sections that were read
completely within these hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from danvan_crawler.store.frontier import WalkProgress
from danvan_crawler.walk.seen import KeySet
from danvan_crawler.walk.traps import BARREN_PAGES, Novelty

FRESH = timedelta(hours=6)
"""How long a first page counts as read, so that a killed run is continued at its cursor."""
MAX_PAGES = 10_000
"""Most pages of one section in one walk; a limit for endless listings that `walk.traps` does not recognise."""

Step = Literal["goes on", "last page", "known articles", "trap"]
"""The state of a walk after a page."""


@dataclass(slots=True)
class Walk:
    """One walk through one section."""

    section: str
    first_url: str
    start_url: str
    stops_at_known: bool = False
    """The walk ends at known articles, because an earlier walk was complete."""
    backlog: str | None = None
    """The page at which an older walk continues after this one."""
    backlog_pages: int = 0
    """Number of pages that the older walk had read before that page."""
    notes_cursor: bool = True
    """The cursor is stored, so that the next run can continue the walk."""
    pages: int = 0
    """Number of pages read by this walk, including earlier runs."""
    seen: KeySet = field(default_factory=KeySet)
    """Keys of the entries that the walk has seen."""
    novelty: Novelty = field(default_factory=Novelty)
    asked: KeySet = field(default_factory=KeySet)
    """Addresses of the pages that the walk has requested."""
    started: bool = False
    oldest_first: bool = False
    """New articles are on the last page, so known articles on the first page do not end the walk."""
    just_ended: bool = False
    """The walk before this one was completed within the last hours."""
    end_suspected: bool = False
    """A page that seems to be after the last one is requested once more."""
    known_until: str = ""
    """WARC-Date of the end of the last complete walk: articles listed up to then are known. "": all listed ones are."""
    is_second: bool = False
    """The previous walk for new articles was interrupted."""
    last_read: datetime | None = None
    """When the first page was last read."""
    awaits: str | None = None
    """The requested page."""

    @property
    def is_resumed(self) -> bool:
        return self.start_url != self.first_url

    @property
    def is_later(self) -> bool:
        """Whether the walk is past the first page of its section."""
        return self.pages > 0 or self.is_resumed

    def older(self) -> Walk | None:
        """The interrupted walk to continue after this one, if there is one."""
        if self.backlog is None:
            return None
        return Walk(
            self.section,
            self.first_url,
            self.backlog,
            pages=self.backlog_pages,
            started=True,  # the section is already counted as read
        )


def begin(section: str, first_url: str, known: WalkProgress | None, now: datetime, sweep_after: timedelta) -> Walk:
    """The first walk of a section in a run. `sweep_after` is the time after which all pages are read again."""
    if known is None:
        return Walk(section, first_url, first_url)
    if known.cursor is not None and _is_within(known.began_at, now, FRESH):
        walk = Walk(section, first_url, known.cursor, stops_at_known=known.for_news, pages=known.pages)
        walk.known_until = known.completed_at or ""
        return walk
    is_swept = _is_within(known.swept_at or known.completed_at, now, sweep_after)
    walk = Walk(section, first_url, first_url, stops_at_known=is_swept, known_until=known.completed_at or "")
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


def step_after(walk: Walk, following: str | None, *, news: bool) -> Step:
    """The state of a walk after a page. `following`: the next page that it names; `news`: it has entries that are not
    known."""
    if following is None:
        return "last page"
    if walk.stops_at_known and not news and not walk.oldest_first:
        return "known articles"
    return "trap" if walk.novelty.barren_pages >= BARREN_PAGES or walk.pages >= MAX_PAGES else "goes on"


def is_known(seen_at: str | None, walk: Walk) -> bool:
    """Whether an article that its section first listed at this WARC-Date (None: never) is known to a walk."""
    return seen_at is not None and (walk.known_until == "" or seen_at <= walk.known_until)


def _is_within(date: str | None, now: datetime, span: timedelta) -> bool:
    """Whether a WARC-Date differs from now by less than `span`; a wrong clock may have given a date in the future."""
    return date is not None and abs(now - _moment(date)) < span


def due_now(walks: Sequence[Walk]) -> list[Walk]:
    """The walks of a run: all, or, if one resumes a recent interrupted walk, those that were not just completed."""
    continued = any(walk.is_resumed for walk in walks)
    return [walk for walk in walks if not (continued and walk.just_ended)]


def _moment(date: str) -> datetime:
    return datetime.fromisoformat(date)
