"""The range of publication days of a run, and its comparison with the date lines of a listing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from danvan_crawler.items import ArticleLink
from danvan_crawler.sites.profile import Site
from danvan_crawler.vietnamese import timestamps


@dataclass(frozen=True, slots=True)
class DateRange:
    """Days of publication in a site's zone, `since` and `until` inclusive; None means no limit."""

    site: Site
    since: date | None = None
    until: date | None = None

    @property
    def is_limited(self) -> bool:
        return self.since is not None or self.until is not None

    def of(self, link: ArticleLink) -> date | None:
        """The day that an entry shows; None if it shows no date."""
        if link.published_raw is None:
            return None
        stamp = timestamps.parse(link.published_raw, timezone=self.site.timezone, month_first=self.site.month_first)
        return stamp.at.astimezone(self.site.zone).date() if stamp is not None else None

    def includes(self, link: ArticleLink) -> bool:
        """Whether an entry is to be fetched. An entry without a date is fetched: only the article has the date."""
        if not self.is_limited or (day := self.of(link)) is None:
            return True
        return not (self.since and day < self.since) and not (self.until and day > self.until)

    def are_too_old(self, links: Sequence[ArticleLink]) -> bool:
        """Whether all entries of a page are older than `since`, and the order of dates excludes newer ones after it.

        False for a page on which most entries show no date.
        """
        if self.since is None or self.oldest_first(links):
            return False
        days = [day for day in map(self.of, links) if day is not None]
        return 2 * len(days) >= len(links) > 0 and all(day < self.since for day in days)

    def oldest_first(self, links: Sequence[ArticleLink]) -> bool:
        """Whether the dates of a page ascend. The first entry is ignored, since editors may have pinned it."""
        days = [day for day in map(self.of, links[1:]) if day is not None]
        return len(days) > 1 and days == sorted(days) and days[0] < days[-1]
