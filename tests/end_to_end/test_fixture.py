"""`danvan fixture` on the archive of real crawls reads a page as the crawl read it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler import _layout
from danvan_crawler.crawl.runner import project_settings
from danvan_crawler.derive.page_fixture import ARTICLE, FixtureReader
from danvan_crawler.derive.page_source import page_of_record
from danvan_crawler.sample import SamplePortal
from danvan_crawler.sites.profile import Site

REVISITS = "select warc_record_id, url from captures where refers_to is not null and url like '%/tin-tuc/%' and status"


@pytest.fixture(scope="module")
def desk(new_desk: Callable[..., Any]) -> Iterator[Any]:
    """An archive with responses, answers 304 and repeated bodies."""
    with SamplePortal() as portal:
        made = new_desk(portal.url)
        made.crawl()
        made.crawl("--full")
        made.crawl()
        yield made


def read(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text("utf-8"))


def test_every_article_of_a_crawl_is_read_as_it_was_exported(desk: Any) -> None:
    _layout.activate()
    site = Site.parse((desk.sites / "mau-danvan.toml").read_text("utf-8"))
    reader = FixtureReader(site, project_settings({}))
    exported = desk.export()
    assert len(exported) > 40
    for item in exported:
        page = page_of_record(desk.archive, item["warc_record_id"], lambda _id: None)
        assert reader.role_of(page) == ARTICLE
        for linked in (*item["images"], *item["attachments"]):
            del linked["media_type"], linked["capture"]
        found = reader.read(page, ARTICLE)["article"]
        assert len(found) > 15
        assert found == {name: item[name] for name in found}


@pytest.mark.parametrize("status", [200, 304])
def test_a_revisit_is_recorded_as_the_full_response_that_it_refers_to(desk: Any, status: int) -> None:
    record_id, url = desk.rows(f"{REVISITS} = {status} limit 1")[0]
    [[first]] = desk.rows(f"select warc_record_id from captures where url = '{url}' order by warc_date limit 1")
    folder = desk.folder / f"revisit-{status}"
    desk.danvan("fixture", record_id, "-o", str(folder))
    meta = read(folder, "meta.json")
    assert meta["source"] == {"warc_record_id": record_id, "refers_to": first}
    assert meta["status"] == 200
    assert (folder / "response.http").read_bytes().startswith(b"HTTP/1.1 200 OK\r\n")
    result = desk.danvan("fixture", first, "-o", str(folder))
    assert "reads as expected" in result.stderr


def test_the_newest_of_several_captures_is_recorded(desk: Any) -> None:
    [[url, newest]] = desk.rows("select url, max(warc_date) from captures where url like '%tin-tuc/dan-van-kheo/'")
    folder = desk.folder / "newest"
    result = desk.danvan("fixture", url, "-o", str(folder))
    assert "recorded, listing, 10 entries" in result.stderr
    assert read(folder, "meta.json")["captured_at"] == newest
