"""`danvan suppress` on an archive of two articles: its output, its file and its refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.archive.locks import DatabaseLock, SiteLock

SITE = "vi-du-danvan"
ITEM = f"{SITE}-1"
ADDRESS = "http://danvan.example.vn/tin-1.html"
WHY = "đơn của ông A"


@pytest.fixture
def suppressed(danvan: Any, archive: Any) -> Path:
    assert danvan("suppress", ITEM, "--reason", WHY).code == 0
    path: Path = archive.folder / "suppressed.toml"
    return path


@pytest.mark.parametrize("wanted", [ITEM, ADDRESS, "https://www.danvan.example.vn/tin-1.html?utm_source=zalo"])
def test_an_article_is_hidden_by_its_id_or_any_address(danvan: Any, archive: Any, wanted: str) -> None:
    result = danvan("suppress", wanted, "--reason", WHY)
    assert (result.code, result.out, result.err) == (0, "", f"{ITEM}: suppressed\n")
    assert len(danvan("export").out.splitlines()) == 1
    assert danvan("search", "hội nghị").out == ""


def test_the_takedown_is_in_the_file_with_its_reason(suppressed: Path) -> None:
    text = suppressed.read_text("utf-8")
    for line in (f'item_id = "{ITEM}"', f'url = "{ADDRESS}"', f'reason = "{WHY}"', "date = 20"):
        assert line in text


def test_show_reports_the_suppression_and_the_captures(danvan: Any, archive: Any, suppressed: Any) -> None:
    result = danvan("show", ADDRESS)
    assert result.code == 0
    assert f": {WHY}" in result.out
    assert archive.dated.warc_record_id in result.out
    assert "dân vận khéo" not in result.out


def test_show_reports_the_suppression_as_json(danvan: Any, archive: Any, suppressed: Any) -> None:
    found = json.loads(danvan("show", ITEM, "--json").out)
    assert list(found) == ["item_id", "url", "suppressed", "captures"]
    assert found["suppressed"]["reason"] == WHY
    assert [row["warc_record_id"] for row in found["captures"]] == [archive.dated.warc_record_id]


def test_suppressing_it_again_reports_the_date_of_the_first_time(danvan: Any, suppressed: Path) -> None:
    before = suppressed.read_bytes()
    result = danvan("suppress", ADDRESS, "--reason", "lý do khác")
    assert result.code == 0
    assert "is suppressed already, since 20" in result.err
    assert suppressed.read_bytes() == before


def test_without_an_item_all_suppressed_items_are_listed(danvan: Any, suppressed: Any) -> None:
    (line,) = danvan("suppress").out.splitlines()
    assert line.split("  ")[1:] == [ITEM, ADDRESS, WHY]


def test_a_change_of_the_file_by_hand_is_applied(danvan: Any, archive: Any, suppressed: Path) -> None:
    suppressed.write_text(suppressed.read_text("utf-8").replace(f"{SITE}-1", f"{SITE}-2"), encoding="utf-8")
    assert danvan("suppress").code == 0
    # The article that was removed from the file is read again from its record, which has no article in this test.
    assert danvan("export").out == ""


@pytest.mark.parametrize(
    "arguments",
    [[ITEM], [ITEM, "--reason", " "], ["--undo"], ["--reason", "x"], [ITEM, "--undo", "--reason", "x"]],
)
def test_contradictory_or_missing_options_are_wrong_usage(danvan: Any, archive: Any, arguments: Any) -> None:
    assert danvan("suppress", *arguments).code == 2
    assert not (archive.folder / "suppressed.toml").exists()


def test_an_unknown_article_is_wrong_usage(danvan: Any, archive: Any) -> None:
    result = danvan("suppress", "khong-co", "--reason", "x")
    assert result.code == 2
    assert "no article has the item_id or address 'khong-co'" in result.err
    assert not (archive.folder / "suppressed.toml").exists()


def test_lifting_an_article_that_is_not_suppressed_is_wrong_usage(danvan: Any, archive: Any) -> None:
    result = danvan("suppress", ITEM, "--undo")
    assert result.code == 2
    assert "no suppressed article has" in result.err


def test_an_error_in_the_file_is_reported(danvan: Any, archive: Any) -> None:
    (archive.folder / "suppressed.toml").write_text('[[suppressed]]\nitem_id = "a-1"\n')
    result = danvan("suppress")
    assert result.code == 2
    assert "suppressed.toml, line 1: url: required key is missing" in result.err


def test_while_the_database_is_rebuilt_nothing_is_suppressed(danvan: Any, archive: Any) -> None:
    with DatabaseLock(archive.folder, exclusive=True):
        assert danvan("suppress", ITEM, "--reason", "x").code == 5
    assert not (archive.folder / "suppressed.toml").exists()


def test_during_a_crawl_an_article_can_be_suppressed_and_not_lifted(danvan: Any, archive: Any) -> None:
    with SiteLock(archive.folder, SITE):
        assert danvan("suppress", ITEM, "--reason", "x").code == 0
        assert danvan("suppress", ITEM, "--undo").code == 5
    assert ITEM in (archive.folder / "suppressed.toml").read_text("utf-8")


def test_an_archive_without_a_database_is_reported(danvan: Any, tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    for arguments in (["x", "--reason", "x"], []):
        result = danvan("suppress", *arguments)
        assert (result.code, "no item database here" in result.err) == (1, True)
    assert not (tmp_path / "archive" / "danvan.sqlite").exists()
