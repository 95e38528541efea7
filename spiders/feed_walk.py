"""Feeds and sitemaps in a run: read for what no listing shows, held against the listings, and asked in their place.

On a walk that does not know a section to its end, all feeds that the family names are read: they spare nothing there,
but name articles that no listing page shows. On other nights one feed of the whole site is enough, if it may stand in
for listings (`spiders.feed_trust`): it is asked first, and only sections of which it names news are walked. What else a
listing would have told, such as a new title, waits until the listing is read again: DANVAN_FEED_DAYS days after the
last time, when its news are held against the feed once more.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Self

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DontCloseSpider
from scrapy.http import Response, TextResponse
from twisted.python.failure import Failure

from danvan_crawler import clock
from danvan_crawler.capture.playback import page_of
from danvan_crawler.families import FEED, Listing
from danvan_crawler.store.frontier import NEW, PENDING
from danvan_crawler.store.site_state import FEEDS
from danvan_crawler.store.writes import ListedLink
from danvan_crawler.urls import host_of, path_key
from danvan_crawler.walk.sections import Walk
from danvan_crawler.walk.state import discover_named
from spiders.articles import StorySpider
from spiders.failures import reason_of
from spiders.feed_trust import Shown, Trust

_LAST, _FIRST = -10, 5
"""Priority of a feed that is read after the listings, and of one that is asked in their place."""
SITE_WIDE = "site_wide"
"""Key of a request's meta: a feed of the whole site."""
_AN_HOUR = timedelta(hours=1)
"""Nightly runs come to a section some seconds earlier or later."""


class FeedSpider(StorySpider):
    """Base of a site's spider: what it does about feeds."""

    full: bool

    def __init__(self, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self._asked_feeds: set[str] = set()
        self._named: dict[str, set[str]] = {}
        """What feeds of the whole site have named in this run: keys by address of the feed."""
        self._shown: dict[str, Shown] = {}
        """What the listings of this run have shown, by the section's first page, where known ground ends a walk."""
        self._held: list[Walk] = []
        """Walks that wait for a feed's answer."""
        self._trust: Trust | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.spider_idle, signals.spider_idle)
        return spider

    @property
    @abstractmethod
    def reads_feeds(self) -> bool:
        """Whether this run does: feeds name no dates, so one for certain days or so many pages does without."""

    @abstractmethod
    def _walk_requests(self, walk: Walk | None) -> Iterator[Request]: ...

    @abstractmethod
    def _article_requests(self, url: str, found_in: str | None = None) -> Iterator[Request]: ...

    @property
    def trust(self) -> Trust:
        if self._trust is None:
            self._trust = Trust.read(self.store.state.get(self.site.slug, FEEDS))
        return self._trust

    def _first_requests(self, walks: Sequence[Walk], now: datetime) -> Iterator[Request]:
        """What a run begins its walks with: a feed in the place of the listings that it stands in for, the others."""
        fresh_for = timedelta(days=self.settings.getfloat("DANVAN_FEED_DAYS")) - _AN_HOUR
        spared = {walk.first_url: walk for walk in walks if self._may_be_spared(walk, now, fresh_for)}
        found = self.trust.standing_in(spared) if len(spared) > 1 else None
        feed, sections = found or (None, [])
        self._held = [spared[section] for section in sections]
        for walk in walks:
            if walk not in self._held:
                yield from self._walk_requests(walk)
        if feed is not None:
            self._asked_feeds.add(feed)
            yield Request(
                feed,
                callback=self.parse_standing_in,
                errback=self.standing_in_failed,
                meta={"section": FEED, SITE_WIDE: True},
                priority=_FIRST,
            )

    def _may_be_spared(self, walk: Walk, now: datetime, fresh_for: timedelta) -> bool:
        """Whether a walk is one for news alone, after one that came to its end, and its first page was read of late."""
        for_news = self.reads_feeds and not self.full and walk.stops_at_known
        return (
            for_news
            and walk.backlog is None
            and not walk.is_second
            and walk.last_read is not None
            and timedelta(0) <= now - walk.last_read < fresh_for
        )

    def parse_standing_in(self, response: Response) -> Iterator[Request]:
        """Walks the sections of which the feed names something new; all of them when it cannot be read."""
        named = self._read_named(response)
        if named is None or not named.links:
            yield from self._release()
            return
        fresh = [url for url, state in discover_named(self.store, self.site.slug, named.links) if state == NEW]
        keys = [path_key(url) for url in fresh]
        sections = [path_key(section.url).rstrip("/") + "/" for section in self.site.sections]
        nowhere = any(not key.startswith(tuple(sections)) for key in keys)
        held, self._held = self._held, []
        for walk in held:
            start = path_key(walk.first_url).rstrip("/") + "/"
            if nowhere or any(key.startswith(start) for key in keys):
                yield from self._walk_requests(walk)
            else:
                self._count("listings_spared")
        for url in fresh:
            yield from self._article_requests(url, FEED)

    def standing_in_failed(self, failure: Failure) -> Iterator[Request]:
        self.feed_failed(failure)
        yield from self._release()

    def spider_idle(self) -> None:
        """Walks what still waits: Scrapy drops a redirect to a foreign host without calling anybody back."""
        if self._held:
            requests = list(self._release())
            assert self.crawler.engine is not None
            for request in requests:
                self.crawler.engine.crawl(request)
            raise DontCloseSpider

    def _release(self) -> Iterator[Request]:
        """The walks that the feed was to stand in for, which it did not."""
        held, self._held = self._held, []
        for feed in self._asked_feeds:
            self.trust.doubt(feed, clock.now())
        self._write_trust()
        for walk in held:
            yield from self._walk_requests(walk)

    def _feed_requests(self, walk: Walk, *, news: bool) -> Iterator[Request]:
        """Asks for feeds, each once: on a walk that knows no ground for all, on a night with news for those that have
        to prove, or to prove again, that they name them."""
        every = self.full or not walk.stops_at_known
        if not self.reads_feeds or not (every or (news and self._may_learn(walk))):
            return
        for one in self.family.section_requests():
            wanted = one.section == FEED and (every or one.is_site_wide)
            if wanted and one.url not in self._asked_feeds:
                self._asked_feeds.add(one.url)
                meta = {"section": FEED, SITE_WIDE: True} if one.is_site_wide else {"section": FEED}
                yield self._feed_request(Request(one.url, meta=meta))

    def _may_learn(self, walk: Walk) -> bool:
        """Whether a look at the feeds beside the news of this walk would teach anything."""
        sections = [section.url for section in self.site.sections]
        if len(sections) < 2:
            return False
        return self.trust.is_proved(walk.first_url) or self.trust.is_open(sections, clock.now())

    def _feed_request(self, request: Request) -> Request:
        return request.replace(callback=self.parse_feed, errback=self.feed_failed, priority=_LAST)

    def _read_named(self, response: Response) -> Listing | None:
        """What a feed names; None for anything else. Portals answer for a feed that they lack with their front page."""
        if host_of(response.url) not in self.site.hosts or not isinstance(response, TextResponse):
            return None
        named = self.family.parse_section(page_of(response, response.meta["capture"].date))
        if not named.is_feed:
            return None
        self._count("feeds")
        if named.links:
            self.store.signs.note(self.site.slug, response.meta["capture"].date)
        if SITE_WIDE in response.meta and named.links:
            feed = response.meta.get("redirect_urls", (response.url,))[0]
            self._named.setdefault(feed, set()).update(path_key(link.url) for link in named.links)
        return named

    def parse_feed(self, response: Response) -> Iterator[Request]:
        """Asks for what no listing has shown."""
        named = self._read_named(response)
        if named is None:
            return
        for url, state in discover_named(self.store, self.site.slug, named.links):
            if self.full or state in (NEW, PENDING):
                yield from self._article_requests(url, FEED if state == NEW else None)
        following = named.next_url
        if following is not None and host_of(following) in self.site.hosts and following not in self._asked_feeds:
            self._asked_feeds.add(following)
            meta = {name: value for name, value in response.meta.items() if name in ("section", SITE_WIDE)}
            yield self._feed_request(Request(following, meta=meta))

    def feed_failed(self, failure: Failure) -> None:
        request: Request = failure.request  # type: ignore[attr-defined]
        self.logger.info("%s: no feed: %s", request.url, reason_of(failure))

    def _note_shown(self, walk: Walk, entries: Sequence[ListedLink]) -> None:
        """Remembers what a page of a walk for news showed, to be held against the feeds at the end."""
        if not (self.reads_feeds and walk.stops_at_known) or walk.is_resumed:
            return
        shown = self._shown.setdefault(walk.first_url, Shown())
        if walk.pages == 1:
            shown.first_page = {path_key(entry.link.url) for entry in entries}
        shown.new |= {path_key(entry.link.url) for entry in entries if entry.state == NEW}

    def closed(self, reason: str) -> None:
        """Scrapy calls this when the spider has closed: draws the lesson of a run that went to its end."""
        if reason != "finished" or not self._asked_feeds or not self._shown:
            return
        now = clock.now()
        for feed, named in self._named.items():
            for section in self.trust.judge(feed, named, self._shown, now):
                self.logger.info("%s: does not name what is new in %s", feed, section)
        wide = [one.url for one in self.family.section_requests() if one.is_site_wide]
        if not self._named and self._asked_feeds.intersection(wide):
            for feed in wide:
                self.trust.bar(feed, self._shown, now)
        self._write_trust()

    def _write_trust(self) -> None:
        self.store.state.set(self.site.slug, FEEDS, self.trust.written())
