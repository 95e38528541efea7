"""Deduplication: finds archived records with the payload that a server has sent again.

The database gives the place of a record, but the record is used only if the file has it there, complete and with the
expected id. Payloads are compared byte for byte, so digests need not be trusted. If a file was removed, the only cost
is a second copy (warcprox issue 137: its database outlived its files, and it wrote revisits to missing records).

This package does not access the database itself: a run provides the look-ups (`capture.context`). Without a run every
exchange is archived in full.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from scrapy.crawler import Crawler

from danvan_crawler import clock
from danvan_crawler.capture.context import attached
from danvan_crawler.captures import CaptureRecord
from danvan_crawler.exceptions import ArchiveError, StoreError
from danvan_crawler.warc.message import entity_body, parse_head, split_head, status_of
from danvan_crawler.warc.reader import WarcRecord, read_record
from danvan_crawler.warc.records import (
    IDENTICAL_PAYLOAD,
    NOT_MODIFIED,
    Answer,
    Exchange,
    Revisit,
    target_uri,
)

_logger = logging.getLogger(__name__)

_READ_BY = (b"Content-Type", b"Content-Encoding")
"""Fields that decide how a payload is interpreted: if they differ, it is another page."""


class Lookups(Protocol):
    """Queries of captures in the database."""

    def at_address(self, site: str, url: str) -> CaptureRecord | None:
        """The newest complete 200 response of an address."""

    def with_payload(self, site: str, digest: str) -> Iterator[CaptureRecord]:
        """Complete response records with this payload digest."""

    def named(self, site: str, record_id: str | None, url: str | None, date: str | None) -> CaptureRecord | None:
        """The capture with this record id, else of this address and date."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The archived response of an address that is about to be requested."""

    record: WarcRecord
    """The response record, read from its file."""
    etag: str | None
    last_modified: str | None
    not_modified: Revisit
    """The revisit to write if the server answers 304."""


class Originals:
    """Finds the archived records of one site that a revisit may refer to."""

    def __init__(self, archive: Path, site: str, lookups: Lookups | None) -> None:
        self._archive = archive
        self._site = site
        self._lookups = lookups

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        spider = crawler.spider
        assert spider is not None  # set before any component is made
        context = attached(crawler)
        lookups = context.lookups if context is not None else None
        return cls(Path(crawler.settings["DANVAN_ARCHIVE"]).absolute(), spider.name, lookups)

    def stored(self, url: str) -> Stored | None:
        """The newest complete 200 response of this address, if it has validators and its payload is archived."""
        if self._lookups is None:
            return None
        try:
            latest = self._lookups.at_address(self._site, target_uri(url))
            if latest is None or not (latest.etag or latest.last_modified):
                return None
            original: CaptureRecord | None = latest
            if latest.refers_to is not None:
                original = self._lookups.named(self._site, latest.refers_to, None, None)
        except StoreError as error:
            _logger.warning("%s: requested unconditionally: %s", url, error)
            return None
        record = self._read(original, clock.warc_date(clock.now())) if original is not None else None
        if record is None:
            return None
        return Stored(record, latest.etag, latest.last_modified, _revisit(NOT_MODIFIED, record))

    def same_payload(self, exchange: Exchange, answer: Answer) -> Revisit | None:
        """The revisit for a response whose body is already archived, under any address of the site; None if new."""
        if self._lookups is None or not answer.payload or answer.status is None or exchange.truncated is not None:
            return None
        try:
            candidates = list(self._lookups.with_payload(self._site, answer.payload_digest))
        except StoreError as error:
            _logger.warning("%s: archived in full: %s", exchange.url, error)
            return None
        began = clock.warc_date(exchange.began_at)
        for candidate in candidates:
            record = self._read(candidate, began)
            if record is not None and _is_same(exchange.response, answer, record.block):
                return _revisit(IDENTICAL_PAYLOAD, record)
        return None

    def _read(self, candidate: CaptureRecord, before: str) -> WarcRecord | None:
        """The record of a row; None if it is missing or a revisit must not refer to it.

        A record with a later date is not used (the clock may have been set back), because a rebuild reads records in
        the order of their dates.
        """
        if candidate.date > before:
            return None
        try:
            record = read_record(self._archive, candidate.place)
        except ArchiveError as error:
            _logger.info("%s: not used for revisits: %s", candidate.warc_record_id, error)
            return None
        is_it = record.id == candidate.warc_record_id and record.type == "response" and record.truncated is None
        return record if is_it else None


def _revisit(profile: str, record: WarcRecord) -> Revisit:
    return Revisit(profile, record.id, record.url or "", record.date, record.headers.get("WARC-Payload-Digest") or "")


def _is_same(response: bytes, answer: Answer, archived: bytes) -> bool:
    """Whether an archived response has the same status and body, interpreted in the same way."""
    if status_of(archived) != answer.status or entity_body(archived) != answer.payload:
        return False
    now, then = (parse_head(split_head(message)[0]) for message in (response, archived))
    return all(now.getall(name) == then.getall(name) for name in _READ_BY)
