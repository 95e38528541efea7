"""Which record of the archive has what a server sends again: by address, by payload, by id.

A crawl asks this twice per exchange, so the questions go to SQLite's own cursor, outside of a transaction of the store:
15 us each, among 100,000 captures. Rows that are noted and not written yet are looked through first; there are 500 at
most.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection

from danvan_crawler.exceptions import StoreError
from danvan_crawler.store.captures import key_of

_COLUMNS = "url, warc_date, warc_file, warc_offset, warc_record_id, etag, last_modified, refers_to"
_BY_ADDRESS = f"""SELECT {_COLUMNS} FROM captures
    WHERE site = ? AND url_key = ? AND url = ? AND status = 200 AND truncated IS NULL ORDER BY warc_date DESC LIMIT 1"""
_BY_DIGEST = f"""SELECT {_COLUMNS} FROM captures
    WHERE site = ? AND payload_digest = ? AND refers_to IS NULL AND truncated IS NULL ORDER BY warc_date DESC LIMIT ?"""
_BY_ID = f"SELECT {_COLUMNS} FROM captures WHERE warc_record_id = ?"
_BY_MOMENT = f"SELECT {_COLUMNS} FROM captures WHERE site = ? AND url_key = ? AND url = ? AND warc_date = ?"
_CANDIDATES = 3
"""Records of one payload that are offered. There is more than one only where a file was missing for a while."""


class Original(NamedTuple):
    """A capture and where its record is."""

    url: str
    warc_date: str
    warc_file: str
    warc_offset: int
    warc_record_id: str
    etag: str | None
    last_modified: str | None
    refers_to: str | None


class Originals:
    """Look-ups among the captures of an item database and the rows in `noted`, which are newer.

    Raises StoreError when SQLite cannot answer.
    """

    def __init__(self, path: Path, connection: Connection, noted: Sequence[dict[str, Any]]) -> None:
        self._path = path
        self._connection = connection
        self._noted = noted

    def at_address(self, site: str, url: str) -> Original | None:
        """The newest complete 200 answer of exactly this address, itself perhaps a revisit."""
        for row in reversed(self._noted):
            if row["url"] == url and row["status"] == 200 and row["truncated"] is None and row["site"] == site:
                return _original(row)
        return next(self._rows(_BY_ADDRESS, site, key_of(url), url), None)

    def with_payload(self, site: str, digest: str) -> Iterator[Original]:
        """Complete response records with this payload digest, newest first."""
        for row in reversed(self._noted):
            is_it = row["payload_digest"] == digest and row["site"] == site
            if is_it and row["refers_to"] is None and row["truncated"] is None:
                yield _original(row)
        yield from self._rows(_BY_DIGEST, site, digest, _CANDIDATES)

    def named(self, site: str, record_id: str | None, url: str | None, date: str | None) -> Original | None:
        """The capture that a revisit refers to: by the id of its record, else by address and WARC-Date."""
        if record_id is not None:
            for row in reversed(self._noted):
                if row["warc_record_id"] == record_id:
                    return _original(row)
            return next(self._rows(_BY_ID, record_id), None)
        if url is None or date is None:
            return None
        for row in self._noted:
            if row["url"] == url and row["warc_date"] == date:
                return _original(row)
        return next(self._rows(_BY_MOMENT, site, key_of(url), url, date), None)

    def _rows(self, statement: str, *values: object) -> Iterator[Original]:
        try:
            # Not through SQLAlchemy, which would begin a transaction, and ours begin as writers.
            cursor = self._connection.connection.cursor()
            cursor.execute(statement, values)
            found = cursor.fetchall()
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{self._path}: {error}") from error
        return (Original(*row) for row in found)


def _original(row: dict[str, Any]) -> Original:
    return Original(*(row[name] for name in Original._fields))
