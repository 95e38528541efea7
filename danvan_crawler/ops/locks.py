"""One run per site at a time.

The lock is the kernel's (flock), on a file that stays: it dies with its holder however that ends, kill -9 included, and
a file left behind means nothing.
"""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from danvan_crawler.exceptions import ArchiveError, LockedError


class SiteLock:
    """Exclusive lock on one site of one archive; a context manager.

    `acquire` raises LockedError, naming the holder's process, when another run has it, and ArchiveError when the lock
    file cannot be written.
    """

    def __init__(self, archive: Path, slug: str) -> None:
        self.path = archive / "locks" / f"{slug}.lock"
        self._slug = slug
        self._file: int | None = None

    def acquire(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise ArchiveError(f"{self.path}: cannot be written: {error.strerror}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(file, 32).decode(errors="replace").strip() or "unknown"
            os.close(file)
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                raise ArchiveError(f"{self.path}: cannot be locked: {error.strerror}") from error
            raise LockedError(f"site {self._slug!r}: another run holds its lock (process {holder})") from error
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        self._file = file

    def release(self) -> None:
        """Gives the lock back. Idempotent."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.release()
