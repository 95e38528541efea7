"""The heartbeat file: written by a run, read by others; its errors never stop a crawl."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from danvan_crawler.archive.heartbeat import Beat, Heartbeat, read_beat
from danvan_crawler.archive.layout import beat_path

SLUG = "thanhhoa-danvan"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    (tmp_path / "locks").mkdir()
    return tmp_path


def test_the_first_beat_is_written_at_once(archive: Path) -> None:
    Heartbeat(archive, SLUG, "0a1b2c3d")
    assert read_beat(archive, SLUG) == Beat(os.getpid(), "0a1b2c3d", 0, 0)


def test_counts_are_in_the_next_beat(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("danvan_crawler.archive.heartbeat._SECONDS_BETWEEN", 0.0)
    heart = Heartbeat(archive, SLUG, "0a1b2c3d")
    for _ in range(12):
        heart.request()
    heart.article()
    assert read_beat(archive, SLUG) == Beat(os.getpid(), "0a1b2c3d", 12, 1)


def test_the_file_keeps_its_length(archive: Path) -> None:
    beat_path(archive, SLUG).write_text("4194304 ffffffff 4000000000 4000000000".ljust(79) + "\n")
    Heartbeat(archive, SLUG, "0a1b2c3d")
    assert beat_path(archive, SLUG).stat().st_size == 80
    assert read_beat(archive, SLUG) == Beat(os.getpid(), "0a1b2c3d", 0, 0)


def test_a_finished_run_removes_its_file(archive: Path) -> None:
    heart = Heartbeat(archive, SLUG, "0a1b2c3d")
    heart.end()
    heart.end()
    assert read_beat(archive, SLUG) is None


def test_an_unwritable_folder_raises_no_error(tmp_path: Path) -> None:
    Heartbeat(tmp_path / "nosuch", SLUG, "0a1b2c3d").request()
    assert read_beat(tmp_path / "nosuch", SLUG) is None


@pytest.mark.parametrize("text", ["", "1 0a1b2c3d 3", "x 0a1b2c3d 3 4", "1 0a1b2c3d 3 4 5", "\xff"])
def test_an_invalid_file_is_read_as_none(archive: Path, text: str) -> None:
    beat_path(archive, SLUG).write_text(text, encoding="latin-1")
    assert read_beat(archive, SLUG) is None
