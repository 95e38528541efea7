"""Failed requests in words: each cause has its own kind of problem, and no name of a class reaches a reader."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from OpenSSL import SSL
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)
from twisted.internet.error import ConnectionDone, ConnectionLost, NoRouteError, TCPTimedOutError
from twisted.python.failure import Failure
from twisted.web.client import ResponseFailed, ResponseNeverReceived

from danvan_crawler.exceptions import (
    ArchiveError,
    CaptureRefusedError,
    DiskFullError,
    TooLargeError,
    TruncatedResponseError,
    UndecodableBodyError,
)
from danvan_crawler.health.problems import REMEDIES
from danvan_crawler.politeness.robots import RobotsUnreadableError
from spiders import failures


def scrapy_of(*reasons: Exception, kind: Callable[..., Exception] = ResponseNeverReceived) -> DownloadFailedError:
    """What Scrapy raises for Twisted's list of reasons."""
    error = DownloadFailedError(str(reasons))
    error.__cause__ = kind([Failure(reason) for reason in reasons])  # type: ignore[no-untyped-call]
    return error


PARSE_ERROR = Exception("wrong number of parts", b"x")
NO_ROUTE: Exception = NoRouteError(osError=113)  # type: ignore[no-untyped-call]
TIMED_OUT: Exception = TCPTimedOutError()  # type: ignore[no-untyped-call]
TLS = SSL.Error([("SSL routines", "", "tlsv1 alert protocol version")])

CASES: list[tuple[Exception, str, str]] = [
    (CannotResolveHostError("DNS lookup failed: no results for hostname lookup: a.vn."), "no_address", "no address"),
    (DownloadConnectionRefusedError("Connection was refused: 111"), "unreachable", "refuses the connection"),
    (DownloadTimeoutError("Getting http://a.vn/ took longer than 60.0 seconds."), "unreachable", "no answer in time"),
    (NO_ROUTE, "unreachable", "no connection: No route to host"),
    (TIMED_OUT, "unreachable", "no connection: "),
    (scrapy_of(ConnectionLost("non-clean")), "unreachable", "closed before the answer was complete"),
    (scrapy_of(ConnectionDone(), kind=ResponseFailed), "unreachable", "closed before the answer was complete"),
    (scrapy_of(SSL.SysCallError(-1, "Unexpected EOF")), "unreachable", "closed before the answer was complete"),
    (scrapy_of(TLS), "tls", "no encrypted connection (TLS): tlsv1 alert protocol version"),
    (scrapy_of(ConnectionLost(), TLS), "tls", "tlsv1 alert protocol version"),
    (scrapy_of(SSL.Error([])), "tls", "no encrypted connection (TLS)"),
    (SSL.Error([("SSL routines", "", "dh key too small")]), "tls", "dh key too small"),
    (scrapy_of(PARSE_ERROR), "broken_answer", "the answer is not valid HTTP: wrong number of parts"),
    (ResponseDataLossError(), "broken_answer", "the answer is incomplete"),
    (TruncatedResponseError("x: the response is incomplete (time)"), "broken_answer", "the answer is incomplete"),
    (UndecodableBodyError("the compressed body is cut after 0 bytes"), "broken_answer", "cut after 0 bytes"),
    (TooLargeError("the body is larger than 67,108,864 bytes when unpacked"), "too_large", "larger than 67,108,864"),
    (DownloadCancelledError("Expected to receive 9 bytes"), "too_large", "longer than the limit"),
    (CaptureRefusedError("refused to contact a.vn:80"), "refused", "refused to contact a.vn:80"),
    (DiskFullError("cannot write x: No space left on device"), "disk_full", "No space left"),
    (ArchiveError("cannot write x: Permission denied"), "archive", "Permission denied"),
    (IgnoreRequest(""), "unreachable", "no answer"),
]


@pytest.mark.parametrize(("error", "kind", "words"), CASES, ids=lambda value: getattr(value, "__name__", None))
@pytest.mark.parametrize("behind_robots", [False, True], ids=["itself", "of robots.txt"])
def test_each_cause_has_its_kind_and_plain_words(error: Exception, kind: str, words: str, behind_robots: bool) -> None:
    met: Exception = RobotsUnreadableError("a.vn", error) if behind_robots else error
    assert failures._trouble(met) == kind
    assert kind in REMEDIES
    reason = failures._reason(met)
    assert words in reason
    assert reason.startswith("robots.txt of a.vn cannot be read: ") is behind_robots
    assert not re.search(r"\b[A-Z][a-z]+[A-Z]\w*|<|\w+(?:Error|Exception|Failure|Failed)\b", reason)


def test_errors_that_name_each_other_are_described_all_the_same() -> None:
    one, other = DownloadFailedError("một"), DownloadFailedError("hai")
    one.__cause__, other.__cause__ = other, one
    assert failures._reason(one) == "the answer is not valid HTTP: hai"
