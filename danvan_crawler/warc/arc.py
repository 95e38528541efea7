"""ARC files, which the Internet Archive and others wrote before WARC: their records as WARC/1.1 records.

An ARC file begins with a version block (`filedesc://…`), which says its version and the names of the fields. Then come
documents: one line of fields, the last of which is the length, and so many bytes as the server sent them. Version 1 has
five fields, version 2 ten. The line is kept in a field `X-Source-ARC-Header` of the WARC record, the block byte for
byte, so nothing is lost. Other readers were no help: warcio parses the HTTP header and writes it anew.

The id of a record follows from the file's first line, the record's line, number and block. So the same ARC file gives
the same ids again, also if it was compressed in another way.

Source: "Arc File Format", Mike Burner and Brewster Kahle, 1996. Seen besides: CR LF in lines, spaces in addresses,
files without a version block, fields that are `-`.
"""

from __future__ import annotations

import ipaddress
import re
import uuid
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote_from_bytes

from danvan_crawler.warc.conversion import moment, target

VERSION_BLOCK = b"filedesc:"
LINE = re.compile(
    rb"(?P<url>[A-Za-z][A-Za-z0-9+.-]{0,30}:[^\r\n]*) (?P<ip>\S*) (?P<date>\d{8,18}|-) (?P<rest>[^\r\n]*?)"
    rb"(?P<length>-?\w+)\r?\n"
)
"""The first line of a record; that of version 2 matches too, but is not parted rightly."""
LINE_LIMIT = 1 << 16
"""Bytes that a line may have."""

_LINE_2 = re.compile(
    rb"(?P<url>[A-Za-z][A-Za-z0-9+.-]{0,30}:[^\r\n]*) (?P<ip>\S*) (?P<date>\d{8,18}|-) (?P<rest>\S+)(?: \S+){5} "
    rb"(?P<length>-?\w+)\r?\n"
)
"""The same with ten fields: result code, checksum, location, offset and file name are before the length."""
_FIRST_LINE = re.compile(rb"(?P<url>filedesc:\S*) (?P<ip>\S*) (?P<date>\S*) (?P<rest>[^\r\n]*?)(?P<length>\S+)\r?\n")
_VERSION = re.compile(rb"(\d+) (\d+) ([^\r\n]*)\r?\n([^\r\n]*)")
_LENGTH = re.compile(rb"[0-9]{1,18}")
_TYPE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:;[ -~]*)?")
_IDS = uuid.uuid5(uuid.NAMESPACE_URL, "https://archive.org/web/researcher/ArcFileFormat.php")
_PRINTABLE = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")


class ArcLine(NamedTuple):
    """The first line of a record."""

    line: bytes
    """Without its line end."""
    url: bytes
    ip_address: bytes
    date: bytes
    media_type: bytes
    length: int

    @property
    def is_version_block(self) -> bool:
        """Whether the record says what the file is."""
        return self.url.startswith(VERSION_BLOCK)


def parse_line(data: bytes, version: str) -> ArcLine:
    """The line of a record in a file of this version, with its line end. Raises ValueError."""
    line = _LINE_2 if version.startswith("2.") else LINE
    found = _FIRST_LINE.fullmatch(data) or line.fullmatch(data) or LINE.fullmatch(data)
    if found is None:
        raise ValueError("it is not an ARC record")
    if not _LENGTH.fullmatch(found["length"]):
        raise ValueError(f"its length is {found['length'].decode('latin-1')!r}")
    media_type = found["rest"].strip().split(b" ", 1)[0]
    length = int(found["length"])
    return ArcLine(data.rstrip(b"\r\n"), found["url"], found["ip"], found["date"], media_type, length)


@dataclass(slots=True)
class ArcFile:
    """What was read of an ARC file so far."""

    first_line: bytes = b""
    version: str = "1.0"
    records: int = 0

    def begin(self, line: ArcLine, block: bytes) -> None:
        """Takes the beginning of the version block."""
        self.first_line = line.line
        found = _VERSION.match(block)
        if found is not None:
            self.version = f"{int(found[1])}.{int(found[2])}"

    def warc_header(self, line: ArcLine, beginning: bytes, digest: str) -> bytes:
        """The header of the next record as WARC/1.1; `beginning` are the first bytes of its block, `digest` is of it.

        Raises ValueError if the record has no date precise to the second.
        """
        self.records += 1
        if line.is_version_block:
            self.begin(line, beginning)
        date = moment(line.date.decode("latin-1")) if len(line.date) == 14 else None
        if date is None:
            raise ValueError(f"its date is {line.date.decode('latin-1')!r}")
        kind, content_type = _type(line, beginning)
        known_by = b"\n".join([self.first_line, b"%d" % self.records, line.line, digest.encode()])
        fields = [
            ("WARC-Type", kind),
            ("WARC-Record-ID", f"<{uuid.uuid5(_IDS, known_by.decode('latin-1')).urn}>"),
            ("WARC-Date", date),
        ]
        if kind != "warcinfo":
            fields.append(("WARC-Target-URI", target(line.url).decode().replace(" ", "%20")))
        address = _address(line.ip_address)
        if address is not None:
            fields.append(("WARC-IP-Address", address))
        fields += [("WARC-Block-Digest", digest), ("Content-Type", content_type), _original(line.line)]
        fields.append(("Content-Length", str(line.length)))
        return ("WARC/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n").encode()


def _type(line: ArcLine, beginning: bytes) -> tuple[str, str]:
    """WARC-Type and Content-Type."""
    if line.is_version_block:
        return "warcinfo", "text/plain"
    scheme = line.url.partition(b":")[0].lower()
    if scheme in (b"http", b"https") and beginning.startswith(b"HTTP/"):
        return "response", "application/http;msgtype=response"
    if scheme == b"dns":
        return "resource", "text/dns"
    stated = line.media_type.decode("latin-1")
    return "resource", stated if _TYPE.fullmatch(stated) else "application/octet-stream"


def _address(stated: bytes) -> str | None:
    """An IP address as text; None for 0.0.0.0, which stands for none."""
    try:
        address = ipaddress.ip_address(stated.decode("latin-1"))
    except ValueError:
        return None
    return None if address.is_unspecified else str(address)


def _original(line: bytes) -> tuple[str, str]:
    try:
        text = line.decode()
    except UnicodeDecodeError:
        text = ""
    if text.isprintable() and text:
        return "X-Source-ARC-Header", text
    return "X-Source-ARC-Header-Percent-Encoded", quote_from_bytes(line, safe=_PRINTABLE)
