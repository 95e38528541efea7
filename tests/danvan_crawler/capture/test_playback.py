"""The page that a rebuild makes from a record equals the one that the spider of the crawl got."""

from __future__ import annotations

import base64
import gzip
import hashlib
import zlib
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest
from fastwarc.warc import HeaderMap
from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.http import HtmlResponse, Response, TextResponse
from scrapy.settings import Settings

from danvan_crawler.capture.decoding import DecodingMiddleware
from danvan_crawler.capture.playback import Playback, capture_of, page_of, response_of
from danvan_crawler.captures import RecordPlace
from danvan_crawler.exceptions import UndecodableBodyError
from danvan_crawler.pages.page import Page
from danvan_crawler.warc.reader import WarcRecord, read_record

MAX_SIZE = 2_000_000
TEXT = "<html><head><title>Tỉnh ủy</title></head><body>Ban Dân vận — Đảng bộ “Thanh Hóa”</body></html>"
HTML = TEXT.encode() * 20
GZIPPED = gzip.compress(HTML, mtime=0)
DEFLATED = zlib.compress(HTML)
META = b'<html><head><meta charset="windows-1258"></head><body>Th\xf4ng b\xe1o</body></html>'
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n"


def ok(body: bytes, *fields: bytes) -> bytes:
    head = [b"HTTP/1.1 200 OK", *fields, b"Content-Length: %d" % len(body)]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def html(body: bytes, *fields: bytes, charset: bytes = b"") -> bytes:
    return ok(body, b"Content-Type: text/html" + (b"; charset=" + charset if charset else b""), *fields)


def chunks(body: bytes, size: int) -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x;a=1\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n"


HANDED_ON: dict[str, bytes] = {
    "plain": html(HTML),
    "gzip": html(GZIPPED, b"Content-Encoding: gzip"),
    "x-gzip": html(GZIPPED, b"Content-Encoding: x-gzip"),
    "deflate": html(DEFLATED, b"Content-Encoding: deflate"),
    "deflate without its wrapper": html(DEFLATED[2:-4], b"Content-Encoding: deflate"),
    "two codings": html(gzip.compress(DEFLATED), b"Content-Encoding: deflate, gzip"),
    "two codings in two fields": html(gzip.compress(DEFLATED), b"Content-Encoding: deflate", b"content-encoding: gzip"),
    "a coding that lies": html(HTML, b"Content-Encoding: gzip"),
    "a coding of nothing": html(b"", b"Content-Encoding: gzip"),
    "chunked": CHUNKED + b"\r\n" + chunks(HTML, 100) + b"\r\n",
    "chunked gzip": CHUNKED + b"Content-Encoding: gzip\r\n\r\n" + chunks(GZIPPED, 7) + b"\r\n",
    "chunked with trailers": CHUNKED + b"\r\n" + chunks(HTML, 500) + b"X-Sum: 1\r\n\r\n",
    "chunked in spite of a length": CHUNKED + b"Content-Length: 3\r\n\r\n" + chunks(HTML, 500) + b"\r\n",
    "the length twice": html(HTML, b"Content-Length: %d" % len(HTML)),
    "charset in the header": html(TEXT.encode("utf-16-le"), charset=b"utf-16le"),
    "charset in the page": html(META),
    "charset of nobody": html(HTML, charset=b"x-party"),
    "charset in quotes": html(HTML, charset=b'"UTF-8"'),
    "charset that lies": html(HTML, charset=b"us-ascii"),
    "byte order mark": html(b"\xef\xbb\xbf" + HTML, charset=b"iso-8859-1"),
    "no type": ok(HTML),
    "no type, not text": ok(b"\x89PNG\r\n\x1a\n" + bytes(range(256))),
    "type that lies": ok(HTML, b"Content-Type: image/jpeg"),
    "gzipped without a type": ok(GZIPPED, b"Content-Encoding: gzip"),
    "xml": ok(b"<?xml version='1.0'?><rss/>", b"Content-Type: application/rss+xml"),
    "json": ok(b'{"a": 1}', b"Content-Type: application/json"),
    "download": ok(b"%PDF-1.4", b"Content-Type: application/pdf", b"Content-Disposition: attachment; filename=a.html"),
    "empty": html(b""),
    "not found": b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\ngone",
    "no content": b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n",
    "not modified": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n",
    "repeated fields": html(HTML, b"X-A: 1", b"x-a: 2", b"Set-Cookie: a=1", b"set-cookie: b=2"),
    "fields of other letters": html(HTML, b"X-Name: caf\xe9 \xff", "X-Tieu-De: Bản tin".encode()),
    "folded field": html(HTML, b"X-Long: one\r\n  two\r\n\tthree"),
    "fields of the connection": html(HTML, b"Keep-Alive: timeout=5", b"Connection: keep-alive", b"Upgrade: h2c"),
    "line feeds only": b"HTTP/1.1 200 OK\nContent-Type: text/html\nContent-Length: 2\n\nOK",
    "early hints": b"HTTP/1.1 103 Early Hints\r\nContent-Type: text/plain\r\n\r\n" + html(HTML),
}
REFUSED: dict[str, bytes] = {
    "cut gzip": html(GZIPPED[:-9], b"Content-Encoding: gzip"),
    "damaged gzip": html(GZIPPED[:40] + b"\xff" * 20 + GZIPPED[60:], b"Content-Encoding: gzip"),
    "cut deflate": html(DEFLATED[:-5], b"Content-Encoding: deflate"),
    "unknown coding": html(HTML, b"Content-Encoding: x-party"),
    "brotli": html(b"\x0b\x02\x80hello\x03", b"Content-Encoding: br"),
    "grows beyond measure": html(gzip.compress(b"a" * (MAX_SIZE + 1)), b"Content-Encoding: gzip"),
}


@pytest.fixture(scope="module")
def crawled(raw_server: Callable[..., Any], crawl: Callable[..., Any]) -> Any:
    """One crawl of all cases, with the decoding of the project's settings."""
    cases = {**HANDED_ON, **REFUSED}
    paths = {name: f"/{number}" for number, name in enumerate(cases)}
    server = raw_server({paths[name]: [([sent], "keep")] for name, sent in cases.items()})
    return crawl(
        [{"case": name, "url": server.url(path)} for name, path in paths.items()],
        settings={
            "DOWNLOADER_MIDDLEWARES": {
                "danvan_crawler.politeness.guard.GuardMiddleware": 60,
                "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": None,
                "danvan_crawler.capture.decoding.DecodingMiddleware": 590,
                "scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware": None,
                "danvan_crawler.capture.archiver.ArchiverMiddleware": 950,
            },
            "DOWNLOAD_MAXSIZE": MAX_SIZE,
        },
    )


@pytest.fixture(scope="module")
def playback() -> Playback:
    return Playback(Crawler(Spider, Settings({"DOWNLOAD_MAXSIZE": MAX_SIZE})))


def record_of(crawled: Any, case: str) -> WarcRecord:
    capture = crawled.results[case]["capture"]
    return read_record(crawled.archive, RecordPlace(capture["warc_file"], capture["warc_offset"]))


def played(crawled: Any, case: str) -> Response:
    """The Scrapy response that is made from a record, before it is a page."""
    record = record_of(crawled, case)
    request = Request(record.url or "")
    return DecodingMiddleware(MAX_SIZE).process_response(request, response_of(record.block, request.url))


def played_page(crawled: Any, playback: Playback, case: str) -> Page:
    return playback.page_of_record(record_of(crawled, case), crawled.results[case]["capture"]["warc_file"])


@pytest.mark.parametrize("case", HANDED_ON)
def test_the_response_is_the_one_that_the_spider_got(crawled: Any, case: str) -> None:
    live = crawled.results[case]
    assert live.get("error") is None
    response = played(crawled, case)
    assert response.body == base64.b64decode(live["body"])
    assert (response.url, response.status) == (live["url"], live["status"])
    assert (type(response).__name__, getattr(response, "encoding", None)) == (live["kind"], live["encoding"])


@pytest.mark.parametrize("case", HANDED_ON)
def test_the_header_fields_are_those_that_the_spider_got(crawled: Any, case: str) -> None:
    headers = played(crawled, case).headers
    found = [[name.decode("latin-1"), value.decode("latin-1")] for name in headers for value in headers.getlist(name)]
    assert sorted(found) == sorted(crawled.results[case]["headers"])


@pytest.mark.parametrize("case", HANDED_ON)
def test_the_page_is_the_one_that_the_crawl_had(crawled: Any, playback: Playback, case: str) -> None:
    live, page = crawled.results[case], played_page(crawled, playback, case)
    assert (page.url, page.status, page.body) == (live["url"], live["status"], base64.b64decode(live["body"]))
    assert (page.is_text, page.is_html) == (live["kind"] != "Response", live["kind"] == "HtmlResponse")
    types = [value for name, value in live["headers"] if name == "Content-Type"]
    assert page.content_type == (types[-1] if types else "")
    assert page.captured_at == live["capture"]["date"]


@pytest.mark.parametrize("case", HANDED_ON)
def test_a_message_gives_the_same_page_as_its_record(crawled: Any, playback: Playback, case: str) -> None:
    record, page = record_of(crawled, case), played_page(crawled, playback, case)
    other = playback.page(record.block, capture_of(record, "warc/x.warc.gz"))
    assert asdict(other) == asdict(page)


@pytest.mark.parametrize("case", [*HANDED_ON, *REFUSED])
def test_the_capture_is_the_one_that_the_crawl_noted(crawled: Any, case: str) -> None:
    live = crawled.results[case]["capture"]
    assert asdict(capture_of(record_of(crawled, case), live["warc_file"])) == live


@pytest.mark.parametrize("case", REFUSED)
def test_a_body_that_the_crawl_refused_is_refused_again(crawled: Any, playback: Playback, case: str) -> None:
    live = crawled.results[case]
    with pytest.raises(UndecodableBodyError) as caught:
        played_page(crawled, playback, case)
    assert (type(caught.value).__name__, str(caught.value)) == (live["error"], live["message"])


def test_the_cases_are_decoded_as_expected(crawled: Any) -> None:
    bodies = {case: base64.b64decode(crawled.results[case]["body"]) for case in HANDED_ON}
    for case in ("gzip", "deflate", "deflate without its wrapper", "two codings", "a coding that lies", "chunked gzip"):
        assert bodies[case] == HTML, case
    assert crawled.results["charset in the page"]["encoding"] == "cp1258"


def foreign(block: bytes, kind: str, **fields: str) -> WarcRecord:
    headers = HeaderMap()
    known = {"WARC-Type": kind, "WARC-Record-ID": "<urn:uuid:1>", "WARC-Date": "2020-05-01T00:00:00Z"}
    for name, value in {**known, "WARC-Target-URI": "http://example.vn/", **fields}.items():
        headers.append(name.replace("_", "-"), value)
    return WarcRecord(kind, headers, 0, block)


def test_a_revisit_is_the_page_of_the_record_that_it_refers_to(playback: Playback) -> None:
    head = CHUNKED + b"Content-Encoding: gzip\r\nX-Night: 2\r\n\r\n"
    revisit = foreign(head, "revisit", WARC_Refers_To="<urn:uuid:2>")
    page = playback.page_of_record(revisit, "warc/x.warc.gz", foreign(HANDED_ON["chunked gzip"], "response"))
    assert (page.body, page.captured_at, page.is_html) == (HTML, "2020-05-01T00:00:00Z", True)


@pytest.mark.parametrize(
    ("made", "is_text", "is_html"), [(HtmlResponse, True, True), (TextResponse, True, False), (Response, False, False)]
)
def test_the_kind_of_a_page_depends_on_the_class_of_its_response(
    made: type[Response], is_text: bool, is_html: bool
) -> None:
    headers = {"Content-Type": [b"text/plain", "text/html; x=ả".encode()]}
    page = page_of(made("http://example.vn/a", 404, headers, b"x"))
    assert (page.url, page.status, page.body) == ("http://example.vn/a", 404, b"x")
    assert (page.is_text, page.is_html, page.captured_at) == (is_text, is_html, "")
    assert page.content_type.encode("latin-1") == "text/html; x=ả".encode()


def test_no_charset_detector_is_called_for_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(TextResponse, "text")
    monkeypatch.delattr(TextResponse, "encoding")
    assert page_of(TextResponse("http://example.vn/a", body=b"Ban D\xe2n v\xe2\xf2n")).text == "Ban Dân vận"


def test_a_missing_payload_digest_is_computed_from_the_entity() -> None:
    digest = base64.b32encode(hashlib.sha1(HTML, usedforsecurity=False).digest()).decode()
    assert capture_of(foreign(HANDED_ON["chunked"], "response"), "x").payload_digest == f"sha1:{digest}"


def test_an_existing_payload_digest_is_not_changed() -> None:
    record = foreign(HANDED_ON["plain"], "response", WARC_Payload_Digest="sha256:ab")
    assert capture_of(record, "x").payload_digest == "sha256:ab"


@pytest.mark.parametrize(("kind", "fields"), [("revisit", {}), ("response", {"WARC_Truncated": "time"})])
def test_no_payload_digest_is_computed_for_an_incomplete_response(kind: str, fields: dict[str, str]) -> None:
    assert capture_of(foreign(HANDED_ON["plain"], kind, **fields), "x").payload_digest is None
