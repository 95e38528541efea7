"""One run from start to end: locks, leftovers of dead runs, store, report."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from scrapy import Spider, signals
from scrapy.crawler import Crawler
from scrapy.statscollectors import StatsCollector
from scrapy.utils.defer import deferred_from_coro
from twisted.python.failure import Failure

from danvan_crawler import clock, statistics
from danvan_crawler.archive.heartbeat import Heartbeat
from danvan_crawler.archive.layout import database_path, warc_folder
from danvan_crawler.archive.locks import DatabaseLock, HostLock, SiteLock
from danvan_crawler.capture.context import attach
from danvan_crawler.clock import warc_date
from danvan_crawler.crawl.context import RunContext
from danvan_crawler.crawl.cooldown import cooldown_names, require_cooldown_over, store_cooldown
from danvan_crawler.crawl.retention import remove_expired
from danvan_crawler.crawl.take_over import take_over
from danvan_crawler.crawl.window import require_open, window_of
from danvan_crawler.derive.idle import default_run
from danvan_crawler.exceptions import (
    ArchiveError,
    CooldownError,
    DanvanError,
    DiskFullError,
    ExitCode,
    OutsideWindowError,
    StoreAccessError,
    StoreBusyError,
    StoreError,
    in_words,
)
from danvan_crawler.health.comparison import is_complete, problems_of
from danvan_crawler.health.growth import database_bytes, written_bytes
from danvan_crawler.health.history import coverage_of
from danvan_crawler.health.outcome import judge
from danvan_crawler.health.problems import Problem
from danvan_crawler.health.reports import new_run_id, report_of, write_report
from danvan_crawler.sites.profile import Site
from danvan_crawler.sites.rules import Window
from danvan_crawler.store.activity import change_counts
from danvan_crawler.store.database import open_for_reading
from danvan_crawler.store.site_state import ROBOTS
from danvan_crawler.store.writes import Store
from danvan_crawler.walk.asking import Run
from danvan_crawler.warc.files import require_space
from danvan_crawler.warc.index import write_missing_indexes
from danvan_crawler.warc.recovery import Recovered, recover

logger = logging.getLogger(__name__)

_REFUSALS = {
    OutsideWindowError: ("window", "not_now"),
    CooldownError: ("asked_to_wait", "not_now"),
    DiskFullError: ("disk_full", "disk_full"),
}
"""Why a run does not begin: the kind of its problem, and the reason in its report."""


_STOPS = {DiskFullError: "disk_full", StoreBusyError: "database_busy", StoreAccessError: "database_access"}
"""Reasons for which a run ends because of its database, by the error; every other one is `database_unwritable`."""


class RunExtension:
    """Scrapy extension that begins and ends a run. Created before anything contacts the network.

    `from_crawler` raises LockedError, ArchiveError or StoreError: then nothing is crawled. `outcome` is set by
    `finish`, after the spider has closed and the archiver has finished its files. The locks are held until then;
    otherwise the next run could treat a file that is being renamed as one of a dead run.
    """

    def __init__(self, archive: Path, crawler: Crawler) -> None:
        assert crawler.spider is not None
        assert crawler.stats is not None
        self.archive = archive
        self.slug = crawler.spider.name
        self.started_at = clock.now()
        self.run_id = new_run_id()
        self.outcome: ExitCode | None = None
        self.problems: list[Problem] = []
        self.recovered: list[Recovered] = []
        self._crawler = crawler
        self._stats: StatsCollector = crawler.stats
        self._site: Site | None = getattr(crawler.spider, "site", None)
        self._held = ExitStack()
        self._reason: str | None = None
        self._is_complete = False
        self._stopping = False
        self._began = time.monotonic()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        extension = cls(Path(crawler.settings["DANVAN_ARCHIVE"]).absolute(), crawler)
        extension._open()
        crawler.signals.connect(extension.request_left, signals.request_left_downloader)
        crawler.signals.connect(extension.item_error, signals.item_error)
        crawler.signals.connect(extension.spider_error, signals.spider_error)
        crawler.signals.connect(extension.spider_closed, signals.spider_closed)
        crawler.signals.connect(extension.finish, signals.engine_stopped)
        return extension

    def _open(self) -> None:
        """Acquires the locks, stores the leftovers of dead runs, and attaches the run to the crawler."""
        archive, slug, site, crawler = self.archive, self.slug, self._site, self._crawler
        window = window_of(site, crawler.settings["DANVAN_WINDOW"])
        with ExitStack() as held:
            held.enter_context(SiteLock(archive, slug))
            for host in sorted(site.contacted_hosts()) if site is not None else ():
                held.enter_context(HostLock(archive, host))
            held.enter_context(DatabaseLock(archive))
            self._heartbeat = Heartbeat(archive, slug, self.run_id)
            held.callback(self._heartbeat.end)
            try:
                self.recovered = recover(warc_folder(archive, slug))
                self.store = Store(database_path(archive))
            except OSError as error:
                raise ArchiveError(f"{error.filename}: {error.strerror}") from error
            held.callback(self.store.close)
            context = RunContext(slug, self.store, self._stats, self._count_error, self._heartbeat.article)
            attach(crawler, context)
            self._context = context
            self._require_may_begin(window)
            taken = take_over(archive, slug, site, self.store, crawler, self.recovered)
            if site is not None:
                context.walk(site, self._options(taken), crawler)
            self._held = held.pop_all()

    def _options(self, taken: Mapping[str, int]) -> Run:
        """The options of this run: the spider's arguments, and the settings that its walks depend on."""
        spider: Any = self._crawler.spider
        return replace(
            default_run(self._crawler.settings),
            run_id=self.run_id,
            began_at=warc_date(self.started_at),
            full=spider.full,
            plan=spider.plan,
            since=spider.since.isoformat() if spider.since else None,
            until=spider.until.isoformat() if spider.until else None,
            max_pages=spider.max_pages,
            took_up=taken,
        )

    @property
    def findings(self) -> list[str]:
        """The problems in words, worst first."""
        return [problem.text for problem in self.problems]

    def _require_may_begin(self, window: Window | None) -> None:
        """Writes a report and raises OutsideWindowError, CooldownError or DiskFullError if the run must not begin."""
        state, site = self.store.state, self._site
        try:
            if site is not None:
                require_open(site, window, self.started_at)
                require_cooldown_over(site, state, self.started_at)
            if since := state.get(self.slug, ROBOTS):
                self._stats.set_value(statistics.ROBOTS_UNREADABLE, json.loads(since))
            require_space(self.archive, self._crawler.settings.getint("DANVAN_MIN_FREE"))
        except (OutsideWindowError, CooldownError, DiskFullError) as error:
            kind, reason = _REFUSALS[type(error)]
            self.outcome, self.problems = error.exit_code, [Problem(kind, str(error), error.exit_code)]
            self._report(reason)
            raise

    def _remember_robots(self, stats: Mapping[str, Any]) -> None:
        """Stores for the next run since when the robots.txt of which hosts cannot be read."""
        since = stats.get(statistics.ROBOTS_UNREADABLE)
        self.store.state.set(self.slug, ROBOTS, json.dumps(since) if since else None)

    def request_left(self) -> None:
        self._heartbeat.request()

    def item_error(self, failure: Failure) -> None:
        self._count_error(statistics.ITEM_ERRORS, failure.value)

    def spider_error(self, failure: Failure) -> None:
        self._count_error(statistics.SPIDER_ERRORS, failure.value)

    def _count_error(self, name: str, error: BaseException | None) -> None:
        """Counts an error. If the database cannot be written, ends the crawl: its pages would be fetched again."""
        self._stats.inc_value(name)
        if isinstance(error, (StoreError, DiskFullError)) and not self._stopping and self._crawler.engine is not None:
            self._stopping = True
            self.store.hurry()
            logger.info("The item database cannot be written, the crawl stops: %s", error)  # the result names it
            self._stats.set_value(statistics.DATABASE_ERROR, str(error))
            reason = next((reason for kind, reason in _STOPS.items() if isinstance(error, kind)), "database_unwritable")
            # Not awaited: the engine waits for the item or response that is currently failing.
            closing = deferred_from_coro(self._crawler.engine.close_spider_async(reason=reason))
            closing.addErrback(lambda failure: logger.error("The crawl could not be closed: %s", failure.value))

    def spider_closed(self, spider: Spider, reason: str) -> None:
        self._reason = reason

    def finish(self) -> None:
        """Judges the run, writes its report and releases the locks. Idempotent; does nothing before `spider_closed`."""
        if self._reason is None or self.outcome is not None:
            return
        try:
            self._conclude()
        except Exception as error:
            # Any error: a failed run must have a report.
            logger.exception("The run could not be judged")
            text = f"the run could not be judged: {in_words(error)}"
            self.outcome = ExitCode.ERROR
            self.problems = [Problem("crashed", text, ExitCode.ERROR)]
            self._report(self._reason)
        finally:
            with suppress(DanvanError):  # the database was closed before; what it could not take is in the report
                self._held.pop_all().close()

    def _conclude(self) -> None:
        assert self._reason is not None
        stats = self._stats.get_stats()
        try:
            if self._site is not None:
                store_cooldown(self.store.state, cooldown_names(self._site), stats, clock.now(), reason=self._reason)
                self._remember_robots(stats)
            self.store.close()
        except DanvanError as error:
            self._stats.inc_value(statistics.ITEM_ERRORS)
            logger.log(
                logging.INFO if self._stopping else logging.ERROR,
                "The last captures could not be indexed, the next run brings them back: %s",
                error,
            )
        else:
            if not self._context.is_behind:  # else the next run must read the file, which it finds by its lack of one
                self._describe_files()
        health = self._compare(stats)
        self.outcome, self.problems = judge(stats, self._reason, is_site=self._site is not None, health=health)
        self._report(self._reason)
        remove_expired(self.archive, self.slug, self._crawler.settings.getfloat("DANVAN_KEEP_DAYS"))

    def _compare(self, stats: dict[str, Any]) -> list[Problem]:
        """Adds the changes found by this run to its statistics; returns problems compared with the site's past."""
        if self._site is None or statistics.ITEM_ERRORS in stats:
            return []
        try:
            with open_for_reading(database_path(self.archive)).connect() as connection:
                for kind, number in change_counts(connection, self.slug, self.started_at).items():
                    self._stats.set_value(statistics.articles(kind), number)
                self._is_complete = is_complete(self._crawler.spider, self._reason or "", stats)
                now = clock.now()
                return problems_of(self.archive, self._site, stats, connection, now, complete=self._is_complete)
        except StoreError as error:
            logger.error("The run could not be compared with those before: %s", error)
        except Exception:  # any error: invalid old data must not prevent this run's report
            logger.exception("The run could not be compared with those before")
        return []

    def _describe_files(self) -> None:
        """Writes index and manifest of this run's files; this reads the files and checks every record."""
        files = [self.archive / name for name in self._stats.get_value(statistics.WARC_FILES, ())]
        try:
            damaged = write_missing_indexes(self.archive, [path for path in files if path.exists()])
        except ArchiveError as error:
            logger.error("The WARC files of this run have no index, the next run writes it: %s", error)
            return
        for sentence in damaged:
            logger.error("%s", sentence)
            self._stats.set_value(statistics.ARCHIVE_ERROR, sentence)

    def _report(self, reason: str) -> None:
        assert self.outcome is not None
        stats = self._stats.get_stats()
        report = report_of(
            self.run_id,
            self.slug,
            self.started_at,
            reason,
            self.outcome,
            self.problems,
            stats,
            coverage=coverage_of(stats),
            seconds=time.monotonic() - self._began,
            complete=self._is_complete,
            recovered=[str(file.path.relative_to(self.archive)) for file in self.recovered],
            written_bytes=written_bytes(self.archive, self._stats.get_value(statistics.WARC_FILES, ())),
            database_bytes=database_bytes(self.archive),
        )
        try:
            write_report(self.archive, self.started_at, report)
        except OSError as error:  # a full disk has its own exit code, and the archive is complete without the report
            logger.error("%s: the run report cannot be written: %s", error.filename, error.strerror)
