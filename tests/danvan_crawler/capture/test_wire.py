"""Blocks in the archive against the bytes that a hostile server sent and received, over http and https.

One child crawl per scheme makes all requests below over kept-alive connections; the tests check its result.
"""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest

HTML = "<html><body><h1>Hội nghị công tác dân vận</h1></body></html>".encode() * 20
GZIPPED = gzip.compress(HTML, mtime=0)
DEFLATED = zlib.compress(HTML)
RAW_DEFLATED = DEFLATED[2:-4]
BIG = bytes(range(256)) * (6 * 1024 * 4)  # 6 MiB
MAX_SIZE = 8 * 1024 * 1024


def ok(body: bytes, *fields: bytes) -> bytes:
    """A 200 response with a length."""
    head = [b"HTTP/1.1 200 OK", *fields, b"Content-Length: %d" % len(body)]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


@dataclass(frozen=True)
class Case:
    """A request, the bytes that the server sends, and the expected archive.

    `response`, `interim` and `surplus` are the expected blocks; by default the response is all that was sent. `error`
    is the error that the errback got; None if the spider got a response.
    """

    name: str
    steps: Sequence[bytes | float]
    end: str = "keep"
    response: bytes | None = None
    interim: bytes = b""
    surplus: bytes = b""
    truncated: str | None = None
    error: str | None = None
    prefix: bool = False  # the client disconnected: any prefix of the bytes may have arrived
    method: str = "GET"
    body: bytes = b""
    meta: dict[str, Any] = field(default_factory=dict)
    schemes: tuple[str, ...] = ("http", "https")
    entity: bytes | None = None  # the body that the spider received

    @property
    def sent(self) -> bytes:
        return b"".join(step for step in self.steps if isinstance(step, bytes))

    @property
    def expected(self) -> bytes:
        return self.sent if self.response is None else self.response


EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
CHUNKS = b'5;name="a b"\r\nHello\r\n00000A;x\r\n, world!!!\r\n0;last\r\n'

CASES = [
    Case("plain", [ok(HTML)], entity=HTML),
    Case("gzip", [ok(GZIPPED, b"Content-Encoding: gzip")], entity=HTML),
    Case("deflate", [ok(DEFLATED, b"Content-Encoding: deflate")], entity=HTML),
    Case("raw-deflate", [ok(RAW_DEFLATED, b"Content-Encoding: deflate")], entity=HTML),
    Case("double-gzip", [ok(gzip.compress(GZIPPED, mtime=0), b"Content-Encoding: gzip, gzip")], entity=HTML),
    Case("coding-that-lies", [ok(HTML, b"Content-Encoding: gzip")], error="BadGzipFile"),
    Case("unknown-coding", [ok(HTML, b"Content-Encoding: x-party")]),
    Case("cut-gzip", [ok(GZIPPED[:-9], b"Content-Encoding: gzip")]),
    Case("gzip-then-garbage", [ok(GZIPPED + b"\0\0garbage", b"Content-Encoding: gzip")]),
    Case("chunked", [CHUNKED + b"\r\n" + CHUNKS + b"\r\n"], entity=b"Hello, world!!!"),
    Case("trailers", [CHUNKED + b"Trailer: X-Sum\r\n\r\n" + CHUNKS + b"X-Sum: 1\r\nx-MORE:2\r\n\r\n"]),
    Case("chunked-gzip", [CHUNKED + b"Content-Encoding: gzip\r\n\r\n%X\r\n" % len(GZIPPED), GZIPPED + b"\r\n0\r\n\r\n"],
         entity=HTML),
    Case("chunked-empty", [CHUNKED + b"\r\n0\r\n\r\n"], entity=b""),
    Case("chunked-and-length", [CHUNKED + b"Content-Length: 3\r\n\r\n" + CHUNKS + b"\r\n"], entity=b"Hello, world!!!"),
    Case("repeated-fields", [ok(HTML, b"Set-Cookie: a=1", b"X-A: 1", b"set-cookie: b=2", b"X-A: 1")]),
    Case("odd-case", [ok(HTML, b"cOnTeNt-TyPe:text/html", b"X_under-SCORE:  two spaces  ", b"eTag:\t\"a\"")]),
    Case("utf8-field", [ok(HTML, "X-Tieu-De: Bản tin Tỉnh ủy".encode())]),
    Case("latin1-field", [ok(HTML, b"X-Name: caf\xe9 \xff\x80")]),
    Case("folded-field", [ok(HTML, b"X-Long: one\r\n  two\r\n\tthree")]),
    Case("field-without-colon", [ok(HTML, b"this is no field")]),
    Case("odd-reason", [b"HTTP/1.1 200 T\xe1\xbb\x91t l\xe1\xba\xafm :-)\r\nContent-Length: 2\r\n\r\nOK"]),
    Case("empty-reason", [b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nOK"]),
    Case("no-reason", [b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nOK"]),
    Case("odd-status", [b"HTTP/1.1 299 Strange\r\nContent-Length: 2\r\n\r\nOK"]),
    Case("lf-only", [b"HTTP/1.1 200 OK\nContent-Length: 2\n\nOK"]),
    Case("no-content", [b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n"]),
    Case("not-modified", [b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 500\r\n\r\n']),
    Case("head", [b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"], method="HEAD"),
    Case("empty-body", [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"], entity=b""),
    Case("early-hints", [EARLY_HINTS, 0.05, ok(HTML)], response=ok(HTML), interim=EARLY_HINTS),
    Case("continue", [CONTINUE + ok(HTML)], response=ok(HTML), interim=CONTINUE),
    Case("two-interim", [CONTINUE + EARLY_HINTS, ok(HTML)], response=ok(HTML), interim=CONTINUE + EARLY_HINTS),
    Case("old-protocol", [b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n" + HTML], end="close", entity=HTML),
    Case("no-closing-alert", [b"HTTP/1.1 200 OK\r\n\r\n" + HTML], end="eof", entity=HTML),
    Case("closed-after-length", [ok(HTML, b"Connection: close")], end="close", entity=HTML),
    Case("post", [ok(HTML)], method="POST", body="từ khóa=dân vận".encode()),
    Case("drip", [part for i in ok(HTML[:30]) for part in (bytes([i]), 0.002)], entity=HTML[:30]),
    Case("big", [ok(BIG)], entity=BIG),
    Case("surplus", [ok(HTML) + b"HTTP/1.1 200 OK\r\n\r\nsmuggled"], response=ok(HTML),
         surplus=b"HTTP/1.1 200 OK\r\n\r\nsmuggled", entity=HTML),
    Case("after-surplus", [ok(HTML)], entity=HTML),
    Case("surplus-after-chunks", [CHUNKED + b"\r\n0\r\n\r\nmore"],
         response=CHUNKED + b"\r\n0\r\n\r\n", surplus=b"more", entity=b""),
    Case("surplus-after-304", [b"HTTP/1.1 304 Not Modified\r\n\r\nbody that must not be"],
         response=b"HTTP/1.1 304 Not Modified\r\n\r\n", surplus=b"body that must not be"),
    Case("not-found", [b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone"]),
    Case("server-error", [b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nlost"]),
    Case("redirect", [b"HTTP/1.1 301 Moved\r\nLocation: /plain\r\nContent-Length: 4\r\n\r\nthis"]),
    # Errors during the transfer
    Case("short-body", [b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + HTML[:900]], end="close",
         truncated="disconnect", error="ResponseDataLossError"),
    Case("cut-chunk", [CHUNKED + b"\r\n1000\r\nonly this"], end="close",
         truncated="disconnect", error="ResponseDataLossError"),
    Case("no-last-chunk", [CHUNKED + b"\r\n4\r\nonly\r\n"], end="close",
         truncated="disconnect", error="ResponseDataLossError"),
    Case("malformed-chunk", [CHUNKED + b"\r\n4\r\nonly\r\nthis is no size\r\n"], end="hold",
         truncated="unspecified", error="ResponseDataLossError"),
    Case("dataloss-accepted", [b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + HTML[:900]], end="close",
         meta={"download_fail_on_dataloss": False}, truncated="disconnect", error="TruncatedResponseError"),
    Case("cut-head", [b"HTTP/1.1 200 OK\r\nX-A: 1\r\nX-"], end="close",
         truncated="disconnect", error="DownloadFailedError"),
    Case("interim-only", [EARLY_HINTS], end="close", truncated="disconnect", error="DownloadFailedError"),
    Case("no-http", [b"SSH-2.0-OpenSSH_9.2p1\r\n"], end="hold", truncated="unspecified", error="DownloadFailedError"),
    Case("bad-field-name", [ok(HTML, b"X-A : white space before the colon")], end="hold",
         truncated="unspecified", error="DownloadFailedError"),
    Case("reset", [b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + HTML[:900], 0.3], end="reset",
         truncated="disconnect", error="ResponseDataLossError"),
    Case("reset-without-length", [b"HTTP/1.1 200 OK\r\n\r\n" + HTML[:900], 0.3], end="reset",
         truncated="disconnect", error="TruncatedResponseError", schemes=("http",)),
    Case("reset-without-length-over-tls", [b"HTTP/1.1 200 OK\r\n\r\n" + HTML[:900], 0.3], end="reset",
         entity=HTML[:900], schemes=("https",)),
    Case("timeout-in-body", [b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + HTML[:900]], end="hold",
         meta={"download_timeout": 2.0}, truncated="time", error="DownloadTimeoutError"),
    Case("timeout-without-length", [b"HTTP/1.1 200 OK\r\n\r\n" + HTML[:900]], end="hold",
         meta={"download_timeout": 2.0}, truncated="time", error="DownloadTimeoutError"),
    Case("timeout-in-head", [b"HTTP/1.1 200 OK\r\nX-A: 1\r\n"], end="hold",
         meta={"download_timeout": 2.0}, truncated="time", error="DownloadTimeoutError"),
    Case("too-big-announced", [b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n" + HTML], end="hold",
         truncated="length", error="DownloadCancelledError", prefix=True),
    Case("too-big", [b"HTTP/1.1 200 OK\r\n\r\n", BIG, BIG], end="close",
         truncated="length", error="DownloadCancelledError", prefix=True),
    Case("small-limit", [ok(HTML)], meta={"download_maxsize": 100}, error="DownloadCancelledError"),
    Case("stopped-by-spider", [b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", 0.05, HTML], end="hold",
         meta={"stop": True}, truncated="unspecified", prefix=True),
    Case("after-all-that", [ok(HTML)], entity=HTML),
    # A dead kept-alive connection: the first attempt gets no response and is sent again
    Case("stale", [ok(HTML)], entity=HTML),
]  # fmt: skip
UNANSWERED = Case("unanswered", [], end="close", error="DownloadFailedError")


@dataclass(frozen=True)
class Observed:
    server: Any
    crawled: Any
    exchanges: dict[str, list[Any]]

    @property
    def scheme(self) -> str:
        return "https" if self.server.tls else "http"

    def archived(self, case: Case) -> Any:
        """The last exchange of the case's URL in the archive."""
        return self.exchanges[self.server.url(f"/{case.name}")][-1]

    def result(self, case: Case) -> dict[str, Any]:
        """The spider's result for the case."""
        result: dict[str, Any] = self.crawled.results[case.name]
        return result


@pytest.fixture(scope="module")
def observe(raw_server: Callable[..., Any], crawl: Callable[..., Any]) -> Callable[[str], Observed]:
    """The crawl over a scheme, made when it is first needed."""

    @cache
    def run(scheme: str) -> Observed:
        cases = [case for case in [*CASES, UNANSWERED] if scheme in case.schemes]
        replies: dict[str, list[Any]] = {f"/{case.name}": [(case.steps, case.end)] for case in cases}
        replies["/stale"].insert(0, ((), "close"))
        server = raw_server(replies, tls=scheme == "https")
        requests = [
            {
                "case": case.name,
                "url": server.url(f"/{case.name}"),
                "method": case.method,
                "body": case.body,
                "meta": case.meta,
            }
            for case in cases
        ]
        crawled = crawl(requests, settings={"DOWNLOAD_MAXSIZE": MAX_SIZE, "DOWNLOAD_WARNSIZE": 0})
        return Observed(server, crawled, crawled.exchanges())

    return run


@pytest.fixture
def observed(request: pytest.FixtureRequest, observe: Callable[[str], Observed]) -> Observed:
    return observe(request.param)


def for_each(cases: Sequence[Case]) -> pytest.MarkDecorator:
    """Parametrises a test by scheme and case."""
    pairs = [(scheme, case) for scheme in ("http", "https") for case in cases if scheme in case.schemes]
    ids = [f"{scheme}-{case.name}" for scheme, case in pairs]
    return pytest.mark.parametrize(("observed", "case"), pairs, ids=ids, indirect=["observed"])


for_both_schemes = pytest.mark.parametrize("observed", ["http", "https"], indirect=True)


@for_each(CASES)
def test_response_block_has_the_bytes_that_the_server_sent(observed: Observed, case: Case) -> None:
    block = observed.archived(case).response_block
    if case.prefix:
        assert block
        assert case.expected.startswith(block)
    else:
        assert block == case.expected


@for_each(CASES)
def test_request_block_has_the_bytes_that_the_server_received(observed: Observed, case: Case) -> None:
    assert observed.archived(case).request_block == observed.server.requests[f"/{case.name}"][-1]


@for_each(CASES)
def test_bytes_around_the_final_response_are_kept_apart(observed: Observed, case: Case) -> None:
    expected = {"application/http;msgtype=response": case.interim, "application/octet-stream": case.surplus}
    assert observed.archived(case).metadata == {kind: block for kind, block in expected.items() if block}


@for_each(CASES)
def test_truncation_is_noted_with_its_reason(observed: Observed, case: Case) -> None:
    assert observed.archived(case).response.get("WARC-Truncated") == case.truncated


@for_each([*CASES, UNANSWERED])
def test_spider_sees_a_response_or_the_error(observed: Observed, case: Case) -> None:
    result = observed.result(case)
    assert result.get("error") == case.error
    if case.entity is not None:
        assert base64.b64decode(result["body"]) == case.entity


@for_each(CASES)
def test_records_carry_the_peers_address_and_one_date(observed: Observed, case: Case) -> None:
    exchange = observed.archived(case)
    assert {exchange.request["WARC-IP-Address"], exchange.response["WARC-IP-Address"]} == {"127.0.0.1"}
    assert exchange.request["WARC-Date"] == exchange.response["WARC-Date"]


@for_each(CASES)
def test_meta_names_the_record_of_the_response(observed: Observed, case: Case) -> None:
    result = observed.result(case)
    capture = result["capture"]
    assert not result["left_in_meta"]
    found = {exchange.response["WARC-Record-ID"]: exchange for exchange in observed.exchanges[capture["url"]]}
    exchange = found[f"<{capture['warc_record_id']}>"]
    assert capture["url"] == result.get("url", observed.server.url(f"/{case.name}"))
    assert capture["payload_digest"] == exchange.response["WARC-Payload-Digest"]
    assert capture["truncated"] == exchange.response.get("WARC-Truncated")


@for_both_schemes
def test_every_exchange_is_archived_once(observed: Observed) -> None:
    archived = {url.rpartition("/")[2]: len(exchanges) for url, exchanges in observed.exchanges.items()}
    expected = {case.name: 1 for case in CASES if observed.scheme in case.schemes}
    assert archived == expected | {"plain": 2}  # itself, and the target of "redirect"


@for_both_schemes
def test_kept_alive_connection_carries_many_exchanges(observed: Observed) -> None:
    first = bytes(observed.server.connections[0])
    assert [f"GET /{case.name} ".encode() in first for case in CASES[:10]] == [True] * 10


@for_both_schemes
def test_connection_with_surplus_bytes_is_not_used_again(observed: Observed) -> None:
    carrier = next(bytes(data) for data in observed.server.connections if b"GET /surplus " in data)
    assert carrier.partition(b"GET /surplus ")[2].count(b"GET /") == 0


@for_both_schemes
def test_request_sent_again_on_a_new_connection_is_archived_as_sent_last(observed: Observed) -> None:
    assert len(observed.server.requests["/stale"]) == 2
    carriers = [bytes(data) for data in observed.server.connections if b"GET /stale " in data]
    assert carriers[0].count(b"GET /") > 1  # it was a kept-alive connection that died
    assert observed.archived(CASES[-1]).request_block == carriers[1][: carriers[1].index(b"\r\n\r\n") + 4]


@for_both_schemes
def test_nothing_is_archived_when_nothing_arrived(observed: Observed) -> None:
    assert observed.server.url("/unanswered") not in observed.exchanges
    assert observed.result(UNANSWERED)["capture"] is None
