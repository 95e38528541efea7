"""Index and manifest of the WARC files of real crawls, checked by `danvan verify`."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import pytest

Started = tuple[Any, Any]


@pytest.fixture
def started(new_portal: Callable[..., Any], new_desk: Callable[..., Any]) -> Started:
    """A portal of which one section has been crawled once."""
    portal = new_portal()
    desk = new_desk(portal, only="dan-van-kheo")
    desk.crawl()
    return portal, desk


def described(desk: Any) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (desk.archive / "index").iterdir()}


def test_a_run_writes_index_and_manifest_of_its_files(started: Started) -> None:
    _, desk = started
    [path] = desk.warc_files()
    stem = path.name.removesuffix(".warc.gz")
    assert set(described(desk)) == {f"{stem}.cdxj", f"{stem}.sha256"}


def test_sha256sum_accepts_the_manifest(started: Started) -> None:
    _, desk = started
    command = ["sha256sum", "-c", "--quiet", *map(str, (desk.archive / "index").glob("*.sha256"))]
    assert subprocess.run(command, cwd=desk.archive, check=False).returncode == 0


def test_an_archive_of_several_crawls_with_revisits_is_valid(started: Started) -> None:
    portal, desk = started
    portal.edition = 2
    desk.crawl()
    desk.crawl("--full")
    assert any(record.type == "revisit" for record in desk.records())
    assert desk.danvan("verify").stdout == ""


def test_the_next_run_writes_index_and_manifest_of_a_killed_one(started: Started) -> None:
    _, desk = started
    [path] = desk.warc_files()
    before = described(desk)
    path.with_name(f"{path.name}.open").write_bytes(path.read_bytes() + b"torn")
    path.unlink()
    for file in (desk.archive / "index").iterdir():
        file.unlink()
    desk.crawl()
    assert before.items() <= described(desk).items()


def test_a_missing_index_is_written_by_the_next_run(started: Started) -> None:
    _, desk = started
    before = described(desk)
    for file in (desk.archive / "index").iterdir():
        file.unlink()
    desk.crawl()
    assert before.items() <= described(desk).items()
