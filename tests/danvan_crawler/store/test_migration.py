"""Migrations of the item database: tried, shown, kept a copy of, and taken back."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.exceptions import NewerStoreError, OlderStoreError, StoreBusyError, StoreError, UsageError
from danvan_crawler.store import migration, schema
from danvan_crawler.store.database import open_for_reading, open_for_writing, rehearse
from danvan_crawler.store.migration import go_back, no_progress, plan_of

OLD = Path(__file__).resolve().parents[2] / "fixtures" / "store" / "version-1.sql"
NEWEST = len(schema.MIGRATIONS)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A database of schema version 1 with a capture and a walk."""
    path = tmp_path / "danvan.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLD.read_text())
        connection.execute("INSERT INTO walks (site, section_url, completed_at) VALUES ('a', 'http://a.vn/', '')")
        connection.commit()
    return path


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        number: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return number


def content(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def test_a_plan_names_the_steps(old: Path) -> None:
    plan = plan_of(old)
    assert plan is not None
    assert (plan.version, plan.target, len(plan.steps)) == (1, NEWEST, NEWEST - 1)
    assert plan.steps[:2] == ("articles over time", "citations")
    assert plan.size >= old.stat().st_size
    assert plan.has_room


def test_there_is_nothing_to_plan_for_a_new_database_or_none(tmp_path: Path) -> None:
    path = tmp_path / "danvan.sqlite"
    assert plan_of(path) is None
    path.touch()
    assert plan_of(path) is None
    open_for_writing(path).dispose()
    assert plan_of(path) is None
    assert list(tmp_path.glob("*.before-schema-*")) == []


def test_a_newer_database_and_one_that_is_none_are_refused(tmp_path: Path, old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(NewerStoreError, match="has schema version 99"):
        plan_of(old)
    old.write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError):
        plan_of(old)


def test_a_dry_run_changes_nothing(old: Path) -> None:
    before, plan = content(old), plan_of(old)
    assert plan is not None
    told: list[tuple[int, int, str]] = []
    tried = rehearse(old, plan, lambda *progress: told.append(progress))
    assert tried.growth >= 0
    assert [what for _, _, what in told] == list(plan.steps)
    assert content(old) == before
    assert version(old) == 1
    assert list(old.parent.glob("*.before-schema-*")) == []
    with pytest.raises(OlderStoreError, match="`danvan migrate` or the next crawl"):
        open_for_reading(old)


def test_a_dry_run_finds_a_step_that_fails_and_leaves_the_database(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, plan = content(old), plan_of(old)
    assert plan is not None
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS[:-1], _fails))
    with pytest.raises(StoreError, match="no such table: khong_co"):
        rehearse(old, plan, no_progress)
    with pytest.raises(StoreError, match="no such table: khong_co"):
        open_for_writing(old)
    assert content(old) == before


def _fails(connection: Any) -> None:
    connection.exec_driver_sql("ALTER TABLE khong_co ADD COLUMN x")


def test_a_step_that_leaves_a_row_without_its_article_is_taken_back(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(connection: Any) -> None:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        connection.exec_driver_sql("INSERT INTO revisions VALUES (7, 'x', 1, '', '{}')")

    before = content(old)
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS[:-1], lose))
    with pytest.raises(StoreError, match="a row of revisions would refer to a missing one of articles"):
        open_for_writing(old)
    assert content(old) == before


def test_the_database_is_kept_as_it_was_and_progress_goes_from_nothing_to_all(old: Path, caplog: Any) -> None:
    before = content(old)
    told: list[tuple[int, int, str]] = []
    open_for_writing(old, lambda *progress: told.append(progress)).dispose()
    assert version(old) == NEWEST
    copy = old.with_name(f"danvan.sqlite.before-schema-{NEWEST}")
    assert content(copy) == before
    assert f"migrated to schema {NEWEST}; as it was, it is in {copy.name}" in caplog.text
    assert told[0][2] == "keeping a copy"
    shares = [done / total for done, total, _ in told]
    assert shares == sorted(shares)
    assert all(0 <= share <= 1 for share in shares)
    open_for_writing(old).dispose()
    assert len(list(old.parent.iterdir())) == 2


def test_what_is_still_in_the_log_is_in_the_copy(old: Path) -> None:
    with closing(sqlite3.connect(old)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("INSERT INTO walks (site, section_url, completed_at) VALUES ('b', 'http://b.vn/', '')")
        writer.commit()
        open_for_writing(old).dispose()
    copy = old.with_name(f"danvan.sqlite.before-schema-{NEWEST}")
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT site FROM walks ORDER BY site").fetchall() == [("a",), ("b",)]


def test_without_room_it_is_migrated_without_a_copy_and_says_so(
    old: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setenv("DANVAN_MIN_FREE", str(10**18))
    open_for_writing(old).dispose()
    assert version(old) == NEWEST
    assert "there is no room for a copy of it" in caplog.text
    assert list(old.parent.glob("*.before-schema-*")) == []


def test_only_the_copy_of_the_last_migration_is_kept(old: Path) -> None:
    older = old.with_name("danvan.sqlite.before-schema-2")
    other = old.with_name("danvan.sqlite.before-schema-x")
    for path in (older, other):
        path.touch()
    open_for_writing(old).dispose()
    assert not older.exists()
    assert other.exists()


def test_the_way_back_gives_the_database_as_it_was_and_keeps_the_other(old: Path) -> None:
    before = content(old)
    open_for_writing(old).dispose()
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("INSERT INTO walks (site, section_url, completed_at) VALUES ('mới', 'x', '')")
        connection.commit()
    gone = go_back(old)
    assert (gone.version, gone.before) == (1, NEWEST)
    assert content(old) == before
    assert "mới" in "".join(content(gone.aside))
    assert sorted(path.name for path in old.parent.iterdir()) == ["danvan.sqlite", gone.aside.name]
    with pytest.raises(UsageError, match="no copy of an older schema"):
        go_back(old)
    open_for_writing(old).dispose()  # forward again
    assert version(old) == NEWEST


def test_the_way_back_is_refused_while_somebody_reads(old: Path) -> None:
    open_for_writing(old).dispose()
    with open_for_writing(old).connect() as writer:
        writer.exec_driver_sql("INSERT INTO walks (site, section_url, completed_at) VALUES ('c', 'x', '')")
        writer.commit()
        with closing(sqlite3.connect(old)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM walks").fetchall()
            writer.exec_driver_sql("INSERT INTO walks (site, section_url, completed_at) VALUES ('d', 'x', '')")
            writer.commit()
            with pytest.raises(StoreBusyError):
                go_back(old)
    assert version(old) == NEWEST


def test_several_that_open_an_old_database_at_once_migrate_it_once(old: Path, answer_many: Callable[..., Any]) -> None:
    assert answer_many(old, 4) == [str(NEWEST)] * 4
    assert len(list(old.parent.glob("*.before-schema-*"))) == 1


@pytest.fixture
def answer_many() -> Callable[[Path, int], list[str]]:
    """Opens a database in several processes at once; what each says about its version."""
    import subprocess
    import sys

    code = (
        "import sys; from pathlib import Path; from danvan_crawler.store.database import open_for_writing\n"
        "engine = open_for_writing(Path(sys.argv[1]))\n"
        "print(engine.connect().exec_driver_sql('PRAGMA user_version').scalar_one())"
    )

    def run(path: Path, number: int) -> list[str]:
        command = [sys.executable, "-c", code, str(path)]
        started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(number)]
        return [child.communicate()[0].strip() for child in started]

    return run


def test_the_names_of_copies_are_read(tmp_path: Path) -> None:
    path = tmp_path / "danvan.sqlite"
    for number in (10, 9):
        path.with_name(f"danvan.sqlite.before-schema-{number}").touch()
    assert [one.name.rpartition("-")[2] for one in migration._copies(path)] == ["9", "10"]
