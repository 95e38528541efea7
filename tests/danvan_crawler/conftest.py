"""Shared fixtures: site profiles, messages of real servers, and writers of WARC files."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nights import HOME
from simulation import World

from danvan_crawler import _layout
from danvan_crawler.crawl.runner import project_settings
from danvan_crawler.exceptions import ArchiveError
from danvan_crawler.sample import profile_toml
from danvan_crawler.sites.profile import Site
from danvan_crawler.warc.records import Exchange
from danvan_crawler.warc.writer import WarcWriter

_layout.activate()  # families are looked up by name

REQUIRED = {
    "slug": '"thanhhoa-danvan"',
    "name": '"Ban Dân vận Tỉnh ủy Thanh Hóa"',
    "family": '"danvan_portal"',
    "home": '"https://danvan.example.vn/"',
    "province": '"VN-21"',
    "body": '"ban-dan-van"',
}
SECTIONS = """
[[sections]]
name = "Tin tức - Sự kiện"
url = "https://danvan.example.vn/tin-tuc/"
"""

GZIPPED = gzip.compress("Ban Dân vận Tỉnh ủy".encode() * 40, mtime=0)
PAGE = "<html><title>Dân vận khéo</title></html>".encode()


@pytest.fixture
def profile() -> Callable[..., str]:
    """Makes the TOML of a valid profile: keys (values are TOML) added or replaced, one left out, tables appended."""

    def make(*, sections: str = SECTIONS, end: str = "", without: str = "", **keys: str) -> str:
        facts = {**REQUIRED, **keys}
        facts.pop(without, None)
        return "".join(f"{key} = {value}\n" for key, value in facts.items()) + sections + end

    return make


def _response(*lines: bytes, body: bytes = b"", end: bytes = b"\r\n") -> bytes:
    return end.join(lines) + end + end + body


@dataclass(frozen=True)
class Nasty:
    """A response as received, and its expected properties."""

    name: str
    message: bytes
    status: int | None
    entity: bytes


_CHUNKED = b"Transfer-Encoding: chunked"
_LENGTH = b"Content-Length: "
_OK = b"HTTP/1.1 200 OK"

NASTY = [
    Nasty("plain", _response(_OK, b"Content-Length: 5", body=b"hello"), 200, b"hello"),
    Nasty("odd_case_of_names", _response(_OK, b"cOnTeNt-lEnGtH: 5", b"SERVER: x", body=b"hello"), 200, b"hello"),
    Nasty("repeated_fields", _response(_OK, b"Set-Cookie: a=1", b"Set-Cookie: a=1", b"Vary: x", body=PAGE), 200, PAGE),
    Nasty("latin_1_in_a_field", _response(_OK, b"X-Author: Nguy\xean", body=PAGE), 200, PAGE),
    Nasty("utf_8_in_a_field", _response(_OK, "Content-Disposition: inline; filename=văn.pdf".encode()), 200, b""),
    Nasty("invalid_bytes_in_a_field", _response(_OK, b"X-Raw: \xff\xfe\x80\x01", body=PAGE), 200, PAGE),
    Nasty("odd_reason", _response(b"HTTP/1.1 200 Tuy\xe1\xbb\x87t v\xe1\xbb\x9di", body=PAGE), 200, PAGE),
    Nasty("latin_1_reason", _response(b"HTTP/1.1 404 Introuvable \xe0", body=PAGE), 404, PAGE),
    Nasty("no_reason", _response(b"HTTP/1.1 200", body=PAGE), 200, PAGE),
    Nasty("no_reason_but_a_space", _response(b"HTTP/1.1 200 ", body=PAGE), 200, PAGE),
    Nasty("http_1_0", _response(b"HTTP/1.0 200 OK", b"Server: Apache/1.3", body=PAGE), 200, PAGE),
    Nasty("no_fields", _response(_OK, body=PAGE), 200, PAGE),
    Nasty("chunked", _response(_OK, _CHUNKED, body=b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"), 200, b"hello world"),
    Nasty(
        "chunked_with_extensions",
        _response(_OK, _CHUNKED, body=b'5;a=1;b="x"\r\nhello\r\n1 ; c\r\n!\r\n0;last\r\n\r\n'),
        200,
        b"hello!",
    ),
    Nasty(
        "chunked_with_trailers",
        _response(_OK, _CHUNKED, b"Trailer: X", body=b"5\r\nhello\r\n0\r\nX-Sum: 9\r\nX-End: 1\r\n\r\n"),
        200,
        b"hello",
    ),
    Nasty(
        "chunked_sizes_of_odd_form",
        _response(_OK, _CHUNKED, body=b"00b\r\nhello world\r\n00\r\n\r\n"),
        200,
        b"hello world",
    ),
    Nasty("chunked_cut_in_a_chunk", _response(_OK, _CHUNKED, body=b"5\r\nhello\r\nff\r\nwor"), 200, b"hellowor"),
    Nasty("chunked_cut_in_a_size", _response(_OK, _CHUNKED, body=b"5\r\nhello\r\n1"), 200, b"hello"),
    Nasty("chunked_cut_before_the_last_chunk", _response(_OK, _CHUNKED, body=b"5\r\nhello\r\n"), 200, b"hello"),
    Nasty("chunked_malformed", _response(_OK, _CHUNKED, body=b"5\r\nhelloXX6\r\n world\r\n0\r\n\r\n"), 200, b"hello"),
    Nasty("chunked_that_is_not", _response(_OK, _CHUNKED, body=PAGE), 200, b""),
    Nasty("chunked_lf_only", _response(_OK, _CHUNKED, body=b"5\nhello\n0\n\n"), 200, b"hello"),
    Nasty(
        "chunked_beside_content_length",
        _response(_OK, b"Content-Length: 3", b"transfer-encoding: Chunked", body=b"5\r\nhello\r\n0\r\n\r\n"),
        200,
        b"hello",
    ),
    Nasty(
        "chunked_gzip",
        _response(_OK, b"Content-Encoding: gzip", _CHUNKED, body=b"%x\r\n%b\r\n0\r\n\r\n" % (len(GZIPPED), GZIPPED)),
        200,
        GZIPPED,
    ),
    Nasty("gzip", _response(_OK, b"Content-Encoding: gzip", body=GZIPPED), 200, GZIPPED),
    Nasty("gzip_cut_short", _response(_OK, b"Content-Encoding: gzip", body=GZIPPED[:20]), 200, GZIPPED[:20]),
    Nasty("gzip_that_is_not", _response(_OK, b"Content-Encoding: gzip", body=PAGE), 200, PAGE),
    Nasty("no_content_204", _response(b"HTTP/1.1 204 No Content", b"Date: x"), 204, b""),
    Nasty("not_modified_304", _response(b"HTTP/1.1 304 Not Modified", b"Content-Length: 900"), 304, b""),
    Nasty("answer_to_head", _response(_OK, b"Content-Length: 12345"), 200, b""),
    Nasty("content_length_zero", _response(b"HTTP/1.1 301 Moved", b"Location: /a", b"Content-Length: 0"), 301, b""),
    Nasty("content_length_too_long", _response(_OK, b"Content-Length: 99", body=b"hel"), 200, b"hel"),
    Nasty("content_length_too_short", _response(_OK, b"Content-Length: 3", body=b"hello"), 200, b"hel"),
    Nasty("content_length_twice", _response(_OK, _LENGTH + b"3, 3", _LENGTH + b"3", body=b"abcd"), 200, b"abc"),
    Nasty("content_length_contradictory", _response(_OK, _LENGTH + b"3", _LENGTH + b"4", body=b"abcd"), 200, b"abcd"),
    Nasty("content_length_negative", _response(_OK, _LENGTH + b"-3", body=b"abcd"), 200, b"abcd"),
    Nasty("content_length_of_5000_digits", _response(_OK, _LENGTH + b"9" * 5000, body=b"abcd"), 200, b"abcd"),
    Nasty("lf_only", _response(_OK, b"Content-Length: 5", body=b"hello", end=b"\n"), 200, b"hello"),
    Nasty("mixed_line_ends", b"HTTP/1.1 200 OK\r\nA: b\nContent-Length: 5\n\r\nhello", 200, b"hello"),
    Nasty("folded_field", _response(_OK, b"X-Long: one", b"\ttwo", b"  three", body=PAGE), 200, PAGE),
    Nasty("line_without_colon", _response(_OK, b"garbage here", b"Content-Length: 5", body=b"hello"), 200, b"hello"),
    Nasty(
        "blank_lines_in_the_body", _response(_OK, body=b"\r\n\r\nWARC/1.1\r\n\r\n"), 200, b"\r\n\r\nWARC/1.1\r\n\r\n"
    ),
    Nasty("all_byte_values", _response(_OK, body=bytes(range(256)) * 3), 200, bytes(range(256)) * 3),
    Nasty("head_that_never_ended", b"HTTP/1.1 200 OK\r\nServer: ngi", 200, b""),
    Nasty("no_http_at_all", b"SSH-2.0-OpenSSH_9.2\r\n", None, b""),
    Nasty("nothing", b"", None, b""),
]


@pytest.fixture(params=NASTY, ids=lambda nasty: nasty.name)
def nasty(request: pytest.FixtureRequest) -> Nasty:
    found = request.param
    assert isinstance(found, Nasty)
    return found


@pytest.fixture
def all_nasty() -> list[Nasty]:
    return NASTY


REQUEST = b"GET /tin-tuc/ HTTP/1.1\r\nHost: portal.example\r\nAccept-Encoding: gzip, deflate\r\n\r\n"
RESPONSE = _response(_OK, b"Content-Type: Text/HTML; charset=UTF-8", b"Content-Length: 5", body=b"hello")
BEGAN = datetime(2026, 11, 23, 7, 46, 11, 123456, tzinfo=UTC)


@pytest.fixture
def exchange() -> Exchange:
    """An ordinary exchange."""
    return Exchange(
        url="https://portal.example/tin-tuc/",
        request=REQUEST,
        response=RESPONSE,
        began_at=BEGAN,
        ip_address="192.0.2.7",
    )


MakeWriter = Callable[..., WarcWriter]


@pytest.fixture
def make_writer(tmp_path: Path) -> Iterator[MakeWriter]:
    """Makes writers of site `thanhhoa-danvan` in the archive `tmp_path`, and closes them at the end."""
    writers: list[WarcWriter] = []

    def make(**options: object) -> WarcWriter:
        settings = {"warcinfo": {"software": "danvan-crawler/0 (test)", "robots": "obey"}, **options}
        writer = WarcWriter(tmp_path, "thanhhoa-danvan", **settings)  # type: ignore[arg-type]
        writers.append(writer)
        return writer

    yield make
    for writer in writers:
        with suppress(ArchiveError):  # the test may already have recovered the file
            writer.close()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """An archive of the sample portal over several nights, in this process."""
    folder = tmp_path / "world"
    folder.mkdir()
    return World(
        folder,
        Site.parse(profile_toml(HOME), origin="the sample's profile"),
        project_settings({"DANVAN_ARCHIVE": str(folder / "archive")}),
        lambda moment: monkeypatch.setenv("DANVAN_CLOCK", moment.isoformat()),
    )
