"""No archive, no response: the downloader middleware that stands nearest to the network, at 950.

Every exchange that `capture.wire` recorded is written to the site's WARC before the response goes on its way to
Scrapy's redirect, cookie and decompression middlewares and to the spider. robots.txt, redirects, error pages and
downloads that failed half way are written too. `response.meta["capture"]` then says where: a `CaptureRecord`.

If the write fails, the request fails with the same error, so that no item is made of a page that is not in the archive,
and the engine is asked to close with reason "disk_full" or "archive_unwritable". (`CloseSpider` raised in a downloader
middleware does nothing, and errors in signal handlers are only logged; both measured.)

What the archive has already is not written again: the answer 304 to a request that `capture.conditional` made
conditional, and a body that is byte for byte in the archive, become `revisit` records. The response goes on its way.

Statistics: `danvan/captures` exchanges written, `danvan/truncated` those of them that were incomplete,
`danvan/not_modified` and `danvan/duplicates` those that became revisits, by profile, `danvan/archive_error` the message
of the first write that failed, `danvan/warc_files` names of the finished files, relative to the archive.
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
"""Where in `request.meta` (which is `response.meta`) the `CaptureRecord` of the exchange is found."""

WHY_KEY = "why"
"""Where in `request.meta` it is found why the address is asked for: a `warc.packing.Reason`, archived with it."""

STORED_KEY = "danvan_stored"
"""Where in `request.meta` a conditional request has what it is conditional on: a `deduplication.Stored`."""

DEFAULT_MAX_BYTES = 1_000_000_000


class _Robots:
    """Why Scrapy asks for robots.txt."""

    via = ""

    def as_json(self) -> str:
        return '{"kind":"robots"}'


_ROBOTS = _Robots()

_logger = logging.getLogger(__name__)


def warcinfo(
    slug: str, settings: BaseSettings, *, title: str | None = None, rights: str | None = None
) -> dict[str, str]:
    """Fields of the warcinfo record, WARC/1.1 section 6.2 and Dublin Core, in the order in which they are written.

    `title` is the site's name in words, `rights` the note of its profile. Fields without a value are left out.
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
    """The writer of a crawl: named after its spider, with the site's profile if the spider has a site."""
    archive = settings.get("DANVAN_ARCHIVE")
    if not archive:
        raise UsageError("the setting DANVAN_ARCHIVE is empty: it has to name the archive's folder")
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
    """Raise `TruncatedResponseError` for a response that is cut off: no item is made of half a page.

    A download that the spider itself stopped (`StopDownload(fail=False)`) is what it asked for and passes.
    """
    if capture.truncated is None or "download_stopped" in response.flags:
        return
    raise TruncatedResponseError(
        f"{response.url} ended before its response did ({capture.truncated}); "
        f"what arrived is in {capture.warc_file} at {capture.warc_offset}"
    )


class ArchiverMiddleware:
    """Writes every exchange with `writer`, which makes its file at the first: a run that gets nothing leaves none.

    `close_crawl` is called once, with a finish reason, when the archive turns out to be unwritable. `context` is the
    run: it takes every exchange as soon as it is written, before Scrapy's other middlewares see the response. So what
    follows from it is known in the order of the archive.
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
            context.archives_with(self)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> ArchiverMiddleware:
        """Raises `UsageError` for settings that no archive can be made with."""
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
        """Forget what redirects and retries copied with `meta`: those are captures of other exchanges."""
        request.meta.pop(CAPTURE_KEY, None)
        request.meta.pop(RECORDING_KEY, None)

    def process_response(self, request: Request, response: Response) -> Response:
        """The same response, when its exchange is in the archive; raises `ArchiveError` or `TruncatedResponseError`."""
        if "cached" in response.flags:
            request.meta.pop(CAPTURE_KEY, None)
            return response
        capture = self._archive(request)
        if capture is None:
            raise ArchiveError(f"{response.url} was not recorded: is it downloaded by another handler than ours?")
        check_complete(response, capture)
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Write what had arrived when the download failed; Scrapy goes on with its retries."""
        self._archive(request)

    def _archive(self, request: Request) -> CaptureRecord | None:
        """Write the exchange that the handler left in `request.meta`; None when there is none or nothing arrived."""
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
            self._context.took(capture, request, message)
        return capture

    def write_note(self, kind: str, name: str, text: str) -> RecordPlace | None:
        """Archives a note of the run (`warc.notes`). Gives its file and offset; None where the archive has failed."""
        if self._failed:
            return None
        try:
            return self._writer.write_note(kind, name, text)
        except ArchiveError as error:
            self._fail(error)
            return None

    def note_later(self, kind: str, name: str, text: str) -> None:
        """Archives a note with the next record of this run, if there is one."""
        self._writer.note_later(kind, name, text)

    @property
    def has_written(self) -> bool:
        """Whether this run has a WARC file."""
        return bool(self._writer.files)

    def _revisit(self, request: Request, exchange: Exchange, answer: Answer) -> Revisit | None:
        """How to archive an exchange that brought nothing new; None for one that did."""
        if answer.status == 304:
            stored: Stored | None = request.meta.get(STORED_KEY)
            return stored.not_modified if stored is not None and exchange.truncated is None else None
        return self._originals.same_payload(exchange, answer)

    def _fail(self, error: ArchiveError) -> None:
        if self._failed:
            return
        self._failed = True
        _logger.error("The archive cannot be written, the crawl stops: %s", error)
        self._stats.set_value(statistics.ARCHIVE_ERROR, str(error))
        self._close_crawl(close_reason(error))

    def spider_closed(self, reason: str) -> None:
        """The run ends: what that means is archived before its file is finished."""
        if self._context is not None:
            self._context.end(reason)
        self.close()

    def close(self) -> None:
        """Finish the WARC files of this run; errors are logged and kept in the statistics. May be called again."""
        try:
            self._writer.close()
        except ArchiveError as error:
            _logger.error("The WARC files of this run could not be finished: %s", error)
            self._stats.set_value(statistics.ARCHIVE_ERROR, str(error))
        self._stats.set_value(statistics.WARC_FILES, self._writer.files)


def _close_crawl(crawler: Crawler, reason: str) -> None:
    assert crawler.engine is not None
    # Not awaited: the engine waits for the request that is failing just now.
    closing = deferred_from_coro(crawler.engine.close_spider_async(reason=reason))
    closing.addErrback(lambda failure: _logger.error("The crawl could not be closed: %s", failure.value))
