"""What the records of other tools come in: files that are compressed with gzip, with Zstandard or not at all, and ZIP.

A WACZ is a ZIP file with WARC files in it. Each of them is a `Part` of its own, read where it lies if it is stored, as
WACZ demands; one that is deflated is unpacked into a temporary file first. A source that is a pipe is read into a
temporary file too, because it is read twice.
"""

from __future__ import annotations

import os
import shutil
import stat
import struct
import tempfile
import weakref
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import IO, BinaryIO, Protocol

from isal import isal_zlib

from danvan_crawler.exceptions import ArchiveDamagedError, UnsupportedSourceError, archive_error
from danvan_crawler.warc.members import GZIP_MAGIC, GzipMembers, Readable
from danvan_crawler.warc.zstd import DICTIONARY_MAGIC, FRAME_MAGIC, ZstdError, ZstdFrames, zstd_dictionary

READ_ERRORS: tuple[type[Exception], ...] = (
    ValueError,
    EOFError,
    isal_zlib.error,  # type: ignore[assignment]  # isal's stub calls it an instance
    ZstdError,
)
"""What reading the units of a container raises if they are damaged."""

_PIECE = 1 << 20
ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_WARC_SUFFIXES = (".warc", ".warc.gz", ".warc.zst", ".arc", ".arc.gz")


class Container(Enum):
    """How the bytes of a file are packed."""

    GZIP = "gzip"
    ZSTD = "Zstandard"
    PLAIN = "not compressed"


class View:
    """Some bytes of an open file, with a position of its own; the file's position is neither used nor moved."""

    def __init__(self, descriptor: int, start: int, size: int) -> None:
        self.size = size
        self._descriptor, self._start, self._position = descriptor, start, 0

    def again(self) -> View:
        """Another view of the same bytes, at their beginning."""
        return View(self._descriptor, self._start, self.size)

    def seek(self, offset: int, /) -> int:
        """Sets the position of the next byte."""
        self._position = offset
        return offset

    def read(self, size: int, /) -> bytes:
        """Up to so many of the next bytes; empty at the end. Raises OSError."""
        size = max(0, min(size, self.size - self._position))
        data = os.pread(self._descriptor, size, self._start + self._position) if size else b""
        self._position += len(data)
        return data

    def pieces(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes from `start` up to but not including `end`. Raises EOFError if the file has become shorter."""
        self.seek(start)
        while self._position < end:
            piece = self.read(min(_PIECE, end - self._position))
            if not piece:
                raise EOFError("the file has become shorter")
            yield piece

    def find(self, wanted: bytes, start: int) -> int | None:
        """Offset of the first occurrence at or after `start`; None if there is none."""
        overlap = len(wanted) - 1
        self.seek(start)
        before = b""
        while piece := self.read(_PIECE):
            data = before + piece
            found = data.find(wanted)
            if found >= 0:
                return self._position - len(data) + found
            before = data[-overlap:] if overlap else b""
        return None


class Units(Protocol):
    """The units of a container that are compressed by themselves, in order: gzip members, Zstandard frames."""

    offset: int
    """End of the consumed bytes of the file; after `peek`, the start of the next unit."""

    def peek(self) -> bytes:
        """Some of the next bytes of the file; empty at its end."""

    def pieces(self) -> Iterator[bytes]:
        """The decompressed unit at the current offset; it is checked only when the iterator is exhausted."""


class PlainUnit:
    """A file that is not compressed, as one unit."""

    def __init__(self, file: Readable, offset: int = 0) -> None:
        file.seek(offset)
        self.offset = offset
        self._file = file
        self._pending = b""

    def peek(self) -> bytes:
        """Some of the next bytes of the file; empty at its end."""
        self._pending = self._pending or self._file.read(_PIECE)
        return self._pending

    def pieces(self) -> Iterator[bytes]:
        """The bytes of the file."""
        while data := self.peek():
            self.offset += len(data)
            self._pending = b""
            yield data


def units_of(view: View, container: Container, offset: int = 0) -> Units:
    """The units from the byte `offset` on, where one begins. Raises READ_ERRORS."""
    if container is Container.GZIP:
        return GzipMembers(view.again(), offset)
    if container is Container.ZSTD:
        return ZstdFrames(view.again(), offset, zstd_dictionary(view.again()) if offset else None)
    return PlainUnit(view.again(), offset)


def container_of(beginning: bytes) -> Container:
    """How a file is packed that begins with these bytes."""
    if beginning.startswith(GZIP_MAGIC):
        return Container.GZIP
    if beginning.startswith((FRAME_MAGIC, DICTIONARY_MAGIC)):
        return Container.ZSTD
    return Container.PLAIN


class Copied:
    """A temporary file with a copy of what can be read only once. It is closed with this object."""

    def __init__(self, source: IO[bytes]) -> None:
        self.file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115
        weakref.finalize(self, self.file.close)
        shutil.copyfileobj(source, self.file, _PIECE)
        self.file.flush()


@dataclass(frozen=True, slots=True)
class Part:
    """A file, or a file inside of a ZIP file, that holds records."""

    path: Path
    """For people: of a file in a ZIP file the path of the ZIP file and the name in it."""
    file: Path
    start: int = 0
    size: int | None = None
    """Bytes from `start`; None for the whole file."""
    checksum: int | None = None
    """CRC-32 that the ZIP file states."""
    unpacked: Copied | None = field(default=None, compare=False)
    """A copy, if the content cannot be read where it lies."""

    @property
    def name(self) -> str:
        """File name; of a file in a ZIP file `<ZIP file>/<name in it>`."""
        return self.path.name if self.path == self.file else f"{self.file.name}/{self.path.relative_to(self.file)}"

    @contextmanager
    def open(self) -> Generator[View, None, None]:
        """The content. Raises ArchiveError."""
        try:
            with self.file.open("rb") if self.unpacked is None else nullcontext(self.unpacked.file) as opened:
                size = os.fstat(opened.fileno()).st_size if self.size is None else self.size
                yield View(opened.fileno(), self.start, size)
        except OSError as error:
            raise archive_error(error, f"read {self.path}") from error


def parts_of(path: Path) -> list[Part]:
    """The file itself, or the WARC files inside of it if it is a ZIP file.

    Raises ArchiveError, ArchiveDamagedError for a damaged ZIP file, and UnsupportedSourceError for one that holds no
    WARC file or one in a way that cannot be unpacked.
    """
    try:
        with path.open("rb", buffering=0) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return _parts(path, path, Copied(file))
        return _parts(path, path, None)
    except zipfile.BadZipFile as error:
        raise ArchiveDamagedError(f"{path} is damaged: as a ZIP file it cannot be read: {error}") from error
    except OSError as error:
        raise archive_error(error, f"read {path}") from error


def _parts(shown: Path, path: Path, unpacked: Copied | None) -> list[Part]:
    whole = Part(shown, path, unpacked=unpacked)
    with whole.open() as view:
        if view.read(4) not in ZIP_MAGICS:
            return [whole]
    found = []
    with zipfile.ZipFile(unpacked.file if unpacked is not None else path) as package:
        for entry in package.infolist():
            if entry.filename.lower().endswith(_WARC_SUFFIXES):
                found.append(_entry(shown, path, unpacked, package, entry))
    if not found:
        raise UnsupportedSourceError(f"{shown} is a ZIP file without a WARC file in it")
    return found


def _entry(shown: Path, path: Path, unpacked: Copied | None, package: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Part:
    name = shown / entry.filename
    if entry.flag_bits & 1:
        raise UnsupportedSourceError(f"{name} is encrypted")
    if entry.compress_type != zipfile.ZIP_STORED:
        try:
            with package.open(entry) as packed:
                return Part(name, path, unpacked=Copied(packed))
        except NotImplementedError as error:
            raise UnsupportedSourceError(f"{name} cannot be unpacked: {error}") from error
        except (zlib.error, EOFError) as error:
            raise ArchiveDamagedError(f"{name} is damaged: it cannot be unpacked: {error}") from error
    with Part(shown, path, unpacked=unpacked).open() as view:
        view.seek(entry.header_offset)
        head = view.read(_LOCAL_HEADER.size)
        if len(head) < _LOCAL_HEADER.size or not head.startswith(ZIP_MAGICS[0]):
            raise zipfile.BadZipFile(f"{entry.filename} is not at byte {entry.header_offset}")
        _, name_length, extra_length = _LOCAL_HEADER.unpack(head)
        start = entry.header_offset + _LOCAL_HEADER.size + name_length + extra_length
        if start + entry.file_size > view.size:
            raise zipfile.BadZipFile(f"it ends inside of {entry.filename}")
    return Part(name, path, start, entry.file_size, entry.CRC, unpacked)
