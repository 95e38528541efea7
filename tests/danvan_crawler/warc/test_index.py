"""CDXJ lines against those of cdxj-indexer, and the files beside a WARC file."""

from __future__ import annotations

import random
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from danvan_crawler.exceptions import ArchiveDamagedError
from danvan_crawler.warc.index import (
    index_lines,
    index_path,
    manifest_path,
    merged,
    write_index,
    write_index_and_manifest,
    write_missing_indexes,
)
from danvan_crawler.warc.records import Exchange, build_record, new_record_id
from danvan_crawler.warc.surt import surt

with warnings.catch_warnings():  # it has escape sequences for which new Python versions warn
    warnings.simplefilter("ignore")
    from surt import surt as their_surt

DATE = "2026-11-23T07:46:11.123456Z"
PAGE = b"<html>Dan van kheo</html>"
ADDRESSES = [
    "http://www.portal.example/",
    "https://WWW2.Portal.example:443/Tin%2520tuc/?b=2&a=1&&A",
    "http://portal.example:8080/x/../y//z/./",
    "http://tỉnh.example/Đường/?Q=Ấ",
    "http://user:secret@portal.example/a#part",
    "http://portal.example?",
    "http://portal.example/%2e%2e/a b%00?x=%26y=%3d",
    "http://portal.example/?jsessionid=0123456789abcdef0123456789abcdef&x=1",
    "http://portal.example/(S(0123456789abcdef01234567))/x.aspx?q",
    "http://[2001:db8::1]:80/x",
    "http://3221225985/",
    "http://0300.0.2.1/",
    "http://192.0.513/",
    "http:////portal.example/",
    "http://http://portal.example/",
    "portal.example/x",
    "urn:danvan:interim:AB-cd/",
    "dns:www.portal.example",
    "filedesc://x.arc",
    "",
]


def theirs(path: Path) -> list[str]:
    """The lines of cdxj-indexer for a file, sorted; in another process, since warcio leaves files open."""
    command = [sys.executable, "-m", "cdxj_indexer.main", str(path)]
    return sorted(subprocess.run(command, capture_output=True, check=True).stdout.decode().splitlines(keepends=True))


@pytest.mark.slow
def test_lines_of_our_files_are_those_of_cdxj_indexer(
    all_nasty: list[Any], make_writer: Callable[..., Any], exchange: Exchange, tmp_path: Path
) -> None:
    writer = make_writer(profile="slug = 'x'\n")
    for number, nasty in enumerate(all_nasty):
        url = f"https://www.Portal.example/Tin tức/{number}?b=1&A=2"
        interim = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" if number % 3 == 0 else b""
        writer.write_exchange(
            replace(exchange, url=url, response=nasty.message, interim=interim, surplus=b"x" * (number % 2))
        )
    (path,) = writer.close()
    assert sorted(index_lines(path)) == theirs(path)


@pytest.mark.slow
def test_lines_of_revisits_metadata_and_resources_are_those_of_cdxj_indexer(tmp_path: Path) -> None:
    path = tmp_path / "x.warc.gz"
    head = b"HTTP/1.1 304 Not Modified\r\nContent-Type: text/html\r\n\r\n"
    records = [
        ("revisit", head, "application/http;msgtype=response", [("WARC-Payload-Digest", "sha1:3I42H3S6")]),
        ("revisit", head, "application/http;msgtype=response", []),
        ("revisit", b"", "application/http;msgtype=response", []),
        ("metadata", b"a: b\r\n", "application/warc-fields", []),
        ("metadata", b"a = 1\n", "application/toml; charset=utf-8", []),
        ("resource", b"a: b\r\n", "application/warc-fields", []),
        ("resource", b"<p>", "Text/HTML", []),
        ("resource", b"", "text/html", []),
        ("request", b"GET / HTTP/1.1\r\n\r\n", "application/http;msgtype=request", []),
    ]
    path.write_bytes(
        b"".join(
            build_record(
                kind,  # type: ignore[arg-type]
                block,
                record_id=new_record_id(),
                date=DATE,
                content_type=media,
                fields=[("WARC-Target-URI", f"http://a.example/{number}"), *fields],
            )
            for number, (kind, block, media, fields) in enumerate(records)
        )
    )
    assert sorted(index_lines(path)) == theirs(path)


# warcio leaves its temporary files to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.slow
def test_lines_of_warcios_files_are_those_of_cdxj_indexer(version: str, tmp_path: Path) -> None:
    path = tmp_path / "x.warc.gz"
    with path.open("wb") as out:
        writer = WARCWriter(out, gzip=True, warc_version=version)
        writer.write_record(writer.create_warcinfo_record("x.warc.gz", {"software": "Wget/1.21"}))
        for number, fields in enumerate(
            (
                [("Content-Type", "text/html; charset=utf-8")],
                [("content-type", ""), ("Content-Encoding", "gzip")],
                [("Transfer-Encoding", "chunked"), ("X-U", "ä")],
                [],
            )
        ):
            head = StatusAndHeaders("200 Fine", fields, protocol="HTTP/1.1")
            url = f"<http://www.a.example:80/B{number}?c d>"
            writer.write_record(writer.create_warc_record(url, "response", BytesIO(PAGE), len(PAGE), http_headers=head))
        writer.write_record(writer.create_revisit_record(url, "sha1:3I42H3S6", url, DATE, http_headers=head))
        writer.write_record(writer.create_warc_record("dns:a.example", "response", BytesIO(b"x"), 1))
    assert sorted(index_lines(path)) == theirs(path)


@pytest.mark.parametrize("url", ADDRESSES)
def test_a_key_is_that_of_the_surt_library(url: str) -> None:
    assert surt(url) == their_surt(url)


def test_keys_of_unusual_addresses_are_those_of_the_surt_library() -> None:
    chance = random.Random(2)
    parts = [*"/.?&=;#@[]%1aBữ\\ \x7f", "http://", "www.", ".vn", ":80", ":443", "//", "..", "%2F", "%252f", "%c3%28"]
    different = []
    for _ in range(5000):
        url = chance.choice(["http://", "https://", "urn:", ""]) + "".join(chance.choices(parts, k=8))
        if key(surt, url) != key(their_surt, url):
            different.append(url)
    assert different == []


def key(make: Callable[[str], str], url: str) -> str:
    """The key, or the address if there is no key, as in cdxj-indexer."""
    try:
        return make(url)
    except Exception:
        return url


def test_the_index_is_sorted_and_named_after_the_file(
    make_writer: Callable[..., Any], exchange: Exchange, tmp_path: Path
) -> None:
    writer = make_writer()
    for name in "cab":
        writer.write_exchange(replace(exchange, url=f"http://a.example/{name}"))
    (path,) = writer.close()
    written = write_index(tmp_path, path)
    assert written == tmp_path / "index" / (path.name.removesuffix(".warc.gz") + ".cdxj")
    assert written.read_text() == "".join(sorted(index_lines(path)))


@pytest.mark.parametrize("at_once", [1, 4, 9, 10, 11])
def test_an_index_of_many_lines_is_sorted(
    make_writer: Callable[..., Any], exchange: Exchange, tmp_path: Path, monkeypatch: Any, at_once: int
) -> None:
    monkeypatch.setattr("danvan_crawler.warc.index._SORTED_AT_ONCE", at_once)
    writer = make_writer()
    for name in "jcgaifbhde":
        writer.write_exchange(replace(exchange, url=f"http://a.example/{name}"))
    (path,) = writer.close()
    written = write_index(tmp_path, path).read_text()
    assert written == "".join(sorted(index_lines(path)))
    assert written.count("\n") == 10


def test_sha256sum_accepts_the_manifest(make_writer: Callable[..., Any], exchange: Exchange, tmp_path: Path) -> None:
    writer = make_writer()
    writer.write_exchange(exchange)
    (path,) = writer.close()
    write_index_and_manifest(tmp_path, path)
    name = manifest_path(tmp_path, path).relative_to(tmp_path)
    assert subprocess.run(["sha256sum", "-c", "--quiet", name], cwd=tmp_path, check=False).returncode == 0


def test_only_missing_indexes_are_written(make_writer: Callable[..., Any], exchange: Exchange, tmp_path: Path) -> None:
    writer = make_writer()
    writer.write_exchange(exchange)
    (path,) = writer.close()
    index_path(tmp_path, path).parent.mkdir()
    index_path(tmp_path, path).write_text("as it was\n")
    assert write_missing_indexes(tmp_path, [path]) == []
    assert index_path(tmp_path, path).read_text() == "as it was\n"
    assert manifest_path(tmp_path, path).exists()


@pytest.mark.parametrize("at_once", [1, 10_000])
def test_a_damaged_file_gets_no_index(
    make_writer: Callable[..., Any], exchange: Exchange, tmp_path: Path, monkeypatch: Any, at_once: int
) -> None:
    monkeypatch.setattr("danvan_crawler.warc.index._SORTED_AT_ONCE", at_once)
    writer = make_writer()
    for name in "ab":
        writer.write_exchange(replace(exchange, url=f"http://a.example/{name}"))
    (path,) = writer.close()
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ArchiveDamagedError, match="no complete record at byte"):
        write_index(tmp_path, path)
    assert list(tmp_path.glob("index/*")) == []


def test_a_damaged_file_is_reported_and_other_files_get_their_index(
    make_writer: Callable[..., Any], exchange: Exchange, tmp_path: Path
) -> None:
    paths = []
    for _ in range(2):
        writer = make_writer()
        writer.write_exchange(exchange)
        paths += writer.close()
    paths[0].write_bytes(paths[0].read_bytes()[:-5])
    (told,) = write_missing_indexes(tmp_path, paths)
    assert str(paths[0]) in told
    assert index_path(tmp_path, paths[1]).exists()


def test_indexes_are_merged_into_one_sorted_index_without_duplicates(tmp_path: Path) -> None:
    paths = []
    for number in range(600):
        path = tmp_path / f"{number}.cdxj"
        path.write_text(f"a {number:05} {{}}\nz 1 {{}}\n")
        paths.append(path)
    lines = list(merged(paths))
    assert lines == [*(f"a {number:05} {{}}\n" for number in range(600)), "z 1 {}\n"]
