"""What the item database says of WARC files beside what the files hold.

A row is written after its record, so after the death of a process every row has its record. Two things can take the
record away all the same: somebody removes a file, and a power cut, of which the database may have been synced before
the file was. Then items name what is not there. The start of a run looks for that, as far as it can be seen without
reading the files: a file that is gone, or that ends before a record that a row names. Records are compared one by one
by `danvan verify` (`Database`), and `danvan rebuild` makes the database again from what is there; what was lost is
unknown then, and the next crawl asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, func, select

from danvan_crawler.archive.layout import database_path, warc_prefix
from danvan_crawler.exceptions import StoreError
from danvan_crawler.store.captures import last_offsets
from danvan_crawler.store.database import open_for_reading
from danvan_crawler.store.schema import articles, captures
from danvan_crawler.verify.findings import Finding, Verification
from danvan_crawler.verify.ledger import Ledger


def lost_records(archive: Path, slug: str) -> Iterator[str]:
    """A sentence for each WARC file of a site that the database knows more of than is there. Raises StoreError."""
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
    """What the item database says of records, as far as it reached before the files were listed."""

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
            older = "schema version" in str(error)  # which the next crawl brings up to date
            self._result.found(Finding(path.name, None, "database-unreadable", str(error), damage=not older))

    def check(self, ledger: Ledger) -> None:
        """Compares every capture and every article with the records that were seen."""
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
