"""The central test of the project: `danvan rebuild` derives from the WARC files the items that the crawls stored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.sample import articles

SECTION = "/tin-tuc/dan-van-kheo/"
MOVED = "/tin-tuc/dan-van-kheo/bai-viet-da-chuyen-cho-9001.html"


@pytest.fixture(scope="module")
def crawled_twice(new_portal: Callable[..., Any], new_desk: Callable[..., Any]) -> Any:
    """A desk after two crawls with an edit between."""
    portal = new_portal()
    desk = new_desk(portal)
    desk.crawl()
    portal.edition = 2
    desk.crawl()
    return desk


def test_one_crawl(new_portal: Callable[..., Any], new_desk: Callable[..., Any]) -> None:
    desk = new_desk(new_portal())
    desk.crawl()
    desk.check_rebuild()


def test_two_crawls_with_an_edit_between(crawled_twice: Any) -> None:
    assert max(item["revision"] for item in crawled_twice.export()) == 2
    crawled_twice.check_rebuild()


def test_a_second_rebuild_changes_nothing_in_jsonl_or_csv(crawled_twice: Any) -> None:
    before = crawled_twice.export()
    table = crawled_twice.danvan("export", "--format", "csv").stdout
    crawled_twice.danvan("rebuild")
    assert crawled_twice.export() == before
    assert crawled_twice.danvan("export", "--format", "csv").stdout == table


def test_a_full_crawl_that_finds_an_old_text_again(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any]
) -> None:
    portal = new_portal()
    desk = new_desk(portal, only="dan-van-kheo")
    desk.crawl()
    portal.edition = 2
    desk.crawl("--full")
    portal.edition = 1
    desk.crawl("--full")
    before = {article.path: article.title for article in articles(1)}
    edited = next(article.path for article in articles(2) if before.get(article.path, article.title) != article.title)
    [item] = [item for item in desk.export() if item["canonical_url"].endswith(edited)]
    assert (item["revision"], item["title"]) == (1, before[edited])
    desk.check_rebuild()


def test_several_connections_at_once(new_portal: Callable[..., Any], new_desk: Callable[..., Any]) -> None:
    desk = new_desk(new_portal(), connections="8", only="dan-van-kheo")
    desk.crawl()
    desk.check_rebuild()


def test_a_deleted_profile_is_read_from_the_warc(new_portal: Callable[..., Any], new_desk: Callable[..., Any]) -> None:
    portal = new_portal()
    desk = new_desk()
    desk.profile(portal, slug="quen-danvan", only="dan-van-kheo")
    desk.crawl(slug="quen-danvan")
    (desk.sites / "quen-danvan.toml").unlink()
    assert "quen-danvan" not in desk.danvan("sites").stdout
    desk.check_rebuild()


def test_a_section_removed_from_the_profile_keeps_its_articles(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any]
) -> None:
    desk = new_desk(new_portal())
    desk.crawl()
    profile = desk.sites / "mau-danvan.toml"
    profile.write_text(profile.read_text("utf-8").rpartition("[[sections]]")[0], encoding="utf-8")
    desk.check_rebuild()


def test_a_renamed_section_keeps_its_old_name_for_old_articles(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any], answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    article = next(article for article in articles(1) if article.section.path == SECTION)
    # Without a breadcrumb, the section comes from the earliest listing.
    portal.pages[article.path] = answer(portal.html(article.path).replace("duong-dan", "trail"))
    desk = new_desk(portal, only="dan-van-kheo")
    desk.crawl()
    profile = desk.sites / "mau-danvan.toml"
    profile.write_text(profile.read_text("utf-8").replace('"Dân vận khéo"', '"Gương sáng"'), encoding="utf-8")
    desk.crawl()
    [item] = [item for item in desk.export() if item["canonical_url"].endswith(article.path)]
    assert item["section"] == "Dân vận khéo"
    desk.check_rebuild()


def test_an_article_and_its_files_after_redirects(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any], answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    target = next(article for article in articles(1) if article.attachments and article.images)
    for listing in {f"{section.path}{page}" for section in target.listed_in for page in ("", "trang-2/", "trang-3/")}:
        html = portal.html(listing)
        if target.path in html:
            portal.pages[listing] = answer(html.replace(target.path, MOVED))
    portal.pages[MOVED] = answer(status="302 Found", headers={"Location": f"{target.path}?nguon=cu"})
    for number, path in enumerate((target.images[0].path, target.attachments[0].path)):
        portal.pages[path] = answer(status="302 Found", headers={"Location": f"/kho/{number}"})
    portal.pages["/kho/0"] = answer(b"\x89PNG", media_type="image/png")
    portal.pages["/kho/1"] = answer(b"%PDF", media_type="application/pdf")
    desk = new_desk(portal)
    desk.crawl()
    [item] = [item for item in desk.export() if item["title"] == target.title]
    assert item["url"].endswith("?nguon=cu")
    assert item["images"][0]["capture"] is not None
    assert item["attachments"][0]["capture"] is not None
    desk.check_rebuild()


def test_pages_that_are_archived_after_failed_requests(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any], answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    flaky, short, dead, odd = articles(1)[:4]
    failures = [answer(status="503 Service Unavailable")] * 2
    page = portal.html(flaky.path).encode()
    portal.pages[flaky.path] = lambda _request: failures.pop() if failures else answer(page)
    portal.pages[short.path] = answer(page)[:-100]  # the server keeps the connection, and the crawl times out
    portal.pages[dead.path] = answer(status="404 Not Found")
    portal.pages[odd.path] = answer("<p>Không phải bài viết</p>")
    desk = new_desk(portal, only="hoat-dong-ban-dan-van")
    desk.environment["DANVAN_LOG_LEVEL"] = "CRITICAL"
    desk.scrapy("crawl", "mau-danvan", "-s", "DOWNLOAD_TIMEOUT=1", "-s", "RETRY_TIMES=2")
    assert not {short.title, dead.title, odd.title} & {item["title"] for item in desk.export()}
    assert flaky.title in {item["title"] for item in desk.export()}
    assert desk.rows("select distinct truncated from captures where truncated is not null") == [("time",)]
    desk.check_rebuild()


def test_the_crawl_after_a_rebuild_has_its_known_ground(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any]
) -> None:
    portal = new_portal()
    desk = new_desk(portal, only="dan-van-kheo")
    desk.crawl()
    desk.danvan("rebuild")
    portal.forget()
    desk.crawl()
    assert portal.targets == ["/robots.txt", SECTION]


def test_a_rebuild_while_a_crawl_runs_is_refused(new_portal: Callable[..., Any], new_desk: Callable[..., Any]) -> None:
    portal = new_portal()
    desk = new_desk(portal, only="dan-van-kheo")
    gate = portal.hold(SECTION)
    crawl = desk.start("crawl", "mau-danvan")
    portal.wait_for(SECTION)
    refused = desk.danvan("rebuild", code=5)
    gate.set()
    desk.finish(crawl, code=0)
    assert f"process {crawl.pid}" in refused.stderr


def test_a_missing_archive_is_an_error(new_desk: Callable[..., Any]) -> None:
    desk = new_desk()
    assert str(desk.archive) in desk.danvan("rebuild", code=1).stderr


def flip(path: Path, position: int) -> None:
    """Damages one byte."""
    data = bytearray(path.read_bytes())
    data[position] ^= 0xFF
    path.write_bytes(bytes(data))


def test_records_before_damage_are_used_and_the_old_database_is_kept(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any]
) -> None:
    portal = new_portal()
    desk = new_desk(portal, only="dan-van-kheo")
    desk.crawl()
    portal.edition = 2
    desk.crawl()
    before = {item["item_id"]: item for item in desk.export()}
    damaged, whole = desk.warc_files()
    places = sorted(item["warc_offset"] for item in before.values() if item["warc_file"].endswith(damaged.name))
    offset = places[len(places) // 2]
    flip(damaged, offset + 200)
    result = desk.danvan("rebuild", code=8)
    assert damaged.name in result.stderr
    assert str(offset) in result.stderr
    after = {item["item_id"]: item for item in desk.export()}
    assert {key for key, item in before.items() if item["warc_file"].endswith(whole.name)} <= set(after)
    untouched = {
        key: item
        for key, item in before.items()
        if item["warc_file"].endswith(damaged.name) and item["warc_offset"] < offset
    }
    assert untouched
    assert set(untouched) <= set(after)
    kept = desk.archive / "danvan.sqlite.before-rebuild"
    kept.replace(desk.archive / "danvan.sqlite")
    assert {item["item_id"]: item for item in desk.export()} == before


def test_a_damaged_file_of_a_killed_run_is_read_and_not_changed(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any]
) -> None:
    desk = new_desk(new_portal(), only="dan-van-kheo")
    desk.crawl()
    [path] = desk.warc_files()
    unfinished = path.rename(f"{path}.open")
    places = sorted(item["warc_offset"] for item in desk.export())
    flip(unfinished, places[-5] + 200)
    content = unfinished.read_bytes()
    assert unfinished.name in desk.danvan("rebuild", code=8).stderr
    assert desk.export()
    assert unfinished.read_bytes() == content
    assert unfinished.name in desk.crawl(code=8).stderr
