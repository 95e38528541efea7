"""A file that is disturbed while it is written: removed, moved or replaced, or with the disk almost full."""

from __future__ import annotations

import os
import shutil

import pytest

from danvan_crawler.exceptions import ArchiveDamagedError, ArchiveError, DiskFullError
from danvan_crawler.warc.files import require_space

TOO_MUCH = 1 << 62
"""More bytes than any disk has free."""


@pytest.fixture
def begun(make_writer, exchange, tmp_path):
    """A writer that has written two exchanges, the name of its open file, and what that holds."""
    writer = make_writer()
    for _ in range(2):
        writer.write_exchange(exchange)
    [path] = tmp_path.rglob("*.open")
    return writer, path, path.read_bytes()


def test_a_file_that_is_gone_fails_the_next_exchange(begun, exchange):
    writer, path, _ = begun
    path.unlink()
    with pytest.raises(ArchiveError, match=r"\.warc\.gz\.open was removed, moved or replaced while it was being"):
        writer.write_exchange(exchange)


def test_a_file_that_was_replaced_fails_the_next_exchange(begun, exchange):
    writer, path, content = begun
    path.unlink()
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="was removed, moved or replaced"):
        writer.write_exchange(exchange)


def test_closing_writes_a_removed_file_again(begun, check_structure):
    writer, path, content = begun
    path.unlink()
    [finished] = writer.close()
    assert finished.read_bytes() == content
    assert [record.type for record in check_structure(finished)].count("response") == 2
    assert not path.exists()


def test_closing_keeps_a_moved_file_where_it_is_and_writes_it_again(begun, tmp_path):
    writer, path, content = begun
    path.rename(tmp_path / "elsewhere")
    [finished] = writer.close()
    assert finished.read_bytes() == content == (tmp_path / "elsewhere").read_bytes()


def test_closing_touches_nothing_that_has_taken_the_name(begun):
    writer, path, _ = begun
    path.unlink()
    path.write_bytes(b"another's")
    with pytest.raises(ArchiveError, match="File exists"):
        writer.close()
    assert path.read_bytes() == b"another's"


def test_closing_touches_nothing_that_has_taken_the_final_name(begun):
    writer, path, content = begun
    path.rename(path.with_suffix(""))
    with pytest.raises(ArchiveDamagedError, match="exists already"):
        writer.close()
    assert path.with_suffix("").read_bytes() == content
    assert not path.exists()


def test_a_folder_that_is_gone_stays_so(begun, tmp_path):
    writer, _, _ = begun
    shutil.rmtree(tmp_path / "warc")
    with pytest.raises(ArchiveError, match="cannot finish"):
        writer.close()
    assert not (tmp_path / "warc").exists()


def test_below_the_floor_nothing_is_written(make_writer, exchange, tmp_path):
    writer = make_writer(min_free=TOO_MUCH)
    with pytest.raises(DiskFullError, match=r"MB are free on its file system, and .* MB must stay free"):
        writer.write_exchange(exchange)
    assert writer.close() == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_was_written_before_the_floor_was_reached_stays(make_writer, exchange, check_structure):
    writer = make_writer(min_free=1)
    writer.write_exchange(exchange)
    writer._min_free = TOO_MUCH
    with pytest.raises(DiskFullError):
        writer.write_exchange(exchange)
    [path] = writer.close()
    assert [record.type for record in check_structure(path)].count("response") == 1


def test_the_exchange_itself_counts(tmp_path):
    found = os.statvfs(tmp_path)
    free = found.f_bavail * found.f_frsize
    require_space(tmp_path, free // 2)
    with pytest.raises(DiskFullError):
        require_space(tmp_path, free // 2, free)


def test_without_a_floor_nothing_is_asked(tmp_path):
    require_space(tmp_path / "nowhere", 0)


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(ArchiveError, match="cannot read"):
        require_space(tmp_path / "nowhere", 1)
