"""The state of the archive: checks that found damage or are overdue, the disk, a database that cannot be read."""

from __future__ import annotations

import doctest
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.archive.checks import Check, write_check
from danvan_crawler.archive.schedule import Schedule
from danvan_crawler.health import archive_status as module
from danvan_crawler.health.archive_status import ArchiveStatus, Disk, archive_status, disk_in_words
from danvan_crawler.health.status_page import page
from danvan_crawler.store.writes import Store

NOW = datetime(2027, 3, 31, 8, tzinfo=UTC)


def warc(archive: Path, site: str, day: str) -> None:
    path = archive / "warc" / site / day[:4] / f"{site}-{day.replace('-', '')}013000123-00000-vm.warc.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def check(archive: Path, days_ago: float, **facts: Any) -> None:
    began = NOW - timedelta(days=days_ago)
    write_check(archive, Check(began, began + timedelta(hours=1), **facts))


def state(archive: Path, *, verify_days: float = 30, min_free: int = 0, **facts: Any) -> ArchiveStatus:
    return archive_status(archive, facts.get("schedule"), NOW, verify_days=verify_days, min_free=min_free)


def problems(archive: Path, **facts: Any) -> list[tuple[str, str]]:
    return [(problem.kind, problem.text) for problem in state(archive, **facts).problems]


def test_the_examples_hold() -> None:
    assert doctest.testmod(module).failed == 0


def test_an_empty_folder_has_no_problems(tmp_path: Path) -> None:
    assert problems(tmp_path) == []
    assert problems(tmp_path / "missing") == []


def test_an_archive_that_was_never_checked_is_overdue_when_its_first_file_is_old(tmp_path: Path) -> None:
    warc(tmp_path, "a-danvan", "2027-02-25")
    assert problems(tmp_path) == []
    warc(tmp_path, "a-danvan", "2027-02-20")
    assert problems(tmp_path) == [("unchecked", "the archive: never checked; DANVAN_VERIFY_DAYS is 30")]
    assert state(tmp_path).unhealthy
    assert problems(tmp_path, verify_days=0) == []
    assert problems(tmp_path, verify_days=365) == []


@pytest.mark.parametrize(("days", "late"), [(1, False), (30, False), (37, False), (38, True), (400, True)])
def test_a_check_is_overdue_a_week_after_it_was_due(tmp_path: Path, days: int, late: bool) -> None:
    warc(tmp_path, "a-danvan", "2025-01-01")
    check(tmp_path, days, files=1)
    text = f"the archive: not checked for {days} days; DANVAN_VERIFY_DAYS is 30"
    assert problems(tmp_path) == ([("unchecked", text)] if late else [])


def test_what_the_schedule_says_counts_before_the_settings_of_a_shell(tmp_path: Path) -> None:
    warc(tmp_path, "a-danvan", "2025-01-01")
    check(tmp_path, 90)
    schedule = Schedule("cron", 1, 30, NOW - timedelta(days=100), verify_days=180.0)
    assert problems(tmp_path, schedule=schedule) == []


def test_a_check_that_was_stopped_does_not_count_and_one_of_a_site_counts_for_that_site(tmp_path: Path) -> None:
    for site in ("a-danvan", "b-danvan"):
        warc(tmp_path, site, "2025-01-01")
    check(tmp_path, 2, complete=False)
    check(tmp_path, 3, site="a-danvan")
    check(tmp_path, 90)
    assert problems(tmp_path) == [("unchecked", "b-danvan: not checked for 90 days; DANVAN_VERIFY_DAYS is 30")]
    check(tmp_path, 1, site="b-danvan")
    assert problems(tmp_path) == []


def test_damage_is_a_problem_until_a_check_finds_none(tmp_path: Path) -> None:
    warc(tmp_path, "a-danvan", "2027-03-01")
    check(tmp_path, 9, damage=3, damaged={"a-danvan": 2, "": 1}, exit_code=8)
    [(kind, text)] = problems(tmp_path)
    assert kind == "damaged"
    assert text.endswith("found damage: 3 findings (2 in a-danvan, 1 in no site)")
    check(tmp_path, 8, site="a-danvan")  # after a repair
    assert problems(tmp_path)[0][1].endswith("found damage: 1 finding (1 in no site)")
    check(tmp_path, 7, complete=False)
    assert len(problems(tmp_path)) == 1
    check(tmp_path, 6)
    assert problems(tmp_path) == []


def test_a_check_that_was_stopped_has_found_what_it_has_found(tmp_path: Path) -> None:
    warc(tmp_path, "a-danvan", "2027-03-01")
    check(tmp_path, 9)
    check(tmp_path, 8, complete=False, damage=1, damaged={"a-danvan": 1})
    assert problems(tmp_path)[0][0] == "damaged"


def test_a_report_of_a_check_that_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    warc(tmp_path, "a-danvan", "2025-01-01")
    check(tmp_path, 3, files=7)
    for number, text in enumerate(("{", "[]", '{"started_at": 3}', '{"started_at": "2027-03-30", "finished_at": ""}')):
        (tmp_path / "checks" / f"20270330T00000{number}Z-x.json").write_text(text, encoding="utf-8")
    found = state(tmp_path)
    assert found.problems == ()
    assert found.last_check is not None
    assert found.last_check.files == 7


def run_report(archive: Path, days_ago: int, written: int) -> None:
    began = (NOW - timedelta(days=days_ago)).isoformat()
    facts = {"run_id": f"{days_ago:08}", "site": "a-danvan", "started_at": began, "finished_at": began, "exit_code": 0}
    (archive / "runs").mkdir(exist_ok=True)
    path = archive / "runs" / f"{NOW - timedelta(days=days_ago):%Y%m%dT%H%M%SZ}-{days_ago:08}.json"
    path.write_text(json.dumps({**facts, "written_bytes": written, "database_bytes": 0}), encoding="utf-8")


def test_a_disk_that_is_full_in_less_than_a_month_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in range(10):
        run_report(tmp_path, day, 2_000_000_000)
    free = 100_000_000_000
    monkeypatch.setattr("shutil.disk_usage", lambda _path: type("Usage", (), {"free": free}))
    found = state(tmp_path)
    assert found.problems == ()
    assert found.disk is not None
    assert found.as_json()["disk_full_on"] == "2027-05-20"
    assert disk_in_words(found.disk, NOW) == "100.0 GB free, 2.0 GB more a day: full on about 2027-05-20 at this rate"
    [(kind, text)] = problems(tmp_path, min_free=60_000_000_000)
    assert kind == "disk_soon"
    assert text == (
        "the disk will be full on about 2027-04-20: 40.0 GB are left, and the archive grows by 2.0 GB a day"
    )


@pytest.mark.parametrize(
    ("disk", "text"),
    [
        (Disk(5_000_000), "5.0 MB free; how fast the archive grows is known after crawls on two days"),
        (Disk(5_000_000, 0.0), "5.0 MB free, 0 B more a day: not full in 50 years at this rate"),
        (
            Disk(5_000_000, 1e3, NOW + timedelta(days=365 * 9)),
            "5.0 MB free, 1.0 KB more a day: full in about 9 years at this rate (2036)",
        ),
    ],
)
def test_what_is_known_of_a_disk_is_a_sentence(disk: Disk, text: str) -> None:
    assert disk_in_words(disk, NOW) == text


@pytest.mark.parametrize(
    ("damage", "kind", "unhealthy"),
    [("PRAGMA user_version = 1", "database_older", False), ("PRAGMA user_version = 99", "database_newer", True)],
)
def test_a_database_of_another_schema_has_its_own_remedy(
    tmp_path: Path, damage: str, kind: str, unhealthy: bool
) -> None:
    Store(tmp_path / "danvan.sqlite").close()
    with closing(sqlite3.connect(tmp_path / "danvan.sqlite")) as connection:
        connection.execute(damage)
    found = state(tmp_path)
    assert [problem.kind for problem in found.problems] == [kind]
    assert found.unhealthy is unhealthy


def test_a_file_that_is_no_database_is_a_problem_and_an_empty_one_is_none(tmp_path: Path) -> None:
    (tmp_path / "danvan.sqlite").write_bytes(b"")
    assert problems(tmp_path) == []
    (tmp_path / "danvan.sqlite").write_bytes(b"no database" * 1000)
    assert [kind for kind, _ in problems(tmp_path)] == ["database"]


def test_the_page_shows_the_problems_of_the_archive_and_why_there_is_no_site(tmp_path: Path) -> None:
    warc(tmp_path, "a-danvan", "2025-01-01")
    text = page([], NOW, state(tmp_path), ["No site is enabled: put a profile into `sites`."])
    assert "the archive: never checked" in text
    assert "No site is enabled: put a profile into <code>sites</code>." in text
    assert "Disk: " in text
