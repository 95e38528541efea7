"""Open the item database so that crawls, readers and Datasette can use it at the same time.

WAL allows reading while a crawl writes. Writers take the lock at the beginning (`BEGIN IMMEDIATE`): a transaction that
begins with reading and writes later fails at once under contention instead of waiting.
"""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event
from sqlalchemy.pool import NullPool

from danvan_crawler.exceptions import (
    DanvanError,
    DiskFullError,
    OlderStoreError,
    StoreAccessError,
    StoreBusyError,
    StoreError,
)
from danvan_crawler.store import migration, schema

BUSY_TIMEOUT_SECONDS = 60.0
"""How long a writer waits for another process, e.g. a backup, before it fails."""
_WRITING = (
    # The archive is the source of truth: a crash may lose the last transactions, never the file (SQLite, "WAL mode").
    "PRAGMA synchronous = NORMAL",
    # KiB. The full-text index writes to pages all over the file; with the default of 2 MB they are read repeatedly.
    "PRAGMA cache_size = -32768",
    # Pages. One checkpoint, with its fsync, for about 300 articles instead of 60.
    "PRAGMA wal_autocheckpoint = 5000",
)


def open_for_writing(path: Path, progress: migration.Progress = migration.no_progress) -> Engine:
    """An engine whose transactions take the write lock; creates or migrates the file (`store.migration`).

    Raises StoreError if the file is not an item database, is newer, or cannot be written. Here and later, any SQLite
    error becomes a StoreError (DiskFullError if the disk is full) that names the file.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{path}: cannot be created: {error.strerror}") from error
    engine = _engine(path, "mode=rwc", begin="BEGIN IMMEDIATE")
    with engine.begin() as connection:
        migration.migrate(connection, path, progress)
    return engine


def rehearse(path: Path, plan: migration.Plan, progress: migration.Progress) -> migration.Rehearsal:
    """Tries a migration on the database itself, and takes it back. Raises StoreError if it would fail."""
    engine = _engine(path, "mode=rw", begin="BEGIN IMMEDIATE")
    with engine.connect() as connection:
        transaction = connection.begin()
        try:
            return migration.rehearse(connection, plan, progress)
        finally:
            transaction.rollback()


def open_for_reading(path: Path) -> Engine:
    """An engine that cannot change the file.

    Raises StoreError if it is missing or has another schema version (OlderStoreError, NewerStoreError).
    """
    if not path.is_file():
        raise _none(path)
    engine = _engine(path, _reading_mode(path), begin="BEGIN")
    with engine.begin() as connection:
        version = schema.version_of(connection, path)
    if version == 0:  # made by a run that ended before it could write to it
        raise _none(path)
    if version < len(schema.MIGRATIONS):
        raise OlderStoreError(
            f"{path}: schema version {version}, this danvan-crawler reads {len(schema.MIGRATIONS)}: "
            "`danvan migrate` or the next crawl brings it up to date"
        )
    if version > len(schema.MIGRATIONS):
        raise schema.newer(path, version)
    return engine


def _none(path: Path) -> StoreError:
    return StoreError(f"{path}: no item database here; crawl a site first, or `danvan rebuild` from its WARC files")


_NO_ACCESS = frozenset({
    sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_AUTH,
})  # fmt: skip


def _failure(path: Path, error: BaseException) -> DanvanError:
    """The error to raise for an error of SQLite."""
    code = _code(error)
    if code == sqlite3.SQLITE_FULL:
        return DiskFullError(f"{path}: no space left to write to it")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusyError(f"{path}: another process has kept it locked for {BUSY_TIMEOUT_SECONDS:g} seconds")
    return StoreAccessError(f"{path}: {error}") if code in _NO_ACCESS else StoreError(f"{path}: {error}")


def _code(error: BaseException) -> int:
    """SQLite's primary result code, without the bits of the extended one."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _reading_mode(path: Path) -> str:
    """URI parameters for a reader.

    A reader of a WAL database needs its -shm file and creates it if it is missing. On read-only media it cannot; there
    the file must be opened as immutable. But if there is a -wal file, another process may be writing, and reading with
    `immutable` would give wrong data.
    """
    may_write = os.access(path.parent, os.W_OK) and os.access(path, os.W_OK)
    log = path.with_name(path.name + "-wal")
    return "mode=ro" if may_write or log.exists() else "mode=ro&immutable=1"


def _use_wal(connection: sqlite3.Connection) -> None:
    # The first crawls of a new archive may get here at the same time. SQLite waits for locks, but not for this one:
    # the switch failed at once in one of 80 starts of four processes.
    deadline = time.monotonic() + BUSY_TIMEOUT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _engine(path: Path, mode: str, *, begin: str) -> Engine:
    uri = f"file:{quote(str(path.absolute()))}?{mode}"

    def connect() -> sqlite3.Connection:
        # isolation_level None: BEGIN is executed below.
        return sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)

    # NullPool: a connection left in a pool would keep the WAL open, so that it is not checkpointed at the end.
    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: Any) -> None:
        if begin == "BEGIN IMMEDIATE":
            # Not before the schema check: the mode is stored in the file, which may belong to another program.
            if connection.execute("PRAGMA application_id").fetchone() == (schema.APPLICATION_ID,):
                _use_wal(connection)
            for statement in _WRITING:
                connection.execute(statement)
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    @event.listens_for(engine, "handle_error")
    def _translate(context: ExceptionContext) -> None:
        if isinstance(context.original_exception, sqlite3.DatabaseError):
            raise _failure(path, context.original_exception) from context.original_exception

    return engine
