"""HTTP messages whose head does not fit their body, as other tools store them.

Browsers and some crawlers give a tool the decoded body, and it is stored under the head that the server sent: chunked,
though the body is not; a Content-Length of the compressed body before the decoded one; a coding that is not there any
more (ClueWeb09, Heritrix, browsertrix). Read as the head says, such a page is empty or ends early. Here the head is
made to fit, for reading only: what is archived stays as it is.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from danvan_crawler.warc.message import MessageHead, parse_head, split_head, status_of

_CHUNK_LINE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")
_LENGTH = re.compile(rb"[0-9]{1,18}")
_FIELD = re.compile(rb"(?im)^(transfer-encoding|content-length|content-encoding)[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*")
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<[!?A-Za-z]")
_DECODED_ANYWAY = frozenset({b"", b"identity", b"gzip", b"x-gzip", b"deflate"})
"""Codings for which the decoder itself accepts a body that is not coded."""
_WITHOUT_BODY = frozenset({204, 304})


class Fitting(NamedTuple):
    """A message whose head fits its body."""

    message: bytes
    doubts: tuple[str, ...]
    """What did not fit, as words that can follow a number of pages."""


def fitting(message: bytes) -> Fitting:
    """A response as it should be read; unchanged if its head fits its body."""
    status = status_of(message)
    head, body = split_head(message)
    if status is None or status < 200 or status in _WITHOUT_BODY or not body:
        return Fitting(message, ())
    fields, wrong, doubts = parse_head(head), set[bytes](), []
    codings = b",".join(fields.getall(b"Transfer-Encoding")).lower()
    if codings:
        if codings.rpartition(b",")[2].strip() == b"chunked" and not _is_chunked(body):
            wrong |= {b"transfer-encoding", b"content-length"}
            doubts.append("chunked by their header, but not in their body")
    else:
        length = _length(fields)
        if length is not None and length < len(body):
            wrong.add(b"content-length")
            doubts.append("with a Content-Length that is shorter than their body")
        elif length is not None and length > len(body):
            doubts.append("with a Content-Length that is longer than their body")
    coding = b",".join(fields.getall(b"Content-Encoding")).strip().lower()
    if coding not in _DECODED_ANYWAY and _MARKUP.match(body):
        wrong.add(b"content-encoding")
        doubts.append("whose body is not coded as their header says")
    if not wrong:
        return Fitting(message, tuple(doubts))
    kept = _FIELD.sub(lambda found: b"" if found[1].lower() in wrong else found[0], head)
    return Fitting(kept + body, tuple(doubts))


def _is_chunked(body: bytes) -> bool:
    """Whether a body begins with a chunk: its size, so many bytes and a line break, or the end of the block."""
    line = _CHUNK_LINE.match(body)
    if line is None:
        return False
    end = line.end() + int(line[1], 16)
    return end >= len(body) or body[end : end + 2] == b"\r\n" or body[end : end + 1] == b"\n"


def _length(fields: MessageHead) -> int | None:
    stated = {value.strip() for line in fields.getall(b"Content-Length") for value in line.split(b",")}
    if len(stated) != 1 or not _LENGTH.fullmatch(value := stated.pop()):
        return None
    return int(value)
