"""WACZ files: their contents, validation by other tools, and errors while they are written."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.exceptions import ArchiveDamagedError, ArchiveError, UsageError
from danvan_crawler.export.site import Description
from danvan_crawler.export.wacz import LINES_A_BLOCK, Page, write_wacz
from danvan_crawler.warc.writer import WarcWriter

ABOUT = Description("Ban Dân vận", "Captures of https://portal.example/", "CC BY 4.0, ghi rõ nguồn")
PAGES = [
    Page("tin-2", "https://portal.example/2", "2026-11-23T07:46:11.123456Z", "Dân vận khéo", "Đoạn một.\nĐoạn hai."),
    Page("tin-1", "https://portal.example/1", "2026-11-24T00:00:00.000000Z", "Hội nghị", ""),
]
Pack = Callable[..., Path]


def line(number: int) -> str:
    return f'example,portal)/{number:06d} 20261123074611 {{"url": "https://portal.example/{number:06d}"}}\n'


@pytest.fixture
def warcs(make_writer: Callable[..., WarcWriter], exchange: Any) -> list[Path]:
    """Two finished WARC files."""
    files = []
    for _ in range(2):
        writer = make_writer()
        writer.write_exchange(exchange)
        files += writer.close()
    return files


@pytest.fixture
def pack(warcs: list[Path], tmp_path: Path) -> Pack:
    """pack(pages=…, index=…, …) writes a WACZ of the two files."""

    def run(**changed: Any) -> Path:
        given = {"index": [line(1)], "pages": PAGES, "about": ABOUT, **changed}
        output = given.pop("output", tmp_path / "site.wacz")
        write_wacz(output, given.pop("warc_files", warcs), **given)
        assert isinstance(output, Path)
        return output

    return run


def read(package: Path, name: str) -> bytes:
    with zipfile.ZipFile(package) as archive:
        return archive.read(name)


def test_the_warc_files_are_stored_unchanged(pack: Pack, warcs: list[Path]) -> None:
    package = pack()
    with zipfile.ZipFile(package) as archive:
        for path in warcs:
            entry = archive.getinfo(f"archive/{path.name}")
            assert entry.compress_type == zipfile.ZIP_STORED
            assert archive.read(entry) == path.read_bytes()


@pytest.mark.slow
def test_py_wacz_accepts_it(pack: Pack) -> None:
    package = pack()
    validate = [sys.executable, "-m", "wacz", "validate", "-f", str(package)]
    result = subprocess.run(validate, capture_output=True, text=True, check=False)
    assert "the passed WACZ is valid" in result.stdout
    assert result.returncode == 0


def test_every_file_is_described_with_its_length_and_hash(pack: Pack) -> None:
    package = pack()
    described = {file["path"]: file for file in json.loads(read(package, "datapackage.json"))["resources"]}
    with zipfile.ZipFile(package) as archive:
        names = set(archive.namelist()) - {"datapackage.json", "datapackage-digest.json"}
    assert set(described) == names
    for name in names:
        data = read(package, name)
        assert described[name]["bytes"] == len(data)
        assert described[name]["hash"] == f"sha256:{hashlib.sha256(data).hexdigest()}"


def test_the_description_has_its_own_hash(pack: Pack) -> None:
    package = pack()
    digest = json.loads(read(package, "datapackage-digest.json"))
    data = read(package, "datapackage.json")
    assert digest == {"path": "datapackage.json", "hash": f"sha256:{hashlib.sha256(data).hexdigest()}"}


def test_title_description_and_rights_are_included(pack: Pack) -> None:
    described = json.loads(read(pack(), "datapackage.json"))
    assert (described["title"], described["description"], described["rights"]) == (
        ABOUT.title,
        ABOUT.description,
        ABOUT.rights,
    )
    assert described["wacz_version"] == "1.1.1"


def test_unknown_facts_of_a_site_are_left_out(pack: Pack) -> None:
    described = json.loads(read(pack(about=Description("ten-nhen")), "datapackage.json"))
    assert described["title"] == "ten-nhen"
    assert not {"description", "rights", "mainPageURL"} & set(described)


def test_pages_are_json_lines_under_a_header_in_the_order_given(pack: Pack) -> None:
    header, *pages = [json.loads(text) for text in read(pack(), "pages/pages.jsonl").decode().splitlines()]
    assert header == {"format": "json-pages-1.0", "id": "pages", "title": ABOUT.title, "hasText": True}
    assert pages[0] == {
        "id": "tin-2",
        "url": "https://portal.example/2",
        "ts": "2026-11-23T07:46:11.123456Z",
        "title": "Dân vận khéo",
        "text": "Đoạn một.\nĐoạn hai.",
    }
    assert [page["id"] for page in pages] == ["tin-2", "tin-1"]


@pytest.mark.parametrize("count", [1, LINES_A_BLOCK, 2 * LINES_A_BLOCK, 2 * LINES_A_BLOCK + 1])
def test_the_blocks_of_the_index_are_found_by_the_secondary_index(pack: Pack, count: int) -> None:
    lines = [line(number) for number in range(count)]
    package = pack(index=lines)
    data = read(package, "indexes/index.cdx.gz")
    meta, *blocks = read(package, "indexes/index.idx").decode().splitlines()
    assert json.loads(meta.split(" ", 2)[2]) == {"format": "cdxj-gzip-1.0", "filename": "index.cdx.gz"}
    found, end = [], 0
    for block in blocks:
        key, timestamp, place = block.split(" ", 2)
        where = json.loads(place)
        assert where["offset"] == end
        end += where["length"]
        member = data[where["offset"] : end]
        assert where["digest"] == f"sha256:{hashlib.sha256(member).hexdigest()}"
        content = gzip.decompress(member).decode()
        assert content.startswith(f"{key} {timestamp} ")
        found += content.splitlines(keepends=True)
    assert end == len(data)
    assert found == lines


def test_an_index_is_stored_uncompressed_in_the_zip_file(pack: Pack) -> None:
    with zipfile.ZipFile(pack()) as archive:
        assert archive.getinfo("indexes/index.cdx.gz").compress_type == zipfile.ZIP_STORED


def test_an_existing_file_is_kept(pack: Pack, tmp_path: Path) -> None:
    (tmp_path / "site.wacz").write_bytes(b"mine")
    with pytest.raises(UsageError, match="--force replaces it"):
        pack()
    assert (tmp_path / "site.wacz").read_bytes() == b"mine"


def test_an_existing_file_is_replaced_on_request(pack: Pack, tmp_path: Path) -> None:
    (tmp_path / "site.wacz").write_bytes(b"old")
    assert zipfile.is_zipfile(pack(replace=True))


def test_a_folder_is_never_replaced(pack: Pack, tmp_path: Path) -> None:
    (tmp_path / "site.wacz").mkdir()
    with pytest.raises(UsageError, match=r"site\.wacz exists already$"):
        pack(replace=True)


def test_damage_found_during_packing_leaves_no_file(pack: Pack, tmp_path: Path) -> None:
    def broken() -> Iterator[str]:
        yield line(1)
        raise ArchiveDamagedError("no complete record at byte 9")

    before = set(tmp_path.iterdir())
    with pytest.raises(ArchiveDamagedError):
        pack(index=broken())
    assert set(tmp_path.iterdir()) == before


def test_a_missing_folder_is_an_error_with_the_path_of_the_file(pack: Pack, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=r"cannot write .*nowhere/site\.wacz: No such file"):
        pack(output=tmp_path / "nowhere" / "site.wacz")


def test_two_files_of_one_name_are_refused(pack: Pack, warcs: list[Path], tmp_path: Path) -> None:
    other = tmp_path / "other" / warcs[0].name
    other.parent.mkdir()
    other.write_bytes(warcs[0].read_bytes())
    with pytest.raises(ArchiveError, match="have the same name"):
        pack(warc_files=[*warcs, other])


def test_without_py_wacz_the_error_names_the_extra(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wacz.waczindexer", None)
    with pytest.raises(UsageError, match=r"danvan-crawler\[wacz\]"):
        pack()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_size_of_the_package(pack: Pack, tmp_path: Path) -> None:
    size = 64 * 1024 * 1024
    large = tmp_path / "large.warc.gz"
    with large.open("wb") as file:
        file.truncate(size)
    text = "Dân vận khéo. " * 300

    def many() -> Iterator[Page]:
        for number in range(2000):
            yield Page(str(number), f"https://portal.example/{number}", "2026-11-23T07:46:11Z", "Tin", text)

    pack(output=tmp_path / "small.wacz")  # imports py-wacz
    tracemalloc.start()
    try:
        pack(warc_files=[large], index=map(line, range(5000)), pages=many())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < size / 8
