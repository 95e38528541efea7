"""Transactions of a store, and what is noted to be written with the next one.

Captures are noted in memory and written with the next transaction: an index row per exchange costs nothing that way,
and a row that a crash loses is in the WARC all the same. So is how far the database has come in a site's files, which
is written in the transaction of what it counts: the database always says exactly which records it has taken.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from danvan_crawler.captures import RecordPlace
from danvan_crawler.store import captures as exchanges
from danvan_crawler.store import statements as sql
from danvan_crawler.store.database import open_for_writing
from danvan_crawler.store.site_state import POSITION

_NOTED_AT_MOST = 500
"""Captures kept in memory before they are written without waiting for a transaction."""


class Notebook:
    """The connection of a store. Every method raises StoreError, naming the file, and DiskFullError."""

    def __init__(self, path: Path) -> None:
        self._engine = open_for_writing(path)
        self.connection = self._engine.connect()
        self.captures: list[dict[str, Any]] = []
        """Rows of `captures` that are not written yet."""
        self.readings: list[dict[str, Any]] = []
        """Rows of `visit_counters` that are not written yet."""
        self._positions: dict[str, str] = {}
        """By site how far its files have been taken, where that is not written yet."""
        self._step: ExitStack | None = None
        """Holds the transaction of a step from its first write on."""

    def close(self) -> None:
        """Writes what is still noted and closes the file, also when the writing fails. Idempotent."""
        if not self.connection.closed:
            try:
                self.flush()
            finally:
                self.connection.close()
                self._engine.dispose()

    @contextmanager
    def transaction(self) -> Generator[Connection, None, None]:
        """Begins with what was noted, commits or rolls back as a whole; then it is noted still.

        Inside of `step` and `together` it is part of their transaction.
        """
        connection = self.connection
        if connection.in_transaction():
            self._write_noted()
            yield connection
        elif self._step is not None:
            self._step.enter_context(connection.begin())
            self._write_noted()
            yield connection
        else:
            noted = (list(self.captures), list(self.readings), dict(self._positions))
            try:
                with connection.begin():
                    self._write_noted()
                    yield connection
            except BaseException:
                self.captures[:], self.readings[:] = noted[:2]
                self._positions.update(noted[2])
                raise

    def _write_noted(self) -> None:
        """Writes what was noted, inside of a transaction."""
        if self.captures:
            self.connection.execute(exchanges.INSERT, self.captures)
            self.captures.clear()
        if self.readings:
            self.connection.execute(sql.ADD_READINGS, self.readings)
            self.readings.clear()
        for site, place in self._positions.items():
            self.connection.execute(sql.WRITE_STATE, {"site": site, "name": POSITION, "value": place})
        self._positions.clear()

    @contextmanager
    def step(self, site: str, place: RecordPlace | None) -> Generator[None, None, None]:
        """One event of a site's files in one transaction, which begins with the first write inside.

        `place`, that of the event's record, is noted in the same transaction, so that the database always
        says exactly how far it has come; None for an event that stands in no file. Steps that write nothing but notes
        wait for the next one that does.
        """
        with ExitStack() as stack:
            if not self.connection.in_transaction():  # else of `together`
                self._step = stack
            try:
                yield
            finally:
                self._step = None
            if place is not None:
                self._positions[site] = f"{place.warc_file} {place.warc_offset}"
            if self.connection.in_transaction():
                self._write_noted()

    @contextmanager
    def together(self) -> Generator[Connection, None, None]:
        """One transaction around everything inside."""
        with self.connection.begin():
            yield self.connection
            self._write_noted()

    def flush(self) -> None:
        """Writes the captures, visit counters and positions noted so far."""
        if self.captures or self.readings or self._positions:
            with self.transaction():
                pass  # the transaction itself writes them

    def note_capture(self, row: dict[str, Any]) -> None:
        """Notes a row of `captures`."""
        self.captures.append(row)
        if len(self.captures) >= _NOTED_AT_MOST:
            self.flush()
