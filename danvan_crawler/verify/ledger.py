"""Ledger of all records and references between them, over all files that are verified together.

Ids must be unique and references must be valid across the whole archive, which may hold tens of millions of records. So
the ledger is a temporary SQLite database, which is on disk if it exceeds its cache of 32 MB; a record takes about a
hundred bytes. Ids and addresses are kept as 16-byte BLAKE2b digests.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from danvan_crawler.verify.findings import Finding

_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA temp_store = FILE;
PRAGMA cache_size = -32768;
CREATE TABLE files (number INTEGER PRIMARY KEY, name TEXT, excused INTEGER);
CREATE TABLE records (id BLOB PRIMARY KEY, file INTEGER, offset INTEGER, visit BLOB, digest TEXT) WITHOUT ROWID;
CREATE TABLE wanted (kind TEXT, id BLOB, visit BLOB, digest TEXT, file INTEGER, offset INTEGER, sentence TEXT,
                     always INTEGER);
CREATE TABLE answers (id BLOB PRIMARY KEY, file INTEGER, offset INTEGER, damage INTEGER) WITHOUT ROWID;
CREATE TABLE asked (id BLOB PRIMARY KEY) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Location:
    """The place of a record in the ledger, and its payload digest.

    Not a `captures.RecordPlace`: `file` is a name given to `Ledger.begin_file`, which need not be in an archive.
    """

    file: str
    offset: int
    digest: str | None


class Ledger:
    """The records of the files that are verified; a context manager."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript(_TABLES)
        self._database.execute("BEGIN")
        self._file = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._database.close()

    def begin_file(self, name: str, *, excused: bool = False) -> None:
        """Starts a file: the records that are added next belong to it.

        `excused`: a repair has removed damaged bytes from files of its folder, so missing records are not new damage.
        """
        cursor = self._database.execute("INSERT INTO files (name, excused) VALUES (?, ?)", (name, excused))
        self._file = cursor.lastrowid or 0

    def add(
        self, identifier: str, offset: int, *, url: str | None, date: str | None, digest: str | None
    ) -> Location | None:
        """Adds a record. If its id is known already, returns where, else None."""
        row = (_key(identifier), self._file, offset, _visit(url, date), digest)
        try:
            self._database.execute("INSERT INTO records VALUES (?, ?, ?, ?, ?)", row)
        except sqlite3.IntegrityError:
            return self.find(identifier)
        return None

    def expect_record(
        self,
        kind: str,
        identifier: str | None,
        offset: int,
        sentence: str,
        *,
        always: bool,
        url: str | None = None,
        date: str | None = None,
        digest: str | None = None,
    ) -> None:
        """Adds a reference to another record, which must have been added when all files are read.

        With `always`, a missing record is always damage, otherwise only if all files of an archive were read.
        """
        key = _key(identifier) if identifier else None
        row = (kind, key, _visit(url, date), digest, self._file, offset, sentence, always)
        self._database.execute("INSERT INTO wanted VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

    def add_response(self, identifier: str, offset: int, *, damage: bool) -> None:
        """Adds a response, which should have a request; `damage`: its absence is damage."""
        self._database.execute(
            "INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?)", (_key(identifier), self._file, offset, damage)
        )

    def add_request(self, identifier: str) -> None:
        """Adds a request that belongs to the response with this id."""
        self._database.execute("INSERT OR IGNORE INTO asked VALUES (?)", (_key(identifier),))

    def find(self, identifier: str) -> Location | None:
        """The place of the record with this id; None if it is unknown."""
        row = self._database.execute(
            "SELECT name, offset, digest FROM records JOIN files ON number = file WHERE id = ?", (_key(identifier),)
        ).fetchone()
        return Location(*row) if row else None

    def report_missing(self, report: Callable[[Finding], None], *, whole: bool) -> None:
        """Reports broken references and missing requests; `whole`: every file of an archive was read."""
        self._database.execute("CREATE INDEX visits ON records (visit) WHERE visit IS NOT NULL")
        for name, offset, kind, sentence, always, excused in self._lost():
            report(Finding(name, offset, kind, sentence, damage=bool((always or whole) and not excused)))
        for name, offset in self._database.execute(
            "SELECT name, wanted.offset FROM wanted JOIN records USING (id) JOIN files ON number = wanted.file "
            # Digests can be compared only if algorithm and encoding are the same.
            "WHERE kind = 'revisit-target-missing' AND wanted.digest <> records.digest "
            "AND length(wanted.digest) = length(records.digest) "
            "AND instr(wanted.digest, ':') = instr(records.digest, ':')"
        ):
            sentence = "its payload digest is not that of the record that it refers to"
            report(Finding(name, offset, "revisit-digest-differs", sentence))
        for name, offset, damage in self._database.execute(
            "SELECT name, offset, damage AND NOT excused FROM answers JOIN files ON number = file "
            "WHERE NOT EXISTS (SELECT * FROM asked WHERE asked.id = answers.id)"
        ):
            report(Finding(name, offset, "missing-request", "no request belongs to it", damage=bool(damage)))

    def _lost(self) -> Iterator[tuple[str, int, str, str, int, int]]:
        yield from self._database.execute(
            "SELECT name, offset, kind, sentence, always, excused FROM wanted JOIN files ON number = file WHERE "
            "(id IS NULL OR NOT EXISTS (SELECT * FROM records WHERE records.id = wanted.id)) AND "
            "(id IS NOT NULL OR NOT EXISTS (SELECT * FROM records WHERE records.visit = wanted.visit)) "
            "ORDER BY wanted.rowid"
        )


def _key(identifier: str) -> bytes:
    return hashlib.blake2b(identifier.encode(errors="replace"), digest_size=16).digest()


def _visit(url: str | None, date: str | None) -> bytes | None:
    """The key of an address and a time, by which a revisit can refer to a record."""
    return _key(f"{url} {date}") if url and date else None
