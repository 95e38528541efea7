"""The walker: one spider class for all sites, driven by a profile and its family.

Sections are walked page by page (`spiders.walking`). A listing's entries are looked up in the crawl state before a
request is built. Known articles are asked for again when their entry in a listing reads differently than before, when a
visit is due (`store.visits`), or with `full`.

What a run discovers and does not get, pictures and attachments included, is pending in the crawl state, and the next
run asks for it first.

What feeds and sitemaps are read for is in `spiders.feed_reading`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.http import Response, TextResponse
from scrapy.settings import BaseSettings
from twisted.python.failure import Failure

from danvan_crawler import clock
from danvan_crawler.capture.archiver import REDIRECTS_KEY
from danvan_crawler.capture.backoff import LeftAlone
from danvan_crawler.capture.budget import REQUISITE_KEY
from danvan_crawler.clock import warc_date
from danvan_crawler.exceptions import UsageError
from danvan_crawler.families import FEED, Family, Listing, extract, load_family
from danvan_crawler.items import Article, VisitCounters
from danvan_crawler.ops.absence import says_not_found, stands_in_the_way
from danvan_crawler.ops.replay import CHANGED
from danvan_crawler.ops.requisites import FINAL_STATUSES, NO_SECTION, of_page
from danvan_crawler.sites import Site
from danvan_crawler.store.frontier import ARCHIVED, NEW, PENDING
from danvan_crawler.urls import host_of, path_key
from spiders import arguments
from spiders.days import Days
from spiders.failures import is_forbidden, reason_of, status_of, was_not_made
from spiders.feed_reading import FeedSpider
from spiders.noticing import (
    FOUND_IN,
    LEADS_HOME,
    note_failed_article,
    note_failed_listing,
    note_forbidden_pages,
    note_hidden_article,
    note_link,
    note_listing,
    note_listing_led_away,
)
from spiders.walking import Walk, begin, due_now

MAX_LISTING_PAGES = 10_000
"""Pages of one section in one walk; a calendar that never ends stops here at the latest."""
_REVISIT_PRIORITY, _LISTING_PRIORITY, _ARTICLE_PRIORITY = -20, 0, 10
"""What a listing names comes before the next listing: the frontier stays small."""


class SiteSpider(FeedSpider):
    """Walks one site. `spiders.loader` derives a class with `name` and `site` for every profile.

    Arguments (`danvan crawl` gives them as options, `scrapy crawl` as `-a NAME=VALUE`): `since`, `until` (ISO days,
    inclusive), `full`, `plan` (true when not empty or 0), `max_pages` (listings and articles).
    """

    site: ClassVar[Site]
    allowed_domains: ClassVar[list[str]]

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
        self.days = Days(self.site, arguments.day("since", since), arguments.day("until", until))
        self.full, self.plan = arguments.flag(full), arguments.flag(plan)
        self.pages_left = arguments.count("max_pages", max_pages)
        self.planned: list[str] = []
        """Article addresses that a crawl would fetch, with `plan`."""
        self._fronts = {path_key(self.site.home), *(path_key(section.url) for section in self.site.sections)}

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
        crawler.signals.connect(spider.request_scheduled, signals.request_scheduled)
        crawler.signals.connect(spider.request_dropped, signals.request_dropped)
        crawler.signals.connect(spider.item_dropped, signals.item_dropped)
        return spider

    @property
    def reads_feeds(self) -> bool:
        return not self.days.are_limited and self.pages_left is None

    def request_scheduled(self, request: Request) -> None:
        """Scrapy drops a redirect to a foreign host here without a word to anybody."""
        note_listing_led_away(self.crawler.stats, request, self.allowed_domains)

    def request_dropped(self, request: Request) -> None:
        """Scrapy drops a redirect to an address that this run has asked for already, and calls nobody back."""
        if REQUISITE_KEY in request.meta:
            self.store.frontier.mark(self.site.slug, request.meta[REQUISITE_KEY], ARCHIVED, f"leads to {request.url}")
        walk, link = request.cb_kwargs.get("walk"), request.meta.get("link")
        if isinstance(walk, Walk) and self._leads_home(request.url, walk) and not (walk.pages or walk.is_resumed):
            # Another section did so before, or the front page is one.
            self._count_failed_listing(walk.first_url, LEADS_HOME, walk)
        if link is None:
            return
        if request.url in request.meta.get("redirect_urls", ()):
            self._count("articles_failed")
            self._reject(link, "redirects in a circle")
            self.logger.warning("%s: redirects in a circle", link)
        elif not (self._is_front(request.url) and self._is_absent(request.meta.get("capture"), link)):
            self._mark(link, ARCHIVED, f"leads to {request.url}")

    def item_dropped(self, item: Any, response: Response, exception: Exception) -> None:
        if isinstance(item, Article) and "link" in response.meta:
            self._reject(response.meta["link"], str(exception))

    def _mark(self, link: str, state: str, reason: str | None = None) -> None:
        self.store.frontier.mark(self.site.slug, path_key(link), state, reason)

    def _reject(self, link: str, reason: str) -> None:
        self.store.frontier.reject(self.site.slug, path_key(link), reason, clock.now())

    def _is_front(self, url: str) -> bool:
        """Whether this is the front page or a section, where portals send who asks for an article that is gone."""
        return path_key(url) in self._fronts

    def _is_absent(self, capture: Any, link: str) -> bool:
        """Notes that a capture shows that the article of a link is gone. False when none is known there."""
        if capture is None or not self.store.note_absence(self.site.slug, capture, link):
            return False
        self._count("articles_absent")
        return True

    async def start(self) -> AsyncIterator[Any]:
        frontier, slug, now = self.store.frontier, self.site.slug, clock.now()
        sections = [request for request in self.family.section_requests() if request.meta["section"] != FEED]
        firsts = {path_key(request.url) for request in sections}
        waiting = [one for one in frontier.waiting(slug, now) if path_key(one.url) not in firsts]
        # What an earlier run left behind has no date here, so a run for certain days leaves it to the next one.
        if not self.days.are_limited:
            for request in self._waiting_requisites(one.url for one in waiting if one.section == NO_SECTION):
                yield request
            for one in waiting:
                for request in self._article_requests(one.url) if one.section != NO_SECTION else ():
                    yield request
        for listing in self._first_requests(due_now([self._first_walk(request, now) for request in sections]), now):
            yield listing
        for one in frontier.due(slug, now) if not self.days.are_limited else ():
            for request in self._article_requests(one.url, priority=_REVISIT_PRIORITY):
                self._count("revisits")
                yield request

    def _first_walk(self, request: Request, now: datetime) -> Walk:
        """Where this run begins with a section; one for certain days begins at the newest page, as `full` does."""
        section, url = request.meta["section"], request.url
        if self.full or self.days.are_limited:
            return Walk(section, url, url)
        known = self.store.frontier.walk_of(self.site.slug, url)
        return begin(section, url, known, now, timedelta(days=self.settings.getfloat("DANVAN_SWEEP_DAYS")))

    def _walk_requests(self, walk: Walk | None) -> Iterator[Request]:
        if walk is not None:
            yield from self._take_page(self._listing_request(walk.start_url, walk))

    def _listing_request(self, url: str, walk: Walk) -> Request:
        return Request(
            url,
            callback=self.parse_listing,
            errback=self.listing_failed,
            meta={"section": walk.section},
            cb_kwargs={"walk": walk},
            priority=_LISTING_PRIORITY,
        )

    def parse_listing(self, response: Response, walk: Walk) -> Iterator[Any]:
        if host_of(response.url) not in self.site.hosts:
            yield from self._fail_listing(response.url, "leads to another host", walk)
            return
        if not isinstance(response, TextResponse):
            yield from self._fail_listing(response.url, "is not text", walk)
            return
        if self._leads_home(response.url, walk):
            if walk.pages or walk.is_resumed:  # as a page after the last one
                self._close_walk(walk, response.meta["capture"].date, swept=True)
            else:
                yield from self._fail_listing(walk.first_url, LEADS_HOME, walk)
            return
        if not walk.started:
            walk.started = True
            self._count("sections_read")
            if not walk.is_resumed:
                self.store.frontier.begin_walk(self.site.slug, walk.first_url, response.meta["capture"].date)
        yield from self._requisite_requests(of_page(response))
        listing = self.family.parse_section(response)
        walk.pages += 1
        walk.oldest_first = walk.oldest_first or (walk.pages == 1 and self.days.oldest_first(listing.links))
        note_listing(self.crawler.stats, walk, response, listing.links)
        news = False
        entries = self.store.write_listing(self.site.slug, walk.section, response.meta["capture"], listing.links)
        self._note_shown(walk, entries)
        for entry in entries:
            if entry.state == CHANGED:  # kept, since the listing will not read differently a second time
                self._mark(entry.link.url, PENDING)
            fresh = entry.state in (NEW, PENDING, CHANGED)
            news = news or fresh
            if (fresh or self.full) and self.days.wants(entry.link):
                found_in = walk.section if entry.state != PENDING else None
                yield from self._article_requests(entry.link.url, found_in)
        yield from self._feed_requests(walk, news=news)
        following = self._next_page(response, listing, walk, news)
        if following is not None:
            yield from self._take_page(self._listing_request(following, walk))
        elif not self.days.are_limited:
            yield from self._walk_requests(walk.older())

    def _leads_home(self, url: str, walk: Walk) -> bool:
        """Whether a section that is not the front page leads there, as portals do with sections that they gave up."""
        home = path_key(self.site.home)
        return path_key(url) == home and path_key(walk.first_url) != home

    def _next_page(self, response: Response, listing: Listing, walk: Walk, news: bool) -> str | None:
        """Where the walk goes on; None where it ends. Either is noted, so that a run that dies is continued there."""
        keys = {path_key(link.url) for link in listing.links}
        repeats = all(key in walk.seen for key in keys)
        walk.seen.update(keys)
        following = listing.next_url
        if following is None or repeats or host_of(following) not in self.site.hosts or walk.pages >= MAX_LISTING_PAGES:
            # A first page without any link is an outage or another layout, not the end of a section.
            if walk.seen or walk.is_resumed:
                self._close_walk(walk, response.meta["capture"].date, swept=True)
            return None
        if walk.stops_at_known and not news and not self.full and not walk.oldest_first:
            self._close_walk(walk, response.meta["capture"].date, swept=False)
            return None
        self.store.frontier.go_on_at(self.site.slug, walk.first_url, following, walk.pages)
        if self.days.are_past(listing.links):
            return None
        return following

    def _close_walk(self, walk: Walk, date: str, *, swept: bool) -> None:
        if swept:
            walk.backlog = None  # this walk has been through all pages
        self.store.frontier.complete_walk(self.site.slug, walk.first_url, date, swept=swept, cursor=walk.backlog)

    def _article_requests(
        self, url: str, found_in: str | None = None, *, priority: int = _ARTICLE_PRIORITY
    ) -> Iterator[Request]:
        """The request for an article, once in a run. `found_in` is the section or FEED where this run discovered it."""
        key = path_key(url)
        if not self._asked.add(key):
            return
        request = Request(
            url,
            callback=self.parse_story,
            errback=self.story_failed,
            meta={"link": url, "revisit": priority == _REVISIT_PRIORITY, FOUND_IN: found_in},
            priority=priority,
        )
        for taken in self._take_page(request):
            if self.plan:
                self.planned.append(taken.url)
            else:
                note_link(self.crawler.stats, "linked", taken)
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
            self._reject(link, "leads to another host")
            return
        found = False
        for item in extract(self.family, response):
            if isinstance(item, VisitCounters):
                self.store.write_counters(item)
                continue
            assert isinstance(response, TextResponse)
            found = True
            yield from self._requisite_requests(of_page(response, item))
            yield item
        if found:
            self._count("articles")
        else:
            self._without_article(response, link)

    def _without_article(self, response: Response, link: str) -> None:
        """A page on which there is no article: it is gone, or there was none ever."""
        redirects = response.meta.get(REDIRECTS_KEY, ())
        if redirects and self._is_front(response.url):
            shown = redirects[-1]
        else:
            shown = response.meta["capture"] if says_not_found(response) else None
        if self._is_absent(shown, link):
            return
        hidden_by = stands_in_the_way(response, redirected=bool(redirects))
        if hidden_by is None:
            self._count("pages_without_article")
            self._reject(link, "no article on the page")
        else:  # it says nothing of the article, which the next run asks for again
            note_hidden_article(self.crawler.stats, link, hidden_by)
            self._count("revisits_failed" if response.meta["revisit"] else "articles_failed")
            self.store.frontier.fail(self.site.slug, path_key(link), f"shows {hidden_by} instead", clock.now())

    def story_failed(self, failure: Failure) -> None:
        request: Request = failure.request  # type: ignore[attr-defined]
        link, gone = request.meta["link"], status_of(failure) in FINAL_STATUSES
        if gone and self._is_absent(failure.value.response.meta.get("capture"), link):  # type: ignore[union-attr]
            return
        # That one article is not there is no failure of the site, even on a day when it is the only one asked for.
        if is_forbidden(failure):
            note_link(self.crawler.stats, "forbidden", request)
        elif not isinstance(failure.value, LeftAlone):
            known = request.meta["revisit"]
            note_failed_article(self.crawler.stats, failure)
            if gone and not known:
                note_link(self.crawler.stats, "missing", request)
            else:
                self._count("revisits_failed" if known else "articles_failed")
        if not was_not_made(
            failure
        ):  # else it stays pending: the next run asks again, without a request where forbidden
            self._note_failure(path_key(link), failure)
        self.logger.warning("%s: no article: %s", request.url, reason_of(failure))

    def listing_failed(self, failure: Failure) -> Iterator[Request]:
        request: Request = failure.request  # type: ignore[attr-defined]
        walk: Walk = request.cb_kwargs["walk"]
        if walk.pages or walk.is_resumed:
            if is_forbidden(failure):  # and so are all pages after it
                note_forbidden_pages(self.crawler.stats, walk)
                self._close_walk(walk, warc_date(clock.now()), swept=True)
                return
            if status_of(failure) in FINAL_STATUSES:
                # Some portals link a page after the last one.
                self._close_walk(walk, failure.value.response.meta["capture"].date, swept=True)  # type: ignore[union-attr]
                return
        yield from self._fail_listing(request.url, reason_of(failure), walk, failure)

    def _fail_listing(self, url: str, reason: str, walk: Walk, failure: Failure | None = None) -> Iterator[Request]:
        self._count_failed_listing(url, reason, walk, failure)
        yield from self._walk_requests(walk.older())

    def _count_failed_listing(self, url: str, reason: str, walk: Walk, failure: Failure | None = None) -> None:
        note_failed_listing(self.crawler.stats, url, failure, self.site.hosts, led_home=reason == LEADS_HOME)
        self._count("listings_failed")
        if walk.pages == 0:
            self._count("sections_failed")
        self.logger.error("%s: section %s cannot be read: %s", url, walk.section, reason)
