"""Frames of a Zstandard-compressed file, with the dictionary that a `.warc.zst` brings along.

Source: "Zstandard Compression for WARC Files 1.0" of the IIPC (proposed). A file may begin with a skippable frame of
magic number 0x184D2A5D, which holds the dictionary, compressed or not; other skippable frames mean nothing. Two things
that the proposal forbids are read as well: a frame that holds several records, and a dictionary in the middle, as in
files that were put together from several.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from danvan_crawler.plurals import counted
from danvan_crawler.warc.members import Readable

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdDecompressor, ZstdDict, ZstdError, get_frame_info
else:
    from backports.zstd import ZstdDecompressor, ZstdDict, ZstdError, get_frame_info

__all__ = ["DICTIONARY_MAGIC", "FRAME_MAGIC", "MissingDictionaryError", "ZstdError", "ZstdFrames", "zstd_dictionary"]

FRAME_MAGIC = b"\x28\xb5\x2f\xfd"
DICTIONARY_MAGIC = b"\x5d\x2a\x4d\x18"

_READ = 1 << 16
_PIECE = 1 << 20
_HEADER = 18
"""Bytes that a frame's header has at most."""
_SKIPPABLE = range(0x184D2A50, 0x184D2A60)
_FORMATTED = b"\x37\xa4\x30\xec"
_DICTIONARY_LIMIT = 32 << 20
"""Bytes; the proposal lets readers refuse more than 8 MiB."""


class MissingDictionaryError(ZstdError):
    """A frame was compressed with a dictionary that the file does not hold."""


class ZstdFrames:
    """The frames of a file as decompressed bytes, beginning at the byte `offset`; like `members.GzipMembers`."""

    def __init__(self, file: Readable, offset: int = 0, dictionary: ZstdDict | None = None) -> None:
        file.seek(offset)
        self.offset = offset
        """End of the consumed bytes of the file; after `peek`, the start of the next frame with data."""
        self._file = file
        self._pending = b""
        self._dictionary = dictionary

    def peek(self) -> bytes:
        """Some of the next bytes of the file, from a frame with data on; empty at its end.

        Raises EOFError if the file ends inside a skippable frame, and ZstdError for an unreadable dictionary.
        """
        while len(self._fill(8)) >= 8 and int.from_bytes(self._pending[:4], "little") in _SKIPPABLE:
            is_dictionary = self._pending.startswith(DICTIONARY_MAGIC)
            size = int.from_bytes(self._pending[4:8], "little")
            if is_dictionary and size > _DICTIONARY_LIMIT:
                raise ZstdError(f"its dictionary has {counted(size, 'byte')}, more than {_DICTIONARY_LIMIT}")
            self._take(8)
            content = b"".join(self._pieces_of(size, keep=is_dictionary))
            if is_dictionary:
                self._dictionary = _dictionary_in(content)
        return self._pending

    def pieces(self) -> Iterator[bytes]:
        """The decompressed frame at the current offset, in pieces; checked only when the iterator is exhausted.

        Raises EOFError if the file ends inside the frame, and ZstdError if it cannot be decompressed.
        """
        self._check_dictionary(self._fill(_HEADER))
        decompressor = ZstdDecompressor(zstd_dict=self._dictionary)
        while not decompressor.eof:
            if decompressor.needs_input:
                data = self._take(len(self._fill(1)))
                piece = decompressor.decompress(data, _PIECE)
                if not data and not piece:
                    raise EOFError("the file ends inside it")
            else:
                piece = decompressor.decompress(b"", _PIECE)
            if decompressor.eof:
                self._pending = decompressor.unused_data + self._pending
                self.offset -= len(decompressor.unused_data)
            yield piece

    def _check_dictionary(self, header: bytes) -> None:
        wanted = get_frame_info(header).dictionary_id
        have = self._dictionary.dict_id if self._dictionary is not None else 0
        if wanted and wanted != have:
            raise MissingDictionaryError(f"it needs the dictionary {wanted}, which the file does not hold")

    def _pieces_of(self, size: int, *, keep: bool) -> Iterator[bytes]:
        while size:
            piece = self._take(min(size, len(self._fill(1))))
            if not piece:
                raise EOFError("the file ends inside a skippable frame")
            size -= len(piece)
            if keep:
                yield piece

    def _fill(self, size: int) -> bytes:
        """Reads until so many bytes wait, or the file ends."""
        while len(self._pending) < size and (data := self._file.read(_READ)):
            self._pending += data
        return self._pending

    def _take(self, size: int) -> bytes:
        data, self._pending = self._pending[:size], self._pending[size:]
        self.offset += len(data)
        return data


def zstd_dictionary(file: Readable) -> ZstdDict | None:
    """The dictionary at the beginning of a file; None if it has none. Raises EOFError and ZstdError."""
    frames = ZstdFrames(file)
    frames.peek()
    return frames._dictionary


def _dictionary_in(content: bytes) -> ZstdDict:
    """The dictionary in the content of its frame. Raises ZstdError."""
    if content.startswith(FRAME_MAGIC):
        decompressor = ZstdDecompressor()
        content = decompressor.decompress(content, _DICTIONARY_LIMIT)
        if not decompressor.eof:
            raise ZstdError(f"its dictionary is not complete, or larger than {_DICTIONARY_LIMIT} bytes")
    if not content.startswith(_FORMATTED):
        raise ZstdError("its dictionary frame holds no dictionary")
    try:
        return ZstdDict(content)
    except ValueError as error:
        raise ZstdError(f"its dictionary cannot be read: {error}") from error
