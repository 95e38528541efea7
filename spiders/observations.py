"""What a crawl notices about a site's health while it walks: what stands where news ought to be, and why pages fail.

Statistics only, which `health.outcome` and `health.comparison` read when the run has ended: a sentence about the first
page of each kind of trouble, the sections that show no article, and what became of the links of each section.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from scrapy import Request
from scrapy.exceptions import CannotResolveHostError
from scrapy.http import Response, TextResponse
from scrapy.statscollectors import StatsCollector
from twisted.python.failure import Failure

from danvan_crawler.capture.playback import page_of
from danvan_crawler.exceptions import CaptureRefusedError
from danvan_crawler.families import FEED
from danvan_crawler.health.outcome import ARTICLE_TROUBLE, LISTING_TROUBLE, SHORT_SECTIONS
from danvan_crawler.pages.kind import LOGIN, is_login_titled, page_kind
from danvan_crawler.pages.page import Page
from danvan_crawler.pages.requisites import FINAL_STATUSES
from danvan_crawler.politeness.backoff import LeftAlone
from danvan_crawler.politeness.robots import RobotsUnreadableError
from danvan_crawler.urls import host_of, path_key
from danvan_crawler.walk.sections import Walk
from spiders.failures import is_forbidden, reason_of, response_of, status_of

EMPTY_SECTIONS = "danvan/sections_empty"
"""Statistic: names of the sections whose first page shows no article."""
FOUND_IN = "found_in"
"""Key of a request's meta: the section in which this run discovered the article, FEED for a feed; None for one that
an earlier run left behind, or that is visited again."""
LEADS_HOME = "leads to the front page"
_SHOWS = {
    "challenge": "shows a challenge for browsers",
    "login": "shows a login",
    "maintenance": "shows a notice of maintenance",
    "parked": "shows a parked or hijacked page",
}


def note_listing(
    stats: StatsCollector | None, walk: Walk, response: Response, page: Page, links: Sequence[Any]
) -> None:
    """Counts a listing page that was read; of a section that shows no article notes what it shows instead."""
    assert stats is not None
    stats.inc_value("danvan/listings")
    is_first = walk.pages == 1 and not walk.is_resumed
    if is_first:
        stats.inc_value("danvan/first_pages")
    if links:
        stats.inc_value("danvan/listings_with_links")
    elif is_first or walk.is_resumed:
        if is_first:
            stats.set_value(EMPTY_SECTIONS, [*stats.get_value(EMPTY_SECTIONS, []), walk.section])
        if (kind := _shown(page, asks_in=_was_led_elsewhere(response))) is not None:
            _note(stats, LISTING_TROUBLE, kind, f"{response.url} {_SHOWS[kind]}")


def note_failed_listing(
    stats: StatsCollector | None, url: str, failure: Failure | None, hosts: Collection[str], *, led_home: bool = False
) -> None:
    """Notes why a listing could not be had. Without a failure there was an answer: from another host, no text, or the
    front page."""
    if host_of(url) not in hosts:
        _note(stats, LISTING_TROUBLE, "moved", f"a section leads to another host, {url}")
    elif led_home:
        _note(stats, LISTING_TROUBLE, "section_gone", f"{url} {LEADS_HOME}")
    elif failure is None:
        _note(stats, LISTING_TROUBLE, "found_nothing", f"{url} is no page of text")
    else:
        _note(stats, LISTING_TROUBLE, kind_of(failure), _sentence(url, failure))


def note_forbidden_pages(stats: StatsCollector | None, walk: Walk) -> None:
    """Notes a section of which robots.txt forbids the pages after the first, as it does with all that have a query."""
    assert stats is not None
    stats.set_value(SHORT_SECTIONS, [*stats.get_value(SHORT_SECTIONS, []), walk.section])


def note_listing_led_away(stats: StatsCollector | None, request: Request, domains: Collection[str]) -> None:
    """Counts a section that redirects to a foreign host as failed; such a request is never made."""
    walk, host = request.cb_kwargs.get("walk"), host_of(request.url)
    if not isinstance(walk, Walk) or any(host == domain or host.endswith(f".{domain}") for domain in domains):
        return
    assert stats is not None
    stats.inc_value("danvan/listings_failed")
    if walk.pages == 0:
        stats.inc_value("danvan/sections_failed")
    note_failed_listing(stats, request.url, None, domains)


def note_link(stats: StatsCollector | None, what: str, request: Request) -> None:
    """Counts the link to an article as `linked`, `forbidden` or `missing`, for the site and for its section.

    Only a link that this run has discovered: one that robots.txt forbids stays pending and fails every night anew, and
    one that is not there some nights more, which says nothing of what the site links today. Those are counted apart,
    as `…_again`.
    """
    assert stats is not None
    section = request.meta[FOUND_IN]
    stats.inc_value(f"danvan/articles_{what}" if section is not None else f"danvan/articles_{what}_again")
    if section not in (None, FEED):
        stats.inc_value(f"danvan/{what}_in/{section}")


def note_failed_article(stats: StatsCollector | None, failure: Failure) -> None:
    """Notes why an article could not be had. One that is not there any more is no trouble of the site."""
    request: Any = failure.request  # type: ignore[attr-defined]
    if status_of(failure) in FINAL_STATUSES:
        return
    _note(stats, ARTICLE_TROUBLE, kind_of(failure), _sentence(request.url, failure))


def note_hidden_article(stats: StatsCollector | None, url: str, kind: str) -> None:
    """Notes what stands in the place of an article, as `pages.kind.stands_in_the_way` calls it."""
    _note(stats, ARTICLE_TROUBLE, kind, f"{url} {_SHOWS[kind]}")


def kind_of(failure: Failure) -> str:
    """Kind of problem (`health.problems`) behind a request that failed."""
    if is_forbidden(failure):
        return "robots"
    error: Any = failure.value
    if isinstance(error, RobotsUnreadableError):
        error = error.cause
    response = response_of(error)
    if response is not None:
        asks_in = response.status in (401, 403)
        shown = _shown(page_of(response), asks_in=asks_in) if isinstance(response, TextResponse) else None
        return shown or _kind_of_status(response.status, asks_to_wait=b"Retry-After" in response.headers)
    if isinstance(error, CaptureRefusedError):
        return "refused"
    if isinstance(error, CannotResolveHostError):
        return "no_address"
    return "asked_to_wait" if isinstance(error, LeftAlone) else "unreachable"


def _shown(page: Page, *, asks_in: bool) -> str | None:
    """What a page shows in the place of news. A login only where the answer `asks_in`, or the title says so: a listing
    that scripts fill has a login box in its header, too."""
    kind = page_kind(page)
    return None if kind == LOGIN and not asks_in and not is_login_titled(page) else kind


def _was_led_elsewhere(response: Response) -> bool:
    """Whether another path was asked for; one that leads to https or to www has led nowhere."""
    asked = response.meta.get("redirect_urls", (response.url,))[0]
    return path_key(asked) != path_key(response.url)


def _kind_of_status(status: int, *, asks_to_wait: bool) -> str:
    if status == 429 or (status == 503 and asks_to_wait):
        return "asked_to_wait"
    if status in FINAL_STATUSES:
        return "section_gone"
    return "forbidden" if status < 500 else "server_error"


def _sentence(url: str, failure: Failure) -> str:
    return f"{url}: {'forbidden by robots.txt' if is_forbidden(failure) else reason_of(failure)}"


def _note(stats: StatsCollector | None, statistic: str, kind: str, sentence: str) -> None:
    assert stats is not None
    known = stats.get_value(statistic, {})
    if kind not in known:
        stats.set_value(statistic, {**known, kind: sentence})
