"""Compares the item database with the WARC files.

A row is written after its record, so even after the death of a process every row has its record. A record can still be
lost if a file is removed, or by a power cut if the database was synced before the file. Then items refer to missing
records. At its start, a run checks what can be checked without reading the files: that they exist and do not end before
a record in a row. `danvan verify` compares all records (`Database`). `danvan rebuild` makes the database again from the
existing records; then the next crawl requests the lost pages again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, func, select

from danvan_crawler.archive.layout import database_path, warc_prefix
from danvan_crawler.exceptions import OlderStoreError, StoreError
from danvan_crawler.store.captures import last_offsets
from danvan_crawler.store.database import open_for_reading
from danvan_crawler.store.schema import articles, captures
from danvan_crawler.verify.findings import Finding, Verification
from danvan_crawler.verify.ledger import Ledger


def lost_records(archive: Path, slug: str) -> Iterator[str]:
    """One sentence for each WARC file of a site that lacks records of the database. Raises StoreError."""
    with open_for_reading(database_path(archive)).connect() as connection:
        known = last_offsets(connection, warc_prefix(slug))
    for name, offset in known:
        path = archive / name
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            yield f"{path} is gone, but the item database names records in it"
        else:
            if offset >= size:
                yield f"{path} ends at byte {size}, but the item database names a record at byte {offset}"


class Database:
    """The item database as it was before the files were listed; compares its records with those that were read."""

    def __init__(self, archive: Path, slug: str | None, held: ExitStack, result: Verification) -> None:
        self._archive, self._slug, self._result = archive, slug, result
        self._connection: Connection | None = None
        path = database_path(archive)
        if not path.is_file():
            return  # nothing was derived from the archive yet
        try:
            self._connection = held.enter_context(open_for_reading(path).connect())
            self._last: int = self._connection.execute(select(func.max(captures.c.id))).scalar_one() or 0
            self._connection.rollback()  # hours may pass: a transaction would keep the log from being emptied
        except StoreError as error:
            self._connection = None
            older = isinstance(error, OlderStoreError)  # the next crawl migrates it
            self._result.found(Finding(path.name, None, "database-unreadable", str(error), damage=not older))

    def check(self, ledger: Ledger) -> None:
        """Compares every capture and every article with the records that were read."""
        if self._connection is None:
            return
        try:
            known = captures.c.id <= self._last
            self._check_rows("capture", captures, captures.c.url, known, ledger)
            later = select(captures.c.warc_record_id).where(captures.c.id > self._last)
            self._check_rows("item", articles, articles.c.item_id, articles.c.warc_record_id.not_in(later), ledger)
        except StoreError as error:
            self._result.found(Finding(database_path(self._archive).name, None, "database-unreadable", str(error)))

    def _check_rows(self, what: str, table: Table, label: Any, condition: Any, ledger: Ledger) -> None:
        columns = table.c
        statement = select(
            label.label("label"), columns.warc_file, columns.warc_offset, columns.warc_record_id, columns.payload_digest
        ).where(condition)
        if self._slug is not None:
            statement = statement.where(columns.site == self._slug)
        assert self._connection is not None
        for row in self._connection.execution_options(yield_per=1000).execute(statement):
            location = ledger.find(row.warc_record_id)
            stated = (row.warc_file, row.warc_offset)
            if location is None:
                kind, sentence = f"{what}-record-missing", f"{row.warc_record_id} of {row.label} is not there"
            elif (location.file, location.offset) != stated:
                kind = f"{what}-record-differs"
                sentence = f"{row.warc_record_id} of {row.label} is in {location.file} at byte {location.offset}"
            elif None not in (location.digest, row.payload_digest) and location.digest != row.payload_digest:
                kind = f"{what}-record-differs"
                digests = f"{location.digest} in the record, {row.payload_digest} in the database"
                sentence = f"the payload digest of {row.label} is {digests}"
            else:
                continue
            self._result.found(
                Finding(row.warc_file, row.warc_offset, kind, f"{sentence}; `danvan rebuild` corrects it")
            )
