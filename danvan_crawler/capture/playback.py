"""Playback: turns the bytes of an archived response into the page that the crawl saw.

A rebuild reads all pages this way, and a crawl reads unchanged pages (304) this way.

The steps are the same as in a crawl, in the same order: remove the transfer framing, let Scrapy choose the response
class, decode with `capture.decoding` and its limits. A page that a crawl could not decode fails here with the same
error.
"""

from __future__ import annotations

from typing import Any

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Headers, HtmlResponse, Response, TextResponse
from scrapy.responsetypes import responsetypes

from danvan_crawler.capture.decoding import DecodingMiddleware
from danvan_crawler.captures import CaptureRecord
from danvan_crawler.pages.page import Page
from danvan_crawler.urls import without_credentials
from danvan_crawler.warc.message import entity_body, parse_head, sha1_base32, split_head, status_of
from danvan_crawler.warc.reader import WarcRecord
from danvan_crawler.warc.records import head_facts
from danvan_crawler.warc.revisits import reference_of, whole_response

# Twisted removes these fields (twisted.web._newclient.HTTPParser.CONNECTION_CONTROL_HEADERS), so the spider never saw
# them. Scrapy adds Content-Length again if Twisted used it.
_CONNECTION_FIELDS = frozenset(
    {
        *(b"connection", b"content-length", b"keep-alive", b"proxy-connection"),
        *(b"te", b"trailers", b"transfer-encoding", b"upgrade"),
    }
)
_WITHOUT_BODY = frozenset({204, 304})


def capture_of(record: WarcRecord, warc_file: str) -> CaptureRecord:
    """The CaptureRecord of a response or revisit record, as in a crawl. `warc_file` is relative to the archive.

    A user name and password in its address, from another tool, stay in the record alone.
    """
    facts, reference = head_facts(record.block), reference_of(record)
    return CaptureRecord(
        url=without_credentials(record.url or ""),
        date=record.date,
        warc_file=warc_file,
        warc_offset=record.offset,
        warc_record_id=record.id,
        payload_digest=record.headers.get("WARC-Payload-Digest") or _payload_digest(record),
        status=status_of(record.block),
        # A revisit is not incomplete: its payload is in another record.
        truncated=record.truncated if reference is None else None,
        media_type=facts.media_type,
        etag=facts.etag,
        last_modified=facts.last_modified,
        refers_to=None if reference is None else reference.record_id,
    )


def _payload_digest(record: WarcRecord) -> str | None:
    """The digest for a record without one; None for a revisit or an incomplete response: it cannot be computed."""
    if record.type != "response" or record.truncated is not None:
        return None
    return sha1_base32(entity_body(record.block))


class Playback:
    """Turns archived responses into pages with the settings of one crawler."""

    def __init__(self, crawler: Crawler) -> None:
        self._decoding = DecodingMiddleware.from_crawler(crawler)

    def page(self, message: bytes, capture: CaptureRecord) -> Page:
        """The page in an archived response message, which has framing and content coding.

        Raises UndecodableBodyError, as the crawl did, if the body cannot be decoded completely.
        """
        response = response_of(message, capture.url)
        return page_of(self._decoding.process_response(Request(capture.url), response), capture.date)

    def page_of_record(self, record: WarcRecord, warc_file: str, original: WarcRecord | None = None) -> Page:
        """The page of a response or revisit record; `original` is the record that a revisit refers to.

        `warc_file` is relative to the archive. Raises UndecodableBodyError as `page` does.
        """
        message = record.block if original is None else whole_response(record, original)
        return self.page(message, capture_of(record, warc_file))


def page_of(response: Response, captured_at: str = "") -> Page:
    """The page in a Scrapy response. Does not read `response.text`, which would run a charset detector."""
    return Page(
        response.url,
        response.status,
        response.body,
        content_type=(response.headers.get(b"Content-Type") or b"").decode("latin-1"),
        is_text=isinstance(response, TextResponse),
        is_html=isinstance(response, HtmlResponse),
        captured_at=captured_at,
    )


def response_of(message: bytes, url: str, **attributes: Any) -> Response:
    """A response message as Scrapy's HTTP/1.1 handler returns it: without framing, with content coding.

    `attributes` are further attributes of the response.
    """
    head = parse_head(split_head(message)[0])
    status, body = status_of(message) or 0, entity_body(message)
    headers = Headers()
    chunked, length = head.get(b"Transfer-Encoding"), head.get(b"Content-Length")
    if status in _WITHOUT_BODY or (length is not None and chunked is None):
        headers[b"Content-Length"] = str(len(body)).encode()
    for name, value in head.fields:
        if name.lower() not in _CONNECTION_FIELDS:
            headers.appendlist(name, value)
    made = responsetypes.from_args(headers=headers, url=url, body=body)
    return made(url=url, status=status, headers=headers, body=body, **attributes)
