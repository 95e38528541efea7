"""What went wrong with a request, in the words of a log line."""

from __future__ import annotations

from scrapy.http import Response
from twisted.python.failure import Failure


def status_of(failure: Failure) -> int | None:
    """HTTP status of a failure that is an answer; None for one that is none."""
    response = getattr(failure.value, "response", None)
    return response.status if isinstance(response, Response) else None


def reason_of(failure: Failure) -> str:
    """`HTTP 404`, or the error with its message."""
    error, status = failure.value, status_of(failure)
    if status is not None:
        return f"HTTP {status}"
    return f"{type(error).__name__}: {error}".rstrip(": ")
