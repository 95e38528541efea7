"""Feeds and sitemaps in a run: read to find unlisted articles, compared with listings, and requested instead of them.

On a walk through all pages of a section, all feeds of the family are read: they save no requests then, but name
articles that no listing page shows. On other nights one site-wide feed is enough if it may replace listings
(`walk.feed_trust`): it is requested first, and only sections for which it names new articles are walked. Other changes
in a listing, such as a new title, are found when the listing is read again: DANVAN_FEED_DAYS days after the last time.
Its new articles are then compared with the feed again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from danvan_crawler import statistics as stats
from danvan_crawler.captures import CaptureRecord
from danvan_crawler.families import FEED, Listing
from danvan_crawler.items import ArticleLink
from danvan_crawler.pages.page import Page
from danvan_crawler.store.frontier import NEW, PENDING
from danvan_crawler.store.site_state import FEEDS
from danvan_crawler.store.writes import ListedLink
from danvan_crawler.urls import path_key
from danvan_crawler.walk.articles import Articles
from danvan_crawler.walk.asking import Ask, Effects, Unanswered, Why
from danvan_crawler.walk.context import Context
from danvan_crawler.walk.feed_trust import Shown, Trust
from danvan_crawler.walk.redirects import endless
from danvan_crawler.walk.sections import Walk

_LAST, _FIRST = -10, 5
"""Priority of a feed that is read after the listings, and of one that is requested instead of them."""
_AN_HOUR = timedelta(hours=1)
"""Tolerance: nightly runs request a section at slightly different times."""
_BATCH = 1000
"""Addresses in one statement: a sitemap may name 50,000, SQLite allows 32,766 values."""


class Feeds:
    """Handles the feeds of a run."""

    start_walk: Callable[[Effects, Walk], None]
    """Begins a walk (`Listings.start`)."""

    def __init__(self, context: Context, articles: Articles) -> None:
        self._context = context
        self._articles = articles

    def begin(self, effects: Effects, walks: Sequence[Walk]) -> None:
        """Begins the walks of a run; requests a feed instead of the listings that it replaces."""
        state = self._context.state
        assert state is not None
        fresh_for = timedelta(days=state.run.feed_days) - _AN_HOUR
        spared = {walk.first_url: walk for walk in walks if self._may_be_spared(walk, fresh_for)}
        found = self._trust().replacement(spared) if len(spared) > 1 else None
        feed, sections = found or (None, [])
        state.waiting = [spared[section] for section in sections]
        for walk in walks:
            if walk not in state.waiting:
                self.start_walk(effects, walk)
        if feed is not None:
            state.feeds.add(feed)
            why = Why("feed", feed, section=FEED, is_site_wide=True, stands_in=True)
            effects.asks.append(Ask(feed, why, _FIRST))

    def _is_read(self) -> bool:
        """Whether this run reads feeds. They have no dates, so runs with a date range or a page limit do not."""
        state = self._context.state
        return state is not None and not state.days.is_limited and state.run.max_pages is None

    def _may_be_spared(self, walk: Walk, fresh_for: timedelta) -> bool:
        """Whether a feed may replace a walk: it only looks for new articles after a complete walk, and its first page
        was read recently."""
        state = self._context.state
        assert state is not None
        return (
            self._is_read()
            and not state.run.full
            and walk.stops_at_known
            and walk.backlog is None
            and not walk.is_second
            and walk.last_read is not None
            and timedelta(0) <= state.run.moment - walk.last_read < fresh_for
        )

    def ask_beside(self, effects: Effects, walk: Walk, *, news: bool) -> None:
        """Requests feeds in addition to listings, each once: all feeds on a walk that does not end at known articles,
        and on a night with new articles the feeds that are to be tested."""
        state = self._context.state
        if state is None or not self._is_read():
            return
        every = state.run.full or not walk.stops_at_known
        if not every and not (news and self._may_learn(walk)):
            return
        for request in self._context.family.section_requests():
            wanted = request.section == FEED and (every or request.is_site_wide)
            if wanted and request.url not in state.feeds:
                state.feeds.add(request.url)
                self._ask(effects, request.url, is_site_wide=request.is_site_wide)

    def _may_learn(self, walk: Walk) -> bool:
        """Whether testing the feeds with the new articles of this walk could change a result."""
        state = self._context.state
        assert state is not None
        sections = [section.url for section in self._context.site.sections]
        if len(sections) < 2:
            return False
        return self._trust().is_trusted(walk.first_url) or self._trust().can_learn(sections, state.run.moment)

    @staticmethod
    def _ask(effects: Effects, url: str, *, is_site_wide: bool, via: str = "") -> None:
        why = Why("feed", url, section=FEED, via=via, is_site_wide=is_site_wide)
        effects.asks.append(Ask(url, why, _LAST))

    def read(self, effects: Effects, capture: CaptureRecord, why: Why, page: Page) -> None:
        named = self._named(effects, capture, why, page)
        if why.stands_in and self._context.state is not None:
            self._stand_in(effects, why, named, page.url, capture.date)
        elif named is not None:
            self._ask_for_unlisted(effects, why, named, page.url)

    def _named(self, effects: Effects, capture: CaptureRecord, why: Why, page: Page) -> Listing | None:
        """The content of a feed; None if the page is not a feed, e.g. the front page of a portal without a feed."""
        if not page.is_text:
            return None
        named = self._context.family.parse_section(page)
        if not named.is_feed:
            return None
        effects.counts[stats.FEEDS] += 1
        if named.links:
            self._context.store.last_entries.note(self._context.slug, capture.date)
        state = self._context.state
        if state is not None and why.is_site_wide and named.links:
            state.named.setdefault(why.link, set()).update(path_key(link.url) for link in named.links)
        return named

    def _stand_in(self, effects: Effects, why: Why, named: Listing | None, url: str, date: str) -> None:
        """Walks the sections for which the feed names new articles; all sections if it cannot be read."""
        state = self._context.state
        assert state is not None
        if named is None or not named.links:
            self._release(effects, date)
            return
        fresh = [url for url, known in self._discover(named.links) if known == NEW]
        keys = [path_key(url) for url in fresh]
        sections = [path_key(section.url).rstrip("/") + "/" for section in self._context.site.sections]
        nowhere = any(not key.startswith(tuple(sections)) for key in keys)
        waiting, state.waiting = state.waiting, []
        for walk in waiting:
            start = path_key(walk.first_url).rstrip("/") + "/"
            if nowhere or any(key.startswith(start) for key in keys):
                self.start_walk(effects, walk)
            else:
                effects.counts[stats.LISTINGS_SPARED] += 1
        for found in fresh:
            self._articles.ask(effects, Why("article", found, section=FEED, via=url, is_new=True))

    def _ask_for_unlisted(self, effects: Effects, why: Why, named: Listing, url: str) -> None:
        """Requests articles that no listing has shown."""
        state = self._context.state
        for found, known in self._discover(named.links):
            if state is not None and (state.run.full or known in (NEW, PENDING)):
                is_new = known == NEW
                self._articles.ask(effects, Why("article", found, section=FEED, via=url, is_new=is_new))
        following = named.next_url
        if state is None or following is None or following in state.feeds:
            return
        if self._context.is_on_site(following):
            state.feeds.add(following)
            self._ask(effects, following, is_site_wide=why.is_site_wide, via=url)

    def _discover(self, links: Sequence[ArticleLink]) -> Iterator[tuple[str, str]]:
        """Adds the addresses of a feed to the frontier, without a section; yields each with its earlier state."""
        frontier, slug = self._context.store.frontier, self._context.slug
        for start in range(0, len(links), _BATCH):
            addresses = {path_key(link.url): link.url for link in links[start : start + _BATCH]}
            states = frontier.discover(slug, addresses, FEED)
            yield from ((url, states[key]) for key, url in addresses.items())

    def redirect(self, effects: Effects, capture: CaptureRecord, why: Why, target: str) -> None:
        """Handles a redirect; one within the site is followed."""
        if self._context.is_on_site(target) and endless(why, capture.url, target) is None:
            priority = _FIRST if why.stands_in else _LAST
            effects.asks.append(Ask(target, why.redirected(capture.url), priority))
        else:
            self._fail(effects, why, f"leads to {target}", capture.date)

    def answered(self, effects: Effects, capture: CaptureRecord, why: Why, page: Callable[[], Page | None]) -> None:
        self._fail(effects, why, f"HTTP {capture.status}", capture.date)

    def unanswered(self, effects: Effects, request: Unanswered) -> None:
        self._fail(effects, request.why, request.reason, request.date)

    def _fail(self, effects: Effects, why: Why, reason: str, date: str) -> None:
        effects.messages.append((logging.INFO, f"{why.link}: no feed: {reason}"))
        if why.stands_in:
            self._release(effects, date)

    def _release(self, effects: Effects, date: str) -> None:
        """Starts the walks that the feed should have replaced."""
        state = self._context.state
        if state is None:
            return
        waiting, state.waiting = state.waiting, []
        for feed in state.feeds:
            self._trust().require_one_more_night(feed, datetime.fromisoformat(date))
        self._write_trust()
        for walk in waiting:
            self.start_walk(effects, walk)

    def note_shown(self, walk: Walk, entries: Sequence[ListedLink]) -> None:
        """Stores the articles of a listing page, to be compared with the feeds at the end of the run."""
        state = self._context.state
        if state is None or not (self._is_read() and walk.stops_at_known) or walk.is_resumed:
            return
        shown = state.shown.setdefault(walk.first_url, Shown())
        if walk.pages == 1:
            shown.first_page = {path_key(entry.link.url) for entry in entries}
        shown.new |= {path_key(entry.link.url) for entry in entries if entry.state == NEW}

    def end(self, effects: Effects, date: str) -> None:
        """Compares feeds and listings at the end of a complete run."""
        state = self._context.state
        if state is None or not state.feeds or not state.shown:
            return
        now = datetime.fromisoformat(date)
        for feed, named in state.named.items():
            for section in self._trust().compare(feed, named, state.shown, now):
                effects.messages.append((logging.INFO, f"{feed}: does not name new articles of {section}"))
        wide = [one.url for one in self._context.family.section_requests() if one.is_site_wide]
        if not state.named and state.feeds.intersection(wide):
            for feed in wide:
                self._trust().exclude(feed, state.shown, now)
        self._write_trust()

    def _trust(self) -> Trust:
        state = self._context.state
        assert state is not None
        if state.trust is None:
            state.trust = Trust.read(self._context.store.state.get(self._context.slug, FEEDS))
        return state.trust

    def _write_trust(self) -> None:
        self._context.store.state.set(self._context.slug, FEEDS, self._trust().written())
