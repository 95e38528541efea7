"""The archive after a crawl: the bytes of the connection, in files that other tools can read."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SECTION = "/tin-tuc/dan-van-kheo/"
MOVED = "/tin-tuc/dan-van-kheo/bai-viet-da-chuyen-cho-9001.html"
GONE = "/tin-tuc/dan-van-kheo/bai-viet-khong-con-nua-9002.html"


@dataclass(frozen=True)
class Crawled:
    portal: Any
    desk: Any
    read: Callable[[Path], list[Any]]

    @property
    def responses(self) -> list[Any]:
        return [record for record in self.desk.records() if record.type == "response"]

    @property
    def answers(self) -> list[tuple[Any, bytes]]:
        """Response and revisit records, each with its reconstructed message."""
        bodies = {record.id: record.block.partition(b"\r\n\r\n")[2] for record in self.responses}
        return [
            (record, record.block + (bodies[refers.strip("<>")] if record.type == "revisit" else b""))
            for record in self.desk.records()
            if record.type in ("response", "revisit")
            for refers in [record.fields.get("WARC-Refers-To", "")]
        ]


@pytest.fixture(scope="module")
def crawled(
    new_portal: Callable[..., Any],
    new_desk: Callable[..., Any],
    answer: Callable[..., bytes],
    read: Callable[[Path], list[Any]],
) -> Crawled:
    """Two crawls with an edit between; one listing also links a moved article and a deleted one."""
    portal = new_portal()
    portal.also_link(SECTION, MOVED, GONE, "/quan-tri/bai-1")
    portal.pages[MOVED] = answer(status="301 Moved Permanently", headers={"Location": "/tin-tuc/dan-van-co-so/"})
    desk = new_desk(portal)
    desk.crawl()
    portal.edition = 2
    desk.crawl()
    return Crawled(portal, desk, read)


def test_every_block_has_the_bytes_of_the_connection(crawled: Crawled) -> None:
    sent = Counter((exchange.target, exchange.request, exchange.response) for exchange in crawled.portal.exchanges)
    requests = {
        record.fields["WARC-Concurrent-To"].strip("<>"): record.block
        for record in crawled.desk.records()
        if record.type == "request"
    }
    kept = Counter((record.target, requests[record.id], message) for record, message in crawled.answers)
    assert kept == sent


def test_gzip_accepts_the_files(crawled: Crawled) -> None:
    gzip = shutil.which("gzip")
    assert gzip is not None
    subprocess.run([gzip, "-t", *map(str, crawled.desk.warc_files())], check=True)


def test_fastwarc_accepts_the_files(crawled: Crawled) -> None:
    fastwarc = Path(sys.executable).with_name("fastwarc")
    for path in crawled.desk.warc_files():
        result = subprocess.run([str(fastwarc), "check", str(path)], capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout + result.stderr
        assert "fail" not in result.stdout.lower()


def test_each_run_has_its_own_file_and_leaves_no_open_file(crawled: Crawled) -> None:
    assert len(crawled.desk.warc_files()) == 2
    assert crawled.desk.warc_files("*.open") == []


def test_a_file_begins_with_warcinfo_and_profile(crawled: Crawled) -> None:
    profile = (crawled.desk.sites / "mau-danvan.toml").read_text(encoding="utf-8")
    for path in crawled.desk.warc_files():
        first, second, *_ = crawled.read(path)
        assert (first.type, first.fields["WARC-Filename"]) == ("warcinfo", path.name)
        assert (second.type, second.url) == ("metadata", "urn:danvan:profile:mau-danvan")
        assert tomllib.loads(second.block.decode()) == tomllib.loads(profile)


def test_warcinfo_describes_the_crawl(crawled: Crawled) -> None:
    text = crawled.read(crawled.desk.warc_files()[0])[0].block.decode()
    fields = dict(line.split(": ", 1) for line in text.splitlines())
    assert fields["software"].startswith("danvan-crawler/")
    assert (fields["robots"], fields["isPartOf"]) == ("obey", "mau-danvan")


def test_record_ids_are_unique(crawled: Crawled) -> None:
    ids = Counter(record.id for record in crawled.desk.records())
    assert [one for one, count in ids.items() if count > 1] == []


def test_every_response_has_its_request_with_the_same_date_and_address(crawled: Crawled) -> None:
    records = crawled.desk.records()
    requests = {
        record.fields["WARC-Concurrent-To"].strip("<>"): record for record in records if record.type == "request"
    }
    shared = ("WARC-Date", "WARC-Target-URI", "WARC-IP-Address", "WARC-Warcinfo-ID")
    assert set(requests) == {record.id for record, _ in crawled.answers}
    for response, _ in crawled.answers:
        request = requests[response.id]
        assert [request.fields[name] for name in shared] == [response.fields[name] for name in shared]


def test_payload_digests_are_those_of_the_entity_body(crawled: Crawled) -> None:
    digests = {record.id: hashlib.sha1(record.entity, usedforsecurity=False).digest() for record in crawled.responses}
    assert {record.id: record.fields["WARC-Payload-Digest"] for record in crawled.responses} == {
        name: "sha1:" + base64.b32encode(digest).decode() for name, digest in digests.items()
    }


def test_every_item_names_a_record_that_is_there(crawled: Crawled) -> None:
    by_place = {
        (path.relative_to(crawled.desk.archive).as_posix(), record.offset): record
        for path in crawled.desk.warc_files()
        for record in crawled.read(path)
    }
    for item in crawled.desk.export():
        linked = [one["capture"] for one in (*item["images"], *item["attachments"])]
        for place in (item, *linked):
            record = by_place[place["warc_file"], place["warc_offset"]]
            assert (record.type, record.id) == ("response", place["warc_record_id"])
            assert record.fields["WARC-Payload-Digest"] == place["payload_digest"]
        record = by_place[item["warc_file"], item["warc_offset"]]
        assert (record.url, record.fields["WARC-Date"]) == (item["url"], item["captured_at"])


@pytest.mark.parametrize(
    ("target", "status"),
    [("/robots.txt", b"200"), (MOVED, b"301"), (GONE, b"404")],
    ids=["robots.txt", "a redirect", "a page that is gone"],
)
def test_a_response_without_an_item_is_archived_too(crawled: Crawled, target: str, status: bytes) -> None:
    statuses = {record.block.split(b" ", 2)[1] for record in crawled.responses if record.target == target}
    assert statuses == {status}


def test_an_address_that_robots_txt_disallows_is_not_requested(crawled: Crawled) -> None:
    assert "/quan-tri/bai-1" not in crawled.portal.arrived


def test_a_redirect_of_an_article_to_a_listing_makes_no_item(crawled: Crawled) -> None:
    assert [item["url"] for item in crawled.desk.export() if "9001" in item["url"]] == []


def test_cookies_are_kept_for_one_run_only(crawled: Crawled) -> None:
    cookies = [b"\r\nCookie: phien=7\r\n" in exchange.request for exchange in crawled.portal.exchanges]
    robots = [number for number, exchange in enumerate(crawled.portal.exchanges) if exchange.target == "/robots.txt"]
    _, second = robots
    assert cookies[second - 1]  # the portal had set it, and the first run sent it back
    assert not any(cookies[second : second + 2])  # robots.txt, and the first page, which sets it again


def test_only_content_codings_that_archive_tools_can_read_are_requested(crawled: Crawled) -> None:
    asked = {
        line
        for exchange in crawled.portal.exchanges
        for line in exchange.request.split(b"\r\n")
        if line.lower().startswith(b"accept-encoding:")
    }
    assert asked == {b"Accept-Encoding: gzip, deflate"}


def test_requests_name_the_crawler_and_its_contact(crawled: Crawled) -> None:
    assert all(b"\r\nUser-Agent: danvan-crawler/" in exchange.request for exchange in crawled.portal.exchanges)


def test_each_run_has_a_report_that_names_its_files(crawled: Crawled) -> None:
    reports = [json.loads(path.read_text("utf-8")) for path in sorted(crawled.desk.archive.glob("runs/*.json"))]
    assert [(report["site"], report["exit_code"]) for report in reports] == [("mau-danvan", 0)] * 2
    named = [name for report in reports for name in report["stats"]["danvan/warc_files"]]
    files = [path.relative_to(crawled.desk.archive).as_posix() for path in crawled.desk.warc_files()]
    assert sorted(named) == files


def test_a_file_at_the_size_limit_is_followed_by_another(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any], read: Callable[[Path], list[Any]]
) -> None:
    portal = new_portal()
    desk = new_desk(portal)
    desk.environment["DANVAN_WARC_MAX_BYTES"] = "100000"
    desk.crawl()
    files = desk.warc_files()
    assert len(files) > 1
    for path in files:
        assert [record.type for record in read(path)[:2]] == ["warcinfo", "metadata"]
    kept = Counter(record.block for record in desk.records() if record.type == "response")
    assert kept == Counter(exchange.response for exchange in portal.exchanges)
