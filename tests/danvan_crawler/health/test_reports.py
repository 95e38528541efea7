"""Run reports: the report of a run that died, and the order of sites by their last good run."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.exceptions import (
    ArchiveError,
    CaptureRefusedError,
    DanvanError,
    DiskFullError,
    ExitCode,
    LockedError,
    NewerStoreError,
    StoreAccessError,
    StoreBusyError,
    StoreError,
    UsageError,
)
from danvan_crawler.health.problems import REMEDIES
from danvan_crawler.health.reports import (
    MissingReport,
    longest_waiting_first,
    read_report,
    report_death,
    report_of,
    write_report,
)

BEGAN = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)


def report(archive: Path, site: str, day: int, code: int, **keys: Any) -> Path:
    facts = {"run_id": f"{day:08}", "site": site, "exit_code": code, **keys}
    return write_report(archive, BEGAN.replace(day=day), facts)


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_a_report_is_named_after_its_time_and_run(tmp_path: Path) -> None:
    path = report(tmp_path, "a-danvan", 23, 0)
    assert path.relative_to(tmp_path).as_posix() == "runs/20261123T013000Z-00000023.json"


def test_a_run_without_a_report_gets_one_with_the_cause_of_its_end(tmp_path: Path) -> None:
    path = report_death(
        tmp_path, "a-danvan", run_id="0a1b2c3d", started_at=BEGAN, exit_code=3, finding="died of SIGKILL"
    )
    found = read(path)
    assert path.name == "20261123T013000Z-0a1b2c3d.json"
    assert (found["site"], found["reason"], found["exit_code"]) == ("a-danvan", "died", 3)
    assert found["findings"] == ["died of SIGKILL"]


def test_a_run_that_died_before_it_had_an_id_gets_one(tmp_path: Path) -> None:
    path = report_death(tmp_path, "a-danvan", run_id=None, started_at=BEGAN, exit_code=3, finding="died")
    assert len(read(path)["run_id"]) == 8


def test_a_report_that_the_run_wrote_keeps_its_statistics(tmp_path: Path) -> None:
    written = report(tmp_path, "a-danvan", 23, 7, findings=["stopped by a signal"], stats={"danvan/captures": 5})
    path = report_death(tmp_path, "a-danvan", run_id="00000023", started_at=BEGAN, exit_code=3, finding="it hung")
    assert path == written
    assert read(path)["exit_code"] == 3
    assert read(path)["findings"] == ["it hung", "stopped by a signal"]
    assert read(path)["stats"] == {"danvan/captures": 5}


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (UsageError("DANVAN_WINDOW must be hours"), "settings", 2),
        (StoreError("danvan.sqlite: is no database"), "database", 1),
        (ArchiveError("warc: cannot be written"), "archive", 1),
        (DiskFullError("no space left"), "disk_full", 6),
        (ZeroDivisionError("division by zero"), "crashed", 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_a_run_ended_by_an_error_gets_a_report(tmp_path: Path, error: Exception, kind: str, code: int) -> None:
    MissingReport(tmp_path, "a-danvan").write_error(error)
    [path] = tmp_path.glob("runs/*.json")
    found = read(path)
    assert (found["site"], found["reason"], found["exit_code"]) == ("a-danvan", "died", code)
    assert found["problems"][0]["kind"] == kind
    assert found["problems"][0]["exit_code"] == code
    assert str(error) in found["findings"][0]


def test_no_missing_report_is_written_if_the_run_wrote_one_or_was_locked(tmp_path: Path) -> None:
    before = report(tmp_path, "a-danvan", 22, 0)
    missing_report = MissingReport(tmp_path, "a-danvan")
    missing_report.write(ExitCode.INTERRUPTED, "stopped by a signal")
    assert list(tmp_path.glob("runs/*.json")) == [before]
    own = report(tmp_path, "a-danvan", 23, 2)
    missing_report.write(ExitCode.USAGE, "no matter what")
    assert sorted(tmp_path.glob("runs/*.json")) == [before, own]


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (LockedError("another run holds its lock"), "locked", "not_now"),
        (StoreBusyError("danvan.sqlite: another process has kept it locked"), "database_busy", "died"),
        (StoreAccessError("danvan.sqlite: attempt to write a readonly database"), "archive", "died"),
        (NewerStoreError("danvan.sqlite: has schema version 99"), "database_newer", "died"),
        (StoreError("danvan.sqlite: database disk image is malformed"), "database", "died"),
        (CaptureRefusedError("refused"), "refused", "died"),
    ],
)
def test_each_cause_has_a_remedy_of_its_own(tmp_path: Path, error: DanvanError, kind: str, reason: str) -> None:
    MissingReport(tmp_path, "a-danvan").write_error(error)
    [path] = tmp_path.glob("runs/*.json")
    written = json.loads(path.read_text("utf-8"))
    [problem] = written["problems"]
    assert (problem["kind"], problem["exit_code"], written["reason"]) == (kind, error.exit_code, reason)
    assert len({REMEDIES[one] for one in REMEDIES}) == len(REMEDIES)


def test_an_error_that_nobody_expected_has_words_and_no_name_of_a_class(tmp_path: Path) -> None:
    try:
        dict[str, int]()["mot"]
    except KeyError as error:
        MissingReport(tmp_path, "a-danvan").write_error(error)
    [path] = tmp_path.glob("runs/*.json")
    [finding] = json.loads(path.read_text("utf-8"))["findings"]
    assert re.fullmatch(r"an error in this program \('mot'; health/test_reports\.py, line \d+\)", finding)


def test_the_times_in_the_statistics_are_those_of_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DANVAN_CLOCK", "2027-03-01T02:00:00+00:00")
    began = datetime(2027, 3, 1, 1, 30, tzinfo=UTC)
    stats = {"start_time": datetime(2026, 11, 30, tzinfo=UTC), "finish_time": datetime(2026, 11, 30, 1, tzinfo=UTC)}
    kept: dict[str, Any] = {"coverage": {}, "seconds": 1.0, "complete": True, "recovered": []}
    kept |= {"written_bytes": 1, "database_bytes": 2}
    found = report_of("0" * 8, "a-danvan", began, "finished", ExitCode.OK, [], stats, **kept)
    assert (found["started_at"], found["finished_at"]) == ("2027-03-01T01:30:00+00:00", "2027-03-01T02:00:00+00:00")
    assert found["stats"] == {"start_time": "2027-03-01 01:30:00+00:00", "finish_time": "2027-03-01 02:00:00+00:00"}


def test_reports_of_other_runs_do_not_count_for_this_one(tmp_path: Path) -> None:
    report(tmp_path, "a-danvan", 23, 0)
    missing_report = MissingReport(tmp_path, "a-danvan")
    report(tmp_path, "b-danvan", 24, 0)
    missing_report.write(ExitCode.USAGE, "wrong setting")
    assert len(list(tmp_path.glob("runs/*.json"))) == 3


def test_an_invalid_report_file_is_none(tmp_path: Path) -> None:
    torn = tmp_path / "torn.json"
    torn.write_text('{"run_id": "0')
    assert read_report(torn) is None
    assert read_report(tmp_path / "nosuch.json") is None


def test_without_reports_sites_are_in_order_of_name(tmp_path: Path) -> None:
    assert longest_waiting_first(tmp_path, ["b-danvan", "a-danvan"]) == ["a-danvan", "b-danvan"]


def test_sites_are_ordered_by_their_last_good_run_and_those_without_come_first(tmp_path: Path) -> None:
    for site, good in (("a-danvan", 20), ("b-danvan", 19), ("c-danvan", 21), ("d-danvan", None)):
        if good is not None:
            report(tmp_path, site, good, 0)
        report(tmp_path, site, 22, 3, run_id=site)
    (tmp_path / "runs" / "20261122T013000Z-torn.json").write_text("{")
    (tmp_path / "runs" / "a copy.json").write_text('{"site": "a-danvan", "exit_code": 0}')
    slugs = ["a-danvan", "b-danvan", "c-danvan", "d-danvan"]
    assert longest_waiting_first(tmp_path, slugs) == ["d-danvan", "b-danvan", "a-danvan", "c-danvan"]


def test_sites_that_the_last_night_left_out_come_before_those_that_it_cut_and_those_before_finished_ones(
    tmp_path: Path,
) -> None:
    for site in ("finished", "left-out", "cut"):
        report(tmp_path, site, 20, 0, run_id=site)
    for site, code in (("never-good", 7), ("cut", 7), ("finished", 0)):
        report(tmp_path, site, 22, code, run_id=site)
    slugs = ["cut", "finished", "left-out", "never-good", "new"]
    assert longest_waiting_first(tmp_path, slugs) == ["new", "left-out", "never-good", "cut", "finished"]


def test_sites_that_never_end_do_not_always_come_first(tmp_path: Path) -> None:
    slugs = ["a", "b", "c", "d"]
    first = []
    for day in range(10, 14):  # one of them takes the whole night
        now, *_ = longest_waiting_first(tmp_path, slugs)
        report(tmp_path, now, day, 7)
        first.append(now)
    assert sorted(first) == slugs


def test_a_site_that_failed_last_night_comes_before_one_that_succeeded(tmp_path: Path) -> None:
    report(tmp_path, "a-danvan", 21, 0)
    report(tmp_path, "b-danvan", 20, 0)
    report(tmp_path, "b-danvan", 22, 7)
    report(tmp_path, "a-danvan", 23, 0)
    assert longest_waiting_first(tmp_path, ["a-danvan", "b-danvan"]) == ["b-danvan", "a-danvan"]


def test_a_report_from_the_future_is_ignored_for_the_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DANVAN_CLOCK", "2026-11-23T20:00:00+00:00")
    report(tmp_path, "a-danvan", 20, 0)
    report(tmp_path, "b-danvan", 21, 0)
    report(tmp_path, "a-danvan", 30, 0)
    assert longest_waiting_first(tmp_path, ["a-danvan", "b-danvan"]) == ["a-danvan", "b-danvan"]
