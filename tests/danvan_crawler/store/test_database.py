"""Opening the database file: its owner, its version, other processes that use it, and read-only media."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from danvan_crawler.archive.layout import database_path
from danvan_crawler.exceptions import DiskFullError, StoreError
from danvan_crawler.store import database as opening
from danvan_crawler.store.database import open_for_reading, open_for_writing
from danvan_crawler.store.writes import Store

pytestmark = pytest.mark.slow

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "store"
OPENERS = pytest.mark.parametrize("opener", [open_for_reading, open_for_writing])


def child(script: str, *arguments: object) -> subprocess.Popen[str]:
    """Runs this script in another process."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def answer(script: str, *arguments: object) -> str:
    """The output of the script, without the last line break."""
    process = child(script, *arguments)
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return out.strip()


def sound(path: Path) -> bool:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_the_file_is_in_the_archive_folder(tmp_path: Path) -> None:
    assert database_path(tmp_path) == tmp_path / "danvan.sqlite"


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    Store(tmp_path / "a" / "b" / "danvan.sqlite").close()
    assert (tmp_path / "a" / "b" / "danvan.sqlite").is_file()


@pytest.mark.parametrize("folder", ["a b", "a?b=c", "a#b", "a%20b", "lưu trữ", "file:x", "a&mode=memory"])
def test_special_characters_in_a_folder_name_are_taken_literally(
    folder: str, tmp_path: Path, desk: Any, exported: Any
) -> None:
    path = tmp_path / folder / "danvan.sqlite"
    store = Store(path)
    desk.publish(store, "/1.html", "08:00")
    store.close()
    assert [entry.name for entry in path.parent.iterdir()] == ["danvan.sqlite"]
    assert len(exported(path)) == 1


def test_a_relative_path_is_the_same_file_after_a_change_of_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    engine = open_for_writing(Path("danvan.sqlite"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM articles")).scalar_one() == 0


def test_reading_a_missing_database_is_an_error_with_a_remedy(database: Path) -> None:
    with pytest.raises(StoreError, match=r"danvan\.sqlite: no item database here; crawl a site first, or `danvan reb"):
        open_for_reading(database)
    assert not database.exists()


@OPENERS
def test_a_file_that_is_not_a_database_is_refused_and_kept(opener: Any, database: Path) -> None:
    database.write_bytes(b"nothing of the kind\n" * 500)
    with pytest.raises(StoreError, match=r"danvan\.sqlite: file is not a database"):
        opener(database)
    assert database.read_bytes().startswith(b"nothing of the kind")


@OPENERS
def test_the_database_of_another_program_is_refused_and_not_changed(opener: Any, database: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE articles (id INTEGER)")
    before = database.read_bytes()
    with pytest.raises(StoreError, match="is the database of another program"):
        opener(database)
    assert database.read_bytes() == before


@OPENERS
def test_a_newer_schema_is_refused_with_both_version_numbers(opener: Any, database: Path) -> None:
    Store(database).close()
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(
        StoreError, match=r"danvan\.sqlite: (has )?schema version 99, this danvan-crawler (knows|reads) \d+"
    ):
        opener(database)


def test_an_empty_file_is_refused_for_reading_and_becomes_a_database_for_writing(database: Path) -> None:
    database.touch()
    with pytest.raises(StoreError, match="no item database here"):
        open_for_reading(database)
    Store(database).close()
    open_for_reading(database)


def test_a_folder_instead_of_the_file_is_an_error_with_its_path(database: Path) -> None:
    database.mkdir()
    with pytest.raises(StoreError, match=r"danvan\.sqlite: unable to open database file"):
        Store(database)


def test_a_file_instead_of_the_folder_is_an_error_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "archive").touch()
    with pytest.raises(StoreError, match=r"danvan\.sqlite: cannot be created: File exists"):
        Store(tmp_path / "archive" / "danvan.sqlite")


def test_damage_found_while_reading_is_an_error_with_the_path(store: Store, desk: Any, exported: Any) -> None:
    for number in range(50):
        desk.publish(store, f"/{number}.html", "08:00", body_text="chữ " * 2000)
    store.close()
    pages = bytearray(store.path.read_bytes())
    pages[4096 * 40 :] = b"\xa5" * (len(pages) - 4096 * 40)
    store.path.write_bytes(pages)
    with pytest.raises(StoreError, match=r"danvan\.sqlite: "):
        exported(store.path)


def test_a_reader_cannot_change_anything(store: Store) -> None:
    with open_for_reading(store.path).connect() as connection, pytest.raises(StoreError, match="readonly"):
        connection.execute(text("DELETE FROM articles"))


def test_foreign_keys_are_enforced(store: Store) -> None:
    with open_for_writing(store.path).connect() as connection, pytest.raises(StoreError, match="FOREIGN KEY"):
        connection.execute(text("INSERT INTO revisions VALUES (1, 'x', 1, 'x', 'x')"))


def test_closing_leaves_one_file(store: Store, desk: Any) -> None:
    desk.publish(store, "/1.html", "08:00")
    store.close()
    assert [path.name for path in store.path.parent.iterdir()] == ["danvan.sqlite"]


HOLDING = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
time.sleep(1)
connection.execute("INSERT INTO walks (site, section_url, completed_at) VALUES ('holder', 'x', 'x')")
connection.execute("COMMIT")
"""


def test_a_writer_waits_for_another_process_to_finish(store: Store) -> None:
    other = child(HOLDING, store.path)
    assert other.stdout is not None
    assert other.stdout.readline() == "locked\n"
    store.frontier.complete_walk("vi-du-danvan", "x", "2026-11-23T08:00:00.000000Z")
    assert store.frontier.walk_of("holder", "x")  # so the other one had finished before this one wrote
    other.communicate()


def test_a_writer_that_times_out_reports_the_lock_and_can_continue_later(
    database: Path, desk: Any, exported: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "BUSY_TIMEOUT_SECONDS", 0.1)
    store = Store(database)
    holder = sqlite3.connect(database, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match=r"another process has kept it locked for 0\.1 seconds"):
        desk.publish(store, "/1.html", "08:00")
    holder.execute("ROLLBACK")
    holder.close()
    desk.publish(store, "/1.html", "08:00")
    store.close()
    assert len(exported(database)) == 1


def test_a_reader_keeps_its_view_while_a_writer_writes(store: Store, desk: Any, exported: Any) -> None:
    desk.publish(store, "/1.html", "08:00")
    counting = text("SELECT count(*) FROM articles")
    with open_for_reading(store.path).connect() as reader:
        before = reader.execute(counting).scalar_one()
        desk.publish(store, "/2.html", "08:00")
        assert (before, reader.execute(counting).scalar_one()) == (1, 1)
    assert len(exported(store.path)) == 2


OPENING = """
import sys
from pathlib import Path
from danvan_crawler.store.writes import Store
print("ready", flush=True)
sys.stdin.readline()
store = Store(Path(sys.argv[1]))
for number in range(20):
    store.frontier.complete_walk("vi-du-danvan", f"{sys.argv[2]}/{number}", "x")
store.close()
"""


def test_first_runs_that_start_at_the_same_time_make_one_database(database: Path) -> None:
    runs = [child(OPENING, database, name) for name in "abcd"]
    for run in runs:
        assert run.stdout is not None
        run.stdout.readline()
    for run in runs:
        assert run.stdin is not None
        run.stdin.write("\n")
        run.stdin.flush()
    assert [(run.communicate()[1], run.returncode) for run in runs] == [("", 0)] * 4
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        assert connection.execute("SELECT count(*) FROM walks").fetchone() == (80,)


DYING = """
import itertools, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from conftest import Desk
from danvan_crawler.store.writes import Store
store, desk = Store(Path(sys.argv[1])), Desk()
for number in itertools.count():
    desk.publish(store, f"/{number}.html", "08:00", f"bài {number}", body_text="chữ " * 500)
    print(number, flush=True)
"""


def test_a_run_that_is_killed_loses_no_article_and_leaves_a_valid_file(database: Path, exported: Any) -> None:
    run = child(DYING, database, Path(__file__).parent)
    assert run.stdout is not None
    written = [run.stdout.readline().strip() for _ in range(30)]
    run.send_signal(signal.SIGKILL)
    run.communicate()
    assert {f"bài {number}" for number in written} <= {item["title"] for item in exported(database)}
    assert sound(database)


FAILING = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from conftest import Desk
from danvan_crawler.exceptions import DanvanError
from danvan_crawler.store.writes import Store
store, desk = Store(Path(sys.argv[1])), Desk()
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))  # what a file system that takes no more looks like
written = 0
try:
    while True:
        desk.publish(store, f"/{written}.html", "08:00", f"bài {written}", body_text="chữ " * 500)
        written += 1
except DanvanError as error:
    print(written, type(error).__name__, error, sep="|")
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
desk.publish(store, "/sau.html", "08:00", "bài sau")
store.close()
"""


def test_a_failed_write_rolls_back_one_article_and_the_store_can_continue(database: Path, exported: Any) -> None:
    written, kind, message = answer(FAILING, database, Path(__file__).parent).split("|")
    assert int(written) > 5
    assert (kind, str(database) in message) in {("StoreAccessError", True), ("DiskFullError", True)}
    titles = {item["title"] for item in exported(database)}
    assert titles == {f"bài {number}" for number in range(int(written))} | {"bài sau"}
    assert sound(database)


def test_a_full_disk_is_a_separate_error(database: Path) -> None:
    with open_for_writing(database).connect() as connection:
        connection.execute(text("PRAGMA max_page_count = 60"))
        with pytest.raises(DiskFullError, match=r"danvan\.sqlite: no space left"):
            connection.execute(
                text("INSERT INTO walks (site, section_url, completed_at) VALUES ('x', 'x', zeroblob(1000000))")
            )


# The capabilities of root allow writing anywhere; without them root is an owner like any other. The layout of the call
# is that of capset(2), version 3.
READING = """
import ctypes, os, sys
from pathlib import Path
from danvan_crawler.exceptions import DanvanError
from danvan_crawler.store.database import open_for_reading, open_for_writing
from danvan_crawler.store.queries import Filter, items
if os.geteuid() == 0:
    head, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert ctypes.CDLL(None).capset(head, data) == 0
path = Path(sys.argv[1])
assert not os.access(path, os.W_OK)
try:
    with open_for_reading(path).connect() as connection:
        print(sorted(item["title"] for item in items(connection, Filter())))
    open_for_writing(path)
except DanvanError as error:
    print(error)
"""


@pytest.fixture
def read_only(store: Store, desk: Any) -> Iterator[Path]:
    """The database in a read-only folder; the store that wrote it is still open."""
    desk.publish(store, "/1.html", "08:00", "một")
    store.path.parent.chmod(0o555)
    for path in store.path.parent.iterdir():
        path.chmod(0o444)
    yield store.path
    store.path.parent.chmod(0o755)


def test_read_only_media_are_read_and_not_written(store: Store, desk: Any, read_only: Path) -> None:
    read_only.parent.chmod(0o755)
    store.close()
    read_only.parent.chmod(0o555)
    told, refused = answer(READING, read_only).splitlines()
    assert told == "['một']"
    assert refused == f"{read_only}: attempt to write a readonly database"
    assert [path.name for path in read_only.parent.iterdir()] == ["danvan.sqlite"]


def test_a_reader_without_write_permission_reads_data_that_another_process_is_writing(
    store: Store, desk: Any, read_only: Path
) -> None:
    desk.publish(store, "/2.html", "08:00", "hai")  # is in the write-ahead log, not in the file
    assert answer(READING, read_only).splitlines()[0] == "['hai', 'một']"


def structure(path: Path) -> set[tuple[str, ...]]:
    """Tables with their columns, and indexes, of a database."""
    with closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {
            (table, str(row[1]), str(row[2]), str(row[3]), str(row[5]))
            for table in tables
            for row in connection.execute("SELECT * FROM pragma_table_xinfo(?)", (table,))
        }
        indexes = connection.execute(
            "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL"
        )
        return columns | {(name, table, " ".join(sql.split())) for name, table, sql in indexes}


def test_a_migrated_database_has_the_structure_of_a_new_one(tmp_path: Path) -> None:
    old, new = tmp_path / "old.sqlite", tmp_path / "new.sqlite"
    with closing(sqlite3.connect(old)) as connection:
        connection.executescript((FIXTURES / "version-1.sql").read_text())
    for path in (old, new):
        Store(path).close()
    assert structure(old) == structure(new)
