"""WARC files of wget, warcprox and browsertrix in our archive: their records become items, and nothing else changes.

wget is run if it is installed. The files of warcprox and browsertrix are made here, record by record as these tools
write them, of exchanges with the same portal: warcprox 2.6 (WARC/1.0, response before request, revisits with a head
alone, no microseconds), browsertrix-crawler 1.5 (WARC/1.1, HTTP/2 in the syntax of HTTP/1.1 with names in lower case
and `WARC-Protocol`, decoded bodies, SHA-256, `urn:pageinfo:` and `urn:text:` records, third parties).
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest

from danvan_crawler.archive.locks import SiteLock

SECTION = "dan-van-kheo"
OF_THE_CAPTURE = {
    *("captured_at", "warc_file", "warc_offset", "warc_record_id", "payload_digest", "first_seen", "last_seen"),
    *("images", "attachments"),
}
CAPTURED = "select warc_record_id, status, payload_digest, refers_to from captures order by warc_date, warc_offset"


def sha1(data: bytes) -> str:
    return "sha1:" + base64.b32encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()


def warc(kind: str, fields: Iterable[tuple[str, str]], block: bytes, number: int, *, version: str = "1.1") -> bytes:
    """A record whose date and id are derived from its number."""
    named = [
        ("WARC-Type", kind),
        ("WARC-Record-ID", f"<{record_id(number)}>"),
        ("WARC-Date", f"2024-03-05T0{number // 3600}:{number // 60 % 60:02d}:{number % 60:02d}Z"),
        *fields,
        ("Content-Length", str(len(block))),
    ]
    head = "".join(f"{name}: {value}\r\n" for name, value in named)
    return f"WARC/{version}\r\n{head}\r\n".encode() + block + b"\r\n\r\n"


def record_id(number: int) -> str:
    return f"urn:uuid:20240305-0000-4000-8000-{number:012d}"


HTTP_RESPONSE = ("Content-Type", "application/http;msgtype=response")
HTTP_REQUEST = ("Content-Type", "application/http;msgtype=request")


def entity(response: bytes) -> tuple[bytes, bytes]:
    """Head and decoded body of the portal's response."""
    head, _, body = response.partition(b"\r\n\r\n")
    if b"chunked" in head:
        found = b""
        while size := int(body.partition(b"\r\n")[0], 16):
            body = body.partition(b"\r\n")[2]
            found, body = found + body[:size], body[size + 2 :]
        body = gzip.decompress(found)
    return head, body


def like_warcprox(url: str, exchanges: Iterable[Any]) -> list[bytes]:
    """A file as warcprox writes it. The last page is in it twice, the second time as a revisit."""
    fields = b"software: warcprox 2.6.1\r\nformat: WARC File Format 1.0\r\n"
    records = [warc("warcinfo", [("Content-Type", "application/warc-fields")], fields, 0, version="1.0")]
    number, seen = 1, ("", "")
    for exchange in exchanges:
        target = ("WARC-Target-URI", urljoin(url, exchange.target))
        digest = ("WARC-Payload-Digest", sha1(exchange.response.partition(b"\r\n\r\n")[2]))
        of_block = ("WARC-Block-Digest", sha1(exchange.response))
        address = ("WARC-IP-Address", "127.0.0.1")
        records.append(
            warc(
                "response", [target, address, HTTP_RESPONSE, digest, of_block], exchange.response, number, version="1.0"
            )
        )
        pair = ("WARC-Concurrent-To", f"<{record_id(number)}>")
        records.append(warc("request", [target, HTTP_REQUEST, pair], exchange.request, number + 1, version="1.0"))
        seen, head = (record_id(number), digest[1]), exchange.response.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        number += 2
    refers = [
        ("WARC-Profile", "http://netpreserve.org/warc/1.0/revisit/identical-payload-digest"),
        ("WARC-Refers-To", f"<{seen[0]}>"),
        ("WARC-Refers-To-Target-URI", target[1]),
        ("WARC-Payload-Digest", seen[1]),
        ("WARC-Truncated", "length"),
    ]
    return [*records, warc("revisit", [target, HTTP_RESPONSE, *refers], head, number, version="1.0")]


def like_browsertrix(url: str, exchanges: Iterable[Any]) -> list[bytes]:
    fields = b"software: Browsertrix-Crawler 1.5.0 (with warcio.js 2.4.2)\r\nformat: WARC File Format 1.1\r\n"
    records = [warc("warcinfo", [("Content-Type", "application/warc-fields")], fields, 0)]
    number = 1
    font = b"HTTP/1.1 200 OK\r\ncontent-type: font/woff2\r\n\r\nwOF2"
    third = ("WARC-Target-URI", "https://fonts.gstatic.example/s/a.woff2")
    records.append(warc("response", [third, HTTP_RESPONSE], font, 9000))
    for exchange in exchanges:
        page = urljoin(url, exchange.target)
        head, body = entity(exchange.response)
        kept = [line for line in head.split(b"\r\n")[1:] if b"encoding" not in line.lower()]
        lines = [b"HTTP/1.1 200", b":status: 200", *(name.lower() + b":" + rest for name, rest in map(parted, kept))]
        block = b"\r\n".join([*lines, b"x-orig-content-encoding: gzip", b"", b""]) + body
        protocol = [("WARC-Protocol", "h2"), ("WARC-Protocol", "tls/1.3"), ("WARC-Page-ID", "p1")]
        digest = ("WARC-Payload-Digest", "sha256:" + hashlib.sha256(body).hexdigest())
        asked = f"GET {exchange.target} HTTP/1.1\r\n:authority: portal\r\nuser-agent: x\r\n\r\n".encode()
        of_page = ("WARC-Target-URI", page)
        records.append(warc("response", [of_page, *protocol, HTTP_RESPONSE, digest], block, number))
        records.append(warc("request", [of_page, *protocol, HTTP_REQUEST], asked, number + 1))
        about = json.dumps({"pageid": "p1", "url": page, "urls": {}}).encode()
        plain = [("Content-Type", "text/plain")]
        records.append(warc("resource", [("WARC-Target-URI", f"urn:text:{page}"), *plain], b"text", number + 2))
        as_json = ("Content-Type", "application/json")
        records.append(warc("resource", [("WARC-Target-URI", f"urn:pageinfo:{page}"), as_json], about, number + 3))
        number += 4
    return records


def parted(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name, value


def comparable(items: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        item["item_id"]: {name: value for name, value in item.items() if name not in OF_THE_CAPTURE} for item in items
    }


@pytest.fixture(scope="module")
def crawled(new_portal: Callable[..., Any], new_desk: Callable[..., Any]) -> Any:
    """A portal and the result of a crawl of one of its sections: exchanges of pages, and items."""
    portal = new_portal()
    desk = new_desk(portal, only=SECTION)
    desk.crawl()
    pages = [
        each for each in portal.exchanges if each.response.startswith(b"HTTP/1.1 200") and b"html" in each.response
    ]
    return portal, pages, desk.export()


@pytest.fixture
def desk(crawled: Any, new_desk: Callable[..., Any]) -> Any:
    """An empty archive, with the profile of the portal."""
    return new_desk(crawled[0], only=SECTION)


@pytest.fixture
def warcprox(crawled: Any, tmp_path: Path) -> Path:
    portal, pages, _ = crawled
    path = tmp_path / "warcprox-20240305.warc.gz"
    path.write_bytes(b"".join(map(gzip.compress, like_warcprox(portal.url, pages))))
    return path


@pytest.fixture
def browsertrix(crawled: Any, tmp_path: Path) -> Path:
    portal, pages, _ = crawled
    path = tmp_path / "rec-20240305-0.warc.gz"
    path.write_bytes(b"".join(map(gzip.compress, like_browsertrix(portal.url, pages))))
    return path


@pytest.mark.skipif(shutil.which("wget") is None, reason="wget is not installed")
def test_a_file_of_wget_gives_the_items_of_a_crawl(crawled: Any, desk: Any, tmp_path: Path) -> None:
    portal, _, live = crawled
    start = urljoin(portal.url, f"/tin-tuc/{SECTION}/")
    command = [
        "wget",
        "-q",
        "-r",
        "-l",
        "3",
        "-np",
        "-e",
        "robots=off",
        "--compression=gzip",
        "--warc-file=wget",
        start,
    ]
    subprocess.run(command, cwd=tmp_path, check=False, timeout=60)
    desk.danvan("import-warc", str(tmp_path / "wget.warc.gz"))
    imported = desk.export()
    assert comparable(imported) == comparable(live)
    desk.check_rebuild()
    assert desk.export() == imported
    desk.danvan("verify")


def test_a_file_of_warcprox_gives_the_items_of_a_crawl(crawled: Any, desk: Any, warcprox: Path) -> None:
    said = desk.danvan("import-warc", str(warcprox)).stderr
    assert f"{warcprox}: copied to warc/mau-danvan/" in said
    imported = desk.export()
    assert comparable(imported) == comparable(crawled[2])
    desk.check_rebuild()
    assert desk.export() == imported
    desk.danvan("verify")


def test_a_file_of_browsertrix_gives_the_items_of_a_crawl(crawled: Any, desk: Any, browsertrix: Path) -> None:
    desk.danvan("import-warc", str(browsertrix), "--site", "mau-danvan")
    imported = desk.export()
    assert comparable(imported) == comparable(crawled[2])
    assert all(item["payload_digest"].startswith("sha256:") for item in imported)
    desk.check_rebuild()
    assert desk.export() == imported
    desk.danvan("verify")


def test_every_capture_has_a_digest_and_every_revisit_its_original(desk: Any, warcprox: Path) -> None:
    desk.danvan("import-warc", str(warcprox))
    rows = desk.rows(CAPTURED)
    assert all(status == 200 and digest for _, status, digest, _ in rows)
    (refers_to,) = [refers for _, _, _, refers in rows if refers]
    assert refers_to in {identifier for identifier, _, _, _ in rows}


@pytest.mark.parametrize("pack", [b"".join, lambda records: gzip.compress(b"".join(records))])
def test_other_compression_gives_the_same_records(crawled: Any, desk: Any, tmp_path: Path, pack: Any) -> None:
    portal, pages, live = crawled
    records = like_warcprox(portal.url, pages)
    source = tmp_path / "source.warc"
    source.write_bytes(pack(records))
    desk.danvan("import-warc", str(source))
    assert comparable(desk.export()) == comparable(live)
    (made,) = desk.warc_files()
    assert gzip.decompress(made.read_bytes()).endswith(b"".join(records))


def test_the_copy_has_index_and_manifest(desk: Any, warcprox: Path) -> None:
    desk.danvan("import-warc", str(warcprox))
    (made,) = desk.warc_files()
    stem = made.name.removesuffix(".warc.gz")
    assert len((desk.archive / "index" / f"{stem}.cdxj").read_text().splitlines()) > 9
    digest = hashlib.sha256(made.read_bytes()).hexdigest()
    assert (desk.archive / "index" / f"{stem}.sha256").read_text().startswith(digest)


def test_a_file_is_imported_only_once(desk: Any, warcprox: Path, tmp_path: Path) -> None:
    desk.danvan("import-warc", str(warcprox))
    again = tmp_path / "another-name.warc.gz"
    again.write_bytes(warcprox.read_bytes())
    assert "was imported before, as warc/mau-danvan/" in desk.danvan("import-warc", str(again)).stderr
    assert len(desk.warc_files()) == 1


def test_a_copy_left_by_a_killed_import_is_read_by_the_next_import(desk: Any, warcprox: Path) -> None:
    desk.danvan("import-warc", str(warcprox))
    before = desk.export()
    for path in desk.archive.glob("danvan.sqlite*"):
        path.unlink()
    desk.danvan("import-warc", str(warcprox))
    assert desk.export() == before
    assert len(desk.warc_files()) == 1


def test_records_that_the_archive_already_has_are_refused(desk: Any, warcprox: Path, tmp_path: Path) -> None:
    desk.danvan("import-warc", str(warcprox))
    unpacked = tmp_path / "unpacked.warc"
    unpacked.write_bytes(gzip.decompress(warcprox.read_bytes()))
    said = desk.danvan("import-warc", str(unpacked), code=2).stderr
    assert "not imported: its record urn:uuid:20240305-" in said
    assert len(desk.warc_files()) == 1


def test_hosts_of_no_site_are_counted_and_nothing_is_imported(desk: Any, browsertrix: Path) -> None:
    said = desk.danvan("import-warc", str(browsertrix), code=2).stderr
    assert "fonts.gstatic.example (1)" in said
    assert "--site" in said
    assert not desk.archive.exists()


def test_a_damaged_record_is_named_and_the_rest_is_taken(
    crawled: Any, desk: Any, warcprox: Path, tmp_path: Path
) -> None:
    portal, pages, live = crawled
    members = [gzip.compress(each) for each in like_warcprox(portal.url, pages)]
    broken = bytearray(members[2])
    broken[len(broken) // 2] ^= 0xFF
    source = tmp_path / "source.warc.gz"
    source.write_bytes(b"".join([*members[:2], bytes(broken), *members[3:]]))
    said = desk.danvan("import-warc", str(source), code=8).stderr
    assert f"danvan: {source}: left out: byte {len(members[0] + members[1])}: what is compressed there" in said
    assert comparable(desk.export()) == comparable(live)
    desk.danvan("verify")
    desk.check_rebuild()


def test_a_file_without_a_readable_record_stops_the_import_of_all(desk: Any, warcprox: Path, tmp_path: Path) -> None:
    source = tmp_path / "damaged.warc.gz"
    source.write_bytes(warcprox.read_bytes()[:100])
    said = desk.danvan("import-warc", str(warcprox), str(source), code=8).stderr
    assert f"{source} is damaged: no complete record at byte 0: " in said
    assert not desk.archive.exists()


def test_a_revisit_without_its_original_is_refused(crawled: Any, desk: Any, tmp_path: Path) -> None:
    portal, pages, _ = crawled
    first, *_, revisit = like_warcprox(portal.url, pages)
    source = tmp_path / "source.warc"
    source.write_bytes(first + revisit)
    said = desk.danvan("import-warc", str(source), code=2).stderr
    assert "refers to a record that is neither in the archive nor in these files: urn:uuid:20240305-" in said
    assert desk.warc_files() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_an_import_with_exit_code_7(desk: Any, tmp_path: Path, number: int) -> None:
    source = tmp_path / "dang-den.warc"
    os.mkfifo(source)
    child = desk.start("import-warc", str(source))
    with source.open("wb"):  # returns when the import has opened the file
        child.send_signal(number)
        assert "Traceback" not in desk.finish(child, code=7)
    assert desk.warc_files("*") == []


def test_an_import_into_a_site_that_is_being_crawled_is_refused(desk: Any, warcprox: Path) -> None:
    with SiteLock(desk.archive, "mau-danvan"):
        desk.danvan("import-warc", str(warcprox), code=5)
    assert desk.warc_files() == []


def test_a_crawl_after_an_import_requests_no_imported_article(crawled: Any, desk: Any, warcprox: Path) -> None:
    portal, _, live = crawled
    desk.danvan("import-warc", str(warcprox))
    portal.forget()
    desk.environment["DANVAN_REVISIT_EVERY"] = "0"  # else articles captured more than a year ago are visited
    desk.crawl()
    asked = {urljoin(portal.url, target) for target in portal.targets}
    assert asked.isdisjoint(item["url"] for item in live)
    after = desk.export()
    desk.check_rebuild()
    assert desk.export() == after


def test_an_import_of_pages_crawled_since_gives_the_same_as_a_rebuild(crawled: Any, desk: Any, warcprox: Path) -> None:
    desk.crawl()
    desk.danvan("import-warc", str(warcprox))
    after = desk.export()
    assert {item["first_seen"][:4] for item in after} == {"2024"}
    desk.check_rebuild()
    assert desk.export() == after
