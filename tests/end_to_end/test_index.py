"""Index and manifest beside the WARC files of real crawls, and what `danvan verify` says of these."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import pytest

Started = tuple[Any, Any]


@pytest.fixture
def started(new_portal: Callable[..., Any], new_desk: Callable[..., Any]) -> Started:
    """A portal that has been crawled once, one section of it."""
    portal = new_portal()
    desk = new_desk(portal, only="dan-van-kheo")
    desk.crawl()
    return portal, desk


def described(desk: Any) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (desk.archive / "index").iterdir()}


def test_a_run_leaves_index_and_manifest_of_its_files(started: Started) -> None:
    _, desk = started
    [path] = desk.warc_files()
    stem = path.name.removesuffix(".warc.gz")
    assert set(described(desk)) == {f"{stem}.cdxj", f"{stem}.sha256"}


def test_the_manifest_is_what_sha256sum_checks(started: Started) -> None:
    _, desk = started
    command = ["sha256sum", "-c", "--quiet", *map(str, (desk.archive / "index").glob("*.sha256"))]
    assert subprocess.run(command, cwd=desk.archive, check=False).returncode == 0


def test_an_archive_of_several_crawls_with_revisits_is_sound(started: Started) -> None:
    portal, desk = started
    portal.edition = 2
    desk.crawl()
    desk.crawl("--full")
    assert any(record.type == "revisit" for record in desk.records())
    assert desk.danvan("verify").stdout == ""


def test_the_next_run_describes_what_a_dead_one_left(started: Started) -> None:
    _, desk = started
    [path] = desk.warc_files()
    before = described(desk)
    path.with_name(f"{path.name}.open").write_bytes(path.read_bytes() + b"torn")
    path.unlink()
    for file in (desk.archive / "index").iterdir():
        file.unlink()
    desk.crawl()
    assert before.items() <= described(desk).items()


def test_an_index_that_was_lost_is_written_by_the_next_run(started: Started) -> None:
    _, desk = started
    before = described(desk)
    for file in (desk.archive / "index").iterdir():
        file.unlink()
    desk.crawl()
    assert before.items() <= described(desk).items()
