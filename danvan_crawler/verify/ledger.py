"""Which records there are and which they speak of, over all files that are verified together.

Ids have to be unique and references have to lead somewhere across the whole archive, which may hold tens of millions
of records. So the ledger is a temporary SQLite database, on disk as soon as it outgrows its cache of 32 MB; a record
takes about a hundred bytes of it. Ids and addresses are kept as 16-byte BLAKE2b digests.
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
    """Where the ledger has a record, and its payload digest.

    Not a `captures.RecordPlace`: `file` is a name as it was given to `Ledger.begin`, and need not be in an archive.
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

    def begin(self, name: str, *, excused: bool = False) -> None:
        """The records that follow are in this file.

        `excused` says that a repair has set damaged bytes aside there: references into them are no further damage.
        """
        cursor = self._database.execute("INSERT INTO files (name, excused) VALUES (?, ?)", (name, excused))
        self._file = cursor.lastrowid or 0

    def add(
        self, identifier: str, offset: int, *, url: str | None, date: str | None, digest: str | None
    ) -> Location | None:
        """Notes a record; where its id was seen before, if it was."""
        row = (_key(identifier), self._file, offset, _visit(url, date), digest)
        try:
            self._database.execute("INSERT INTO records VALUES (?, ?, ?, ?, ?)", row)
        except sqlite3.IntegrityError:
            return self.find(identifier)
        return None

    def want(
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
        """Notes that a record speaks of another one, which has to be there in the end.

        With `always` its absence is damage; else only when all files of an archive were looked at.
        """
        key = _key(identifier) if identifier else None
        row = (kind, key, _visit(url, date), digest, self._file, offset, sentence, always)
        self._database.execute("INSERT INTO wanted VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

    def answer(self, identifier: str, offset: int, *, damage: bool) -> None:
        """Notes a response, which should have a request."""
        self._database.execute(
            "INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?)", (_key(identifier), self._file, offset, damage)
        )

    def ask(self, identifier: str) -> None:
        """Notes that a request belongs to the response with this id."""
        self._database.execute("INSERT OR IGNORE INTO asked VALUES (?)", (_key(identifier),))

    def find(self, identifier: str) -> Location | None:
        """Where the record with this id is; None if it is unknown."""
        row = self._database.execute(
            "SELECT name, offset, digest FROM records JOIN files ON number = file WHERE id = ?", (_key(identifier),)
        ).fetchone()
        return Location(*row) if row else None

    def settle(self, report: Callable[[Finding], None], *, whole: bool) -> None:
        """Reports references that lead nowhere; `whole` says that every file of an archive was looked at."""
        self._database.execute("CREATE INDEX visits ON records (visit) WHERE visit IS NOT NULL")
        for name, offset, kind, sentence, always, excused in self._lost():
            report(Finding(name, offset, kind, sentence, damage=bool((always or whole) and not excused)))
        for name, offset in self._database.execute(
            "SELECT name, wanted.offset FROM wanted JOIN records USING (id) JOIN files ON number = wanted.file "
            # Of the same algorithm and in the same alphabet, or they can't be compared.
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
    """Of what a record is a capture: address and time."""
    return _key(f"{url} {date}") if url and date else None
