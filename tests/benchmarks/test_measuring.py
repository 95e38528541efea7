"""The instruments: what a command took, what a profile says, how searches are timed, which pages a WARC holds."""

from __future__ import annotations

import json
import sys
from io import BytesIO
from pathlib import Path

import pytest
import searching
import words
from crawls import html_pages
from measure import ROOT, BenchmarkError, run
from rooms import room_of, shares

from danvan_crawler.archive.layout import database_path

pytestmark = pytest.mark.soak


def test_a_command_is_measured_and_its_output_returned(tmp_path: Path) -> None:
    code = "data = b'x' * 60_000_000; sum(range(2_000_000)); print('done')"
    cost, printed = run([sys.executable, "-c", code], folder=tmp_path)
    assert printed == "done\n"
    assert cost.peak_bytes > 60_000_000


def test_a_command_that_fails_is_told_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"exit code 3\nno such page"):
        run([sys.executable, "-c", "import sys; print('no such page', file=sys.stderr); sys.exit(3)"], folder=tmp_path)


def test_a_command_that_does_not_end_is_ended(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="still runs after"):
        run([sys.executable, "-c", "import time; time.sleep(600)"], folder=tmp_path, patience=0.5)


@pytest.mark.parametrize(
    ("file", "room"),
    [
        (str(ROOT / "danvan_crawler" / "store" / "writes.py"), "danvan_crawler.store"),
        (str(ROOT / "danvan_crawler" / "urls.py"), "danvan_crawler.urls"),
        (str(ROOT / "spiders" / "families" / "danvan_portal.py"), "spiders"),
        ("/usr/lib/python3/dist-packages/twisted/internet/defer.py", "twisted"),
        (json.__file__, "Python: json"),
        ("<frozen importlib._bootstrap>", "Python: importlib"),
    ],
)
def test_a_file_belongs_to_a_room(file: str, room: str) -> None:
    assert room_of(file) == room


def test_what_is_written_in_c_counts_for_its_caller_unless_it_has_a_room() -> None:
    spider = (str(ROOT / "spiders" / "outline.py"), 10, "outline")
    found = shares({
        spider: (1, 1, 2.0, 9.0, {}),
        ("~", 0, "<method 'search' of 're.Pattern' objects>"): (3, 3, 1.0, 1.0, {spider: (3, 3, 1.0, 1.0)}),
        ("~", 0, "<method 'execute' of 'sqlite3.Cursor' objects>"): (1, 1, 4.0, 4.0, {spider: (1, 1, 4.0, 4.0)}),
    })  # fmt: skip
    assert [(one.room, one.seconds, one.calls) for one in found] == [("SQLite", 4.0, 1), ("spiders", 3.0, 4)]


def test_made_items_are_found_and_their_searches_timed(tmp_path: Path) -> None:
    searching.fill(database_path(tmp_path), 40)
    found = searching.search_times(tmp_path, ["dân", '"dân vận"'], repeats=1)
    assert found.slowest >= found.percentile_95 >= found.median
    assert found.slowest_query in {"dân", '"dân vận"'}


def test_a_made_item_is_the_same_each_time() -> None:
    assert searching.article(7, 100) == searching.article(7, 100)
    assert searching.article(7, 100) != searching.article(8, 100)


def test_median_and_95th_percentile_are_of_the_queries() -> None:
    found = searching.summary({f"query {number}": number / 1000 for number in range(1, 41)})
    assert (found.median, found.percentile_95, found.slowest) == (0.0205, 0.038, 0.04)
    assert found.slowest_query == "query 40"


def test_there_are_forty_queries_and_none_twice() -> None:
    assert len(words.queries()) == len(set(words.queries())) == 40


def test_whole_html_pages_of_a_warc_are_counted_once() -> None:
    def record(url: str, head: str) -> bytes:
        block = f"HTTP/1.1 {head}\r\n\r\n<p>page".encode()
        fields = f"WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nContent-Length: {len(block)}\r\n"
        return f"{fields}Content-Type: application/http;msgtype=response\r\n\r\n".encode() + block + b"\r\n\r\n"

    html = '200 OK\r\nContent-Type: text/html; charset="utf-8"'
    file = BytesIO(
        record("http://a/1", html)
        + record("http://a/1", html)
        + record("http://a/2", html)
        + record("http://a/3", "404 Not Found\r\nContent-Type: text/html")
        + record("http://a/4.png", "200 OK\r\nContent-Type: image/png")
    )
    assert html_pages(file) == {"http://a/1", "http://a/2"}
