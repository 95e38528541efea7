"""A server that says how long to wait is obeyed: Retry-After of a 429 or 503 pauses all requests to its host.

Without this Scrapy retries at once, and the other requests of the site go on as well (RFC 9110, section 10.2.3; RFC
6585, section 4). A wait beyond `DANVAN_MAX_RETRY_AFTER` seconds is not sat out: the run of the site ends, and
statistic `danvan/not_before` says until when the next one leaves the site alone (`ops.rest`).
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.statscollectors import StatsCollector
from scrapy.utils.asyncio import call_later
from scrapy.utils.defer import deferred_from_coro

from danvan_crawler import clock

_logger = logging.getLogger(__name__)
_STATUSES = frozenset({429, 503})
CLOSE_REASON = "asked_to_wait"
_LONGEST = 365 * 86400.0
"""Seconds; nobody means more, and dates end somewhere."""


def seconds_to_wait(retry_after: str, now: datetime) -> float | None:
    """Seconds that a Retry-After field asks for, 0 for a moment that is past; None for one that cannot be read.

    >>> seconds_to_wait("120", datetime.now(UTC))
    120.0
    """
    value = retry_after.strip()
    if value.isascii() and value.isdigit():
        return min(float(value), _LONGEST)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


class RetryAfterMiddleware:
    """Downloader middleware, nearer to the network than Scrapy's retries: it pauses the host before they are queued.

    Statistic `danvan/waited` counts the pauses.
    """

    def __init__(self, longest: float, stats: StatsCollector, crawler: Crawler) -> None:
        self._longest = longest
        self._stats = stats
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RetryAfterMiddleware:
        assert crawler.stats is not None  # made by the crawler before any component
        return cls(crawler.settings.getfloat("DANVAN_MAX_RETRY_AFTER", 120.0), crawler.stats, crawler)

    def process_response(self, request: Request, response: Response) -> Response:
        field = response.headers.get(b"Retry-After")
        if response.status not in _STATUSES or field is None:
            return response
        wait = seconds_to_wait(field.decode("latin-1"), clock.now())
        if wait is None:
            return response
        if wait > self._longest:
            self._stop(request.url, wait)
            # A retry would be the very thing that was asked not to be done.
            request.meta["dont_retry"] = True
        elif wait > 0:
            _logger.warning("%s: HTTP %d, waiting %.0f s as asked", request.url, response.status, wait)
            self._stats.inc_value("danvan/waited")
            self._pause(request, wait)
        return response

    def _pause(self, request: Request, seconds: float) -> None:
        """Holds the host's queue: Scrapy leaves a slot alone while its next look at the queue is scheduled."""
        downloader: Any = self._crawler.engine.downloader if self._crawler.engine is not None else None
        slot = downloader.slots.get(request.meta.get("download_slot")) if downloader is not None else None
        if slot is not None:
            if slot.latercall is not None:
                slot.latercall.cancel()
            slot.latercall = call_later(seconds, downloader._latercall, slot)

    def _stop(self, url: str, seconds: float) -> None:
        _logger.error("%s: asked to wait %.0f s, longer than this run may: it ends here", url, seconds)
        self._stats.set_value("danvan/asked_to_wait", seconds)
        self._stats.set_value("danvan/not_before", (clock.now() + timedelta(seconds=seconds)).isoformat())
        if self._crawler.engine is not None:
            # Not awaited: the engine waits for the response that is passing just now.
            closing = deferred_from_coro(self._crawler.engine.close_spider_async(reason=CLOSE_REASON))
            closing.addErrback(lambda failure: _logger.error("The crawl could not be closed: %s", failure.value))
