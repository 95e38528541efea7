"""Locks: one run per site and per host at a time, and no run while the database is rebuilt.

Locks are kernel locks (flock) on files that are never removed. The kernel releases a lock when its process ends, even
by kill -9, so an existing file alone means nothing.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from danvan_crawler.archive.layout import database_lock_path, fleet_lock_path, host_lock_path, site_lock_path
from danvan_crawler.exceptions import ArchiveError, LockedError, archive_error


class _FileLock:
    """A lock on one file; a context manager.

    `acquire` raises LockedError if another process holds a conflicting lock, and ArchiveError (DiskFullError) if the
    file cannot be written.
    """

    def __init__(self, path: Path, *, shared: bool) -> None:
        self.path = path
        self._kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        self._file: int | None = None

    def acquire(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise archive_error(error, f"write {self.path}") from error
        try:
            fcntl.flock(file, self._kind | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(file, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(file)
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                raise archive_error(error, f"lock {self.path}") from error
            raise LockedError(self._refusal(holder)) from error
        with contextlib.suppress(OSError):  # a full disk; the process id is only for messages
            os.ftruncate(file, 0)
            os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        self._file = file

    def release(self) -> None:
        """Releases the lock. Idempotent."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _refusal(self, holder: str) -> str:
        raise NotImplementedError

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.release()


class SiteLock(_FileLock):
    """Exclusive lock on one site of one archive; a context manager.

    `acquire` raises LockedError with the holder's process id if another run has the lock, and ArchiveError if the lock
    file cannot be written.
    """

    def __init__(self, archive: Path, slug: str) -> None:
        super().__init__(site_lock_path(archive, slug), shared=False)
        self._slug = slug

    def _refusal(self, holder: str) -> str:
        return f"site {self._slug!r}: another run holds its lock (process {holder})"


class HostLock(_FileLock):
    """Exclusive lock on a host, like `SiteLock`: two runs never contact the same server, not even for different sites.

    `host` is one of `Site.contacted_hosts`.
    """

    def __init__(self, archive: Path, host: str) -> None:
        super().__init__(host_lock_path(archive, host), shared=False)
        self._host = host

    def _refusal(self, holder: str) -> str:
        return f"host {self._host}: another run is crawling a site there (process {holder})"


class DatabaseLock(_FileLock):
    """Lock on an archive's item database: shared for runs, which write to it, exclusive for replacing it.

    Site locks are not enough: a site that was never crawled has no lock file that a rebuild could see, and a crawl of
    it that begins during a rebuild would write to the file that is about to be replaced.
    """

    def __init__(self, archive: Path, *, exclusive: bool = False) -> None:
        super().__init__(database_lock_path(archive), shared=not exclusive)

    def _refusal(self, holder: str) -> str:
        if self._kind == fcntl.LOCK_SH:
            return f"the item database is being rebuilt (process {holder})"
        return f"a crawl or another rebuild is running (process {holder}): the item database cannot be replaced now"


class FleetLock(_FileLock):
    """Lock of a command that crawls several sites: while it is held, sites that wait for their turn are not overdue.

    Nothing is refused because of it: if another command holds it, this one goes on without.
    """

    def __init__(self, archive: Path) -> None:
        super().__init__(fleet_lock_path(archive), shared=False)

    def acquire(self) -> None:
        """Takes the lock if it is free. Never raises."""
        with contextlib.suppress(LockedError, ArchiveError):
            super().acquire()

    def _refusal(self, holder: str) -> str:
        return f"another command crawls several sites (process {holder})"


def is_locked(archive: Path, slug: str) -> bool:
    """Whether a run of this site holds its lock. Writes nothing; False if the lock file cannot be read."""
    return _is_held(site_lock_path(archive, slug))


def is_fleet_running(archive: Path) -> bool:
    """Whether a command is crawling several sites. Writes nothing; False if the lock file cannot be read."""
    return _is_held(fleet_lock_path(archive))


def _is_held(path: Path) -> bool:
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(file)  # releases the lock
    return False
