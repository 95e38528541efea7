"""The one writer of whole files: a reader sees the old content or the new content, never a part of it.

A file is written as a draft in the same folder, `.<name>.<random>.part`, synced to disk and then renamed. After an
error the draft is removed and the old file is unchanged. A writer holds the kernel's lock on its draft, and the lock
ends with its process: so the next writer of the same file can remove what a killed process left.
"""

from __future__ import annotations

import errno
import fcntl
import glob
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from danvan_crawler.exceptions import archive_error

_SUFFIX = ".part"
"""Programs that read a folder (WARC files, reports, metrics) take no file with this ending."""
_RANDOM_BYTES = 4
_LONGEST_NAME = 60
"""Characters that a draft has of its file's name: a name has at most 255 bytes, and a character up to four."""


class Draft:
    """A file that is being written. It is removed if it is not published."""

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self.path = path
        self.stream = stream

    def sync(self) -> None:
        """Writes the content to disk. Raises OSError."""
        self.stream.flush()
        os.fsync(self.stream.fileno())

    def publish(self, target: Path) -> None:
        """Syncs the content and gives the draft its name, in place of a file that has it. Raises OSError."""
        self.sync()
        self.path.replace(target)
        sync_folder(target.parent)


@contextmanager
def draft(path: Path, *, mode: int | None = None) -> Iterator[Draft]:
    """A draft in the folder of `path`, for a writer that decides about the name itself.

    `mode` are the permission bits, None means those of any new file. Raises OSError.
    """
    remove_leftovers(path.parent, glob.escape(path.name[:_LONGEST_NAME]))
    try:
        place, descriptor = _create(path, 0o666 if mode is None else 0o600)
        try:
            with os.fdopen(descriptor, "w+b") as stream:
                if mode is not None:
                    os.fchmod(descriptor, mode)
                yield Draft(place, stream)
        finally:
            with suppress(OSError):
                place.unlink()
    except OSError as error:
        if error.filename is None or str(error.filename).endswith(_SUFFIX):
            error.filename, error.filename2 = str(path), None
        raise


@contextmanager
def replacing(path: Path, *, mode: int | None = None) -> Iterator[BinaryIO]:
    """A stream whose content becomes the file when the block ends. After an error the old file is unchanged.

    The permission bits are `mode`, else those of the old file. A symbolic link stays one, and the file that it points
    to is replaced. A device or a pipe is written directly. Raises OSError, which names the file and not its draft.
    """
    try:
        old = path.stat()
    except FileNotFoundError:
        old = None
    if old is not None and not stat.S_ISREG(old.st_mode):
        with path.open("wb") as stream:
            yield stream
        return
    if mode is None and old is not None:
        mode = stat.S_IMODE(old.st_mode)
    target = Path(os.path.realpath(path))
    with draft(target, mode=mode) as new:
        yield new.stream
        new.publish(target)


def replace_file(path: Path, text: str, *, mode: int | None = None) -> None:
    """Writes text as a whole file in UTF-8, as `replacing` does. Raises ArchiveError (DiskFullError)."""
    try:
        with replacing(path, mode=mode) as file:
            file.write(text.encode())
    except OSError as error:
        raise archive_error(error, f"write {path}") from error


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder that gets its name when the block ends and all its files are on disk. It is removed after an error.

    Raises OSError: FileExistsError if something has that name at the end.
    """
    place = _draft_name(path)
    try:
        place.mkdir(parents=True)
        yield place
        for folder, _, names in os.walk(place):
            for name in names:
                _sync(Path(folder, name))
            sync_folder(Path(folder))
        if os.path.lexists(path):  # a rename would replace an empty folder
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        place.rename(path)
        sync_folder(path.parent)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Writes the names in a folder to disk; without this a new name can be lost in a power cut. Raises OSError."""
    try:
        _sync(folder)
    except OSError as error:
        # Some network file systems cannot sync a folder and have their own rules for names.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise


def remove_leftovers(folder: Path, names: str) -> None:
    """Removes the drafts of killed writers. `names` is a glob pattern for the names of the files they wrote."""
    for left in folder.glob(f".{names}.{'[0-9a-f]' * 2 * _RANDOM_BYTES}{_SUFFIX}"):
        # A living writer has the lock. NFS grants a lock only if the file is open for writing.
        with suppress(OSError), left.open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink(missing_ok=True)


def _create(path: Path, mode: int) -> tuple[Path, int]:
    """A new draft that is locked, and its descriptor. Raises OSError."""
    while True:
        place = _draft_name(path)
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
        with suppress(OSError):  # without locks nothing is removed as a leftover
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return place, descriptor
        os.close(descriptor)  # another writer has just removed it as a leftover, before it was locked


def _draft_name(path: Path) -> Path:
    return path.with_name(f".{path.name[:_LONGEST_NAME]}.{secrets.token_hex(_RANDOM_BYTES)}{_SUFFIX}")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
