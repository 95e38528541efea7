"""The database opens in Datasette unchanged: search on the articles table, facets, and no page that fails."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode
from urllib.request import ProxyHandler, build_opener

import pytest

from danvan_crawler.archive.layout import database_path
from danvan_crawler.items import VisitCounters
from danvan_crawler.sample import articles
from danvan_crawler.store.writes import Store

pytestmark = pytest.mark.slow

Get = Callable[..., str]


@pytest.fixture(scope="module")
def get(tmp_path_factory: pytest.TempPathFactory, desk: Any) -> Iterator[Get]:
    """Requests a page of a Datasette that serves the sample portal's articles and one of another site."""
    folder = tmp_path_factory.mktemp("datasette")
    store = Store(database_path(folder))
    for story in articles():
        desk.list(store, story.section.name, "07:00", story.path)
        desk.publish(
            store,
            story.path,
            "08:00",
            story.title,
            lead=story.lead,
            body_text=story.body_text,
            published_at=story.published_at,
            tags=list(story.tags),
        )
    other = {"site": "khac-kiemtra", "province": "VN-07", "section": "Văn nghệ", "lead": ""}
    desk.publish(store, "/1.html", "08:00", "Bài thơ dẫn vần khéo", **other)
    store.write_counters(VisitCounters(desk.site, "2026-11-23T08:00:00.000000Z", 1, 0, 1, 0, 92232))
    store.frontier.complete_walk(desk.site, "http://danvan.example.vn/tin-tuc/", "2026-11-23T08:00:00.000000Z")
    store.close()
    command = [sys.executable, "-m", "datasette", str(store.path), "--port", "0"]
    # Datasette reads a configuration folder of the user; this empty home has none.
    environment = {**os.environ, "HOME": str(folder), "PYTHONUNBUFFERED": "1"}
    server = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert server.stdout is not None
        said: list[str] = []
        for line in server.stdout:
            said.append(line)
            if found := re.search(r"running on (http://127\.0\.0\.1:\d+)", line):
                break
        else:
            raise AssertionError("".join(said))
        opener = build_opener(ProxyHandler({}))

        def fetch(path: str, **query: str) -> str:
            address = f"{found[1]}{path}" + (f"?{urlencode(query)}" if query else "")
            with opener.open(address) as response:
                return str(response.read().decode())

        yield fetch
    finally:
        server.terminate()
        server.communicate()


def titles(get: Get, query: str) -> set[str]:
    found = json.loads(get("/danvan/articles.json", _search=query, _shape="array", _size="max", _nofacets="1"))
    return {row["title"] for row in found}


def test_every_table_has_a_page_that_opens(get: Get) -> None:
    tables = [table["name"] for table in json.loads(get("/danvan.json"))["tables"]]
    assert {"articles", "revisions", "captures", "listing_links", "frontier", "visit_counters", "walks"} < set(tables)
    assert "articles_fts" in tables
    for table in tables:
        assert table in get(f"/danvan/{table}")


def test_every_row_of_an_article_has_a_page(get: Get) -> None:
    assert "Bài thơ dẫn vần khéo" in get(f"/danvan/articles/{len(articles()) + 1}")


def test_only_our_own_tables_are_on_the_front_page(get: Get) -> None:
    shown = {table["name"] for table in json.loads(get("/danvan.json"))["tables"] if not table["hidden"]}
    assert {name for name in shown if "fts" in name} == set()


def test_the_articles_table_has_a_search_box(get: Get) -> None:
    assert re.search(r'<input[^>]*type="search"[^>]*name="_search"', get("/danvan/articles"))


def test_a_search_with_marks_matches_these_marks_only(get: Get) -> None:
    found = titles(get, "dân vận")
    assert len(found) > 3
    assert "Bài thơ dẫn vần khéo" not in found
    assert titles(get, "dẫn vần") == {"Bài thơ dẫn vần khéo"}


def test_a_search_without_marks_matches_any_marks(get: Get) -> None:
    assert titles(get, "dan van") >= titles(get, "dân vận") | {"Bài thơ dẫn vần khéo"}


def test_a_search_that_finds_nothing_is_a_page_too(get: Get) -> None:
    assert titles(get, "không-có-từ-này-xyzzy") == set()


@pytest.mark.parametrize("column", ["site", "section", "province"])
def test_hits_are_counted_by_facet(column: str, get: Get) -> None:
    page = json.loads(get("/danvan/articles.json", _search="dan van", _facet=column, _size="max"))
    counted = {facet["value"]: facet["count"] for facet in page["facet_results"][column]["results"]}
    place = page["columns"].index(column)
    values = [row[place] for row in page["rows"]]
    assert counted == {value: values.count(value) for value in set(values)}
    assert sum(counted.values()) == page["filtered_table_rows_count"] > 3


def test_lists_can_be_faceted_by_their_elements(get: Get) -> None:
    page = json.loads(get("/danvan/articles.json", _facet_array="tags", _size="0"))
    counted = {facet["value"]: facet["count"] for facet in page["facet_results"]["tags"]["results"]}
    printed = [tag for story in articles() for tag in story.tags]
    assert counted
    assert all(count == printed.count(tag) for tag, count in counted.items())
