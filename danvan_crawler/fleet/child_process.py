"""Crawls in processes of their own: what goes wrong in one stays there.

A `Child` is watched from outside, since what hangs or grows cannot watch itself: its signs of life
(`archive.heartbeat`), its time, its memory. It is asked to stop first and killed when it does not, and says in the end
what became of it. `run_command` is for a single one that nobody has to watch.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
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
    """When a child is stopped from outside, in seconds and bytes; 0 is no limit.

    `hang_after`: without any sign of life. `grace`: beyond the time limit that the child keeps itself. `memory`:
    resident bytes; the child ends by itself well before (Scrapy's MEMUSAGE_LIMIT_MB), unless it is beyond that.
    `patience`: between being asked to stop and being killed.
    """

    hang_after: float = 900.0
    grace: float = 90.0
    memory: int = 0
    patience: float = 13.0


@dataclass(frozen=True, slots=True)
class Job:
    """A site to crawl: the command that does it, the hosts that nobody else may ask meanwhile, its own limits.

    `quiet_for` is how much longer than other sites it may be silent, because its delay is long.
    """

    slug: str
    command: tuple[str, ...]
    hosts: frozenset[str] = frozenset()
    time_limit: float = 0.0
    quiet_for: float = 0.0


@dataclass(frozen=True, slots=True)
class JobResult:
    """What became of a job: its exit code, and what its process could not say itself, else None."""

    slug: str
    code: ExitCode
    finding: str | None = None


def danvan(*arguments: str) -> tuple[str, ...]:
    """The command line that runs `danvan ARGUMENTS` with this Python."""
    return (sys.executable, "-m", "danvan_crawler", *arguments)


def run_command(command: Sequence[str]) -> ExitCode:
    """Runs a command to its end; SIGINT and SIGTERM go on to it. To be called in the main thread.

    The child has a session of its own, so that Ctrl-C in a terminal reaches it once, through us.
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
    """What a process's exit status means, as `subprocess` gives it: negative for a signal."""
    if status in _CODES:
        return JobResult(slug, ExitCode(status))
    if status in {-number for number in STOPPING}:  # it came before the child could catch it
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
    """The process of one job, under limits. Raises OSError when it cannot be started.

    Its stdout is ours, its stderr is read with `lines`, of `stderr`, a descriptor that does not block. `look` has to be
    called several times a second.
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
        self.mute = False
        """It has closed its stderr, which there is no use in waiting for."""
        self._process = subprocess.Popen(
            job.command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
        )
        assert self._process.stderr is not None
        self.stderr: int = self._process.stderr.fileno()
        os.set_blocking(self.stderr, False)
        self._began = self._heard = time.monotonic()

    @property
    def process(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def lines(self) -> list[str]:
        """What it has said since the last call, in whole lines; with what is left of the last one when it has ended."""
        ended = self.ended  # before reading: then everything is there
        while True:
            try:
                data = os.read(self.stderr, _CHUNK)
            except BlockingIOError:
                break
            if not data:
                self.mute = True
                break
            self._rest += data
            if not ended:  # more comes with the next call
                break
        *whole, self._rest = self._rest.split(b"\n")
        if self._rest and (ended or len(self._rest) > _LONGEST_LINE):
            whole.append(self._rest)
            self._rest = b""
        return [line.decode(errors="replace").rstrip("\r") for line in whole]

    def look(self) -> None:
        """Notices signs of life, stops the child when a limit is passed, and kills it when it does not stop."""
        now = time.monotonic()
        beat = read_beat(self._archive, self.job.slug)
        if beat is not None and beat.process == self.process and beat != self.beat:
            self.beat, self._heard = beat, now
        if self._verdict is None and not self._stopped:
            self._verdict = self._judge(now)
            if self._verdict is not None:
                self._schedule(now, (0.0, signal.SIGTERM), (self._limits.patience, signal.SIGKILL))
        while self._to_send and self._to_send[0][0] <= now:
            self._send(self._to_send.pop(0)[1])

    def _judge(self, now: float) -> str | None:
        limits, job = self._limits, self.job
        if limits.hang_after and now - self._heard > limits.hang_after + job.quiet_for:
            return f"the crawl hung: no activity for {now - self._heard:.0f} s"
        if job.time_limit and now - self._began > job.time_limit + limits.grace:
            return f"the crawl did not end at its time limit of {job.time_limit:.0f} s"
        if limits.memory and (held := resident_bytes(self.process)) > limits.memory:
            return f"the crawl used too much memory: {held / 1e6:.0f} MB"
        return None

    def stop(self, number: int, *, at_once: bool = False) -> None:
        """Passes a signal on. A child that has not ended after most of `patience` gets it again, then is killed."""
        self._stopped = True
        patience = self._limits.patience
        again = (2.0, signal.SIGKILL) if at_once else (0.85 * patience, number)
        self._schedule(time.monotonic(), (0.0, number), again, (patience, signal.SIGKILL))

    def kill(self) -> None:
        """Kills it and what it started, waits for its end and closes `stderr`."""
        self._send(signal.SIGKILL)
        self.result()

    def _schedule(self, now: float, *signals: tuple[float, int]) -> None:
        self._to_send = [(now + delay, number) for delay, number in signals]

    def _send(self, number: int) -> None:
        if self.ended:
            return
        with suppress(ProcessLookupError):
            if number == signal.SIGKILL:
                os.killpg(self.process, number)  # browsers as well: it leads a process group of its own
            else:
                self._process.send_signal(number)

    def result(self) -> JobResult:
        """What became of it, once it has ended; closes `stderr`."""
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
