"""The item database compared with the sizes of WARC files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from danvan_crawler.archive.layout import database_path
from danvan_crawler.captures import CaptureRecord
from danvan_crawler.store.writes import Store
from danvan_crawler.verify.database import lost_records

Archive = Callable[[dict[str, list[int]]], Path]


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """Makes an archive whose database names records: offsets by file. The files exist, with 1,000 bytes each."""

    def make(known: dict[str, list[int]]) -> Path:
        store = Store(database_path(tmp_path))
        for name, offsets in known.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes(1000))
            for offset in offsets:
                url, record_id = f"http://example.vn/{name}/{offset}", f"urn:uuid:{name}-{offset}"
                place = ("2026-11-23T08:00:00.000000Z", name, offset, record_id)
                record = CaptureRecord(url, *place, None, 200, None, None)
                store.note_capture(name.split("/")[1], record)
        store.close()
        return tmp_path

    return make


def test_files_with_all_known_records_have_no_findings(archive: Archive) -> None:
    folder = archive({"warc/a-site/1.warc.gz": [0, 10, 999], "warc/a-site/2.warc.gz": [500]})
    assert list(lost_records(folder, "a-site")) == []


def test_a_missing_file_is_reported(archive: Archive) -> None:
    folder = archive({"warc/a-site/1.warc.gz": [0, 10], "warc/a-site/2.warc.gz": [0], "warc/a-site/3.warc.gz": [0]})
    (folder / "warc/a-site/2.warc.gz").unlink()
    [sentence] = lost_records(folder, "a-site")
    assert sentence == f"{folder}/warc/a-site/2.warc.gz is gone, but the item database names records in it"


def test_a_file_that_ends_before_a_known_record_is_reported(archive: Archive) -> None:
    folder = archive({"warc/a-site/1.warc.gz": [10, 1000, 20]})
    [sentence] = lost_records(folder, "a-site")
    assert sentence.endswith("1.warc.gz ends at byte 1000, but the item database names a record at byte 1000")


def test_files_of_other_sites_are_not_checked(archive: Archive) -> None:
    folder = archive({f"warc/{slug}/1.warc.gz": [0] for slug in ("a", "a-site", "a-site-2", "a-sitez", "b")})
    for slug in ("a", "a-site-2", "a-sitez", "b"):
        (folder / "warc" / slug / "1.warc.gz").unlink()
    assert list(lost_records(folder, "a-site")) == []


def test_a_site_without_captures_has_no_findings(archive: Archive) -> None:
    assert list(lost_records(archive({"warc/b/1.warc.gz": [0]}), "a-site")) == []
    assert list(lost_records(archive({}), "z-site")) == []
