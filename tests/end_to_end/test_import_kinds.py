"""Other kinds of files than gzipped WARC/1.x in our archive: ARC, drafts of WARC, Zstandard, WACZ.

All are made here of exchanges with the sample portal, ARC by hand after the description of the format.
"""

from __future__ import annotations

import gzip
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest

from danvan_crawler.warc.imports import survey, write_copy
from danvan_crawler.warc.sources import source_records

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SECTION = "dan-van-kheo"
OF_THE_CAPTURE = {
    *("captured_at", "warc_file", "warc_offset", "warc_record_id", "payload_digest", "first_seen", "last_seen"),
    *("images", "attachments"),
}


def record(number: int, url: str, block: bytes, *, version: str = "1.0", date: str = "") -> bytes:
    date = date or f"2024-03-05T00:{number // 60:02d}:{number % 60:02d}Z"
    head = (
        f"WARC/{version}\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:20240305-0000-4000-8000-{number:012d}>\r\n"
        f"WARC-Date: {date}\r\nWARC-Target-URI: {url}\r\nContent-Type: application/http;msgtype=response\r\n"
        f"Content-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def as_arc(exchanges: list[tuple[str, bytes]]) -> bytes:
    block = b"1 1 InternetArchive\nURL IP-address Archive-date Content-type Archive-length\n"
    parts = [b"filedesc://x.arc 0.0.0.0 20240305000000 text/plain %d\n%b\n" % (len(block), block)]
    for number, (url, message) in enumerate(exchanges):
        line = f"{url} 127.0.0.1 202403050000{number:02d} text/html {len(message)}\n"
        parts.append(line.encode() + message + b"\n")
    return b"".join(map(gzip.compress, parts))


def as_draft(exchanges: list[tuple[str, bytes]]) -> bytes:
    return b"".join(record(number, *each, version="0.18") for number, each in enumerate(exchanges))


def as_zstd(exchanges: list[tuple[str, bytes]]) -> bytes:
    records = [record(number, *each) for number, each in enumerate(exchanges)]
    dictionary = zstd.train_dict(records * 20, 4000)
    packed = zstd.compress(dictionary.dict_content)
    frames = [zstd.compress(each, zstd_dict=dictionary) for each in records]
    return b"\x5d\x2a\x4d\x18" + len(packed).to_bytes(4, "little") + packed + b"".join(frames)


def as_package(exchanges: list[tuple[str, bytes]], path: Path) -> bytes:
    records = [record(number, *each) for number, each in enumerate(exchanges)]
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.warc.gz", b"".join(map(gzip.compress, records[:5])))
        file.writestr("archive/more.warc", b"".join(records[5:]))
        file.writestr("datapackage.json", "{}")
    return path.read_bytes()


@pytest.fixture(scope="module")
def crawled(new_portal: Callable[..., Any], new_desk: Callable[..., Any]) -> Any:
    """A portal, its exchanges that gave pages, and the items of a crawl."""
    portal = new_portal()
    desk = new_desk(portal, only=SECTION)
    desk.crawl()
    pages = [
        (urljoin(portal.url, each.target), each.response)
        for each in portal.exchanges
        if each.response.startswith(b"HTTP/1.1 200") and b"html" in each.response
    ]
    return portal, pages, comparable(desk.export())


@pytest.fixture
def desk(crawled: Any, new_desk: Callable[..., Any]) -> Any:
    return new_desk(crawled[0], only=SECTION)


def comparable(items: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        item["item_id"]: {name: value for name, value in item.items() if name not in OF_THE_CAPTURE} for item in items
    }


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.arc.gz", "converted to WARC/1.1: ARC 1.1 ("),
        ("a.warc", "converted to WARC/1.1: WARC/0.18 ("),
        ("a.warc.zst", "copied to warc/mau-danvan/"),
        ("a.wacz", "archive/more.warc: copied to warc/mau-danvan/"),
    ],
)
def test_every_kind_gives_the_items_of_a_crawl_once(
    crawled: Any, desk: Any, tmp_path: Path, name: str, said: str
) -> None:
    _, pages, live = crawled
    path = tmp_path / name
    make = {"a.arc.gz": as_arc, "a.warc": as_draft, "a.warc.zst": as_zstd}
    path.write_bytes(make[name](pages) if name in make else as_package(pages, path))
    assert said in desk.danvan("import-warc", str(path)).stderr
    imported = desk.export()
    assert comparable(imported) == live
    assert "no damage" in desk.danvan("verify").stderr
    assert "was imported before, as warc/mau-danvan/" in desk.danvan("import-warc", str(path)).stderr
    desk.check_rebuild()
    assert desk.export() == imported


def test_what_is_too_old_is_unsupported_and_nothing_is_taken(crawled: Any, desk: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.warc"
    path.write_bytes(as_draft(crawled[1]).replace(b"WARC/0.18", b"WARC/0.16"))
    said = desk.danvan("import-warc", str(path), code=2).stderr
    assert f"{path}: WARC/0.16 is not supported, only WARC/0.17, 0.18, 1.0 and 1.1" in said
    assert not desk.archive.exists()


def test_a_record_that_cannot_be_used_is_named_with_its_byte_and_the_rest_is_read(
    crawled: Any, desk: Any, tmp_path: Path
) -> None:
    portal, pages, live = crawled
    good = [record(number, *each) for number, each in enumerate(pages)]
    odd = [
        record(101, urljoin(portal.url, "/tin-tuc/a-1.html"), pages[1][1], date="9999-12-31T23:59:59Z"),
        record(102, "http://127.0.0.1:12355.edu:80/", pages[1][1]),
        record(103, urljoin(portal.url, "/tin-tuc/" + "x" * 100_000), pages[1][1]),
    ]
    members = [gzip.compress(each) for each in (*odd, *good)]
    path = tmp_path / "source.warc.gz"
    path.write_bytes(b"".join(members))
    said = desk.danvan("import-warc", str(path), code=8).stderr
    starts = [0, len(members[0]), len(members[0] + members[1])]
    reasons = [
        "its WARC-Date is '9999",
        "its WARC-Target-URI 'http://127.0.0.1:12355.edu:80/' is not",
        "its header has more",
    ]
    for start, reason in zip(starts, reasons, strict=True):
        assert f"danvan: {path}: left out: byte {start}: {reason}" in said
    assert comparable(desk.export()) == live
    desk.danvan("verify")
    desk.check_rebuild()


def test_a_target_in_raw_utf_8_is_named_encoded_and_read(crawled: Any, desk: Any, tmp_path: Path) -> None:
    portal, pages, _ = crawled
    article = next(each for each in pages if each[0].endswith(".html"))
    path = tmp_path / "source.warc"
    path.write_bytes(record(1, urljoin(portal.url, "/tin-tuc/hội-nghị-1.html"), article[1]))
    said = desk.danvan("import-warc", str(path)).stderr
    assert (
        f"{path}: converted: byte 0: WARC-Target-URI is now {portal.url}tin-tuc/h%E1%BB%99i-ngh%E1%BB%8B-1.html" in said
    )
    (item,) = desk.export()
    assert item["url"].endswith("/tin-tuc/h%E1%BB%99i-ngh%E1%BB%8B-1.html")
    desk.danvan("verify")


def test_a_record_in_the_archive_that_cannot_be_used_costs_a_rebuild_nothing_else(
    crawled: Any, desk: Any, tmp_path: Path
) -> None:
    _, pages, live = crawled
    source = tmp_path / "source.warc"
    odd = record(101, "http://127.0.0.1:99999/", pages[1][1]) + record(102, *pages[1], date="9999-12-31T23:59:59Z")
    source.write_bytes(odd + as_draft(pages).replace(b"WARC/0.18", b"WARC/1.0"))
    desk.danvan("status")
    about = {"software": "an earlier version"}
    made = write_copy(desk.archive, "mau-danvan", survey(source), source_records(source), warcinfo=about, profile=None)
    said = desk.danvan("rebuild", code=1).stderr
    assert "Traceback" not in said
    assert said.count(f"{made.name} at byte ") == 2
    assert "passed over: its WARC-Date is '9999-12-31T23:59:59Z'" in said
    assert comparable(desk.export()) == live


def test_pages_that_cannot_be_read_are_counted_with_reasons(crawled: Any, desk: Any, tmp_path: Path) -> None:
    portal, _, _ = crawled
    html = b"<html><head><title>x</title></head><body>none</body></html>"

    def answer(*fields: bytes, body: bytes = html) -> bytes:
        return b"\r\n".join([b"HTTP/1.1 200 OK", b"Content-Type: text/html", *fields, b"", body])

    answers = [
        answer(b"Transfer-Encoding: chunked"),
        answer(b"Content-Length: 9"),
        answer(b"Content-Encoding: br", body=b"\x1b\x3a\x00\xf8\x8d\x94\x6e\xde"),
        answer(b"Content-Encoding: zstd", body=b"\x28\xb5\x2f\xfd\x00"),
        answer(),
        b"HTTP/1.1 404 Not Found\r\n\r\n",
    ]
    path = tmp_path / "source.warc"
    urls = [urljoin(portal.url, f"/tin-tuc/a-{number}.html") for number in range(len(answers))]
    path.write_bytes(b"".join(record(number, *each) for number, each in enumerate(zip(urls, answers, strict=True))))
    said = desk.danvan("import-warc", str(path)).stderr
    assert "mau-danvan: 6 captures, 0 of articles" in said
    assert "1 chunked by their header, but not in their body" in said
    assert "1 with a Content-Length that is shorter than their body" in said
    assert "1 content coding 'br' was not requested and cannot be decoded" in said
    assert "captures without an article: 3 that hold no article, 1 with the HTTP status 404" in said


@pytest.mark.parametrize("fields", [[b"Transfer-Encoding: chunked"], [b"Content-Length: 9"], [b"Content-Encoding: br"]])
def test_a_page_whose_head_was_made_for_other_bytes_is_read(
    crawled: Any, desk: Any, tmp_path: Path, fields: list[bytes]
) -> None:
    _, pages, live = crawled
    url, message = next(each for each in pages if each[0].endswith(".html"))
    body = decoded(message)
    path = tmp_path / "source.warc"
    head = b"\r\n".join([b"HTTP/1.1 200 OK", b"Content-Type: text/html; charset=utf-8", *fields, b"", b""])
    path.write_bytes(record(1, url, head + body))
    assert "pages that were read although their header is wrong: 1 " in desk.danvan("import-warc", str(path)).stderr
    (item,) = comparable(desk.export()).values()
    assert item["body_text"] == live[item["item_id"]]["body_text"]
    desk.check_rebuild()


def decoded(message: bytes) -> bytes:
    head, _, body = message.partition(b"\r\n\r\n")
    if b"chunked" in head:
        found = b""
        while size := int(body.partition(b"\r\n")[0], 16):
            body = body.partition(b"\r\n")[2]
            found, body = found + body[:size], body[size + 2 :]
        body = found
    return gzip.decompress(body) if b"gzip" in head else body
