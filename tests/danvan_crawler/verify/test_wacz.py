"""WACZ packages: a valid one, and one defect in each part."""

from __future__ import annotations

import gzip
import hashlib
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.verify.findings import Finding
from danvan_crawler.verify.wacz import verify_wacz
from danvan_crawler.warc.index import index_lines
from danvan_crawler.warc.records import Exchange

WARC = "archive/x.warc.gz"
INDEX = "indexes/index.cdx.gz"
PAGES = "pages/pages.jsonl"
Parts = dict[str, bytes]


@pytest.fixture
def parts(make_writer: Callable[..., Any], exchange: Exchange) -> Parts:
    """The files of a package without its description."""
    writer = make_writer()
    for number in range(3):
        writer.write_exchange(replace(exchange, url=f"{exchange.url}{number}"))
    (path,) = writer.close()
    lines = sorted(index_lines(path, filename="x.warc.gz"))
    header = {"format": "json-pages-1.0", "id": "pages", "title": "Pages"}
    page = {"id": "1", "url": f"{exchange.url}0", "ts": "2026-11-23T07:46:11Z", "title": "Dan van", "text": "x"}
    return {
        WARC: path.read_bytes(),
        INDEX: gzip.compress("".join(lines).encode()),
        PAGES: "".join(json.dumps(line) + "\n" for line in (header, page)).encode(),
    }


def pack(folder: Path, parts: Parts, *, change: Callable[[dict[str, Any]], None] = lambda described: None) -> Path:
    """A package of these files; `change` makes its description wrong."""
    resources = [
        {"name": name, "path": name, "hash": f"sha256:{hashlib.sha256(data).hexdigest()}", "bytes": len(data)}
        for name, data in parts.items()
    ]
    described = {"profile": "data-package", "wacz_version": "1.1.1", "resources": resources}
    change(described)
    data = json.dumps(described).encode()
    digest = {"path": "datapackage.json", "hash": f"sha256:{hashlib.sha256(data).hexdigest()}"}
    path = folder / "x.wacz"
    with zipfile.ZipFile(path, "w") as package:
        for name, content in {**parts, "datapackage.json": data}.items():
            package.writestr(name, content)
        package.writestr("datapackage-digest.json", json.dumps(digest))
    return path


def kinds(path: Path) -> set[str]:
    found: list[Finding] = []
    verify_wacz(path, path.name, found.append, progress=lambda count: None)
    return {finding.kind for finding in found if finding.damage}


def test_a_valid_package_has_no_findings(parts: Parts, tmp_path: Path) -> None:
    assert kinds(pack(tmp_path, parts)) == set()


def test_a_file_that_is_not_a_package_is_found(tmp_path: Path) -> None:
    (tmp_path / "x.wacz").write_bytes(b"no zip")
    assert kinds(tmp_path / "x.wacz") == {"wacz-unreadable"}


def test_a_package_with_nothing_but_a_readme_is_found(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.wacz", "w") as package:
        package.writestr("README", "hello")
    assert kinds(tmp_path / "x.wacz") == {"wacz-part-missing"}


@pytest.mark.parametrize("part", [WARC, INDEX, PAGES])
def test_a_missing_part_is_found(parts: Parts, tmp_path: Path, part: str) -> None:
    del parts[part]
    assert "wacz-part-missing" in kinds(pack(tmp_path, parts))


def test_a_listed_part_that_is_missing_is_found(parts: Parts, tmp_path: Path) -> None:
    path = pack(tmp_path, parts, change=lambda described: described["resources"].append({"path": "archive/y.warc.gz"}))
    assert kinds(path) == {"wacz-part-missing"}


def test_a_wrong_digest_of_a_part_is_found(parts: Parts, tmp_path: Path) -> None:
    path = pack(tmp_path, parts, change=lambda described: described["resources"][0].update(hash="sha256:00"))
    assert kinds(path) == {"wacz-digest-mismatch"}


def test_a_wrong_length_of_a_part_is_found(parts: Parts, tmp_path: Path) -> None:
    path = pack(tmp_path, parts, change=lambda described: described["resources"][0].update(bytes=1))
    assert kinds(path) == {"wacz-digest-mismatch"}


def test_a_part_that_is_not_listed_is_found(parts: Parts, tmp_path: Path) -> None:
    path = pack(tmp_path, parts, change=lambda described: described["resources"].pop())
    assert kinds(path) == {"wacz-part-unlisted"}


def test_a_description_that_does_not_match_the_digest_file_is_found(parts: Parts, tmp_path: Path) -> None:
    path = pack(tmp_path, parts)
    with zipfile.ZipFile(path) as package:
        contents = {name: package.read(name) for name in package.namelist()}
    contents["datapackage-digest.json"] = b'{"hash": "sha256:00"}'
    with zipfile.ZipFile(path, "w") as package:
        for name, data in contents.items():
            package.writestr(name, data)
    assert kinds(path) == {"wacz-digest-mismatch"}


def test_a_description_without_resources_is_found(parts: Parts, tmp_path: Path) -> None:
    assert kinds(pack(tmp_path, parts, change=lambda described: described.pop("resources"))) == {"wacz-unreadable"}


def test_a_damaged_warc_file_inside_is_found(parts: Parts, tmp_path: Path) -> None:
    parts[WARC] += b"garbage"
    assert kinds(pack(tmp_path, parts)) == {"trailing-garbage"}


def test_an_index_that_lacks_a_record_is_found(parts: Parts, tmp_path: Path) -> None:
    parts[INDEX] = gzip.compress(b"".join(gzip.decompress(parts[INDEX]).splitlines(keepends=True)[:2]))
    assert kinds(pack(tmp_path, parts)) == {"wacz-index-wrong"}


def test_an_index_with_wrong_offsets_is_found(parts: Parts, tmp_path: Path) -> None:
    parts[INDEX] = gzip.compress(gzip.decompress(parts[INDEX]).replace(b'"offset": "', b'"offset": "1'))
    assert kinds(pack(tmp_path, parts)) == {"wacz-index-wrong"}


def test_an_index_that_cannot_be_read_is_found(parts: Parts, tmp_path: Path) -> None:
    parts[INDEX] = parts[INDEX][:-20]
    assert "wacz-unreadable" in kinds(pack(tmp_path, parts))


@pytest.mark.parametrize(
    "line", [b'{"url": "http://elsewhere.example/", "ts": "2026-11-23T07:46:11Z"}', b"[1]", b"no json", b'{"ts": "x"}']
)
def test_an_invalid_page_is_found(parts: Parts, tmp_path: Path, line: bytes) -> None:
    parts[PAGES] += line + b"\n"
    assert kinds(pack(tmp_path, parts)) == {"wacz-pages-wrong"}
