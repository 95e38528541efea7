"""Ask for a page only if it has changed: If-None-Match and If-Modified-Since from the last capture of the address.

A nightly run sees mostly what it has seen the night before. Where the archive has a complete 200 answer of exactly this
address, its validators go along with the request (RFC 9110, section 13.1), and a server that has nothing new answers
304 with a few hundred bytes. `capture.archiver` keeps that as a `revisit` record; here it becomes what it stands for,
the archived response, so that listings, robots.txt and articles are parsed as ever. `response.meta["capture"]` is the
revisit: the capture of this day.

Cookies are taken from the 304 and not from the archived response, whose session is long over.

The middleware stands at 940, one step further from the network than the archiver: its validators are in the request
record, and when it sees a 304 that has been archived. A spider whose `full` is true asks without condition, for there
are servers whose validators do not change with their pages. A request that brings conditions of its own is left alone.
"""

from __future__ import annotations

import re
from typing import Self
from urllib.parse import urldefrag

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from danvan_crawler.capture.archiver import CAPTURE_KEY, STORED_KEY
from danvan_crawler.capture.deduplication import Originals, Stored
from danvan_crawler.capture.playback import response_of

_CONDITIONS = (b"If-None-Match", b"If-Modified-Since")
_NOT_OURS = (*_CONDITIONS, b"If-Match", b"If-Unmodified-Since", b"If-Range", b"Range")
_SENDABLE = re.compile(r"[\x20-\x7e\x80-\xff]{1,500}")
"""Validators that can be sent back in one line."""


class ConditionalMiddleware:
    """Downloader middleware; with `unconditional` it does nothing."""

    def __init__(self, originals: Originals, *, unconditional: bool) -> None:
        self._originals = originals
        self._unconditional = unconditional

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(Originals.from_crawler(crawler), unconditional=bool(getattr(crawler.spider, "full", False)))

    def process_request(self, request: Request) -> None:
        """Add the validators of what the archive has."""
        request.meta.pop(STORED_KEY, None)
        if self._unconditional or request.method != "GET" or any(name in request.headers for name in _NOT_OURS):
            return
        stored = self._originals.stored(urldefrag(request.url)[0])
        if stored is None:
            return
        for name, value in zip(_CONDITIONS, (stored.etag, stored.last_modified), strict=True):
            if value is not None and _SENDABLE.fullmatch(value):
                request.headers[name] = value.encode("latin-1")
                request.meta[STORED_KEY] = stored

    def process_response(self, request: Request, response: Response) -> Response:
        """The archived response in the place of a 304 that was archived as a revisit to it."""
        stored, capture = self._forget(request), request.meta.get(CAPTURE_KEY)
        if stored is None or response.status != 304 or capture is None or capture.refers_to != stored.record.id:
            return response
        archived = response_of(
            stored.record.block,
            response.url,
            flags=response.flags,
            certificate=response.certificate,
            ip_address=response.ip_address,
            protocol=response.protocol,
        )
        archived.headers.pop("Set-Cookie", None)
        if cookies := response.headers.getlist("Set-Cookie"):
            archived.headers.setlist("Set-Cookie", cookies)
        return archived

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Take the conditions back before Scrapy copies the request for another try."""
        self._forget(request)

    @staticmethod
    def _forget(request: Request) -> Stored | None:
        """Removes what `process_request` added: redirects and retries copy headers and meta."""
        stored: Stored | None = request.meta.pop(STORED_KEY, None)
        if stored is not None:
            for name in _CONDITIONS:
                request.headers.pop(name, None)
        return stored
