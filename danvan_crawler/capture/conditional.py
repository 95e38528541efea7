"""Conditional requests: If-None-Match and If-Modified-Since from the last capture of the address.

Most pages do not change between two nightly runs. If the archive has a complete 200 response for exactly this address,
its validators are sent with the request (RFC 9110, section 13.1), and if nothing has changed, the server answers 304
with a few hundred bytes. `capture.archiver` keeps that as a `revisit` record. Here it is replaced by the archived
response, so that listings, robots.txt and articles are parsed as usual. `response.meta["capture"]` is the new capture,
the revisit.

Cookies are taken from the 304 and not from the archived response, whose session has ended.

The middleware has the order 940, one step further from the network than the archiver: so its validators are in the
request record, and a 304 has been archived when it sees it. A spider with `full` set sends unconditional requests,
because some servers do not change the validators with the page. A request with its own conditions is not changed.
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
        """Adds the validators of the archived response."""
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
        """Replaces a 304 that was archived as a revisit by the archived response."""
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
        """Removes the conditions before Scrapy copies the request for another try."""
        self._forget(request)

    @staticmethod
    def _forget(request: Request) -> Stored | None:
        """Removes what `process_request` added: redirects and retries copy headers and meta."""
        stored: Stored | None = request.meta.pop(STORED_KEY, None)
        if stored is not None:
            for name in _CONDITIONS:
                request.headers.pop(name, None)
        return stored
