"""How fast an archive grows, and when its disk will be full."""

from __future__ import annotations

import doctest
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.health import growth as module
from danvan_crawler.health.growth import database_bytes, full_on, growth, written_bytes
from danvan_crawler.health.history import RunReport

NOW = datetime(2027, 3, 31, 8, tzinfo=UTC)
MB = 1_000_000


def run(days_ago: float, written: int | None, database: int | None = None, site: str = "a-danvan") -> RunReport:
    began = NOW - timedelta(days=days_ago)
    sizes: dict[str, Any] = {"written_bytes": written, "database_bytes": database}
    return RunReport(site, "1", began, began + timedelta(hours=1), 0, **sizes)


def test_the_examples_hold() -> None:
    assert doctest.testmod(module).failed == 0


def test_all_sites_and_the_database_count() -> None:
    runs = [run(day, 10 * MB, 5 * MB * (20 - day), site) for day in range(20) for site in ("a-danvan", "b-danvan")]
    assert growth(runs, NOW) == pytest.approx(25 * MB, rel=0.02)


def test_the_first_crawl_of_a_site_does_not_count_as_what_is_usual() -> None:
    runs = [run(20, 40_000 * MB, 30_000 * MB), *(run(day, 10 * MB, 30_000 * MB) for day in range(20))]
    assert growth(runs, NOW) == pytest.approx(10 * MB)


def test_days_without_a_run_are_days_without_growth() -> None:
    assert growth([run(day, 70 * MB) for day in range(0, 29, 7)], NOW) == pytest.approx(2 * 70 * MB / 26)


def test_a_database_that_was_made_again_is_no_growth_and_hides_none() -> None:
    sizes = [100, 110, 120, 60, 70, 80]
    runs = [run(len(sizes) - day, 0, size * MB) for day, size in enumerate(sizes)]
    assert growth(runs, NOW) == pytest.approx(6 * MB)


def test_what_is_older_than_a_month_or_from_the_future_does_not_count() -> None:
    assert growth([run(31, 10 * MB), run(-1, 10 * MB), run(1, 10 * MB)], NOW) is None


@pytest.mark.parametrize(
    "runs", [[], [run(1, 10 * MB), run(1.1, 10 * MB)], [run(1, None), run(2, None)]], ids=["none", "one day", "old"]
)
def test_too_little_is_known_of_a_new_archive_and_of_reports_of_old_versions(runs: list[RunReport]) -> None:
    assert growth(runs, NOW) is None


def test_the_disk_is_full_when_the_free_bytes_are_used_up() -> None:
    assert full_on(100 * MB, 10 * MB, NOW) == NOW + timedelta(days=10)
    assert full_on(0, 10 * MB, NOW) == NOW
    assert full_on(100 * MB, None, NOW) is None
    assert full_on(100 * MB, 0.0, NOW) is None
    assert full_on(10**18, 1.0, NOW) is None


def test_what_a_run_wrote_is_its_files_with_their_indexes(tmp_path: Path) -> None:
    for name, size in (("warc/a/2027/a-1.warc.gz", 100), ("index/a-1.cdxj", 20), ("index/a-1.sha256", 3)):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
    assert written_bytes(tmp_path, ["warc/a/2027/a-1.warc.gz", "warc/a/2027/gone.warc.gz"]) == 123
    assert database_bytes(tmp_path) == 0
    (tmp_path / "danvan.sqlite").write_bytes(b"x" * 7)
    (tmp_path / "danvan.sqlite-wal").write_bytes(b"x" * 5)
    assert database_bytes(tmp_path) == 12
