"""Conditional requests: their headers, the archived records, and the responses that the spider gets."""

from __future__ import annotations

import base64
import gzip
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler import settings as project
from danvan_crawler.captures import RecordPlace
from danvan_crawler.warc.reader import WarcRecord, iter_records, read_record, warc_files

PROJECT_SETTINGS: dict[str, Any] = {
    "EXTENSIONS": {"danvan_crawler.crawl.run.RunExtension": 0},
    "DOWNLOADER_MIDDLEWARES": project.DOWNLOADER_MIDDLEWARES,
    **{name: value for name, value in vars(project).items() if name.startswith("DANVAN_")},
}
del PROJECT_SETTINGS["DANVAN_ARCHIVE"]
ETAG = b'ETag: "mot"'
DATE = b"Last-Modified: Tue, 23 May 2017 00:00:00 GMT"
NOTHING_NEW = b'HTTP/1.1 304 Not Modified\r\nETag: "mot"\r\nSet-Cookie: phien=2\r\n\r\n'
PAGE = "<html><body>Ban Dân vận</body></html>".encode() * 50


def page(body: bytes = PAGE, *fields: bytes, status: bytes = b"200 OK", media_type: bytes = b"text/html") -> bytes:
    head = [b"HTTP/1.1 " + status, b"Content-Type: " + media_type, *fields, b"Content-Length: %d" % len(body)]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


GZIPPED = page(gzip.compress(PAGE, mtime=0), ETAG, DATE, b"Content-Encoding: gzip", b"Set-Cookie: phien=1")


CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
MOVED = b"HTTP/1.1 302 Found\r\nLocation: /new\r\nContent-Length: 0\r\n\r\n"
CUT = page(PAGE + b"cut").replace(b"Content-Length: %d" % (len(PAGE) + 3), b"Content-Length: 99999")
LONG = b'ETag: "' + b"x" * 600 + b'"'


def own(name: str, *fields: bytes) -> bytes:
    """A page that is used in no other case."""
    return page(name.encode() + PAGE, *fields)


DIFFERENT: dict[str, bytes] = {
    "charset": page(PAGE, media_type=b"text/html; charset=windows-1258"),
    "status": page(PAGE, status=b"404 Not Found"),
    "more": page(PAGE + b" "),
    "byte": page(PAGE)[:-1] + b"?",
}
ANSWERS: dict[str, list[bytes]] = {
    "page": [GZIPPED, NOTHING_NEW],
    "changed": [own("cu", b'ETag: "1"'), own("moi", b'ETag: "2"'), NOTHING_NEW],
    "posted": [own("posted", ETAG), own("answer")],
    "mine": [own("mine", ETAG), NOTHING_NEW],
    "unasked": [NOTHING_NEW],
    "link": [own("link", ETAG), MOVED],
    "new": [own("new")],
    "retried": [own("retried", ETAG), page(status=b"503 Busy"), NOTHING_NEW],
    "odd": [own("odd", LONG)],
    "plain": [page(PAGE, b"X-Day: 1"), page(PAGE, b"X-Day: 2")],
    "copy": [page()],
    "chunked": [CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(PAGE), PAGE)],
    "empty": [page(b"")],
    "empty-too": [page(b"")],
    "cut": [CUT],
    "whole": [page(PAGE + b"cut")],
    **{name: [answer] for name, answer in DIFFERENT.items()},
}
"""Responses of each path, one per run; the last is repeated."""
SECOND: dict[str, dict[str, Any]] = {"posted": {"method": "POST"}, "mine": {"headers": {"If-None-Match": '"own"'}}}
"""Request arguments of the second run, where they differ from the first."""


class Site:
    """A server with the answers, and runs of a crawl into one archive."""

    def __init__(self, server: Any, crawl: Callable[..., Any], archive: Path) -> None:
        self.server, self.crawl, self.archive = server, crawl, archive
        self.runs: list[Any] = []

    def run(self, *names: str, asking: dict[str, dict[str, Any]] | None = None, **options: Any) -> Any:
        requests = [
            {"case": name, "url": self.server.url(f"/{name}"), **(asking or {}).get(name, {})} for name in names
        ]
        settings = {**PROJECT_SETTINGS, "RETRY_ENABLED": True, "RETRY_TIMES": 1}
        self.runs.append(self.crawl(requests, archive=self.archive, settings=settings, **options))
        return self.runs[-1]

    def asked(self, name: str) -> list[dict[str, str]]:
        """The conditions of each request for a path."""
        found = []
        for request in self.server.requests[f"/{name}"]:
            fields = (line.partition(": ") for line in request.decode().split("\r\n"))
            found.append({field: value for field, _, value in fields if field.startswith("If-")})
        return found

    def kinds(self, name: str) -> list[str]:
        """Types of the response and revisit records of a path, in order."""
        found: dict[str | None, list[str]] = defaultdict(list)
        for path in warc_files(self.archive):
            for record in iter_records(path, types=("response", "revisit")):
                found[record.url].append(record.type)
        return found[self.server.url(f"/{name}")]

    def capture(self, run: int, name: str) -> dict[str, Any]:
        capture: dict[str, Any] = self.runs[run].results[name]["capture"]
        return capture

    def record(self, run: int, name: str) -> WarcRecord:
        capture = self.capture(run, name)
        return read_record(self.archive, RecordPlace(capture["warc_file"], capture["warc_offset"]))

    def body(self, run: int, name: str) -> bytes:
        return base64.b64decode(self.runs[run].results[name]["body"])


@pytest.fixture(scope="module")
def new_site(
    raw_server: Callable[..., Any], crawl: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], Site]:
    def make() -> Site:
        answers = {
            f"/{name}": [([one], "close" if one is CUT else "keep") for one in ANSWERS[name]] for name in ANSWERS
        }
        return Site(raw_server(answers), crawl, tmp_path_factory.mktemp("conditional") / "archive")

    return make


@pytest.fixture(scope="module")
def site(new_site: Callable[[], Site]) -> Site:
    """Three runs."""
    site = new_site()
    site.run(*(name for name in ANSWERS if name != "new"))
    site.run(*(name for name in ANSWERS if name != "new"), asking=SECOND)
    site.run("page", "changed")
    return site


def test_the_validators_of_the_last_capture_are_sent(site: Site) -> None:
    conditions = {"If-None-Match": '"mot"', "If-Modified-Since": "Tue, 23 May 2017 00:00:00 GMT"}
    assert site.asked("page") == [{}, conditions, conditions]


def test_a_304_gives_the_spider_the_archived_page(site: Site) -> None:
    live, again = site.runs[0].results["page"], site.runs[1].results["page"]
    assert site.body(1, "page") == site.body(0, "page") == PAGE
    assert (again["status"], again["kind"], again["encoding"]) == (200, live["kind"], live["encoding"])


def test_a_304_is_archived_as_a_revisit(site: Site) -> None:
    first, second = site.capture(0, "page"), site.capture(1, "page")
    assert (second["status"], second["refers_to"]) == (304, first["warc_record_id"])
    assert second["date"] > first["date"]
    assert site.record(1, "page").block == NOTHING_NEW
    assert site.kinds("page") == ["response", "revisit", "revisit"]
    assert site.runs[2].stats["danvan/not_modified"] == 2


def test_a_later_304_refers_to_the_response_and_not_to_the_revisit(site: Site) -> None:
    assert site.capture(2, "page")["refers_to"] == site.capture(0, "page")["warc_record_id"]
    assert site.body(2, "page") == PAGE


def test_cookies_are_those_of_the_current_run(site: Site) -> None:
    headers = site.runs[1].results["page"]["headers"]
    assert [value for name, value in headers if name == "Set-Cookie"] == ["phien=2"]


def test_a_changed_page_is_archived_in_full_and_the_next_run_sends_its_validators(site: Site) -> None:
    assert site.body(1, "changed") == site.body(2, "changed") == b"moi" + PAGE
    assert site.asked("changed") == [{}, {"If-None-Match": '"1"'}, {"If-None-Match": '"2"'}]
    assert site.kinds("changed") == ["response", "response", "revisit"]


def test_only_get_is_conditional(site: Site) -> None:
    assert site.asked("posted") == [{}, {}]


def test_conditions_of_the_spider_and_their_304_are_not_changed(site: Site) -> None:
    assert site.asked("mine")[1] == {"If-None-Match": '"own"'}
    assert site.runs[1].results["mine"]["status"] == 304
    assert site.kinds("mine") == ["response", "response"]


def test_a_304_to_an_unconditional_request_is_passed_to_the_spider(site: Site) -> None:
    assert site.runs[0].results["unasked"]["status"] == 304
    assert site.kinds("unasked") == ["response", "response"]


def test_the_conditions_of_a_link_are_not_sent_to_a_redirect_target(site: Site) -> None:
    assert site.asked("link")[1] == {"If-None-Match": '"mot"'}
    assert site.body(1, "link") == b"new" + PAGE
    assert site.asked("new") == [{}]


def test_a_retry_sends_the_conditions_again(site: Site) -> None:
    assert site.asked("retried") == [{}, *[{"If-None-Match": '"mot"'}] * 2]
    assert site.body(1, "retried") == b"retried" + PAGE


def test_invalid_validators_are_not_sent(site: Site) -> None:
    assert site.asked("odd") == [{}, {}]


def test_an_archived_body_is_not_archived_again(site: Site) -> None:
    capture = site.capture(1, "plain")
    assert site.body(1, "plain") == PAGE
    assert (capture["status"], capture["truncated"]) == (200, None)
    assert site.record(1, "plain").block == page(PAGE, b"X-Day: 2").removesuffix(PAGE)
    assert site.kinds("plain") == ["response", "revisit"]
    assert site.runs[1].stats["danvan/duplicates"] > 0


@pytest.mark.parametrize("name", ["copy", "chunked"])
def test_a_repeated_body_in_one_run_with_another_address_or_framing_is_a_revisit(site: Site, name: str) -> None:
    assert site.capture(0, name)["refers_to"] == site.capture(0, "plain")["warc_record_id"]
    assert site.body(0, name) == PAGE


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_different_body_is_archived_in_full_the_first_time(site: Site, name: str) -> None:
    assert site.kinds(name) == ["response", "revisit"]
    assert site.capture(1, name)["refers_to"] == site.capture(0, name)["warc_record_id"]


def test_an_empty_body_is_never_a_revisit(site: Site) -> None:
    assert {*site.kinds("empty"), *site.kinds("empty-too")} == {"response"}


def test_a_truncated_response_is_neither_revisit_nor_original(site: Site) -> None:
    assert set(site.kinds("cut")) == {"response"}
    assert site.kinds("whole") == ["response", "revisit"]


def test_a_full_crawl_sends_no_conditions(new_site: Callable[[], Site]) -> None:
    site = new_site()
    site.run("page")
    site.run("page", spider={"full": True})
    assert site.asked("page") == [{}, {}]


@pytest.mark.parametrize("harm", ["removed", "damaged"])
def test_a_removed_or_damaged_record_is_not_used_as_original(new_site: Callable[[], Site], harm: str) -> None:
    site = new_site()
    [path] = site.run("plain", "retried").warc_files
    if harm == "removed":
        path.unlink()
    else:
        place = site.capture(0, "retried")["warc_offset"]
        data = bytearray(path.read_bytes())
        data[place + 200] ^= 0xFF
        path.write_bytes(bytes(data))
    site.run("retried", asking={"retried": {"meta": {"dont_retry": True}}})
    assert site.asked("retried") == [{}, {}]
    assert site.capture(1, "retried")["refers_to"] is None
