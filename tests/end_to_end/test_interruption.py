"""Runs that are ended by a signal or with kill -9, and how the next run continues."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from typing import Any

import pytest

from danvan_crawler.sample import SampleArticle, articles

MODEL = "/tin-tuc/dan-van-kheo/"
SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])

Start = tuple[Any, Any]


def listed() -> list[SampleArticle]:
    found = [one for one in articles(1) if one.section.path == MODEL]
    return sorted(found, key=lambda article: article.order, reverse=True)


def first_picture() -> str:
    return next(image.path for article in listed() for image in article.images)


@pytest.fixture
def model(new_portal: Callable[..., Any], new_desk: Callable[..., Any]) -> Start:
    portal = new_portal()
    return portal, new_desk(portal, only="dan-van-kheo")


def check_complete(desk: Any) -> None:
    """Check that everything of the section is in the database once, with its pictures."""
    items = desk.export()
    assert sorted(item["title"] for item in items) == sorted(article.title for article in listed())
    assert [image["url"] for item in items for image in item["images"] if image["capture"] is None] == []


@SIGNALS
def test_a_signal_stops_a_crawl_cleanly_with_everything_on_disk(model: Start, number: int) -> None:
    portal, desk = model
    held = listed()[3].path
    gate = portal.hold(held)
    desk.environment["DANVAN_LOG_LEVEL"] = "INFO"
    crawl = desk.start("crawl", "mau-danvan")
    portal.wait_for(held)
    crawl.send_signal(number)
    desk.read_until(crawl, "Closing spider (shutdown)")
    gate.set()
    assert "stopped by a signal; the next run continues" in desk.finish(crawl, code=7)
    assert desk.warc_files("*.open") == []
    kept = [record.block for record in desk.records() if record.type == "response"]
    assert kept == [exchange.response for exchange in portal.exchanges]
    desk.crawl()
    check_complete(desk)
    desk.check_rebuild()


@SIGNALS
def test_a_second_signal_stops_at_once(model: Start, number: int) -> None:
    portal, desk = model
    held = listed()[3].path
    portal.hold(held)
    desk.environment["DANVAN_LOG_LEVEL"] = "INFO"
    crawl = desk.start("crawl", "mau-danvan")
    portal.wait_for(held)
    crawl.send_signal(number)
    desk.read_until(crawl, "Closing spider (shutdown)")
    crawl.send_signal(number)
    assert "the next run continues" in desk.finish(crawl, code=7)


def test_after_a_stop_at_once_the_next_run_continues(model: Start) -> None:
    portal, desk = model
    held = listed()[3].path
    gate = portal.hold(held)
    desk.environment["DANVAN_LOG_LEVEL"] = "INFO"
    crawl = desk.start("crawl", "mau-danvan")
    portal.wait_for(held)
    crawl.terminate()
    desk.read_until(crawl, "Closing spider (shutdown)")
    crawl.terminate()
    desk.finish(crawl, code=7)
    gate.set()
    desk.crawl()
    check_complete(desk)
    desk.check_rebuild()


def test_a_signal_to_a_crawl_of_several_sites_stops_them_all(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any]
) -> None:
    desk = new_desk()
    desk.environment["DANVAN_LOG_LEVEL"] = "INFO"
    portals = {}
    for slug in ("mot-danvan", "hai-danvan", "ba-danvan"):
        portals[slug] = new_portal()
        desk.profile(portals[slug], slug=slug, only="dan-van-kheo")
    gates = {slug: portals[slug].hold(MODEL) for slug in ("mot-danvan", "hai-danvan")}
    crawl = desk.start("crawl", "mot-danvan", "hai-danvan", "ba-danvan", "--jobs", "2")
    for slug in gates:
        portals[slug].wait_for(MODEL)
    crawl.terminate()
    desk.read_until(crawl, "Closing spider (shutdown)")
    desk.read_until(crawl, "Closing spider (shutdown)")
    for gate in gates.values():
        gate.set()
    said = desk.finish(crawl, code=7)
    assert [slug for slug in portals if f"{slug}: exit code 7" not in said] == []
    assert portals["ba-danvan"].arrived == []  # it had not started


def kill_at(model: Start, held: str) -> None:
    """Kills a crawl with -9 while it waits for the response to one of its requests."""
    portal, desk = model
    gate = portal.hold(held)
    crawl = desk.start("crawl", "mau-danvan")
    portal.wait_for(held)
    crawl.kill()
    crawl.communicate()
    gate.set()


@pytest.mark.parametrize(
    "held",
    ["/robots.txt", MODEL, listed()[0].path, listed()[9].path, first_picture(), f"{MODEL}trang-2/", listed()[-1].path],
    ids=["robots.txt", "listing", "first article", "tenth article", "picture", "second listing", "last article"],
)
def test_after_kill_9_the_next_run_finds_everything(model: Start, held: str) -> None:
    portal, desk = model
    kill_at(model, held)
    desk.crawl()
    assert desk.warc_files("*.open") == []
    check_complete(desk)
    desk.check_rebuild()
    twice = {target for target in portal.arrived if portal.arrived.count(target) > 1}
    assert twice <= {"/robots.txt", MODEL, f"{MODEL}trang-2/", held}


def test_articles_stored_by_a_killed_run_are_in_the_database_before_the_next_run(model: Start) -> None:
    _, desk = model
    kill_at(model, listed()[9].path)
    assert len(desk.export()) in (8, 9)  # the ninth may not have been stored yet when the tenth was requested


def test_a_killed_run_does_not_keep_the_lock(model: Start) -> None:
    _, desk = model
    kill_at(model, MODEL)
    desk.crawl()


def test_news_on_pages_after_those_that_a_killed_run_read_are_found(model: Start, answer: Callable[..., bytes]) -> None:
    portal, desk = model
    portal.pages[MODEL] = answer("<div><a href='/tin-tuc/dan-van-kheo/mot-bai-cu-999.html'>Một bài cũ từ lâu</a></div>")
    desk.crawl()
    portal.pages.clear()
    kill_at(model, f"{MODEL}trang-2/")
    desk.crawl()
    check_complete(desk)


def test_an_edit_that_a_killed_run_had_found_is_fetched(model: Start) -> None:
    portal, desk = model
    desk.crawl()
    portal.edition = 2
    before = {article.number: article.title for article in articles(1)}
    edited = next(one.path for one in articles(2) if before.get(one.number, one.title) != one.title)
    portal.forget()
    kill_at(model, edited)
    desk.crawl()
    assert max(item["revision"] for item in desk.export()) == 2


def test_the_file_of_a_killed_run_is_truncated_after_its_last_complete_record(model: Start) -> None:
    _, desk = model
    desk.crawl()
    [path] = desk.warc_files()
    records = desk.records()
    whole = path.read_bytes()
    torn = whole[: records[-1].offset + 40]
    path.with_name(f"{path.name}.open").write_bytes(torn)
    path.unlink()
    said = desk.crawl().stderr
    assert f"kept {records[-1].offset} bytes, cut 40" in said
    assert path.read_bytes() == whole[: records[-1].offset]
    assert desk.warc_files("*.open") == []


def test_articles_only_in_the_file_of_a_killed_run_come_into_the_database(model: Start) -> None:
    portal, desk = model
    desk.crawl()
    items = desk.export()
    [path] = desk.warc_files()
    path.rename(f"{path}.open")
    for database in desk.archive.glob("danvan.sqlite*"):  # the run had written none of its rows
        database.unlink()
    portal.forget()
    desk.crawl()
    assert desk.export() == items
    assert portal.targets == ["/robots.txt", MODEL]


def test_a_file_left_without_index_by_a_killed_run_comes_into_the_database(model: Start) -> None:
    portal, desk = model
    desk.crawl()
    items = desk.export()
    for path in (*desk.archive.glob("index/*"), *desk.archive.glob("danvan.sqlite*")):
        path.unlink()
    portal.forget()
    desk.crawl()
    assert desk.export() == items
    assert portal.targets == ["/robots.txt", MODEL]
    assert len(list(desk.archive.glob("index/*.sha256"))) == len(desk.warc_files())


def test_the_report_of_a_run_lists_the_files_that_it_recovered(model: Start) -> None:
    _, desk = model
    kill_at(model, listed()[2].path)
    desk.crawl()
    [report] = [json.loads(path.read_text("utf-8")) for path in desk.archive.glob("runs/*.json")]
    assert report["recovered"] == [desk.warc_files()[0].relative_to(desk.archive).as_posix()]
