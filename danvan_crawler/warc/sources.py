"""WARC files as other tools write them: one gzip member per record, one member around all of them, or no gzip at all.

Our own readers take the first form alone (`members`), because only there can a record be reached by its offset and
damage be bounded. Here all three are read, to be brought into that form. A record is never taken apart: its version
line, its header and its block go on byte for byte, WARC/1.0 stays WARC/1.0, and of a file that has the right form even
the gzip members stay as they are.

Memory is that of one header and a piece of a block, whatever the size of a record.
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
    """A record of a source; `packed` has to be used up, or left alone, before the next one is asked for."""

    headers: HeaderMap
    offset: int
    """Where it begins: in the file, or for GZIPPED in what the file unpacks to."""
    packed: Iterator[bytes]
    """The record as one gzip member, in pieces."""


def source_records(path: Path, form: Form, *, level: int = 2) -> Generator[SourceRecord, None, None]:
    """The records of a WARC file of this form; `level` is ISA-L's, for those that are packed anew.

    Raises ArchiveDamagedError, naming file and byte, at the first bytes that are no complete record, and ArchiveError
    when the file cannot be read.
    """
    with _naming(path, form), closing(path.open("rb", buffering=0)) as file:
        for record in _members(file) if form is Form.MEMBERS else _stream(file, form, level):
            yield SourceRecord(record.headers, record.offset, _with_names(path, form, record))


def _with_names(path: Path, form: Form, record: SourceRecord) -> Iterator[bytes]:
    """What `packed` gives, with errors that are met there told like those between records."""
    with _naming(path, form):
        try:
            yield from record.packed
        except (ValueError, EOFError, isal_zlib.error) as error:  # type: ignore[misc]  # isal's stub calls it an instance
            raise BrokenRecordError(record.offset, str(error)) from error


@contextmanager
def _naming(path: Path, form: Form) -> Generator[None, None, None]:
    try:
        yield
    except BrokenRecordError as error:
        where = f"byte {error.offset}" + (" of what it unpacks to" if form is Form.GZIPPED else "")
        raise ArchiveDamagedError(f"{path} is damaged: no complete record at {where}: {error}") from error
    except OSError as error:
        raise archive_error(error, f"read {path}") from error


def form_of(path: Path) -> Form:
    """How the records of a file are packed, as far as its first member tells. Raises ArchiveError."""
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
    """The bytes of a file without its gzip; `offset` counts what was taken."""

    def __init__(self, file: BinaryIO, form: Form) -> None:
        self.offset = 0
        self._pending = b""
        self._pieces = _inflated(file) if form is Form.GZIPPED else _read(file)

    def take(self, size: int) -> Iterator[bytes]:
        """The next `size` bytes in pieces. Raises EOFError when there are fewer."""
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
            for _ in rest:  # what the caller left
                pass
        except (ValueError, EOFError, isal_zlib.error) as error:  # type: ignore[misc]  # isal's stub calls it an instance
            raise BrokenRecordError(start, str(error)) from error


def _until_end(unpacked: _Unpacked, length: int) -> Iterator[bytes]:
    """Block and end of a record. Raises ValueError when it does not end where its length says."""
    yield from unpacked.take(length)
    end = b"".join(unpacked.take(len(END_OF_RECORD)))
    if end != END_OF_RECORD:
        raise ValueError("its length is not what its header says")
    yield end


def _packed(header: bytes, rest: Iterator[bytes], level: int) -> Iterator[bytes]:
    compressor = isal_zlib.compressobj(level, isal_zlib.DEFLATED, _GZIP)
    yield compressor.compress(header)
    for piece in rest:
        yield compressor.compress(piece)
    yield compressor.flush()
