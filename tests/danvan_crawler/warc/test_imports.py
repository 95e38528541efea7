"""The survey of a source, the sites of its records, and the copy of it."""

from __future__ import annotations

import gzip
import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastwarc.warc import HeaderMap

from danvan_crawler.exceptions import ArchiveDamagedError
from danvan_crawler.warc.containers import Container, parts_of
from danvan_crawler.warc.files import warc_files
from danvan_crawler.warc.imports import Opening, opening_of, origin_of, records_for, survey, write_copy
from danvan_crawler.warc.reader import iter_records

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
    assert (found.container, found.records, dict(found.versions)) == (Container.PLAIN, 7, {"WARC/1.0": 7})
    assert dict(found.addresses) == {"http://a.example.vn": 1, "https://b.example.vn": 3}
    assert [each[-1] for each in found.captures] == ["1", "3", "5"]
    assert [str(reference)[-1] for _, reference in found.references] == ["3"]
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_revisits_find_their_original_by_id_or_by_address_and_date(source: Callable[..., Path]) -> None:
    names = survey(source()).names
    assert "urn:uuid:00000000-0000-4000-8000-000000000003" in names
    assert "https://b.example.vn/2 2020-05-01T01:02:03Z" in names
    assert "urn:uuid:00000000-0000-4000-8000-000000000005" not in names


@pytest.mark.parametrize("date", ["2020-05", "2020-05-01", "9999-12-31T23:59:59Z", "yesterday"])
def test_a_capture_without_a_moment_is_left_out(date: str, source: Callable[..., Path]) -> None:
    odd = record(1, "response", "http://example.vn/").replace(b"2020-05-01T01:02:01Z", date.encode())
    found = survey(source(RECORDS[0], odd, *RECORDS[3:]))
    assert list(map(str, found.left_out)) == [f"byte {len(RECORDS[0])}: its WARC-Date is {date!r}"]
    assert found.captures == [f"urn:uuid:00000000-0000-4000-8000-{number:012d}" for number in (3, 5)]


def test_a_judge_may_leave_records_out(source: Callable[..., Path], tmp_path: Path) -> None:
    def judge(each: Any) -> str | None:
        return "its block ends in 3" if b"".join(each.block()).endswith(b"3") else None

    found = survey(source(), judge=judge)
    assert [one.reason for one in found.left_out] == ["its block ends in 3"]
    assert found.records == 7
    assert [each.url for each in iter_records(copied(tmp_path, found))].count("https://b.example.vn/2") == 0


def test_a_file_with_members_of_both_kinds_is_not_damaged(tmp_path: Path) -> None:
    path = tmp_path / "source.warc.gz"
    path.write_bytes(gzip.compress(RECORDS[0]) + gzip.compress(b"".join(RECORDS[1:])))
    found = survey(path)
    assert (found.container, found.records, found.left_out) == (Container.GZIP, 7, [])


def test_damage_in_the_middle_is_named_by_its_byte_and_costs_one_record(tmp_path: Path) -> None:
    path = tmp_path / "source.warc.gz"
    members = [gzip.compress(each, mtime=0) for each in RECORDS]
    broken = bytearray(members[2])
    broken[-6] ^= 0xFF
    path.write_bytes(b"".join([*members[:2], bytes(broken), *members[3:]]))
    found = survey(path)
    assert found.records == 6
    assert str(found.left_out[0]).startswith(
        f"byte {len(members[0]) + len(members[1])}: what is compressed there cannot"
    )
    made = copied(tmp_path, found)
    assert gzip.decompress(made.read_bytes()).endswith(b"".join([*RECORDS[:2], *RECORDS[3:]]))
    assert b"source-left-out: byte " in next(iter_records(made)).block


def test_a_file_without_any_readable_record_is_damaged(source: Callable[..., Path]) -> None:
    with pytest.raises(ArchiveDamagedError, match="is damaged: no complete record at byte 0: the file ends inside it"):
        survey(source(RECORDS[1][:-20]))


def test_a_copy_says_what_it_was_made_of_and_how(source: Callable[..., Path], tmp_path: Path) -> None:
    drafts = [each.replace(b"WARC/1.0", b"WARC/0.18", 1) for each in RECORDS]
    dated = drafts[3].replace(b"2020-05-01T01:02:03Z", b"2020-05-01T08:02:03+07:00")
    found = survey(source(*drafts[:3], dated, RECORDS[4]))
    info, _, *others = iter_records(copied(tmp_path, found))
    assert b"source-format: WARC/0.18, WARC/1.0; not compressed\r\n" in info.block
    assert (
        b"source-conversion: to WARC/1.1: WARC/0.18 (4); to the form of the standard: WARC-Date (1), "
        b"WARC-Target-URI (1)\r\n" in info.block
    )
    assert b"source-left-out" not in info.block
    assert [each.headers.get("X-Source-Version") for each in others] == ["WARC/0.18"] * 4 + [None]
    assert others[3].date == "2020-05-01T01:02:03Z"


def test_the_warc_files_in_a_package_are_sources_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "a.wacz"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.warc.gz", b"".join(map(gzip.compress, RECORDS)))
        file.writestr("archive/more.warc", RECORDS[1])
    first, second = map(survey, parts_of(path))
    assert (first.records, second.records) == (7, 1)
    assert second.sha256 == hashlib.sha256(RECORDS[1]).hexdigest()
    info = next(iter_records(copied(tmp_path, first)))
    assert b"source-filename: a.wacz/archive/data.warc.gz\r\n" in info.block


def test_a_checksum_of_a_package_that_is_wrong_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.wacz"
    members = b"".join(map(gzip.compress, RECORDS))
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.warc.gz", members)
        file.writestr("archive/more.warc", RECORDS[1])
    data = path.read_bytes()
    at = data.index(members)
    path.write_bytes(data[: at + 4] + b"\1" + data[at + 5 :].replace(b"200 OK", b"201 OK"))  # a time that no one reads
    packed, plain = parts_of(path)
    found = survey(packed)
    assert found.damage == f"{path}/archive/data.warc.gz is damaged: its CRC-32 is not what the ZIP file states"
    assert found.records == 7
    with pytest.raises(ArchiveDamagedError, match=r"more\.warc is damaged: its CRC-32"):
        survey(plain)


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
