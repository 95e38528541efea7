"""A takedown over the life of an archive: crawls and rebuilds respect it, and nothing is lost when it is lifted."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.sample import articles

SECTION = "dan-van-kheo"
RIGHTS = "© Ban Dân vận; trích dẫn ghi rõ nguồn"


@pytest.fixture(scope="module")
def crawled(new_portal: Callable[..., Any], new_desk: Callable[..., Any]) -> Any:
    """Portal and desk after a crawl of one section, its items, and the one that was suppressed then."""
    portal = new_portal()
    desk = new_desk(portal, only=SECTION, rights=json.dumps(RIGHTS, ensure_ascii=False))
    desk.crawl()
    before = desk.export()
    taken = max(before, key=lambda item: len(words_of(item)))
    desk.danvan("suppress", taken["item_id"], "--reason", "đơn yêu cầu")
    return portal, desk, before, taken


def without(items: list[dict[str, Any]], taken: dict[str, Any]) -> list[dict[str, Any]]:
    return [item for item in items if item["item_id"] != taken["item_id"]]


def words_of(item: dict[str, Any]) -> str:
    return max(item["body_text"].split("\n"), key=len)


def test_exports_are_unchanged_except_for_the_suppressed_article(crawled: Any) -> None:
    _, desk, before, taken = crawled
    assert desk.export() == without(before, taken)


def test_a_wacz_has_no_page_of_it_and_has_the_note_on_rights(crawled: Any, tmp_path: Path) -> None:
    _, desk, before, taken = crawled
    desk.danvan("wacz", "mau-danvan", "-o", str(tmp_path / "site.wacz"))
    with zipfile.ZipFile(tmp_path / "site.wacz") as package:
        pages = package.read("pages/pages.jsonl").decode()
        rights = json.loads(package.read("datapackage.json"))["rights"]
    assert taken["url"] not in pages
    assert words_of(taken) not in pages
    assert len(pages.splitlines()) == len(before)  # one line is the header
    assert rights == RIGHTS


def test_its_record_stays_in_the_archive(crawled: Any, tmp_path: Path) -> None:
    _, desk, _, taken = crawled
    desk.danvan("capture", taken["warc_record_id"], "-o", str(tmp_path / "page"))
    assert words_of(taken) in gzip.decompress((tmp_path / "page").read_bytes()).decode()


def test_the_note_on_rights_is_in_every_item_and_in_warcinfo(crawled: Any) -> None:
    _, desk, before, _ = crawled
    assert {item["rights"] for item in before} == {RIGHTS}
    assert f"rights: {RIGHTS}\r\n".encode() in desk.records()[0].block


def test_its_text_is_not_in_the_database_file_after_a_rebuild(crawled: Any) -> None:
    _, desk, before, taken = crawled
    desk.danvan("rebuild")
    assert desk.export() == without(before, taken)
    assert words_of(taken).encode() not in (desk.archive / "danvan.sqlite").read_bytes()


def test_a_full_crawl_captures_it_without_showing_it(crawled: Any) -> None:
    portal, desk, before, taken = crawled
    portal.forget()
    desk.crawl("--full")
    assert len(desk.export()) == len(before) - 1
    shown = desk.danvan("show", taken["canonical_url"]).stdout
    assert shown.count("Capture ") == 2
    assert "đơn yêu cầu" in shown


def test_verify_finds_no_damage(crawled: Any) -> None:
    _, desk, _, _ = crawled
    desk.danvan("verify")


def test_a_lifted_takedown_restores_the_article_as_a_rebuild_does(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any]
) -> None:
    portal = new_portal()
    desk = new_desk(portal, only=SECTION)
    desk.crawl()
    (taken,) = [item for item in desk.export() if item["title"] == changed_title()]
    desk.danvan("suppress", taken["item_id"], "--reason", "x")
    portal.edition = 2
    desk.crawl("--full")
    assert taken["item_id"] not in {item["item_id"] for item in desk.export()}
    desk.danvan("suppress", taken["item_id"], "--undo")
    after = desk.export()
    (back,) = [item for item in after if item["item_id"] == taken["item_id"]]
    assert back["revision"] == 2
    desk.danvan("rebuild")
    assert desk.export() == after


def changed_title() -> str:
    """Title of an article of the section whose text the second edition changes."""
    first = {one.number: one for one in articles(1)}
    return next(
        first[one.number].title
        for one in articles(2)
        if one.section.slug == SECTION and one.number in first and one.body_text != first[one.number].body_text
    )


def test_an_entry_removed_by_hand_is_lifted_by_the_next_crawl(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any]
) -> None:
    desk = new_desk(new_portal(), only=SECTION)
    desk.crawl()
    before = desk.export()
    desk.danvan("suppress", before[0]["item_id"], "--reason", "x")
    (desk.archive / "suppressed.toml").unlink()
    desk.crawl("--max-pages", "1")
    assert {item["item_id"] for item in desk.export()} == {item["item_id"] for item in before}


def test_an_unreadable_suppression_file_stops_the_crawl_before_any_request(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any]
) -> None:
    portal = new_portal()
    desk = new_desk(portal, only=SECTION)
    desk.archive.mkdir()
    (desk.archive / "suppressed.toml").write_text("[[suppressed]]\n")
    assert "suppressed.toml, line 1: item_id: required key is missing" in desk.crawl(code=2).stderr
    assert portal.targets == []
