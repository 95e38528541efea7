"""The walker: one spider class for all sites, driven by a profile and its family.

Sections are walked page by page. A listing's entries are looked up in the crawl state before a request is built; the
walk of a section stops at its last page, at a page that repeats what the walk has seen, with `since` at a page that is
older throughout, and, once a walk has reached the end in an earlier run, at known ground: a page without anything new.
Known articles are asked for again when their entry in a listing reads differently than before, or with `full`.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import date
from html import unescape
from typing import Any, ClassVar, Self

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.http import Response, TextResponse
from scrapy.settings import BaseSettings
from twisted.python.failure import Failure

from danvan_crawler.exceptions import UsageError
from danvan_crawler.families import ArticleLink, Family, Listing, extract, load_family
from danvan_crawler.items import Article, VisitCounters
from danvan_crawler.ops.run import store_of
from danvan_crawler.sites import Site
from danvan_crawler.store.frontier import FAILED, NEW, PENDING, REJECTED
from danvan_crawler.store.writes import Store
from danvan_crawler.urls import host_of, path_key
from danvan_crawler.vietnamese import timestamps
from spiders.outline import absolute

MAX_LISTING_PAGES = 10_000
"""Pages of one section in one walk; a calendar that never ends stops here at the latest."""
_PICTURE = re.compile(r"""(?i)<img\b[^>]*?\s(?:data-src|data-original|src)\s*=\s*["']?([^"'\s>]+)""")
_LISTING_PRIORITY, _ARTICLE_PRIORITY, _REQUISITE_PRIORITY = 0, 10, 20
"""What hangs on an article comes before the next article, that before the next listing: the frontier stays small."""


@dataclass(slots=True)
class Walk:
    """One walk through one section."""

    section: str
    first_url: str
    was_complete: bool
    """An earlier walk reached the end: known ground is a reason to stop."""
    seen: set[str] = field(default_factory=set)
    pages: int = 0


class SiteSpider(Spider):
    """Walks one site. `spiders.loader` derives a class with `name` and `site` for every profile.

    Arguments (`danvan crawl` gives them as options, `scrapy crawl` as `-a NAME=VALUE`): `since`, `until` (ISO days,
    inclusive), `full`, `plan` (true when not empty or 0), `max_pages` (listings and articles).
    """

    site: ClassVar[Site]

    def __init__(
        self,
        name: str | None = None,
        *,
        since: str | None = None,
        until: str | None = None,
        full: str | bool = False,
        plan: str | bool = False,
        max_pages: str | int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, **kwargs)
        if not self.site.enabled:
            raise UsageError(f"site {self.site.slug!r} has enabled = false in its profile: it is not contacted")
        self.family: Family = load_family(self.site)
        self.since, self.until = _day("since", since), _day("until", until)
        self.full, self.plan = _flag(full), _flag(plan)
        self.pages_left = _count("max_pages", max_pages)
        self.planned: list[str] = []
        """Article addresses that a crawl would fetch, with `plan`."""
        self._asked: set[str] = set()

    @classmethod
    def update_settings(cls, settings: BaseSettings) -> None:
        super().update_settings(settings)
        site = cls.site
        settings.setdict(
            {
                "DOWNLOAD_DELAY": site.delay,
                "AUTOTHROTTLE_ENABLED": site.delay > 0,
                "AUTOTHROTTLE_START_DELAY": site.delay,
                "CONCURRENT_REQUESTS_PER_DOMAIN": site.connections,
                "CONCURRENT_REQUESTS": max(site.connections, 2),
            },
            priority="spider",
        )

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.request_dropped, signals.request_dropped)
        return spider

    def request_dropped(self, request: Request) -> None:
        """Scrapy drops a redirect to an address that this run has asked for already, and calls nobody back."""
        if "link" in request.meta:
            self.store.frontier.mark(
                self.site.slug, path_key(request.meta["link"]), REJECTED, f"leads to {request.url}"
            )

    @property
    def store(self) -> Store:
        return store_of(self.crawler)

    def _count(self, name: str) -> None:
        assert self.crawler.stats is not None
        self.crawler.stats.inc_value(f"danvan/{name}")

    async def start(self) -> AsyncIterator[Any]:
        # What an earlier run left behind has no date here, so a run for certain days leaves it to the next one.
        if not (self.plan or self.since or self.until):
            for waiting in self.store.frontier.waiting(self.site.slug):
                for request in self._article_requests(waiting.url):
                    yield request
        for request in self.family.section_requests():
            walk = Walk(request.meta["section"], request.url, self.store.frontier.walked(self.site.slug, request.url))
            yield self._listing_request(request, walk)

    def _listing_request(self, request: Request, walk: Walk) -> Request:
        return request.replace(
            callback=self.parse_listing,
            errback=self.listing_failed,
            cb_kwargs={"walk": walk},
            priority=_LISTING_PRIORITY,
        )

    def parse_listing(self, response: Response, walk: Walk) -> Iterator[Any]:
        if host_of(response.url) not in self.site.hosts or not isinstance(response, TextResponse):
            self._fail_listing(
                response.url,
                "leads to another host" if host_of(response.url) not in self.site.hosts else "is not text",
                walk,
            )
            return
        listing = self.family.parse_section(response)
        walk.pages += 1
        self._count("listings")
        if walk.pages == 1:
            self._count("sections_read")
        if listing.links:
            self._count("listings_with_links")
        listed = self.store.write_listing(self.site.slug, walk.section, response.meta["capture"], listing.links)
        news = False
        for entry in listed:
            fresh = entry.state in (NEW, PENDING, "changed")
            news = news or fresh
            if (fresh or self.full) and self._is_wanted(entry.link):
                yield from self._article_requests(entry.link.url)
        following = self._next_page(response, listing, walk, news)
        if following is not None:
            yield from self._take_page(self._listing_request(Request(following, meta={"section": walk.section}), walk))

    def _next_page(self, response: Response, listing: Listing, walk: Walk, news: bool) -> str | None:
        """Where the walk goes on; None where it ends."""
        keys = {path_key(link.url) for link in listing.links}
        repeats = keys <= walk.seen
        walk.seen |= keys
        following = listing.next_url
        if following is None or host_of(following) not in self.site.hosts or repeats or walk.pages >= MAX_LISTING_PAGES:
            self.store.frontier.complete_walk(self.site.slug, walk.first_url, response.meta["capture"].date)
            return None
        if self.since is not None and self._is_older_throughout(listing):
            return None
        if walk.was_complete and not news and not self.full:
            return None
        return following

    def _is_older_throughout(self, listing: Listing) -> bool:
        days = [self._day_of(link) for link in listing.links]
        return bool(days) and all(day is not None and self.since is not None and day < self.since for day in days)

    def _day_of(self, link: ArticleLink) -> date | None:
        if link.published_raw is None:
            return None
        stamp = timestamps.parse(link.published_raw, timezone=self.site.timezone, month_first=self.site.month_first)
        return stamp.at.astimezone(self.site.zone).date() if stamp is not None else None

    def _is_wanted(self, link: Any) -> bool:
        """Entries that show no date are fetched: only the article can tell."""
        day = self._day_of(link)
        if day is None:
            return True
        return not (self.since and day < self.since) and not (self.until and day > self.until)

    def _article_requests(self, url: str) -> Iterator[Request]:
        key = path_key(url)
        if key in self._asked:
            return
        self._asked.add(key)
        if self.plan:
            self.planned.append(url)
            return
        yield from self._take_page(
            Request(
                url,
                callback=self.parse_story,
                errback=self.story_failed,
                meta={"link": url},
                priority=_ARTICLE_PRIORITY,
            )
        )

    def _take_page(self, request: Request) -> Iterator[Request]:
        """The request, as long as `max_pages` lasts."""
        if self.pages_left is not None:
            if self.pages_left <= 0:
                return
            self.pages_left -= 1
        yield request

    def parse_story(self, response: Response) -> Iterator[Any]:
        link = response.meta["link"]
        found = False
        for item in extract(self.family, response):
            if isinstance(item, VisitCounters):
                self.store.write_counters(item)
                continue
            found = True
            yield from self._requisites(response, item)
            yield item
        if found:
            self._count("articles")
        else:
            self._count("pages_without_article")
            self.store.frontier.mark(self.site.slug, path_key(link), REJECTED, "no article on the page")

    def _requisites(self, response: Response, article: Article) -> Iterator[Request]:
        """Pictures of the page and the article's attachments, each asked for once."""
        assert isinstance(response, TextResponse)
        pictures = (absolute(response.url, unescape(src)) for src in _PICTURE.findall(response.text))
        linked = [image.url for image in article.images] + [file.url for file in article.attachments]
        for url in dict.fromkeys([*linked, *(url for url in pictures if url)]):
            key = path_key(url)
            if key in self._asked or host_of(url) not in self.site.hosts:
                continue
            self._asked.add(key)
            if not self.store.has_capture(self.site.slug, url):
                yield Request(
                    url, callback=self.parse_requisite, errback=self.requisite_failed, priority=_REQUISITE_PRIORITY
                )

    def parse_requisite(self, response: Response) -> None:
        self._count("requisites")

    def requisite_failed(self, failure: Failure) -> None:
        self._count("requisites_failed")
        self.logger.warning("%s: not archived: %s", failure.request.url, _reason(failure))  # type: ignore[attr-defined]

    def story_failed(self, failure: Failure) -> None:
        request: Request = failure.request  # type: ignore[attr-defined]
        self._count("articles_failed")
        self.store.frontier.mark(self.site.slug, path_key(request.meta["link"]), FAILED, _reason(failure))
        self.logger.warning("%s: no article: %s", request.url, _reason(failure))

    def listing_failed(self, failure: Failure) -> None:
        request: Request = failure.request  # type: ignore[attr-defined]
        self._fail_listing(request.url, _reason(failure), request.cb_kwargs["walk"])

    def _fail_listing(self, url: str, reason: str, walk: Walk) -> None:
        self._count("listings_failed")
        if walk.pages == 0:
            self._count("sections_failed")
        self.logger.error("%s: section %s cannot be read: %s", url, walk.section, reason)


def _reason(failure: Failure) -> str:
    error = failure.value
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP {response.status}"
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _flag(value: str | bool) -> bool:
    return value not in (False, "", "0", "false", "no")


def _day(name: str, value: str | None) -> date | None:
    if not value:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise UsageError(f"{name}: must be a day like 2017-05-23, got {value!r}") from error


def _count(name: str, value: str | int | None) -> int | None:
    if value is None or value == "":
        return None
    try:
        number = int(value)
    except ValueError as error:
        raise UsageError(f"{name}: must be a whole number, got {value!r}") from error
    if number < 1:
        raise UsageError(f"{name}: must be at least 1, got {value}")
    return number
