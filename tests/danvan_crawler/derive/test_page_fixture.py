"""Differences from an expectation, the name of a fixture's folder, and folders that are not fixtures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.crawl.runner import project_settings
from danvan_crawler.derive import page_fixture
from danvan_crawler.derive.page_fixture import ARTICLE, LISTING, Fixture, FixtureReader, RecordedPage
from danvan_crawler.derive.page_source import name_of
from danvan_crawler.exceptions import ArchiveError, UndecodableBodyError, UsageError
from danvan_crawler.sites.profile import Site

URL = "https://danvan.example.vn/tin-tuc/hoi-nghi-1.html"
WHEN = "2026-11-23T08:00:00.000000Z"


def page(message: bytes, *, url: str = URL) -> RecordedPage:
    return RecordedPage(url, message, WHEN, {"file": "page.html"})


def html(body: str, *fields: str) -> bytes:
    head = "\r\n".join(["HTTP/1.1 200 OK", "Content-Type: text/html; charset=utf-8", *fields, "", ""])
    return head.encode() + body.encode()


@pytest.fixture
def site(profile: Callable[..., str]) -> Site:
    return Site.parse(profile())


@pytest.fixture
def reader(site: Site) -> FixtureReader:
    return FixtureReader(site, project_settings({}))


@pytest.mark.parametrize(
    ("expected", "found", "differences"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": {"author": None, "tags": []}}, {"a": {}}, []),
        ({}, {"a": "", "b": {}, "c": False}, []),
        ({"a": {"total": 0}}, {"a": {}}, ["a.total\n  - 0\n  + null"]),
        ({"a": {"title": "Họp"}}, {"a": {"title": "Hội nghị"}}, ['a.title\n  - "Họp"\n  + "Hội nghị"']),
        ({"a": {"title": "Họp"}}, {"a": {}}, ['a.title\n  - "Họp"\n  + null']),
        ({"reads": "listing", "a": [1]}, {"reads": "article"}, [
            "a\n  - 1\n  + null", 'reads\n  - "listing"\n  + "article"'
        ]),
        ({"text": "một\nhai\nba"}, {"text": "một\nba\nbốn"}, ['text\n  - "hai"\n  + "bốn"']),
        ({"links": [{"url": "a"}, {"url": "b"}]}, {"links": [{"url": "a"}, {"url": "c"}]}, [
            'links[1].url\n  - "b"\n  + "c"'
        ]),
        ({"links": [{"url": "a"}]}, {"links": [{"url": "n"}, {"url": "a"}]}, ['links\n  + {"url": "n"}']),
        ({"a": "\x1b[31m"}, {"a": "đỏ"}, ['a\n  - "\\u001b[31m"\n  + "đỏ"']),
        ([], {"reads": "article"}, ['expected.json\n  + {"reads": "article"}']),
    ],
)  # fmt: skip
def test_a_difference_names_the_field_and_both_values(expected: Any, found: Any, differences: list[str]) -> None:
    assert list(page_fixture.differences(expected, found)) == differences


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (URL, "tin-tuc-hoi-nghi-1"),
        ("https://example.vn/bai-viet/500/noi-dung.aspx", "bai-viet-500-noi-dung"),
        ("https://example.vn/tin-tuc.html?page=2", "tin-tuc-page-2"),
        ("https://example.vn/T%E1%BB%89nh-%C4%90%E1%BA%A3ng/", "t-e1-bb-89nh-c4-90-e1-ba-a3ng"),
        ("https://example.vn/", "home"),
        ("https://example.vn/../..//x", "x"),
        (f"https://example.vn/{'dài-' * 40}", "d-c3-a0i-" * 8 + "d-c3-a0i"),
    ],
)
def test_a_folder_is_named_after_the_address(url: str, name: str) -> None:
    assert name_of(url) == name


@pytest.mark.parametrize(
    ("body", "verdicts"),
    [
        ("", {"is_blank": True}),
        ("<p>Không tìm thấy trang</p>" + "<p>Ban Dân vận Tỉnh ủy</p>" * 20, {"says_not_found": True}),
        ("<p>Website đang bảo trì</p>" + "<p>Ban Dân vận Tỉnh ủy</p>" * 20, {"page_kind": "maintenance"}),
        ("<p>Ban Dân vận Tỉnh ủy</p>" * 20, {}),
    ],
)
@pytest.mark.parametrize("role", [ARTICLE, LISTING])
def test_a_page_without_news_is_read_with_the_kind_that_a_crawl_reports(
    reader: FixtureReader, body: str, verdicts: dict[str, Any], role: str
) -> None:
    found = reader.read(page(html(f"<html><body>{body}</body></html>")), role)
    assert found["reads"] == {ARTICLE: "no article", LISTING: "listing"}[role]
    assert {name: value for name, value in found["verdicts"].items() if value} == verdicts


def test_the_first_page_of_a_section_is_always_a_listing(reader: FixtureReader) -> None:
    assert reader.role_of(page(html("<p>trống</p>"), url="https://danvan.example.vn/tin-tuc/")) == LISTING
    assert reader.role_of(page(html("<p>trống</p>"))) == ARTICLE


def test_a_page_that_cannot_be_decoded_is_refused(reader: FixtureReader) -> None:
    with pytest.raises(UndecodableBodyError):
        reader.read(page(html("<html>", "Content-Encoding: br")), ARTICLE)


@pytest.mark.parametrize("when", ["", "2026", "2026-11-23", "hôm qua"])
def test_a_capture_without_a_time_is_refused(when: str) -> None:
    with pytest.raises(UsageError, match="is not a time with zone"):
        RecordedPage(URL, html(""), when, {})


def test_a_saved_fixture_is_loaded_byte_for_byte(site: Site, tmp_path: Path) -> None:
    message = html("\r\n\x00 bytes \r as they are")
    fixture = Fixture(page(message), site, ARTICLE)
    page_fixture.save(tmp_path / "a" / "b", fixture, {"reads": "no article"})
    loaded = page_fixture.load(tmp_path / "a" / "b")
    assert (loaded.page, loaded.read_as) == (fixture.page, ARTICLE)
    assert loaded.site.source_text == site.source_text
    assert page_fixture.expectation(tmp_path / "a" / "b") == {"reads": "no article"}
    assert page_fixture.is_same_page(tmp_path / "a" / "b", fixture)
    assert not page_fixture.is_same_page(tmp_path / "a" / "b", Fixture(fixture.page, site, LISTING))


def test_nothing_is_left_if_a_fixture_cannot_be_written(site: Site, tmp_path: Path) -> None:
    (tmp_path / "pages").write_text("a file in the way", encoding="utf-8")
    with pytest.raises(ArchiveError, match=r"cannot write .*pages/a: Not a directory"):
        page_fixture.save(tmp_path / "pages" / "a", Fixture(page(html("")), site, ARTICLE), {})
    assert [path.name for path in tmp_path.iterdir()] == ["pages"]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "meta.json").unlink(), r"meta\.json cannot be read: No such file"),
        (lambda folder: (folder / "response.http").unlink(), r"response\.http cannot be read: No such file"),
        (lambda folder: (folder / "profile.toml").unlink(), r"profile\.toml cannot be read: No such file"),
        (lambda folder: (folder / "meta.json").write_text("{", "utf-8"), r"meta\.json is not JSON"),
        (lambda folder: (folder / "meta.json").write_text("[]", "utf-8"), r"meta\.json is not a JSON object"),
        (lambda folder: (folder / "meta.json").write_bytes(b'"\xff"'), r"meta\.json is not JSON"),
        (lambda folder: edit(folder, url=None), "has no valid url"),
        (lambda folder: edit(folder, read_as="front page"), "has no valid read_as"),
        (lambda folder: edit(folder, captured_at="2026"), "is not a time with zone"),
        (lambda folder: (folder / "profile.toml").write_text("slug = 1", "utf-8"), r"profile\.toml: "),
    ],
)
def test_a_folder_that_is_not_a_fixture_is_an_error_with_its_path(
    site: Site, tmp_path: Path, damage: Callable[[Path], object], message: str
) -> None:
    folder = tmp_path / "a"
    page_fixture.save(folder, Fixture(page(html("")), site, ARTICLE), {})
    damage(folder)
    with pytest.raises(UsageError, match=message):
        page_fixture.load(folder)


def edit(folder: Path, **facts: str | None) -> None:
    meta = {**json.loads((folder / "meta.json").read_bytes()), **facts}
    kept = {key: value for key, value in meta.items() if value is not None}
    (folder / "meta.json").write_text(json.dumps(kept), "utf-8")
