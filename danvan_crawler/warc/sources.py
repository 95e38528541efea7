"""Records of files that other tools wrote: WARC/1.1, 1.0, 0.18 and 0.17, and ARC, in every container.

Our own readers accept only one gzip member per record (`members`), because only there can a record be read by its
offset and damage be limited. Here all forms are read and converted to that one. A member that has the right form
already is copied as it is. Otherwise the record is compressed again: block byte for byte, header byte for byte unless
the standard demands something else (`conversion`, `arc`).

A record is given out when all of it was read, and the checksum of what it was compressed in, if it ends there. What
cannot be read is passed over, and reading goes on at the next complete record.

Memory: 8 MiB of a record; the rest of a larger one is in a temporary file.
"""

from __future__ import annotations

import base64
import hashlib
import re
import weakref
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import NamedTuple

from fastwarc.warc import HeaderMap
from isal import isal_zlib

from danvan_crawler.exceptions import ArchiveDamagedError, UnsupportedSourceError, archive_error
from danvan_crawler.warc.arc import LINE, VERSION_BLOCK, ArcFile, parse_line
from danvan_crawler.warc.containers import READ_ERRORS, ZIP_MAGICS, Container, Part, View, container_of
from danvan_crawler.warc.conversion import VERSION_LINE, UnsupportedVersionError, conform
from danvan_crawler.warc.members import END_OF_RECORD, BrokenRecordError, GzipMembers, MemberWalker, parse_header
from danvan_crawler.warc.unpacked import Place, Unpacked
from danvan_crawler.warc.zstd import MissingDictionaryError

_LENGTH = re.compile(rb"(?im)^Content-Length:[ \t]*(\d{1,18})[ \t]*\r?$")
_GZIP = 16 + isal_zlib.MAX_WBITS
_PIECE = 1 << 20
_IN_MEMORY = 8 << 20
_EITHER = (b"\n", b"\r\n")
_BEGINNING = 4096
"""Bytes of a block that show what it is."""


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """A complete record of a source. Read block and `packed` before asking for the next record, or not at all."""

    headers: HeaderMap
    """Of the converted record."""
    place: Place
    version: str
    """Of the source: `WARC/1.0`, `ARC 1.1`, …"""
    changes: tuple[str, ...]
    """What was converted; nothing if the record is unchanged."""
    block: Callable[[], Iterator[bytes]]
    """The block in pieces, as often as needed."""
    packed: Iterator[bytes]
    """The record as one gzip member, in pieces."""

    @property
    def offset(self) -> int:
        """Byte of the source at which the record begins, or that in which it is compressed."""
        return self.place.unit


class Gap(NamedTuple):
    """A place of a source at which no record could be read."""

    place: Place
    reason: str


def source_records(
    source: Part | Path, *, level: int = 2, on_gap: Callable[[Gap], None] | None = None
) -> Generator[SourceRecord, None, None]:
    """The records of a source; `level` is the ISA-L level for records that are compressed again.

    `on_gap` is called for every record that cannot be read. Without it the first one raises ArchiveDamagedError with
    its place. Raises UnsupportedSourceError for what is neither WARC nor ARC, or too old, ArchiveDamagedError if
    records cannot be told from damage, and ArchiveError if the file cannot be read.
    """
    part = Part(source, source) if isinstance(source, Path) else source

    def gap(place: Place, reason: str) -> None:
        if on_gap is None:
            raise ArchiveDamagedError(f"{part.path} is damaged: no complete record at {place}: {reason}")
        on_gap(Gap(place, reason))

    with part.open() as view, _with_name(part):
        beginning = view.read(_BEGINNING)
        if beginning:
            yield from _Reader(view, container_of(beginning), level, gap).records()


def is_archive(path: Path) -> bool:
    """Whether a file is of a kind that `source_records` reads, or of an older version, by how it begins.

    Raises ArchiveError, and ArchiveDamagedError and UnsupportedSourceError for a ZIP file.
    """
    with Part(path, path).open() as view:
        beginning = view.read(_BEGINNING)
        if beginning.startswith(ZIP_MAGICS):
            return True
        try:
            unpacked = Unpacked(view, container_of(beginning), is_arc=False)
            unpacked.skip_line_breaks()
            data = unpacked.ahead(_BEGINNING)
        except READ_ERRORS:
            return False
    return VERSION_LINE.match(data) is not None or data.startswith(VERSION_BLOCK) or LINE.match(data) is not None


@contextmanager
def _with_name(part: Part) -> Generator[None, None, None]:
    """Puts the name of the source before errors, and converts those of the file system."""
    try:
        yield
    except _UnsupportedError as error:
        raise UnsupportedSourceError(f"{part.path}: {error}") from error
    except BrokenRecordError as error:
        raise ArchiveDamagedError(f"{part.path} is damaged: {error}") from error
    except OSError as error:
        raise archive_error(error, f"read {part.path}") from error


class _UnsupportedError(Exception):
    pass


class _PassedOverError(Exception):
    """A record that cannot be used, after all of which was read."""


class _Reader:
    def __init__(self, view: View, container: Container, level: int, gap: Callable[[Place, str], None]) -> None:
        self._view, self._container, self._level, self._gap = view, container, level, gap
        self._arc: ArcFile | None = None
        self._is_known = False
        """A complete record was read, so that the kind of file is certain."""

    def records(self) -> Iterator[SourceRecord]:
        """All records."""
        self._recognise()
        offset: int | None = 0
        while offset is not None:
            if self._container is Container.GZIP and self._arc is None:
                offset = yield from self._members(offset)
            if offset is not None:
                offset = yield from self._stream(offset)

    def _unpacked(self, offset: int = 0) -> Unpacked:
        return Unpacked(self._view, self._container, is_arc=self._arc is not None, offset=offset)

    def _recognise(self) -> None:
        """Decides between WARC and ARC. Raises _UnsupportedError."""
        unpacked = self._unpacked()
        try:
            if not unpacked.skip_line_breaks():
                return
            data = unpacked.ahead(_BEGINNING)
        except MissingDictionaryError as error:
            raise _UnsupportedError(str(error)) from error
        except READ_ERRORS:
            return  # damaged where it begins; there may be records after that
        if VERSION_LINE.match(data):
            try:
                conform(data.partition(b"\n")[0] + b"\n\r\n")
            except UnsupportedVersionError as error:
                raise _UnsupportedError(str(error)) from error
        elif data.startswith(VERSION_BLOCK) or LINE.match(data):
            self._arc = ArcFile()
        elif unpacked.following(Place(0, 0)) is None:
            raise _UnsupportedError(f"it is neither WARC nor ARC nor WACZ: it begins with {data[:16]!r}")

    def _members(self, offset: int) -> Generator[SourceRecord, None, int | None]:
        """Records that are one gzip member each; gives the offset of what is not, or None at the end."""
        while True:
            try:
                member = MemberWalker(self._view, offset).next(lambda headers: False)
                if member is None:
                    return None
                if conform(member.header).changes:
                    return offset
            except (BrokenRecordError, ValueError):
                return offset
            self._is_known = True
            yield SourceRecord(
                member.headers,
                Place(offset, 0),
                member.header[:8].decode(),
                (),
                lambda start=offset, member=member: _block_of_member(  # type: ignore[misc]
                    self._view.again(), start, len(member.header), int(member.headers["Content-Length"])
                ),
                self._copied(offset, member.end),
            )
            offset = member.end

    def _copied(self, start: int, end: int) -> Iterator[bytes]:
        try:
            yield from self._view.again().pieces(start, end)
        except EOFError as error:
            raise BrokenRecordError(start, f"no complete record at byte {start}: {error}") from error

    def _stream(self, offset: int) -> Generator[SourceRecord, None, int | None]:
        """Records in whatever form, until the next gzip member after one of them, whose offset it gives."""
        unpacked: Unpacked | None = self._unpacked(offset)
        is_first = True
        while unpacked is not None:
            begin: Place | None = None
            try:
                if not unpacked.more():
                    return None
                begin = unpacked.place
                if not is_first and self._may_be_member(unpacked):
                    return begin.unit
                is_first = False
                record = self._read(unpacked)
                if record is None:
                    return None
                self._is_known = True
                yield record
                continue
            except _PassedOverError as error:
                self._gap(begin or unpacked.place, str(error))
                continue
            except UnsupportedVersionError as error:
                if not self._is_known:
                    raise _UnsupportedError(str(error)) from error
                reason = str(error)
            except MissingDictionaryError as error:
                raise _UnsupportedError(str(error)) from error
            except READ_ERRORS as error:
                reason = f"what is compressed there cannot be read: {error}" if unpacked.is_corrupt else str(error)
            place = begin or unpacked.place
            if unpacked.is_corrupt and place.inside:
                raise BrokenRecordError(
                    place.unit,
                    f"what is compressed at byte {place.unit} holds several records and cannot be read to its end:"
                    f" {reason}",
                )
            self._gap(place, reason)
            unpacked = unpacked.following(place)
        return None

    def _may_be_member(self, unpacked: Unpacked) -> bool:
        return self._container is Container.GZIP and self._arc is None and unpacked.is_at_unit_start

    def _read(self, unpacked: Unpacked) -> SourceRecord | None:
        """The next record; None if there are only line breaks. Raises READ_ERRORS."""
        if not unpacked.skip_line_breaks():
            return None
        place = unpacked.place
        return self._read_warc(unpacked, place) if self._arc is None else self._read_arc(unpacked, place, self._arc)

    def _read_warc(self, unpacked: Unpacked, place: Place) -> SourceRecord:
        raw = unpacked.header()
        converted = conform(raw)
        try:
            headers = parse_header(converted.header)
        except ValueError as error:
            self._pass(unpacked, raw)
            raise _PassedOverError(str(error)) from error
        block = _Spool(unpacked.take(int(headers["Content-Length"])))
        changes = converted.changes
        if not unpacked.end_of_record(_line_breaks(raw)):
            changes += ("end of record",)
        found = VERSION_LINE.match(raw)
        version = f"WARC/{int(found[1])}.{int(found[2])}" if found else ""
        return self._record(headers, place, version, changes, converted.header, block)

    def _pass(self, unpacked: Unpacked, header: bytes) -> None:
        """Passes over the block of a record whose header is invalid. Raises READ_ERRORS, ValueError for no length."""
        length = _LENGTH.search(header)
        if length is None:
            raise ValueError("it has no Content-Length")
        for _ in unpacked.take(int(length[1])):
            pass
        unpacked.end_of_record(_line_breaks(header))

    def _read_arc(self, unpacked: Unpacked, place: Place, arc: ArcFile) -> SourceRecord:
        line = parse_line(unpacked.line(), arc.version)
        block = _Spool(unpacked.take(line.length))
        unpacked.end_of_record(_EITHER)
        try:
            header = arc.warc_header(line, block.beginning, block.digest)
        except ValueError as error:
            raise _PassedOverError(str(error)) from error
        return self._record(parse_header(header), place, f"ARC {arc.version}", (), header, block)

    def _record(
        self, headers: HeaderMap, place: Place, version: str, changes: tuple[str, ...], header: bytes, block: _Spool
    ) -> SourceRecord:
        packed = _compressed(chain([header], block.pieces(), [END_OF_RECORD]), self._level)
        return SourceRecord(headers, place, version, changes, block.pieces, packed)


class _Spool:
    """A block that was read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  # closed with this object
        weakref.finalize(self, self._file.close)
        digest = hashlib.sha1(usedforsecurity=False)
        for piece in pieces:
            digest.update(piece)
            self._file.write(piece)
        self.digest = "sha1:" + base64.b32encode(digest.digest()).decode("ascii")
        self._file.seek(0)
        self.beginning = self._file.read(_BEGINNING)

    def pieces(self) -> Iterator[bytes]:
        """The bytes of the block."""
        self._file.seek(0)
        while piece := self._file.read(_PIECE):
            yield piece


def _compressed(pieces: Iterator[bytes], level: int) -> Iterator[bytes]:
    compressor = isal_zlib.compressobj(level, isal_zlib.DEFLATED, _GZIP)
    for piece in pieces:
        yield compressor.compress(piece)
    yield compressor.flush()


def _block_of_member(view: View, offset: int, start: int, length: int) -> Iterator[bytes]:
    """The block of a record that is a gzip member, and begins `start` bytes into it."""
    for piece in GzipMembers(view, offset).pieces():
        kept = piece[start : start + length]
        start = max(0, start - len(piece))
        length -= len(kept)
        if kept:
            yield kept


def _line_breaks(header: bytes) -> tuple[bytes, ...]:
    """The line breaks that may end a record with this header.

    Not both after a header with CR LF: then a block that is a byte too long would pass for a complete one.
    """
    return (b"\r\n",) if b"\r\n" in header else _EITHER
