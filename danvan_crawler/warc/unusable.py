"""Records that are complete and still cannot be used: their date or address is none that a program can work with.

An import leaves them out and a rebuild passes over them, so that one such record does not cost the others.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Protocol
from urllib.parse import urlsplit

_DATED = frozenset({"response", "revisit", "resource"})
_DATE = re.compile(r"\d{4}(?:-\d\d(?:-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?Z)?)?)?", re.ASCII)
_HTTP = re.compile(r"https?:", re.IGNORECASE)
_SHOWN = 120
_YEARS = range(2, 9999)
"""A date in the first or last year of the calendar leaves it in another time zone."""


class Named(Protocol):
    """Access to the fields of a record's header."""

    def get(self, name: str, /) -> str | None:
        """Value of the first field of that name, ignoring case; None if the field is missing."""


def why_unusable(headers: Named) -> str | None:
    """Why a record cannot be used, as the end of a sentence; None for one that can be.

    A response, revisit or resource needs a WARC-Date that is precise to the second, so that it has its place among the
    others. The target, if it is an http or https address, needs a host, and a port between 0 and 65535 if it has one.
    """
    date = headers.get("WARC-Date") or ""
    is_dated = (headers.get("WARC-Type") or "").lower() in _DATED
    if not (_is_moment(date) if is_dated else _DATE.fullmatch(date)):
        return f"its WARC-Date is {_shown(date)}"
    url = (headers.get("WARC-Target-URI") or "").removeprefix("<").removesuffix(">")
    if not _HTTP.match(url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        return f"its WARC-Target-URI {_shown(url)} is not an address: {error}"
    return None if parts.hostname else f"its WARC-Target-URI {_shown(url)} has no host"


def _is_moment(text: str) -> bool:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return False
    return text.endswith("Z") and "T" in text and moment.tzinfo is not None and moment.year in _YEARS


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")
