"""Migrations of the item database: tried before, shown while they run, and with a way back.

Whoever opens the database for writing migrates it (`store.database`), in one transaction: it succeeds as a whole or
changes nothing. Before the first step the database is copied beside itself, as `danvan.sqlite.before-schema-<version>`,
if there is room. `go_back` puts that copy in its place again. The copy knows nothing of later crawls; their WARC files
do, so `danvan rebuild` brings them in.
"""

from __future__ import annotations

import logging
import re
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection

from danvan_crawler.atomic import draft
from danvan_crawler.exceptions import StoreBusyError, StoreError, UsageError
from danvan_crawler.settings_check import from_environment
from danvan_crawler.store import schema

logger = logging.getLogger(__name__)

Progress = Callable[[int, int, str], None]
"""Called with work done, work in all (in pages of the database), and what is being done."""
_PAGES_AT_ONCE = 4096
"""Pages that are copied between two calls of `Progress`: 16 MB."""


def no_progress(_done: int, _total: int, _what: str) -> None:
    """For callers that show nothing."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a migration would do: the schema versions, its steps in words, the size of the database in bytes."""

    path: Path
    version: int
    target: int
    steps: tuple[str, ...]
    size: int

    @property
    def copy(self) -> Path:
        """Where the database is kept as it was."""
        return self.path.with_name(f"{self.path.name}.before-schema-{self.target}")

    @property
    def has_room(self) -> bool:
        """Whether a copy leaves as much free as `DANVAN_MIN_FREE` says."""
        min_free: int = from_environment("DANVAN_MIN_FREE")
        return free_beside(self.path) - self.size >= min_free


def free_beside(path: Path) -> int:
    """Free bytes on a file's file system; 0 if that cannot be found out."""
    try:
        return shutil.disk_usage(path.parent).free
    except OSError:
        return 0


def plan_of(path: Path) -> Plan | None:
    """What has to be migrated; None if there is no database, or if it is of the newest schema.

    Raises StoreError for a database that cannot be read, is newer, or belongs to another program.
    """
    if not path.is_file() or not path.stat().st_size:
        return None
    try:
        with closing(_reading(path)) as connection:
            application = connection.execute("PRAGMA application_id").fetchone()[0]
            version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {error}") from error
    if application != schema.APPLICATION_ID:
        return None  # opening it says what is wrong
    if version > len(schema.MIGRATIONS):
        raise schema.newer(path, version)
    return _plan(path, version) if 0 < version < len(schema.MIGRATIONS) else None


def _plan(path: Path, version: int) -> Plan:
    size = 0
    for name in (path.name, f"{path.name}-wal"):
        with suppress(OSError):
            size += path.with_name(name).stat().st_size
    steps = tuple(schema.step_in_words(step) for step in schema.MIGRATIONS[version:])
    return Plan(path, version, len(schema.MIGRATIONS), steps, size)


def migrate(connection: Connection, path: Path, progress: Progress = no_progress) -> None:
    """Brings a database to the newest schema, inside the caller's transaction, which holds the lock for writing.

    Raises StoreError as `schema.migrate` does.
    """
    version = schema.version_of(connection, path)
    if not 0 < version < len(schema.MIGRATIONS):
        schema.migrate(connection, path)
        return
    plan = _plan(path, version)
    pages: int = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    kept = _keep(plan, lambda done: progress(done, 2 * pages, "keeping a copy"))
    _apply(connection, plan, progress, pages)
    if kept:
        _remove_older(plan)
        logger.warning("%s: migrated to schema %d; as it was, it is in %s", path, plan.target, plan.copy.name)


def _apply(connection: Connection, plan: Plan, progress: Progress, pages: int) -> None:
    """All steps, and the check that no row refers to a missing one afterwards."""

    def report(number: int, name: str) -> None:
        progress(pages + pages * number // len(plan.steps), 2 * pages, name)

    schema.migrate(connection, plan.path, report)
    if (row := connection.exec_driver_sql("PRAGMA foreign_key_check").first()) is not None:
        raise StoreError(f"{plan.path}: after the migration a row of {row[0]} would refer to a missing one of {row[2]}")


def _keep(plan: Plan, progress: Callable[[int], None]) -> bool:
    """Copies the database beside itself. Returns whether it could: a migration that works needs no copy."""
    if not plan.has_room:
        logger.warning(
            "%s: there is no room for a copy of it (%.1f GB): it is migrated without, and `danvan rebuild` is the way "
            "back to an older version",
            plan.path,
            plan.size / 1e9,
        )
        return False
    try:
        with draft(plan.copy) as copy:
            with closing(_reading(plan.path)) as source, closing(sqlite3.connect(copy.path)) as target:
                source.backup(
                    target, pages=_PAGES_AT_ONCE, progress=lambda _status, left, total: progress(total - left)
                )
                # As one file, which can be read where nothing can be written.
                target.execute("PRAGMA journal_mode = DELETE")
            copy.sync()
            copy.publish(plan.copy)
    except (OSError, sqlite3.Error) as error:
        logger.warning("%s: cannot be copied before its migration: %s", plan.path, error)
        return False
    return True


def _remove_older(plan: Plan) -> None:
    """Removes copies of earlier migrations: the way back leads over one version."""
    for path in _copies(plan.path):
        if path != plan.copy:
            with suppress(OSError):
                path.unlink()


def _copies(path: Path) -> list[Path]:
    """Copies that migrations have kept, the newest schema last."""
    found = [(re.fullmatch(r"before-schema-(\d+)", one.name.removeprefix(f"{path.name}.")), one)
             for one in path.parent.glob(f"{path.name}.before-schema-*")]  # fmt: skip
    return [one for _, one in sorted((int(name[1]), one) for name, one in found if name is not None)]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """How a migration went that was taken back: seconds, and bytes by which the file would grow."""

    seconds: float
    growth: int


def rehearse(connection: Connection, plan: Plan, progress: Progress = no_progress) -> Rehearsal:
    """Migrates inside the caller's transaction, which must then be rolled back. Raises StoreError if it would fail."""
    began = time.monotonic()
    size: int = connection.exec_driver_sql("PRAGMA page_size").scalar_one()
    before: int = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    _apply(connection, plan, lambda done, total, what: progress(done - before, total - before, what), before)
    after: int = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    return Rehearsal(time.monotonic() - began, (after - before) * size)


@dataclass(frozen=True, slots=True)
class Returned:
    """The way back was gone: schema versions, and where the migrated database is now."""

    version: int
    before: int
    aside: Path


def go_back(path: Path) -> Returned:
    """Puts the database as it was before its last migration in its place; the migrated one is kept beside it.

    The caller holds the lock of the database. Raises UsageError if there is no copy, StoreBusyError if another program
    has the database open, and StoreError if a file cannot be read or renamed.
    """
    copies = _copies(path)
    if not copies:
        raise UsageError(
            f"{path} has no copy of an older schema beside it; install the older version and run `danvan rebuild`"
        )
    try:
        version, before = _version(copies[-1]), _version(path)
        with closing(sqlite3.connect(path, timeout=1)) as connection:
            busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {error}") from error
    if busy:
        raise StoreBusyError(f"{path}: another program has it open")
    aside = path.with_name(f"{path.name}.schema-{before}")
    try:
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        path.replace(aside)
        copies[-1].replace(path)
    except OSError as error:
        raise StoreError(f"{error.filename}: cannot be renamed: {error.strerror}") from error
    return Returned(version, before, aside)


def _version(path: Path) -> int:
    with closing(_reading(path)) as connection:
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _reading(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, timeout=60)
