"""Commands that read an archive: search, show, export, capture."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.items import EXPORT_FIELDS
from danvan_crawler.warc.reader import read_record

Danvan = Callable[..., Any]
BODY = "<html><body>Hội nghị</body></html>".encode()


def test_a_hit_is_three_plain_lines_and_the_count_goes_to_stderr(danvan: Danvan, archive: Any) -> None:
    result = danvan("search", "dân vận khéo")
    title, place, snippet = result.out.splitlines()
    assert result.code == 0
    assert title == "Hội nghị [bold]dân vận khéo[/bold]"
    assert place == "  2017-05-23  vi-du-danvan  Tin tức  vi-du-danvan-1"
    assert "dân vận khéo" in snippet
    assert result.err == "1 hit\n"


def test_words_without_marks_match_any_marks(danvan: Danvan, archive: Any) -> None:
    result = danvan("search", "dan van kheo")
    assert result.err == "2 hits\n"
    assert "no date     vi-du-danvan  Thông báo" in result.out


def test_a_search_without_hits_exits_0(danvan: Danvan, archive: Any) -> None:
    result = danvan("search", "nghìn")
    assert (result.code, result.out, result.err) == (0, "", "0 hits\n")


def test_hits_as_json_are_items_one_a_line_with_their_snippet(danvan: Danvan, archive: Any) -> None:
    result = danvan("search", "dan van kheo", "--json")
    hits = [json.loads(line) for line in result.out.splitlines()]
    assert [list(hit) for hit in hits] == [[*EXPORT_FIELDS, "snippet"]] * 2
    assert result.err == ""
    assert "Hội nghị" in result.out


@pytest.mark.parametrize(
    ("options", "hits"),
    [
        (["--site", "vi-du-danvan"], 2),
        (["--site", "other-danvan"], 0),
        (["--section", "Thông báo"], 1),
        (["--province", "VN-21"], 2),
        (["--province", "VN-22"], 0),
        (["--province", "Thanh Hoá"], 2),
        (["--province", "tinh thanh hoa"], 2),
        (["--body", "ban-dan-van"], 2),
        (["--body", "Ban Tuyên giáo và Dân vận"], 2),
        (["--body", "ban-to-chuc"], 0),
        (["--since", "2017-05-23"], 1),
        (["--since", "2017-05-24"], 0),
        (["--until", "2017-05-23"], 1),
        (["--until", "2017-05-22"], 0),
        (["--limit", "1"], 1),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_filters_restrict_a_search(danvan: Danvan, archive: Any, options: list[str], hits: int) -> None:
    assert len(danvan("search", "dan van kheo", "--json", *options).out.splitlines()) == hits


@pytest.mark.parametrize("document", ["464-QĐ/TU", "464 – QĐ/TU", "464-qd/tu"])
@pytest.mark.parametrize("command", [["search"], ["search", "hội nghị"], ["search", "", "--json"], ["export"]])
def test_articles_are_found_by_a_document_that_they_cite(
    danvan: Danvan, archive: Any, command: list[str], document: str
) -> None:
    result = danvan(*command, "--document", document)
    assert result.code == 0
    assert "Hội nghị [bold]dân vận khéo[/bold]" in result.out
    assert "Thông báo tuyển dụng" not in result.out


@pytest.mark.parametrize("command", ["search", "export"])
def test_a_text_without_a_document_number_is_wrong_usage(danvan: Danvan, archive: Any, command: str) -> None:
    result = danvan(command, "--document", "dân vận")
    assert (result.code, result.out) == (2, "")
    assert "'dân vận' is not a document number: give number and code, like 09-NQ/TU" in result.err


def test_a_search_without_words_and_filters_is_wrong_usage(danvan: Danvan, archive: Any) -> None:
    result = danvan("search", "--since", "2017-01-01")
    assert (result.code, result.out) == (2, "")
    assert "Missing argument 'QUERY' (or option '--document')" in result.err


@pytest.mark.parametrize("limit", ["0", "-1", "x"])
def test_an_invalid_limit_is_wrong_usage(danvan: Danvan, limit: str) -> None:
    assert danvan("search", "x", "--limit", limit).code == 2


@pytest.mark.parametrize("command", [["search", "x"], ["export"]], ids=lambda words: words[0])
@pytest.mark.parametrize(
    ("option", "name", "near"),
    [("--province", "Thanh Hó", "Thanh Hóa"), ("--body", "Ban Dân vậm", "Ban Dân vận")],
)
def test_an_unknown_place_is_wrong_usage(
    danvan: Danvan, archive: Any, command: list[str], option: str, name: str, near: str
) -> None:
    result = danvan(*command, option, name)
    assert (result.code, result.out) == (2, "")
    assert f"{name!r}; did you mean {near}" in result.err


@pytest.mark.parametrize("query", ["", '"', "(", "AND", "*", "a:b", "NEAR(", "\x00", "đ" * 5000])
def test_no_query_raises_an_error(danvan: Danvan, archive: Any, query: str) -> None:
    assert danvan("search", query).code == 0


@pytest.mark.parametrize("wanted", ["vi-du-danvan-1", "http://danvan.example.vn/tin-1.html"])
def test_an_article_is_shown_by_id_and_by_address(danvan: Danvan, archive: Any, wanted: str) -> None:
    result = danvan("show", wanted)
    lines = result.out.splitlines()
    assert lines[0] == "Hội nghị [bold]dân vận khéo[/bold]"
    assert "Printed:   Ngày 23/05/2017" in lines
    assert "Published: 2017-05-23T00:00:00+07:00 (day)" in lines
    assert "Attachment: http://danvan.example.vn/ke-hoach.pdf  Kế hoạch.pdf  [not archived]" in lines
    assert [line for line in lines if line.startswith("Revision 1 current")]
    assert [line for line in lines if line.startswith("Capture ") and archive.dated.warc_record_id in line]
    assert result.err == ""


def test_empty_fields_of_an_article_are_not_shown(danvan: Danvan, archive: Any) -> None:
    out = danvan("show", "vi-du-danvan-2").out
    assert "Published:" not in out
    assert "Warnings:  no date line" in out


def test_an_article_as_json_is_one_document_with_revisions_and_captures(danvan: Danvan, archive: Any) -> None:
    found = json.loads(danvan("show", "vi-du-danvan-1", "--json").out)
    assert list(found) == [*EXPORT_FIELDS, "revisions", "captures"]
    assert [revision["revision"] for revision in found["revisions"]] == [1]
    assert [capture["warc_record_id"] for capture in found["captures"]] == [archive.dated.warc_record_id]


@pytest.mark.parametrize(
    "wanted", ["nosuch", "http://danvan.example.vn/nosuch.html", "http://[::1", "http://x:99999/", ""]
)
def test_an_unknown_article_is_wrong_usage(danvan: Danvan, archive: Any, wanted: str) -> None:
    result = danvan("show", wanted)
    assert (result.code, result.out) == (2, "")
    assert f"no article has the item_id or address {wanted!r}" in result.err


def test_an_export_has_one_item_a_line_with_the_fields_of_the_contract(danvan: Danvan, archive: Any) -> None:
    result = danvan("export")
    found = [json.loads(line) for line in result.out.splitlines()]
    assert [item["item_id"] for item in found] == ["vi-du-danvan-1", "vi-du-danvan-2"]
    assert [tuple(item) for item in found] == [EXPORT_FIELDS] * 2
    assert result.err == ""


def test_an_export_for_spreadsheets_has_a_byte_order_mark_and_a_header(danvan: Danvan, archive: Any) -> None:
    raw = danvan("export", "--format", "csv").raw
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert tuple(rows[0]) == EXPORT_FIELDS
    assert json.loads(rows[0]["tags"]) == ["dân vận"]
    assert rows[1]["published_at"] == ""


@pytest.mark.parametrize("option", ["-o", "--output"])
def test_an_export_into_a_file_equals_the_printed_one(
    danvan: Danvan, archive: Any, tmp_path: Path, option: str
) -> None:
    printed = danvan("export").raw
    result = danvan("export", option, "articles.jsonl")
    assert (tmp_path / "articles.jsonl").read_bytes() == printed
    assert (result.out, result.err) == ("", "articles.jsonl: 2 articles\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", "articles.jsonl"]


def test_an_export_replaces_an_older_one(danvan: Danvan, archive: Any, tmp_path: Path) -> None:
    (tmp_path / "articles.jsonl").write_text("old\n" * 10_000)
    danvan("export", "--since", "2020-01-01", "-o", "articles.jsonl")
    assert (tmp_path / "articles.jsonl").read_bytes() == b""


def test_an_unwritable_export_is_an_error_with_its_path(danvan: Danvan, archive: Any) -> None:
    result = danvan("export", "-o", "nosuch/articles.jsonl")
    assert result.code == 1
    assert result.err == "danvan: cannot write nosuch/articles.jsonl: No such file or directory\n"


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="/dev/full does not exist")
def test_an_export_onto_a_full_disk_has_its_own_exit_code(danvan: Danvan, archive: Any) -> None:
    result = danvan("export", "-o", "/dev/full")
    assert result.code == 6
    assert result.err == "danvan: cannot write /dev/full: No space left on device\n"


def test_an_unknown_format_is_wrong_usage(danvan: Danvan) -> None:
    result = danvan("export", "--format", "parquet")
    assert result.code == 2
    assert "'csv', 'jsonl'" in result.err


@pytest.mark.parametrize("command", [["search", "x"], ["show", "x"], ["export"]], ids=lambda words: words[0])
def test_an_archive_without_database_is_an_error_with_its_path(
    danvan: Danvan, tmp_path: Path, command: list[str]
) -> None:
    result = danvan(*command)
    assert result.code == 1
    assert str(tmp_path / "archive" / "danvan.sqlite") in result.err


@pytest.mark.parametrize("command", [["search", "dân vận"], ["show", "vi-du-danvan-1"], ["export"]], ids=lambda c: c[0])
def test_the_archive_is_that_of_the_option_or_of_the_environment(
    danvan: Danvan, archive: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    printed = danvan(*command).out
    (tmp_path / "archive").rename(tmp_path / "other")
    assert danvan(*command, "--archive", "other").out == printed
    monkeypatch.setenv("DANVAN_ARCHIVE", "other")
    assert danvan(*command).out == printed


def test_a_record_is_printed_unchanged(danvan: Danvan, archive: Any) -> None:
    record = read_record(archive.folder, archive.dated.place)
    raw = danvan("capture", archive.dated.warc_record_id).raw
    head, _, rest = raw.partition(b"\r\n\r\n")
    assert head.startswith(b"WARC/1.1\r\n")
    assert f"WARC-Record-ID: <{archive.dated.warc_record_id}>".encode() in head.splitlines()
    assert rest == record.block + b"\r\n\r\n"


def test_the_payload_is_saved_with_its_content_coding(danvan: Danvan, archive: Any, tmp_path: Path) -> None:
    bare = archive.dated.warc_record_id.removeprefix("urn:uuid:")
    result = danvan("capture", bare, "-o", "page.html")
    assert (tmp_path / "page.html").read_bytes() == BODY
    assert (result.code, result.out, result.err) == (0, "", f"page.html: {len(BODY)} bytes\n")


def test_a_record_is_found_without_a_database(danvan: Danvan, archive: Any) -> None:
    (archive.folder / "danvan.sqlite").unlink()
    assert danvan("capture", archive.undated.warc_record_id).raw.startswith(b"WARC/1.1\r\n")


def test_an_unknown_record_is_wrong_usage(danvan: Danvan, archive: Any) -> None:
    result = danvan("capture", "00000000-0000-4000-8000-000000000000")
    assert (result.code, result.out) == (2, "")
    assert "holds a record urn:uuid:00000000-0000-4000-8000-000000000000" in result.err


def test_an_unwritable_payload_is_an_error_with_its_path(danvan: Danvan, archive: Any) -> None:
    result = danvan("capture", archive.dated.warc_record_id, "-o", "nosuch/page.html")
    assert result.code == 1
    assert result.err == "danvan: cannot write nosuch/page.html: No such file or directory\n"


@pytest.mark.parametrize("command", [["search", "dân vận"], ["show", "vi-du-danvan-1"], ["export"]], ids=lambda c: c[0])
@pytest.mark.slow
def test_a_broken_pipe_is_no_error(archive: Any, command: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    child = subprocess.run(
        [sys.executable, "-m", "danvan_crawler", *command, "--archive", str(archive.folder)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (child.returncode, [line for line in child.stderr.splitlines() if "hit" not in line]) == (0, [])


@pytest.mark.slow
def test_vietnamese_is_printed_in_any_locale(archive: Any) -> None:
    locale = {"LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii"}
    child = subprocess.run(
        [sys.executable, "-m", "danvan_crawler", "search", "dân vận khéo", "--archive", str(archive.folder)],
        env={**os.environ, **locale, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        check=False,
    )
    assert (child.returncode, child.stderr) == (0, b"1 hit\n")
    assert "Hội nghị [bold]dân vận khéo[/bold]\n" in child.stdout.decode()
