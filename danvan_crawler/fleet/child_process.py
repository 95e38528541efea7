"""Crawls in separate processes, so that a failure in one does not affect the others.

A `Child` is checked from outside, because a process that hangs or grows cannot check itself: its heartbeat
(`archive.heartbeat`), its time, its memory. It is asked to stop, and killed if it does not. `run_command` runs a single
process without these checks.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from danvan_crawler import clock
from danvan_crawler.archive.heartbeat import Beat, read_beat
from danvan_crawler.exceptions import ExitCode
from danvan_crawler.fleet.signals import STOPPING, StopSignals
from danvan_crawler.memory import resident_bytes

_CODES = frozenset(ExitCode)
_CHUNK = 65536
_LONGEST_LINE = 100_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits at which a child is stopped, in seconds and bytes; 0 means no limit.

    `hang_after`: time without a heartbeat. `grace`: time after the child's own time limit. `memory`: resident bytes;
    the child should end by itself well before (Scrapy's MEMUSAGE_LIMIT_MB). `patience`: time between the request to
    stop and the kill.
    """

    hang_after: float = 900.0
    grace: float = 90.0
    memory: int = 0
    patience: float = 13.0


@dataclass(frozen=True, slots=True)
class Job:
    """A site to crawl: the command, the hosts that no other job may contact meanwhile, its own limits.

    `quiet_for`: additional seconds that it may be without activity, for a site with a long delay. `limit_option`: the
    option by which the command takes its time limit in seconds. `continues`: if it is stopped and started again, it
    goes on where it was.
    """

    slug: str
    command: tuple[str, ...]
    hosts: frozenset[str] = frozenset()
    time_limit: float = 0.0
    quiet_for: float = 0.0
    limit_option: str | None = None
    continues: bool = True

    def within(self, seconds: float | None) -> Job:
        """The job with at most this time (None: only its own limit), which its command gets with `limit_option`."""
        limits = [limit for limit in (self.time_limit, seconds) if limit]
        if self.limit_option is None or not limits:
            return self
        limit = max(1, int(min(limits)))
        return replace(self, command=(*self.command, self.limit_option, str(limit)), time_limit=float(limit))

    def after(self, seconds: float) -> Job | None:
        """The rest of the job after it has run so long: its time limit is for all parts together. None if it does not
        continue, or has no time left."""
        if not self.continues or 0 < self.time_limit <= seconds:
            return None
        return replace(self, time_limit=self.time_limit - seconds) if self.time_limit else self


@dataclass(frozen=True, slots=True)
class JobResult:
    """The exit code of a job, and a finding if its process could not report one itself, else None."""

    slug: str
    code: ExitCode
    finding: str | None = None


def danvan(*arguments: str) -> tuple[str, ...]:
    """The command line that runs `danvan ARGUMENTS` with this Python."""
    return (sys.executable, "-m", "danvan_crawler", *arguments)


def run_command(command: Sequence[str]) -> ExitCode:
    """Runs a command to its end and passes SIGINT and SIGTERM on to it. Call it in the main thread.

    The child has its own session, so that Ctrl-C in a terminal reaches it only once, through us.
    """
    with StopSignals() as received:
        child = subprocess.Popen(command, start_new_session=True)
        passed_on = 0
        while child.poll() is None:
            for number in received.numbers[passed_on:]:
                child.send_signal(number)
                passed_on += 1
            with suppress(subprocess.TimeoutExpired):
                child.wait(0.2)
    return job_result_of("", child.returncode).code


def job_result_of(slug: str, status: int) -> JobResult:
    """The result for an exit status of `subprocess`, which is negative for a signal."""
    if status in _CODES:
        return JobResult(slug, ExitCode(status))
    if status in {-number for number in STOPPING}:  # the signal came before the child could catch it
        return JobResult(slug, ExitCode.INTERRUPTED, "stopped by a signal before it had begun")
    if status < 0:
        hint = " (was there enough memory?)" if status == -signal.SIGKILL else ""
        return JobResult(slug, ExitCode.SITE_FAILED, f"the crawl died of {_signal_name(-status)}{hint}")
    return JobResult(slug, ExitCode.SITE_FAILED, f"the crawl died with exit status {status}")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class Child:
    """The process of one job, under limits. Raises OSError if it cannot be started.

    It writes to our stdout. Read its stderr with `lines` (`stderr` is a non-blocking descriptor). Call `check` several
    times a second.
    """

    def __init__(self, archive: Path, job: Job, limits: Limits) -> None:
        self.job = job
        self.started_at: datetime = clock.now()
        self.beat: Beat | None = None
        self._archive = archive
        self._limits = limits
        self._verdict: str | None = None
        self._stopped = False
        self._to_send: list[tuple[float, int]] = []
        self._rest = b""
        self.stderr_closed = False
        """Whether it has closed its stderr, so that nothing more can be read."""
        self._process = subprocess.Popen(
            job.command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
        )
        assert self._process.stderr is not None
        self.stderr: int = self._process.stderr.fileno()
        os.set_blocking(self.stderr, False)
        self._began = self._last_activity = time.monotonic()

    @property
    def process(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def lines(self) -> list[str]:
        """Complete lines since the last call; after its end also an incomplete last line."""
        ended = self.ended  # checked before reading, so that all output is read
        while True:
            try:
                data = os.read(self.stderr, _CHUNK)
            except BlockingIOError:
                break
            if not data:
                self.stderr_closed = True
                break
            self._rest += data
            if not ended:  # more comes with the next call
                break
        *whole, self._rest = self._rest.split(b"\n")
        if self._rest and (ended or len(self._rest) > _LONGEST_LINE):
            whole.append(self._rest)
            self._rest = b""
        return [line.decode(errors="replace").rstrip("\r") for line in whole]

    def check(self) -> None:
        """Reads the heartbeat, stops the child if a limit is exceeded, and kills it if it does not stop."""
        now = time.monotonic()
        beat = read_beat(self._archive, self.job.slug)
        if beat is not None and beat.process == self.process and beat != self.beat:
            self.beat, self._last_activity = beat, now
        if self._verdict is None and not self._stopped:
            self._verdict = self._judge(now)
            if self._verdict is not None:
                self._schedule(now, (0.0, signal.SIGTERM), (self._limits.patience, signal.SIGKILL))
        while self._to_send and self._to_send[0][0] <= now:
            self._send(self._to_send.pop(0)[1])

    def _judge(self, now: float) -> str | None:
        limits, job = self._limits, self.job
        if limits.hang_after and now - self._last_activity > limits.hang_after + job.quiet_for:
            return f"the crawl hung: no activity for {now - self._last_activity:.0f} s"
        if job.time_limit and now - self._began > job.time_limit + limits.grace:
            return f"the crawl did not end at its time limit of {job.time_limit:.0f} s"
        if limits.memory and (held := resident_bytes(self.process)) > limits.memory:
            return f"the crawl used too much memory: {held / 1e6:.0f} MB"
        return None

    def stop(self, number: int, *, immediately: bool = False) -> None:
        """Sends a signal, again near the end of `patience` if the child still runs, and then kills it."""
        self._stopped = True
        patience = self._limits.patience
        again = (2.0, signal.SIGKILL) if immediately else (0.85 * patience, number)
        self._schedule(time.monotonic(), (0.0, number), again, (patience, signal.SIGKILL))

    def kill(self) -> None:
        """Kills it and its own children, waits for its end and closes `stderr`."""
        self._send(signal.SIGKILL)
        self.result()

    def _schedule(self, now: float, *signals: tuple[float, int]) -> None:
        self._to_send = [(now + delay, number) for delay, number in signals]

    def _send(self, number: int) -> None:
        if self.ended:
            return
        with suppress(ProcessLookupError):
            if number == signal.SIGKILL:
                os.killpg(self.process, number)  # its children too (browsers): it leads a process group
            else:
                self._process.send_signal(number)

    def result(self) -> JobResult:
        """Waits for its end, closes `stderr` and returns the result."""
        status = self._process.wait()
        assert self._process.stderr is not None
        self._process.stderr.close()
        slug = self.job.slug
        if self._verdict is not None:
            how = "killed" if status == -signal.SIGKILL else "stopped"
            return JobResult(slug, ExitCode.SITE_FAILED, f"{self._verdict}; it was {how}, the next run continues")
        if self._stopped and status == -signal.SIGKILL:
            return JobResult(slug, ExitCode.INTERRUPTED, "stopped at once; the next run continues")
        return job_result_of(slug, status)
