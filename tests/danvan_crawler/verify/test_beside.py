"""Index and manifest of a WARC file, checked against it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.verify.findings import Finding
from danvan_crawler.verify.ledger import Ledger
from danvan_crawler.verify.warc_file import verify_index_and_manifest, verify_warc
from danvan_crawler.warc.index import index_path, manifest_path, write_index_and_manifest
from danvan_crawler.warc.records import Exchange


@pytest.fixture
def described(tmp_path: Path, make_writer: Callable[..., Any], exchange: Exchange) -> Path:
    """A valid file of an archive, with index and manifest."""
    writer = make_writer()
    for number in range(3):
        writer.write_exchange(
            Exchange(f"{exchange.url}{number}", exchange.request, exchange.response, exchange.began_at)
        )
    (path,) = writer.close()
    write_index_and_manifest(tmp_path, path)
    assert isinstance(path, Path)
    return path


def beside(archive: Path, path: Path, *, notices: bool = False) -> set[str]:
    found: list[Finding] = []
    with Ledger() as ledger:
        seen = verify_warc(path, path.name, ledger, found.append)
    verify_index_and_manifest(archive, path, path.name, seen, found.append)
    return {finding.kind for finding in found if finding.damage or notices}


def test_matching_index_and_manifest_have_no_findings(tmp_path: Path, described: Path) -> None:
    assert beside(tmp_path, described) == set()


def test_a_missing_index_is_found(tmp_path: Path, described: Path) -> None:
    index_path(tmp_path, described).unlink()
    assert beside(tmp_path, described) == {"index-missing"}


@pytest.mark.parametrize("with_index", [True, False])
def test_a_file_left_without_index_by_a_killed_run_is_not_damaged(
    tmp_path: Path, described: Path, with_index: bool
) -> None:
    manifest_path(tmp_path, described).unlink()
    if not with_index:
        index_path(tmp_path, described).unlink()
    assert beside(tmp_path, described) == set()
    assert "manifest-missing" in beside(tmp_path, described, notices=True)


def test_a_manifest_of_another_file_is_found(tmp_path: Path, described: Path) -> None:
    manifest_path(tmp_path, described).write_text(f"{'0' * 64}  {described.name}\n")
    assert beside(tmp_path, described) == {"manifest-mismatch"}


def test_a_line_that_the_index_lacks_is_found(tmp_path: Path, described: Path) -> None:
    index = index_path(tmp_path, described)
    index.write_text("".join(index.read_text().splitlines(keepends=True)[:-1]))
    assert beside(tmp_path, described) == {"index-line-missing"}


def test_a_line_that_points_to_another_byte_is_found(tmp_path: Path, described: Path) -> None:
    index = index_path(tmp_path, described)
    index.write_text(index.read_text().replace('"offset": "', '"offset": "1', 1))
    assert beside(tmp_path, described) == {"index-line-wrong", "index-line-missing"}


def test_an_index_that_is_not_sorted_is_found(tmp_path: Path, described: Path) -> None:
    index = index_path(tmp_path, described)
    index.write_text("".join(reversed(index.read_text().splitlines(keepends=True))))
    assert beside(tmp_path, described) == {"index-unsorted"}
