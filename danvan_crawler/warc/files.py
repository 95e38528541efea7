"""Where WARC files are, what they are called, and how one is finished.

    archive/warc/<slug>/<year>/<slug>-<UTC timestamp>-<serial>-<host>.warc.gz

Until a file is complete, `.open` is added to its name. Writers can share a folder without asking each other: whoever
creates the `.open` name, exclusively, and finds the final name free, owns both.
"""

from __future__ import annotations

import os
import re
import socket
from datetime import UTC, datetime
from pathlib import Path

from danvan_crawler.archive.layout import warc_folder
from danvan_crawler.atomic import sync_folder
from danvan_crawler.exceptions import ArchiveDamagedError, ArchiveError, DiskFullError, archive_error

SUFFIX = ".warc.gz"
OPEN_SUFFIX = ".open"
DAMAGED = ".damaged-"
"""Between the name of a file and the byte from which a repair took damaged bytes."""
_SLUG = re.compile(r"\w[\w.-]*")
_HOST_LENGTH = 40


def require_room(folder: Path, min_free: int, size: int = 0) -> None:
    """Raises DiskFullError when `size` more bytes would leave less than `min_free` on the folder's file system.

    What only root may use counts as not free. Costs some microseconds, on NFS a question to the server. A file system
    that does not know its size (some of FUSE) is taken to have room. Raises ArchiveError when there is no such folder.
    """
    if min_free <= 0:
        return
    try:
        found = os.statvfs(folder)
    except OSError as error:
        raise archive_error(error, f"read {folder}") from error
    free = found.f_bavail * found.f_frsize
    if found.f_blocks and free - size < min_free:
        raise DiskFullError(
            f"{folder}: {free / 1e6:,.0f} MB are free on its file system, and {min_free / 1e6:,.0f} MB are to stay so "
            "(DANVAN_MIN_FREE)"
        )


def site_folder(archive: Path, slug: str) -> Path:
    """Folder of a site's WARC files. Raises ArchiveError for a name that cannot be one folder."""
    if not _SLUG.fullmatch(slug):
        raise ArchiveError(
            f"cannot archive under the name {slug!r}: it may hold letters, digits, '-', '_' and '.' alone"
        )
    return warc_folder(archive, slug)


def file_name(slug: str, moment: datetime, serial: int, host: str) -> str:
    """Name of a finished file; the timestamp has 17 digits, down to milliseconds, UTC."""
    stamp = moment.astimezone(UTC).strftime("%Y%m%d%H%M%S%f")[:17]
    return f"{slug}-{stamp}-{serial:05d}-{host}{SUFFIX}"


def this_host() -> str:
    """This machine's name, fit for a file name."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", socket.gethostname())[:_HOST_LENGTH].strip(".-") or "localhost"


def open_name(path: Path) -> Path:
    """Name of a final file while it is being written."""
    return path.with_name(path.name + OPEN_SUFFIX)


def final_name(path: Path) -> Path:
    """Name that a file has, or will have when it is finished."""
    return path.with_name(path.name.removesuffix(OPEN_SUFFIX))


def open_files(folder: Path) -> list[Path]:
    """Unfinished files at any depth below a folder, sorted."""
    return sorted(folder.rglob(f"*{SUFFIX}{OPEN_SUFFIX}"))


def warc_files(archive: Path, slug: str | None = None, *, include_open: bool = False) -> list[Path]:
    """Finished WARC files of one site, or of all; of a site in the order they were begun.

    With `include_open` also those that a run is writing now or has left behind.
    """
    folder = warc_folder(archive) if slug is None else site_folder(archive, slug)
    found = list(folder.rglob(f"*{SUFFIX}"))
    if include_open:
        found += open_files(folder)
    return sorted(found, key=final_name)


def finish(path: Path) -> Path:
    """Gives an `.open` file, already complete and synced, its final name, and makes the name last.

    Raises ArchiveDamagedError when the final name is taken; nothing is touched then. Raises OSError as the system does.
    """
    final = final_name(path)
    refuse_taken(final)
    path.rename(final)
    for folder in (final.parent, final.parent.parent):  # the folder of the year may be as new as the file
        sync_folder(folder)
    return final


def refuse_taken(final: Path) -> None:
    """Raises ArchiveDamagedError when there is something under the final name of an `.open` file."""
    if os.path.lexists(final):
        raise ArchiveDamagedError(
            f"{open_name(final)} cannot be finished: {final.name} exists already, and a WARC file is never replaced"
        )
