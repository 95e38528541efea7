"""robots.txt by RFC 9309, which is stricter than Scrapy.

In Scrapy 2.19 an unavailable robots.txt forbids nothing, and the body of an error page is parsed for rules. By the
standard, 4xx (no robots.txt) forbids nothing. If the file cannot be read (5xx, no connection, a truncated response;
here also 429), everything is forbidden (section 2.3.1.4) for at most LONGEST, because some portals never serve this
address. Only the first 500 KiB are read (section 2.5).

A redirect of robots.txt to another host is not followed: then the sections redirect too, and that is reported.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.robotstxt import RobotParser
from scrapy.spidermiddlewares.httperror import HttpError

from danvan_crawler import clock, statistics
from danvan_crawler.exceptions import UndecodableBodyError

LONGEST = timedelta(days=30)
_READ_AT_MOST = 500 * 1024
_logger = logging.getLogger(__name__)


class RobotsUnreadableError(IgnoreRequest):
    """A request that was not made because robots.txt cannot be read; `cause` is the error."""

    def __init__(self, host: str, cause: Exception) -> None:
        super().__init__(f"robots.txt of {host} cannot be read")
        self.cause = cause


class RobotsMiddleware(RobotsTxtMiddleware):
    """Scrapy's downloader middleware with the rules above."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._unreadable: dict[str, Exception] = {}

    def process_request_2(self, rp: RobotParser | None, request: Request) -> None:
        host = urlsplit(request.url).netloc
        if host in self._unreadable:
            raise RobotsUnreadableError(host, self._unreadable[host])
        super().process_request_2(rp, request)

    async def _parse_robots(self, response: Response, netloc: str, request: Request) -> None:
        if response.status == 429 or response.status >= 500:
            raise HttpError(response)
        self._since().pop(netloc, None)
        rules = response.body[:_READ_AT_MOST] if response.status < 300 else b""
        await super()._parse_robots(response.replace(body=rules), netloc, request)

    def _robots_error(self, exc: Exception, netloc: str) -> None:
        # IgnoreRequest means a redirect to another host or a redirect loop: no rules, as for undecodable content.
        answered = isinstance(exc, IgnoreRequest) and not isinstance(exc, HttpError)
        if not answered and not isinstance(exc, UndecodableBodyError):
            now = clock.now()
            since = self._since().setdefault(netloc, now.isoformat())
            if now - datetime.fromisoformat(since) < LONGEST:
                self._unreadable[netloc] = exc
            else:
                _logger.warning("robots.txt of %s could not be read since %s: treated as missing", netloc, since)
        super()._robots_error(exc, netloc)

    def _since(self) -> dict[str, Any]:
        known: dict[str, Any] = self._stats.get_value(statistics.ROBOTS_UNREADABLE, {})
        self._stats.set_value(statistics.ROBOTS_UNREADABLE, known)
        return known
