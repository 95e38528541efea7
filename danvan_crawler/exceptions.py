"""The errors of danvan-crawler and their exit codes.

    DanvanError                    1  unexpected error
    ├── UsageError                 2  wrong option, argument or setting
    │   ├── ProfileError           2  an invalid site profile; the message has file, key and reason
    │   ├── UnknownSiteError       2  no profile has that slug
    │   ├── UnsupportedSourceError 2  a file of a kind that cannot be imported
    │   └── UnknownItemError       2  no article or capture has that id or URL
    ├── CaptureRefusedError        3  the guard refused to contact an address
    ├── TruncatedResponseError     3  a response ended before its message did
    ├── UndecodableBodyError       3  a body whose content coding cannot be decoded
    │   └── TooLargeError          3  a body that is larger than the limit when it is unpacked
    ├── LostPayloadError           8  a revisit refers to a record that is not in the archive
    ├── LockedError                5  another run holds the lock of the site
    ├── CooldownError              3  the site's server must not be contacted yet
    ├── OutsideWindowError         7  the site is not crawled at this hour
    ├── ArchiveError               1  the archive folder cannot be read or written
    │   ├── DiskFullError          6  no space left on the archive's file system
    │   └── ArchiveDamagedError    8  a WARC file cannot be read to its end
    └── StoreError                 1  the item database is damaged, or cannot be read or written
        ├── StoreBusyError         1  another process holds it locked for too long
        ├── StoreAccessError       1  its file or folder cannot be read or written
        ├── OlderStoreError        1  it has an older schema, and a reader cannot migrate it
        └── NewerStoreError        1  it has a newer schema than this program knows

docs/operator.md explains the codes; `ExitCode.worst` selects the code for a run of several sites.
"""

from __future__ import annotations

import errno
import traceback
from collections.abc import Iterable
from enum import IntEnum
from pathlib import Path

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class ExitCode(IntEnum):
    """Exit status of `danvan` and of `scrapy crawl` in this project."""

    OK = 0
    ERROR = 1
    USAGE = 2
    SITE_FAILED = 3
    UNHEALTHY = 4
    LOCKED = 5
    INTERRUPTED = 7
    DISK_FULL = 6
    DAMAGED = 8

    @classmethod
    def worst(cls, codes: Iterable[ExitCode]) -> ExitCode:
        """The code to report for several: the first of 8, 6, 1, 2, 3, 4, 5, 7 that occurs, else 0."""
        found = set(codes)
        order = (
            cls.DAMAGED,
            cls.DISK_FULL,
            cls.ERROR,
            cls.USAGE,
            cls.SITE_FAILED,
            cls.UNHEALTHY,
            cls.LOCKED,
            cls.INTERRUPTED,
        )
        return next((code for code in order if code in found), cls.OK)


class DanvanError(Exception):
    """Base of all errors; the message is one sentence that helps the user to fix the cause."""

    exit_code: ExitCode = ExitCode.ERROR


class UsageError(DanvanError):
    exit_code = ExitCode.USAGE


class ProfileError(UsageError):
    pass


class UnknownSiteError(UsageError):
    pass


class UnsupportedSourceError(UsageError):
    pass


class UnknownItemError(UsageError):
    pass


class CaptureRefusedError(DanvanError):
    exit_code = ExitCode.SITE_FAILED


class TruncatedResponseError(DanvanError):
    exit_code = ExitCode.SITE_FAILED


class UndecodableBodyError(DanvanError):
    exit_code = ExitCode.SITE_FAILED


class TooLargeError(UndecodableBodyError):
    pass


class LostPayloadError(DanvanError):
    exit_code = ExitCode.DAMAGED


class LockedError(DanvanError):
    exit_code = ExitCode.LOCKED


class CooldownError(DanvanError):
    exit_code = ExitCode.SITE_FAILED


class OutsideWindowError(DanvanError):
    exit_code = ExitCode.INTERRUPTED


class ArchiveError(DanvanError):
    pass


class DiskFullError(ArchiveError):
    exit_code = ExitCode.DISK_FULL


class ArchiveDamagedError(ArchiveError):
    exit_code = ExitCode.DAMAGED


class StoreError(DanvanError):
    pass


class StoreBusyError(StoreError):
    pass


class StoreAccessError(StoreError):
    pass


class OlderStoreError(StoreError):
    pass


class NewerStoreError(StoreError):
    pass


def in_words(error: BaseException) -> str:
    """An error that nobody raised on purpose, as people read it: without the name of its class, but with its place.

    >>> in_words(ZeroDivisionError("division by zero"))
    'an error in this program (division by zero)'
    """
    parts = [" ".join(str(error).split())]
    if steps := traceback.extract_tb(error.__traceback__):
        parts.append(f"{'/'.join(Path(steps[-1].filename).parts[-2:])}, line {steps[-1].lineno}")
    details = "; ".join(part for part in parts if part)
    return f"an error in this program ({details})" if details else "an error in this program"


def archive_error(error: OSError, action: str) -> ArchiveError:
    """The error to report for an error of the operating system: `cannot <action>: <reason>`."""
    kind = DiskFullError if error.errno in _FULL else ArchiveError
    return kind(f"cannot {action}: {error.strerror or error}")
