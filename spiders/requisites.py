"""Asking for requisites: what the pages of a site need to be looked at again (`pages.requisites` finds it).

They come right after the page that shows them, under the same delay, until the profile's budget is spent
(`politeness.budget`). What the crawl state knows is not asked for again: the skin of a portal is fetched once in its
life.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, ClassVar

from scrapy import Request, Spider
from scrapy.exceptions import DownloadCancelledError
from scrapy.http import Response
from twisted.python.failure import Failure

from danvan_crawler import clock
from danvan_crawler.capture.archiver import CAPTURE_KEY
from danvan_crawler.capture.playback import page_of
from danvan_crawler.exceptions import ArchiveError
from danvan_crawler.pages.requisites import FINAL_STATUSES, MAX_DEPTH, NO_SECTION, Scope, is_media, within
from danvan_crawler.politeness.backoff import LeftAlone
from danvan_crawler.politeness.budget import REQUISITE_KEY, BudgetSpent
from danvan_crawler.politeness.robots import RobotsUnreadableError
from danvan_crawler.sites.profile import Site
from danvan_crawler.store.frontier import ARCHIVED, NEW, PENDING
from danvan_crawler.store.writes import Store
from danvan_crawler.walk.seen import KeySet
from danvan_crawler.walk.state import store_of
from spiders.failures import reason_of, status_of, was_not_made

_PRIORITY = 20
"""Before the next article: the frontier stays small."""
_NOT_MADE = timedelta(days=6)
"""How long what robots.txt keeps to itself is not tried again. It costs no request, but skins are many files."""
_DEPTH_KEY = "requisite_depth"


class RequisiteSpider(Spider):
    """Base of a site's spider: its crawl state by key, and what it does about requisites."""

    site: ClassVar[Site]

    def __init__(self, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.plan = False
        self.scope = Scope.of(self.site)
        self._asked = KeySet()
        """Keys of the articles and requisites that this run has asked for."""

    @property
    def store(self) -> Store:
        return store_of(self.crawler)

    def _count(self, name: str) -> None:
        assert self.crawler.stats is not None
        self.crawler.stats.inc_value(f"danvan/{name}")

    def _requisite_requests(self, urls: Iterable[str], depth: int = 1) -> Iterator[Request]:
        """Requests for those of the addresses on a page that no run knows yet. `depth` is as in `MAX_DEPTH`.

        Those that failed before have their turn at the beginning of a run, when they are due.
        """
        fresh = {key: url for key, url in self.scope.keyed(urls).items() if key not in self._asked}
        if self.plan or not fresh:
            return
        self._asked.update(fresh)
        states = self.store.frontier.discover(self.site.slug, fresh, NO_SECTION)
        for key, url in fresh.items():
            if states[key] in (NEW, PENDING):
                yield self._requisite_request(key, url, depth)

    def _waiting_requisites(self, urls: Iterable[str]) -> Iterator[Request]:
        """Requests for what earlier runs left. How far from a page those were found is not known any more."""
        for key, url in self.scope.keyed(urls).items():
            if not self.plan and self._asked.add(key):
                yield self._requisite_request(key, url, depth=1)

    def _requisite_request(self, key: str, url: str, depth: int) -> Request:
        meta: dict[str, Any] = {REQUISITE_KEY: key, _DEPTH_KEY: depth}
        if is_media(url):
            meta["download_maxsize"] = self.settings.getint("DANVAN_MAX_MEDIA")
        return Request(url, callback=self.parse_requisite, errback=self.requisite_failed, meta=meta, priority=_PRIORITY)

    def parse_requisite(self, response: Response) -> Iterator[Request]:
        """Notes a requisite, and asks for what it needs in its turn."""
        self._count("requisites")
        self.store.frontier.mark(self.site.slug, response.meta[REQUISITE_KEY], ARCHIVED)
        depth = response.meta[_DEPTH_KEY]
        if depth < MAX_DEPTH:
            yield from self._requisite_requests(within(page_of(response)), depth + 1)

    def requisite_failed(self, failure: Failure) -> None:
        if isinstance(failure.value, BudgetSpent):
            return  # it stays pending
        request: Request = failure.request  # type: ignore[attr-defined]
        key, capture = request.meta[REQUISITE_KEY], request.meta.get(CAPTURE_KEY)
        too_long = isinstance(failure.value, DownloadCancelledError)
        # Its end may have come with the bytes that passed the limit.
        if too_long and capture is not None and capture.truncated is None:
            self._count("requisites")
            self.store.frontier.mark(self.site.slug, key, ARCHIVED)
            return
        self._count("requisites_failed")
        final = too_long or status_of(failure) in FINAL_STATUSES
        self._note_failure(key, failure, final=final)
        # robots.txt keeps many skins to itself, and many sites have no favicon: that is no trouble of this night.
        quiet = was_not_made(failure) or (final and request.url.endswith("/favicon.ico"))
        self.logger.log(
            logging.INFO if quiet else logging.WARNING, "%s: not archived: %s", request.url, reason_of(failure)
        )

    def _note_failure(self, key: str, failure: Failure, *, final: bool = False) -> None:
        cause = failure.value.cause if isinstance(failure.value, RobotsUnreadableError) else failure.value
        reason, now = reason_of(failure), clock.now()
        if isinstance(cause, ArchiveError) or isinstance(failure.value, LeftAlone):
            return  # our fault, or the server's moment, and not the page's: it stays pending, and no attempt is counted
        if was_not_made(failure):
            self.store.frontier.put_off(self.site.slug, key, reason, now + _NOT_MADE)
        elif final:
            self.store.frontier.reject(self.site.slug, key, reason, now)
        else:
            self.store.frontier.fail(self.site.slug, key, reason, now)
