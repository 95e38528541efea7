"""The life of one run: its locks, what dead runs left, its store, its report."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from pathlib import Path
from typing import Self
from weakref import WeakKeyDictionary

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.statscollectors import StatsCollector
from scrapy.utils.defer import deferred_from_coro
from sqlalchemy import select
from twisted.python.failure import Failure

from danvan_crawler import clock
from danvan_crawler.capture.archiver import capture_written
from danvan_crawler.capture.originals import attach_lookups
from danvan_crawler.exceptions import ArchiveError, DanvanError, DiskFullError, ExitCode, StoreError
from danvan_crawler.ops.heartbeat import Heartbeat
from danvan_crawler.ops.locks import DatabaseLock, HostLock, SiteLock, hosts_asked
from danvan_crawler.ops.outcome import judge
from danvan_crawler.ops.replay import Replay, scan
from danvan_crawler.ops.reports import new_run_id, write_report
from danvan_crawler.store.database import database_path, open_for_reading
from danvan_crawler.store.schema import frontier
from danvan_crawler.store.visits import days_of
from danvan_crawler.store.writes import Store
from danvan_crawler.warc.files import warc_files
from danvan_crawler.warc.index import describe, describe_missing
from danvan_crawler.warc.records import CaptureRecord
from danvan_crawler.warc.recovery import Recovered, recover

logger = logging.getLogger(__name__)
_STORES: WeakKeyDictionary[Crawler, Store] = WeakKeyDictionary()


def attach_store(crawler: Crawler, store: Store) -> None:
    """Makes `store` the one that the spider and the stages of this crawler write to."""
    _STORES[crawler] = store


def store_of(crawler: Crawler) -> Store:
    """The store of a crawl or rebuild. Raises KeyError when neither RunExtension nor a rebuild has attached one."""
    return _STORES[crawler]


class RunExtension:
    """Scrapy extension that frames a run. Created before anything contacts the network.

    `from_crawler` raises LockedError, ArchiveError or StoreError: then nothing is crawled. `outcome` is set by
    `finish`, when the spider has closed and the archiver has finished its files: the locks have to last until then, or
    the next run would take a file that is just being renamed for one of a dead run.
    """

    def __init__(self, archive: Path, crawler: Crawler) -> None:
        assert crawler.spider is not None
        assert crawler.stats is not None
        self.archive = archive
        self.slug = crawler.spider.name
        self.started_at = clock.now()
        self.run_id = new_run_id()
        self.outcome: ExitCode | None = None
        self.findings: list[str] = []
        self.recovered: list[Recovered] = []
        self._crawler = crawler
        self._stats: StatsCollector = crawler.stats
        self._site = getattr(crawler.spider, "site", None)
        self._reason: str | None = None
        self._stopping = False
        with ExitStack() as held:
            held.enter_context(SiteLock(archive, self.slug))
            for host in sorted(hosts_asked(self._site)) if self._site is not None else ():
                held.enter_context(HostLock(archive, host))
            held.enter_context(DatabaseLock(archive))
            self._heartbeat = Heartbeat(archive, self.slug, self.run_id)
            held.callback(self._heartbeat.end)
            self.store = self._open()
            held.callback(self.store.close)
            attach_store(crawler, self.store)
            attach_lookups(crawler, self.store.originals)
            self._take_over()
            self._held = held.pop_all()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        extension = cls(Path(crawler.settings["DANVAN_ARCHIVE"]).absolute(), crawler)
        crawler.signals.connect(extension.capture_written, capture_written)
        crawler.signals.connect(extension.request_left, signals.request_left_downloader)
        crawler.signals.connect(extension.item_scraped, signals.item_scraped)
        crawler.signals.connect(extension.item_error, signals.item_error)
        crawler.signals.connect(extension.spider_error, signals.spider_error)
        crawler.signals.connect(extension.spider_closed, signals.spider_closed)
        crawler.signals.connect(extension.finish, signals.engine_stopped)
        return extension

    def _open(self) -> Store:
        try:
            self.recovered = recover(self.archive / "warc" / self.slug)
            days = days_of(self._crawler.settings["DANVAN_REVISIT_DAYS"])
            return Store(database_path(self.archive), revisit_days=days)
        except OSError as error:
            raise ArchiveError(f"{error.filename}: {error.strerror}") from error

    def _take_over(self) -> None:
        """Brings what dead runs archived into the database: rows of their last captures may have died with them."""
        for file in self.recovered:
            logger.warning(
                "%s: left by a run that died; kept %d bytes, cut %d", file.path, file.kept_bytes, file.cut_bytes
            )
            if file.records:
                describe(self.archive, file.path)
        # A run may also have died between a file's name and its index.
        for sentence in describe_missing(self.archive, warc_files(self.archive, self.slug)):
            logger.warning("%s; `danvan verify --repair` sets aside what is damaged", sentence)
        files = [file.path for file in self.recovered if file.records]
        if not files:
            return
        found = scan(self.archive, self.slug, files)
        replay = Replay(self.archive, self.slug, self._site, self.store, self._crawler, found.profiles)
        with open_for_reading(database_path(self.archive)).connect() as connection:
            known = select(frontier.c.link_key, frontier.c.section).where(frontier.c.site == self.slug)
            replay.expect(row.tuple() for row in connection.execute(known).all())
        for place in found.places:
            replay.take(place)
        for failure in replay.failures:
            logger.warning("%s", failure)
        self.store.flush()

    def capture_written(self, record: CaptureRecord, request: Request) -> None:
        redirects = request.meta.get("redirect_urls")
        try:
            self.store.note_capture(self.slug, record, link=redirects[0] if redirects else None)
        except (StoreError, DiskFullError) as error:
            self._count_error("danvan/item_errors", error)

    def request_left(self) -> None:
        self._heartbeat.request()

    def item_scraped(self) -> None:
        self._heartbeat.article()

    def item_error(self, failure: Failure) -> None:
        self._count_error("danvan/item_errors", failure.value)

    def spider_error(self, failure: Failure) -> None:
        self._count_error("danvan/spider_errors", failure.value)

    def _count_error(self, name: str, error: BaseException | None) -> None:
        """Counts what went wrong. A database that cannot be written ends the crawl: it would only be fetched again."""
        self._stats.inc_value(name)
        if isinstance(error, (StoreError, DiskFullError)) and not self._stopping and self._crawler.engine is not None:
            self._stopping = True
            logger.error("The item database cannot be written, the crawl stops: %s", error)
            reason = "disk_full" if isinstance(error, DiskFullError) else "database_unwritable"
            # Not awaited: the engine waits for the item or response that is failing just now.
            closing = deferred_from_coro(self._crawler.engine.close_spider_async(reason=reason))
            closing.addErrback(lambda failure: logger.error("The crawl could not be closed: %s", failure.value))

    def spider_closed(self, spider: Spider, reason: str) -> None:
        self._reason = reason

    def finish(self) -> None:
        """Judges the run, writes its report and gives the locks back. Idempotent; waits for the spider to close."""
        if self._reason is None or self.outcome is not None:
            return
        try:
            self.store.close()
        except DanvanError as error:
            self._stats.inc_value("danvan/item_errors")
            logger.error("The last captures could not be indexed, `danvan rebuild` brings them back: %s", error)
        self._describe_files()
        self.outcome, self.findings = judge(self._stats.get_stats(), self._reason, is_site=self._site is not None)
        try:
            self._write_report(self._reason)
        except OSError as error:  # a full disk has its own exit code, and the report is no record
            logger.error("%s: the run report cannot be written: %s", error.filename, error.strerror)
        self._held.pop_all().close()

    def _describe_files(self) -> None:
        """Writes index and manifest of this run's files; that reads them back, every record checked."""
        files = [self.archive / name for name in self._stats.get_value("danvan/warc_files", ())]
        try:
            damaged = describe_missing(self.archive, [path for path in files if path.exists()])
        except ArchiveError as error:
            logger.error("The WARC files of this run have no index, the next run writes it: %s", error)
            return
        for sentence in damaged:
            logger.error("%s", sentence)
            self._stats.set_value("danvan/archive_error", sentence)

    def _write_report(self, reason: str) -> None:
        assert self.outcome is not None
        report = {
            "run_id": self.run_id,
            "site": self.slug,
            "started_at": self.started_at.isoformat(timespec="seconds"),
            "finished_at": clock.now().isoformat(timespec="seconds"),
            "reason": reason,
            "exit_code": int(self.outcome),
            "findings": self.findings,
            "recovered": [str(file.path.relative_to(self.archive)) for file in self.recovered],
            "stats": self._stats.get_stats(),
        }
        write_report(self.archive, self.started_at, report)
