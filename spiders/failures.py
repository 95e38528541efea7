"""What went wrong with a request, in the words of a log line."""

from __future__ import annotations

from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from twisted.python.failure import Failure

from danvan_crawler.politeness.backoff import LeftAlone
from danvan_crawler.politeness.robots import RobotsUnreadableError


def status_of(failure: Failure) -> int | None:
    """HTTP status of a failure that is an answer; None for one that is none."""
    response = response_of(failure.value)
    return response.status if response is not None else None


def response_of(error: BaseException | None) -> Response | None:
    """The answer that an error is about, if there was one."""
    response = getattr(error, "response", None)
    return response if isinstance(response, Response) else None


def reason_of(failure: Failure) -> str:
    """`HTTP 404`, or the error with its message."""
    error = failure.value
    return f"{error}: {_reason(error.cause)}" if isinstance(error, RobotsUnreadableError) else _reason(error)


def _reason(error: BaseException | None) -> str:
    response = response_of(error)
    if response is not None:
        return f"HTTP {response.status}"
    return f"{type(error).__name__}: {error}".rstrip(": ")


def is_forbidden(failure: Failure) -> bool:
    """Whether robots.txt forbids the request, which was not made."""
    error = failure.value
    return isinstance(error, IgnoreRequest) and not _is_untold(error) and "robots.txt" in str(error)


def was_not_made(failure: Failure) -> bool:
    """Whether there was no request at all, so that the failure says nothing of the address."""
    return is_forbidden(failure) or _is_untold(failure.value)


def _is_untold(error: BaseException | None) -> bool:
    return isinstance(error, (RobotsUnreadableError, LeftAlone))
