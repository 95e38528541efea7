"""The walker: one spider class for all sites, driven by a profile and its family.

Sections are walked page by page. A listing's entries are looked up in the crawl state before a request is built. The
walk of a section ends at its last page, at a page that repeats what the walk has seen, and, when the walk before came
to an end of its own, at known ground: a page without anything new. A walk that was cut short (killed, stopped, a page
that failed, `since` reached) may have left unknown pages behind known ones, so the next one goes all the way again.
Known articles are asked for again when their entry in a listing reads differently than before, or with `full`.

What a run discovers and does not get, pictures and attachments included, is pending in the crawl state, and the next
run asks for it first.

Feeds and sitemaps that a family names come last, and only on a walk that does not know a section to its end: they
spare nothing there, but name articles that no listing page shows.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, Self

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.http import Response, TextResponse
from scrapy.settings import BaseSettings
from twisted.python.failure import Failure

from danvan_crawler.exceptions import ArchiveError, UsageError
from danvan_crawler.families import FEED, ArticleLink, Family, Listing, extract, load_family
from danvan_crawler.items import Article, VisitCounters
from danvan_crawler.ops.replay import CHANGED, close_walk, discover_named, open_walk
from danvan_crawler.ops.requisites import FINAL_STATUSES, NO_SECTION, requisite_urls
from danvan_crawler.ops.run import store_of
from danvan_crawler.sites import Site
from danvan_crawler.store.frontier import ARCHIVED, FAILED, NEW, PENDING, REJECTED
from danvan_crawler.store.writes import Store
from danvan_crawler.urls import host_of, path_key
from danvan_crawler.vietnamese import timestamps
from spiders import arguments

MAX_LISTING_PAGES = 10_000
"""Pages of one section in one walk; a calendar that never ends stops here at the latest."""
_FEED_PRIORITY, _LISTING_PRIORITY, _ARTICLE_PRIORITY, _REQUISITE_PRIORITY = -10, 0, 10, 20
"""What hangs on an article comes before the next article, that before the next listing: the frontier stays small."""


@dataclass(slots=True)
class Walk:
    """One walk through one section."""

    section: str
    first_url: str
    was_complete: bool = False
    """The walk before came to an end of its own: known ground is a reason to stop."""
    seen: set[str] = field(default_factory=set)
    pages: int = 0
    oldest_first: bool = False
    """What is new stands on the last page, so known ground on the first is no reason to stop."""


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
        self.since, self.until = arguments.day("since", since), arguments.day("until", until)
        self.full, self.plan = arguments.flag(full), arguments.flag(plan)
        self.pages_left = arguments.count("max_pages", max_pages)
        self.planned: list[str] = []
        """Article addresses that a crawl would fetch, with `plan`."""
        self._asked: set[str] = set()
        self._asked_for_feeds = False

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
                # Without a delay Scrapy 2.19 goes beyond the setting above by as much as this one lets it (measured).
                "CONCURRENT_REQUESTS": site.connections,
                # In the order of the listings: what is newest comes first, and a run that is cut short has it.
                "SCHEDULER_MEMORY_QUEUE": "scrapy.squeues.FifoMemoryQueue",
            },
            priority="spider",
        )

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.request_dropped, signals.request_dropped)
        crawler.signals.connect(spider.item_dropped, signals.item_dropped)
        return spider

    def request_dropped(self, request: Request) -> None:
        """Scrapy drops a redirect to an address that this run has asked for already, and calls nobody back."""
        link = request.meta.get("link")
        if link is None:
            return
        if request.url in request.meta.get("redirect_urls", ()):
            self._count("articles_failed")
            self._mark(link, REJECTED, "redirects in a circle")
            self.logger.warning("%s: redirects in a circle", link)
        else:
            self._mark(link, ARCHIVED, f"leads to {request.url}")

    def item_dropped(self, item: Any, response: Response, exception: Exception) -> None:
        if isinstance(item, Article) and "link" in response.meta:
            self._mark(response.meta["link"], REJECTED, str(exception))

    def _mark(self, link: str, state: str, reason: str | None = None) -> None:
        self.store.frontier.mark(self.site.slug, path_key(link), state, reason)

    @property
    def store(self) -> Store:
        return store_of(self.crawler)

    def _count(self, name: str) -> None:
        assert self.crawler.stats is not None
        self.crawler.stats.inc_value(f"danvan/{name}")

    async def start(self) -> AsyncIterator[Any]:
        walks = {path_key(request.url) for request in self.family.section_requests()}
        waiting = [one for one in self.store.frontier.waiting(self.site.slug) if path_key(one.url) not in walks]
        # What an earlier run left behind has no date here, so a run for certain days leaves it to the next one.
        if not (self.since or self.until):
            for request in self._requisite_requests(one.url for one in waiting if one.section == NO_SECTION):
                yield request
            for one in waiting:
                for request in self._article_requests(one.url) if one.section != NO_SECTION else ():
                    yield request
        for request in self.family.section_requests():
            if request.meta["section"] == FEED:
                continue
            for listing in self._take_page(self._listing_request(request, Walk(request.meta["section"], request.url))):
                yield listing

    def _listing_request(self, request: Request, walk: Walk) -> Request:
        return request.replace(
            callback=self.parse_listing,
            errback=self.listing_failed,
            cb_kwargs={"walk": walk},
            priority=_LISTING_PRIORITY,
        )

    def _feed_requests(self) -> Iterator[Request]:
        """Asks for the feeds, once. They name no dates: a run for certain days or so many pages does without."""
        if self._asked_for_feeds or self.since or self.until or self.pages_left is not None:
            return
        self._asked_for_feeds = True
        for request in self.family.section_requests():
            if request.meta["section"] == FEED:
                yield self._feed_request(request)

    def _feed_request(self, request: Request) -> Request:
        return request.replace(callback=self.parse_feed, errback=self.feed_failed, priority=_FEED_PRIORITY)

    def parse_feed(self, response: Response) -> Iterator[Request]:
        """Asks for what no listing has shown. Portals answer for a feed that they lack with their front page."""
        if host_of(response.url) not in self.site.hosts or not isinstance(response, TextResponse):
            return
        named = self.family.parse_section(response)
        if not named.is_feed:
            return
        self._count("feeds")
        for url, state in discover_named(self.store, self.site.slug, named.links):
            if self.full or state in (NEW, PENDING):
                yield from self._article_requests(url)
        if named.next_url is not None and host_of(named.next_url) in self.site.hosts:
            yield self._feed_request(Request(named.next_url, meta={"section": FEED}))

    def feed_failed(self, failure: Failure) -> None:
        request: Request = failure.request  # type: ignore[attr-defined]
        self.logger.info("%s: no feed: %s", request.url, _reason(failure))

    def parse_listing(self, response: Response, walk: Walk) -> Iterator[Any]:
        if host_of(response.url) not in self.site.hosts:
            self._fail_listing(response.url, "leads to another host", walk)
            return
        if not isinstance(response, TextResponse):
            self._fail_listing(response.url, "is not text", walk)
            return
        if walk.pages == 0:
            # Before anything of the page is known: else a run killed after this would leave it as known ground.
            walk.was_complete = open_walk(self.store, self.site.slug, walk.first_url, walk.section)
            self._count("sections_read")
        listing = self.family.parse_section(response)
        walk.pages += 1
        walk.oldest_first = walk.oldest_first or (walk.pages == 1 and self._is_oldest_first(listing))
        self._count("listings")
        if listing.links:
            self._count("listings_with_links")
        news = False
        for entry in self.store.write_listing(self.site.slug, walk.section, response.meta["capture"], listing.links):
            if entry.state == CHANGED:  # kept, since the listing will not read differently a second time
                self._mark(entry.link.url, PENDING)
            fresh = entry.state in (NEW, PENDING, CHANGED)
            news = news or fresh
            if (fresh or self.full) and self._is_wanted(entry.link):
                yield from self._article_requests(entry.link.url)
        if self.full or not walk.was_complete:
            yield from self._feed_requests()
        following = self._next_page(response, listing, walk, news)
        if following is not None:
            yield from self._take_page(self._listing_request(Request(following, meta={"section": walk.section}), walk))

    def _next_page(self, response: Response, listing: Listing, walk: Walk, news: bool) -> str | None:
        """Where the walk goes on; None where it ends."""
        keys = {path_key(link.url) for link in listing.links}
        repeats = keys <= walk.seen
        walk.seen |= keys
        following = listing.next_url
        at_end = following is None or host_of(following) not in self.site.hosts or walk.pages >= MAX_LISTING_PAGES
        if at_end or repeats:
            # A first page without any link is an outage or another layout, not the end of a section.
            if walk.seen:
                self._close_walk(walk, response)
            return None
        if self.since is not None and self._is_older_throughout(listing) and not self._is_oldest_first(listing):
            return None
        if walk.was_complete and not news and not self.full and not walk.oldest_first:
            self._close_walk(walk, response)
            return None
        return following

    def _close_walk(self, walk: Walk, response: Response) -> None:
        close_walk(self.store, self.site.slug, walk.first_url, response.meta["capture"].date)

    def _is_older_throughout(self, listing: Listing) -> bool:
        """Whether all dated entries are older than `since`; not told by a page where most entries show no date."""
        days = [day for link in listing.links if (day := self._day_of(link)) is not None]
        enough = 2 * len(days) >= len(listing.links) > 0
        return enough and all(self.since is not None and day < self.since for day in days)

    def _is_oldest_first(self, listing: Listing) -> bool:
        """Whether the dates of a page rise. Its first entry may be one that editors have put on top."""
        days = [day for day in map(self._day_of, listing.links[1:]) if day is not None]
        return len(days) > 1 and days == sorted(days) and days[0] < days[-1]

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
        request = Request(
            url,
            callback=self.parse_story,
            errback=self.story_failed,
            meta={"link": url},
            priority=_ARTICLE_PRIORITY,
        )
        for taken in self._take_page(request):
            if self.plan:
                self.planned.append(taken.url)
            else:
                yield taken

    def _take_page(self, request: Request) -> Iterator[Request]:
        """The request, as long as `max_pages` lasts."""
        if self.pages_left is not None:
            if self.pages_left <= 0:
                assert self.crawler.stats is not None
                self.crawler.stats.set_value("danvan/max_pages_reached", 1)
                return
            self.pages_left -= 1
        yield request

    def parse_story(self, response: Response) -> Iterator[Any]:
        link = response.meta["link"]
        if host_of(response.url) not in self.site.hosts:
            self._count("pages_without_article")
            self._mark(link, REJECTED, "leads to another host")
            return
        found = False
        for item in extract(self.family, response):
            if isinstance(item, VisitCounters):
                self.store.write_counters(item)
                continue
            assert isinstance(response, TextResponse)
            found = True
            yield from self._requisite_requests(requisite_urls(response, item, self.site.hosts))
            yield item
        if found:
            self._count("articles")
        else:
            self._count("pages_without_article")
            self._mark(link, REJECTED, "no article on the page")

    def _requisite_requests(self, urls: Iterable[str]) -> Iterator[Request]:
        """Requests for the pictures and attachments that are not archived yet."""
        fresh = {key: url for url in urls if (key := path_key(url)) not in self._asked}
        if self.plan or not fresh:
            return
        self._asked.update(fresh)
        states = self.store.frontier.discover(self.site.slug, fresh, NO_SECTION)
        for key, url in fresh.items():
            if states[key] in (NEW, PENDING, FAILED):
                yield Request(
                    url,
                    callback=self.parse_requisite,
                    errback=self.requisite_failed,
                    meta={"requisite": url},
                    priority=_REQUISITE_PRIORITY,
                )

    def parse_requisite(self, response: Response) -> None:
        self._count("requisites")
        self._mark(response.meta["requisite"], ARCHIVED)

    def requisite_failed(self, failure: Failure) -> None:
        request: Request = failure.request  # type: ignore[attr-defined]
        self._count("requisites_failed")
        self._mark_failed(request.meta["requisite"], failure, final=_status(failure) in FINAL_STATUSES)
        self.logger.warning("%s: not archived: %s", request.url, _reason(failure))

    def story_failed(self, failure: Failure) -> None:
        request: Request = failure.request  # type: ignore[attr-defined]
        # That one article is not there is no failure of the site, even on a day when it is the only one asked for.
        self._count("articles_missing" if _status(failure) in FINAL_STATUSES else "articles_failed")
        self._mark_failed(request.meta["link"], failure)
        self.logger.warning("%s: no article: %s", request.url, _reason(failure))

    def _mark_failed(self, link: str, failure: Failure, *, final: bool = False) -> None:
        if isinstance(failure.value, ArchiveError):
            return  # our fault and not the page's: it stays pending, and no attempt is counted
        self._mark(link, REJECTED if final else FAILED, _reason(failure))

    def listing_failed(self, failure: Failure) -> None:
        request: Request = failure.request  # type: ignore[attr-defined]
        walk: Walk = request.cb_kwargs["walk"]
        if walk.pages and _status(failure) in FINAL_STATUSES:
            # Some portals link a page after the last one.
            self._close_walk(walk, failure.value.response)  # type: ignore[union-attr]
            return
        self._fail_listing(request.url, _reason(failure), walk)

    def _fail_listing(self, url: str, reason: str, walk: Walk) -> None:
        self._count("listings_failed")
        if walk.pages == 0:
            self._count("sections_failed")
        self.logger.error("%s: section %s cannot be read: %s", url, walk.section, reason)


def _status(failure: Failure) -> int | None:
    """HTTP status of a failure that is an answer; None for one that is none."""
    response = getattr(failure.value, "response", None)
    return response.status if isinstance(response, Response) else None


def _reason(failure: Failure) -> str:
    error, status = failure.value, _status(failure)
    if status is not None:
        return f"HTTP {status}"
    return f"{type(error).__name__}: {error}".rstrip(": ")
