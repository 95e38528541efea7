"""The archive in Chromium through pywb, with the network limited to the replay server.

Chromium is the system's (Debian's package `chromium`), pywb is the one that `danvan replay` finds.
"""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
from playwright.sync_api import Browser, Frame, Page, Route, sync_playwright

from danvan_crawler.archive.layout import database_path
from danvan_crawler.clock import warc_date
from danvan_crawler.exceptions import UsageError
from danvan_crawler.replay.pywb import PATIENCE_SECONDS, Wayback, find_wayback, free_port
from danvan_crawler.sample import SamplePortal
from danvan_crawler.sample import portal as sample
from danvan_crawler.store.writes import Store
from danvan_crawler.warc.message import entity_body, sha1_base32
from danvan_crawler.warc.packing import pack_exchange
from danvan_crawler.warc.reader import iter_records
from danvan_crawler.warc.records import (
    Exchange,
    build_warcinfo,
    new_record_id,
)

PHOTO = sample.render("/hinh-anh/tin-1-1.png", "", edition=1, base_url="http://portal.example/").body
STYLE = b"h1 { color: rgb(1, 2, 3) }"
HOME = "http://portal.example/"
ARTICLE = f"{HOME}tin/1.html"
# Requests addresses that were never archived in every way a page can, so that a replay that lets one through is found.
HTML = """<!DOCTYPE html><html lang="vi"><head><meta charset="utf-8"><title>Dân vận khéo</title>
<link rel="stylesheet" href="/style.css">
<link rel="preconnect" href="http://early.example/">
<script src="http://counter.example/dem.js"></script></head><body><h1>Dân vận khéo</h1>
<img id="own" src="/anh.png"><img id="other" src="http://static.example/logo.png">
<img src="//tracker.example/x.gif"><iframe src="https://frame.example/"></iframe>
<script>new Image().src = "http://pixel.example/p.gif"; fetch("https://api.example/xem").catch(() => {});</script>
</body></html>""".encode()
FIRST = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
LATER = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
IDENTICAL = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"


@pytest.fixture(scope="module")
def pywb() -> Path:
    try:
        return find_wayback()
    except UsageError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("Chromium is not installed; on Debian, apt-get install chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield launched
        launched.close()


@dataclass
class Visit:
    """A browser window that can reach only the replay server."""

    page: Page
    server: str
    escaped: list[str] = field(default_factory=list)

    def limit(self, route: Route) -> None:
        if route.request.url.startswith(self.server):
            route.continue_()
        else:
            self.escaped.append(route.request.url)
            route.abort()

    def open(self, address: str) -> Frame:
        """The replayed page, completely loaded; pywb puts it into a frame."""
        self.page.goto(self.server.rstrip("/") + address)
        element = self.page.wait_for_selector("#replay_iframe")
        assert element is not None
        frame = element.content_frame()
        assert frame is not None
        frame.wait_for_selector("h1")
        frame.wait_for_load_state("networkidle")
        return frame


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[[str], Visit]]:
    """visit(server) opens a window."""
    context = browser.new_context(service_workers="block")

    def start(server: str) -> Visit:
        visit = Visit(context.new_page(), server)
        context.route("**/*", visit.limit)
        return visit

    yield start
    context.close()


def shown_width(frame: Frame, selector: str) -> int:
    """Natural width of a picture, 0 if it was not shown."""
    width = frame.eval_on_selector(selector, "image => image.complete ? image.naturalWidth : 0")
    assert isinstance(width, int)
    return width


def response(body: bytes, media_type: str, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Type: {media_type}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def chunked_gzip(body: bytes) -> bytes:
    coded = gzip.compress(body, mtime=0)
    parts = [coded[start : start + 100] for start in range(0, len(coded), 100)]
    head = (
        "HTTP/1.1 200 Được".encode()
        + b"\r\ncontent-TYPE: text/html\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    return head + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def captured(url: str, answer: bytes, moment: datetime, warcinfo: str) -> tuple[bytes, str]:
    """Records of an exchange, and the id of its response."""
    request = b"GET / HTTP/1.1\r\nHost: portal.example\r\n\r\n"
    packed = pack_exchange(Exchange(url, request, answer, moment), warcinfo_id=warcinfo)
    return packed.data, packed.record_id


def revisit(profile: str, url: str, block: bytes, original: tuple[bytes, str], payload: bytes) -> bytes:
    """A revisit record of LATER for the capture of FIRST, in full as WARC/1.1 has it (section 6.7)."""
    fields = {
        "WARC-Type": "revisit",
        "WARC-Record-ID": f"<{new_record_id()}>",
        "WARC-Date": warc_date(LATER),
        "WARC-Target-URI": url,
        "WARC-Profile": profile,
        "WARC-Payload-Digest": sha1_base32(payload),
        "WARC-Refers-To": f"<{original[1]}>",
        "WARC-Refers-To-Target-URI": url,
        "WARC-Refers-To-Date": warc_date(FIRST),
        "WARC-Truncated": "length",
        "WARC-Block-Digest": sha1_base32(block),
        "Content-Type": "application/http;msgtype=response",
        "Content-Length": str(len(block)),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return gzip.compress(b"WARC/1.1\r\n" + head.encode() + b"\r\n" + block + b"\r\n\r\n")


@pytest.fixture(scope="module")
def revisited(new_desk: Callable[..., Any]) -> Any:
    """An archive of one page captured twice; the second time its style and pictures were unchanged."""
    desk = new_desk()
    desk.environment["TMPDIR"] = str(desk.folder)  # a replay that is killed does not remove its folder
    path = desk.archive / "warc" / "vi-du-danvan" / "2027" / "vi-du-danvan-20270301080000000-00000-host.warc.gz"
    path.parent.mkdir(parents=True)
    info = new_record_id()
    style = response(STYLE, "text/css")
    photo = response(PHOTO, "image/png", 'ETag: "1"')
    styled = captured(f"{HOME}style.css", style, FIRST, info)
    pictured = captured(f"{HOME}anh.png", photo, FIRST, info)
    records = [
        build_warcinfo(path.name, {"software": "test"}, record_id=info, date=warc_date(FIRST)),
        captured(ARTICLE, response(b"<html>old</html>", "text/html"), FIRST, info)[0],
        styled[0],
        pictured[0],
        captured("http://static.example/logo.png", photo, FIRST, info)[0],
        captured(ARTICLE, chunked_gzip(HTML), LATER, info)[0],
        revisit(IDENTICAL, f"{HOME}style.css", style.removesuffix(STYLE), styled, STYLE),
        revisit(NOT_MODIFIED, f"{HOME}anh.png", b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n', pictured, PHOTO),
    ]
    path.write_bytes(b"".join(records))
    Store(database_path(desk.archive)).close()
    return desk


Replay = Callable[..., tuple["subprocess.Popen[str]", str]]


@pytest.fixture(scope="module")
def replay(pywb: Path) -> Iterator[Replay]:
    """replay(desk, …) starts `danvan replay`; returns the process and the address that it prints."""
    started: list[tuple[Any, subprocess.Popen[str]]] = []

    def start(desk: Any, *options: str) -> tuple[subprocess.Popen[str], str]:
        child = desk.start("replay", "--port", "0", *options)
        started.append((desk, child))
        printed = re.search(r"http://127\.0\.0\.1:\d+/", desk.read_until(child, "http://"))
        assert printed is not None
        return child, printed[0]

    yield start
    for desk, child in started:
        if child.poll() is None:
            child.terminate()  # a killed replay cannot end pywb
            desk.finish(child, code=0)


@pytest.fixture(scope="module")
def served(replay: Replay, revisited: Any) -> str:
    """The address of the replay of the hand-made archive."""
    return replay(revisited)[1]


def test_a_chunked_and_compressed_page_is_shown_without_requests_to_other_hosts(
    served: str, visit: Callable[[str], Visit]
) -> None:
    window = visit(served)
    frame = window.open(f"/archive/20270301080000/{ARTICLE}")
    assert frame.inner_text("h1") == "Dân vận khéo"
    assert shown_width(frame, "#other") > 0
    assert window.escaped == []


def test_both_kinds_of_revisit_show_their_original(served: str, visit: Callable[[str], Visit]) -> None:
    window = visit(served)
    frame = window.open(f"/archive/20270301080000/{ARTICLE}")
    assert frame.eval_on_selector("h1", "heading => getComputedStyle(heading).color") == "rgb(1, 2, 3)"
    assert shown_width(frame, "#own") == 480


def test_an_address_that_was_never_archived_is_not_fetched(served: str) -> None:
    with pytest.raises(URLError, match="404"):
        urllib.request.urlopen(f"{served}archive/mp_/http://counter.example/dem.js", timeout=60)


@pytest.fixture(scope="module")
def crawled(new_desk: Callable[..., Any]) -> Any:
    """A crawl of one section of the sample portal, which is stopped before the replay."""
    with SamplePortal() as portal:
        desk = new_desk(portal.url, only="dan-van-kheo")
        desk.crawl()
    return desk


def test_an_article_is_found_on_the_front_page_and_shown_as_it_was(
    replay: Replay, crawled: Any, visit: Callable[[str], Visit]
) -> None:
    _, server = replay(crawled, "--site", "mau-danvan")
    article = next(item for item in crawled.export() if item["images"])
    window = visit(server)
    window.page.goto(server)
    link = window.page.get_by_role("link", name=article["title"]).get_attribute("href")
    assert link is not None
    frame = window.open(link)
    assert frame.inner_text("h1") == article["title"]
    assert article["body_text"].splitlines()[0] in frame.inner_text(".bai-viet")
    assert shown_width(frame, ".bai-viet .anh img") == 480
    assert window.escaped == []


NUKEVIET = """<html><head><title>Xây cầu</title><link rel="canonical" href="/tin-tuc/xay-cau-7.html">
<script src="//www.googletagmanager.example/gtag.js"></script></head><body>
<ul class="breadcrumbs"><li><a href="/">Trang nhất</a><li><a href="/tin-tuc/">Tin tức</a></ul>
<div class="news_column"><h1 class="title">Thôn Đông xây cầu mới</h1><span class="h5">Thứ bảy - 05/01/2019 08:00</span>
<div class="hometext">Tin ngắn.</div><div id="news-bodyhtml" class="bodytext"><p>Nội dung của bài.</p>
<img class="lazy" src="/hinh-anh/tin-1-1.png" width="100"></div></div></body></html>"""
ENTRY = '<div class="panel-body"><h3><a href="/tin-tuc/xay-cau-7.html">Thôn Đông xây cầu mới</a></h3></div>'
NUKEVIET_PROFILE = """slug = "mau-danvan"\nname = "Ban Dân vận tỉnh Mẫu"\nfamily = "nukeviet"\nhome = "{url}"
province = "VN-21"\nbody = "ban-dan-van"\nprivate_network = true\ndelay = 0
[[sections]]\nname = "Tin tức"\nurl = "{url}tin-tuc/"
"""


def test_an_article_of_a_nukeviet_site_is_shown_as_it_was(
    replay: Replay,
    visit: Callable[[str], Visit],
    new_portal: Callable[..., Any],
    new_desk: Callable[..., Any],
    answer: Callable[..., bytes],
) -> None:
    portal, desk = new_portal(), new_desk()
    portal.pages["/tin-tuc/xay-cau-7.html"] = answer(NUKEVIET)
    portal.pages["/tin-tuc/"] = answer(f'<body><div class="main"><div class="news_column">{ENTRY}</div></div></body>')
    (desk.sites / "mau-danvan.toml").write_text(NUKEVIET_PROFILE.format(url=portal.url), encoding="utf-8")
    desk.crawl()
    portal.stop()
    window = visit(replay(desk)[1])
    frame = window.open(f"/archive/2100/{portal.url}tin-tuc/xay-cau-7.html")
    assert frame.inner_text("h1") == "Thôn Đông xây cầu mới"
    assert frame.inner_text("#news-bodyhtml p") == "Nội dung của bài."
    assert shown_width(frame, "#news-bodyhtml img") == 480
    assert window.escaped == []


def test_a_wacz_opens_in_pywb(pywb: Path, crawled: Any, tmp_path: Path) -> None:
    crawled.danvan("wacz", "mau-danvan", "-o", str(tmp_path / "site.wacz"))
    manager = str(pywb.with_name("wb-manager"))
    for words in (["init", "site"], ["add", "site", "--unpack-wacz", "site.wacz"]):
        subprocess.run([manager, *words], cwd=tmp_path, check=True, capture_output=True)
    article = crawled.export()[0]
    with Wayback(pywb, tmp_path, free_port(0)) as server:
        address = f"{server.url}site/{article['captured_at'][:4]}id_/{article['url']}"
        with urllib.request.urlopen(address, timeout=60) as answer:
            replayed = answer.read()
    record = next(
        record
        for path in crawled.warc_files()
        for record in iter_records(path)
        if record.id == article["warc_record_id"]
    )
    assert replayed == gzip.decompress(entity_body(record.block))


def test_a_signal_ends_the_replay_and_its_server(replay: Replay, revisited: Any) -> None:
    child, server = replay(revisited)
    child.terminate()
    revisited.finish(child, code=0)
    with pytest.raises(URLError, match="refused"):
        urllib.request.urlopen(server, timeout=60)


def refused_in_time(address: str) -> bool:
    """Whether connections are refused in time; those that are open when the server is killed are reset."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(address, timeout=60).close()
        except ConnectionResetError:
            continue
        except URLError as error:
            if isinstance(error.reason, ConnectionRefusedError):
                return True
            if not isinstance(error.reason, ConnectionResetError):
                raise
        time.sleep(0.1)
    return False


def test_pywb_does_not_outlive_a_replay_that_is_killed(replay: Replay, revisited: Any) -> None:
    child, server = replay(revisited)
    child.kill()
    assert refused_in_time(server)


def test_a_port_in_use_is_wrong_usage(revisited: Any, served: str) -> None:
    taken = served.rstrip("/").rpartition(":")[2]
    result = revisited.danvan("replay", "--port", taken, code=2)
    assert f"port {taken} cannot be used" in result.stderr


def test_an_empty_archive_is_wrong_usage(pywb: Path, new_desk: Callable[..., Any]) -> None:
    assert "has no finished WARC file" in new_desk().danvan("replay", code=2).stderr


def test_without_pywb_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(UsageError, match=r"danvan-crawler\[replay\]"):
        find_wayback()


def test_a_missing_pywb_program_is_an_error_with_its_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DANVAN_WAYBACK", "/nowhere/wayback")
    with pytest.raises(UsageError, match="DANVAN_WAYBACK: /nowhere/wayback is not a program"):
        find_wayback()


def test_a_server_that_does_not_start_is_an_error_with_the_reason(tmp_path: Path) -> None:
    program = tmp_path / "wayback"
    program.write_text("#!/bin/sh\necho no such luck\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(Exception, match="ended at startup: no such luck"), Wayback(program, tmp_path, 9):
        pass
