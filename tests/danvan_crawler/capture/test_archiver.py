"""Every response is archived before the spider gets it: records, stops of the crawl, meta and statistics."""

from __future__ import annotations

import base64
import random
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scrapy import Spider
from scrapy.http import Response
from scrapy.settings import Settings

from danvan_crawler.capture.archiver import check_complete, close_reason, warcinfo, writer_for
from danvan_crawler.captures import CaptureRecord
from danvan_crawler.exceptions import ArchiveError, DiskFullError, TruncatedResponseError, UsageError

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"
PAGE = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=3600\r\nContent-Length: 5\r\n\r\npage\n"
UNAVAILABLE = b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nwait"
SHORT = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nonly this"


def capture(truncated: Any = None) -> CaptureRecord:
    return CaptureRecord(
        "http://example.vn/", "2026-11-23T07:46:11Z", "warc/a.warc.gz", 7, "urn:uuid:1", None, 200, truncated, None
    )


# Pure parts


def test_warcinfo_describes_the_crawl() -> None:
    settings = Settings({"ROBOTSTXT_OBEY": True, "DANVAN_OPERATOR": "Thư viện tỉnh", "USER_AGENT": "danvan"})
    fields = warcinfo("thanhhoa-danvan", settings, title="Ban Dân vận Tỉnh ủy Thanh Hóa")
    software = fields.pop("software")
    assert software.startswith("danvan-crawler/")
    assert "Scrapy" in software
    assert fields == {
        "robots": "obey",
        "operator": "Thư viện tỉnh",
        "isPartOf": "thanhhoa-danvan",
        "description": "Crawl of Ban Dân vận Tỉnh ủy Thanh Hóa (thanhhoa-danvan)",
        "http-header-user-agent": "danvan",
        "hostname": socket.gethostname(),
    }


def test_warcinfo_has_the_note_on_rights() -> None:
    assert warcinfo("a-site", Settings(), rights="© Tỉnh ủy")["rights"] == "© Tỉnh ủy"
    assert "rights" not in warcinfo("a-site", Settings())


def test_warcinfo_leaves_out_unknown_fields() -> None:
    assert "operator" not in warcinfo("a-site", Settings({"DANVAN_OPERATOR": None}))


def test_warcinfo_states_that_robots_txt_is_ignored() -> None:
    assert warcinfo("a-site", Settings({"ROBOTSTXT_OBEY": False}))["robots"] == "ignore"


def test_finish_reason_distinguishes_a_full_disk_from_other_errors() -> None:
    assert (close_reason(DiskFullError("x")), close_reason(ArchiveError("x"))) == ("disk_full", "archive_unwritable")


def test_complete_response_is_accepted() -> None:
    check_complete(Response("http://example.vn/"), capture())


def test_truncated_response_is_refused() -> None:
    with pytest.raises(TruncatedResponseError, match=r"http://example\.vn/: the response is incomplete .*disconnect"):
        check_complete(Response("http://example.vn/"), capture("disconnect"))


def test_download_that_the_spider_stopped_is_accepted() -> None:
    check_complete(Response("http://example.vn/", flags=["download_stopped"]), capture("unspecified"))


def test_archive_setting_must_not_be_empty() -> None:
    with pytest.raises(UsageError, match="DANVAN_ARCHIVE"):
        writer_for(None, Settings({"DANVAN_ARCHIVE": ""}))


def test_gzip_level_is_taken_from_the_settings() -> None:
    with pytest.raises(UsageError, match="gzip level"):
        writer_for(Spider("a-site"), Settings({"DANVAN_ARCHIVE": "archive", "DANVAN_GZIP_LEVEL": 9}))


# Whole crawls


@pytest.fixture
def site(raw_server: Callable[..., Any]) -> Any:
    """A portal with a page, a busy page, a flaky page and robots.txt."""
    robots = b"User-agent: *\nDisallow: /no\n"
    return raw_server(
        {
            "/robots.txt": [([b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(robots) + robots], "keep")],
            "/": [([PAGE], "keep")],
            "/no": [([PAGE], "keep")],
            "/busy": [([UNAVAILABLE], "keep"), ([OK], "keep")],
            "/flaky": [([SHORT], "close"), ([OK], "keep")],
            "/moved": [([b"HTTP/1.1 301 Moved\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"], "keep")],
            "/dead": [([], "reset")],
            **{f"/slow/{i}": [([OK[:20], 0.05, OK[20:], 0.05], "keep")] for i in range(12)},
            **{f"/large/{i}": [([ok_bytes(i)], "keep")] for i in range(6)},
        }
    )


def ok_bytes(seed: int) -> bytes:
    """A response of 30 KB that does not compress."""

    return b"HTTP/1.1 200 OK\r\nContent-Length: 30000\r\n\r\n" + random.Random(seed).randbytes(30000)


def requests_for(site: Any, *paths: str) -> list[dict[str, Any]]:
    return [{"case": path, "url": site.url(path)} for path in paths]


def test_robots_txt_is_archived(site: Any, crawl: Callable[..., Any]) -> None:
    crawled = crawl(requests_for(site, "/", "/no"), settings={"ROBOTSTXT_OBEY": True})
    assert list(crawled.exchanges()) == [site.url("/robots.txt"), site.url("/")]


def test_retries_are_archived_and_meta_names_the_last(site: Any, crawl: Callable[..., Any]) -> None:
    crawled = crawl(requests_for(site, "/busy", "/flaky"), settings={"RETRY_ENABLED": True, "RETRY_TIMES": 1})
    exchanges = crawled.exchanges()
    busy, flaky = exchanges[site.url("/busy")], exchanges[site.url("/flaky")]
    assert [exchange.response_block for exchange in busy] == [UNAVAILABLE, OK]
    assert [exchange.response_block for exchange in flaky] == [SHORT, OK]
    assert [exchange.response.get("WARC-Truncated") for exchange in flaky] == ["disconnect", None]
    for path, last in (("/busy", busy[-1]), ("/flaky", flaky[-1])):
        assert f"<{crawled.results[path]['capture']['warc_record_id']}>" == last.response["WARC-Record-ID"]


def test_failure_without_a_response_does_not_inherit_the_capture_of_its_redirect(
    raw_server: Callable[..., Any], crawl: Callable[..., Any]
) -> None:
    redirect = b"HTTP/1.1 302 Found\r\nLocation: /dead\r\nContent-Length: 0\r\n\r\n"
    site = raw_server({"/": [([redirect], "keep")], "/dead": [([], "reset")]})
    crawled = crawl(requests_for(site, "/"))
    assert crawled.results["/"]["error"] == "DownloadFailedError"
    assert crawled.results["/"]["capture"] is None


def test_exchanges_made_at_the_same_time_are_kept_apart(site: Any, crawl: Callable[..., Any]) -> None:
    paths = [f"/slow/{i}" for i in range(12)]
    crawled = crawl(
        requests_for(site, *paths), settings={"CONCURRENT_REQUESTS": 6, "CONCURRENT_REQUESTS_PER_DOMAIN": 6}
    )
    exchanges = crawled.exchanges()
    for path in paths:
        [exchange] = exchanges[site.url(path)]
        assert (exchange.request_block, exchange.response_block) == (site.requests[path][0], OK)


def test_file_begins_with_warcinfo_and_profile(site: Any, crawl: Callable[..., Any]) -> None:
    profile = 'slug = "hostile-test"\nname = "Cổng thông tin"\n'
    endpoints = [("127.0.0.1", site.port)]
    spider = {"site": {"name": "Cổng", "source_text": profile, "private_network": True, "endpoints": endpoints}}
    (info, info_block), (metadata, profile_block), *_ = crawl(requests_for(site, "/"), spider=spider).records()
    assert info["WARC-Type"] == "warcinfo"
    assert b"isPartOf: hostile-test\r\n" in info_block
    assert metadata["WARC-Target-URI"] == "urn:danvan:profile:hostile-test"
    assert profile_block == profile.encode()


def test_files_are_finished_and_named_in_the_statistics(site: Any, crawl: Callable[..., Any]) -> None:
    crawled = crawl(requests_for(site, "/", "/moved"))
    [path] = crawled.warc_files
    assert crawled.stats["danvan/warc_files"] == [path.relative_to(crawled.archive).as_posix()]
    assert crawled.stats["danvan/captures"] == 3
    assert list(crawled.archive.rglob("*.open")) == []


def test_new_file_is_begun_at_the_size_limit(site: Any, crawl: Callable[..., Any]) -> None:
    crawled = crawl(requests_for(site, "/large/0", "/large/1", "/large/2"), settings={"DANVAN_WARC_MAX_BYTES": 20000})
    assert len(crawled.warc_files) == 3
    assert len(crawled.exchanges()) == 3


def test_gzip_and_fastwarc_accept_the_files(site: Any, crawl: Callable[..., Any]) -> None:
    [path] = crawl(requests_for(site, "/", "/moved", "/large/0")).warc_files
    subprocess.run(["gzip", "-t", str(path)], check=True)
    check = [sys.executable, "-c", "from fastwarc.cli import main; main()", "check", "-q", str(path)]
    subprocess.run(check, check=True, capture_output=True)


def test_crawl_without_any_response_leaves_no_file(site: Any, crawl: Callable[..., Any]) -> None:
    crawled = crawl(requests_for(site, "/dead"))
    assert crawled.results["/dead"]["error"] == "DownloadFailedError"
    assert list(crawled.archive.rglob("*.warc*")) == []


def test_files_are_finished_when_the_crawl_fails_in_its_last_steps(site: Any, crawl: Callable[..., Any]) -> None:
    pipelines = {"ITEM_PIPELINES": {"crawl_job.FailingPipeline": 100}}
    crawled = crawl(requests_for(site, "/"), settings=pipelines, fail_at_end=True)
    assert "this pipeline fails" in crawled.log
    assert "this spider fails" in crawled.log
    assert [path.suffixes[-2:] for path in crawled.warc_files] == [[".warc", ".gz"]]


def test_answer_from_the_cache_is_no_new_capture(site: Any, crawl: Callable[..., Any], tmp_path: Path) -> None:
    caching = {"HTTPCACHE_ENABLED": True, "HTTPCACHE_DIR": str(tmp_path)}
    crawl(requests_for(site, "/"), settings=caching)
    crawled = crawl(requests_for(site, "/"), settings=caching)
    assert crawled.results["/"]["flags"] == ["cached"]
    assert crawled.results["/"]["capture"] is None
    assert crawled.warc_files == []


def test_answer_from_the_cache_does_not_inherit_the_capture_of_its_redirect(
    site: Any, crawl: Callable[..., Any], tmp_path: Path
) -> None:
    caching = {
        "HTTPCACHE_ENABLED": True,
        "HTTPCACHE_DIR": str(tmp_path),
        "HTTPCACHE_IGNORE_HTTP_CODES": [301],
    }
    crawl(requests_for(site, "/"), settings=caching)
    crawled = crawl(requests_for(site, "/moved"), settings=caching)
    assert list(crawled.exchanges()) == [site.url("/moved")]
    assert crawled.results["/moved"]["flags"] == ["cached"]
    assert crawled.results["/moved"]["capture"] is None


def test_response_of_another_handler_is_refused(site: Any, crawl: Callable[..., Any]) -> None:
    stock = "scrapy.core.downloader.handlers.http11.HTTP11DownloadHandler"
    crawled = crawl(requests_for(site, "/"), settings={"DOWNLOAD_HANDLERS": {"http": stock}})
    assert crawled.results["/"]["error"] == "ArchiveError"


def test_archive_that_cannot_be_written_stops_the_crawl(site: Any, crawl: Callable[..., Any], tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.write_text("a file where the folder should be")
    paths = [f"/large/{i}" for i in range(6)]
    crawled = crawl(requests_for(site, *paths), archive=archive, settings={"DOWNLOAD_DELAY": 0.2})
    assert crawled.stats["finish_reason"] == "archive_unwritable"
    assert str(archive) in crawled.stats["danvan/archive_error"]
    assert {result["error"] for result in crawled.results.values()} == {"ArchiveError"}
    assert len(crawled.results) < len(paths)


@pytest.fixture
def filled(site: Any, crawl: Callable[..., Any]) -> Any:
    """A crawl whose files cannot grow beyond 100,000 bytes: three large pages fit, the fourth does not."""
    paths = [f"/large/{i}" for i in range(6)]
    return crawl(requests_for(site, *paths), settings={"DOWNLOAD_DELAY": 0.2}, file_size_limit=100_000)


def test_full_disk_fails_the_request_that_could_not_be_archived(filled: Any) -> None:
    assert filled.results["/large/3"]["error"] == "DiskFullError"
    assert filled.results["/large/3"]["capture"] is None


def test_full_disk_stops_the_crawl(filled: Any) -> None:
    assert filled.stats["finish_reason"] == "disk_full"
    assert "/large/5" not in filled.results


def test_full_disk_leaves_a_finished_valid_file(filled: Any) -> None:
    assert [len(exchanges) for exchanges in filled.exchanges().values()] == [1, 1, 1]
    for path in filled.warc_files:
        subprocess.run(["gzip", "-t", str(path)], check=True)


def test_every_response_that_the_spider_saw_is_in_the_archive(filled: Any) -> None:
    seen = {result["url"]: base64.b64decode(result["body"]) for result in filled.results.values() if "url" in result}
    archived = {url: found[0].response_block for url, found in filled.exchanges().items()}
    assert {url: block.partition(b"\r\n\r\n")[2] for url, block in archived.items()} == seen
