"""The exit code of a crawl shows what went wrong, and its last message explains it."""

from __future__ import annotations

import gzip
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.sample import articles

MODEL = "/tin-tuc/dan-van-kheo/"
LIMITED = """
import os, resource, sys
limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
os.execv(sys.executable, [sys.executable, "-m", "danvan_crawler", *sys.argv[2:]])
"""
"""Runs `danvan` where no file may get larger than so many bytes: writing on is an error, as on a full disk."""
SMALL_DATABASE = """
import sys
from sqlalchemy import Engine, event
from danvan_crawler.cli import main

@event.listens_for(Engine, "connect")
def limit(connection, _record):
    connection.execute("PRAGMA max_page_count = " + sys.argv[1])

main(sys.argv[2:])
"""
"""Runs `danvan` with a database that may have so many pages: SQLite then says that the disk is full."""


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A reserved loopback port on which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def elsewhere(new_portal: Callable[..., Any], new_desk: Callable[..., Any], answer: Callable[..., bytes]) -> Any:
    """A portal whose listing redirects to a host that the profile does not list, and its desk."""
    portal, other = new_portal(), new_portal()
    portal.pages[MODEL] = answer(status="302 Found", headers={"Location": f"{other.url}tin-tuc/dan-van-kheo/"})
    return portal, other, new_desk(portal, only="dan-van-kheo")


def test_an_unknown_slug_is_wrong_usage(new_desk: Callable[..., Any]) -> None:
    desk = new_desk("http://127.0.0.1:9/")
    assert "did you mean mau-danvan?" in desk.crawl(slug="mau-danvann", code=2).stderr


@pytest.mark.parametrize(
    ("change", "key", "reason"),
    [
        ({"delay": '"chậm"'}, "delay", "valid number"),
        ({"home": '"/trang-chu"'}, "home", "absolute"),
        ({"famly": '"danvan_portal"'}, "famly", "unknown key"),
    ],
    ids=["a wrong value", "a relative address", "an unknown key"],
)
def test_a_wrong_profile_is_wrong_usage_and_the_error_has_file_key_and_reason(
    new_desk: Callable[..., Any], change: dict[str, str], key: str, reason: str
) -> None:
    desk = new_desk("http://127.0.0.1:9/", **change)
    said = desk.crawl(code=2).stderr
    assert f"{desk.sites / 'mau-danvan.toml'}: {key}: " in said
    assert reason in said


def test_a_site_that_is_not_enabled_is_not_contacted(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any]
) -> None:
    portal = new_portal()
    desk = new_desk(portal, enabled="false")
    assert "enabled = false" in desk.crawl(code=2).stderr
    assert portal.arrived == []


def test_a_dead_host_is_a_failed_site(new_desk: Callable[..., Any], silent_port: int) -> None:
    desk = new_desk(f"http://127.0.0.1:{silent_port}/", only="dan-van-kheo")
    assert "1 of the sections cannot be read" in desk.crawl(code=3).stderr
    assert desk.warc_files() == []


def test_a_host_without_an_address_is_a_failed_site(new_desk: Callable[..., Any]) -> None:
    desk = new_desk("http://danvan.invalid/", only="dan-van-kheo")
    assert "danvan.invalid" in desk.crawl(code=3).stderr


def test_a_portal_with_only_errors_is_a_failed_site(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any], answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    portal.pages[MODEL] = answer(status="500 Internal Server Error")
    desk = new_desk(portal, only="dan-van-kheo")
    assert "HTTP 500" in desk.crawl(code=3).stderr
    assert [record.target for record in desk.records() if record.type == "response"].count(MODEL) == 3


def test_one_failing_section_makes_a_failed_site_and_other_sections_are_crawled(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any], answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    portal.pages[MODEL] = answer(status="404 Not Found")
    desk = new_desk(portal)
    assert "1 of the sections cannot be read" in desk.crawl(code=3).stderr
    assert len(desk.export()) > 20


def test_articles_that_all_fail_are_a_failed_site(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any], answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    for article in articles(1):
        for path in (article.path, *article.other_paths):
            portal.pages[path] = answer(status="403 Forbidden")
    desk = new_desk(portal, only="dan-van-kheo")
    assert "articles requested failed" in desk.crawl(code=3).stderr


def test_a_listing_that_redirects_to_another_private_address_is_refused(elsewhere: Any) -> None:
    _, other, desk = elsewhere
    said = desk.crawl(code=3).stderr
    assert "refused to contact" in said
    assert other.arrived == []


def test_a_public_profile_may_not_contact_a_private_address(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any]
) -> None:
    portal = new_portal()
    desk = new_desk(portal, only="dan-van-kheo", private_network="false", delay="1.0")
    assert "private" in desk.crawl(code=3).stderr
    assert portal.arrived == []


def test_listings_without_any_article_are_unhealthy(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any], answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    portal.pages[MODEL] = answer("<html><body><p>Trang web đang được nâng cấp.</p></body></html>")
    desk = new_desk(portal, only="dan-van-kheo")
    assert "no article link in any section" in desk.crawl(code=4).stderr


def test_after_an_outage_with_empty_listings_the_whole_section_is_read(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any], answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    portal.pages[MODEL] = answer("<html><body><p>Trang web đang được nâng cấp.</p></body></html>")
    desk = new_desk(portal, only="dan-van-kheo")
    desk.crawl(code=4)
    portal.pages.clear()
    desk.crawl("--max-pages", "11")
    desk.crawl()
    assert len(desk.export()) == len([one for one in articles(1) if one.section.path == MODEL])


def test_a_second_crawl_of_a_site_is_refused_while_the_first_runs(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any]
) -> None:
    portal = new_portal()
    desk = new_desk(portal, only="dan-van-kheo")
    gate = portal.hold(MODEL)
    first = desk.start("crawl", "mau-danvan")
    portal.wait_for(MODEL)
    assert f"another run holds its lock (process {first.pid})" in desk.crawl(code=5).stderr
    assert portal.arrived.count(MODEL) == 1
    gate.set()
    desk.finish(first, code=0)


def test_another_site_of_the_archive_may_be_crawled_meanwhile(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any]
) -> None:
    portal = new_portal()
    desk = new_desk(portal, only="dan-van-kheo")
    desk.profile(new_portal(), slug="khac-danvan", only="dan-van-co-so")
    gate = portal.hold(MODEL)
    first = desk.start("crawl", "mau-danvan")
    portal.wait_for(MODEL)
    desk.crawl(slug="khac-danvan")
    gate.set()
    desk.finish(first, code=0)
    assert {item["site"] for item in desk.export()} == {"mau-danvan", "khac-danvan"}


def test_the_exit_code_of_several_sites_is_that_of_the_worst(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any], silent_port: int
) -> None:
    desk = new_desk(new_portal(), only="dan-van-kheo")
    desk.profile(f"http://127.0.0.1:{silent_port}/", slug="chet-danvan", only="dan-van-kheo")
    result = desk.danvan("crawl", "mau-danvan", "chet-danvan", code=3)
    assert "mau-danvan: exit code 0" in result.stderr
    assert "chet-danvan: exit code 3" in result.stderr


def heavy(new_portal: Callable[..., Any], answer: Callable[..., bytes]) -> Any:
    """A portal whose pictures are large and do not compress."""
    portal = new_portal()
    for article in articles(1):
        for image in article.images:
            portal.pages[image.path] = answer(os.urandom(400_000), media_type="image/png")
    return portal


def test_a_full_disk_stops_the_crawl_and_whole_records_stay(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any], answer: Callable[..., bytes]
) -> None:
    portal = heavy(new_portal, answer)
    desk = new_desk(portal, only="dan-van-kheo")
    result = desk.run("-c", LIMITED, "2000000", "crawl", "mau-danvan")
    assert result.returncode == 6, result.stderr
    assert "no space left for the archive" in result.stderr
    assert desk.warc_files("*.open") == []
    kept = [record.block for record in desk.records() if record.type == "response"]
    sent = [exchange.response for exchange in portal.exchanges]
    assert kept == sent[: len(kept)]
    assert len(kept) > 3
    stored = {item["warc_record_id"] for item in desk.export()}
    assert stored <= {record.id for record in desk.records()}


def test_after_a_full_disk_the_next_run_gets_the_rest(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any], answer: Callable[..., bytes]
) -> None:
    portal = heavy(new_portal, answer)
    desk = new_desk(portal, only="dan-van-kheo")
    assert desk.run("-c", LIMITED, "2000000", "crawl", "mau-danvan").returncode == 6
    desk.crawl()
    items = desk.export()
    assert len(items) == len([one for one in articles(1) if one.section.path == MODEL])
    assert [image["url"] for item in items for image in item["images"] if image["capture"] is None] == []


def test_a_full_disk_met_by_the_database_stops_the_crawl_too(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any]
) -> None:
    portal = new_portal()
    desk = new_desk(portal, only="dan-van-kheo")
    result = desk.run("-c", SMALL_DATABASE, "45", "crawl", "mau-danvan")
    assert result.returncode == 6, result.stderr
    assert "danvan.sqlite" in result.stderr
    stories = [target for target in portal.targets if target.endswith(".html")]
    assert 0 < len(stories) < len([one for one in articles(1) if one.section.path == MODEL])
    desk.crawl()
    assert len(desk.export()) == len([one for one in articles(1) if one.section.path == MODEL])


def test_an_archive_that_cannot_be_written_is_an_error_with_its_path(new_desk: Callable[..., Any]) -> None:
    desk = new_desk("http://127.0.0.1:9/")
    Path(desk.folder, "tap-tin").write_text("not a folder", encoding="utf-8")
    place = desk.folder / "tap-tin" / "archive"
    said = desk.crawl("--archive", str(place), code=1).stderr
    assert f"{place}" in said
    assert "Not a directory" in said
    assert "Traceback" not in said


def test_a_page_that_cannot_be_parsed_affects_no_other_page(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any], answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    article = next(one for one in articles(1) if one.section.path == MODEL)
    body = gzip.compress(b"<html>" + b" " * 70_000_000, mtime=0)  # decodes to more than the limit of a page
    portal.pages[article.path] = answer(body, headers={"Content-Encoding": "gzip"})
    desk = new_desk(portal, only="dan-van-kheo")
    desk.crawl()
    assert len(desk.export()) == len([one for one in articles(1) if one.section.path == MODEL]) - 1
