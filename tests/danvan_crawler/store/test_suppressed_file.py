"""suppressed.toml: edited by hand and by commands, parsed strictly, changed without losing comments and order."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from danvan_crawler.archive.layout import takedowns_path
from danvan_crawler.exceptions import StoreError, UsageError
from danvan_crawler.store.suppressed_file import Takedown, add_takedown, read_takedowns, remove_takedown

ONE = Takedown("vi-du-danvan-1a", "http://danvan.example.vn/1.html", "đơn của ông A", date(2027, 3, 4))
TWO = Takedown("vi-du-danvan-2b", "http://danvan.example.vn/2.html", 'nói "không"\n\\ \x07', date(2027, 3, 5))
ENTRY = """\
[[suppressed]]
item_id = "vi-du-danvan-9"
url = "http://danvan.example.vn/9.html"
reason = "x"
date = 2027-01-01
"""


def test_without_a_file_nothing_is_suppressed(tmp_path: Path) -> None:
    assert read_takedowns(tmp_path) == []


def test_added_entries_are_read_back_in_their_order(tmp_path: Path) -> None:
    for entry in (TWO, ONE):
        add_takedown(tmp_path, entry)
    assert read_takedowns(tmp_path) == [TWO, ONE]


def test_the_file_explains_its_purpose(tmp_path: Path) -> None:
    add_takedown(tmp_path, ONE)
    text = takedowns_path(tmp_path).read_text("utf-8")
    assert text.startswith("# Articles that are hidden from search, export, pages and packages.")
    assert 'reason = "đơn của ông A"' in text
    assert [path.name for path in tmp_path.iterdir()] == ["suppressed.toml"]


def test_removing_an_entry_keeps_all_other_text(tmp_path: Path) -> None:
    path = takedowns_path(tmp_path)
    path.write_text(f"# ours\n\n# why: see file 12\n{ENTRY}", encoding="utf-8")
    add_takedown(tmp_path, ONE)
    add_takedown(tmp_path, TWO)
    remove_takedown(tmp_path, ONE.item_id)
    assert [entry.item_id for entry in read_takedowns(tmp_path)] == ["vi-du-danvan-9", TWO.item_id]
    assert path.read_text("utf-8").startswith(f"# ours\n\n# why: see file 12\n{ENTRY}")


def test_removing_the_last_entry_keeps_the_header(tmp_path: Path) -> None:
    add_takedown(tmp_path, ONE)
    remove_takedown(tmp_path, ONE.item_id)
    assert read_takedowns(tmp_path) == []
    assert takedowns_path(tmp_path).read_text("utf-8").startswith("# Articles that")


def test_a_comment_above_the_next_entry_stays_when_the_one_before_it_is_removed(tmp_path: Path) -> None:
    entries = [ENTRY.replace("-9", f"-{number}") for number in (1, 2, 3)]
    written = "# head\n\n{}\n# why two\n\n# and more\n{}\n{}# the end"
    takedowns_path(tmp_path).write_text(written.format(*entries))
    remove_takedown(tmp_path, "vi-du-danvan-1")
    left = f"# head\n\n# why two\n\n# and more\n{entries[1]}\n{entries[2]}# the end"
    assert takedowns_path(tmp_path).read_text() == left
    remove_takedown(tmp_path, "vi-du-danvan-3")
    assert takedowns_path(tmp_path).read_text() == left.replace(entries[2], "")
    remove_takedown(tmp_path, "vi-du-danvan-2")
    assert takedowns_path(tmp_path).read_text() == "# head\n\n# why two\n\n# and more\n# the end"


LIST = """\
# ours
suppressed = [
  {item_id = "a-1", url = "http://a/", reason = "x", date = 2027-01-01},
  # file 12
  {item_id = "a-2", url = "http://a/", reason = 'y', date = 2027-01-01},
] # all
"""


def test_entries_written_as_a_list_can_be_added_to_and_removed_too(tmp_path: Path) -> None:
    takedowns_path(tmp_path).write_text(LIST)
    add_takedown(tmp_path, ONE)
    assert [entry.item_id for entry in read_takedowns(tmp_path)] == ["a-1", "a-2", ONE.item_id]
    remove_takedown(tmp_path, ONE.item_id)
    remove_takedown(tmp_path, "a-1")
    assert [entry.item_id for entry in read_takedowns(tmp_path)] == ["a-2"]
    assert takedowns_path(tmp_path).read_text() == LIST.replace(LIST.splitlines(keepends=True)[2], "")


def test_removing_a_missing_entry_changes_nothing(tmp_path: Path) -> None:
    takedowns_path(tmp_path).write_text(ENTRY + "# end")
    remove_takedown(tmp_path, "khong-co-1")
    assert takedowns_path(tmp_path).read_text() == ENTRY + "# end"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["", "byte order mark"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("last", [True, False], ids=["", "no final newline"])
def test_adding_and_removing_an_entry_keeps_the_bytes_of_the_others(
    tmp_path: Path, mark: bytes, end: str, last: bool
) -> None:
    other = f"# ours \n\n{ENTRY}  # [[suppressed]]  \n".replace("\n", end)
    before = mark + (other if last else other.removesuffix(end)).encode()
    takedowns_path(tmp_path).write_bytes(before)
    add_takedown(tmp_path, ONE)
    assert [entry.item_id for entry in read_takedowns(tmp_path)] == ["vi-du-danvan-9", ONE.item_id]
    added = takedowns_path(tmp_path).read_bytes()
    assert added.startswith(before)
    assert added.count(b"\r\n") == (added.count(b"\n") if end == "\r\n" else 0)
    remove_takedown(tmp_path, ONE.item_id)
    assert takedowns_path(tmp_path).read_bytes() == mark + other.encode()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ENTRY + "\n[[suppressed]\n", r"line 7: not valid TOML"),
        (ENTRY + 'by = "x"\n', r"line 6: by: unknown key; the keys are item_id, url, reason, date"),
        (ENTRY.replace('reason = "x"\n', ""), r"line 1: reason: required key is missing"),
        (ENTRY.replace('"x"', '" "'), r"line 4: reason: must be a non-empty text"),
        (ENTRY.replace("2027-01-01", '"2027-01-01"'), r"line 5: date: must be a day like 2027-03-04, without quotes"),
        (ENTRY.replace("2027-01-01", "2027-01-01T00:00:00Z"), r"line 5: date: must be a day"),
        (ENTRY.replace('"vi-du-danvan-9"', '"../x"'), r"line 2: item_id: must be an item_id as `danvan show`"),
        (ENTRY.replace('"vi-du-danvan-9"', "9"), r"line 2: item_id: must be a non-empty text"),
        (ENTRY + "\n" + ENTRY, r"line 8: item_id: vi-du-danvan-9 occurs twice"),
        (ENTRY + "\n" + ENTRY.replace("-9", "-8").replace('url = "', 'url = "\\q'), r"line 9: not valid TOML"),
        ("\nhidden = 1\n", r"line 2: hidden: unknown key; entries begin with \[\[suppressed\]\]"),
        ("suppressed = 1\n", r"line 1: suppressed: entries begin with"),
    ],
)
def test_an_error_names_line_and_key(text: str, message: str, tmp_path: Path) -> None:
    takedowns_path(tmp_path).write_text(text)
    with pytest.raises(UsageError, match=r"suppressed\.toml, " + message):
        read_takedowns(tmp_path)


def test_invalid_utf_8_is_an_error_that_names_the_line(tmp_path: Path) -> None:
    takedowns_path(tmp_path).write_bytes(ENTRY.encode() + b"# \xff")
    with pytest.raises(UsageError, match=r"suppressed\.toml, line 6: is not UTF-8"):
        read_takedowns(tmp_path)


def test_a_file_with_an_error_is_not_written_to(tmp_path: Path) -> None:
    takedowns_path(tmp_path).write_text("suppressed = 1\n")
    with pytest.raises(UsageError):
        add_takedown(tmp_path, ONE)
    assert takedowns_path(tmp_path).read_text() == "suppressed = 1\n"


def test_a_folder_instead_of_the_file_is_an_error_with_its_path(tmp_path: Path) -> None:
    takedowns_path(tmp_path).mkdir()
    with pytest.raises(StoreError, match=r"suppressed\.toml: cannot be read"):
        read_takedowns(tmp_path)
