"""Paths and names of WARC files, and how a file gets its final name.

    archive/warc/<slug>/<year>/<slug>-<UTC timestamp>-<serial>-<host>.warc.gz

Until a file is complete, `.open` is added to its name. Several writers can share a folder: a writer owns both names if
it created the `.open` name exclusively and the final name is free.
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
"""Stands between a file's name and the offset of the damaged bytes that a repair moved out of it."""
_SLUG = re.compile(r"\w[\w.-]*")
_HOST_LENGTH = 40


def require_space(folder: Path, min_free: int, size: int = 0) -> None:
    """Raises DiskFullError if `size` more bytes would leave less than `min_free` bytes on the folder's file system.

    Blocks reserved for root count as used. Takes some microseconds; on NFS, one request to the server. A file system
    that does not report its size (some FUSE ones) counts as having room. Raises ArchiveError if the folder is missing.
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
            f"{folder}: {free / 1e6:,.0f} MB are free on its file system, and {min_free / 1e6:,.0f} MB must stay free "
            "(DANVAN_MIN_FREE)"
        )


def site_folder(archive: Path, slug: str) -> Path:
    """Folder of a site's WARC files. Raises ArchiveError if the slug is not a valid folder name."""
    if not _SLUG.fullmatch(slug):
        raise ArchiveError(
            f"cannot archive under the name {slug!r}: only letters, digits, '-', '_' and '.' are allowed"
        )
    return warc_folder(archive, slug)


def file_name(slug: str, moment: datetime, serial: int, host: str) -> str:
    """Name of a finished file; the timestamp has 17 digits, down to milliseconds, UTC."""
    stamp = moment.astimezone(UTC).strftime("%Y%m%d%H%M%S%f")[:17]
    return f"{slug}-{stamp}-{serial:05d}-{host}{SUFFIX}"


def this_host() -> str:
    """This machine's name, safe for use in a file name."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", socket.gethostname())[:_HOST_LENGTH].strip(".-") or "localhost"


def open_name(path: Path) -> Path:
    """Name of a file while it is being written."""
    return path.with_name(path.name + OPEN_SUFFIX)


def final_name(path: Path) -> Path:
    """Name of a file when it is finished."""
    return path.with_name(path.name.removesuffix(OPEN_SUFFIX))


def open_files(folder: Path) -> list[Path]:
    """Unfinished files at any depth below a folder, sorted."""
    return sorted(folder.rglob(f"*{SUFFIX}{OPEN_SUFFIX}"))


def warc_files(archive: Path, slug: str | None = None, *, include_open: bool = False) -> list[Path]:
    """Finished WARC files of one site, or of all sites; within a site in the order of creation.

    With `include_open` also files that a run is writing or has left behind.
    """
    folder = warc_folder(archive) if slug is None else site_folder(archive, slug)
    found = list(folder.rglob(f"*{SUFFIX}"))
    if include_open:
        found += open_files(folder)
    return sorted(found, key=final_name)


def finish(path: Path) -> Path:
    """Renames an `.open` file that is complete and synced to its final name, and syncs the folders.

    Raises ArchiveDamagedError, and changes nothing, if the final name exists. Raises OSError.
    """
    final = final_name(path)
    refuse_taken(final)
    path.rename(final)
    for folder in (final.parent, final.parent.parent):  # the folder of the year may be as new as the file
        sync_folder(folder)
    return final


def refuse_taken(final: Path) -> None:
    """Raises ArchiveDamagedError if the final name of an `.open` file exists."""
    if os.path.lexists(final):
        raise ArchiveDamagedError(
            f"{open_name(final)} cannot be finished: {final.name} exists already, and a WARC file is never replaced"
        )
