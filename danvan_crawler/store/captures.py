"""Captures in the database: one row per exchange, found by address.

Rows are found by path key, so that variants and hosts of one page match. To find the *file* that an address returned,
`complete` also compares hosts: a picture on another portal may have the same path, and an item must not refer to a
record of another host.

`Originals` finds the earlier record of repeated content: by address, by payload or by id. A crawl does this twice per
exchange, so the queries use SQLite's own cursor, outside of a transaction of the store: 15 us each, among 100,000
captures. Rows that are noted but not written yet are searched first; there are 500 at most.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, select, text, union_all
from sqlalchemy.dialects.sqlite import insert

from danvan_crawler.captures import CaptureRecord
from danvan_crawler.exceptions import StoreError
from danvan_crawler.store.schema import captures
from danvan_crawler.urls import bare_host, path_key, without_credentials

CaptureRow = Mapping[str, Any]
"""A row of table `captures`."""

CHUNK = 500
"""Keys per query; far below SQLite's limit of variables."""

INSERT = insert(captures).on_conflict_do_nothing()
_HERE = captures.c.site == bindparam("of_site")
_KEYS: BindParameter[str] = bindparam("keys", expanding=True)
# Two look-ups instead of one with OR, which would read all captures of the site.
HAS_KEY = captures.c.id.in_(
    union_all(
        select(captures.c.id).where(_HERE, captures.c.url_key.in_(_KEYS)),
        # The inequality looks redundant, but lets SQLite use the partial index `captures_by_link`.
        select(captures.c.id).where(_HERE, captures.c.link_key.in_(_KEYS), captures.c.link_key != captures.c.url_key),
    )
)
"""The condition for captures of `of_site` that were made at, or reached from, an address with one of `keys`."""
_BY_KEY = select(captures).where(HAS_KEY).order_by(captures.c.warc_date, captures.c.warc_file, captures.c.warc_offset)


# One index look-up per file: reading the names of all rows would take seconds.
_LAST_OFFSETS = text("""
    WITH RECURSIVE files(name) AS (
        SELECT min(warc_file) FROM captures WHERE warc_file >= :first
        UNION ALL
        SELECT (SELECT min(warc_file) FROM captures WHERE warc_file > files.name) FROM files WHERE files.name < :beyond
    )
    SELECT name, (SELECT max(warc_offset) FROM captures WHERE warc_file = files.name) FROM files WHERE name < :beyond
""")

_NAMES = {"warc_date" if one.name == "date" else one.name: one.name for one in fields(CaptureRecord)}
"""Column -> field of CaptureRecord with the same value."""
_COLUMNS = ", ".join(_NAMES)
_BY_ADDRESS = f"""SELECT {_COLUMNS} FROM captures
    WHERE site = ? AND url_key = ? AND url = ? AND status = 200 AND truncated IS NULL ORDER BY warc_date DESC LIMIT 1"""
_BY_DIGEST = f"""SELECT {_COLUMNS} FROM captures
    WHERE site = ? AND payload_digest = ? AND refers_to IS NULL AND truncated IS NULL ORDER BY warc_date DESC LIMIT ?"""
_BY_ID = f"SELECT {_COLUMNS} FROM captures WHERE warc_record_id = ?"
_BY_MOMENT = f"SELECT {_COLUMNS} FROM captures WHERE site = ? AND url_key = ? AND url = ? AND warc_date = ?"
_CANDIDATES = 3
"""Most records returned for one payload. There is more than one only if a file was missing for some time."""


key_of = lru_cache(maxsize=1024)(path_key)
"""`urls.path_key` with a cache: it is called for each address before the request and again when it is archived."""


def row_of(site: str, record: CaptureRecord, link: str | None) -> dict[str, Any]:
    """The row of an exchange. `link` is the address requested first, if redirects led to this one."""
    url_key = key_of(record.url)
    row = {column: getattr(record, name) for column, name in _NAMES.items()}
    return {**row, "site": site, "url_key": url_key, "link_key": key_of(link) if link else url_key}


def last_offsets(connection: Connection, folder: str) -> list[tuple[str, int]]:
    """WARC files below a folder (ending in `/`, relative to the archive) with the offset of their last known record."""
    bounds = {"first": folder, "beyond": folder[:-1] + chr(ord("/") + 1)}
    return [(name, offset) for name, offset in connection.execute(_LAST_OFFSETS, bounds)]


def by_key(connection: Connection, site: str, keys: Collection[str]) -> dict[str, list[CaptureRow]]:
    """By key, rows with this path key or reached from a link with it, in order of WARC-Date, file, offset."""
    found: dict[str, list[CaptureRow]] = {key: [] for key in keys}
    ordered = sorted(found)
    for start in range(0, len(ordered), CHUNK):
        chunk = ordered[start : start + CHUNK]
        for row in connection.execute(_BY_KEY, {"of_site": site, "keys": chunk}).mappings():
            for key in {row["url_key"], row["link_key"]} & found.keys():
                found[key].append(dict(row))
    return found


def complete(rows: Sequence[CaptureRow], url: str) -> list[CaptureRow]:
    """Of the rows with this address's key, its complete 200 responses, direct or after a redirect."""
    host = bare_host(url)
    if not any(bare_host(row["url"]) == host for row in rows):
        return []
    return [row for row in rows if row["status"] == 200 and row["truncated"] is None]


class Originals:
    """Look-ups in the captures of an item database and the rows in `noted`, which are newer.

    Raises StoreError after an error of SQLite.
    """

    def __init__(self, path: Path, connection: Connection, noted: Sequence[dict[str, Any]]) -> None:
        self._path = path
        self._connection = connection
        self._noted = noted

    def at_address(self, site: str, url: str) -> CaptureRecord | None:
        """The newest complete 200 response of exactly this address; it may be a revisit."""
        for row in reversed(self._noted):
            if row["url"] == url and row["status"] == 200 and row["truncated"] is None and row["site"] == site:
                return _capture(row)
        return next(self._rows(_BY_ADDRESS, site, key_of(url), url), None)

    def with_payload(self, site: str, digest: str) -> Iterator[CaptureRecord]:
        """Complete response records with this payload digest, newest first."""
        for row in reversed(self._noted):
            is_it = row["payload_digest"] == digest and row["site"] == site
            if is_it and row["refers_to"] is None and row["truncated"] is None:
                yield _capture(row)
        yield from self._rows(_BY_DIGEST, site, digest, _CANDIDATES)

    def named(self, site: str, record_id: str | None, url: str | None, date: str | None) -> CaptureRecord | None:
        """The capture that a revisit refers to: by record id, else by address and WARC-Date."""
        if record_id is not None:
            for row in reversed(self._noted):
                if row["warc_record_id"] == record_id:
                    return _capture(row)
            return next(self._rows(_BY_ID, record_id), None)
        if url is None or date is None:
            return None
        url = without_credentials(url)
        for row in self._noted:
            if row["url"] == url and row["warc_date"] == date:
                return _capture(row)
        return next(self._rows(_BY_MOMENT, site, key_of(url), url, date), None)

    def _rows(self, statement: str, *values: object) -> Iterator[CaptureRecord]:
        try:
            # Not through SQLAlchemy: it would begin a transaction, and ours take the write lock.
            cursor = self._connection.connection.cursor()
            cursor.execute(statement, values)
            found = cursor.fetchall()
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{self._path}: {error}") from error
        return (CaptureRecord(*row) for row in found)


def _capture(row: dict[str, Any]) -> CaptureRecord:
    return CaptureRecord(*(row[column] for column in _NAMES))
