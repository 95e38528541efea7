"""Checks a record's block piece by piece, in constant memory.

The entity of a response is extracted independently of `warc.message`, so that a mistake in writing is not repeated in
checking; a test compares both. Only the HTTP head is kept, up to a megabyte.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from copy import copy
from typing import Any

HEAD_LIMIT = 1 << 20
_BLANK_LINE = re.compile(rb"\n\r?\n")
_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?", re.DOTALL)
_SIZE_BEGUN = re.compile(rb"[ \t]*[0-9A-Fa-f]{0,15}[ \t]*(?:;.*)?\r?", re.DOTALL)
_SIZE_LIMIT = 1 << 16
_STATUS = re.compile(rb"HTTP/\d+(?:\.\d+)?[ \t]+(\d{3})(?!\d)", re.IGNORECASE)
_ALGORITHMS = {"sha1": "sha1", "sha256": "sha256", "sha512": "sha512", "md5": "md5"}


class Digest:
    """A digest as stated in a record, to be compared with that of the bytes taken."""

    def __init__(self, stated: str) -> None:
        algorithm, _, self._value = stated.partition(":")
        name = _ALGORITHMS.get(algorithm.lower().replace("-", ""))
        self.known = name is not None
        self._hash: Any = hashlib.new(name or "md5", usedforsecurity=False)

    def update(self, data: bytes | memoryview) -> None:
        """Takes the next bytes."""
        if self.known:
            self._hash.update(data)

    def copy(self) -> Digest:
        """A copy with the same state."""
        other = copy(self)
        other._hash = self._hash.copy()
        return other

    def matches(self) -> bool:
        """Whether the stated value, in base32 or base16, is the digest of the bytes taken."""
        digest: bytes = self._hash.digest()
        if len(self._value) == 2 * len(digest):
            try:
                return binascii.unhexlify(self._value) == digest
            except ValueError:
                return False
        return base64.b32encode(digest).decode().rstrip("=") == self._value.upper().rstrip("=")


class Dechunker:
    """Removes the chunked framing of a body that comes in pieces."""

    def __init__(self) -> None:
        self.complete = False
        """The last chunk was read."""
        self.malformed = False
        """The framing is invalid; the rest is not read."""
        self._line = b""
        self._left = 0
        self._in_end = False

    def feed(self, data: bytes) -> list[memoryview]:
        """The parts of the entity in the next piece."""
        parts: list[memoryview] = []
        position = 0
        view = memoryview(data)
        while position < len(data) and not (self.complete or self.malformed):
            if self._left:
                part = view[position : position + self._left]
                parts.append(part)
                position += len(part)
                self._left -= len(part)
                self._in_end = not self._left
                continue
            end = data.find(b"\n", position) + 1
            self._line += data[position : end or len(data)]
            position = end or len(data)
            if self._in_end:
                self._take_end()
            elif end:
                self._take_size()
            elif len(self._line) > _SIZE_LIMIT:
                self.malformed = True
        return parts

    @property
    def cut_short(self) -> bool:
        """Whether the framing is valid so far but incomplete."""
        return not (self.complete or self.malformed) and (self._in_end or bool(_SIZE_BEGUN.fullmatch(self._line)))

    def _take_end(self) -> None:
        """After a chunk comes a line break and nothing else."""
        if self._line in (b"\r\n", b"\n"):
            self._line, self._in_end = b"", False
        elif self._line != b"\r":
            self.malformed = True

    def _take_size(self) -> None:
        size = _SIZE.fullmatch(self._line.removesuffix(b"\n").removesuffix(b"\r"))
        self._line = b""
        if size is None:
            self.malformed = True
        elif int(size[1], 16) == 0:
            self.complete = True
        else:
            self._left = int(size[1], 16)


class HttpBody:
    """The body of a response in pieces: extracts the entity, and detects a truncated body."""

    def __init__(self, head: bytes) -> None:
        status = _STATUS.match(head)
        self.status = int(status[1]) if status else None
        codings = b",".join(_values(head, b"transfer-encoding")).lower()
        self._chunked = Dechunker() if codings.rpartition(b",")[2].strip() == b"chunked" else None
        self._bodiless = self.status is not None and (self.status in (204, 304) or 100 <= self.status < 200)
        self._announced = None if codings else _length(_values(head, b"content-length"))
        self._seen = 0

    def feed(self, data: bytes) -> list[memoryview]:
        """The parts of the entity in the next piece."""
        before = self._seen
        self._seen += len(data)
        if self._bodiless:
            return []
        if self._chunked is not None:
            return self._chunked.feed(data)
        if self._announced is None:
            return [memoryview(data)]
        return [memoryview(data)[: max(0, self._announced - before)]]

    @property
    def cut_short(self) -> bool:
        """Whether the message is shorter than its own framing or Content-Length states."""
        if self._bodiless:
            return False
        if self._chunked is not None:
            return self._chunked.cut_short
        return self._announced is not None and self._seen < self._announced


class Block:
    """Takes a block piece by piece and computes its length and digests.

    `is_http`: it is an HTTP message. `digest` and `payload` are the digests stated in the record, if any. With
    `framed`, the payload digest is also computed over the body with its transfer framing, if there is any.
    """

    def __init__(self, *, is_http: bool, digest: str | None, payload: str | None, framed: bool = False) -> None:
        self.size = 0
        self.head = b""
        """The head of an HTTP message, otherwise the first bytes; up to a megabyte."""
        self.body: HttpBody | None = None
        self.digest = Digest(digest) if digest else None
        self.payload = Digest(payload) if payload else None
        self.framed: Digest | None = None
        """The payload digest over the body with its framing; None while it is the same as `payload`."""
        self._wants_framed = framed and self.payload is not None
        self._after_head = hashlib.sha1(usedforsecurity=False)
        self._is_http = is_http
        self._wants_body = payload is None
        self._head_done = False

    def feed(self, data: bytes) -> None:
        """Takes the next piece."""
        self.size += len(data)
        if self.digest is not None:
            self.digest.update(data)
        if not self._is_http:
            self.head += data[: HEAD_LIMIT - len(self.head)]
            self._payload(data)
        elif self._head_done:
            self._body(data)
        else:
            start = max(0, len(self.head) - 2)
            self.head += data
            end = _BLANK_LINE.search(self.head, start)
            if end is not None or len(self.head) > HEAD_LIMIT:
                rest = self.head[end.end() :] if end else b""
                self.head = self.head[: end.end()] if end else self.head
                self._end_head()
                if rest:
                    self._body(rest)

    def finish(self) -> None:
        """Call after the last piece."""
        if self._is_http and not self._head_done:
            self._end_head()

    def after_head_digest(self) -> str | None:
        """The payload digest in an index for a record without a digest: over the body with its framing.

        None for a record with a digest. If the block is not an HTTP message, the digest covers the whole block.
        """
        if not self._wants_body:
            return None
        return "sha1:" + base64.b32encode(self._after_head.digest()).decode("ascii")

    def _end_head(self) -> None:
        self._head_done = True
        self.body = HttpBody(self.head)

    def _body(self, data: bytes) -> None:
        if self._wants_body:
            self._after_head.update(data)
        assert self.body is not None
        parts = self.body.feed(data)
        if self._wants_framed and self.framed is None and (len(parts) != 1 or len(parts[0]) != len(data)):
            assert self.payload is not None
            self.framed = self.payload.copy()  # up to here both were the same
        if self.payload is not None:
            for part in parts:
                self.payload.update(part)
        if self.framed is not None:
            self.framed.update(data)

    def _payload(self, data: bytes) -> None:
        if self._wants_body:
            self._after_head.update(data)
        if self.payload is not None:
            self.payload.update(data)


def _values(head: bytes, name: bytes) -> list[bytes]:
    """Values of all fields of that name (lower case), in order; folded lines joined."""
    unfolded = re.sub(rb"\r?\n(?=[ \t]+\S)", b"", head)
    found = re.finditer(rb"^([^:\n]*):([^\n]*)$", unfolded, re.MULTILINE)
    return [match[2].strip() for match in found if match[1].lower() == name]


def _length(values: list[bytes]) -> int | None:
    """Content-Length in bytes; None if it is missing, malformed or contradictory."""
    stated = {value.strip() for line in values for value in line.split(b",")}
    if len(stated) != 1 or not re.fullmatch(rb"[0-9]{1,18}", value := stated.pop()):
        return None
    return int(value)
