"""Crawls many sites: each in its own process, a limited number at a time, never two on the same host.

The supervisor starts the processes, watches them, logs their messages, and stops them when it is asked to. A site that
hangs, crashes or uses too much memory is stopped and counts as failed; other sites are unaffected. The supervisor does
not import Scrapy and needs little memory. If it is killed, its children continue under their own locks.
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
from danvan_crawler.fleet.turns import Night, Place, whose_turn_is_over
from danvan_crawler.health.reports import MissingReport, report_death

_TICK = 0.2


class Watcher(Protocol):
    """Receives events. Methods are called in the supervisor's thread and must not block.

    If a method raises, the watcher gets no further events; the crawls continue.
    """

    def started(self, slug: str) -> None:
        """A site's process was started."""

    def progress(self, slug: str, beat: Beat) -> None:
        """A site's run has sent a heartbeat."""

    def stderr_line(self, slug: str, line: str) -> None:
        """A site's process has written a line to stderr."""

    def paused(self, slug: str) -> None:
        """A site's turn is over; it is started again after the others, if there is time left."""

    def ended(self, result: JobResult) -> None:
        """A site is done, or was not started."""


class _Running:
    def __init__(self, job: Job, child: Child, log: SiteLog, missing_report: MissingReport) -> None:
        self.job = job
        self.child = child
        self.since = time.monotonic()
        self.is_ending = False
        self.log = log
        self.missing_report = missing_report
        self.last_beat: Beat | None = None
        self.last_line = ""


class Supervisor:
    """Runs jobs to their ends. SIGINT, SIGTERM or SIGHUP stops them cleanly within 15 seconds, a second signal at once.

    `parallel` is the number of jobs at a time. After `night_limit` seconds (0: never) all jobs are stopped, as if each
    had this time limit; until then, jobs for which others wait take turns (`fleet.turns`).
    """

    def __init__(
        self,
        archive: Path,
        watcher: Watcher,
        *,
        parallel: int = 1,
        limits: Limits | None = None,
        night_limit: float = 0.0,
    ) -> None:
        self._archive = archive
        self._watcher = watcher
        self._parallel = parallel
        self._limits = limits or Limits()
        self._night_limit = night_limit
        self._night = Night(0.0, 0.0, 0, parallel)
        self._paused: set[str] = set()
        self._running: list[_Running] = []
        self._results: list[JobResult] = []
        self._signals = 0
        self._watcher_fails = False

    @property
    def was_stopped(self) -> bool:
        """Whether a signal has ended its work."""
        return self._signals > 0

    def run(self, jobs: Sequence[Job]) -> list[JobResult]:
        """The results of all jobs, in the order in which they ended. Call it in the main thread.

        A job that was not started, or did not get another turn, because of a signal or the night's limit has code 7.
        """
        waiting = list(jobs)
        self._night = Night(time.monotonic(), self._night_limit, len(jobs), self._parallel)
        with StopSignals() as received, selectors.DefaultSelector() as selector:
            try:
                while self._running or (waiting and self._may_start()):
                    self._pass_on(received.numbers)
                    while self._may_start() and (job := self._next(waiting)) is not None:
                        waiting.remove(job)
                        self._start(job, selector)
                    selector.select(_TICK)
                    for running in list(self._running):
                        self._check(running, selector, waiting)
                    self._end_a_turn(waiting)
            finally:
                self._abandon()
        cause = "a signal" if self._signals else "the night's limit"
        for job in waiting:
            what = "stopped: {} came before its next turn" if job.slug in self._paused else "not started: {} came first"
            self._end(JobResult(job.slug, ExitCode.INTERRUPTED, what.format(cause)))
        return self._results

    @property
    def was_cut(self) -> bool:
        """Whether the night's limit stopped a job, or left one out."""
        codes = {result.code for result in self._results}
        return not self._signals and self._night.is_over(time.monotonic()) and ExitCode.INTERRUPTED in codes

    def _may_start(self) -> bool:
        return not self._signals and not self._night.is_over(time.monotonic())

    def _end_a_turn(self, waiting: Sequence[Job]) -> None:
        """Stops a job whose turn is over if another one waits for it, and at the end those that take no limit."""
        places = [Place(one.since, one.job.hosts, one.is_ending) for one in self._running]
        number = whose_turn_is_over(self._night, places, [job.hosts for job in waiting], time.monotonic())
        if self._signals:
            return
        if number is not None:
            self._stop(self._running[number], "its turn is over, others wait")
        if self._night.left(time.monotonic()) == 0.0:
            for running in self._running:
                if running.job.limit_option is None and not running.is_ending:
                    self._stop(running, "the night's limit is reached")

    @staticmethod
    def _stop(running: _Running, why: str) -> None:
        running.is_ending = True
        running.log.mark(why)
        running.child.stop(signal.SIGTERM)

    def _abandon(self) -> None:
        """Stops all running jobs after an error here, because nobody would watch them any more."""
        for running in self._running:
            running.child.stop(signal.SIGTERM)
        until = time.monotonic() + self._limits.patience
        while any(not running.child.ended for running in self._running) and time.monotonic() < until:
            time.sleep(_TICK)
            for running in self._running:
                with suppress(Exception):  # this may be what failed
                    running.child.check()
                    running.child.lines()  # otherwise a child with much output would block
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
        if len(self._running) >= self._parallel:
            return None
        taken = {host for running in self._running for host in running.child.job.hosts}
        return next((job for job in waiting if taken.isdisjoint(job.hosts)), None)

    def _start(self, job: Job, selector: selectors.BaseSelector) -> None:
        try:
            log = SiteLog(self._archive, job.slug)
        except DanvanError as error:
            self._end(JobResult(job.slug, error.exit_code, str(error)))
            return
        missing_report = MissingReport(self._archive, job.slug)
        try:
            child = Child(self._archive, job.within(self._night.left(time.monotonic())), self._limits)
        except OSError as error:
            log.close()
            self._end(JobResult(job.slug, ExitCode.ERROR, f"its process cannot be started: {error.strerror}"))
            return
        log.mark(f"the crawl begins, process {child.process}")
        selector.register(child.stderr, selectors.EVENT_READ)
        self._running.append(_Running(job, child, log, missing_report))
        self._notify(self._watcher.started, job.slug)

    def _check(self, running: _Running, selector: selectors.BaseSelector, waiting: list[Job]) -> None:
        child, slug = running.child, running.child.job.slug
        child.check()
        ended = child.ended  # checked before its last lines are read
        for line in child.lines():
            running.log.line(line)
            self._notify(self._watcher.stderr_line, slug, line)
            running.last_line = line.strip() or running.last_line
        if child.beat is not None and child.beat != running.last_beat:
            running.last_beat = child.beat
            self._notify(self._watcher.progress, slug, child.beat)
        if (ended or child.stderr_closed) and child.stderr in selector.get_map():
            selector.unregister(child.stderr)
        if not ended:
            return
        self._running.remove(running)
        result = child.result()
        self._report(running, result)
        running.log.mark(f"exit code {int(result.code)}" + (f": {result.finding}" if result.finding else ""))
        running.log.close()
        rest = running.job.after(time.monotonic() - running.since)
        if running.is_ending and result.code is ExitCode.INTERRUPTED and rest is not None and self._may_start():
            self._paused.add(slug)
            waiting.append(rest)
            self._notify(self._watcher.paused, slug)
        else:
            self._end(result)

    def _report(self, running: _Running, result: JobResult) -> None:
        """Writes the report of a run that was killed, or that failed before it could write one."""
        child, run_id = running.child, running.child.beat.run_id if running.child.beat is not None else None
        try:
            if result.finding is None:
                message = running.last_line.removeprefix("danvan: ").removeprefix(f"{result.slug}: ")
                running.missing_report.write(result.code, message or "the crawl ended without a message", run_id=run_id)
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
                self._watcher.stderr_line,
                result.slug,
                f"{error.filename}: the run report cannot be written: {error.strerror}",
            )

    def _end(self, result: JobResult) -> None:
        self._results.append(result)
        self._notify(self._watcher.ended, result)

    def _pass_on(self, numbers: Sequence[int]) -> None:
        for number in numbers[self._signals :]:
            self._signals += 1
            for running in self._running:
                running.child.stop(number, immediately=self._signals > 1)
