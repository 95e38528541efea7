"""Transactions of a store, and the write buffer for rows that are written with the next one.

Captures are kept in memory and written with the next transaction, so that an index row per exchange costs almost
nothing. If a crash loses a row, it can be derived from the WARC file. The position in a site's files is written in the
same transaction as the rows of the records before it, so it always matches the stored records exactly.
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
"""Most captures kept in memory; then they are written without waiting for a transaction."""


class WriteBuffer:
    """The connection and write buffer of a store. Every method raises StoreError or DiskFullError, naming the file."""

    def __init__(self, path: Path) -> None:
        self._engine = open_for_writing(path)
        self.connection = self._engine.connect()
        self.captures: list[dict[str, Any]] = []
        """Buffered rows of `captures`."""
        self.readings: list[dict[str, Any]] = []
        """Buffered rows of `visit_counters`."""
        self._positions: dict[str, str] = {}
        """Buffered positions in the files, by site."""
        self._step: ExitStack | None = None
        """Holds the transaction of a step, which begins with its first write."""

    def close(self) -> None:
        """Writes the buffer and closes the file, even if writing fails. Idempotent."""
        if not self.connection.closed:
            try:
                self.flush()
            finally:
                self.connection.close()
                self._engine.dispose()

    def hurry(self) -> None:
        """Waits only a second for other processes from now on: a run that has to end has waited long enough."""
        raw = self.connection.connection.driver_connection
        if raw is not None:
            raw.execute("PRAGMA busy_timeout = 1000")

    @contextmanager
    def transaction(self) -> Generator[Connection, None, None]:
        """A transaction that first writes the buffer, and restores it after a rollback.

        Inside of `step` and `batch` it is part of their transaction.
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
        """Writes the buffer, inside of a transaction."""
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
        """Stores one event of a site's files in one transaction, which begins with the first write inside.

        `place` is the place of the event's record, None if it has no record. It is written in the same transaction, so
        the stored position is always exact. A step that only adds to the buffer is written with a later step.
        """
        with ExitStack() as stack:
            if not self.connection.in_transaction():  # else inside of `batch`
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
    def batch(self) -> Generator[Connection, None, None]:
        """One transaction around everything inside."""
        with self.connection.begin():
            yield self.connection
            self._write_noted()

    def flush(self) -> None:
        """Writes the buffered captures, visit counters and positions."""
        if self.captures or self.readings or self._positions:
            with self.transaction():
                pass  # the transaction itself writes them

    def note_capture(self, row: dict[str, Any]) -> None:
        """Adds a row of `captures` to the buffer."""
        self.captures.append(row)
        if len(self.captures) >= _NOTED_AT_MOST:
            self.flush()
