"""What a revisit record stands for: the whole response, from its own block and the record that it refers to.

A revisit of profile identical-payload-digest has the head that the server sent, and the payload is that of the record
it refers to. One of profile server-not-modified has the 304, and stands for the response that the server said still
holds. Profiles of WARC/1.0 and 1.1 are read alike, and so are revisits without `WARC-Refers-To`, which other tools
write (warcio's `create_revisit_record` leaves it out): address and date name the record then.
"""

from __future__ import annotations

from dataclasses import dataclass

from danvan_crawler.warc.message import entity_body, parse_head, split_head
from danvan_crawler.warc.reader import WarcRecord

_NOT_MODIFIED = "/server-not-modified"
_WITH_PAYLOAD = frozenset({"response", "resource"})


@dataclass(frozen=True, slots=True)
class Reference:
    """What a revisit says of the record that has its payload; at least an id, or address and date, in a sound one."""

    record_id: str | None
    url: str | None
    date: str | None

    def names(self, record: WarcRecord) -> bool:
        """Whether this is the record meant, and has a payload of its own."""
        if record.type not in _WITH_PAYLOAD:
            return False
        if self.record_id is not None:
            return record.id == self.record_id
        return self.url is not None and (record.url, record.date) == (self.url, self.date)

    def __str__(self) -> str:
        return self.record_id or f"{self.url} of {self.date}"


def reference_of(record: WarcRecord) -> Reference | None:
    """The reference of a revisit; None for records of other types."""
    if record.type != "revisit":
        return None
    record_id, url = record.headers.get("WARC-Refers-To"), record.headers.get("WARC-Refers-To-Target-URI")
    return Reference(
        None if record_id is None else record_id.strip("<>"),
        None if url is None else url.strip("<>"),
        record.headers.get("WARC-Refers-To-Date"),
    )


def is_not_modified(record: WarcRecord) -> bool:
    """Whether this is a revisit that keeps a 304."""
    return record.type == "revisit" and (record.headers.get("WARC-Profile") or "").endswith(_NOT_MODIFIED)


def whole_response(record: WarcRecord, original: WarcRecord) -> bytes:
    """The response message that a revisit stands for; `original` is the record that it refers to.

    A head that announces chunks gets the payload as one chunk: how it was framed on the wire is not in a revisit.
    """
    if original.type == "resource":
        return split_head(record.block)[0] + original.block
    if is_not_modified(record) or not record.block:
        return original.block
    head = split_head(record.block)[0]
    return head + _framed(head, entity_body(original.block))


def _framed(head: bytes, payload: bytes) -> bytes:
    codings = b",".join(parse_head(head).getall(b"Transfer-Encoding"))
    if codings.rpartition(b",")[2].strip().lower() != b"chunked":
        return payload
    return (b"%x\r\n%b\r\n" % (len(payload), payload) if payload else b"") + b"0\r\n\r\n"
