"""Converts failed requests of Scrapy into the types of the reducer."""

from __future__ import annotations

from typing import Any

from scrapy import Request
from scrapy.exceptions import CannotResolveHostError, IgnoreRequest
from scrapy.http import Response
from twisted.python.failure import Failure

from danvan_crawler import clock
from danvan_crawler.capture.archiver import WHY_KEY
from danvan_crawler.capture.playback import page_of
from danvan_crawler.clock import warc_date
from danvan_crawler.exceptions import ArchiveError, CaptureRefusedError
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
    if isinstance(error, CaptureRefusedError):
        return "refused"
    if isinstance(error, CannotResolveHostError):
        return "no_address"
    return "asked_to_wait" if isinstance(error, AskedToWait) else "unreachable"


def _reason(error: BaseException | None) -> str:
    """`HTTP 503`, or the error with its message."""
    if isinstance(error, RobotsUnreadableError):
        return f"{error}: {_reason(error.cause)}"
    response = _response_of(error)
    if response is not None:
        return f"HTTP {response.status}"
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _response_of(error: BaseException | None) -> Response | None:
    """The response that caused an error, or None."""
    response = getattr(error, "response", None)
    return response if isinstance(response, Response) else None
