"""danvan wacz and danvan bagit: the contents of the packages of a site, and refusals."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bagit
import pytest

from danvan_crawler.archive.layout import database_path
from danvan_crawler.warc.files import warc_files

Danvan = Callable[..., Any]
SITE = "vi-du-danvan"
PROFILE = f"""
slug = "{SITE}"
name = "Ban Dân vận (ví dụ)"
family = "danvan_portal"
home = "http://danvan.example.vn/"
province = "VN-21"
body = "ban-dan-van"

[[sections]]
name = "Tin tức"
url = "http://danvan.example.vn/tin-tuc/"
"""


@pytest.fixture
def profiled(archive: Any) -> Any:
    """The archive with a profile of its site."""
    (archive.folder / "sites").mkdir()
    (archive.folder / "sites" / f"{SITE}.toml").write_text(PROFILE, encoding="utf-8")
    return archive


def in_package(package: Path, name: str) -> str:
    with zipfile.ZipFile(package) as wacz:
        return wacz.read(name).decode()


def test_a_site_becomes_one_file_with_all_its_articles(danvan: Danvan, profiled: Any, tmp_path: Path) -> None:
    result = danvan("wacz", SITE, "-o", "site.wacz")
    _, *pages = map(json.loads, in_package(tmp_path / "site.wacz", "pages/pages.jsonl").splitlines())
    assert result.code == 0
    assert result.err == "site.wacz: 2 articles, 1 WARC file\n"
    assert [(page["id"], page["url"], page["ts"]) for page in pages] == [
        (f"{SITE}-1", profiled.dated.url, profiled.dated.date),
        (f"{SITE}-2", profiled.undated.url, profiled.undated.date),
    ]
    assert pages[0]["text"] == "Sáng 23/5, Ban Dân vận tổ chức hội nghị.\nĐoạn một về dân vận khéo.\nĐoạn hai."


def test_the_package_has_the_name_of_the_site(danvan: Danvan, profiled: Any, tmp_path: Path) -> None:
    danvan("wacz", SITE, "-o", "site.wacz")
    described = json.loads(in_package(tmp_path / "site.wacz", "datapackage.json"))
    assert described["title"] == "Ban Dân vận (ví dụ)"
    assert "http://danvan.example.vn/" in described["description"]


def test_a_site_without_a_profile_can_be_packed(danvan: Danvan, archive: Any, tmp_path: Path) -> None:
    assert danvan("wacz", SITE, "-o", "site.wacz").code == 0
    assert json.loads(in_package(tmp_path / "site.wacz", "datapackage.json"))["title"] == SITE


@pytest.mark.parametrize("form", ["wacz", "bagit"])
def test_an_unknown_slug_is_wrong_usage(danvan: Danvan, archive: Any, form: str, tmp_path: Path) -> None:
    result = danvan(form, "khong-co", "-o", "out")
    assert result.code == 2
    assert "no site has the slug 'khong-co'" in result.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("form", ["wacz", "bagit"])
@pytest.mark.parametrize("slug", ["../archive", "a/b", ""])
def test_a_slug_is_never_used_as_a_path(danvan: Danvan, archive: Any, form: str, slug: str) -> None:
    assert danvan(form, slug, "-o", "out").code == 2


@pytest.mark.parametrize("form", ["wacz", "bagit"])
def test_a_site_that_was_never_crawled_is_wrong_usage(danvan: Danvan, form: str, tmp_path: Path) -> None:
    result = danvan(form, "mau-danvan", "-o", "out")
    assert result.code == 2
    assert "has no finished WARC file of this site" in result.err


@pytest.mark.parametrize("form", ["wacz", "bagit"])
def test_without_a_database_there_is_no_package(danvan: Danvan, archive: Any, form: str, tmp_path: Path) -> None:
    database_path(archive.folder).unlink()
    result = danvan(form, SITE, "-o", "out")
    assert result.code == 1
    assert "danvan rebuild" in result.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("form", ["wacz", "bagit"])
def test_a_damaged_file_is_not_packed(danvan: Danvan, archive: Any, form: str, tmp_path: Path) -> None:
    (path,) = warc_files(archive.folder)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    before = set(tmp_path.iterdir())
    result = danvan(form, SITE, "-o", "out")
    assert result.code == 8
    assert path.name in result.err
    assert set(tmp_path.iterdir()) == before


def test_an_existing_package_is_replaced_only_with_force(danvan: Danvan, archive: Any, tmp_path: Path) -> None:
    (tmp_path / "site.wacz").write_bytes(b"mine")
    assert danvan("wacz", SITE, "-o", "site.wacz").code == 2
    assert (tmp_path / "site.wacz").read_bytes() == b"mine"
    assert danvan("wacz", SITE, "-o", "site.wacz", "--force").code == 0
    assert zipfile.is_zipfile(tmp_path / "site.wacz")


def test_a_bag_is_valid(danvan: Danvan, profiled: Any, tmp_path: Path) -> None:
    result = danvan("bagit", SITE, "-o", "bag")
    assert result.code == 0
    assert result.err == "bag: 2 articles, 1 WARC file\n"
    program = Path(bagit.__file__)
    checked = subprocess.run([sys.executable, str(program), "--validate", "bag"], cwd=tmp_path, check=False)
    assert checked.returncode == 0


def test_a_bag_holds_an_archive_of_the_site(danvan: Danvan, profiled: Any, tmp_path: Path) -> None:
    danvan("bagit", SITE, "-o", "bag")
    (original,) = warc_files(profiled.folder)
    data = tmp_path / "bag" / "data"
    (copy,) = warc_files(data, SITE)
    assert copy.relative_to(data) == original.relative_to(profiled.folder)
    assert copy.read_bytes() == original.read_bytes()
    stem = copy.name.removesuffix(".warc.gz")
    assert len((data / "index" / f"{stem}.cdxj").read_text().splitlines()) == 2
    digest = hashlib.sha256(copy.read_bytes()).hexdigest()
    assert (data / "index" / f"{stem}.sha256").read_text().startswith(digest)
    assert (data / "sites" / f"{SITE}.toml").read_text(encoding="utf-8") == PROFILE
    exported = danvan("export", "--site", SITE).raw
    assert (data / "items.jsonl").read_bytes() == exported


def test_a_bag_shares_no_file_with_the_archive(danvan: Danvan, archive: Any, tmp_path: Path) -> None:
    danvan("bagit", SITE, "-o", "bag")
    (original,) = warc_files(archive.folder)
    (copy,) = warc_files(tmp_path / "bag" / "data", SITE)
    assert not copy.is_symlink()
    assert copy.stat().st_nlink == 1
    assert copy.stat().st_ino != original.stat().st_ino


@pytest.mark.parametrize(
    ("contact", "field"),
    [("luu-tru@example.vn", "Contact-Email"), ("https://example.vn/@luutru", "Contact-Name")],
)
def test_a_bag_describes_its_origin(
    danvan: Danvan, profiled: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, contact: str, field: str
) -> None:
    monkeypatch.setenv("DANVAN_OPERATOR", "Trung tâm Lưu trữ")
    monkeypatch.setenv("DANVAN_CONTACT", contact)
    danvan("bagit", SITE, "-o", "bag")
    said = bagit.Bag(str(tmp_path / "bag")).info
    payload = [path for path in (tmp_path / "bag" / "data").rglob("*") if path.is_file()]
    assert said["Source-Organization"] == "Trung tâm Lưu trữ"
    assert said[field] == contact
    assert said["External-Identifier"] == SITE
    assert said["External-Description"].startswith("Ban Dân vận (ví dụ). ")
    assert said["Payload-Oxum"] == f"{sum(path.stat().st_size for path in payload)}.{len(payload)}"
    assert len(said["Bagging-Date"]) == len("2026-11-23")


def test_a_bag_never_replaces_a_folder(danvan: Danvan, archive: Any, tmp_path: Path) -> None:
    (tmp_path / "bag").mkdir()
    result = danvan("bagit", SITE, "-o", "bag")
    assert result.code == 2
    assert "exists already" in result.err
    assert list((tmp_path / "bag").iterdir()) == []


def test_without_the_library_bagit_the_error_names_the_extra(
    danvan: Danvan, archive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "bagit", None)
    result = danvan("bagit", SITE, "-o", "bag")
    assert result.code == 2
    assert "danvan-crawler[bagit]" in result.err
