"""Obeys Retry-After: after a 429 or 503 response, pauses all requests to the host.

Without this, Scrapy retries at once, and the other requests of the site continue as well (RFC 9110, section 10.2.3; RFC
6585, section 4). If the wait is longer than `DANVAN_MAX_RETRY_AFTER` seconds, the run of the site ends, and
statistic NOT_BEFORE is the time until which later runs do not contact the site (`crawl.cooldown`).

If a server answers 429 or 503 without Retry-After, the time before the next request is doubled, and doubled again after
each further such answer. After MANY addresses in a row, the run ends too (statistic OVERLOADED).
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.statscollectors import StatsCollector
from scrapy.utils.asyncio import call_later
from scrapy.utils.defer import deferred_from_coro

from danvan_crawler import clock, statistics

_logger = logging.getLogger(__name__)
_STATUSES = frozenset({429, 503})
CLOSE_REASON, OVERLOADED_REASON = "asked_to_wait", "overloaded"
MANY = 5
"""Addresses in a row; fewer may be single pages of a broken portal that always answer 503."""
_LONGEST = 365 * 86400.0
"""Seconds; larger values are never intended, and dates could overflow."""


def seconds_to_wait(retry_after: str, now: datetime) -> float | None:
    """Seconds that a Retry-After field asks for, 0 for a time in the past; None if the field is invalid.

    >>> seconds_to_wait("120", datetime.now(UTC))
    120.0
    """
    value = retry_after.strip()
    if value.isascii() and value.isdigit():
        return min(float(value), _LONGEST)
    try:
        moment = parsedate_to_datetime(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return min(max(0.0, (moment - now).total_seconds()), _LONGEST)
    except (ValueError, OverflowError):
        return None


class AskedToWait(IgnoreRequest):
    """A request that was not made, because the server has just asked for a long wait."""


class RetryAfterMiddleware:
    """Downloader middleware, nearer to the network than Scrapy's retries: it pauses the host before retries are queued.

    Statistic WAITED counts the pauses that a server asked for.
    """

    def __init__(self, longest: float, stats: StatsCollector, crawler: Crawler) -> None:
        self._longest = longest
        self._stats = stats
        self._crawler = crawler
        self._refused: dict[str, None] = {}
        """Addresses answered 429 or 503 since the last other answer."""
        self._closing = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RetryAfterMiddleware:
        assert crawler.stats is not None  # made by the crawler before any component
        return cls(crawler.settings.getfloat("DANVAN_MAX_RETRY_AFTER", 120.0), crawler.stats, crawler)

    def process_request(self, request: Request) -> None:
        """Stops requests that were already on their way when the server asked for a long wait."""
        if self._closing:
            raise AskedToWait("the server asked not to be contacted now")

    def process_response(self, request: Request, response: Response) -> Response:
        if response.status not in _STATUSES:
            self._refused.clear()
            return response
        self._refused[request.url] = None
        wait = self._asked_for(response)
        if wait is not None and wait > self._longest:
            self._stop(request, wait)
        elif wait:
            _logger.warning("%s: HTTP %d, waiting %.0f s as the server asks", request.url, response.status, wait)
            self._stats.inc_value(statistics.WAITED)
            # For a run that ends before the wait does.
            self._stats.max_value(statistics.WAITS_UNTIL, (clock.now() + timedelta(seconds=wait)).isoformat())
            self._pause(request, wait)
        elif len(self._refused) >= MANY:
            self._give_up(request, response.status)
        else:
            self._slow_down(request)
        return response

    def _asked_for(self, response: Response) -> float | None:
        """Seconds; the largest of several fields."""
        fields = (field.decode("latin-1") for field in response.headers.getlist(b"Retry-After"))
        waits = [wait for field in fields if (wait := seconds_to_wait(field, clock.now())) is not None]
        return max(waits, default=None)

    def _slow_down(self, request: Request) -> None:
        slot = self._slot(request)
        if slot is not None and slot.delay:
            self._pause(request, min(slot.delay * 2 ** len(self._refused), self._longest))

    def _slot(self, request: Request) -> Any:
        downloader: Any = self._crawler.engine.downloader if self._crawler.engine is not None else None
        return downloader.slots.get(request.meta.get("download_slot")) if downloader is not None else None

    def _pause(self, request: Request, seconds: float) -> None:
        """Pauses the host's queue: Scrapy does not touch a slot while its next check of the queue is scheduled."""
        slot = self._slot(request)
        if slot is not None:
            if slot.latercall is not None:
                slot.latercall.cancel()
            downloader: Any = self._crawler.engine.downloader
            slot.latercall = call_later(seconds, downloader._latercall, slot)

    def _stop(self, request: Request, seconds: float) -> None:
        _logger.error(
            "%s: the server asks to wait %.0f s, longer than this run may wait: the run ends", request.url, seconds
        )
        self._stats.set_value(statistics.ASKED_TO_WAIT, seconds)
        self._stats.set_value(statistics.NOT_BEFORE, (clock.now() + timedelta(seconds=seconds)).isoformat())
        self._close(request, CLOSE_REASON)

    def _give_up(self, request: Request, status: int) -> None:
        _logger.error("%s: HTTP %d, like the %d before it: the run ends", request.url, status, MANY - 1)
        self._stats.set_value(statistics.OVERLOADED, True)
        self._close(request, OVERLOADED_REASON)

    def _close(self, request: Request, reason: str) -> None:
        # A retry is exactly what the server asked us not to do.
        request.meta["dont_retry"] = True
        if self._crawler.engine is not None and not self._closing:
            # Not awaited: the engine itself waits for the response that is being processed here.
            closing = deferred_from_coro(self._crawler.engine.close_spider_async(reason=reason))
            closing.addErrback(lambda failure: _logger.error("The crawl could not be closed: %s", failure.value))
        self._closing = True
