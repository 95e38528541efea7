"""The log of a site: appended to, limited in size and number; its errors never stop a crawl."""

from __future__ import annotations

from pathlib import Path

import pytest

from danvan_crawler.archive.site_log import SiteLog
from danvan_crawler.exceptions import ArchiveError

SLUG = "thanhhoa-danvan"


def names(archive: Path) -> list[str]:
    return sorted(path.name for path in (archive / "logs").iterdir())


def test_runs_are_appended_one_after_the_other(tmp_path: Path) -> None:
    for text in ("đêm thứ nhất", "đêm thứ hai: 100 % xong"):
        log = SiteLog(tmp_path, SLUG)
        log.line(text)
        log.close()
    written = (tmp_path / "logs" / f"{SLUG}.log").read_text(encoding="utf-8")
    assert written == "đêm thứ nhất\nđêm thứ hai: 100 % xong\n"


def test_lines_of_the_supervisor_have_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DANVAN_CLOCK", "2027-03-01T01:30:00+07:00")
    log = SiteLog(tmp_path, SLUG)
    log.mark("exit code 0")
    log.close()
    assert (tmp_path / "logs" / f"{SLUG}.log").read_text() == "=== 2027-02-28T18:30:00Z exit code 0\n"


def test_files_are_limited_in_size_and_number_during_a_run(tmp_path: Path) -> None:
    log = SiteLog(tmp_path, SLUG, max_bytes=1000, older=2)
    for number in range(500):
        log.line(f"dòng thứ {number}")
    log.close()
    assert names(tmp_path) == [f"{SLUG}.log", f"{SLUG}.log.1", f"{SLUG}.log.2"]
    assert max(path.stat().st_size for path in (tmp_path / "logs").iterdir()) <= 1000
    assert (tmp_path / "logs" / f"{SLUG}.log").read_text(encoding="utf-8").endswith("dòng thứ 499\n")


def test_text_with_lone_surrogates_is_written(tmp_path: Path) -> None:
    log = SiteLog(tmp_path, SLUG)
    log.line("một \udc80 hai")
    log.close()
    assert (tmp_path / "logs" / f"{SLUG}.log").read_text() == "một ? hai\n"


def test_a_folder_that_cannot_be_created_is_named_in_the_error(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file where the folder should be")
    with pytest.raises(ArchiveError, match=rf"{SLUG}\.log"):
        SiteLog(tmp_path, SLUG)
