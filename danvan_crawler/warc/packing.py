"""An exchange as WARC/1.1 records.

One exchange becomes a `request` record and a `response` record with the same date and address, the request naming the
response in `WARC-Concurrent-To` as the examples of the specification do. The request comes first: should a crash leave
half a pair, it is a request without its answer, never an answer that the crawl has not seen.

What a server sent around its final response is kept in `metadata` records concurrent to the response: interim responses
(103 Early Hints) as `application/http;msgtype=response`, which may hold several messages (RFC 9112 section 10.2), and
bytes after the end of the message as `application/octet-stream`. Their target is a `urn:`, not the page: cdxj-indexer
indexes such metadata records, and a replay would serve the interim response in place of the page. Why the address was
asked for is a `metadata` record too (`warc.notes`), between request and response: a response is there with its reason
or not at all.

What the archive has already is written as a `revisit` in the place of the response (section 6.7): a body that is byte
for byte that of an earlier record as its head alone, profile identical-payload-digest; the answer 304 to a conditional
request as it is, profile server-not-modified. Both name the record that has the payload by id, address and date, and
carry its payload digest, by which replay tools find it. The caller has looked at that record: a revisit to nothing is
lost for good (warcprox issue 137).
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
    """Why an address was asked for (`walk.asking.Why`)."""

    @property
    def via(self) -> str:
        """The page that named it, or ""."""

    def as_json(self) -> str:
        """All of it, in one line."""


@dataclass(frozen=True, slots=True)
class PackedExchange:
    """The records of an exchange as bytes to append to a file, and what is known of its response or revisit record."""

    data: bytes
    response_start: int
    """Byte of `data` at which the response or revisit record's member begins."""
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
    """All records of an exchange, ready to be appended in one write; with `revisit` its response as that.

    `answer` is what `answer_of` gives for it, where the caller has it already; `why` is archived with it.
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
        told, via = why.as_json(), target_uri(why.via) if why.via else ""
        reason = build_note(
            WHY, name, told, date=date, warcinfo_id=warcinfo_id, via=via, fields=[concurrent], level=level
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
    """What a response or revisit record says of what is missing in it, and where that is."""
    if revisit is None:
        return [("WARC-Truncated", exchange.truncated)] if exchange.truncated else []
    refers = [
        ("WARC-Profile", revisit.profile),
        ("WARC-Refers-To", f"<{revisit.record_id}>"),
        ("WARC-Refers-To-Target-URI", revisit.url),
        ("WARC-Refers-To-Date", revisit.date),
    ]
    return [*refers, ("WARC-Truncated", "length")] if revisit.profile == IDENTICAL_PAYLOAD else refers
