"""Reads the gzip members of a WARC file in order, and checks that each is one complete record.

Other readers hide damage: `warcio check` accepts a truncated file, warcio stops silently at corruption in the middle,
and FastWARC 2.0 yields a last record whose block was cut short. So the members are read here: each must decompress to
its end with a correct checksum, and must contain a header, a block of Content-Length bytes and CRLFCRLF, nothing more.
FastWARC parses the headers. One pass is enough, and it is no slower than FastWARC's iterator (1,000 pages of 57 KB with
their requests: 0.12 s against 0.13 s).

Memory: one block if the caller needs the block, else about a megabyte.
"""

from __future__ import annotations

import contextlib
import mmap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO, Protocol

from fastwarc.warc import HeaderMap
from isal import isal_zlib

from danvan_crawler.plurals import counted

_GZIP = 16 + isal_zlib.MAX_WBITS
GZIP_MAGIC = b"\x1f\x8b\x08"
_READ = 1 << 16
_PIECE = 1 << 20
HEADER_LIMIT = 1 << 16
END_OF_HEADER = b"\r\n\r\n"
END_OF_RECORD = b"\r\n\r\n"
_MANDATORY = ("WARC-Type", "WARC-Record-ID", "WARC-Date", "Content-Length")


class BrokenRecordError(Exception):
    """The bytes at `offset` are not a complete record; the message is the reason."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.offset = offset


class Readable(Protocol):
    """Bytes that can be read from any position: an open file, or a part of one."""

    def read(self, size: int, /) -> bytes:
        """Up to so many of the next bytes; empty at the end."""

    def seek(self, offset: int, /) -> object:
        """Sets the position of the next byte."""


@dataclass(frozen=True, slots=True)
class Member:
    """A complete record, and its byte range in the file: `offset` up to but not including `end`."""

    header: bytes
    """The record's header with the empty line that ends it."""
    headers: HeaderMap
    offset: int
    end: int
    block: bytes | None
    """None if the caller did not ask for it."""


def _never(headers: HeaderMap) -> bool:
    return False


def _always(headers: HeaderMap) -> bool:
    return True


class GzipMembers:
    """The gzip members of an open file as decompressed bytes, beginning at the byte `offset`.

    `on_read` is called with every piece that is read from the file.
    """

    def __init__(self, file: Readable, offset: int = 0, on_read: Callable[[bytes], None] | None = None) -> None:
        file.seek(offset)
        self.offset = offset
        """End of the consumed bytes of the file; between two members, the start of the next."""
        self._file = file
        self._on_read = on_read
        self._pending = b""

    def peek(self) -> bytes:
        """Some of the next bytes of the file; empty at its end."""
        if not self._pending:
            self._pending = self._file.read(_READ)
            if self._on_read is not None:
                self._on_read(self._pending)
        return self._pending

    def pieces(self) -> Iterator[bytes]:
        """The decompressed member at the current offset, in pieces; checked only when the iterator is exhausted.

        Raises EOFError if the file ends inside the member, and isal_zlib.error if the bytes are not a gzip member or
        the checksum is wrong.
        """
        decompressor = isal_zlib.decompressobj(_GZIP)
        while not decompressor.eof:
            data = self.peek()
            piece = decompressor.decompress(data, _PIECE)
            self._pending = decompressor.unused_data if decompressor.eof else decompressor.unconsumed_tail
            self.offset += len(data) - len(self._pending)
            if not data and not piece and not decompressor.eof:
                raise EOFError("the file ends inside it")
            yield piece


class MemberWalker:
    """Reads the records of an open WARC file from the byte `offset` on, where a gzip member must begin."""

    def __init__(self, file: Readable, offset: int = 0) -> None:
        self._members = GzipMembers(file, offset)

    def next(self, wants_block: Callable[[HeaderMap], bool] = _always) -> Member | None:
        """The next record; None at the end of the file. Raises BrokenRecordError if there is no complete record.

        `wants_block` decides by the header whether the block is returned; it is always checked.
        """
        start = self._members.offset
        if not self._members.peek():
            return None
        try:
            header, headers, block = _read_record(self._members.pieces(), wants_block)
        except (ValueError, EOFError, isal_zlib.error) as error:  # type: ignore[misc]  # isal's stub calls it an instance
            raise BrokenRecordError(start, str(error)) from error
        return Member(header, headers, start, self._members.offset, block)


def complete_record_after(file: BinaryIO, start: int, size: int) -> int | None:
    """Offset of the first complete record at or after byte `start` of a file of `size` bytes; None if there is none."""
    if start >= size:
        return None
    with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as view:
        offset = view.find(GZIP_MAGIC, start)
        while offset >= 0:
            with contextlib.suppress(BrokenRecordError):
                MemberWalker(file, offset).next(_never)
                return offset
            offset = view.find(GZIP_MAGIC, offset + 1)
    return None


def _read_record(
    pieces: Iterator[bytes], wants_block: Callable[[HeaderMap], bool]
) -> tuple[bytes, HeaderMap, bytes | None]:
    """Header, its fields and block of the single record in a member.

    Raises ValueError if it is not a complete record.
    """
    data = b""
    header_end = -1
    while header_end < 0:
        if len(data) > HEADER_LIMIT:
            raise ValueError("it has no end of header")
        piece = next(pieces, None)
        if piece is None:
            raise ValueError("it has no end of header")
        data += piece
        header_end = data.find(END_OF_HEADER)
    block_start = header_end + len(END_OF_HEADER)
    header = data[:block_start]
    headers = parse_header(header)
    expected = int(headers["Content-Length"]) + len(END_OF_RECORD)
    keep = wants_block(headers)

    kept = [data[block_start:]]
    size = len(kept[0])
    tail = kept[0][-len(END_OF_RECORD) :]
    for piece in pieces:
        size += len(piece)
        tail = (tail + piece)[-len(END_OF_RECORD) :]
        if keep:
            kept.append(piece)
    if size != expected or tail != END_OF_RECORD:
        raise ValueError("its length differs from its Content-Length")
    return header, headers, b"".join(kept)[: -len(END_OF_RECORD)] if keep else None


def parse_header(header: bytes) -> HeaderMap:
    """The named fields of a record's header, which ends with an empty line. Raises ValueError if it is invalid."""
    if not header.startswith(b"WARC/1."):
        raise ValueError("it is not a WARC record")
    headers = HeaderMap()
    try:
        headers.parse(BytesIO(header))
    except OSError as error:
        raise ValueError(f"its header of {counted(len(header), 'byte')} is too long: 32,768 can be read") from error
    for name in _MANDATORY:
        if name not in headers:
            raise ValueError(f"it has no {name}")
    length = headers["Content-Length"].strip()
    if not (length.isascii() and length.isdigit() and len(length) < 19):
        raise ValueError(f"its Content-Length is {length!r}")
    return headers
