"""Checks one record: the form of its header, its length, its digests, its HTTP message.

Checks name their clause of WARC/1.1 if it is not obvious. Defects are reported, not raised, and the rest of the record
is read as far as possible.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from danvan_crawler.plurals import counted
from danvan_crawler.verify.block import Block
from danvan_crawler.warc.index import target_of

Report = Callable[[str, str, bool], None]
"""Called with kind, sentence, and whether the finding is damage."""

_HEADER_LIMIT = 1 << 16
_END = b"\r\n\r\n"
_LOOK_AHEAD = 16
"""Number of bytes after a block that are kept; enough to recognise another record."""
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>]+")
_DATE = re.compile(r"\d{4}(?:-\d\d(?:-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?Z)?)?)?")
_REQUEST_LINE = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+ \S.*(?:\r?\n|\Z)")
_MANDATORY = ("WARC-Type", "WARC-Record-ID", "WARC-Date", "Content-Length")
_TYPES = {"warcinfo", "response", "resource", "request", "metadata", "revisit", "conversion", "continuation"}
_ONCE = frozenset(
    name.lower()
    for name in (
        *_MANDATORY,
        *("Content-Type", "WARC-Block-Digest", "WARC-Payload-Digest", "WARC-IP-Address", "WARC-Refers-To"),
        *("WARC-Refers-To-Target-URI", "WARC-Refers-To-Date", "WARC-Target-URI", "WARC-Truncated"),
        *("WARC-Warcinfo-ID", "WARC-Filename", "WARC-Profile", "WARC-Identified-Payload-Type"),
        *("WARC-Segment-Number", "WARC-Segment-Origin-ID", "WARC-Segment-Total-Length"),
    )
)
"""Fields that section 5 allows only once; extensions like WARC-Protocol may be repeated."""
_WITH_TARGET = _TYPES - {"warcinfo", "metadata"}
_PROFILES = {
    f"http://netpreserve.org/warc/{version}/revisit/{what}": what
    for version in ("1.0", "1.1")
    for what in ("identical-payload-digest", "server-not-modified")
}


class Fields:
    """The named fields of a record."""

    def __init__(self) -> None:
        self.fields: dict[str, list[str]] = {}
        """Values by name in lower case."""
        self._last = ""

    def add(self, name: str, value: str) -> None:
        """Adds a field."""
        self._last = name.lower()
        self.fields.setdefault(self._last, []).append(value.strip())

    def extend(self, line: str) -> None:
        """Appends a continuation line to the last field."""
        self.fields[self._last][-1] += f" {line.strip()}"

    def get(self, name: str, /) -> str | None:
        """Value of the first field of that name, ignoring case; None if the field is missing."""
        values = self.fields.get(name.lower())
        return values[0] if values else None

    def getall(self, name: str) -> list[str]:
        """Values of all fields of that name."""
        return self.fields.get(name.lower(), [])


@dataclass(slots=True)
class Checked:
    """The result of checking a record."""

    headers: Fields
    type: str
    id: str | None
    block: Block
    complete: bool
    """It is a single record with a correct Content-Length."""

    @property
    def is_ours(self) -> bool:
        """Whether this is a warcinfo record with danvan-crawler as the software."""
        return self.type == "warcinfo" and bool(re.search(rb"(?m)^software: *danvan-crawler/", self.block.head))

    @property
    def method(self) -> bytes:
        """The HTTP method of a request."""
        return self.block.head.partition(b" ")[0]


def check_record(pieces: Iterator[bytes], report: Report, *, ours: bool) -> Checked | None:
    """Reads the single record of a gzip member; None if there is no readable record.

    With `ours` the record must be as danvan-crawler writes it; in files of other tools, some deviations are only
    notices. Decompression errors are raised.
    """
    data = b""
    while (end := data.find(_END)) < 0:
        piece = next(pieces, None)
        if piece is None or len(data) > _HEADER_LIMIT:
            _drain(pieces)
            if data.startswith(b"WARC/"):
                report("no-header-end", "no empty line ends the record's header", True)
            else:
                report("not-a-record", f"the member begins with {data[:16]!r}", True)
            return None
        data += piece
    header, rest = data[: end + len(_END)], data[end + len(_END) :]
    headers = _header(header, report)
    if headers is None:
        _drain(pieces)
        return None
    length = headers.get("Content-Length") or ""
    known = length.isascii() and length.isdigit() and len(length) < 19
    if length and not known:
        report("bad-content-length", f"Content-Length is {length!r}", True)
    kind = (headers.get("WARC-Type") or "").lower()
    is_http = kind in ("request", "response", "revisit") and "application/http" in (headers.get("Content-Type") or "")
    block = Block(
        is_http=is_http,
        digest=headers.get("WARC-Block-Digest"),
        payload=None if kind == "revisit" else headers.get("WARC-Payload-Digest"),
        framed=not ours,
    )
    complete = _walk_block(block, rest, pieces, int(length) if known else None, report)
    _check_fields(headers, kind, report, has_block=block.size > 0)
    if complete:
        _check_digests(headers, block, report, ours=ours)
    if is_http and block.size:
        _check_http(kind, block, report)
    if kind == "revisit":
        _check_revisit(headers, report, ours=ours)
    identifier = (headers.get("WARC-Record-ID") or "").removeprefix("<").removesuffix(">")
    return Checked(headers, kind, identifier or None, block, complete)


def _drain(pieces: Iterator[bytes]) -> None:
    for _ in pieces:
        pass


def _header(header: bytes, report: Report) -> Fields | None:
    version, _, fields = header.partition(b"\r\n")
    if not version.startswith(b"WARC/"):
        report("not-a-record", f"the member begins with {header[:16]!r}", True)
        return None
    if version not in (b"WARC/1.0", b"WARC/1.1"):
        report("bad-version", f"the version line is {version[:40].decode(errors='replace')!r}", True)
    found = Fields()
    for line in fields.decode(errors="replace").split("\r\n")[:-2]:
        if line[:1] in (" ", "\t") and found.fields:
            found.extend(line)
            continue
        name, colon, value = line.partition(":")
        if not colon or not _TOKEN.fullmatch(name):
            report("bad-header-line", f"a line of the header is {line[:60]!r}", True)
            continue
        if name.lower() in _ONCE and found.get(name) is not None:
            report("repeated-field", f"{name} is given twice", True)
        found.add(name, value)
    return found


def _walk_block(block: Block, first: bytes, pieces: Iterator[bytes], expected: int | None, report: Report) -> bool:
    """Feeds the block and checks its length; returns whether length and end of the record are correct.

    Without an expected length, the block is everything except the last four bytes, which should end the record.
    """
    after = b""
    for data in chain((first,), pieces):
        if expected is None:
            after += data
            block.feed(after[: -len(_END)])
            after = after[-len(_END) :]
        else:
            room = max(0, expected - block.size)
            if room:
                block.feed(data[:room])
            after = (after + data[room:])[:_LOOK_AHEAD]
    block.finish()
    if expected is not None and block.size < expected:
        report("length-mismatch", f"Content-Length is {expected}, the block has {counted(block.size, 'byte')}", True)
    elif after == _END:
        return True
    elif after.removeprefix(_END).startswith(b"WARC/"):
        report("several-records-in-a-member", "another record follows in the same gzip member", True)
    elif len(after) > len(_END):
        report("length-mismatch", f"Content-Length is {expected}, the block is longer", True)
    else:
        report("missing-record-end", "the record does not end in two line breaks", True)
    return False


def _check_fields(headers: Fields, kind: str, report: Report, *, has_block: bool) -> None:
    for name in _MANDATORY:
        if not headers.get(name):
            report("missing-field", f"it has no {name}", True)
    if kind and kind not in _TYPES:
        report("unknown-type", f"WARC-Type is {kind!r}", False)
    identifier = headers.get("WARC-Record-ID")
    if identifier and not (identifier[0] + identifier[-1] == "<>" and _URI.fullmatch(identifier[1:-1])):
        report("bad-record-id", f"WARC-Record-ID is {identifier!r}", True)
    date = headers.get("WARC-Date")
    if date and not _is_date(date):
        report("bad-date", f"WARC-Date is {date!r}", True)
    if has_block and kind != "continuation" and not headers.get("Content-Type"):
        report("missing-content-type", "it has a block but no Content-Type", True)
    target = headers.get("WARC-Target-URI")
    if kind in _WITH_TARGET and not target:
        report("missing-field", f"it is a {kind} and has no WARC-Target-URI", True)
    elif target and not _URI.fullmatch(target_of(headers) or ""):
        report("bad-target-uri", f"WARC-Target-URI is {target!r}", True)
    address = headers.get("WARC-IP-Address")
    if address and not _is_address(address):
        report("bad-ip-address", f"WARC-IP-Address is {address!r}", True)


def _is_date(text: str) -> bool:
    """WARC/1.1 section 5.4: W3C's profile of ISO 8601 in UTC, with a precision from years to nanoseconds."""
    if not _DATE.fullmatch(text):
        return False
    digits = text.rstrip("Z").partition(".")[0]
    try:
        datetime.fromisoformat(digits + "0001-01-01"[len(digits) :] if len(digits) < 10 else digits)
    except ValueError:
        return False
    return True


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _check_digests(headers: Fields, block: Block, report: Report, *, ours: bool) -> None:
    """Section 5.8 and 5.9; the payload is the entity, transfer framing removed and content coding kept (6.3.2)."""
    for digest, name in ((block.digest, "Block"), (block.payload, "Payload")):
        if digest is not None and not digest.known:
            stated = headers.get(f"WARC-{name}-Digest")
            report("unknown-digest-algorithm", f"WARC-{name}-Digest {stated!r} is not checked", False)
    if block.digest is not None and block.digest.known and not block.digest.matches():
        report("block-digest-mismatch", "its block does not match WARC-Block-Digest", True)
    if headers.get("WARC-Segment-Number") or block.payload is None or not block.payload.known:
        return
    if block.payload.matches():
        return
    if block.framed is not None and block.framed.matches() and not ours:
        report(
            "payload-digest-of-framed-body",
            "WARC-Payload-Digest is that of the body with its transfer framing, as warcio computes it",
            False,
        )
    else:
        report("payload-digest-mismatch", "its payload does not match WARC-Payload-Digest", True)


def _check_http(kind: str, block: Block, report: Report) -> None:
    if kind == "request" and not _REQUEST_LINE.match(block.head):
        report("bad-http-request", f"its block begins with {block.head[:40]!r}", True)
    elif kind != "request" and (block.body is None or block.body.status is None):
        report("bad-http-status", f"its block begins with {block.head[:40]!r}", True)


def _check_revisit(headers: Fields, report: Report, *, ours: bool) -> None:
    """Section 6.7: the profile is mandatory. The fields that name the target are recommended; we always write them."""
    profile = headers.get("WARC-Profile")
    if not profile:
        report("revisit-incomplete", "it is a revisit and has no WARC-Profile", True)
    elif profile not in _PROFILES:
        report("revisit-incomplete", f"its WARC-Profile {profile!r} is not one of WARC/1.1", False)
    wanted = ["WARC-Refers-To", "WARC-Refers-To-Target-URI", "WARC-Refers-To-Date"]
    if _PROFILES.get(profile or "") == "identical-payload-digest":
        wanted.append("WARC-Payload-Digest")
    missing = [name for name in wanted if not headers.get(name)]
    if missing:
        # Without id and digest, or without any field that names it, the target can never be found.
        lost = {"WARC-Refers-To", "WARC-Payload-Digest"} <= {*missing} or {*wanted[:3]} <= {*missing}
        report("revisit-incomplete", f"it is a revisit and has no {', '.join(missing)}", ours or lost)
