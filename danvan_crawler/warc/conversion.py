"""Headers of WARC records as other tools write them, in the form that WARC/1.0 and 1.1 prescribe.

Most headers need nothing. What is mended here was seen in files of others: the drafts WARC/0.17 and 0.18 (Heritrix
until 2009; ClueWeb09), lines that end in LF or are folded, dates with a zone, of 14 digits or with the day of the year,
ids without angle brackets, targets in raw UTF-8. The meaning stays, blocks are never touched, and a value that was
replaced is kept in a field `X-Source-<name>`, the version in `X-Source-Version`. WARC/0.17 and 0.18 become WARC/1.1:
the fields and record types of the drafts are those of the standard. Older drafts have another syntax and are not
converted.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import quote, quote_from_bytes

VERSION_LINE = re.compile(rb"warc/(\d{1,3})\.(\d{1,3})(?=[ \t\r\n])", re.IGNORECASE)
"""Beginning of a record; drafts up to WARC/0.12 have more on this line."""

_DRAFTS = frozenset({(0, 17), (0, 18)})
_STANDARDS = frozenset({(1, 0), (1, 1)})
_REGULAR_DATE = re.compile(rb"(?im)^WARC-Date:[ \t]*\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z[ \t]*\r$")
_REGULAR_ID = re.compile(rb"(?im)^WARC-Record-ID:[ \t]*<[^<>\s]+:[^<>\s]+>[ \t]*\r$")
_DATE = re.compile(
    r"(\d{4})-?(\d\d)-?(\d{2,3})[Tt ]?(\d\d):?(\d\d):?(\d\d)(\.\d{1,9})?(?:[Zz]|([+-])(\d\d):?(\d\d))?", re.ASCII
)
_UUID = re.compile(rb"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_FOLD = re.compile(rb"\r?\n[ \t]+")
_DRAFT_PROFILE = re.compile(rb"/warc/0\.1[78]/")
_AUTHORITY = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)([^/?#]*)")
_PORT = re.compile(r":\d+\Z")
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))

_DATES = frozenset({b"warc-date", b"warc-refers-to-date"})
_TARGETS = frozenset({b"warc-target-uri", b"warc-refers-to-target-uri"})
_IDS = frozenset(
    {b"warc-record-id", b"warc-concurrent-to", b"warc-refers-to", b"warc-warcinfo-id", b"warc-segment-origin-id"}
)


class UnsupportedVersionError(ValueError):
    """A record of a version of WARC that is not converted."""


class Converted(NamedTuple):
    """A header in the prescribed form, and what was changed; nothing was if `changes` is empty."""

    header: bytes
    changes: tuple[str, ...]
    """`WARC/0.18`, `line ends`, `folded lines`, or the name of a field."""


def conform(header: bytes) -> Converted:
    """A record's header, with the empty line that ends it, in the form of WARC/1.0 or 1.1.

    Raises ValueError if it is not the header of a WARC record, and UnsupportedVersionError.
    """
    version = VERSION_LINE.match(header)
    if version is None:
        raise ValueError("it is not a WARC record")
    number = int(version[1]), int(version[2])
    name = f"WARC/{number[0]}.{number[1]}"
    if number not in _DRAFTS | _STANDARDS:
        raise UnsupportedVersionError(f"{name} is not supported, only WARC/0.17, 0.18, 1.0 and 1.1")
    if _is_regular(header, number):
        return Converted(header, ())
    first, *lines = re.split(rb"\r?\n", _FOLD.sub(b" ", header))
    changes = ["folded lines"] if _FOLD.search(header) else []
    kept: list[bytes] = []
    if number in _DRAFTS:
        changes.append(name)
        kept.append(b"X-Source-Version: " + name.encode())
    elif header.count(b"\n") != header.count(b"\r\n") or first.decode("latin-1") != name:
        changes.append("line ends")
    fields = [_field(line, changes, kept, is_draft=number in _DRAFTS) for line in lines if line]
    version_line = b"WARC/1.1" if number in _DRAFTS else name.encode()
    if not changes:
        return Converted(header, ())
    return Converted(b"\r\n".join([version_line, *fields, *kept, b"", b""]), tuple(changes))


def _is_regular(header: bytes, number: tuple[int, int]) -> bool:
    """Whether nothing can be wrong; most headers end here."""
    return (
        number in _STANDARDS
        and header.startswith(b"WARC/%d.%d\r\n" % number)
        and header.isascii()
        and header.count(b"\n") == header.count(b"\r\n")
        and not _FOLD.search(header)
        and _REGULAR_DATE.search(header) is not None
        and _REGULAR_ID.search(header) is not None
    )


def _field(line: bytes, changes: list[str], kept: list[bytes], *, is_draft: bool) -> bytes:
    """The line of a field, mended; notes what was changed."""
    name, colon, value = line.partition(b":")
    key, value = name.lower(), value.strip()
    if not colon:
        return line
    mended = value
    if key in _DATES:
        date = moment(value.decode("latin-1"))
        mended = date.encode() if date is not None else value
    elif key in _TARGETS:
        mended = target(value)
        if is_draft:
            mended = mended.removeprefix(b"<").removesuffix(b">")
    elif key in _IDS:
        mended = _bracketed(value)
    elif key == b"warc-profile" and is_draft:
        mended = _DRAFT_PROFILE.sub(b"/warc/1.1/", value.removeprefix(b"<").removesuffix(b">"))
    if mended == value:
        return line
    changes.append(name.decode("latin-1"))
    if _is_text(value):
        kept.append(b"X-Source-" + name + b": " + value)
    return name + b": " + mended


def _is_text(value: bytes) -> bool:
    try:
        return value.decode().isprintable()
    except UnicodeDecodeError:
        return False  # percent-encoded it keeps its bytes


def _bracketed(value: bytes) -> bytes:
    bare = value.removeprefix(b"<").removesuffix(b">")
    if not bare or re.search(rb"[\s<>]", bare):
        return value
    return b"<urn:uuid:" + bare + b">" if _UUID.fullmatch(bare) else b"<" + bare + b">"


def moment(text: str) -> str | None:
    """A date and time as WARC-Date, in UTC, with the fraction that it has; None if it is not precise to the second.

    A time without a zone is UTC, as WARC-Date is by its definition. The day may be that of the year if its month
    agrees: ClueWeb09 has `2009-03-65T08:43:19-0800` for 6 March.

    >>> moment("2009-03-65T08:43:19-0800")
    '2009-03-06T16:43:19Z'
    >>> moment("20140216050221")
    '2014-02-16T05:02:21Z'
    """
    found = _DATE.fullmatch(text.strip())
    if found is None:
        return None
    year, month, day = int(found[1]), int(found[2]), int(found[3])
    try:
        if day > 31:
            date = datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=day - 1)
            if (date.year, date.month) != (year, month):
                return None
        else:
            date = datetime(year, month, day, tzinfo=UTC)
        date = date.replace(hour=int(found[4]), minute=int(found[5]), second=int(found[6]))
        if found[8]:
            east = timedelta(hours=int(found[9]), minutes=int(found[10]))
            date += east if found[8] == "-" else -east
    except (ValueError, OverflowError):
        return None
    return f"{date:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + (found[7] or "") + "Z"


def target(value: bytes) -> bytes:
    """An address as printable ASCII: other bytes are percent-encoded, the host of an address in UTF-8 in IDNA.

    Spaces stay, and so do the angle brackets that wget writes.
    """
    if value.isascii() and value.decode().isprintable():
        return value
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return quote_from_bytes(value, safe=_PRINTABLE + " ").encode()
    return quote(_AUTHORITY.sub(_ascii_host, text, count=1), safe=_PRINTABLE + " ").encode()


def _ascii_host(found: re.Match[str]) -> str:
    user, at, host = found[2].rpartition("@")
    port = _PORT.search(host)
    name = host[: port.start()] if port else host
    with suppress(UnicodeError):  # else percent-encoded like the rest
        name = name.encode("idna").decode()
    return found[1] + user + at + name + (port[0] if port else "")
