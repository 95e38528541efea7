"""Many sites in one night: each in a process of its own, so many at a time, no host asked by two of them.

The supervisor starts what may run, watches it, writes down what it says, and stops everything when it is asked to. A
site that hangs, crashes or grows too large is stopped and counts as failed; the others never notice. It needs no Scrapy
and hardly any memory itself, and when it is killed its children go on under their own locks.
"""

from __future__ import annotations

import selectors
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from danvan_crawler.archive.heartbeat import Beat
from danvan_crawler.archive.site_log import SiteLog
from danvan_crawler.exceptions import DanvanError, ExitCode
from danvan_crawler.fleet.child_process import Child, Job, JobResult, Limits
from danvan_crawler.fleet.signals import StopSignals
from danvan_crawler.health.reports import MissingReport, report_death

_TICK = 0.2


class Watcher(Protocol):
    """Who is told what happens; methods are called in the supervisor's thread and should not wait for anybody.

    One that raises is told nothing more: crawls do not end because nobody can be told of them.
    """

    def started(self, slug: str) -> None:
        """A site's process was started."""

    def progress(self, slug: str, beat: Beat) -> None:
        """A site's run has given a sign of life."""

    def said(self, slug: str, line: str) -> None:
        """A site's process has said something on stderr."""

    def ended(self, result: JobResult) -> None:
        """A site is done, or was not begun at all."""


class _Running:
    def __init__(self, child: Child, log: SiteLog, missing_report: MissingReport) -> None:
        self.child = child
        self.log = log
        self.missing_report = missing_report
        self.last_beat: Beat | None = None
        self.last_words = ""


class Supervisor:
    """Runs jobs to their ends. SIGINT, SIGTERM and SIGHUP stop them cleanly within 15 seconds, a second one at once.

    `at_once` is how many run at a time.
    """

    def __init__(self, archive: Path, watcher: Watcher, *, at_once: int = 1, limits: Limits | None = None) -> None:
        self._archive = archive
        self._watcher = watcher
        self._at_once = at_once
        self._limits = limits or Limits()
        self._running: list[_Running] = []
        self._results: list[JobResult] = []
        self._signals = 0
        self._watcher_fails = False

    def run(self, jobs: Sequence[Job]) -> list[JobResult]:
        """The ends of all jobs, in the order in which they came; to be called in the main thread.

        A job that was not begun, because a signal came first, ends with code 7 and says so.
        """
        waiting = list(jobs)
        with StopSignals() as received, selectors.DefaultSelector() as said:
            try:
                while self._running or (waiting and not self._signals):
                    self._pass_on(received.numbers)
                    while not self._signals and (job := self._next(waiting)) is not None:
                        waiting.remove(job)
                        self._start(job, said)
                    said.select(_TICK)
                    for running in list(self._running):
                        self._look(running, said)
            finally:
                self._abandon()
        for job in waiting:
            self._end(JobResult(job.slug, ExitCode.INTERRUPTED, "not started: a signal came first"))
        return self._results

    def _abandon(self) -> None:
        """Stops what still runs, because something here went wrong and nobody would watch it any more."""
        for running in self._running:
            running.child.stop(signal.SIGTERM)
        until = time.monotonic() + self._limits.patience
        while any(not running.child.ended for running in self._running) and time.monotonic() < until:
            time.sleep(_TICK)
            for running in self._running:
                with suppress(Exception):  # perhaps this is what went wrong
                    running.child.look()
                    running.child.lines()  # or a child that says much would wait for us
        for running in self._running:
            running.child.kill()
            running.log.close()

    def _notify(self, call: Callable[..., None], *arguments: object) -> None:
        if self._watcher_fails:
            return
        try:
            call(*arguments)
        except Exception:
            self._watcher_fails = True

    def _next(self, waiting: Sequence[Job]) -> Job | None:
        if len(self._running) >= self._at_once:
            return None
        taken = {host for running in self._running for host in running.child.job.hosts}
        return next((job for job in waiting if taken.isdisjoint(job.hosts)), None)

    def _start(self, job: Job, said: selectors.BaseSelector) -> None:
        try:
            log = SiteLog(self._archive, job.slug)
        except DanvanError as error:
            self._end(JobResult(job.slug, error.exit_code, str(error)))
            return
        missing_report = MissingReport(self._archive, job.slug)
        try:
            child = Child(self._archive, job, self._limits)
        except OSError as error:
            log.close()
            self._end(JobResult(job.slug, ExitCode.ERROR, f"its process cannot be started: {error.strerror}"))
            return
        log.mark(f"the crawl begins, process {child.process}")
        said.register(child.stderr, selectors.EVENT_READ)
        self._running.append(_Running(child, log, missing_report))
        self._notify(self._watcher.started, job.slug)

    def _look(self, running: _Running, said: selectors.BaseSelector) -> None:
        child, slug = running.child, running.child.job.slug
        child.look()
        ended = child.ended  # before its last words are read
        for line in child.lines():
            running.log.line(line)
            self._notify(self._watcher.said, slug, line)
            running.last_words = line.strip() or running.last_words
        if child.beat is not None and child.beat != running.last_beat:
            running.last_beat = child.beat
            self._notify(self._watcher.progress, slug, child.beat)
        if (ended or child.mute) and child.stderr in said.get_map():
            said.unregister(child.stderr)
        if not ended:
            return
        self._running.remove(running)
        result = child.result()
        self._report(running, result)
        running.log.mark(f"exit code {int(result.code)}" + (f": {result.finding}" if result.finding else ""))
        running.log.close()
        self._end(result)

    def _report(self, running: _Running, result: JobResult) -> None:
        """Reports for a run that was killed, or has failed before it could report itself."""
        child, run_id = running.child, running.child.beat.run_id if running.child.beat is not None else None
        try:
            if result.finding is None:
                said = running.last_words.removeprefix("danvan: ").removeprefix(f"{result.slug}: ")
                running.missing_report.write(result.code, said or "the crawl ended without a message", run_id=run_id)
            elif result.code is not ExitCode.INTERRUPTED:
                report_death(
                    self._archive,
                    result.slug,
                    run_id=run_id,
                    started_at=child.started_at,
                    exit_code=int(result.code),
                    finding=result.finding,
                )
        except OSError as error:
            self._notify(
                self._watcher.said, result.slug, f"{error.filename}: the run report cannot be written: {error.strerror}"
            )

    def _end(self, result: JobResult) -> None:
        self._results.append(result)
        self._notify(self._watcher.ended, result)

    def _pass_on(self, numbers: Sequence[int]) -> None:
        for number in numbers[self._signals :]:
            self._signals += 1
            for running in self._running:
                running.child.stop(number, at_once=self._signals > 1)
