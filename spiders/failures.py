"""Converts failed requests of Scrapy into the types of the reducer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from OpenSSL import SSL
from scrapy import Request
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)
from scrapy.http import Response
from twisted.internet.error import ConnectError, ConnectionClosed
from twisted.python.failure import Failure

from danvan_crawler import clock
from danvan_crawler.capture.archiver import WHY_KEY
from danvan_crawler.capture.playback import page_of
from danvan_crawler.clock import warc_date
from danvan_crawler.exceptions import (
    ArchiveError,
    CaptureRefusedError,
    DiskFullError,
    TooLargeError,
    TruncatedResponseError,
    UndecodableBodyError,
)
from danvan_crawler.politeness.backoff import AskedToWait
from danvan_crawler.politeness.budget import BudgetSpent
from danvan_crawler.politeness.robots import RobotsUnreadableError
from danvan_crawler.walk.asking import Cause, Unanswered
from danvan_crawler.walk.findings import trouble_of


def unanswered(failure: Failure) -> Unanswered:
    """The reducer's type for a failed request."""
    request: Request = failure.request  # type: ignore[attr-defined]
    return Unanswered(
        why=request.meta[WHY_KEY],
        url=request.url,
        date=warc_date(clock.now()),
        reason=_reason(failure.value),
        cause=_cause(failure.value),
        trouble=_trouble(failure.value),
    )


def _cause(error: BaseException | None) -> Cause:
    if isinstance(error, BudgetSpent):
        return "budget"
    if isinstance(error, AskedToWait):
        return "left_alone"
    if isinstance(error, RobotsUnreadableError):
        return "ours" if isinstance(error.cause, ArchiveError) else "robots_unreadable"
    if isinstance(error, ArchiveError):
        return "ours"
    if isinstance(error, IgnoreRequest) and _response_of(error) is None and "robots.txt" in str(error):
        return "forbidden"
    return "failed"


def _trouble(error: Any) -> str:
    """Kind of problem (`health.problems`) of a failure."""
    if _cause(error) == "forbidden":
        return "robots"
    if isinstance(error, RobotsUnreadableError):
        error = error.cause
    response = _response_of(error)
    if response is not None:
        return trouble_of(page_of(response), response.status, asks_to_wait=b"Retry-After" in response.headers)
    return _described(error)[0]


def _reason(error: BaseException | None) -> str:
    """`HTTP 503`, or what happened in the words of a log line."""
    if isinstance(error, RobotsUnreadableError):
        return f"{error}: {_reason(error.cause)}"
    response = _response_of(error)
    if response is not None:
        return f"HTTP {response.status}"
    return _described(error)[1]


def _described(error: BaseException | None) -> tuple[str, str]:
    """Kind of problem and words of a failure without a response."""
    match error:
        case DiskFullError():
            return "disk_full", str(error)
        case ArchiveError():
            return "archive", str(error)
        case CaptureRefusedError():
            return "refused", str(error)
        case TooLargeError():
            return "too_large", str(error)
        case UndecodableBodyError():
            return "broken_answer", str(error)
        case TruncatedResponseError() | ResponseDataLossError():
            return "broken_answer", "the answer is incomplete: the connection ended too early"
        case CannotResolveHostError():
            return "no_address", "the host name has no address"
        case AskedToWait():
            return "asked_to_wait", str(error)
        case DownloadConnectionRefusedError():
            return "unreachable", "the server refuses the connection"
        case DownloadTimeoutError():
            return "unreachable", "no answer in time"
        case DownloadCancelledError():
            return "too_large", "the answer is longer than the limit (DOWNLOAD_MAXSIZE)"
    return _of_connection(error)


def _of_connection(error: BaseException | None) -> tuple[str, str]:
    """The same for an error of Twisted: of TLS, of the connection, or of an answer that is not HTTP."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, SSL.Error) and not isinstance(cause, SSL.SysCallError):
            reasons = [str(part[-1]) for part in (cause.args[0] if cause.args else ()) if isinstance(part, tuple)]
            return "tls", ": ".join(["no encrypted connection (TLS)", *dict.fromkeys(reasons)])
    for cause in causes:
        if isinstance(cause, ConnectionClosed | SSL.SysCallError):
            return "unreachable", "the connection was closed before the answer was complete"
    for cause in causes:
        if isinstance(cause, ConnectError):
            why = os.strerror(cause.osError) if isinstance(cause.osError, int) else cause.__doc__ or ""
            return "unreachable", f"no connection: {' '.join(why.split()).rstrip('.')}"
    known = next((text for cause in reversed(causes) if (text := _said(cause))), "")
    if isinstance(error, DownloadFailedError) and len(causes) > 1:
        return "broken_answer", "the answer is not valid HTTP" + (f": {known}" if known else "")
    return "unreachable", known or "no answer"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and the errors behind it, Twisted's lists of reasons included."""
    waiting = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting.append(one.__cause__)
        waiting.extend(reason.value for reason in getattr(one, "reasons", None) or ())


def _said(error: BaseException) -> str:
    """The message of an error; empty if it names classes, or is bytes or a list."""
    text = error.args[0] if error.args else None
    return " ".join(text.split()) if isinstance(text, str) and "<" not in text else ""


def _response_of(error: BaseException | None) -> Response | None:
    """The response that caused an error, or None."""
    response = getattr(error, "response", None)
    return response if isinstance(response, Response) else None
