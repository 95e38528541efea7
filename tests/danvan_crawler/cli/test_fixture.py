"""`danvan fixture`: what it records from an archive and from files, and what it refuses."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler import _layout
from danvan_crawler.archive.layout import database_path
from danvan_crawler.captures import CaptureRecord
from danvan_crawler.sample.portal import articles, render
from danvan_crawler.store.suppressed_file import Takedown
from danvan_crawler.store.writes import Store
from danvan_crawler.urls import item_id
from danvan_crawler.warc.reader import iter_records
from danvan_crawler.warc.records import Exchange
from danvan_crawler.warc.writer import WarcWriter

Danvan = Callable[..., Any]
SITE = "mau-danvan"
HOME = "http://127.0.0.1:8017/"
STORY = articles(1)[4]
URL = HOME.rstrip("/") + STORY.path
OLD = f"{STORY.title} 2016-2018"
LISTING = f"{HOME}tin-tuc/dan-van-kheo/"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
FILES = ["expected.json", "meta.json", "profile.toml", "response.http"]
NAME = "hoi-nghi"


def message(body: bytes, *, status: str = "200 OK", media_type: str = "text/html; charset=utf-8") -> bytes:
    """A response as the sample portal sends it: compressed, in chunks."""
    packed = gzip.compress(body, mtime=0)
    head = f"HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Encoding: gzip\r\nSet-Cookie: a=1\r\n"
    chunk = b"%x\r\n%b\r\n0\r\n\r\n" % (len(packed), packed)
    return f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk


def sample(url: str, edition: int = 1) -> bytes:
    return render("/" + url.removeprefix(HOME), edition=edition, base_url=HOME).body


@dataclass
class Recorded:
    """An archive with an article that was captured twice, a listing, and records that are not pages."""

    folder: Path
    captures: dict[str, CaptureRecord]

    def id_of(self, name: str) -> str:
        return self.captures[name].warc_record_id

    @property
    def warc(self) -> Path:
        (path,) = self.folder.glob("warc/**/*.warc.gz")
        return path


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    answers = {
        "old": (URL, message(sample(URL).replace(STORY.title.encode(), OLD.encode()))),
        "new": (URL, message(sample(URL))),
        "cut": (URL, message(sample(URL))[:200]),
        "listing": (LISTING, message(sample(LISTING))),
        "missing": (f"{HOME}x.html", message(b"<p>404</p>", status="404 Not Found")),
        "moved": (f"{HOME}y.html", message(b"", status="301 Moved")),
        "picture": (f"{HOME}z.png", message(PNG, media_type="image/png")),
        "foreign": ("http://other.example.vn/", message(sample(URL))),
    }
    folder = tmp_path / "archive"
    writer, began = WarcWriter(folder, SITE, warcinfo={"software": "test"}), datetime(2026, 11, 23, 8, tzinfo=UTC)
    store, captures = Store(database_path(folder)), {}
    for number, (name, (url, response)) in enumerate(answers.items()):
        at = began + timedelta(seconds=number)
        truncated: Any = "disconnect" if name == "cut" else None
        exchange = Exchange(url, b"GET / HTTP/1.1\r\n\r\n", response, at, truncated=truncated)
        captures[name] = writer.write_exchange(exchange)
        store.note_capture(SITE, captures[name])
    writer.close()
    store.close()
    return Recorded(folder, captures)


def read(folder: Path, name: str = "expected.json") -> Any:
    return json.loads((folder / name).read_text("utf-8"))


def test_the_newest_complete_page_of_an_address_is_recorded(danvan: Danvan, recorded: Any, tmp_path: Path) -> None:
    result = danvan("fixture", URL, "--name", NAME)
    folder = tmp_path / NAME
    assert (result.code, result.out) == (0, "")
    assert result.err.splitlines() == [
        f"{NAME}: recorded, article {STORY.title!r}, published {read(folder)['article']['published_at']}",
        f"Now read {NAME}/expected.json and correct what is wrong.",
    ]
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert (folder / "response.http").read_bytes() == message(sample(URL))
    assert read(folder, "meta.json") == {
        "captured_at": recorded.captures["new"].date,
        "family": "danvan_portal",
        "headers": {"Content-Encoding": "gzip", "Content-Type": "text/html; charset=utf-8"},
        "read_as": "article",
        "site": SITE,
        "source": {"warc_record_id": recorded.id_of("new")},
        "status": 200,
        "url": URL,
    }


def test_an_article_is_expected_with_all_fields_of_the_page(danvan: Danvan, recorded: Any, tmp_path: Path) -> None:
    danvan("fixture", URL, "--name", NAME)
    expected = read(tmp_path / NAME)
    article = expected["article"]
    assert expected["reads"] == "article"
    assert (article["title"], article["lead"]) == (STORY.title, STORY.lead)
    assert [one["name"] for one in article["attachments"]] == ["Kế hoạch 131-KH/TU.pdf", "Công văn 87-CV/BDVTU.pdf"]
    assert [one["number"] for one in article["documents"]] == ["131", "87"]
    assert article["published_at"] == "2019-07-05T10:12:33+07:00"
    assert expected["visit_counters"]["total"] > 0
    assert set(article) & {"item_id", "site", "captured_at", "revision", "warc_file", "rights"} == set()


def test_an_expectation_is_sorted_indented_and_ends_with_a_line_end(danvan: Danvan, recorded: Any) -> None:
    danvan("fixture", URL, "--name", NAME)
    for name in ("expected.json", "meta.json"):
        text = Path(NAME, name).read_text("utf-8")
        assert text == json.dumps(json.loads(text), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def test_a_listing_is_expected_with_entries_and_next_page(danvan: Danvan, recorded: Any, tmp_path: Path) -> None:
    result = danvan("fixture", LISTING)
    expected = read(tmp_path / "tin-tuc-dan-van-kheo")
    assert "recorded, listing, 10 entries, next page" in result.err
    assert expected["reads"] == "listing"
    assert expected["listing"]["next_url"] == f"{LISTING}trang-2/"
    assert [sorted(link) for link in expected["listing"]["links"]] == [["published_raw", "title", "url"]] * 10


@pytest.mark.parametrize("prefix", ["", "urn:uuid:"])
@pytest.mark.parametrize("database", [True, False])
def test_a_record_can_be_given_by_its_id(
    danvan: Danvan, recorded: Any, tmp_path: Path, prefix: str, database: bool
) -> None:
    if not database:
        (recorded.folder / "danvan.sqlite").unlink()
    result = danvan("fixture", prefix + recorded.id_of("old").removeprefix("urn:uuid:"), "-o", "made/here")
    assert result.code == 0
    assert read(tmp_path / "made/here", "meta.json")["captured_at"] == recorded.captures["old"].date
    assert read(tmp_path / "made/here")["article"]["title"] == OLD


def test_the_kind_of_a_page_can_be_overridden(danvan: Danvan, recorded: Any, tmp_path: Path) -> None:
    result = danvan("fixture", LISTING, "--as", "article", "--name", NAME)
    assert result.err.startswith(f"{NAME}: recorded, no article on it\n")
    assert read(tmp_path / NAME)["verdicts"] == {"is_blank": False, "page_kind": None, "says_not_found": False}
    assert read(tmp_path / NAME, "meta.json")["read_as"] == "article"


def test_a_page_that_reads_as_expected_is_not_written_again(danvan: Danvan, recorded: Any, tmp_path: Path) -> None:
    danvan("fixture", URL, "--name", NAME)
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / NAME).iterdir()}
    result = danvan("fixture", URL, "--name", NAME)
    assert (result.code, result.out) == (0, "")
    assert result.err.startswith(f"{NAME}: reads as expected, article {STORY.title!r}")
    assert "--accept" not in result.err
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / NAME).iterdir()} == before


def test_a_page_with_differences_is_reported_and_not_written(danvan: Danvan, recorded: Any, tmp_path: Path) -> None:
    danvan("fixture", recorded.id_of("old"), "--name", NAME)
    before = {path.name: path.read_bytes() for path in (tmp_path / NAME).iterdir()}
    result = danvan("fixture", URL, "--name", NAME)
    assert result.code == 2
    assert result.out == f'article.title\n  - "{OLD}"\n  + "{STORY.title}"\n'
    assert result.err == (
        f"danvan: {NAME}/expected.json does not match the page (fields that differ: 1); nothing was "
        "written, --accept replaces it\n"
    )
    assert {path.name: path.read_bytes() for path in (tmp_path / NAME).iterdir()} == before


def test_a_different_result_can_be_accepted(danvan: Danvan, recorded: Any, tmp_path: Path) -> None:
    danvan("fixture", recorded.id_of("old"), "--name", NAME)
    result = danvan("fixture", URL, "--name", NAME, "--accept")
    assert result.code == 0
    assert result.out.startswith("article.title\n")
    assert result.err.startswith(f"{NAME}: replaced, article {STORY.title!r}")
    assert read(tmp_path / NAME)["article"]["title"] == STORY.title
    assert read(tmp_path / NAME, "meta.json")["captured_at"] == recorded.captures["new"].date
    assert sorted(path.name for path in (tmp_path / NAME).iterdir()) == FILES


def test_a_newer_capture_with_the_same_result_replaces_the_old_one_on_request(
    danvan: Danvan, recorded: Any, tmp_path: Path
) -> None:
    danvan("fixture", URL, "--name", NAME)
    meta = tmp_path / NAME / "meta.json"
    meta.write_text(meta.read_text("utf-8").replace("2026-11-23", "2026-11-22"), "utf-8")
    result = danvan("fixture", URL, "--name", NAME)
    assert (result.code, result.out) == (0, "")
    assert "the recorded page or profile is older and was not replaced, --accept replaces it" in result.err
    assert "2026-11-22" in meta.read_text("utf-8")
    assert danvan("fixture", URL, "--name", NAME, "--accept").code == 0
    assert "2026-11-23" in meta.read_text("utf-8")


def test_a_recorded_page_is_read_again_without_the_archive(danvan: Danvan, recorded: Any, tmp_path: Path) -> None:
    danvan("fixture", URL, "--name", NAME)
    recorded.folder.rename(tmp_path / "away")
    assert danvan("fixture", NAME).err.startswith(f"{NAME}: reads as expected")
    expected = tmp_path / NAME / "expected.json"
    right = expected.read_text("utf-8")
    expected.write_text(right.replace(STORY.title, "Tin khác"), "utf-8")
    assert danvan("fixture", NAME).code == 2
    assert danvan("fixture", NAME, "--accept").code == 0
    assert expected.read_text("utf-8") == right


def test_the_folder_of_another_page_is_not_changed(danvan: Danvan, recorded: Any, tmp_path: Path) -> None:
    danvan("fixture", URL, "--name", NAME)
    result = danvan("fixture", LISTING, "--name", NAME, "--accept")
    assert result.code == 2
    assert f"{NAME} holds another page, {URL}; choose another folder with --name or -o" in result.err


def test_an_invalid_expectation_is_an_error_with_its_path(danvan: Danvan, recorded: Any, tmp_path: Path) -> None:
    danvan("fixture", URL, "--name", NAME)
    (tmp_path / NAME / "expected.json").write_text("{,", "utf-8")
    result = danvan("fixture", URL, "--name", NAME)
    assert result.code == 2
    assert f"{NAME}/expected.json is not JSON" in result.err


def test_a_fixture_recorded_in_the_checkout_goes_to_the_fixtures_folder(
    danvan: Danvan, recorded: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tests" / "fixtures").mkdir(parents=True)
    root = _layout.project_root()
    (tmp_path / "spiders").symlink_to(root / "spiders")
    monkeypatch.setattr(_layout, "project_root", lambda: tmp_path)
    monkeypatch.setattr(_layout, "activate", lambda: tmp_path)
    assert danvan("fixture", URL, "--name", NAME).code == 0
    assert (tmp_path / "tests/fixtures/pages/danvan_portal" / NAME / "expected.json").is_file()


@pytest.mark.parametrize("packed", [True, False])
def test_an_html_file_is_recorded_with_the_time_at_which_it_was_saved(
    danvan: Danvan, tmp_path: Path, packed: bool
) -> None:
    page, body = tmp_path / "saved.html", sample(URL)
    page.write_bytes(gzip.compress(body) if packed else body)
    os.utime(page, (1_551_405_600, 1_551_405_600))
    result = danvan("fixture", page, "--url", "https://moi.example.vn/tin.html", "--family", "danvan_portal")
    meta = read(tmp_path / "tin", "meta.json")
    assert result.code == 0
    assert read(tmp_path / "tin")["article"]["title"] == STORY.title
    assert (meta["captured_at"], meta["source"]) == ("2019-03-01T02:00:00.000000Z", {"file": "saved.html"})
    assert meta["site"] == "mau-danvan-portal"
    assert danvan("fixture", "tin").err.startswith("tin: reads as expected")


@pytest.mark.parametrize("form", ["as it is", "one member around all", "not compressed"])
def test_a_page_in_a_warc_file_of_any_compression_is_recorded(
    danvan: Danvan, recorded: Any, tmp_path: Path, form: str
) -> None:
    data = recorded.warc.read_bytes()
    plain = gzip.decompress(data)
    path = tmp_path / "other.warc"
    path.write_bytes({"as it is": data, "one member around all": gzip.compress(plain), "not compressed": plain}[form])
    (tmp_path / "archive").rename(tmp_path / "away")
    assert danvan("fixture", path, "--url", URL, "--name", NAME).code == 0
    assert read(tmp_path / NAME)["article"]["title"] == STORY.title
    source = {"file": "other.warc", "warc_record_id": recorded.id_of("new")}
    assert read(tmp_path / NAME, "meta.json")["source"] == source


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("missing", "has the HTTP status 404: a crawl does not read it as a page"),
        ("moved", "has the HTTP status 301: a crawl does not read it as a page"),
        ("cut", "is truncated (disconnect): a crawl does not read such a page"),
        ("picture", f"{HOME}z.png is not a page but a file of type image/png"),
        ("foreign", "http://other.example.vn/ is on a host of no site: name the site with --site, or a family with"),
    ],
)
def test_a_record_without_a_page_of_a_site_is_refused(
    danvan: Danvan, recorded: Any, name: str, sentence: str, tmp_path: Path
) -> None:
    result = danvan("fixture", recorded.id_of(name))
    assert (result.code, result.out) == (2, "")
    assert sentence in result.err
    assert result.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]


def test_a_record_that_is_not_a_response_is_refused(danvan: Danvan, recorded: Any) -> None:
    request = next(record for record in iter_records(recorded.warc) if record.type == "request")
    result = danvan("fixture", request.id)
    assert "is a request record: only response and revisit records have a page" in result.err


@pytest.mark.parametrize("words", [["ID"], [URL], ["FILE", "--url", URL]], ids=["id", "address", "file"])
def test_a_damaged_record_is_reported(danvan: Danvan, recorded: Any, words: list[str]) -> None:
    data = bytearray(recorded.warc.read_bytes())
    data[recorded.captures["new"].warc_offset + 300] ^= 0xFF
    recorded.warc.write_bytes(data)
    known = {"ID": recorded.id_of("new"), "FILE": str(recorded.warc)}
    result = danvan("fixture", *[known.get(word, word) for word in words])
    assert (result.code, result.out) == (8, "")
    assert f"{recorded.warc} is damaged: no complete record at byte" in result.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([f"{HOME}nosuch.html"], f"the archive does not have {HOME}nosuch.html: crawl its site with `danvan crawl"),
        ([f"{HOME}x.html"], f"the archive has no complete page of {HOME}x.html, only 1 other answer"),
        (["0" * 8 + "-0000-4000-8000-" + "0" * 12], "holds a record urn:uuid:00000000-0000-4000-8000-000000000000"),
        (["nosuch.html"], "'nosuch.html' is not an address, a record id or an existing file"),
        (["http://["], "'http://[' is not an absolute http:// or https:// address"),
        ([HOME + "a" * 300], "the archive does not have"),
        (["ftp://example.vn/x"], "'ftp://example.vn/x' is not an absolute http:// or https:// address"),
        ([URL, "--url", URL], f"--url is for files, and there is no file {URL}"),
        ([URL, "--site", "nosuch"], "no site has the slug 'nosuch'"),
        ([URL, "--family", "nosuch"], "--family: family: unknown family 'nosuch'"),
        ([URL, "--family", "nukeviet", "--site", SITE], "--site and --family cannot be given together"),
        ([URL, "-o", "x", "--name", "y"], "-o and --name cannot be given together"),
        ([URL, "--name", "../x"], "--name must be the name of a folder, got '../x'"),
        (["http://other.example.vn/", "--site", SITE], f"http://other.example.vn/ is not on a host of {SITE} (127."),
        (["page.html"], "page.html: give the address of the page with --url"),
        (["page.html", "--url", "tin.html"], "'tin.html' is not an absolute http:// or https:// address"),
        (["photo.png", "--url", URL], "photo.png is neither a page nor a WARC file"),
        (["empty", "--url", URL], "empty holds no page"),
        (["archive", "--accept"], "archive/meta.json cannot be read: No such file or directory"),
    ],
)
def test_wrong_usage_is_one_error_line(
    danvan: Danvan, recorded: Any, tmp_path: Path, words: list[str], sentence: str
) -> None:
    (tmp_path / "page.html").write_bytes(sample(URL))
    (tmp_path / "photo.png").write_bytes(PNG)
    (tmp_path / "empty").touch()
    result = danvan("fixture", *words)
    assert (result.code, result.out) == (2, "")
    assert sentence in result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (f"{HOME}nosuch.html", f"holds no page of {HOME}nosuch.html"),
        (f"{HOME}x.html", "has the HTTP status 404"),
        ("http://other.example.vn/tin-tuc/dan-van-kheo/", "holds no page of http://other.example.vn/"),
    ],
)
def test_an_address_missing_in_a_warc_file_is_an_error(danvan: Danvan, recorded: Any, url: str, sentence: str) -> None:
    result = danvan("fixture", recorded.warc, "--url", url)
    assert (result.code, result.out) == (2, "")
    assert sentence in result.err


def test_a_truncated_gzip_file_is_damaged(danvan: Danvan, tmp_path: Path) -> None:
    (tmp_path / "page.html.gz").write_bytes(gzip.compress(sample(URL))[:100])
    result = danvan("fixture", "page.html.gz", "--url", URL)
    assert (result.code, "page.html.gz is damaged" in result.err) == (8, True)


def test_without_a_database_an_address_cannot_be_looked_up(danvan: Danvan) -> None:
    result = danvan("fixture", URL)
    assert (result.code, "no item database here; crawl a site first" in result.err) == (1, True)


@pytest.mark.parametrize("by", ["address", "id"])
def test_a_suppressed_article_does_not_become_a_fixture(danvan: Danvan, recorded: Any, by: str) -> None:
    item = item_id(SITE, URL)
    store = Store(database_path(recorded.folder))
    store.apply_takedowns([Takedown(item, URL, "đơn của ông A", datetime(2026, 12, 1, tzinfo=UTC).date())])
    store.close()
    result = danvan("fixture", URL if by == "address" else recorded.id_of("new"))
    assert (result.code, result.out) == (2, "")
    assert f"is suppressed; `danvan suppress {item} --undo` ends that" in result.err


def test_an_unwritable_folder_is_an_error_with_its_path(danvan: Danvan, recorded: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = danvan("fixture", URL, "-o", "file/hoi-nghi")
    assert (result.code, result.out) == (1, "")
    assert result.err == f"danvan: cannot write {tmp_path}/file/hoi-nghi: Not a directory\n"
