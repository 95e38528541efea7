"""A file that is removed, moved or replaced while it is written, or an almost full disk."""

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
    """A writer that has written two exchanges, the name of its open file, and its contents."""
    writer = make_writer()
    for _ in range(2):
        writer.write_exchange(exchange)
    [path] = tmp_path.rglob("*.open")
    return writer, path, path.read_bytes()


def test_after_the_file_is_removed_the_next_exchange_fails(begun, exchange):
    writer, path, _ = begun
    path.unlink()
    with pytest.raises(ArchiveError, match=r"\.warc\.gz\.open was removed, moved or replaced while it was being"):
        writer.write_exchange(exchange)


def test_after_the_file_is_replaced_the_next_exchange_fails(begun, exchange):
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


def test_closing_does_not_change_another_file_with_the_name(begun):
    writer, path, _ = begun
    path.unlink()
    path.write_bytes(b"another's")
    with pytest.raises(ArchiveError, match="File exists"):
        writer.close()
    assert path.read_bytes() == b"another's"


def test_closing_does_not_change_another_file_with_the_final_name(begun):
    writer, path, content = begun
    path.rename(path.with_suffix(""))
    with pytest.raises(ArchiveDamagedError, match="exists already"):
        writer.close()
    assert path.with_suffix("").read_bytes() == content
    assert not path.exists()


def test_a_removed_folder_is_not_created_again(begun, tmp_path):
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


def test_exchanges_written_before_the_floor_are_kept(make_writer, exchange, check_structure):
    writer = make_writer(min_free=1)
    writer.write_exchange(exchange)
    writer._min_free = TOO_MUCH
    with pytest.raises(DiskFullError):
        writer.write_exchange(exchange)
    [path] = writer.close()
    assert [record.type for record in check_structure(path)].count("response") == 1


def test_the_size_of_the_exchange_counts_for_the_floor(tmp_path):
    found = os.statvfs(tmp_path)
    free = found.f_bavail * found.f_frsize
    require_space(tmp_path, free // 2)
    with pytest.raises(DiskFullError):
        require_space(tmp_path, free // 2, free)


def test_without_a_floor_the_free_space_is_not_checked(tmp_path):
    require_space(tmp_path / "nowhere", 0)


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(ArchiveError, match="cannot read"):
        require_space(tmp_path / "nowhere", 1)
