"""Parses HTTP/1.x messages as they were on the wire: start line, fields, body, entity.

Nothing here changes a byte. `sha1_base32` is the digest of entities in WARC records. The rules are those of the client
that fetched the message (Twisted's parser): a line ends in LF, and an optional CR before it is not part of the line; a
transfer coding overrides Content-Length; repeated Content-Length fields are valid if they agree. So the entity of an
archived response is the body that the live crawl received.

Sources: RFC 9112 sections 2.2, 5, 6 and 7.1; WARC/1.1 section 6.3 for the payload of a response.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass

_BLANK_LINE = re.compile(rb"\n\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/\d+(?:\.\d+)?[ \t]+(\d{3})(?!\d)", re.IGNORECASE)
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]+)[ \t]*(?:;.*)?\Z", re.DOTALL)
_LENGTH = re.compile(rb"[0-9]{1,18}\Z")

_SWITCHING_PROTOCOLS = 101
_WITHOUT_BODY = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class MessageHead:
    """Start line and fields of a message: names verbatim, values without the white space around them."""

    start_line: bytes
    fields: tuple[tuple[bytes, bytes], ...]

    def get(self, name: bytes) -> bytes | None:
        """Value of the first field of that name, ignoring case; None if the field is missing."""
        wanted = name.lower()
        return next((value for field, value in self.fields if field.lower() == wanted), None)

    def getall(self, name: bytes) -> list[bytes]:
        """Values of all fields of that name, in the order of the message."""
        wanted = name.lower()
        return [value for field, value in self.fields if field.lower() == wanted]


def split_interim(data: bytes) -> tuple[bytes, bytes]:
    """Leading interim responses (100, 102, 103, ... but not 101, which ends HTTP), and the final response.

    If no final response has begun, everything is interim: `(data, b"")`.
    """
    start = 0
    while start < len(data) and _is_interim(_status_at(data, start)):
        end = _BLANK_LINE.search(data, start)
        if end is None:
            return data, b""
        start = end.end()
    return data[:start], data[start:]


def split_head(message: bytes) -> tuple[bytes, bytes]:
    """The head with its blank line, and the body as it was on the wire; an unfinished head has an empty body."""
    end = _BLANK_LINE.search(message)
    return (message, b"") if end is None else (message[: end.end()], message[end.end() :])


def parse_head(head: bytes) -> MessageHead:
    """Start line and fields of a head as returned by `split_head`.

    A line that begins with white space continues the previous field (obs-fold); a line without a colon is ignored.
    """
    start_line, *lines = head.split(b"\n")
    unfolded: list[bytes] = []
    for line in lines:
        content = line.removesuffix(b"\r")
        if not content:
            break
        if content[:1] in (b" ", b"\t"):
            if unfolded:
                unfolded[-1] += content
        else:
            unfolded.append(content)
    parts = (line.partition(b":") for line in unfolded)
    return MessageHead(
        start_line.removesuffix(b"\r"), tuple((name, value.strip()) for name, colon, value in parts if colon)
    )


def status_of(message: bytes) -> int | None:
    """Status code of a response, 100 to 999; None if its first line is not a status line."""
    return _status_at(message, 0)


def entity_body(message: bytes) -> bytes:
    """The entity of a response: transfer framing removed, content coding kept.

    This is the payload that `WARC-Payload-Digest` covers. Chunk extensions and trailers are framing. If the message is
    cut short or a chunk is malformed, the entity ends there. Bytes after the end given by Content-Length or by the last
    chunk do not belong to the entity.
    """
    head, body = split_head(message)
    status = status_of(message)
    if _is_interim(status) or status in _WITHOUT_BODY:
        return b""
    fields = parse_head(head)
    codings = b",".join(fields.getall(b"Transfer-Encoding"))
    if codings:
        last = codings.rpartition(b",")[2].strip().lower()
        return _dechunk(body) if last == b"chunked" else body
    return body[: _content_length(fields)]


def _status_at(data: bytes, start: int) -> int | None:
    match = _STATUS_LINE.match(data, start)
    return int(match[1]) if match else None


def _is_interim(status: int | None) -> bool:
    return status is not None and 100 <= status < 200 and status != _SWITCHING_PROTOCOLS


def _content_length(fields: MessageHead) -> int | None:
    """Content-Length in bytes; None if it is missing, malformed or contradictory."""
    values = {value.strip() for line in fields.getall(b"Content-Length") for value in line.split(b",")}
    if len(values) != 1:
        return None
    value = values.pop()
    return int(value) if _LENGTH.match(value) else None


def _dechunk(body: bytes) -> bytes:
    view = memoryview(body)
    chunks: list[memoryview] = []
    position = 0
    while (line_end := body.find(b"\n", position)) != -1:
        size = _CHUNK_SIZE.match(body[position:line_end].removesuffix(b"\r"))
        if size is None or int(size[1], 16) == 0:
            break
        data_start = line_end + 1
        data_end = data_start + int(size[1], 16)
        chunks.append(view[data_start:data_end])
        position = data_end + (2 if body[data_end : data_end + 2] == b"\r\n" else 1)
        if body[position - 1 : position] != b"\n":
            break
    return b"".join(chunks)


def sha1_base32(data: bytes) -> str:
    """`sha1:` and 32 characters of base32, for example `sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ` for no bytes at all.

    This is the form of digests in WARC records (WARC/1.1 section 5.8), by which archives and CDX indexes recognise
    equal payloads. It is a fingerprint, not a protection against forged collisions.
    """
    return "sha1:" + base64.b32encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode("ascii")
