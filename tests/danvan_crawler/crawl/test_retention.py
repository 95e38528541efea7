"""Retention of run reports and logs."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from danvan_crawler.archive.locks import SiteLock
from danvan_crawler.crawl.retention import remove_expired

NOW = datetime(2028, 3, 1, 1, 30, tzinfo=UTC)
SLUG = "vi-du-danvan"


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DANVAN_CLOCK", NOW.isoformat())


@pytest.fixture
def report(tmp_path: Path) -> Callable[..., str]:
    """Writes the report of a run this many days ago; returns its name."""

    def write(days: float, site: str = SLUG, text: str | None = None) -> str:
        began = NOW - timedelta(days=days)
        path = tmp_path / "runs" / f"{began:%Y%m%dT%H%M%SZ}-{len(list(tmp_path.glob('runs/*'))):08x}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text if text is not None else json.dumps({"site": site}))
        return path.name

    return write


@pytest.fixture
def log(tmp_path: Path) -> Callable[[str, float], str]:
    """Writes a log whose last line is this many days old, by the clock of the system, which sets file times."""

    def write(name: str, days: float) -> str:
        path = tmp_path / "logs" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x\n")
        then = time.time() - 86400 * days
        os.utime(path, (then, then))
        return name

    return write


def left(archive: Path, folder: str) -> set[str]:
    return {path.name for path in (archive / folder).iterdir()}


def test_old_reports_of_the_site_are_removed_and_recent_ones_stay(tmp_path: Path, report: Callable[..., str]) -> None:
    old = [report(401), report(900)]
    young = {report(399), report(0)}
    assert {path.name for path in remove_expired(tmp_path, SLUG, 400)} == set(old)
    assert left(tmp_path, "runs") == young


def test_of_another_site_the_newest_old_report_stays(tmp_path: Path, report: Callable[..., str]) -> None:
    report(900, "khac-danvan")
    kept = {report(500, "khac-danvan"), report(700, "nua-danvan"), report(0)}
    remove_expired(tmp_path, SLUG, 400)
    assert left(tmp_path, "runs") == kept


def test_a_retention_of_zero_keeps_all(tmp_path: Path, report: Callable[..., str], log: Callable[..., str]) -> None:
    report(9000), report(0), log(f"{SLUG}.log.1", 9000)
    assert remove_expired(tmp_path, SLUG, 0) == []


def test_an_old_truncated_report_is_removed(tmp_path: Path, report: Callable[..., str]) -> None:
    cut, kept = report(500, text='{"site": "vi-d'), report(0)
    assert [path.name for path in remove_expired(tmp_path, SLUG, 400)] == [cut]
    assert left(tmp_path, "runs") == {kept}


def test_files_other_than_reports_stay(tmp_path: Path, report: Callable[..., str]) -> None:
    report(0)
    (tmp_path / "runs" / "20200101-notes.json").write_text("{}")
    assert remove_expired(tmp_path, SLUG, 400) == []


@pytest.mark.parametrize("name", ["20261399T000000Z-0a1b2c3d.json", "99999999T999999Z-0a1b2c3d.json", "x.json"])
def test_a_file_name_without_a_valid_time_is_no_report(tmp_path: Path, report: Callable[..., str], name: str) -> None:
    old = report(500)
    (tmp_path / "runs" / name).write_text("{}")
    assert [path.name for path in remove_expired(tmp_path, SLUG, 400)] == [old]


def test_a_log_that_is_a_dangling_link_is_ignored(tmp_path: Path, log: Callable[..., str]) -> None:
    old = log(f"{SLUG}.log.2", 500)
    (tmp_path / "logs" / f"{SLUG}.log.1").symlink_to("nowhere")
    assert [path.name for path in remove_expired(tmp_path, SLUG, 400)] == [old]


def test_old_logs_are_removed(tmp_path: Path, log: Callable[..., str]) -> None:
    old = {log(f"{SLUG}.log.3", 401), log("khac-danvan.log", 500)}
    young = {log(f"{SLUG}.log", 1), log(f"{SLUG}.log.1", 399)}
    assert {path.name for path in remove_expired(tmp_path, SLUG, 400)} == old
    assert left(tmp_path, "logs") == young


def test_the_log_of_a_site_that_is_crawled_now_stays(tmp_path: Path, log: Callable[..., str]) -> None:
    log(f"{SLUG}.log", 500)
    with SiteLock(tmp_path, SLUG):
        assert remove_expired(tmp_path, SLUG, 400) == []


def test_warc_files_and_all_other_files_stay_at_any_age(tmp_path: Path, report: Callable[..., str]) -> None:
    report(0)
    kept = []
    for name in ("warc/x/2020/x-20200101000000000-00000-h.warc.gz", "index/x.cdxj", "sites/x.toml", "danvan.sqlite"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        os.utime(path, (0, 0))
        kept.append(path)
    remove_expired(tmp_path, SLUG, 1)
    assert all(path.exists() for path in kept)


def test_an_archive_without_reports_is_no_error(tmp_path: Path) -> None:
    assert remove_expired(tmp_path, SLUG, 400) == []
