"""A log file of limited size per site: ARCHIVE/logs/<slug>.log, and five older files with the suffixes .1 to .5.

The supervisor writes the messages of a site's process, so that a file can be rotated during a run. Logs are for people;
no program reads them.
"""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

from danvan_crawler import clock
from danvan_crawler.archive.layout import log_path
from danvan_crawler.exceptions import archive_error

MAX_BYTES = 1_000_000
"""Before a file would grow larger, it is renamed."""
OLDER_FILES = 5


class _Rotating(RotatingFileHandler):
    def handleError(self, record: logging.LogRecord) -> None:
        """Does nothing: a log that cannot be written, for example on a full disk, must not stop a crawl."""


class SiteLog:
    """The log of one site, opened for one run. Raises ArchiveError if the file cannot be written."""

    def __init__(self, archive: Path, slug: str, *, max_bytes: int = MAX_BYTES, older: int = OLDER_FILES) -> None:
        path = log_path(archive, slug)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = _Rotating(path, maxBytes=max_bytes, backupCount=older, encoding="utf-8", errors="replace")
        except OSError as error:
            raise archive_error(error, f"write {path}") from error

    def line(self, text: str) -> None:
        """Writes one line of the process's output."""
        self._file.emit(logging.makeLogRecord({"msg": text}))

    def mark(self, text: str) -> None:
        """Writes a line of the supervisor, with the time."""
        self.line(f"=== {clock.now():%Y-%m-%dT%H:%M:%SZ} {text}")

    def close(self) -> None:
        self._file.close()
