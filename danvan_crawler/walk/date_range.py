"""The days that a run is for, and what a listing's date lines say about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from danvan_crawler.items import ArticleLink
from danvan_crawler.sites.profile import Site
from danvan_crawler.vietnamese import timestamps


@dataclass(frozen=True, slots=True)
class DateRange:
    """Days of publication in a site's zone, `since` and `until` inclusive; None does not limit."""

    site: Site
    since: date | None = None
    until: date | None = None

    @property
    def is_limited(self) -> bool:
        return self.since is not None or self.until is not None

    def of(self, link: ArticleLink) -> date | None:
        """The day that an entry shows; None when it shows none."""
        if link.published_raw is None:
            return None
        stamp = timestamps.parse(link.published_raw, timezone=self.site.timezone, month_first=self.site.month_first)
        return stamp.at.astimezone(self.site.zone).date() if stamp is not None else None

    def wants(self, link: ArticleLink) -> bool:
        """Whether an entry is to be fetched. One that shows no date is: only the article can tell."""
        if not self.is_limited or (day := self.of(link)) is None:
            return True
        return not (self.since and day < self.since) and not (self.until and day > self.until)

    def are_past(self, links: Sequence[ArticleLink]) -> bool:
        """Whether a page is older than `since` throughout, and its order promises nothing newer behind it.

        Not told by a page where most entries show no date.
        """
        if self.since is None or self.oldest_first(links):
            return False
        days = [day for day in map(self.of, links) if day is not None]
        return 2 * len(days) >= len(links) > 0 and all(day < self.since for day in days)

    def oldest_first(self, links: Sequence[ArticleLink]) -> bool:
        """Whether the dates of a page rise. Its first entry may be one that editors have put on top."""
        days = [day for day in map(self.of, links[1:]) if day is not None]
        return len(days) > 1 and days == sorted(days) and days[0] < days[-1]
