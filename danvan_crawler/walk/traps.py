"""Listings without an end: calendars, addresses that grow with each page, pagers that repeat their last page.

Each of their pages names a further one, so a walk must notice by itself that it gets nowhere. An address that it has
not seen proves nothing: a relative link in a page with a growing address is a new address each time. So a page counts
as *barren* if none of its entries has, besides a new address, one of these:

- a wording that the walk has not seen, without digits: the days of a calendar differ in nothing else;
- an article that the walk has not seen, by its text. So "Lịch công tác tuần 12" and "… tuần 13" are two, although they
  are worded alike. An article without a date, or with one in the future, is compared without digits too: a calendar has
  a page for each day of the year 3000;
- a reason why this run does not request it, such as `plan`.

The links of a trap are mostly dead, which says nothing about the site's articles: when a walk ends in a trap, what they
added to the statistics of failed and missing articles is taken back.

A walk ends after BARREN_PAGES such pages in a row. One barren page is not enough: while a walk goes on, new articles
move entries to later pages, and a month without news is an empty page of a calendar. The risk is on the safe side:
pages that other tools skip cost one request each, a section that ends early would lose its older articles.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta

from danvan_crawler.plurals import counted
from danvan_crawler.walk.seen import KeySet

BARREN_PAGES = 20
"""Barren pages in a row after which a walk ends."""
_AHEAD = timedelta(days=31)
"""How far the clock of a portal may be ahead."""
_NO_LETTERS = re.compile(r"[\W\d_]+")
_LONGEST_ADDRESS = 200


def wording(text: str) -> str:
    """The words of a text, without digits, signs and case.

    >>> wording("Lịch công tác, ngày 03/05/2031") == wording("LỊCH CÔNG TÁC ngày 4-5-2031")
    True
    """
    return _NO_LETTERS.sub(" ", text).strip().casefold()


class Novelty:
    """What one walk has seen, and how many pages in a row have shown nothing else."""

    def __init__(self) -> None:
        self.barren_pages = 0
        self.waste: Counter[str] = Counter()
        """Statistic -> what barren pages in a row and their links have added to it."""
        self._wordings = KeySet()
        self._contents = KeySet()

    def is_new_wording(self, title: str) -> bool:
        """Notes the title of an entry. Returns whether its wording is new to the walk."""
        return self._wordings.add(wording(title))

    def is_new_article(self, title: str, body_text: str, published_at: str | None, seen_at: str) -> bool:
        """Notes an article. Returns whether it is new to the walk. `published_at` is ISO 8601 with an offset,
        `seen_at` the WARC-Date of the capture that shows it."""
        text = f"{title}\n{body_text}"
        return self._contents.add(text if _is_dated(published_at, seen_at) else wording(text))

    def note_page(self, *, is_barren: bool) -> None:
        """Counts a listing page."""
        self.barren_pages = self.barren_pages + 1 if is_barren else 0
        if not is_barren:
            self.waste.clear()


def _is_dated(published_at: str | None, seen_at: str) -> bool:
    if published_at is None:
        return False
    return datetime.fromisoformat(published_at) <= datetime.fromisoformat(seen_at) + _AHEAD


def endless(section: str, url: str) -> str:
    """A sentence about a listing without an end. `url` is the last page read."""
    return (
        f"the listing of {section!r} has no end: {BARREN_PAGES} pages in a row name a next page but show nothing new, "
        f"the last one is {_shortened(url)}"
    )


def too_long(section: str, pages: int, url: str) -> str:
    """A sentence about a listing with too many pages."""
    return (
        f"the listing of {section!r} has more than {counted(pages, 'page')}: those after {_shortened(url)} are not read"
    )


def _shortened(url: str) -> str:
    return url if len(url) <= _LONGEST_ADDRESS else f"{url[:_LONGEST_ADDRESS]}…"
