"""The survey of a source, the sites of its records, and the copy of it."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastwarc.warc import HeaderMap

from danvan_crawler.exceptions import ArchiveDamagedError
from danvan_crawler.warc.files import warc_files
from danvan_crawler.warc.imports import Opening, opening_of, origin_of, records_for, survey, write_copy
from danvan_crawler.warc.reader import iter_records
from danvan_crawler.warc.sources import Form

SLUG = "vi-du-danvan"
PROFILE = 'slug = "vi-du-danvan"\n'


def record(number: int, kind: str, target: str | None, **fields: str) -> bytes:
    block = b"" if kind == "revisit" else b"HTTP/1.1 200 OK\r\n\r\n%d" % number
    named = {
        "WARC-Type": kind,
        "WARC-Record-ID": f"<urn:uuid:00000000-0000-4000-8000-{number:012d}>",
        "WARC-Date": f"2020-05-01T01:02:{number:02d}Z",
        **({"WARC-Target-URI": target} if target else {}),
        **{name.replace("_", "-"): value for name, value in fields.items()},
        "Content-Length": str(len(block)),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"WARC/1.0\r\n{lines}\r\n".encode() + block + b"\r\n\r\n"


RECORDS = [
    record(0, "warcinfo", None),
    record(1, "response", "<http://a.example.vn/1>"),
    record(2, "metadata", "metadata://gnu.org/software/wget/warc/MANIFEST.txt"),
    record(3, "response", "https://b.example.vn/2"),
    record(4, "resource", "urn:pageinfo:https://b.example.vn/2"),
    record(5, "revisit", "https://b.example.vn/3", WARC_Refers_To="<urn:uuid:00000000-0000-4000-8000-000000000003>"),
    record(6, "resource", "urn:view:nothing"),
]


@pytest.fixture
def source(tmp_path: Path) -> Callable[..., Path]:
    def make(*records: bytes) -> Path:
        path = tmp_path / "nguồn 2020.warc"
        path.write_bytes(b"".join(records or RECORDS))
        return path

    return make


def by_letter(origin: str) -> str:
    return origin.partition("://")[2].partition(".")[0]


def copied(tmp_path: Path, found: Any, slug: str = SLUG, **changed: Any) -> Path:
    given = {"warcinfo": {"software": "test"}, "profile": PROFILE, **changed}
    return write_copy(tmp_path / "archive", slug, found, records_for(found, slug, lambda _: slug), **given)


@pytest.mark.parametrize(
    ("target", "origin"),
    [
        ("http://Example.vn/a?b#c", "http://example.vn"),
        ("<https://example.vn:8443/>", "https://example.vn:8443"),
        ("https://user@example.vn?x", "https://example.vn"),
        ("urn:pageinfo:https://example.vn/a", "https://example.vn"),
        ("urn:thumbnail:http://example.vn/", "http://example.vn"),
        ("dns:Example.vn", "dns://example.vn"),
        ("metadata://gnu.org/software/wget/warc/wget.log", None),
        ("urn:danvan:profile:x", None),
        ("file:///etc/hosts", None),
    ],
)
def test_the_host_of_a_record_is_read_from_its_target(target: str, origin: str | None) -> None:
    headers = HeaderMap()
    headers.append("WARC-Target-URI", target)
    assert origin_of(headers) == origin


def test_a_survey_reports_the_contents(source: Callable[..., Path]) -> None:
    path = source()
    found = survey(path)
    assert (found.form, found.records) == (Form.PLAIN, 7)
    assert dict(found.addresses) == {"http://a.example.vn": 1, "https://b.example.vn": 3}
    assert [each[-1] for each in found.captures] == ["1", "3", "5"]
    assert [str(reference)[-1] for _, reference in found.references] == ["3"]
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_revisits_find_their_original_by_id_or_by_address_and_date(source: Callable[..., Path]) -> None:
    names = survey(source()).names
    assert "urn:uuid:00000000-0000-4000-8000-000000000003" in names
    assert "https://b.example.vn/2 2020-05-01T01:02:03Z" in names
    assert "urn:uuid:00000000-0000-4000-8000-000000000005" not in names


@pytest.mark.parametrize("date", ["2020-05", "2020-05-01", "2020-05-01T01:02:03+07:00", "yesterday"])
def test_a_capture_without_a_date_is_damage(date: str, source: Callable[..., Path]) -> None:
    odd = record(1, "response", "http://example.vn/").replace(b"2020-05-01T01:02:01Z", date.encode())
    with pytest.raises(ArchiveDamagedError, match=r"WARC-Date of the record at byte \d+ is"):
        survey(source(RECORDS[0], odd))


def test_a_file_with_members_of_both_kinds_is_not_damaged(tmp_path: Path) -> None:
    path = tmp_path / "source.warc.gz"
    path.write_bytes(gzip.compress(RECORDS[0]) + gzip.compress(b"".join(RECORDS[1:])))
    found = survey(path)
    assert (found.form, found.records) == (Form.GZIPPED, 7)


def test_damage_in_the_middle_is_reported_with_its_byte_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "source.warc.gz"
    members = [gzip.compress(each, mtime=0) for each in RECORDS]
    broken = bytearray(members[2])
    broken[-6] ^= 0xFF
    path.write_bytes(b"".join([*members[:2], bytes(broken), *members[3:]]))
    start = len(members[0]) + len(members[1])
    with pytest.raises(ArchiveDamagedError, match=rf"no complete record at byte {start}:"):
        survey(path)


def test_a_record_without_a_host_goes_to_the_site_of_the_record_before_it(
    source: Callable[..., Path],
) -> None:
    found = survey(source())
    routes = {
        slug: [each.headers["WARC-Record-ID"][-2] for each in records_for(found, slug, by_letter)] for slug in "ab"
    }
    assert routes == {"a": ["0", "1", "2"], "b": ["3", "4", "5", "6"]}


def test_a_copy_begins_with_its_origin_followed_by_the_source(source: Callable[..., Path], tmp_path: Path) -> None:
    path = source()
    made = copied(tmp_path, survey(path))
    assert warc_files(tmp_path / "archive", SLUG) == [made]
    info, profile, *others = iter_records(made)
    assert "source-filename: nguồn 2020.warc\r\n".encode() in info.block
    assert info.headers["WARC-Filename"] == made.name
    assert (profile.url, profile.block.decode()) == (f"urn:danvan:profile:{SLUG}", PROFILE)
    assert len(others) == len(RECORDS)
    assert gzip.decompress(made.read_bytes()).endswith(path.read_bytes())


def test_the_source_is_neither_moved_nor_changed(source: Callable[..., Path], tmp_path: Path) -> None:
    path = source()
    before = path.read_bytes(), path.stat().st_mtime_ns
    copied(tmp_path, survey(path))
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_a_copy_is_recognised_by_the_digest_of_its_source(source: Callable[..., Path], tmp_path: Path) -> None:
    found = survey(source())
    assert opening_of(copied(tmp_path, found), SLUG) == Opening(PROFILE, found.sha256)


def test_copies_made_at_the_same_time_have_different_names(source: Callable[..., Path], tmp_path: Path) -> None:
    found = survey(source())
    assert len({copied(tmp_path, found) for _ in range(3)}) == 3


def test_a_copy_that_fails_leaves_nothing(source: Callable[..., Path], tmp_path: Path) -> None:
    path = source()
    found = survey(path)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(ArchiveDamagedError):
        copied(tmp_path, found)
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == [path]


def test_files_left_by_a_killed_import_are_removed_by_the_next(source: Callable[..., Path], tmp_path: Path) -> None:
    found = survey(source())
    folder = copied(tmp_path, found).parent
    (folder / f".{SLUG}-20200501010203000-00000-x.warc.gz.0123abcd.part").write_bytes(b"half")
    copied(tmp_path, found)
    assert list(folder.glob(".*.part")) == []
