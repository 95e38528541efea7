"""Nights of a site in one process, without a network: the crawl's own store, reducer and WARC writer, and a portal that
is a function.

A loop replaces Scrapy: it takes the next address by priority, tries a failed address three times, and leaves redirects
to the reducer. A night can be cut anywhere: stopped, or killed between the archive and the database.
"""

from __future__ import annotations

import heapq
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.statscollectors import MemoryStatsCollector

from danvan_crawler import clock
from danvan_crawler.archive.layout import database_path
from danvan_crawler.capture.archiver import WHY_KEY
from danvan_crawler.capture.context import attach
from danvan_crawler.captures import RecordPlace
from danvan_crawler.clock import warc_date
from danvan_crawler.crawl.context import DECIDED_KEY, RunContext
from danvan_crawler.crawl.take_over import take_over
from danvan_crawler.derive.idle import default_run, idle_crawler
from danvan_crawler.derive.import_warc import import_warcs
from danvan_crawler.derive.rebuild import Rebuilt, rebuild
from danvan_crawler.items import Article
from danvan_crawler.sites.profile import Site
from danvan_crawler.sites.registry import SiteRegistry
from danvan_crawler.store.writes import Store
from danvan_crawler.walk.asking import Ask, Run, Unanswered
from danvan_crawler.warc.index import write_missing_indexes
from danvan_crawler.warc.records import Exchange, build_record, new_record_id
from danvan_crawler.warc.recovery import recover
from danvan_crawler.warc.writer import WarcWriter

Answer = bytes | None
"""A response message; None if the server does not answer."""
TRIES = 3


class Killed(BaseException):
    """The process of a night is killed here."""


@dataclass
class Night:
    """The conditions of one night."""

    began_at: datetime
    answer: Callable[[str, int], Answer]
    """Answers the n-th request for a target (path and query) in this night; n counts from 1."""
    options: dict[str, Any] = field(default_factory=dict)
    """Fields of `Run`."""
    forbidden: Callable[[str], bool] = lambda target: False
    """Disallowed paths of robots.txt."""
    stop_after: int | None = None
    """Stopped by a signal after this number of exchanges."""
    kill_after: int | None = None
    """Killed after this number of exchanges was archived, before the last one is in the database."""


class World:
    """An archive over several nights. `set_clock` sets the current time."""

    def __init__(self, folder: Path, site: Site, settings: Any, set_clock: Callable[[datetime], None]) -> None:
        self.archive, self.site, self.settings = folder / "archive", site, settings
        self.archive.mkdir(parents=True)
        profiles = folder / "sites"
        profiles.mkdir()
        (profiles / f"{site.slug}.toml").write_text(site.source_text, encoding="utf-8")
        self.registry = SiteRegistry([profiles])
        self.asked: list[str] = []
        """Targets requested in the last night, in order."""
        self._set_clock = set_clock
        self._number = 0

    @property
    def database(self) -> Path:
        return database_path(self.archive)

    def live(self, night: Night) -> MemoryStatsCollector:
        """Runs one night; returns its statistics."""
        self._number += 1
        self._set_clock(night.began_at)
        recovered = recover(self.archive / "warc" / self.site.slug)
        store = Store(self.database)
        crawler = idle_crawler(self.site.slug, self.site, self.settings, store)
        assert crawler.stats is not None
        context = RunContext(self.site.slug, store, crawler.stats, self._fail, lambda: None)
        attach(crawler, context)
        taken = take_over(self.archive, self.site.slug, self.site, store, crawler, recovered)
        facts = default_run(self.settings)
        run = Run(
            f"{self._number:08d}",
            warc_date(night.began_at),
            revisit_days=facts.revisit_days,
            took_up=taken,
            **night.options,
        )
        context.walk(self.site, run, crawler)
        crawl = _Crawl(self, night, context, store)
        try:
            crawl.go()
            files = crawl.writer.close()
            store.close()
            write_missing_indexes(self.archive, files)
        except Killed:
            store._buffer.connection.close()  # as a dying process: without the buffered rows
            crawl.abandon()
        self.asked = crawl.asked
        assert isinstance(crawler.stats, MemoryStatsCollector)
        return crawler.stats

    def take_in(self, pages: list[tuple[str, bytes, datetime]], folder: Path) -> None:
        """Imports a file of another tool: addresses, response messages, and when they were captured."""
        folder.mkdir(parents=True)
        self._number += 1
        source = folder / f"another-{self._number}.warc.gz"
        with source.open("wb") as file:
            for url, answer, moment in pages:
                file.write(
                    build_record(
                        "response",
                        answer,
                        record_id=new_record_id(),
                        date=warc_date(moment),
                        content_type="application/http;msgtype=response",
                        fields=[("WARC-Target-URI", url)],
                    )
                )
        import_warcs(self.archive, [source], self.registry, self.settings)

    @staticmethod
    def _fail(name: str, error: BaseException) -> None:
        raise error

    def rebuild(self, target: Path) -> tuple[Path, Rebuilt]:
        """Rebuilds a copy of the archive; returns the new database, and the findings of the rebuild."""
        archive = self.copy(target)
        found = rebuild(archive, SiteRegistry([]), self.settings, lambda done, total: None)
        return database_path(archive), found

    def copy(self, target: Path) -> Path:
        """A copy of the archive without the database."""
        shutil.copytree(self.archive, target)
        for path in target.glob("danvan.sqlite*"):
            path.unlink()
        return target


class _Crawl:
    """One night: replaces Scrapy, and the archiver in the context."""

    def __init__(self, world: World, night: Night, context: RunContext, store: Store) -> None:
        self.night, self.context, self.world, self.store = night, context, world, store
        self.asked: list[str] = []
        self.writer = WarcWriter(
            world.archive,
            world.site.slug,
            warcinfo={"software": "danvan-crawler/simulated"},
            profile=world.site.source_text,
            run=context.opening,
        )
        self._exchanges = 0
        self._queue: list[tuple[int, int, Ask]] = []
        self._numbers = count()
        self._tries: dict[str, int] = {}
        context.set_archiver(self)  # type: ignore[arg-type]  # as far as it is used

    @property
    def has_written(self) -> bool:
        return bool(self.writer.files)

    def write_note(self, kind: str, name: str, text: str) -> RecordPlace:
        return self.writer.write_note(kind, name, text)

    def queue_note(self, kind: str, name: str, text: str) -> None:
        self.writer.queue_note(kind, name, text)

    def go(self) -> None:
        self.context.begin()
        reason = "finished"
        while True:
            self._collect()
            if not self._queue:
                self.context.ask_further()
                self._collect()
            if not self._queue:
                break
            if self.night.stop_after is not None and self._exchanges >= self.night.stop_after:
                reason = "shutdown"
                break
            self._fetch(heapq.heappop(self._queue)[2])
        self.context.end(reason)

    def _collect(self) -> None:
        while self.context.outbox:
            one = self.context.outbox.popleft()
            if not isinstance(one, Article):
                heapq.heappush(self._queue, (-one.priority, next(self._numbers), one))

    def _fetch(self, ask: Ask) -> None:
        parts = urlsplit(ask.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if self.night.forbidden(target):
            self._give_up(ask, "IgnoreRequest: Forbidden by robots.txt", "forbidden")
            return
        for _ in range(TRIES):
            self.asked.append(target)
            self._tries[target] = self._tries.get(target, 0) + 1
            answer = self.night.answer(target, self._tries[target])
            if answer is not None and self._archive(ask, answer):
                return
        reason = "TimeoutError" if answer is None else f"HTTP {answer.split(b' ', 2)[1].decode()}"
        self._give_up(ask, reason, "failed")

    def _archive(self, ask: Ask, answer: bytes) -> bool:
        """Archives an exchange, and gives it to the reducer. Returns whether the address is settled."""
        began = self._tick()
        exchange = Exchange(ask.url, b"GET / HTTP/1.1\r\n\r\n", answer, began)
        capture = self.writer.write_exchange(exchange, why=ask.why)
        self._exchanges += 1
        if self._exchanges == self.night.kill_after:
            raise Killed
        request = Request(ask.url, meta={WHY_KEY: ask.why})
        self.context.record_capture(capture, request, answer)
        return bool(request.meta[DECIDED_KEY])

    def _give_up(self, ask: Ask, reason: str, cause: Any) -> None:
        self.context.give_up(Unanswered(ask.why, ask.url, warc_date(self._tick()), reason, cause))

    def _tick(self) -> datetime:
        moment = clock.now() + timedelta(milliseconds=700)
        self.world._set_clock(moment)
        return moment

    def abandon(self) -> None:
        """Leaves the open file as it is, as a killed process does."""
        current = self.writer._current
        if current is not None:
            os.close(current._descriptor)
