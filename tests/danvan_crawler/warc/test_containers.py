"""Files as they lie on the disk, inside of ZIP files, and in pipes."""

from __future__ import annotations

import os
import threading
import zipfile
from pathlib import Path

import pytest

from danvan_crawler.exceptions import ArchiveDamagedError, ArchiveError, UnsupportedSourceError
from danvan_crawler.warc.containers import Container, Part, container_of, parts_of

FIRST, SECOND = b"WARC/1.0\r\nfirst", b"\x1f\x8b\x08second" * 1000


def package(path: Path, *, compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as file:
        file.writestr("archive/a.warc", FIRST)
        file.writestr("indexes/index.cdx.gz", b"no source")
        file.writestr("archive/b.warc.gz", SECOND)
        file.writestr("datapackage.json", b"{}")
    return path


def content(part: Part) -> bytes:
    with part.open() as view:
        return view.read(1 << 20)


@pytest.mark.parametrize(
    ("beginning", "expected"),
    [
        (b"\x1f\x8b\x08\0", Container.GZIP),
        (b"\x28\xb5\x2f\xfd", Container.ZSTD),
        (b"\x5d\x2a\x4d\x18", Container.ZSTD),
        (b"WARC/1.0", Container.PLAIN),
        (b"", Container.PLAIN),
    ],
)
def test_a_container_is_recognised_by_its_first_bytes(beginning: bytes, expected: Container) -> None:
    assert container_of(beginning) is expected


def test_a_file_is_its_only_part(tmp_path: Path) -> None:
    path = tmp_path / "a.warc"
    path.write_bytes(FIRST)
    (part,) = parts_of(path)
    assert (part.path, part.name, content(part)) == (path, "a.warc", FIRST)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_warc_files_in_a_package_are_its_parts(tmp_path: Path, compression: int) -> None:
    path = package(tmp_path / "a.wacz", compression=compression)
    parts = parts_of(path)
    assert [part.name for part in parts] == ["a.wacz/archive/a.warc", "a.wacz/archive/b.warc.gz"]
    assert [part.path for part in parts] == [path / "archive/a.warc", path / "archive/b.warc.gz"]
    assert [content(part) for part in parts] == [FIRST, SECOND]


def test_a_stored_part_is_read_behind_its_own_header(tmp_path: Path) -> None:
    path = tmp_path / "a.wacz"
    with zipfile.ZipFile(path, "w") as file, file.open("archive/a.warc", "w", force_zip64=True) as entry:
        entry.write(FIRST)  # behind an extra field that the directory of the file does not have
    assert content(parts_of(path)[0]) == FIRST


def test_a_package_without_a_warc_file_is_unsupported(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("readme.txt", b"none")
    with pytest.raises(UnsupportedSourceError, match=r"a\.zip is a ZIP file without a WARC file in it"):
        parts_of(path)


@pytest.mark.parametrize("cut", [10, 300, 7000])
def test_a_package_that_was_cut_is_damaged(tmp_path: Path, cut: int) -> None:
    path = package(tmp_path / "a.wacz")
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(ArchiveDamagedError, match=r"a\.wacz is damaged: as a ZIP file it cannot be read"):
        parts_of(path)


def test_an_encrypted_part_is_unsupported(tmp_path: Path) -> None:
    path = package(tmp_path / "a.wacz")
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(UnsupportedSourceError, match=r"archive/a\.warc is encrypted"):
        parts_of(path)


def test_a_pipe_can_be_read_twice(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(SECOND,))
    writer.start()
    (part,) = parts_of(path)
    writer.join()
    assert [content(part), content(part)] == [SECOND, SECOND]


def test_views_have_positions_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"0123456789")
    with Part(path, path, 2, 6).open() as view:
        other = view.again()
        assert (view.read(2), other.read(100), view.read(100), view.read(1)) == (b"23", b"234567", b"4567", b"")
        assert (view.find(b"56", 0), view.find(b"78", 0), view.find(b"23", 1)) == (3, None, None)
        assert b"".join(view.pieces(1, 4)) == b"345"
        with pytest.raises(EOFError):
            list(view.pieces(4, 9))


def test_what_is_sought_may_lie_between_two_pieces(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes((1 << 20) - 1) + b"ab" + bytes(9))
    with Part(path, path).open() as view:
        assert view.find(b"ab", 5) == (1 << 20) - 1


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="cannot read"):
        parts_of(tmp_path / "none")
