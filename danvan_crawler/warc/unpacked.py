"""The decompressed bytes of a container as one stream, which knows where units begin and can go on after damage."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from danvan_crawler.plurals import counted
from danvan_crawler.warc.arc import LINE, LINE_LIMIT
from danvan_crawler.warc.containers import READ_ERRORS, Container, View, units_of
from danvan_crawler.warc.conversion import VERSION_LINE, conform
from danvan_crawler.warc.members import GZIP_MAGIC, HEADER_LIMIT, parse_header
from danvan_crawler.warc.zstd import FRAME_MAGIC

_MAGICS = {Container.GZIP: GZIP_MAGIC, Container.ZSTD: FRAME_MAGIC}
_BLANK_LINE = re.compile(rb"\n\r?\n")
_LINE_END = re.compile(rb"\n")
_WARC_START = re.compile(rb"warc/\d\.\d{1,2}[ \t]*\r?\n", re.IGNORECASE)
_ARC_START = re.compile(rb"(?<=\n)[A-Za-z][A-Za-z0-9+.-]{0,30}:[^\r\n]* \S* \d{14} [^\r\n]*?\d+\r?\n")
_MISMATCH = "its length differs from its Content-Length"
_AHEAD = 128
"""Bytes that show whether a WARC record begins."""
_REREAD = 100
"""How often a unit is read again for records inside of a broken one; after that reading only goes forward."""


class Place(NamedTuple):
    """Where a record of a source begins."""

    unit: int
    """Byte of the file: of the record, or of the unit in which it is compressed."""
    inside: int
    """Byte of the decompressed unit; 0 in a file without compression."""

    def __str__(self) -> str:
        return f"byte {self.inside} of the data compressed at byte {self.unit}" if self.inside else f"byte {self.unit}"


class Unpacked:
    """The decompressed bytes of a file, from the unit at `offset` on.

    All functions raise READ_ERRORS if a unit is damaged.
    """

    def __init__(self, view: View, container: Container, *, is_arc: bool, offset: int = 0) -> None:
        self.is_corrupt = False
        """A unit cannot be decompressed, or its checksum is wrong; False for a file that just ends too early."""
        self._view, self._container, self._is_arc = view, container, is_arc
        self._units = units_of(view, container, offset)
        self._pieces: Iterator[bytes] | None = None
        self._pending = b""
        self._position = 0
        """Number of bytes before those in `_pending`."""
        self._bounds = deque([(0, offset)])
        """Positions at which units begin, and their offsets in the file, from that of the next byte on."""
        self._reread = 0

    @property
    def place(self) -> Place:
        """Of the next byte; call `more` first."""
        began, unit = self._bounds[0]
        inside = self._position - began
        return Place(unit + inside, 0) if self._container is Container.PLAIN else Place(unit, inside)

    @property
    def is_at_unit_start(self) -> bool:
        """Whether the next byte is the first of a unit; call `more` first."""
        return self._bounds[0][0] == self._position and self._container is not Container.PLAIN

    def more(self) -> bool:
        """Whether there is a next byte. Reads on if none waits, so a unit of which all was taken is checked."""
        while not self._pending:
            if not self._read():
                return False
        return True

    def ahead(self, size: int) -> bytes:
        """Up to so many of the next bytes of this unit, which stay the next ones; none at its end, which is checked."""
        while len(self._pending) < size and len(self._bounds) == 1 and self._read(same_unit=True):
            pass
        return self._pending[: min(size, self._left_in_unit())]

    def take(self, size: int) -> Iterator[bytes]:
        """The next `size` bytes in pieces. Raises EOFError if there are fewer, ValueError if another record begins."""
        while size:
            if not self.more():
                raise EOFError("the file ends inside it")
            if self.is_at_unit_start and self.begins_record():
                raise ValueError(self._mismatch)
            piece = self._pending[: min(size, self._left_in_unit())]
            self._drop(len(piece))
            size -= len(piece)
            yield piece

    def header(self) -> bytes:
        """The header of a WARC record with the empty line that ends it."""
        return self._drop(self._find(_BLANK_LINE, HEADER_LIMIT, "header"))

    def line(self) -> bytes:
        """A line with its end."""
        return self._drop(self._find(_LINE_END, LINE_LIMIT, "line"))

    def skip_line_breaks(self) -> bool:
        """Passes over line breaks; whether anything else follows."""
        while self.more():
            self._drop(len(self._pending) - len(self._pending.lstrip(b"\r\n")))
            if self._pending:
                return True
        return False

    def end_of_record(self, line_breaks: tuple[bytes, ...]) -> bool:
        """Passes over the line breaks that end a record; whether there are as many as there should be.

        Raises ValueError if the record does not end here: after more or fewer line breaks, the unit has to end or a
        record to begin.
        """
        count, should = 0, 1 if self._is_arc else 2
        while found := next((each for each in line_breaks if self.ahead(len(each)) == each), b""):
            self._drop(len(found))
            count += 1
        is_end = not self.ahead(1)
        if is_end or (self.begins_record() and (count or not self._is_arc)):
            return count == should
        if count == should and not self._is_arc:
            return True  # what follows is no record, but this one is complete
        raise ValueError(self._mismatch)

    @property
    def _mismatch(self) -> str:
        return "its length differs from that in its first line" if self._is_arc else _MISMATCH

    def begins_record(self) -> bool:
        """Whether the next bytes look like the beginning of a record."""
        if not self._is_arc:
            return VERSION_LINE.match(self.ahead(_AHEAD)) is not None
        size = _AHEAD
        while b"\n" not in (data := self.ahead(size)) and len(data) == size <= LINE_LIMIT:
            size *= 4
        return LINE.match(data) is not None

    def following(self, place: Place) -> Unpacked | None:
        """The bytes from the next record after a broken one at `place`; None if there is no other record.

        Use the result instead of this stream.
        """
        if self._container is Container.PLAIN:
            return self._at(place.unit + 1)._scanned()
        unit = place.unit
        if not self.is_corrupt:
            forward = self
            try:
                if self._reread < _REREAD:
                    forward = self._at(unit)
                    forward._reread = self._reread + 1
                    forward._pass(place.inside + 1)
                return forward._scanned()
            except READ_ERRORS:
                unit = max(unit, forward.place.unit)
        return self._next_unit(unit + 1)

    def _at(self, offset: int) -> Unpacked:
        return Unpacked(self._view, self._container, is_arc=self._is_arc, offset=offset)

    def _next_unit(self, start: int) -> Unpacked | None:
        """The bytes from the first readable unit at or after `start` that begins with a record."""
        magic = _MAGICS[self._container]
        offset = self._view.again().find(magic, start)
        while offset is not None:
            found = self._at(offset)
            try:
                if found.more() and found._is_record():
                    return found
            except READ_ERRORS:
                pass
            offset = self._view.again().find(magic, offset + 1)
        return None

    def _scanned(self) -> Unpacked | None:
        """This stream at the first byte from here on at which a record begins."""
        start = _ARC_START if self._is_arc else _WARC_START
        while self.more():
            if self.is_at_unit_start and self._is_record():
                return self
            found = start.search(self._pending, 0, self._left_in_unit())
            if found is not None:
                self._drop(found.start())
                if self._is_record():
                    return self
                self._drop(1)
            elif not self._widen():
                self._drop(self._left_in_unit())
        return None

    def _widen(self) -> bool:
        """Reads on in this unit, and keeps as much as the beginning of a record may have; whether there was more."""
        self._drop(max(0, self._left_in_unit() - (LINE_LIMIT if self._is_arc else _AHEAD)))
        return len(self._bounds) == 1 and self._read(same_unit=True)

    def _is_record(self) -> bool:
        """Whether a record begins here, with a header that can be read."""
        if self._is_arc:
            return self.begins_record()
        try:
            end = self._find(_BLANK_LINE, HEADER_LIMIT, "header")
            parse_header(conform(self._pending[:end]).header)
        except (ValueError, EOFError):
            return False
        return True

    def _find(self, end: re.Pattern[bytes], limit: int, what: str) -> int:
        """Number of the next bytes up to and with the first match of a pattern."""
        start = 0
        while (found := end.search(self._pending, start)) is None:
            waiting = len(self._pending)
            if waiting > limit:
                break
            start = max(0, waiting - 2)
            if not self._read():
                raise EOFError(f"it has no end of {what}")
            begins = LINE if self._is_arc else VERSION_LINE
            if self._bounds[-1][0] == self._position + waiting and waiting and begins.match(self._pending, waiting):
                raise ValueError(f"it has no end of {what}")
        if found is None or found.end() > limit:
            raise ValueError(f"its {what} has more than {counted(limit, 'byte')}")
        return found.end()

    def _left_in_unit(self) -> int:
        """How many of the waiting bytes belong to the unit of the next byte."""
        return len(self._pending) if len(self._bounds) == 1 else self._bounds[1][0] - self._position

    def _pass(self, size: int) -> None:
        while size and self.more():
            size -= len(self._drop(min(size, len(self._pending))))

    def _drop(self, size: int) -> bytes:
        """Takes so many of the waiting bytes."""
        data, self._pending = self._pending[:size], self._pending[size:]
        self._position += len(data)
        while len(self._bounds) > 1 and self._bounds[1][0] <= self._position:
            self._bounds.popleft()
        return data

    def _read(self, *, same_unit: bool = False) -> bool:
        """Adds to the waiting bytes; False at the end of the file or, if asked for, of the unit that is read."""
        while True:
            if self._pieces is not None:
                piece = self._piece(self._pieces)
                if piece:
                    self._pending += piece
                    return True
                if piece is not None:
                    continue
                self._pieces = None
            if same_unit or not self._units.peek():
                return False
            self._bounds.append((self._position + len(self._pending), self._units.offset))
            self._drop(0)
            self._pieces = self._units.pieces()

    def _piece(self, pieces: Iterator[bytes]) -> bytes | None:
        try:
            return next(pieces, None)
        except EOFError:
            raise
        except READ_ERRORS:
            self.is_corrupt = True
            raise
