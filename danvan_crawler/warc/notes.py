"""Notes of a run: what its exchanges do not show, as `metadata` records beside them (WARC/1.1 section 6.6).

    why         of one exchange: why the address was asked for (`walk.asking.Why`); concurrent to its response
    run         at the beginning of each file: what the run was asked to do (`walk.asking.Run`)
    unanswered  a request that was given up (`walk.asking.Unanswered`)
    end         how the run ended: Scrapy's finish reason

Their block is `application/warc-fields`: the standard's `via` where it applies, and one field of ours whose value is
JSON. Their target is a `urn:`, not the page, because cdxj-indexer would index them as captures of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from danvan_crawler.warc.reader import WarcRecord
from danvan_crawler.warc.records import DEFAULT_LEVEL, build_record, new_record_id

WHY, RUN, UNANSWERED, END = "why", "run", "unanswered", "end"
CONTENT_TYPE = "application/warc-fields"


def target_of_note(kind: str, name: str) -> str:
    """Target URI of a note: `urn:danvan:<kind>:<name>`."""
    return f"urn:danvan:{kind}:{name}"


def block_of_note(kind: str, text: str, *, via: str = "") -> bytes:
    """The block of a note; `text` is one line."""
    lines = [f"via: {via}\r\n"] if via else []
    return "".join([*lines, f"danvan-{kind}: {text}\r\n"]).encode()


def note_of(record: WarcRecord, kind: str) -> str | None:
    """The text of a note of this kind; None for any other record."""
    if record.type != "metadata" or not (record.url or "").startswith(f"urn:danvan:{kind}:"):
        return None
    match = re.search(rb"(?m)^danvan-%b: (.*?)\r?$" % kind.encode(), record.block)
    return match[1].decode(errors="replace") if match else None


def build_note(
    kind: str,
    name: str,
    text: str,
    *,
    date: str,
    warcinfo_id: str,
    via: str = "",
    fields: Iterable[tuple[str, str]] = (),
    level: int = DEFAULT_LEVEL,
) -> bytes:
    """A note of a run (`warc.notes`): `text` is one line, `via` the page that named the address that it is about."""
    return build_record(
        "metadata",
        block_of_note(kind, text, via=via),
        record_id=new_record_id(),
        date=date,
        content_type=CONTENT_TYPE,
        fields=[
            ("WARC-Target-URI", target_of_note(kind, name)),
            ("WARC-Warcinfo-ID", f"<{warcinfo_id}>"),
            *fields,
        ],
        level=level,
    )
