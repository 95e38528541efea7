"""Names and places of WARC files."""

from __future__ import annotations

import errno
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from danvan_crawler.exceptions import ArchiveDamagedError, ArchiveError, DiskFullError, archive_error
from danvan_crawler.warc.files import file_name, finish, site_folder, this_host, warc_files


def test_a_name_has_slug_timestamp_serial_and_host():
    moment = datetime(2026, 11, 23, 14, 46, 11, 123456, tzinfo=timezone(timedelta(hours=7)))
    assert file_name("thanhhoa-danvan", moment, 3, "crawler1") == (
        "thanhhoa-danvan-20261123074611123-00003-crawler1.warc.gz"
    )


def test_names_sort_by_time():
    start = datetime(2026, 12, 31, 23, 59, 59, 998000, tzinfo=UTC)
    names = [file_name("a", start + timedelta(milliseconds=step), 0, "h") for step in range(5)]
    assert names == sorted(names)


def test_the_host_can_be_part_of_a_file_name():
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]*", this_host())


@pytest.mark.parametrize("slug", ["", "..", ".hidden", "a/b", "a b", "a\n", "-a", "a*"])
def test_a_slug_that_cannot_be_a_folder_is_refused(tmp_path, slug):
    with pytest.raises(ArchiveError, match="cannot archive under the name"):
        site_folder(tmp_path, slug)


@pytest.mark.parametrize("slug", ["thanhhoa-danvan", "my_spider", "example.vn", "tỉnh-ủy"])
def test_the_folder_of_a_site_has_its_slug(tmp_path, slug):
    assert site_folder(tmp_path, slug) == tmp_path / "warc" / slug


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_no_space_is_a_full_disk(number):
    assert isinstance(archive_error(OSError(number, "why"), "write a.warc.gz"), DiskFullError)


def test_another_error_is_not_a_full_disk():
    error = archive_error(PermissionError(errno.EACCES, "Permission denied"), "write a.warc.gz")
    assert type(error) is ArchiveError
    assert str(error) == "cannot write a.warc.gz: Permission denied"


@pytest.fixture
def archive(tmp_path):
    for name in (
        "b-site/2026/b-site-2-0-h.warc.gz",
        "a-site/2026/a-site-2-0-h.warc.gz",
        "a-site/2026/a-site-3-0-h.warc.gz.open",
        "a-site/2025/a-site-1-0-h.warc.gz",
        "a-site/2026/notes.txt",
    ):
        path = tmp_path / "warc" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def test_finished_files_are_listed_in_order(archive):
    assert [path.name for path in warc_files(archive)] == [
        "a-site-1-0-h.warc.gz",
        "a-site-2-0-h.warc.gz",
        "b-site-2-0-h.warc.gz",
    ]


def test_files_of_one_site_are_listed(archive):
    assert [path.name for path in warc_files(archive, "b-site")] == ["b-site-2-0-h.warc.gz"]


def test_open_files_are_listed_on_request(archive):
    assert [path.name for path in warc_files(archive, "a-site", include_open=True)] == [
        "a-site-1-0-h.warc.gz",
        "a-site-2-0-h.warc.gz",
        "a-site-3-0-h.warc.gz.open",
    ]


def test_an_archive_without_warcs_has_none(tmp_path):
    assert warc_files(tmp_path) == []
    assert warc_files(tmp_path, "a-site") == []


def test_finishing_never_replaces_a_file(tmp_path):
    (tmp_path / "a.warc.gz.open").write_bytes(b"new")
    (tmp_path / "a.warc.gz").write_bytes(b"old")
    with pytest.raises(ArchiveDamagedError, match="exists already"):
        finish(tmp_path / "a.warc.gz.open")
    assert (tmp_path / "a.warc.gz").read_bytes() == b"old"
    assert (tmp_path / "a.warc.gz.open").read_bytes() == b"new"
