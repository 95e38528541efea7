"""Crawls of unchanged portals: known bodies are not stored again, and no information is lost."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.sample import SamplePortal, articles

CAPTURES = (
    "select site, url, url_key, link_key, warc_date, warc_file, warc_offset, warc_record_id, payload_digest, status,"
    " media_type, truncated, etag, last_modified, refers_to, content_hash from captures order by warc_record_id"
)
KINDS = ("response", "revisit")


@dataclass(frozen=True)
class Runs:
    """A portal with validators, crawled four times: first, unchanged, `--full`, and after an edit."""

    desk: Any
    read: Callable[[Path], list[Any]]

    def answers(self, run: int) -> list[Any]:
        """Response and revisit records of a run."""
        return [record for record in self.read(self.desk.warc_files()[run]) if record.type in KINDS]

    def copy(self, folder: Path, new_desk: Callable[..., Any]) -> Any:
        """A desk with a copy of the archive, for a test that changes it."""
        desk = new_desk()
        shutil.copytree(self.desk.archive, desk.archive)
        shutil.copytree(self.desk.sites, desk.sites, dirs_exist_ok=True)
        return desk


@pytest.fixture(scope="module")
def portal() -> Iterator[SamplePortal]:
    with SamplePortal() as portal:
        yield portal


@pytest.fixture(scope="module")
def runs(portal: SamplePortal, new_desk: Callable[..., Any], read: Callable[[Path], list[Any]]) -> Runs:
    desk = new_desk(portal.url)
    desk.crawl()
    desk.crawl()
    desk.crawl("--full")
    portal.edition = 2
    desk.crawl()
    return Runs(desk, read)


def payloads(records: list[Any]) -> list[str]:
    """Digests of the bodies that are stored in full."""
    return [record.fields["WARC-Payload-Digest"] for record in records if record.type == "response" and record.entity]


def test_a_crawl_of_an_unchanged_portal_adds_at_most_a_twentieth_of_the_bytes(runs: Runs) -> None:
    first, second, *_ = [path.stat().st_size for path in runs.desk.warc_files()]
    assert second < first / 20


def test_robots_and_listings_of_an_unchanged_portal_are_revisits(runs: Runs) -> None:
    found = runs.answers(1)
    assert {record.type for record in found} == {"revisit"}
    assert {record.block.split(b" ", 2)[1] for record in found} == {b"304"}
    assert "/robots.txt" in {record.target for record in found}


def test_no_body_is_stored_twice(runs: Runs) -> None:
    stored = payloads([record for run in range(4) for record in runs.answers(run)])
    assert len(stored) == len(set(stored))


def test_a_full_crawl_requests_all_again_and_stores_nothing_twice(runs: Runs) -> None:
    asked = {record.target for record in runs.answers(2)}
    assert {article.path for article in articles(1)} <= asked
    assert {record.type for record in runs.answers(2)} == {"revisit"}
    assert {record.block.split(b" ", 2)[1] for record in runs.answers(2)} == {b"200"}


def test_an_article_that_is_seen_again_is_unchanged_with_a_later_last_seen(runs: Runs) -> None:
    first = {record.id for record in runs.answers(0)}
    again = [item for item in runs.desk.export() if item["revision"] == 1 and item["last_seen"] > item["first_seen"]]
    assert len(again) > 40
    assert {item["warc_record_id"] for item in again} <= first
    began = min(record.fields["WARC-Date"] for record in runs.answers(2))
    assert all(item["last_seen"] > began for item in again)


def test_items_name_records_that_exist(runs: Runs) -> None:
    there = {
        (path.relative_to(runs.desk.archive).as_posix(), record.offset): record.id
        for path in runs.desk.warc_files()
        for record in runs.read(path)
        if record.type in KINDS
    }
    for item in runs.desk.export():
        for place in (item, *(one["capture"] for one in (*item["images"], *item["attachments"]))):
            assert there[place["warc_file"], place["warc_offset"]] == place["warc_record_id"]


def test_every_revisit_refers_to_an_earlier_response(runs: Runs) -> None:
    records = [record for run in range(4) for record in runs.answers(run)]
    responses = {record.id: record for record in records if record.type == "response"}
    for revisit in (record for record in records if record.type == "revisit"):
        original = responses[revisit.fields["WARC-Refers-To"].strip("<>")]
        assert revisit.fields["WARC-Refers-To-Target-URI"] == original.url
        assert revisit.fields["WARC-Refers-To-Date"] == original.fields["WARC-Date"] <= revisit.fields["WARC-Date"]
        assert revisit.fields["WARC-Payload-Digest"] == original.fields["WARC-Payload-Digest"]


def test_a_rebuild_over_revisits_gives_the_same_items(runs: Runs, tmp_path: Path, new_desk: Callable[..., Any]) -> None:
    runs.copy(tmp_path, new_desk).check_rebuild()


def test_a_portal_without_validators_gives_the_same_items_and_stores_nothing_twice(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any]
) -> None:
    portal = new_portal()
    desk = new_desk(portal, only="dan-van-kheo")
    desk.crawl()
    desk.crawl("--full")
    portal.edition = 2
    desk.crawl("--full")
    portal.edition = 1
    desk.crawl("--full")  # every body is one that was stored before
    stored = payloads(desk.records())
    assert len(stored) == len(set(stored))
    assert {record.type for record in desk.records() if record.url == f"{portal.url}robots.txt"} == {
        "request",
        *KINDS,
    }
    assert {item["revision"] for item in desk.export()} == {1}
    desk.check_rebuild()


def test_pages_of_a_removed_file_are_stored_in_full_again(
    runs: Runs, portal: SamplePortal, tmp_path: Path, new_desk: Callable[..., Any], read: Callable[[Path], list[Any]]
) -> None:
    desk = runs.copy(tmp_path, new_desk)
    removed, *_ = desk.warc_files()
    removed.unlink()
    desk.crawl("--full")
    whole = [record for record in read(desk.warc_files()[-1]) if record.type == "response"]
    assert len({record.target for record in whole} & {article.path for article in articles(2)}) > 40
    ids = {record.id for record in desk.records()}
    last = [record for record in read(desk.warc_files()[-1]) if record.type == "revisit"]
    assert all(record.fields["WARC-Refers-To"].strip("<>") in ids for record in last)


def test_a_rebuild_reports_revisits_whose_original_is_missing(
    runs: Runs, tmp_path: Path, new_desk: Callable[..., Any]
) -> None:
    desk = runs.copy(tmp_path, new_desk)
    removed, *_ = desk.warc_files()
    removed.unlink()
    said = desk.danvan("rebuild", code=8).stderr
    assert "its payload is in a record that is not in the archive" in said
    assert desk.export()
    assert (desk.archive / "danvan.sqlite.before-rebuild").exists()


def test_the_payload_of_a_revisit_can_be_saved(runs: Runs) -> None:
    article = articles(1)[0]
    [revisit] = [record for record in runs.answers(2) if record.target == article.path]
    [original] = [record for record in runs.answers(0) if record.target == article.path]
    output = runs.desk.folder / "page"
    runs.desk.danvan("capture", revisit.id, "-o", str(output))
    assert output.read_bytes() == original.entity
    assert b"WARC-Type: revisit" in runs.desk.danvan("capture", revisit.id).stdout.encode()


def test_an_exported_warc_has_no_revisit_and_every_capture(runs: Runs, read: Callable[[Path], list[Any]]) -> None:
    output = runs.desk.folder / "all.warc.gz"
    said = runs.desk.danvan("export-warc", "mau-danvan", "-o", str(output))
    records = read(output)
    assert f"{len(records) - 1} records" in said.stderr
    assert "revisit" not in {record.type for record in records}
    captured = {record.id: record for run in range(4) for record in runs.answers(run)}
    exported = {record.id: record for record in records if record.type == "response"}
    assert set(exported) == set(captured)
    for record_id, record in exported.items():
        assert record.fields["WARC-Date"] == captured[record_id].fields["WARC-Date"]
        assert record.fields["WARC-Payload-Digest"] == captured[record_id].fields["WARC-Payload-Digest"]
    refused = runs.desk.danvan("export-warc", "mau-danvan", "-o", str(output), code=2)
    assert "exists already" in refused.stderr
    runs.desk.danvan("export-warc", "mau-danvan", "-o", str(output), "--force")


def test_an_unknown_slug_cannot_be_exported(runs: Runs) -> None:
    runs.desk.danvan("export-warc", "khong-co", "-o", str(runs.desk.folder / "none.warc.gz"), code=2)
    assert not (runs.desk.folder / "none.warc.gz").exists()


def test_an_export_with_revisits_whose_original_is_missing_reports_them(
    runs: Runs, tmp_path: Path, new_desk: Callable[..., Any]
) -> None:
    desk = runs.copy(tmp_path, new_desk)
    removed, *_ = desk.warc_files()
    removed.unlink()
    said = desk.danvan("export-warc", "mau-danvan", "-o", str(desk.folder / "all.warc.gz"), code=8)
    assert "is a revisit to a record that is missing" in said.stderr
