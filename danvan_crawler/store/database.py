"""Opening the item database so that crawls, readers and Datasette can share it.

WAL lets readers go on while a crawl writes. Writers take the lock when they begin (`BEGIN IMMEDIATE`): a transaction
that starts as a reader and turns writer fails at once under contention instead of waiting.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from danvan_crawler.exceptions import StoreError
from danvan_crawler.store import schema

FILE_NAME = "danvan.sqlite"
BUSY_TIMEOUT_SECONDS = 60
"""How long a writer waits for another process, e.g. a backup, before it gives up."""


def database_path(archive: Path) -> Path:
    return archive / FILE_NAME


def open_for_writing(path: Path) -> Engine:
    """An engine whose transactions begin as writers; creates or migrates the file.

    Raises StoreError naming the file when it is no database of ours, is newer, or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        engine = _engine(f"sqlite:///{path}", begin="BEGIN IMMEDIATE")
        with engine.begin() as connection:
            schema.migrate(connection)
    except (OSError, DatabaseError) as error:
        raise StoreError(f"{path}: cannot be opened: {_reason(error)}") from error
    except StoreError as error:
        raise StoreError(f"{path}: {error}") from error
    return engine


def open_for_reading(path: Path) -> Engine:
    """An engine that cannot change the file. Raises StoreError when there is none, or one of another schema version."""
    if not path.is_file():
        raise StoreError(f"{path}: no item database here; crawl a site first, or `danvan rebuild` from its WARC files")
    try:
        # A file on read-only media can't have the -shm file that WAL needs: SQLite wants to hear that nobody writes.
        mode = "mode=ro" if _writable(path) else "mode=ro&immutable=1"
        engine = _engine(f"sqlite:///file:{path}?{mode}&uri=true", begin="BEGIN")
        with engine.begin() as connection:
            version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    except DatabaseError as error:
        raise StoreError(f"{path}: cannot be opened: {_reason(error)}") from error
    if version != len(schema.MIGRATIONS):
        raise StoreError(
            f"{path}: schema version {version}, this danvan-crawler reads {len(schema.MIGRATIONS)}; "
            "a crawl brings an older file up to date"
        )
    return engine


def _writable(path: Path) -> bool:
    import os

    return os.access(path.parent, os.W_OK) and os.access(path, os.W_OK)


def _reason(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error)


def _engine(url: str, *, begin: str) -> Engine:
    # NullPool: a connection left in a pool would hold the WAL open, and keep it from being checkpointed at the end.
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": BUSY_TIMEOUT_SECONDS})

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        if begin == "BEGIN IMMEDIATE":
            connection.execute("PRAGMA journal_mode = WAL")
            # The archive is the truth: a crash may cost the last transactions, never the file (SQLite, "WAL mode").
            connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine
