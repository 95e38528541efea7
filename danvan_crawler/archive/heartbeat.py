"""Heartbeat of a run: a file with its progress, read by the supervisor while the run works.

ARCHIVE/locks/<slug>.beat holds one line: process, run, finished requests, articles. A failed request counts as well,
because a run that waits for a dead server does not hang. If a parser never returns, or a response is never processed,
the file stops changing. It is written in place and at most once a second, so that it needs no space on a full disk and
little time. A file that a dead run has left is ignored.
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
"""Bytes of the line, padded with blanks: rewriting it is one write that never shortens the file."""


@dataclass(frozen=True, slots=True)
class Beat:
    """Progress of a run: its process, its id in the run reports, finished requests, articles."""

    process: int
    run_id: str
    requests: int
    articles: int


def read_beat(archive: Path, slug: str) -> Beat | None:
    """The last heartbeat of a site's run, which may have ended; None if the file is missing or invalid."""
    try:
        process, run_id, requests, articles = beat_path(archive, slug).read_text(encoding="ascii").split()
        return Beat(int(process), run_id, int(requests), int(articles))
    except (OSError, ValueError):
        return None


class Heartbeat:
    """Writes the heartbeats of one run. Errors are ignored: they never stop a crawl."""

    def __init__(self, archive: Path, slug: str, run_id: str) -> None:
        self._path = beat_path(archive, slug)
        self._run_id = run_id
        self._requests = self._articles = 0
        self._written_at = float("-inf")
        self._write()

    def request(self) -> None:
        """Counts a finished request, successful or not."""
        self._requests += 1
        self._write()

    def article(self) -> None:
        """Counts a stored article."""
        self._articles += 1
        self._write()

    def end(self) -> None:
        """Removes the file at the end of the run."""
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
