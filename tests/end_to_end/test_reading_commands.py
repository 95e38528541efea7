"""The commands that read an archive: search, show, export, capture, sites; as text and as JSON."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from danvan_crawler.items import EXPORT_FIELDS
from danvan_crawler.sample import articles


@pytest.fixture(scope="module")
def desk(new_portal: Callable[..., Any], new_desk: Callable[..., Any]) -> Any:
    """The result of `danvan demo`: two crawls of the sample portal with an edit between."""
    portal = new_portal()
    made = new_desk(portal)
    made.crawl()
    portal.edition = 2
    made.crawl()
    made.portal = portal
    return made


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def edited(desk: Any) -> dict[str, Any]:
    [item] = [item for item in desk.export() if item["revision"] == 2]
    return dict(item)


def test_search_prints_title_date_site_section_and_item_id(desk: Any) -> None:
    result = desk.danvan("search", "hiến máu tình nguyện")
    [item] = lines(desk.danvan("search", "hiến máu tình nguyện", "--json").stdout)
    first, second, _snippet, *_ = result.stdout.splitlines()
    assert first == item["title"]
    assert [part.strip() for part in second.strip().split("  ")] == [
        item["published_at"][:10],
        "mau-danvan",
        item["section"],
        item["item_id"],
    ]
    assert "1 hit" in result.stderr


def test_search_with_json_prints_complete_items_one_a_line(desk: Any) -> None:
    found = lines(desk.danvan("search", "dân vận", "--json", "--limit", "5").stdout)
    assert len(found) == 5
    by_id = {item["item_id"]: item for item in desk.export()}
    assert [{name: hit[name] for name in EXPORT_FIELDS} for hit in found] == [by_id[hit["item_id"]] for hit in found]


def test_search_sorts_hits_in_titles_first_and_then_by_date(desk: Any) -> None:
    found = lines(desk.danvan("search", "dân", "--json").stdout)
    order = [("dân" in re.findall(r"\w+", hit["title"].lower()), hit["published_at"] or "") for hit in found]
    assert len(order) == 20
    assert order == sorted(order, reverse=True)


def test_search_without_marks_finds_words_with_marks(desk: Any) -> None:
    with_marks = desk.danvan("search", "hiến máu", "--json").stdout
    assert with_marks
    assert set(with_marks.splitlines()) <= set(desk.danvan("search", "hien mau", "--json").stdout.splitlines())


def test_search_applies_its_filters(desk: Any) -> None:
    options = ("--section", "Dân vận khéo", "--since", "2019-04-23", "--until", "2021-03-08", "--province", "VN-21")
    found = lines(desk.danvan("search", "", "--json", "--limit", "100", *options).stdout)
    expected = [
        one.title
        for one in sorted(articles(2), key=lambda article: article.order, reverse=True)
        if one.section.name == "Dân vận khéo" and one.published_at and "2019-04-23" <= one.published_at < "2021-03-09"
    ]
    assert [hit["title"] for hit in found] == expected
    assert len(expected) > 2


def test_search_finds_articles_that_cite_a_document_also_after_a_rebuild(desk: Any) -> None:
    index = "SELECT document, item_id FROM citations JOIN articles ON articles.id = article_id ORDER BY 1, 2"
    before = desk.rows(index)
    for _ in range(2):
        for spelling in ("131-KH/TU", "131 – KH/TU", "0131-kh/tu"):
            found = {hit["item_id"] for hit in lines(desk.danvan("search", "--document", spelling, "--json").stdout)}
            assert found == {
                item["item_id"]
                for item in desk.export()
                if any((one["number"], one["code"]) == ("131", "KH/TU") for one in item["documents"])
            }
            assert len(found) > 1
        desk.danvan("rebuild")
        assert desk.rows(index) == before


def test_search_without_hits_is_no_failure(desk: Any) -> None:
    result = desk.danvan("search", "từkhôngcó")
    assert result.stdout == ""
    assert "0 hits" in result.stderr


def test_show_prints_an_article_with_its_revisions_and_captures(desk: Any) -> None:
    item = edited(desk)
    printed = desk.danvan("show", item["item_id"]).stdout
    before = next(one for one in articles(1) if item["canonical_url"].endswith(one.path))
    for part in (item["title"], item["lead"], item["published_raw"], item["warc_record_id"], before.title):
        assert part in printed
    assert "Revision 2 current" in printed
    assert printed.count("\nCapture ") == 2


def test_show_finds_an_article_by_any_of_its_addresses(desk: Any) -> None:
    item = edited(desk)
    for address in (item["url"], f"{item['url']}?utm_source=zalo", f"{item['url']}?print=1#dau-trang"):
        assert json.loads(desk.danvan("show", address, "--json").stdout)["item_id"] == item["item_id"]


def test_show_with_json_prints_one_document(desk: Any) -> None:
    item = edited(desk)
    document = json.loads(desk.danvan("show", item["item_id"], "--json").stdout)
    assert {name: document[name] for name in EXPORT_FIELDS} == item
    assert [row["revision"] for row in document["revisions"]] == [1, 2]
    assert len(document["captures"]) == 2
    assert document["captures"][-1]["warc_record_id"] == item["warc_record_id"]


@pytest.mark.parametrize(
    "command", [("show", "mau-danvan-0000000000000000"), ("capture", "1b4c9f0e-7f2a-4d0e-9a53-2f6d1c0c8a11")]
)
def test_an_unknown_article_or_record_is_wrong_usage(desk: Any, command: tuple[str, str]) -> None:
    assert command[1] in desk.danvan(*command, code=2).stderr


def test_capture_saves_the_payload_as_it_was_sent(desk: Any) -> None:
    item = next(item for item in desk.export() if item["attachments"])
    attachment = item["attachments"][0]["capture"]
    out = desk.folder / "tep.pdf"
    desk.danvan("capture", attachment["warc_record_id"], "-o", str(out))
    [sent] = {
        exchange.response.partition(b"\r\n\r\n")[2]
        for exchange in desk.portal.exchanges
        if item["attachments"][0]["url"].endswith(exchange.target)
    }
    assert out.read_bytes() == sent


def test_capture_saves_a_page_without_chunks_and_with_its_content_coding(desk: Any) -> None:
    item = desk.export()[0]
    out = desk.folder / "trang.html.gz"
    desk.danvan("capture", item["warc_record_id"].removeprefix("urn:uuid:"), "-o", str(out))
    assert item["title"] in gzip.decompress(out.read_bytes()).decode()


def test_capture_prints_the_record(desk: Any) -> None:
    item = next(item for item in desk.export() if item["images"])
    image = item["images"][0]["capture"]["warc_record_id"]
    printed = subprocess.run(
        [sys.executable, "-m", "danvan_crawler", "capture", image],
        env=desk.variables(),
        capture_output=True,
        check=True,
    ).stdout
    [record] = [record for record in desk.records() if record.id == image]
    head, _, rest = printed.partition(b"\r\n\r\n")
    assert head.startswith(b"WARC/1.1\r\n")
    assert f"WARC-Record-ID: <{image}>".encode() in head
    assert rest == record.block + b"\r\n\r\n"


def test_capture_works_without_a_database(desk: Any, new_desk: Callable[..., Any]) -> None:
    other = new_desk()
    other.archive.mkdir()
    (other.archive / "warc").symlink_to(desk.archive / "warc")
    item = desk.export()[0]
    out = other.folder / "trang"
    other.danvan("capture", item["warc_record_id"], "-o", str(out))
    assert out.stat().st_size > 1000


def test_export_jsonl_has_the_fields_of_the_schema_in_order(desk: Any) -> None:
    found = lines(desk.danvan("export").stdout)
    assert {tuple(item) for item in found} == {EXPORT_FIELDS}
    assert found == desk.export()


def test_export_csv_has_the_same_items_for_spreadsheets(desk: Any) -> None:
    out = desk.folder / "bai-viet.csv"
    desk.danvan("export", "--format", "csv", "-o", str(out))
    data = out.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    expected = desk.export()
    assert [row["title"] for row in rows] == [item["title"] for item in expected]
    assert [json.loads(row["tags"]) for row in rows] == [item["tags"] for item in expected]
    assert [row["published_at"] for row in rows] == [item["published_at"] or "" for item in expected]


def test_export_applies_its_filters_and_leaves_out_undated_items(desk: Any) -> None:
    found = lines(desk.danvan("export", "--since", "2016-01-01").stdout)
    assert len(found) == len([one for one in articles(2) if one.published_at])
    assert lines(desk.danvan("export", "--site", "khac-danvan").stdout) == []


def test_sites_lists_all_profiles(desk: Any) -> None:
    rows = [line.split("\t") for line in desk.danvan("sites").stdout.splitlines()]
    [row] = [row for row in rows if row[0] == "mau-danvan"]
    assert row[2:] == ["danvan_portal", desk.portal.url]


def test_sites_with_json_is_one_document(desk: Any) -> None:
    sites = json.loads(desk.danvan("sites", "--json").stdout)
    [site] = [site for site in sites if site["slug"] == "mau-danvan"]
    assert site["profile"] == str(desk.sites / "mau-danvan.toml")
    assert len(site["sections"]) == 3


def test_sites_show_prints_the_profile(desk: Any) -> None:
    profile = (desk.sites / "mau-danvan.toml").read_text("utf-8")
    assert desk.danvan("sites", "show", "mau-danvan").stdout == profile.rstrip("\n") + "\n"
    desk.danvan("sites", "show", "khong-co", code=2)


@pytest.mark.parametrize("command", [("search", "dân"), ("show", "x"), ("export",)], ids=lambda command: command[0])
def test_without_a_database_reading_is_an_error_with_a_remedy(
    new_desk: Callable[..., Any], command: tuple[str, ...]
) -> None:
    said = new_desk().danvan(*command, code=1).stderr
    assert "danvan rebuild" in said
    assert "Traceback" not in said


def test_a_broken_pipe_is_no_error(desk: Any) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "danvan_crawler", "export"],
        env=desk.variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.read(100)
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait(60) == 0
