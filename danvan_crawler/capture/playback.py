"""An archived response as the crawl saw it: from the record's bytes to what Scrapy handed to the spider.

The same steps in the same order: transfer framing off, Scrapy's own choice of response class, `capture.decoding` with
its limits. A page that a crawl could not decode can't be decoded here either, and in the same way.
"""

from __future__ import annotations

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Headers, Response
from scrapy.responsetypes import responsetypes

from danvan_crawler.capture.archiver import CAPTURE_KEY
from danvan_crawler.capture.decoding import DecodingMiddleware
from danvan_crawler.warc.message import entity_body, parse_head, split_head, status_of
from danvan_crawler.warc.reader import WarcRecord
from danvan_crawler.warc.records import CaptureRecord, media_type_of

# Twisted keeps these to itself (twisted.web._newclient.HTTPParser.CONNECTION_CONTROL_HEADERS), so the spider never saw
# them; Scrapy puts Content-Length back where Twisted goes by it.
_CONNECTION_FIELDS = frozenset(
    {
        *(b"connection", b"content-length", b"keep-alive", b"proxy-connection"),
        *(b"te", b"trailers", b"transfer-encoding", b"upgrade"),
    }
)
_WITHOUT_BODY = frozenset({204, 304})


def capture_of(record: WarcRecord, warc_file: str) -> CaptureRecord:
    """Where a response record is, as the crawl noted it. `warc_file` is relative to the archive."""
    return CaptureRecord(
        url=record.url or "",
        date=record.date,
        warc_file=warc_file,
        warc_offset=record.offset,
        warc_record_id=record.id,
        payload_digest=record.headers.get("WARC-Payload-Digest"),
        status=status_of(record.block),
        truncated=record.truncated,  # type: ignore[arg-type]  # as written by whoever made the record
        media_type=media_type_of(record.block),
    )


class Playback:
    """Turns response records into Scrapy responses with the settings of one crawler."""

    def __init__(self, crawler: Crawler) -> None:
        self._decoding = DecodingMiddleware.from_crawler(crawler)

    def response(self, record: WarcRecord, capture: CaptureRecord) -> Response:
        """The response with `meta["capture"]` set.

        Raises UndecodableBodyError, as the crawl did, for a body that cannot be decoded whole.
        """
        head = parse_head(split_head(record.block)[0])
        body = entity_body(record.block)
        headers = Headers()
        chunked, length = head.get(b"Transfer-Encoding"), head.get(b"Content-Length")
        if capture.status in _WITHOUT_BODY or (length is not None and chunked is None):
            headers[b"Content-Length"] = str(len(body)).encode()
        for name, value in head.fields:
            if name.lower() not in _CONNECTION_FIELDS:
                headers.appendlist(name, value)
        made = responsetypes.from_args(headers=headers, url=capture.url, body=body)
        request = Request(capture.url, meta={CAPTURE_KEY: capture})
        response = made(url=capture.url, status=capture.status or 0, headers=headers, body=body, request=request)
        return self._decoding.process_response(request, response)
