"""The life of one run: its lock, what dead runs left, its store, its report."""

from __future__ import annotations

import json
import logging
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Self
from weakref import WeakKeyDictionary

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.statscollectors import StatsCollector
from twisted.python.failure import Failure

from danvan_crawler.capture.archiver import capture_written
from danvan_crawler.exceptions import ArchiveError, DanvanError, ExitCode
from danvan_crawler.ops.locks import SiteLock
from danvan_crawler.ops.outcome import judge
from danvan_crawler.store.database import database_path
from danvan_crawler.store.writes import Store
from danvan_crawler.warc.records import CaptureRecord
from danvan_crawler.warc.recovery import recover

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

    `__init__` raises LockedError, ArchiveError or StoreError: then nothing is crawled. `outcome` is set when the spider
    has closed.
    """

    _stats: StatsCollector

    def __init__(self, archive: Path, slug: str, *, is_site: bool) -> None:
        self.archive = archive
        self.slug = slug
        self.is_site = is_site
        self.started_at = datetime.now(UTC)
        self.run_id = secrets.token_hex(4)
        self.outcome: ExitCode | None = None
        self.findings: list[str] = []
        self._lock = SiteLock(archive, slug)
        self._lock.acquire()
        try:
            self.recovered = recover(archive / "warc" / slug)
            self.store = Store(database_path(archive))
        except OSError as error:
            self._lock.release()
            raise ArchiveError(f"{error.filename}: {error.strerror}") from error
        except DanvanError:
            self._lock.release()
            raise
        for file in self.recovered:
            logger.warning(
                "%s: left by a run that died; kept %d bytes, cut %d", file.path, file.kept_bytes, file.cut_bytes
            )

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        spider = crawler.spider
        assert spider is not None
        assert crawler.stats is not None
        extension = cls(
            Path(crawler.settings["DANVAN_ARCHIVE"]).absolute(), spider.name, is_site=hasattr(spider, "site")
        )
        extension._stats = crawler.stats
        attach_store(crawler, extension.store)
        crawler.signals.connect(extension.capture_written, capture_written)
        crawler.signals.connect(extension.item_error, signals.item_error)
        crawler.signals.connect(extension.spider_error, signals.spider_error)
        crawler.signals.connect(extension.spider_closed, signals.spider_closed)
        return extension

    def capture_written(self, record: CaptureRecord, request: Request) -> None:
        redirects = request.meta.get("redirect_urls")
        self.store.note_capture(self.slug, record, link=redirects[0] if redirects else None)

    def item_error(self, failure: Failure) -> None:
        self._stats.inc_value("danvan/item_errors")

    def spider_error(self, failure: Failure) -> None:
        self._stats.inc_value("danvan/spider_errors")

    def spider_closed(self, spider: Spider, reason: str) -> None:
        try:
            self.store.close()
        except DanvanError:
            self._stats.inc_value("danvan/item_errors")
            logger.exception("the last captures could not be indexed; `danvan rebuild` brings them back")
        self.outcome, self.findings = judge(self._stats.get_stats(), reason, is_site=self.is_site)
        try:
            self._write_report(reason)
        except OSError as error:  # a full disk has its own exit code, and the report is no record
            logger.error("%s: the run report cannot be written: %s", error.filename, error.strerror)
        self._lock.release()

    def _write_report(self, reason: str) -> None:
        assert self.outcome is not None
        report = {
            "run_id": self.run_id,
            "site": self.slug,
            "started_at": self.started_at.isoformat(timespec="seconds"),
            "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "reason": reason,
            "exit_code": int(self.outcome),
            "findings": self.findings,
            "recovered": [str(file.path.relative_to(self.archive)) for file in self.recovered],
            "stats": self._stats.get_stats(),
        }
        folder = self.archive / "runs"
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{self.started_at:%Y%m%dT%H%M%SZ}-{self.run_id}.json"
        text = json.dumps(report, ensure_ascii=False, indent=2, default=str)
        (folder / name).write_text(text + "\n", encoding="utf-8")
