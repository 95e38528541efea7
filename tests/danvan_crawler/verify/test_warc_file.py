"""Defective WARC files, each small and named after its defect, and valid ones of several tools."""

from __future__ import annotations

import base64
import gzip
import hashlib
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from danvan_crawler.verify.findings import KINDS, Finding
from danvan_crawler.verify.ledger import Ledger
from danvan_crawler.verify.warc_file import verify_warc
from danvan_crawler.warc.records import IDENTICAL_PAYLOAD, NOT_MODIFIED, Exchange, Revisit

URL = "http://danvan.example.vn/tin-1.html"
DATE = "2026-11-23T07:46:11.123456Z"
PAGE = b"<html>Dan van kheo</html>"
MESSAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%b" % (len(PAGE), PAGE)
CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS
ASKED = b"GET /tin-1.html HTTP/1.1\r\nHost: danvan.example.vn\r\n\r\n"
IDENTICAL = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"

Fields = dict[str, str | None]
Check = Callable[[bytes], list[Finding]]


def identifier(number: int) -> str:
    return f"<urn:uuid:00000000-0000-4000-8000-{number:012}>"


def sha1(data: bytes) -> str:
    return "sha1:" + base64.b32encode(hashlib.sha1(data).digest()).decode()


def text(number: int, kind: str, block: bytes, version: str = "WARC/1.1", **changed: str | None) -> bytes:
    """A record as it is before it is compressed; a field that is None is left out, `_` stands for `-`."""
    fields: Fields = {
        "WARC-Type": kind,
        "WARC-Record-ID": identifier(number),
        "WARC-Date": DATE,
        "WARC-Target-URI": None if kind == "warcinfo" else URL,
        "WARC-Block-Digest": sha1(block),
        "Content-Type": f"application/http;msgtype={kind}",
        "Content-Length": str(len(block)),
        **{name.replace("_", "-"): value for name, value in changed.items()},
    }
    lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return "\r\n".join([version, *lines, "", ""]).encode() + block + b"\r\n\r\n"


def member(record: bytes) -> bytes:
    return gzip.compress(record, mtime=0)


def info(software: str = "danvan-crawler/0", **changed: str | None) -> bytes:
    block = f"software: {software}\r\nformat: WARC File Format 1.1\r\n".encode()
    return text(1, "warcinfo", block, **{"Content_Type": "application/warc-fields", **changed})  # type: ignore[arg-type]


def request(**changed: str | None) -> bytes:
    return text(2, "request", ASKED, **{"WARC_Concurrent_To": identifier(3), **changed})  # type: ignore[arg-type]


def response(message: bytes = MESSAGE, entity: bytes = PAGE, **changed: str | None) -> bytes:
    return text(3, "response", message, **{"WARC_Payload_Digest": sha1(entity), **changed})  # type: ignore[arg-type]


def revisit(**changed: str | None) -> bytes:
    head = MESSAGE.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    fields = {
        "WARC_Profile": IDENTICAL,
        "WARC_Refers_To": identifier(3),
        "WARC_Refers_To_Target_URI": URL,
        "WARC_Refers_To_Date": DATE,
        "WARC_Payload_Digest": sha1(PAGE),
        "WARC_Truncated": "length",
        "Content_Type": "application/http;msgtype=response",
    }
    return text(5, "revisit", head, **{**fields, **changed})  # type: ignore[arg-type]


def asks_again() -> bytes:
    return text(4, "request", ASKED, WARC_Concurrent_To=identifier(5))


def file(*records: bytes) -> bytes:
    return b"".join(map(member, records))


SOUND = file(info(), request(), response(), asks_again(), revisit())
FIRST = len(member(info()))
LAST = len(file(info(), request()))


def pair(changed: bytes) -> bytes:
    """The file with another response."""
    return file(info(), request(), changed)


def with_a_flipped_bit(at: int) -> bytes:
    data = bytearray(SOUND)
    data[at] ^= 0x10
    return bytes(data)


DEFECTS: dict[str, tuple[str, bytes]] = {
    # name of the defect -> kind of the expected finding, the file
    "no bytes at all": ("empty-file", b""),
    "a file that is not compressed": ("not-gzip", info() + request() + response()),
    "the last record cut short": ("truncated", SOUND[:-40]),
    "only the last eight bytes lost": ("truncated", SOUND[:-8]),
    "only the first two bytes of a record": ("truncated", SOUND + b"\x1f\x8b"),
    "a deflate stream that is none": ("corrupt-gzip", SOUND[: FIRST + 10] + b"\xff" * 30 + SOUND[FIRST + 40 :]),
    "a wrong CRC": ("bad-checksum", with_a_flipped_bit(FIRST - 6)),
    "a wrong length in a gzip trailer": ("bad-checksum", with_a_flipped_bit(FIRST - 2)),
    "zeros after the last record": ("trailing-garbage", SOUND + bytes(500)),
    "text after the last record": ("trailing-garbage", SOUND + b"cut and pasted by hand"),
    "text between two records": ("garbage-between-records", SOUND[:FIRST] + b"oops" * 9 + SOUND[FIRST:]),
    "all records in one gzip member": ("several-records-in-a-member", member(info() + request() + response())),
    "two records in one gzip member": (
        "several-records-in-a-member",
        member(info()) + member(request() + response()),
    ),
    "a member that holds no record": ("not-a-record", file(info(), b"hello")),
    "an empty member": ("not-a-record", file(info(), b"")),
    "a record over two members": ("not-a-record", file(info(), request(), response()[:-90], response()[-90:])),
    "an unknown version": ("bad-version", pair(response(version="WARC/2.0"))),
    "a header without an end": ("no-header-end", file(info(), b"WARC/1.1\r\nWARC-Type: response\r\n")),
    "a header that ends its lines in LF": ("no-header-end", file(info(), request().replace(b"\r\n", b"\n"))),
    "a line without a colon": ("bad-header-line", pair(response().replace(b"WARC-Date:", b"WARC-Date"))),
    "no type": ("missing-field", pair(response(WARC_Type=None))),
    "no id": ("missing-field", pair(response(WARC_Record_ID=None))),
    "no date": ("missing-field", pair(response(WARC_Date=None))),
    "no length": ("missing-field", pair(response(Content_Length=None))),
    "no target": ("missing-field", pair(response(WARC_Target_URI=None))),
    "a field twice": ("repeated-field", pair(response(**{"warc-date": DATE}))),  # type: ignore[arg-type]
    "an id without brackets": ("bad-record-id", pair(response(WARC_Record_ID=identifier(3)[1:-1]))),
    "an id that is used twice": ("duplicate-id", file(info(), request(), response(), response())),
    "a date without a zone": ("bad-date", pair(response(WARC_Date="2026-11-23T07:46:11"))),
    "a date of 14 digits": ("bad-date", pair(response(WARC_Date="20261123074611"))),
    "a date in month 13": ("bad-date", pair(response(WARC_Date="2026-13-23T07:46:11Z"))),
    "a length that is no number": ("bad-content-length", pair(response(Content_Length="many"))),
    "a length that is too small": ("length-mismatch", pair(response(Content_Length="20"))),
    "a length that is too large": ("length-mismatch", pair(response(Content_Length="2000"))),
    "no line breaks at the end": ("missing-record-end", pair(response()[:-4])),
    "one line break too few": ("missing-record-end", pair(response()[:-2])),
    "no content type": ("missing-content-type", pair(response(Content_Type=None))),
    "a target that is no URI": ("bad-target-uri", pair(response(WARC_Target_URI="/tin-1.html"))),
    "an address that is none": ("bad-ip-address", pair(response(WARC_IP_Address="300.1.1.1"))),
    "another block": ("block-digest-mismatch", pair(response(WARC_Block_Digest=sha1(b"another")))),
    "another payload": ("payload-digest-mismatch", pair(response(WARC_Payload_Digest=sha1(b"another")))),
    "a payload digest over chunks": (
        "payload-digest-mismatch",
        pair(response(CHUNKED, CHUNKS)),
    ),
    "a digest that is no base32": ("block-digest-mismatch", pair(response(WARC_Block_Digest="sha1:!!"))),
    "no status line": ("bad-http-status", pair(response(b"<html></html>", b"<html></html>"))),
    "no request line": ("bad-http-request", file(info(), text(2, "request", b"\r\n", WARC_Concurrent_To=None))),
    "a chunked message that breaks off": ("unmarked-truncation", pair(response(CHUNKED[:-9], b"hello"))),
    "a body shorter than announced": ("unmarked-truncation", pair(response(MESSAGE[:-5], PAGE[:-5]))),
    "a request for a response that is not there": ("missing-partner", file(info(), request())),
    "a response without its request": ("missing-request", file(info(), response())),
    "a file that nobody described": (
        "missing-warcinfo",
        file(request(), response(WARC_Warcinfo_ID=identifier(1))),
    ),
    "a revisit without a profile": ("revisit-incomplete", SOUND[:0] + file(info(), revisit(WARC_Profile=None))),
    "a revisit without the id": ("revisit-incomplete", file(info(), revisit(WARC_Refers_To=None))),
    "a revisit without the date": ("revisit-incomplete", file(info(), revisit(WARC_Refers_To_Date=None))),
    "a revisit without a digest": ("revisit-incomplete", file(info(), revisit(WARC_Payload_Digest=None))),
    "a revisit to nothing": ("revisit-target-missing", file(info(), asks_again(), revisit())),
    "a revisit of another payload": (
        "revisit-digest-differs",
        file(info(), request(), response(), asks_again(), revisit(WARC_Payload_Digest=sha1(b"another"))),
    ),
}


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Verifies one file that is a whole archive."""

    def run(data: bytes) -> list[Finding]:
        path = tmp_path / "x.warc.gz"
        path.write_bytes(data)
        return verified(path)

    return run


def verified(*paths: Path, whole: bool = True) -> list[Finding]:
    found: list[Finding] = []
    with Ledger() as ledger:
        for path in paths:
            verify_warc(path, path.name, ledger, found.append)
        ledger.report_missing(found.append, whole=whole)
    return found


def damage(found: list[Finding]) -> list[str]:
    return [str(finding) for finding in found if finding.damage]


@pytest.mark.parametrize("defect", DEFECTS)
def test_the_defect_is_found_and_named(check: Check, defect: str) -> None:
    kind, data = DEFECTS[defect]
    assert kind in {finding.kind for finding in check(data) if finding.damage}


def test_the_file_that_the_defects_are_made_from_is_valid(check: Check) -> None:
    assert check(SOUND) == []


def test_a_finding_has_the_byte_of_its_record(check: Check) -> None:
    found = check(SOUND[:FIRST] + b"oops" + SOUND[FIRST:])
    assert [(finding.kind, finding.offset) for finding in found] == [("garbage-between-records", FIRST)]


def test_records_after_damage_are_checked_too(check: Check) -> None:
    wrong = response(WARC_Block_Digest=sha1(b"another"))
    found = check(member(info()) + b"oops" + member(request()) + member(wrong))
    assert [finding.kind for finding in found] == ["garbage-between-records", "block-digest-mismatch"]


@pytest.mark.slow
def test_no_byte_can_be_changed_without_a_finding(tmp_path: Path) -> None:
    data = file(info(), request(), response())
    chance = random.Random(5)
    silent = []
    path = tmp_path / "x.warc.gz"
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= chance.randrange(1, 256)
        path.write_bytes(changed)
        # For example, the time in a gzip header and the bits after the end of a deflate stream change nothing.
        if not damage(verified(path)) and gzip.decompress(changed) != gzip.decompress(data):
            silent.append(at)
    assert silent == []


@pytest.mark.slow
def test_every_cut_is_found(tmp_path: Path) -> None:
    path = tmp_path / "x.warc.gz"
    ends = {
        len(file(info())),
        LAST,
        len(SOUND),
        len(pair(response())),
        len(file(info(), request(), response(), asks_again())),
    }
    silent = []
    for size in range(len(SOUND)):
        path.write_bytes(SOUND[:size])
        if size not in ends and not damage(verified(path)):
            silent.append(size)
    assert silent == []


def test_the_torn_end_of_an_open_file_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "x.warc.gz.open"
    path.write_bytes(SOUND[:LAST] + member(response()) + member(asks_again())[:30])
    assert [(finding.kind, finding.damage) for finding in verified(path)] == [("unfinished", False)]


def test_the_target_of_a_revisit_may_be_in_another_file(tmp_path: Path) -> None:
    first, second = tmp_path / "1.warc.gz", tmp_path / "2.warc.gz"
    first.write_bytes(pair(response()))
    second.write_bytes(file(info(WARC_Record_ID=identifier(9)), asks_again(), revisit()))
    assert verified(first, second) == []


def test_a_reference_to_another_file_is_no_damage_of_a_single_file(tmp_path: Path) -> None:
    path = tmp_path / "x.warc.gz"
    path.write_bytes(file(info(), asks_again(), revisit()))
    assert [(found.kind, found.damage) for found in verified(path, whole=False)] == [("revisit-target-missing", False)]


def test_a_revisit_without_an_id_finds_its_target_by_address_and_date(check: Check) -> None:
    data = file(info("other/1"), request(), response(), asks_again(), revisit(WARC_Refers_To=None))
    assert damage(check(data)) == []


def test_the_payload_digest_of_warcio_is_reported_and_no_damage(check: Check) -> None:
    framed = response(CHUNKED, CHUNKS)
    found = check(file(info("Wget/1.21"), request(), framed))
    assert [(finding.kind, finding.damage) for finding in found] == [("payload-digest-of-framed-body", False)]


def test_a_response_to_head_may_have_a_content_length_without_a_body(check: Check) -> None:
    asked = text(2, "request", ASKED.replace(b"GET", b"HEAD"), WARC_Concurrent_To=identifier(3))
    assert check(file(info(), asked, response(MESSAGE[: -len(PAGE)], b""))) == []


def test_a_marked_truncation_is_valid(check: Check) -> None:
    assert check(pair(response(MESSAGE[:-5], PAGE[:-5], WARC_Truncated="disconnect"))) == []


def test_digests_in_base16_and_of_other_algorithms_are_checked(check: Check) -> None:
    assert check(pair(response(WARC_Block_Digest="sha-256:" + hashlib.sha256(MESSAGE).hexdigest()))) == []
    wrong = "sha256:" + hashlib.sha256(b"another").hexdigest()
    assert [finding.kind for finding in check(pair(response(WARC_Block_Digest=wrong)))] == ["block-digest-mismatch"]


def test_our_writer_makes_valid_files(all_nasty: list[Any], make_writer: Callable[..., Any]) -> None:
    writer = make_writer()
    began = datetime(2026, 11, 23, tzinfo=UTC)
    for nasty in all_nasty:
        # The recorder marks truncated responses.
        cut: Literal["disconnect"] | None = (
            "disconnect"
            if nasty.name.startswith(("chunked_cut", "content_length_too_long", "answer_to_head"))
            else None
        )
        if nasty.status is not None:
            writer.write_exchange(
                Exchange(
                    URL, ASKED, nasty.message, began, truncated=cut, interim=b"HTTP/1.1 103 E\r\n\r\n", surplus=b"x"
                )
            )
    (path,) = writer.close()
    assert verified(path) == []


@pytest.mark.parametrize("profile", [IDENTICAL_PAYLOAD, NOT_MODIFIED])
def test_our_writer_makes_valid_revisits(make_writer: Callable[..., Any], exchange: Exchange, profile: str) -> None:
    writer = make_writer()
    first = writer.write_exchange(exchange)
    target = Revisit(profile, first.warc_record_id, first.url, first.date, first.payload_digest)
    later = exchange
    if profile == NOT_MODIFIED:
        later = replace(exchange, response=b"HTTP/1.1 304 Not Modified\r\nContent-Length: 900\r\n\r\n")
    writer.write_exchange(later, revisit=target)
    (path,) = writer.close()
    assert verified(path) == []


# warcio leaves its temporary files to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("brackets", [False, True], ids=["plain", "as wget"])
def test_files_of_warcio_and_wget_are_valid(tmp_path: Path, version: str, brackets: bool) -> None:
    path = tmp_path / "x.warc.gz"
    url = f"<{URL}>" if brackets else URL
    with path.open("wb") as out:
        writer = WARCWriter(out, gzip=True, warc_version=version)
        writer.write_record(writer.create_warcinfo_record("x.warc.gz", {"software": "Wget/1.21.3 (linux-gnu)"}))
        for framing, body in ((("Content-Length", str(len(PAGE))), PAGE), (("Transfer-Encoding", "chunked"), CHUNKS)):
            head = StatusAndHeaders("200 OK", [("Content-Type", "text/html"), framing], protocol="HTTP/1.1")
            one = writer.create_warc_record(url, "response", BytesIO(body), len(body), http_headers=head)
            first = StatusAndHeaders("GET / HTTP/1.1", [("Host", "x")], is_http_request=True)
            writer.write_request_response_pair(writer.create_warc_record(url, "request", http_headers=first), one)
        digest, date = map(one.rec_headers.get_header, ("WARC-Payload-Digest", "WARC-Date"))
        writer.write_record(writer.create_revisit_record(url, digest, URL, date, http_headers=head))
        for target, kind, block, media in (
            ("urn:x:log", "resource", b"log", "text/plain"),
            ("dns:x", "response", b"x A 1", "text/dns"),
        ):
            writer.write_record(writer.create_warc_record(target, kind, BytesIO(block), warc_content_type=media))
    assert damage(verified(path)) == []


def test_every_kind_has_a_description() -> None:
    assert all(sentence and not sentence.endswith(".") for sentence in KINDS.values())
