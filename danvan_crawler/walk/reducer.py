"""The database rows of a site are a fold over its captures: this module applies the rules of crawling.

The reducer gets the next archived exchange of a site and the current state of the store. It writes the resulting rows
and returns new requests, with priority and reason, as well as statistics and log messages. In a crawl, Scrapy fetches
the new requests, and the archiver passes on each exchange as soon as it is written. A rebuild passes the same exchanges
from the WARCs in the same order and ignores the new requests. So both write the same rows, however the run ended.

The result depends only on the exchange, the site's profile, the run's options and the store: there is no clock, network
or setting. Each exchange is one transaction, which also stores the position in the site's files.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from danvan_crawler import statistics as stats
from danvan_crawler.captures import CaptureRecord, RecordPlace
from danvan_crawler.exceptions import DanvanError, LostPayloadError, UndecodableBodyError, in_words
from danvan_crawler.families import FEED, Family, extract
from danvan_crawler.items import VisitCounters
from danvan_crawler.pages.kind import says_not_found
from danvan_crawler.pages.packed import unpacked
from danvan_crawler.pages.page import Page
from danvan_crawler.pages.requisites import FINAL_STATUSES, NO_SECTION
from danvan_crawler.sites.profile import Site
from danvan_crawler.store.writes import Store
from danvan_crawler.urls import path_key
from danvan_crawler.walk import redirects
from danvan_crawler.walk.articles import Articles
from danvan_crawler.walk.asking import Effects, Kind, Run, Unanswered, Why
from danvan_crawler.walk.context import Context, RejectedItemError, RunState, Stages
from danvan_crawler.walk.feeds import Feeds
from danvan_crawler.walk.listings import Listings
from danvan_crawler.walk.requisites import Requisites
from danvan_crawler.walk.sections import due_now
from danvan_crawler.walk.visits import Visits

logger = logging.getLogger(__name__)

TRIED_AGAIN = frozenset({408, 429, 500, 502, 503, 504, 522, 524})
"""Statuses after which a crawl tries again (Scrapy's RETRY_HTTP_CODES). They have no effect until it gives up."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """An archived exchange, as input of the reducer."""

    capture: CaptureRecord
    why: Why | None
    """None for requests that are not the reducer's, such as robots.txt."""
    location: bytes | None
    """The Location field of a redirect."""
    page: Callable[[], Page]
    """Decodes the page. Raises UndecodableBodyError, and LostPayloadError for a revisit whose payload is missing."""
    cookies: tuple[str, ...] = ()
    """Of a redirect: `redirects.cookies_of` its Set-Cookie fields."""


class Part(Protocol):
    """Handles one kind of address."""

    def read(self, effects: Effects, capture: CaptureRecord, why: Why, page: Page) -> None:
        """Handles a page."""

    def redirect(self, effects: Effects, capture: CaptureRecord, why: Why, target: str) -> None:
        """Handles a redirect to an absolute address; `why` has the cookies that it set."""

    def answered(self, effects: Effects, capture: CaptureRecord, why: Why, page: Callable[[], Page | None]) -> None:
        """Handles a response that is not a 2xx page, such as a 404; `page` decodes its body, None if that fails."""

    def unanswered(self, effects: Effects, request: Unanswered) -> None:
        """Handles a request that was given up."""


class Reducer:
    """Turns one site's exchanges, one after the other, into rows of `store`."""

    def __init__(self, site: Site, family: Family, store: Store, stages: Stages) -> None:
        self._context = Context(site, family, store, stages)
        self._requisites = Requisites(self._context)
        self._articles = Articles(self._context, self._requisites)
        self._feeds = Feeds(self._context, self._articles)
        self._listings = Listings(self._context, self._articles, self._requisites, self._feeds)
        self._feeds.start_walk = self._listings.start
        self._visits = Visits(self._context, self._articles)
        self._parts: dict[Kind, Part] = {
            "listing": self._listings,
            "article": self._articles,
            "requisite": self._requisites,
            "feed": self._feeds,
        }

    @property
    def run(self) -> Run | None:
        """The current run; None between runs."""
        return self._context.state.run if self._context.state is not None else None

    def begin(self, run: Run) -> Effects:
        """Begins a run; the effects contain its first requests."""
        context, effects = self._context, Effects()
        context.store.begin_run(context.slug, run.revisit_days)
        state = context.state = RunState.of(run, context.site)
        self._visits.begin()
        sections = [request for request in context.family.section_requests() if request.section != FEED]
        waiting = context.store.frontier.waiting(context.slug, run.began_at)
        # Addresses left by earlier runs have no date here, so a run with a date range leaves them to the next run.
        if not state.days.is_limited:
            firsts = {path_key(request.url) for request in sections}
            left = [(context.site.at_current_host(one.url), one.section) for one in waiting]
            left = [(url, section) for url, section in left if path_key(url) not in firsts]
            self._requisites.ask_again(effects, (url for url, section in left if section == NO_SECTION))
            for url, section in left:
                if section != NO_SECTION:
                    self._articles.ask(effects, Why("article", url, section=section))
        self._feeds.begin(effects, due_now([self._listings.first_walk(one.section, one.url) for one in sections]))
        for one in context.store.frontier.due(context.slug, run.began_at) if not state.days.is_limited else ():
            why = Why("article", context.site.at_current_host(one.url), section=one.section, is_visit=True)
            if self._articles.ask(effects, why):
                effects.counts[stats.REVISITS] += 1
        return effects

    def further(self) -> Effects | None:
        """The last requests of a crawl, some at a time; None if there are no more. A rebuild does not need them.

        Raises StoreError and DiskFullError.
        """
        return self._visits.further()

    def end(self, date: str, place: RecordPlace, *, finished: bool) -> Effects:
        """Ends a run at this WARC-Date. `place` is the place of its note; `finished`: no request was left.

        Raises StoreError and DiskFullError.
        """
        effects = Effects()
        with self._context.store.step(self._context.slug, place):
            if finished:
                self._feeds.end(effects, date)
        self._context.state = None
        return effects

    def abandon(self) -> None:
        """Ends the run without effects: the exchanges that follow were archived but not stored when it died."""
        self._context.state = None

    def take(self, exchange: Exchange, *, is_known: bool = False) -> Effects:
        """Stores an exchange of a run, in one transaction; `is_known` if it is already stored and is read again.

        Raises StoreError and DiskFullError.
        """
        effects, capture, why = Effects(), exchange.capture, exchange.why
        with self._context.store.step(self._context.slug, None if is_known else exchange.capture.place):
            link = why.link if why is not None and why.hops else None
            self._context.store.note_capture(self._context.slug, capture, link=link)
            if why is not None and why.kind == "article" and self._context.state is not None:
                self._context.state.asked.add(path_key(why.link))  # a steady visit is not in it before
            if why is not None and why.kind != "robots" and capture.status is not None:
                self._guarded(effects, exchange, lambda: self._dispatch(effects, exchange, why))
            if why is not None and why.kind == "article":
                self._articles.note_waste(effects, why)
        return effects

    def take_without_reason(self, exchange: Exchange, section: str | None) -> Effects:
        """Stores an exchange without a known reason: from another tool, or from a crawl that did not archive reasons.

        If `section` is given, the page is the first of this section and is read as a listing. Every other page is read
        as an article; most have none. Walks do not change and nothing is requested, so the result depends only on the
        page and the profile.
        """
        effects, capture = Effects(), exchange.capture
        with self._context.store.step(self._context.slug, exchange.capture.place):
            self._context.store.note_capture(self._context.slug, capture)
            if not self._context.is_on_site(capture.url):
                effects.unread = "of other hosts"
            elif capture.truncated:
                effects.unread = "cut short when they were captured"
            elif capture.status is None:
                effects.unread = "without an HTTP status"
            else:
                self._guarded(effects, exchange, lambda: self._read_without_reason(effects, exchange, section))
        return effects

    def give_up(self, request: Unanswered, place: RecordPlace | None) -> Effects:
        """Stores that a request was given up, in one transaction. `place` is the place of its note, if it has one.

        Raises StoreError and DiskFullError.
        """
        effects = Effects()
        with self._context.store.step(self._context.slug, place):
            self._parts[request.why.kind].unanswered(effects, request)
            if request.why.kind == "article":
                self._articles.note_waste(effects, request.why)
        return effects

    def _guarded(self, effects: Effects, exchange: Exchange, read: Callable[[], None]) -> None:
        """Notes errors in reading one page, so that the other pages are not affected."""
        url = exchange.capture.url
        try:
            read()
        except LostPayloadError as error:
            effects.is_decided = False
            effects.lost.append(f"{url} of {exchange.capture.date}: {error}")
        except UndecodableBodyError as error:
            effects.is_decided, effects.undecodable = False, str(error)
            logger.debug("%s: %s", url, error)
        except DanvanError:
            raise
        except Exception as error:
            effects.failures.append(f"{url}: {in_words(error)}")
            logger.debug("%s: cannot be parsed", url, exc_info=True)

    def _dispatch(self, effects: Effects, exchange: Exchange, why: Why) -> None:
        capture, part = exchange.capture, self._parts[why.kind]
        status = capture.status or 0
        if capture.truncated:
            if capture.truncated == "length" and why.kind == "requisite":
                self._requisites.too_long(effects, capture, why)
            else:
                effects.is_decided = False
        elif status in redirects.STATUSES:
            target = redirects.target_of(capture.url, exchange.location)
            if target is None:
                part.answered(effects, capture, why, lambda: _page_or_none(exchange))
            else:
                part.redirect(effects, capture, why.with_cookies(exchange.cookies), target)
        elif status in TRIED_AGAIN:
            effects.is_decided = False
        elif is_page(capture):
            page = exchange.page()
            part.read(effects, capture, why, _unpacked(effects, page) if why.kind in ("listing", "feed") else page)
        else:
            part.answered(effects, capture, why, lambda: _page_or_none(exchange))

    def _read_without_reason(self, effects: Effects, exchange: Exchange, section: str | None) -> None:
        context, capture = self._context, exchange.capture
        if capture.status in FINAL_STATUSES:
            context.store.note_absence(context.slug, capture, capture.url)
            effects.unread = f"with the HTTP status {capture.status}"
            return
        page = exchange.page() if is_page(capture) else None
        if page is None:
            effects.unread = f"with the HTTP status {capture.status}"
            return
        if not page.is_html:
            effects.unread = "that are not HTML"
            return
        key = path_key(capture.url)
        if section is not None:
            effects.unread = "that are listings"
            context.store.write_listing(context.slug, section, capture, context.family.parse_section(page).links)
            return
        if key in context.fronts:
            effects.unread = "that are the front page"
            return
        effects.unread = "that hold no article"
        found = False
        for item in extract(context.family, page, capture):
            if isinstance(item, VisitCounters):
                context.store.write_counters(item)
                continue
            # Makes the article known for listings that link it in a later crawl.
            context.store.frontier.discover(context.slug, {key: capture.url}, item.section or context.slug)
            try:
                effects.items.append(context.stages(item))
                effects.unread = None
                found = True
            except RejectedItemError as error:
                logger.debug("%s: %s", capture.url, error)
        if not found and says_not_found(page):
            context.store.note_absence(context.slug, capture, capture.url)


def is_page(capture: CaptureRecord) -> bool:
    """Whether a response has a page: 2xx, or a 304 that was archived as a revisit of a page."""
    status = capture.status or 0
    return 200 <= status < 300 or (status == 304 and capture.refers_to is not None)


def _unpacked(effects: Effects, page: Page) -> Page:
    """The page; of a feed or sitemap that was sent as a gzip file, what is in the file, if that can be read."""
    try:
        return unpacked(page)
    except UndecodableBodyError as error:
        effects.messages.append((logging.WARNING, f"{page.url}: cannot be read: {error}"))
        return page


def _page_or_none(exchange: Exchange) -> Page | None:
    try:
        return exchange.page()
    except (UndecodableBodyError, LostPayloadError):
        return None
