"""The interface between a run and the capture components: an object attached to Scrapy's crawler before they are made.

So this package does not depend on how captures are stored and processed.
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
    """The part of a run that the capture components use."""

    @property
    def lookups(self) -> Lookups:
        """Finds records that have a payload already."""

    @property
    def opening(self) -> tuple[str, str] | None:
        """Id and JSON of the run's options (`walk.asking.Run`), written at the beginning of each of its WARC files.

        None for a spider without a site.
        """

    def set_archiver(self, archiver: ArchiverMiddleware) -> None:
        """Sets the middleware that archives the run's notes."""

    def record_capture(self, capture: CaptureRecord, request: Request, message: bytes) -> None:
        """Called when an exchange is archived; `message` is the response, for a 304 the one that it confirmed."""

    def end(self, reason: str) -> None:
        """Called at the end of the run, while its WARC file is still open; `reason` is Scrapy's."""


def attach(crawler: Crawler, context: object) -> None:
    """Attaches a run to a crawler, for its components."""
    setattr(crawler, _ATTRIBUTE, context)


def attached(crawler: Crawler) -> Any:
    """The run attached to a crawler; None if there is none."""
    return getattr(crawler, _ATTRIBUTE, None)
