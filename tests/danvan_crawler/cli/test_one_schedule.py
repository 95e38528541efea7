"""One schedule for an archive, in cron or in systemd, and what `danvan status` says when its nights do not come."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.archive.schedule import owner

Danvan = Callable[..., Any]


def units(tmp_path: Path) -> Path:
    return tmp_path / "home" / ".config" / "systemd" / "user"


def settings(archive: Path) -> str:
    return (archive / "schedule.env").read_text(encoding="utf-8")


@pytest.mark.parametrize("spelling", ["kho", "../{}/kho", "lien-ket"])
@pytest.mark.parametrize(("first", "second"), [((), ("--systemd",)), (("--systemd",), ())], ids=["cron", "systemd"])
def test_a_second_schedule_of_the_other_kind_is_refused(
    danvan: Danvan, programs: Path, tmp_path: Path, first: tuple[str, ...], second: tuple[str, ...], spelling: str
) -> None:
    (tmp_path / "kho").mkdir()
    (tmp_path / "lien-ket").symlink_to("kho")
    archive = spelling.format(tmp_path.name)
    danvan("schedule", *first, "--install", "--archive", "kho")
    before = (settings(tmp_path / "kho"), (tmp_path / "kho" / "schedule.json").read_text())
    result = danvan("schedule", *second, "--install", "--archive", archive)
    assert result.code == 2
    assert "crawls this archive already" in result.err
    assert f"`danvan schedule {'--systemd ' if first else ''}--uninstall`" in result.err
    assert (settings(tmp_path / "kho"), (tmp_path / "kho" / "schedule.json").read_text()) == before
    assert (units(tmp_path) / "danvan-crawler.service").exists() is bool(first)
    assert (programs / "table").exists() is not bool(first)
    danvan("schedule", *first, "--uninstall", "--archive", archive)
    assert danvan("schedule", *second, "--install", "--archive", archive).code == 0
    assert danvan("schedule", *second, "--install", "--archive", archive).code == 0
    danvan("schedule", *second, "--uninstall", "--archive", archive)
    assert not (tmp_path / "kho" / "schedule.json").exists()


def test_another_archive_may_have_the_other_kind(danvan: Danvan, programs: Path) -> None:
    danvan("schedule", "--systemd", "--install", "--archive", "kho")
    assert danvan("schedule", "--install", "--archive", "kho-hai").code == 0


def test_who_may_not_use_cron_can_have_a_timer(danvan: Danvan, programs: Path) -> None:
    (programs / "crontab").write_text("#!/bin/sh\necho 'You are not allowed to use this program' >&2\nexit 1\n")
    assert danvan("schedule", "--systemd", "--install").code == 0


def test_installed_again_at_the_same_time_it_is_in_force_as_long_as_before(
    danvan: Danvan, programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def since(*options: str, day: int) -> tuple[str, int]:
        monkeypatch.setenv("DANVAN_CLOCK", f"2027-03-{day:02}T10:00:00+00:00")
        danvan("schedule", "--install", *options)
        held = json.loads((tmp_path / "archive" / "schedule.json").read_text("utf-8"))
        return held["since"], held["hour"]

    assert since(day=1) == ("2027-03-01T10:00:00+00:00", 1)
    assert since("--jobs", "4", day=5) == ("2027-03-01T10:00:00+00:00", 1)
    assert since("--time", "02:30", day=6) == ("2027-03-06T10:00:00+00:00", 2)


def test_a_schedule_of_somebody_else_is_named(
    danvan: Danvan, programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    danvan("schedule", "--install")
    path = tmp_path / "archive" / "schedule.json"
    path.write_text(path.read_text().replace(owner(), "luu-tru@may-cu"), encoding="utf-8")
    assert "luu-tru@may-cu had scheduled this archive before (cron): make sure" in danvan("schedule", "--install").err
    assert "before" not in danvan("schedule", "--install").err


@pytest.fixture
def scheduled(danvan: Danvan, programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profile: Any) -> Danvan:
    """`danvan status`, from the evening on which an archive with one site was scheduled."""
    (tmp_path / "archive" / "sites").mkdir(parents=True)
    (tmp_path / "archive" / "sites" / "x.toml").write_text(profile(slug='"moi-danvan"'), encoding="utf-8")
    monkeypatch.setenv("DANVAN_CLOCK", "2027-03-01T15:00:00+00:00")
    return danvan


@pytest.mark.parametrize("kind", [(), ("--systemd",)], ids=["cron", "systemd"])
@pytest.mark.parametrize("version", ["0.1.0", "now"])
def test_status_is_unhealthy_after_the_first_night_that_did_not_come(
    scheduled: Danvan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: tuple[str, ...], version: str
) -> None:
    assert scheduled("status").code == 0
    scheduled("schedule", "--install", *kind)
    if version == "0.1.0":
        (tmp_path / "archive" / "schedule.json").unlink()
        then = datetime(2027, 3, 1, 15, tzinfo=UTC).timestamp()
        os.utime(tmp_path / "archive" / "schedule.env", (then, then))
    assert scheduled("status").code == 0
    monkeypatch.setenv("DANVAN_CLOCK", "2027-03-03T12:00:00+00:00")
    result = scheduled("status")
    assert result.code == 4
    assert "moi-danvan: never crawled: 2 nights missed since it was scheduled" in result.err
    scheduled("schedule", "--uninstall", *kind)
    assert scheduled("status").code == 0
