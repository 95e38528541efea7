"""What a run hands to the components that capture: an object attached to Scrapy's crawler before any of them is made.

Where captures are kept and what is made of them is not this room's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from scrapy import Request
from scrapy.crawler import Crawler

from danvan_crawler.captures import CaptureRecord

if TYPE_CHECKING:
    from danvan_crawler.capture.archiver import ArchiverMiddleware
    from danvan_crawler.capture.deduplication import Lookups

_ATTRIBUTE = "danvan_run"


class CaptureContext(Protocol):
    """A run, as far as capturing goes."""

    @property
    def lookups(self) -> Lookups:
        """Answers which record has what a server sends again."""

    @property
    def opening(self) -> tuple[str, str] | None:
        """Id and JSON of what the run was asked to do (`walk.asking.Run`), with which each of its WARC files begins.

        None for a spider without a site.
        """

    def archives_with(self, archiver: ArchiverMiddleware) -> None:
        """The run's notes are archived with this middleware."""

    def took(self, capture: CaptureRecord, request: Request, message: bytes) -> None:
        """An exchange is in the archive; `message` is the response, for a 304 the one that still holds."""

    def end(self, reason: str) -> None:
        """The run ends, for Scrapy's `reason`, and its WARC file is still open."""


def attach(crawler: Crawler, context: object) -> None:
    """Hands a run to the components of this crawler."""
    setattr(crawler, _ATTRIBUTE, context)


def attached(crawler: Crawler) -> Any:
    """What was handed to the components of this crawler; None for a crawler without a run."""
    return getattr(crawler, _ATTRIBUTE, None)
