"""Broken pages on one portal in one crawl: a broken page affects no other page, and everything is archived."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
import ssl
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from danvan_crawler.walk.traps import BARREN_PAGES

LISTING = "/tin-tuc/dan-van-kheo/"
MEGABYTE = 1024 * 1024


def story(title: str, *, stamp: str = "23/05/2017 00:00:00", before: str = "", charset: str = "utf-8") -> str:
    """An article page in the platform's layout, without anything special."""
    lead = "Sáng 23/5, Ban Dân vận Tỉnh ủy tổ chức hội nghị sơ kết công tác dân vận của các huyện miền núi."
    texts = "".join(
        f"<p>{text}</p>"
        for text in (lead, "Hội nghị đã nghe báo cáo và thảo luận. " * 4 + "Các huyện thống nhất nhiều việc phải làm.")
    )
    first, second = (f"<p>Ngày {stamp}</p>", f"<p>Đăng lúc: {stamp} (GMT+7)</p>") if stamp else ("", "")
    return (
        f"<html><head><meta charset='{charset}'></head><body>{before}"
        f"<h1>{title}</h1>{first}{texts}<h1>{title}</h1>{second}{texts}</body></html>"
    )


def cp1258(text: str) -> bytes:
    """Text in the Vietnamese code page, which has no precomposed letters for most tones."""
    spelled = []
    for letter in text:
        try:
            letter.encode("cp1258")
            spelled.append(letter)
        except UnicodeEncodeError:
            base = unicodedata.normalize("NFD", letter)
            tone = next(mark for mark in base if mark in "\u0300\u0301\u0303\u0309\u0323")
            spelled.append(unicodedata.normalize("NFC", base.replace(tone, "")) + tone)
    return "".join(spelled).encode("cp1258")


@dataclass
class Hard:
    """The portal of broken pages, the desk that crawled it, and the output of the crawl."""

    portal: Any
    desk: Any
    said: str
    items: dict[str, Any]
    """Items by the last part of their path."""
    records: dict[str, list[Any]]
    """Response records by target."""


@pytest.fixture(scope="module")
def hard(new_portal: Callable[..., Any], new_desk: Callable[..., Any], answer: Callable[..., bytes]) -> Hard:
    portal = new_portal()
    waits: list[float] = []

    def asks_to_wait_once(_request: bytes) -> bytes:
        waits.append(0)
        if len(waits) == 1:
            return answer(status="429 Too Many Requests", headers={"Retry-After": "1"})
        return answer(story("Trang web bận rồi lại trả lời"))

    def typed(body: bytes | str, media_type: str, **headers: str) -> bytes:
        return answer(body, media_type=media_type, headers=headers)

    whole = story("Bài viết nén bị đứt giữa chừng").encode()
    endless = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"100000\r\n%b\r\n" % (b"<p>" + b"x" * (MEGABYTE - 3)) * 66
    )
    secret = f"http://bien-tap:secret@127.0.0.1:{portal.port}"
    pages: dict[str, Any] = {
        "cam-403-1.html": answer("bị cấm", status="403 Forbidden"),
        "loi-500-2.html": answer("lỗi", status="500 Internal Server Error"),
        "rong-3.html": answer(""),
        "nhi-phan-4.html": typed(os.urandom(3000), "text/html"),
        "html-la-nhi-phan-5.html": typed(story("Trang HTML được gọi là tệp"), "application/octet-stream"),
        "khong-kieu-6.html": typed(story("Trang không nói mình là gì"), ""),
        "to-100-mb-7.html": answer("")[:-4].replace(b"Content-Length: 0", b"Content-Length: 104857600")
        + b"\r\n\r\n<p>x",
        "to-dan-8.html": endless,
        "bom-gzip-9.html": typed(gzip.compress(b"\0" * (100 * MEGABYTE)), "text/html", **{"Content-Encoding": "gzip"}),
        "gzip-dut-10.html": typed(gzip.compress(whole)[:-12], "text/html", **{"Content-Encoding": "gzip"}),
        "gzip-doi-11.html": typed(story("Trang nói là nén mà không nén"), "text/html", **{"Content-Encoding": "gzip"}),
        "noi-doi-12.html": typed(
            story("Trang UTF-8 nói là mã khác", charset="windows-1252"), "text/html; charset=windows-1252"
        ),
        "noi-doi-13.html": typed(cp1258(story("Trang mã cũ nói là UTF-8")), "text/html; charset=utf-8"),
        "khong-ma-14.html": typed(story("Trang không nói mã chữ", charset=""), "text/html"),
        "long-nhau-15.html": answer(story("Trang có thẻ lồng nhau", before="<div>" * 200_000)),
        "vong-16.html": answer(status="302 Found", headers={"Location": f"{LISTING}vong-17.html"}),
        "vong-17.html": answer(status="302 Found", headers={"Location": f"{LISTING}vong-16.html"}),
        "noi-bo-18.html": answer(status="302 Found", headers={"Location": "http://127.0.0.1:9/quan-tri/"}),
        "khong-ngay-19.html": answer(story("Trang không có ngày đăng nào cả", stamp="")),
        "cung-ten-20.html": answer(story("Hai bài viết cùng một tên gọi")),
        "cung-ten-21.html": answer(story("Hai bài viết cùng một tên gọi", stamp="24/05/2017 08:30:00")),
        "phien-22.html": answer(story("Trang có mã phiên trong địa chỉ")),
        "ban-23.html": asks_to_wait_once,
        "dut-ket-noi-24.html": answer(whole).replace(b"Content-Length: ", b"Content-Length: 9"),
        "goc-hong-25.html": answer(story("Trang có địa chỉ gốc bị hỏng", before='<base href="http://[email=%22a@b/">')),
        "mat-khau-26.html": answer(
            story("Trang có mật khẩu trong địa chỉ", before=f'<img src="{secret}/khong-co.png">')
        ),
        "mat-khau-27.html": answer(status="302 Found", headers={"Location": f"{secret}{LISTING}den-28.html"}),
        "den-28.html": answer(story("Trang đích của một chuyển hướng")),
    }
    for name, page in pages.items():
        portal.pages[LISTING + name] = page
    # The connection is closed after answers whose end would be awaited otherwise.
    named = ("vong-17.html", "to-100-mb-7.html", "dut-ket-noi-24.html", "mat-khau-26.html", "den-28.html")
    links = [name for name in pages if name not in named]
    sessions = ["phien-22.html;jsessionid=A1B2", "phien-22.html?PHPSESSID=77", "phien-22.html?utm_source=zalo"]
    paths = [LISTING + name for name in [*links, "to-100-mb-7.html", *sessions]]
    portal.also_link(LISTING, *paths, f"{secret}{LISTING}mat-khau-26.html")
    desk = new_desk(portal, only="dan-van-kheo", connections="4")
    said = desk.crawl().stderr
    records: dict[str, list[Any]] = {}
    for record in desk.records():
        if record.type == "response":
            records.setdefault(record.target.removeprefix(LISTING), []).append(record)
    items = {item["canonical_url"].rsplit("/", 1)[-1]: item for item in desk.export()}
    return Hard(portal, desk, said, items, records)


def test_all_other_articles_of_the_listing_are_there(hard: Hard) -> None:
    names = [name for name in hard.items if name.startswith(("con-duong-hoa", "ban-na-lau", "to-hop-tac"))]
    assert len(names) == 3


@pytest.mark.parametrize(("name", "status"), [("cam-403-1.html", b"403"), ("loi-500-2.html", b"500")])
def test_an_error_page_is_archived_without_an_item(hard: Hard, name: str, status: bytes) -> None:
    assert all(record.block.startswith(b"HTTP/1.1 " + status) for record in hard.records[name])
    assert name not in hard.items
    assert f"{name}: no article: HTTP {status.decode()}" in hard.said


@pytest.mark.parametrize("name", ["rong-3.html", "nhi-phan-4.html"])
def test_a_page_without_text_is_archived_without_an_item(hard: Hard, name: str) -> None:
    assert len(hard.records[name]) == 1
    assert name not in hard.items


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("html-la-nhi-phan-5.html", "Trang HTML được gọi là tệp"),
        ("khong-kieu-6.html", "Trang không nói mình là gì"),
        ("gzip-doi-11.html", "Trang nói là nén mà không nén"),
        ("noi-doi-12.html", "Trang UTF-8 nói là mã khác"),
        ("noi-doi-13.html", "Trang mã cũ nói là UTF-8"),
        ("khong-ma-14.html", "Trang không nói mã chữ"),
        ("ban-23.html", "Trang web bận rồi lại trả lời"),
    ],
)
def test_a_page_with_a_wrong_declared_encoding_is_read_by_its_bytes(hard: Hard, name: str, title: str) -> None:
    assert hard.items[name]["title"] == title
    assert hard.items[name]["published_at"] == "2017-05-23T00:00:00+07:00"


@pytest.mark.parametrize("name", ["to-100-mb-7.html", "to-dan-8.html"])
def test_a_page_beyond_the_limit_is_cut_and_marked(hard: Hard, name: str) -> None:
    assert [record.fields["WARC-Truncated"] for record in hard.records[name]] == ["length"]
    assert name not in hard.items


def test_a_page_that_decompresses_beyond_the_limit_is_cut(hard: Hard) -> None:
    assert 64 * MEGABYTE < len(hard.records["to-dan-8.html"][0].block) < 66 * MEGABYTE


@pytest.mark.parametrize(("name", "reason"), [("bom-gzip-9.html", "larger than"), ("gzip-dut-10.html", "is cut")])
def test_a_body_that_cannot_be_decompressed_is_archived_as_sent(hard: Hard, name: str, reason: str) -> None:
    (record,) = hard.records[name]
    assert record.entity == hard.portal.pages[LISTING + name].partition(b"\r\n\r\n")[2]
    assert name not in hard.items
    assert reason in next(line for line in hard.said.splitlines() if name in line)


def test_nested_tags_affect_no_other_page(hard: Hard) -> None:
    assert len(hard.records["long-nhau-15.html"]) == 1


def test_a_redirect_loop_ends_and_is_archived(hard: Hard) -> None:
    assert "vong-16.html" not in hard.items
    assert len(hard.records["vong-16.html"]) + len(hard.records["vong-17.html"]) <= 7
    assert "vong-16.html: redirects in a circle" in hard.said


def test_a_redirect_to_a_private_address_is_refused_and_recorded(hard: Hard) -> None:
    assert b"Location: http://127.0.0.1:9/" in hard.records["noi-bo-18.html"][0].block
    assert "refused to contact 127.0.0.1:9" in hard.said
    assert "/quan-tri/" not in hard.records


def test_a_page_without_a_date_is_an_item_with_a_warning(hard: Hard) -> None:
    item = hard.items["khong-ngay-19.html"]
    assert (item["published_at"], item["published_raw"]) == (None, None)
    assert "no date line" in item["warnings"]


def test_two_articles_of_one_title_are_two_items(hard: Hard) -> None:
    first, second = hard.items["cung-ten-20.html"], hard.items["cung-ten-21.html"]
    assert first["title"] == second["title"]
    assert first["item_id"] != second["item_id"]


def test_session_ids_and_tracking_lead_to_one_request(hard: Hard) -> None:
    assert [target for target in hard.portal.targets if "phien-22" in target] == [f"{LISTING}phien-22.html"]
    assert hard.items["phien-22.html"]["title"] == "Trang có mã phiên trong địa chỉ"


def test_a_malformed_base_costs_nothing(hard: Hard) -> None:
    assert hard.items["goc-hong-25.html"]["title"] == "Trang có địa chỉ gốc bị hỏng"


def test_a_password_in_an_address_costs_nothing_and_is_not_shown(hard: Hard) -> None:
    assert {"mat-khau-26.html", "den-28.html"} <= hard.items.keys()
    assert "/khong-co.png" in hard.portal.targets
    reports = "".join(path.read_text("utf-8") for path in (hard.desk.archive / "runs").iterdir())
    assert "secret" not in hard.said + reports + str(hard.items)
    assert not any(b"secret" in exchange.request for exchange in hard.portal.exchanges)


def test_a_server_with_retry_after_is_given_that_time(hard: Hard) -> None:
    assert [record.block.split(b" ", 2)[1] for record in hard.records["ban-23.html"]] == [b"429", b"200"]
    began = [datetime.fromisoformat(record.fields["WARC-Date"]) for record in hard.records["ban-23.html"]]
    assert began[1] - began[0] >= timedelta(seconds=1)


def test_a_rebuild_gives_the_same_items(hard: Hard) -> None:
    before = hard.desk.export()
    hard.desk.danvan("rebuild")
    assert hard.desk.export() == before


def test_a_wait_that_is_too_long_ends_the_run(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any], answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    portal.pages[LISTING] = answer(status="503 Service Unavailable", headers={"Retry-After": "86400"})
    desk = new_desk(portal, only="dan-van-kheo")
    assert "asks to wait" in desk.crawl(code=3).stderr
    assert portal.targets.count(LISTING) == 1


def test_cookie_gates_cost_no_section_and_no_article(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any], answer: Callable[..., bytes]
) -> None:
    portal = new_portal()

    def gate(cookie: str, page: bytes, *, over: str = "") -> Callable[[bytes], bytes]:
        """A page that redirects each visitor without the cookie to itself with it, or `over` another page."""

        def answered(request: bytes) -> bytes:
            if cookie.encode() in request:
                return page
            here = request.split(b" ")[1].decode()
            headers = {"Location": f"{over}?ve={here}"} if over else {"Location": here, "Set-Cookie": cookie}
            return answer(status="302 Found", headers=headers)

        return answered

    def check(request: bytes) -> bytes:
        back = request.split(b" ")[1].decode().partition("?ve=")[2]
        return answer(status="303 See Other", headers={"Location": back, "Set-Cookie": "qua=1"})

    names = ["cong-mot-1.html", "cong-hai-2.html"]
    listing = "".join(f'<p><a href="{LISTING}{name}">Một bài viết ở sau cổng</a></p>' for name in names)
    portal.pages[LISTING] = gate("D1N=a", answer(listing))
    portal.pages[LISTING + names[0]] = gate("bai=1", answer(story("Một bài viết ở sau cổng")))
    portal.pages[LISTING + names[1]] = gate("qua=1", answer(story("Một bài viết ở sau cổng")), over="/kiem-tra")
    portal.pages["/kiem-tra"] = check
    desk = new_desk(portal, only="dan-van-kheo")
    desk.crawl()
    items = desk.export()
    assert sorted(item["url"].rsplit("/", 1)[-1] for item in items) == sorted(names)
    desk.danvan("rebuild")
    assert desk.export() == items


def test_a_crawl_of_an_endless_calendar_ends(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any], answer: Callable[..., bytes]
) -> None:
    portal = new_portal()

    def month(request: bytes) -> bytes:
        number = int(request.split(b" ")[1].partition(b"?page=")[2] or b"1")
        entry = f'<p><a href="{LISTING}lich-cong-tac-thang-nay-1.html">Lịch công tác của thường trực</a></p>'
        return answer(f'<html><body>{entry}<a href="{LISTING}?page={number + 1}">{number + 1}</a></body></html>')

    portal.pages[LISTING] = month
    desk = new_desk(portal, only="dan-van-kheo")
    desk.crawl("--max-pages", "50")
    assert sum(target.startswith(LISTING + "?page=") for target in portal.targets) <= BARREN_PAGES
    [report] = [json.loads(path.read_text("utf-8")) for path in desk.archive.glob("runs/*.json")]
    assert [problem["kind"] for problem in report["problems"]] == ["endless"]


@pytest.mark.parametrize("seconds", [7, pytest.param(20, marks=pytest.mark.soak)])  # Python's sqlite3 waits for 5
def test_a_crawl_waits_for_a_database_that_another_process_holds(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any], seconds: int
) -> None:
    portal = new_portal()
    desk = new_desk(portal, only="dan-van-co-so")
    desk.crawl("--max-pages", "1")
    held = portal.hold("/tin-tuc/dan-van-co-so/trang-2/")
    child = desk.start("crawl", "mau-danvan")
    portal.wait_for("/tin-tuc/dan-van-co-so/trang-2/")
    with closing(sqlite3.connect(desk.archive / "danvan.sqlite", isolation_level=None, timeout=60)) as other:
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(seconds, held.set).start()
        held.wait()
        other.execute("COMMIT")
    desk.finish(child, code=0)
    assert len(desk.export()) == 13


@pytest.fixture
def https_portal(tmp_path: Any) -> Iterator[int]:
    """A server with an expired, self-signed certificate; it answers one listing without links."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    then = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(then)
        .not_valid_after(then + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "server.pem").write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rsplit("/", 1)[-1]
            body = (
                story("Bài viết sau một chứng chỉ hết hạn")
                if name
                else f'<a href="{LISTING}bai-viet-1.html">Bài viết sau một chứng chỉ hết hạn</a>'
            )
            data = body.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_expired_certificate_is_reported_and_does_not_stop_the_crawl(
    https_portal: int, new_desk: Callable[..., Any]
) -> None:
    desk = new_desk(f"https://localhost:{https_portal}/", only="dan-van-kheo")
    said = desk.crawl().stderr
    assert "the certificate of localhost cannot be trusted" in said
    assert [item["title"] for item in desk.export()] == ["Bài viết sau một chứng chỉ hết hạn"]
