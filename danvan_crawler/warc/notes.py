"""Notes of a run: facts that its exchanges do not show, as `metadata` records (WARC/1.1 section 6.6).

    why         of one exchange: why the address was requested (`walk.asking.Why`); concurrent to its response
    run         at the beginning of each file: the options of the run (`walk.asking.Run`)
    unanswered  a request that was given up (`walk.asking.Unanswered`)
    end         how the run ended: Scrapy's finish reason

Their block is `application/warc-fields`: the standard's `via` if it applies, and one field of ours with a JSON value.
Their target is a `urn:`, not the page, because cdxj-indexer would index them as captures of the page.
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
    """The record of a note: `text` is one line, `via` the page that links the note's address."""
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
