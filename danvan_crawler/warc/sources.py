"""Reads WARC files of other tools: one gzip member per record, one member around several records, or no gzip.

Our own readers accept only the first form (`members`), because only there can a record be read by its offset and damage
be limited. Here all three are read and converted to that form. Records are not changed: version line, header and block
are copied byte for byte, and WARC/1.0 stays WARC/1.0. If a file has the right form already, even its gzip members are
copied unchanged.

Memory: one header and a piece of a block, whatever the size of a record.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import BinaryIO

from fastwarc.warc import HeaderMap
from isal import isal_zlib

from danvan_crawler.exceptions import ArchiveDamagedError, archive_error
from danvan_crawler.warc.members import (
    END_OF_HEADER,
    END_OF_RECORD,
    GZIP_MAGIC,
    HEADER_LIMIT,
    BrokenRecordError,
    GzipMembers,
    MemberWalker,
    parse_header,
)

_PIECE = 1 << 20
_GZIP = 16 + isal_zlib.MAX_WBITS


class Form(Enum):
    """How the records of a file are packed."""

    MEMBERS = "one gzip member per record"
    GZIPPED = "gzip around several records"
    PLAIN = "not compressed"


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """A record of a source. Read `packed` to its end, or not at all, before asking for the next record."""

    headers: HeaderMap
    offset: int
    """Offset in the file, or for GZIPPED in the decompressed data."""
    packed: Iterator[bytes]
    """The record as one gzip member, in pieces."""


def source_records(path: Path, form: Form, *, level: int = 2) -> Generator[SourceRecord, None, None]:
    """The records of a WARC file of this form; `level` is the ISA-L level for records that are compressed again.

    Raises ArchiveDamagedError with file and offset at the first incomplete record, and ArchiveError if the file cannot
    be read.
    """
    with _converted_errors(path, form), closing(path.open("rb", buffering=0)) as file:
        for record in _members(file) if form is Form.MEMBERS else _stream(file, form, level):
            yield SourceRecord(record.headers, record.offset, _packed_pieces(path, form, record))


def _packed_pieces(path: Path, form: Form, record: SourceRecord) -> Iterator[bytes]:
    """The pieces of `packed`; errors are converted like those between records."""
    with _converted_errors(path, form):
        try:
            yield from record.packed
        except (ValueError, EOFError, isal_zlib.error) as error:  # type: ignore[misc]  # isal's stub calls it an instance
            raise BrokenRecordError(record.offset, str(error)) from error


@contextmanager
def _converted_errors(path: Path, form: Form) -> Generator[None, None, None]:
    """Converts errors to ArchiveDamagedError and ArchiveError with the file's name."""
    try:
        yield
    except BrokenRecordError as error:
        where = f"byte {error.offset}" + (" of the decompressed data" if form is Form.GZIPPED else "")
        raise ArchiveDamagedError(f"{path} is damaged: no complete record at {where}: {error}") from error
    except OSError as error:
        raise archive_error(error, f"read {path}") from error


def form_of(path: Path) -> Form:
    """How the records of a file are packed, judged by its first member. Raises ArchiveError."""
    try:
        with closing(path.open("rb", buffering=0)) as file:
            if file.read(len(GZIP_MAGIC)) != GZIP_MAGIC:
                return Form.PLAIN
            try:
                MemberWalker(file).next(_no_block)
            except BrokenRecordError:
                return Form.GZIPPED
    except OSError as error:
        raise archive_error(error, f"read {path}") from error
    return Form.MEMBERS


def _no_block(headers: HeaderMap) -> bool:
    return False


def _members(file: BinaryIO) -> Iterator[SourceRecord]:
    walker = MemberWalker(file)
    while (member := walker.next(_no_block)) is not None:
        yield SourceRecord(member.headers, member.offset, _copy(file.fileno(), member.offset, member.end))


def _copy(descriptor: int, start: int, end: int) -> Iterator[bytes]:
    while start < end:
        piece = os.pread(descriptor, min(_PIECE, end - start), start)
        if not piece:
            raise BrokenRecordError(start, "the file has become shorter")
        start += len(piece)
        yield piece


class _Unpacked:
    """The decompressed bytes of a file; `offset` is the number of bytes read."""

    def __init__(self, file: BinaryIO, form: Form) -> None:
        self.offset = 0
        self._pending = b""
        self._pieces = _inflated(file) if form is Form.GZIPPED else _read(file)

    def take(self, size: int) -> Iterator[bytes]:
        """The next `size` bytes in pieces. Raises EOFError if there are fewer."""
        while size:
            if not self._pending:
                self._pending = next(self._pieces, b"")
                if not self._pending:
                    raise EOFError("the file ends inside it")
            piece, self._pending = self._pending[:size], self._pending[size:]
            size -= len(piece)
            self.offset += len(piece)
            yield piece

    def header(self) -> bytes | None:
        """The next record's header with the empty line that ends it; None at the end of the file."""
        data = self._pending
        while (end := data.find(END_OF_HEADER)) < 0:
            if len(data) > HEADER_LIMIT:
                raise ValueError("it has no end of header")
            piece = next(self._pieces, b"")
            if not piece and not data:
                return None
            if not piece:
                raise EOFError("the file ends inside it")
            data += piece
        end += len(END_OF_HEADER)
        self._pending = data[end:]
        self.offset += end
        return data[:end]


def _read(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(_PIECE):
        yield piece


def _inflated(file: BinaryIO) -> Iterator[bytes]:
    members = GzipMembers(file)
    while members.peek():
        yield from (piece for piece in members.pieces() if piece)


def _stream(file: BinaryIO, form: Form, level: int) -> Iterator[SourceRecord]:
    unpacked = _Unpacked(file, form)
    while True:
        start = unpacked.offset
        try:
            header = unpacked.header()
            if header is None:
                return
            headers = parse_header(header)
            rest = _until_end(unpacked, int(headers["Content-Length"]))
            yield SourceRecord(headers, start, _packed(header, rest, level))
            for _ in rest:  # the rest, if the caller did not read it
                pass
        except (ValueError, EOFError, isal_zlib.error) as error:  # type: ignore[misc]  # isal's stub calls it an instance
            raise BrokenRecordError(start, str(error)) from error


def _until_end(unpacked: _Unpacked, length: int) -> Iterator[bytes]:
    """Block and end of a record. Raises ValueError if the record does not end after `length` bytes."""
    yield from unpacked.take(length)
    end = b"".join(unpacked.take(len(END_OF_RECORD)))
    if end != END_OF_RECORD:
        raise ValueError("its length differs from its Content-Length")
    yield end


def _packed(header: bytes, rest: Iterator[bytes], level: int) -> Iterator[bytes]:
    compressor = isal_zlib.compressobj(level, isal_zlib.DEFLATED, _GZIP)
    yield compressor.compress(header)
    for piece in rest:
        yield compressor.compress(piece)
    yield compressor.flush()
