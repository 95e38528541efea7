"""`scrapy list`, `crawl` and `runspider` in the checkout: the same items and exit codes as with `danvan`.

Where a test calls `run`, the command starts with a Python of its own; elsewhere it is forked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from desk import ROOT

MODEL = "/tin-tuc/dan-van-kheo/"
ADDRESSES = ("captured_at", "first_seen", "last_seen", "warc_file", "warc_offset", "warc_record_id", "payload_digest")
"""Fields that differ between two crawls of the same pages."""
FOREIGN = """
import scrapy

class Foreign(scrapy.Spider):
    name = "ban_tin"
    start_urls = [{url!r}]
    {attribute}

    def parse(self, response):
        yield {{"title": response.css("title::text").get()}}
        for image in response.css("img::attr(src)").getall():
            yield response.follow(image, self.keep)

    def keep(self, response):
        yield {{"image": response.url}}
"""


def without_places(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for item in items:
        kept = {key: value for key, value in item.items() if key not in ADDRESSES}
        for linked in (*kept["images"], *kept["attachments"]):
            linked["capture"] = linked["capture"] is not None
        found.append(kept)
    return found


def test_list_prints_the_slugs_of_all_sites(new_portal: Callable[..., Any], new_desk: Callable[..., Any]) -> None:
    desk = new_desk(new_portal())
    desk.profile(new_portal(), slug="khac-danvan")
    listed = desk.run("-m", "scrapy", "list", folder=ROOT)
    assert {"mau-danvan", "khac-danvan"} <= set(listed.stdout.split()), listed.stderr


def test_crawl_makes_the_same_items_as_danvan(new_portal: Callable[..., Any], new_desk: Callable[..., Any]) -> None:
    portal = new_portal()
    ours, theirs = new_desk(portal, only="dan-van-kheo"), new_desk(portal, only="dan-van-kheo")
    ours.crawl()
    theirs.run("-m", "scrapy", "crawl", "mau-danvan", folder=ROOT)
    assert without_places(theirs.export()) == without_places(ours.export())
    assert len(theirs.warc_files()) == 1


def test_crawl_takes_the_options_as_arguments(new_portal: Callable[..., Any], new_desk: Callable[..., Any]) -> None:
    portal = new_portal()
    desk = new_desk(portal, only="dan-van-kheo")
    desk.scrapy("crawl", "mau-danvan", "-a", "since=2023-01-01", "-a", "max_pages=4")
    stories = [target for target in portal.targets if target.endswith(".html")]
    assert len(stories) == 1


@pytest.mark.parametrize("argument", ["since=hôm qua", "until=2023-02-30", "max_pages=0", "max_pages=nhiều"])
def test_a_wrong_argument_is_wrong_usage(new_desk: Callable[..., Any], argument: str) -> None:
    desk = new_desk("http://127.0.0.1:9/")
    assert argument.partition("=")[0] in desk.scrapy("crawl", "mau-danvan", "-a", argument, code=2).stderr


def test_an_unknown_slug_is_wrong_usage(new_desk: Callable[..., Any]) -> None:
    assert "nosuch-danvan" in new_desk().scrapy("crawl", "nosuch-danvan", code=2).stderr


@pytest.mark.parametrize("command", [("list",), ("crawl", "mau-danvan")], ids=["list", "crawl"])
def test_a_wrong_profile_is_wrong_usage(new_desk: Callable[..., Any], command: tuple[str, ...]) -> None:
    desk = new_desk("http://127.0.0.1:9/", famly='"x"')
    said = desk.scrapy(*command, code=2).stderr
    assert f"{desk.sites / 'mau-danvan.toml'}: famly: unknown key" in said
    assert "Traceback" not in said


def test_a_failed_site_has_the_same_code(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any], answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    portal.pages[MODEL] = answer(status="500 Internal Server Error")
    desk = new_desk(portal, only="dan-van-kheo")
    assert "1 of the sections cannot be read" in desk.scrapy("crawl", "mau-danvan", code=3).stderr


def test_listings_without_articles_have_the_same_code(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any], answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    portal.pages[MODEL] = answer("<p>Trang web đang được nâng cấp.</p>")
    new_desk(portal, only="dan-van-kheo").scrapy("crawl", "mau-danvan", code=4)


def test_a_locked_site_has_the_same_code(new_portal: Callable[..., Any], new_desk: Callable[..., Any]) -> None:
    portal = new_portal()
    desk = new_desk(portal, only="dan-van-kheo")
    gate = portal.hold(MODEL)
    first = desk.start("crawl", "mau-danvan")
    portal.wait_for(MODEL)
    assert "another run holds its lock" in desk.scrapy("crawl", "mau-danvan", code=5).stderr
    gate.set()
    desk.finish(first, code=0)


def run_foreign(desk: Any, url: str, attribute: str, code: int = 0) -> Any:
    script = desk.folder / "ban_tin.py"
    script.write_text(FOREIGN.format(url=url, attribute=attribute), encoding="utf-8")
    return desk.scrapy("runspider", str(script), "-s", f"DANVAN_ARCHIVE={desk.folder / 'kho'}", code=code)


def test_a_foreign_spider_is_archived_under_its_own_name(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any], read: Callable[..., list[Any]]
) -> None:
    portal, desk = new_portal(), new_desk()
    run_foreign(desk, f"{portal.url.rstrip('/')}{MODEL}", "private_network = True")
    [path] = (desk.folder / "kho" / "warc" / "ban_tin").rglob("*.warc.gz")
    records = read(path)
    assert [record.type for record in records[:2]] == ["warcinfo", "request"]  # there is no profile to archive
    responses = [record.block for record in records if record.type == "response"]
    assert sorted(responses) == sorted(exchange.response for exchange in portal.exchanges)
    assert len(responses) > 5


def test_a_foreign_spider_needs_private_network_for_private_addresses(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any]
) -> None:
    portal, desk = new_portal(), new_desk()
    result = run_foreign(desk, portal.url, "", code=3)
    assert "no request got a response" in result.stderr
    assert portal.arrived == []
    assert list((desk.folder / "kho").rglob("*.warc.gz*")) == []


def test_captures_of_a_foreign_spider_survive_a_rebuild(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any]
) -> None:
    portal, desk = new_portal(), new_desk()
    run_foreign(desk, f"{portal.url.rstrip('/')}{MODEL}", "private_network = True")
    (desk.folder / "kho").rename(desk.archive)
    statement = "select site, url, status, warc_file, warc_offset from captures order by url"
    before = desk.rows(statement)
    desk.danvan("rebuild")
    assert desk.rows(statement) == before
    assert {row[0] for row in before} == {"ban_tin"}
