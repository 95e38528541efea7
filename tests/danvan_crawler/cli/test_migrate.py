"""`danvan migrate` on a database of the first schema."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.archive.locks import DatabaseLock
from danvan_crawler.store.schema import MIGRATIONS

Danvan = Callable[..., Any]
OLD = Path(__file__).resolve().parents[2] / "fixtures" / "store" / "version-1.sql"
NEWEST = len(MIGRATIONS)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "archive" / "danvan.sqlite"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLD.read_text())
    return path


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        number: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return number


def test_a_dry_run_says_what_would_be_done(danvan: Danvan, old: Path) -> None:
    result = danvan("migrate", "--dry-run")
    assert result.code == 0
    assert f"{old}: schema 1 to {NEWEST}, {NEWEST - 1} steps: articles over time, citations" in result.err
    assert f"is kept as danvan.sqlite.before-schema-{NEWEST}" in result.err
    assert "It works: tried in " in result.err
    assert version(old) == 1


def test_there_and_back(danvan: Danvan, old: Path) -> None:
    assert f"{old}: migrated to schema {NEWEST}" in danvan("migrate").err
    assert version(old) == NEWEST
    assert danvan("migrate").err == f"{old}: has the newest schema\n"
    result = danvan("migrate", "--back")
    assert (result.code, version(old)) == (0, 1)
    assert f"has schema 1 again; the database of schema {NEWEST} is danvan.sqlite.schema-{NEWEST}" in result.err
    assert "Install the older version before the next crawl" in result.err
    again = danvan("migrate", "--back")
    assert again.code == 2
    assert "has no copy of an older schema beside it" in again.err


@pytest.mark.parametrize("options", [(), ("--dry-run",), ("--back",)])
def test_a_crawl_is_not_disturbed(danvan: Danvan, old: Path, options: tuple[str, ...]) -> None:
    with DatabaseLock(old.parent):
        assert danvan("migrate", *options).code == 5
    assert version(old) == 1


def test_without_a_database_it_is_wrong_usage(danvan: Danvan, tmp_path: Path) -> None:
    result = danvan("migrate")
    assert result.code == 2
    assert result.err == f"danvan: {tmp_path}/archive/danvan.sqlite: there is no item database\n"
    assert not (tmp_path / "archive").exists()


def test_trying_and_going_back_at_once_is_wrong_usage(danvan: Danvan, old: Path) -> None:
    assert danvan("migrate", "--dry-run", "--back").code == 2


def test_readers_and_status_name_the_command(danvan: Danvan, old: Path) -> None:
    refused = danvan("search", "dân vận")
    assert refused.code == 1
    assert "schema version 1, this danvan-crawler reads" in refused.err
    assert "`danvan migrate`" in refused.err
    result = danvan("status")
    assert result.code == 0
    assert "Run `danvan migrate`" in result.err
