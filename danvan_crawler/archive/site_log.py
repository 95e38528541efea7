"""A log file per site, of bounded size: ARCHIVE/logs/<slug>.log, and five older ones with .1 to .5 behind the name.

The supervisor writes what a site's process says, so that a file can be rotated in the middle of a run. Logs are for
people; nothing reads them.
"""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

from danvan_crawler import clock
from danvan_crawler.archive.layout import log_path
from danvan_crawler.exceptions import archive_error

MAX_BYTES = 1_000_000
"""A file that would get larger is put aside first."""
OLDER_FILES = 5


class _Rotating(RotatingFileHandler):
    def handleError(self, record: logging.LogRecord) -> None:
        """Nothing: a log that cannot be written, as on a full disk, stops no crawl."""


class SiteLog:
    """The log of one site, opened for one run. Raises ArchiveError when the file cannot be written."""

    def __init__(self, archive: Path, slug: str, *, max_bytes: int = MAX_BYTES, older: int = OLDER_FILES) -> None:
        path = log_path(archive, slug)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = _Rotating(path, maxBytes=max_bytes, backupCount=older, encoding="utf-8", errors="replace")
        except OSError as error:
            raise archive_error(error, f"write {path}") from error

    def line(self, text: str) -> None:
        """One line as the process said it."""
        self._file.emit(logging.makeLogRecord({"msg": text}))

    def mark(self, text: str) -> None:
        """A line of the supervisor's own, with the time."""
        self.line(f"=== {clock.now():%Y-%m-%dT%H:%M:%SZ} {text}")

    def close(self) -> None:
        self._file.close()
