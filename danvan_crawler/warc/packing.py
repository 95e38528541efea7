"""Builds the WARC/1.1 records of an exchange.

One exchange becomes a `request` record and a `response` record with the same date and address. The request names the
response in `WARC-Concurrent-To`, as in the examples of the specification. The request comes first: if a crash leaves
half a pair, it is a request without a response, never a response that the crawl has not seen.

Bytes that a server sent around its final response are kept in `metadata` records concurrent to the response: interim
responses (103 Early Hints) as `application/http;msgtype=response`, which may hold several messages (RFC 9112 section
10.2), and bytes after the end of the message as `application/octet-stream`. Their target is a `urn:`, not the page:
cdxj-indexer indexes such metadata records, and a replay would serve the interim response instead of the page. The
reason of the request is a `metadata` record too (`warc.notes`), between request and response, so that no response is
archived without its reason.

If the archive has the payload already, a `revisit` is written instead of the response (section 6.7). For a body that is
identical to that of an earlier record, it holds only the head (profile identical-payload-digest). A 304 response to a
conditional request is kept as it is (profile server-not-modified). Both name the record that has the payload by id,
address and date, and have its payload digest, by which replay tools find it. The caller must have read that record: the
payload of a revisit to a missing record is lost (warcprox issue 137).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from danvan_crawler.clock import warc_date
from danvan_crawler.warc.message import split_head
from danvan_crawler.warc.notes import WHY, build_note, target_of_note
from danvan_crawler.warc.records import (
    DEFAULT_LEVEL,
    IDENTICAL_PAYLOAD,
    Answer,
    Exchange,
    Revisit,
    answer_of,
    build_record,
    new_record_id,
    target_uri,
)


class Reason(Protocol):
    """Why an address was requested (`walk.asking.Why`)."""

    @property
    def via(self) -> str:
        """The page that links the address, or ""."""

    def as_json(self) -> str:
        """The complete reason, in one line."""


@dataclass(frozen=True, slots=True)
class PackedExchange:
    """The records of an exchange as bytes to append to a file, and facts about its response or revisit record."""

    data: bytes
    response_start: int
    """Offset in `data` of the gzip member of the response or revisit record."""
    url: str
    date: str
    record_id: str
    payload_digest: str
    answer: Answer


def pack_exchange(
    exchange: Exchange,
    *,
    warcinfo_id: str,
    level: int = DEFAULT_LEVEL,
    answer: Answer | None = None,
    revisit: Revisit | None = None,
    why: Reason | None = None,
) -> PackedExchange:
    """All records of an exchange, to be appended in one write. With `revisit`, its response becomes that revisit.

    `answer` is the result of `answer_of`, if the caller has it already; `why` is archived with the exchange.
    """
    answer = answer or answer_of(exchange.response)
    url = target_uri(exchange.url)
    date = warc_date(exchange.began_at)
    response_id = new_record_id()
    payload_digest = answer.payload_digest if revisit is None else revisit.payload_digest
    warcinfo = ("WARC-Warcinfo-ID", f"<{warcinfo_id}>")
    concurrent = ("WARC-Concurrent-To", f"<{response_id}>")
    address = [("WARC-IP-Address", exchange.ip_address)] if exchange.ip_address else []

    request = build_record(
        "request",
        exchange.request,
        record_id=new_record_id(),
        date=date,
        content_type="application/http;msgtype=request",
        fields=[("WARC-Target-URI", url), *address, warcinfo, concurrent],
        level=level,
    )
    response = build_record(
        "response" if revisit is None else "revisit",
        _kept_block(exchange, revisit),
        record_id=response_id,
        date=date,
        content_type="application/http;msgtype=response",
        fields=[
            ("WARC-Target-URI", url),
            *address,
            warcinfo,
            *_fields_of(exchange, revisit),
            ("WARC-Payload-Digest", payload_digest),
        ],
        level=level,
    )
    name = response_id.removeprefix("urn:uuid:")
    reason = b""
    if why is not None:
        text, via = why.as_json(), target_uri(why.via) if why.via else ""
        reason = build_note(
            WHY, name, text, date=date, warcinfo_id=warcinfo_id, via=via, fields=[concurrent], level=level
        )
    around = [
        build_record(
            "metadata",
            block,
            record_id=new_record_id(),
            date=date,
            content_type=content_type,
            fields=[
                ("WARC-Target-URI", target_of_note(part, name)),
                *address,
                warcinfo,
                concurrent,
            ],
            level=level,
        )
        for part, block, content_type in (
            ("interim", exchange.interim, "application/http;msgtype=response"),
            ("surplus", exchange.surplus, "application/octet-stream"),
        )
        if block
    ]
    return PackedExchange(
        data=b"".join([request, reason, response, *around]),
        response_start=len(request) + len(reason),
        url=url,
        date=date,
        record_id=response_id,
        payload_digest=payload_digest,
        answer=answer,
    )


def _kept_block(exchange: Exchange, revisit: Revisit | None) -> bytes:
    if revisit is not None and revisit.profile == IDENTICAL_PAYLOAD:
        return split_head(exchange.response)[0]
    return exchange.response


def _fields_of(exchange: Exchange, revisit: Revisit | None) -> list[tuple[str, str]]:
    """Fields that mark missing bytes of a response or revisit record, and refer to the record that has them."""
    if revisit is None:
        return [("WARC-Truncated", exchange.truncated)] if exchange.truncated else []
    refers = [
        ("WARC-Profile", revisit.profile),
        ("WARC-Refers-To", f"<{revisit.record_id}>"),
        ("WARC-Refers-To-Target-URI", revisit.url),
        ("WARC-Refers-To-Date", revisit.date),
    ]
    return [*refers, ("WARC-Truncated", "length")] if revisit.profile == IDENTICAL_PAYLOAD else refers
