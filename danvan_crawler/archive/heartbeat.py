"""A sign of life of each run: what it has done so far, in a file that others read while it works.

ARCHIVE/locks/<slug>.beat holds one line: process, run, requests that came to an end, articles. A request that failed
counts as well, since a run that waits for a dead server is no hung one; with a parser that never returns, or a response
that nobody takes up, the file stands still. It is written in place and at most once a second, so that it needs no space
on a full disk and no time. A file that is left behind means nothing.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from danvan_crawler.archive.layout import beat_path

_SECONDS_BETWEEN = 1.0
_WIDTH = 80
"""Bytes of the line, filled with blanks: rewriting it is one write that never shortens the file."""


@dataclass(frozen=True, slots=True)
class Beat:
    """What a run had done: its process, its id in the run reports, requests that came to an end, articles."""

    process: int
    run_id: str
    requests: int
    articles: int


def read_beat(archive: Path, slug: str) -> Beat | None:
    """The last sign of life of a site's run, that need not be alive; None when there is none that can be read."""
    try:
        process, run_id, requests, articles = beat_path(archive, slug).read_text(encoding="ascii").split()
        return Beat(int(process), run_id, int(requests), int(articles))
    except (OSError, ValueError):
        return None


class Heartbeat:
    """Writes the signs of life of one run. Errors are passed over: this never stops a crawl."""

    def __init__(self, archive: Path, slug: str, run_id: str) -> None:
        self._path = beat_path(archive, slug)
        self._run_id = run_id
        self._requests = self._articles = 0
        self._written_at = float("-inf")
        self._write()

    def request(self) -> None:
        """A request came to an end, well or not."""
        self._requests += 1
        self._write()

    def article(self) -> None:
        """An article was stored."""
        self._articles += 1
        self._write()

    def end(self) -> None:
        """The run is over: the file goes."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _write(self) -> None:
        now = time.monotonic()
        if now - self._written_at < _SECONDS_BETWEEN:
            return
        self._written_at = now
        line = f"{os.getpid()} {self._run_id} {self._requests} {self._articles}".ljust(_WIDTH - 1) + "\n"
        with contextlib.suppress(OSError):
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                os.pwrite(file, line.encode("ascii"), 0)
            finally:
                os.close(file)
