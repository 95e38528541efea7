"""Archives every exchange: the downloader middleware nearest to the network, at 950.

Every exchange that `capture.wire` recorded is written to the site's WARC file before the response reaches Scrapy's
redirect, cookie and decompression middlewares and the spider. robots.txt, redirects, error pages and incomplete
downloads are written too. `response.meta["capture"]` then holds the place: a `CaptureRecord`.

If the write fails, the request fails with the same error, so that no item is made from a page that is not in the
archive, and the engine is asked to close with reason "disk_full" or "archive_unwritable". (`CloseSpider` raised in a
downloader middleware does nothing, and errors in signal handlers are only logged; both measured.)

A payload that the archive has already is not written again: a 304 response to a request that `capture.conditional` made
conditional, and a body that is identical to an archived one, become `revisit` records. The response is passed on.

Statistics: `danvan/captures` exchanges written, `danvan/truncated` incomplete ones, `danvan/not_modified` and
`danvan/duplicates` those written as revisits, by profile, `danvan/archive_error` the message of the first write that
failed, `danvan/warc_files` names of the finished files, relative to the archive.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from scrapy.settings import BaseSettings
from scrapy.statscollectors import StatsCollector
from scrapy.utils.defer import deferred_from_coro

from danvan_crawler import __version__, statistics
from danvan_crawler.capture.context import CaptureContext, attached
from danvan_crawler.capture.deduplication import Originals, Stored
from danvan_crawler.capture.wire import RECORDING_KEY, Recording
from danvan_crawler.captures import CaptureRecord, RecordPlace
from danvan_crawler.exceptions import ArchiveError, DiskFullError, TruncatedResponseError, UsageError
from danvan_crawler.warc.records import DEFAULT_LEVEL, NOT_MODIFIED, Answer, Exchange, Revisit, answer_of
from danvan_crawler.warc.writer import WarcWriter

CAPTURE_KEY = "capture"
"""Key in `request.meta` (which is `response.meta`) for the `CaptureRecord` of the exchange."""

WHY_KEY = "why"
"""Key in `request.meta` for the reason of the request: a `warc.packing.Reason`, archived with the exchange."""

STORED_KEY = "danvan_stored"
"""Key in `request.meta` for the archived response that a conditional request refers to: a `deduplication.Stored`."""

DEFAULT_MAX_BYTES = 1_000_000_000


class _Robots:
    """The reason of Scrapy's requests for robots.txt."""

    via = ""

    def as_json(self) -> str:
        return '{"kind":"robots"}'


_ROBOTS = _Robots()

_logger = logging.getLogger(__name__)


def warcinfo(
    slug: str, settings: BaseSettings, *, title: str | None = None, rights: str | None = None
) -> dict[str, str]:
    """Fields of the warcinfo record (WARC/1.1 section 6.2 and Dublin Core), in the order in which they are written.

    `title` is the site's display name, `rights` the rights note of its profile. Empty fields are left out.
    """
    fields = {
        "software": f"danvan-crawler/{__version__} (Scrapy {version('scrapy')}, warcio {version('warcio')})",
        "robots": "obey" if settings.getbool("ROBOTSTXT_OBEY") else "ignore",
        "operator": settings.get("DANVAN_OPERATOR") or "",
        "isPartOf": slug,
        "description": f"Crawl of {title} ({slug})" if title else f"Crawl by the spider {slug}",
        "rights": rights or "",
        "http-header-user-agent": settings.get("USER_AGENT") or "",
        "hostname": socket.gethostname(),
    }
    return {name: str(value) for name, value in fields.items() if value}


def writer_for(spider: Any, settings: BaseSettings, context: CaptureContext | None = None) -> WarcWriter:
    """The writer of a crawl; its files are named after the spider and hold the site's profile, if there is one."""
    archive = settings.get("DANVAN_ARCHIVE")
    if not archive:
        raise UsageError("the setting DANVAN_ARCHIVE is empty: it must name the archive's folder")
    site = getattr(spider, "site", None)
    return WarcWriter(
        Path(archive).absolute(),
        spider.name,
        warcinfo=warcinfo(
            spider.name, settings, title=getattr(site, "name", None), rights=getattr(site, "rights", None)
        ),
        profile=getattr(site, "source_text", None),
        run=context.opening if context is not None else None,
        max_bytes=settings.getint("DANVAN_WARC_MAX_BYTES", DEFAULT_MAX_BYTES),
        min_free=settings.getint("DANVAN_MIN_FREE"),
        compression_level=settings.getint("DANVAN_GZIP_LEVEL", DEFAULT_LEVEL),
    )


def close_reason(error: ArchiveError) -> str:
    """The finish reason of a crawl that could not write its archive."""
    return "disk_full" if isinstance(error, DiskFullError) else "archive_unwritable"


def check_complete(response: Response, capture: CaptureRecord) -> None:
    """Raises TruncatedResponseError for an incomplete response: no item is made from half a page.

    A download that the spider itself stopped (`StopDownload(fail=False)`) is accepted.
    """
    if capture.truncated is None or "download_stopped" in response.flags:
        return
    raise TruncatedResponseError(
        f"{response.url}: the response is incomplete ({capture.truncated}); "
        f"the received part is in {capture.warc_file} at byte {capture.warc_offset}"
    )


class ArchiverMiddleware:
    """Writes every exchange with `writer`, which creates its file for the first one: a run without exchanges has none.

    `close_crawl` is called once, with a finish reason, if the archive cannot be written. `context` is the run: it gets
    every exchange as soon as it is written, before Scrapy's other middlewares see the response. So the run processes
    the exchanges in the order of the archive.
    """

    def __init__(
        self,
        writer: WarcWriter,
        originals: Originals,
        stats: StatsCollector,
        close_crawl: Callable[[str], None],
        context: CaptureContext | None = None,
    ) -> None:
        self._writer = writer
        self._originals = originals
        self._stats = stats
        self._close_crawl = close_crawl
        self._context = context
        self._failed = False
        if context is not None:
            context.set_archiver(self)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> ArchiverMiddleware:
        """Raises UsageError if the archive's settings are invalid."""
        assert crawler.stats is not None  # made by the crawler before any component
        context = attached(crawler)
        archiver = cls(
            writer_for(crawler.spider, crawler.settings, context),
            Originals.from_crawler(crawler),
            crawler.stats,
            partial(_close_crawl, crawler),
            context,
        )
        crawler.signals.connect(archiver.spider_closed, signals.spider_closed)
        crawler.signals.connect(archiver.close, signals.engine_stopped)  # for a crawl that fails before it is closed
        return archiver

    def process_request(self, request: Request) -> None:
        """Removes captures of other exchanges, which redirects and retries have copied with `meta`."""
        request.meta.pop(CAPTURE_KEY, None)
        request.meta.pop(RECORDING_KEY, None)

    def process_response(self, request: Request, response: Response) -> Response:
        """Archives the exchange and returns the response unchanged; raises ArchiveError or TruncatedResponseError."""
        if "cached" in response.flags:
            request.meta.pop(CAPTURE_KEY, None)
            return response
        capture = self._archive(request)
        if capture is None:
            raise ArchiveError(f"{response.url} was not recorded: another download handler may be in use")
        check_complete(response, capture)
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Archives the bytes received before the download failed; Scrapy continues with its retries."""
        self._archive(request)

    def _archive(self, request: Request) -> CaptureRecord | None:
        """Archives the exchange that the handler left in `request.meta`; None if nothing was received."""
        recording: Recording | None = request.meta.pop(RECORDING_KEY, None)
        exchange = None if recording is None else recording.exchange()
        if exchange is None:
            return None
        answer = answer_of(exchange.response)
        revisit = self._revisit(request, exchange, answer)
        why = request.meta.get(WHY_KEY) or (_ROBOTS if request.callback is NO_CALLBACK else None)
        try:
            capture = self._writer.write_exchange(exchange, answer=answer, revisit=revisit, why=why)
        except ArchiveError as error:
            self._fail(error)
            raise
        request.meta[CAPTURE_KEY] = capture
        self._stats.inc_value(statistics.CAPTURES)
        if capture.truncated is not None:
            self._stats.inc_value(statistics.TRUNCATED)
        if revisit is not None:
            self._stats.inc_value(statistics.NOT_MODIFIED if answer.status == 304 else statistics.DUPLICATES)
        if self._context is not None:
            stored: Stored | None = request.meta.get(STORED_KEY)
            message = exchange.response
            if stored is not None and revisit is not None and revisit.profile == NOT_MODIFIED:
                message = stored.record.block
            self._context.record_capture(capture, request, message)
        return capture

    def write_note(self, kind: str, name: str, text: str) -> RecordPlace | None:
        """Archives a note of the run (`warc.notes`). Returns its file and offset; None if the archive has failed."""
        if self._failed:
            return None
        try:
            return self._writer.write_note(kind, name, text)
        except ArchiveError as error:
            self._fail(error)
            return None

    def queue_note(self, kind: str, name: str, text: str) -> None:
        """Archives a note with the next record of this run, if one follows."""
        self._writer.queue_note(kind, name, text)

    @property
    def has_written(self) -> bool:
        """Whether this run has a WARC file."""
        return bool(self._writer.files)

    def _revisit(self, request: Request, exchange: Exchange, answer: Answer) -> Revisit | None:
        """The revisit to archive instead of the response; None if the response is new."""
        if answer.status == 304:
            stored: Stored | None = request.meta.get(STORED_KEY)
            return stored.not_modified if stored is not None and exchange.truncated is None else None
        return self._originals.same_payload(exchange, answer)

    def _fail(self, error: ArchiveError) -> None:
        if self._failed:
            return
        self._failed = True
        _logger.info("The archive cannot be written, the crawl stops: %s", error)  # the run's result names it
        self._stats.set_value(statistics.ARCHIVE_ERROR, str(error))
        self._close_crawl(close_reason(error))

    def spider_closed(self, reason: str) -> None:
        """Archives the end of the run, then finishes its file."""
        if self._context is not None:
            self._context.end(reason)
        self.close()

    def close(self) -> None:
        """Finishes the WARC files of this run; logs errors and adds them to the statistics. May be called again."""
        try:
            self._writer.close()
        except ArchiveError as error:
            _logger.error("The WARC files of this run could not be finished: %s", error)
            self._stats.set_value(statistics.ARCHIVE_ERROR, str(error))
        self._stats.set_value(statistics.WARC_FILES, self._writer.files)


def _close_crawl(crawler: Crawler, reason: str) -> None:
    assert crawler.engine is not None
    # Not awaited: the engine itself waits for the request that is failing here.
    closing = deferred_from_coro(crawler.engine.close_spider_async(reason=reason))
    closing.addErrback(lambda failure: _logger.error("The crawl could not be closed: %s", failure.value))
