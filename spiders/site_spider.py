"""The walker: one spider class for all sites, driven by a profile and its family.

Sections are walked page by page (`danvan_crawler.walk.sections`). A listing's entries are looked up in the crawl state
before a request is built. Known articles are asked for again when their entry in a listing reads differently than
before, when a visit is due (`store.lifecycle`), or with `full`.

What a run discovers and does not get, pictures and attachments included, is pending in the crawl state, and the next
run asks for it first.

What feeds and sitemaps are read for is in `spiders.feed_walk`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self
from urllib.parse import SplitResult, urlsplit, urlunsplit

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.http import Response, TextResponse
from scrapy.settings import BaseSettings
from twisted.python.failure import Failure

from danvan_crawler import clock
from danvan_crawler.capture.playback import page_of
from danvan_crawler.clock import warc_date
from danvan_crawler.exceptions import UsageError
from danvan_crawler.families import FEED, Family, Listing, SectionRequest, load_family
from danvan_crawler.pages.kind import page_kind
from danvan_crawler.pages.requisites import FINAL_STATUSES, NO_SECTION, of_page
from danvan_crawler.politeness.budget import REQUISITE_KEY
from danvan_crawler.sites.profile import Site
from danvan_crawler.store.frontier import ARCHIVED, FAILED, NEW, PENDING, REJECTED
from danvan_crawler.urls import host_of, path_key
from danvan_crawler.walk.sections import Walk, begin, due_now, is_known
from danvan_crawler.walk.state import CHANGED
from spiders import arguments
from spiders.date_range import Days
from spiders.failures import is_forbidden, reason_of, status_of
from spiders.feed_walk import FeedSpider
from spiders.observations import (
    FOUND_IN,
    LEADS_HOME,
    note_failed_listing,
    note_forbidden_pages,
    note_link,
    note_listing,
    note_listing_led_away,
)

MAX_LISTING_PAGES = 10_000
"""Pages of one section in one walk; a calendar that never ends stops here at the latest."""
_DOUBTED_PRIORITY, _REVISIT_PRIORITY, _LISTING_PRIORITY, _ARTICLE_PRIORITY = -30, -20, 0, 10
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
        self._servers = {_server(urlsplit(url)) for url in (self.site.home, *(one.url for one in self.site.sections))}

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

    def asks_again(self, request: Request) -> bool:
        """Whether a request that was made before is made once more (`keys.KeyDupeFilter`).

        Pages of a walk that is continued, which a walk for news may have read, and one that seems to lie behind the
        last, for a second look; and what several articles redirect to, such as a login or an error page, unless that is
        an article: each of them has to be judged by what it shows.
        """
        if not request.meta.get("redirect_times"):
            walk = request.cb_kwargs.get("walk")
            return isinstance(walk, Walk) and (walk.is_resumed or walk.doubted)
        in_circle = request.url in request.meta["redirect_urls"]
        return "link" in request.meta and not in_circle and path_key(request.url) not in self._asked

    def request_dropped(self, request: Request) -> None:
        """Scrapy drops a redirect to an address that this run has asked for already, and calls nobody back."""
        if REQUISITE_KEY in request.meta:
            self.store.frontier.mark(self.site.slug, request.meta[REQUISITE_KEY], ARCHIVED, f"leads to {request.url}")
        walk, link = request.cb_kwargs.get("walk"), request.meta.get("link")
        if isinstance(walk, Walk):
            if walk.pages or walk.is_resumed:  # behind its last page a listing begins again
                self._end_where_it_began(walk, request)
            else:  # another section led there before, or the front page is one
                reason = LEADS_HOME if self._leads_home(request.url, walk) else "leads to another section"
                self._count_failed_listing(walk.first_url, reason, walk)
        if link is None:
            return
        if request.url in request.meta.get("redirect_urls", ()):
            self._count("articles_failed")
            self._fail(link, "redirects in a circle")
            self.logger.warning("%s: redirects in a circle", link)
        else:
            self._mark(link, ARCHIVED, f"leads to {request.url}")

    async def start(self) -> AsyncIterator[Any]:
        frontier, slug, now = self.store.frontier, self.site.slug, clock.now()
        sections = [request for request in self.family.section_requests() if request.section != FEED]
        firsts = {path_key(request.url) for request in sections}
        waiting = [(self._now_at(one.url), one.section) for one in frontier.waiting(slug, now)]
        waiting = [(url, section) for url, section in waiting if path_key(url) not in firsts]
        # What an earlier run left behind has no date here, so a run for certain days leaves it to the next one.
        if not self.days.are_limited:
            for request in self._waiting_requisites(url for url, section in waiting if section == NO_SECTION):
                yield request
            for url, section in waiting:
                for request in self._article_requests(url) if section != NO_SECTION else ():
                    yield request
        for listing in self._first_requests(due_now([self._first_walk(request, now) for request in sections]), now):
            yield listing
        for one in frontier.due(slug, now) if not self.days.are_limited else ():
            for request in self._article_requests(self._now_at(one.url), priority=_REVISIT_PRIORITY):
                self._count("revisits")
                yield request

    def _now_at(self, url: str) -> str:
        """An address that was found at a host which the site has left, at the one that it has now."""
        parts = urlsplit(url)
        if _server(parts) in self._servers or host_of(url) in self.site.static_hosts:
            return url
        home = urlsplit(self.site.home)
        return urlunsplit(parts._replace(scheme=home.scheme, netloc=home.netloc))

    def _first_walk(self, request: SectionRequest, now: datetime) -> Walk:
        """Where this run begins with a section; one for certain days begins at the newest page, as `full` does."""
        section, url = request.section, request.url
        known = self.store.frontier.walk_of(self.site.slug, url)
        if self.full or self.days.are_limited:
            # A look at certain days leaves no work behind where everything is known.
            ended = known is not None and known.completed_at is not None and known.cursor is None
            return Walk(section, url, url, notes_cursor=not (self.days.are_limited and ended))
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
            if walk.pages or walk.is_resumed:
                yield from self._end_behind_last(walk, response.request, response.meta["capture"].date)
            else:
                yield from self._fail_listing(walk.first_url, LEADS_HOME, walk)
            return
        if self._note_read(walk) and not walk.is_resumed:
            self.store.frontier.begin_walk(self.site.slug, walk.first_url, response.meta["capture"].date)
        page = page_of(response, response.meta["capture"].date)
        yield from self._requisite_requests(of_page(page))
        listing = self.family.parse_section(page)
        if walk.pages and not listing.links:
            if (kind := page_kind(page)) is not None:
                yield from self._fail_listing(response.url, f"shows a page of {kind}", walk)
            else:
                yield from self._end_behind_last(walk, response.request, response.meta["capture"].date)
            return
        walk.pages += 1
        walk.doubted = False
        walk.oldest_first = walk.oldest_first or (walk.pages == 1 and self.days.oldest_first(listing.links))
        note_listing(self.crawler.stats, walk, response, page, listing.links)
        entries = self.store.write_listing(self.site.slug, walk.section, response.meta["capture"], listing.links)
        self._note_shown(walk, entries)
        news = not any(is_known(entry.seen_at, walk) for entry in entries)
        for entry in entries:
            fresh = entry.state in (NEW, PENDING, CHANGED)
            news = news or fresh
            # A walk through all pages is another chance for those that were given up.
            given_up = entry.state == FAILED or (entry.state == REJECTED and not walk.is_resumed)
            again = given_up and not walk.stops_at_known
            if (fresh or again or self.full) and self.days.wants(entry.link):
                found_in = walk.section if entry.state != PENDING else None
                for request in self._article_requests(entry.link.url, found_in):
                    if entry.state == CHANGED:
                        self._count("articles_changed")
                    yield request
        yield from self._feed_requests(walk, news=news)
        following = self._next_page(response, listing, walk, news)
        if following is not None:
            yield from self._take_page(self._listing_request(following, walk))
        elif not self.days.are_limited:
            yield from self._walk_requests(walk.older())

    def _note_read(self, walk: Walk) -> bool:
        """Counts a section as read, once. Returns whether it was not."""
        if walk.started:
            return False
        walk.started = True
        self._count("sections_read")
        return True

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
        if walk.notes_cursor:
            self.store.frontier.go_on_at(
                self.site.slug,
                walk.first_url,
                following,
                walk.pages,
                last_page=response.url,
                for_news=walk.stops_at_known and walk.backlog is None,
            )
        if self.days.are_past(listing.links):
            return None
        return following

    def _close_walk(self, walk: Walk, date: str, *, swept: bool) -> None:
        if swept:
            walk.backlog = None  # this walk has been through all pages
        self.store.frontier.complete_walk(self.site.slug, walk.first_url, date, swept=swept, cursor=walk.backlog)

    def _end_behind_last(self, walk: Walk, request: Request | None, date: str) -> Iterator[Request]:
        """Ends a walk at a page that seems to lie behind the last one, the second time that it does."""
        if walk.doubted or request is None:
            self._close_walk(walk, date, swept=True)
            return
        walk.doubted = True
        url = request.meta.get("redirect_urls", (request.url,))[0]
        yield from self._take_page(self._listing_request(url, walk).replace(priority=_DOUBTED_PRIORITY))

    def _end_where_it_began(self, walk: Walk, request: Request) -> None:
        """Ends a walk whose next page is one that it has seen, or leads there."""
        if "redirect_urls" not in request.meta:
            self._close_walk(walk, warc_date(clock.now()), swept=True)
            return
        assert self.crawler.engine is not None
        for again in self._end_behind_last(walk, request, request.meta["capture"].date):
            self.crawler.engine.crawl(again)

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

    def listing_failed(self, failure: Failure) -> Iterator[Request]:
        request: Request = failure.request  # type: ignore[attr-defined]
        walk: Walk = request.cb_kwargs["walk"]
        if walk.pages or walk.is_resumed:
            if is_forbidden(failure):  # and so are all pages after it
                note_forbidden_pages(self.crawler.stats, walk)
                self._close_walk(walk, warc_date(clock.now()), swept=True)
                return
            if status_of(failure) in FINAL_STATUSES:
                self._note_read(walk)
                date = failure.value.response.meta["capture"].date  # type: ignore[union-attr]
                yield from self._end_behind_last(walk, request, date)
                return
        yield from self._fail_listing(request.url, reason_of(failure), walk, failure)

    def _fail_listing(self, url: str, reason: str, walk: Walk, failure: Failure | None = None) -> Iterator[Request]:
        self._count_failed_listing(url, reason, walk, failure)
        if not walk.pages:  # else its cursor stands before this page, and what an older walk has to do lies behind it
            yield from self._walk_requests(walk.older())

    def _count_failed_listing(self, url: str, reason: str, walk: Walk, failure: Failure | None = None) -> None:
        note_failed_listing(self.crawler.stats, url, failure, self.site.hosts, led_home=reason == LEADS_HOME)
        self._count("listings_failed")
        if walk.pages == 0:
            self._count("sections_failed")
        self.logger.error("%s: section %s cannot be read: %s", url, walk.section, reason)


def _server(parts: SplitResult) -> str:
    """Host and port of an address, with and without www the same."""
    return parts.netloc.lower().removeprefix("www.")
