"""ARCHIVE/suppressed.toml: which articles are hidden, why and since when.

The file is the source of truth for takedowns, as the WARC files are for pages: it is applied to the item database
(`suppression`), and a rebuild reads it again. Users may edit it. `danvan suppress` only adds an entry at the end or
removes an entry; it keeps comments, order and line ends.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from itertools import dropwhile
from pathlib import Path
from typing import Any

from danvan_crawler.archive.layout import takedowns_path
from danvan_crawler.atomic import replacing
from danvan_crawler.exceptions import StoreError, UsageError

_HEADER = """\
# Articles that are hidden from search, export, pages and packages. Their WARC records stay in the archive; each entry
# has the reason. `danvan suppress` adds an entry, `danvan suppress --undo` removes it. After a change by hand run
# `danvan suppress`; a crawl and a rebuild also read this file.
#
# [[suppressed]]
# item_id = "thanhhoa-danvan-0123456789abcdef"
# url = "https://example.vn/tin/a-1.html"
# reason = "request of the person named, letter of 3 March 2027"
# date = 2027-03-04
"""
_HEAD = re.compile(r"^[ \t]*\[\[[ \t]*suppressed[ \t]*\]\][ \t]*(?:#.*)?\r?$", re.MULTILINE)
_ITEM_ID = re.compile(r"\w[\w.-]*-[0-9a-z]+")
_KEYS = ("item_id", "url", "reason", "date")
_BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Takedown:
    """One entry: an article that is hidden."""

    item_id: str
    url: str
    """Canonical address, for people and for `danvan show`."""
    reason: str
    date: date

    @property
    def site(self) -> str:
        """Slug of the site, with which an item_id begins."""
        return self.item_id.rpartition("-")[0]


def read_takedowns(archive: Path) -> list[Takedown]:
    """The entries in the order of the file; an empty list if there is no file.

    Raises UsageError with file, line and key, and StoreError if the file cannot be read.
    """
    path = takedowns_path(archive)
    return _parse(_text(path), path)


def add_takedown(archive: Path, entry: Takedown) -> None:
    """Adds an entry at the end. Raises as `read_takedowns` does, and StoreError if the file cannot be written."""
    path = takedowns_path(archive)
    text = _text(path)
    known = _parse(text, path)
    _write(path, _with_entry(text or _HEADER, entry), [*known, entry])


def remove_takedown(archive: Path, item_id: str) -> None:
    """Removes the entry of this article, if there is one. Raises as `add_takedown` does."""
    path = takedowns_path(archive)
    text = _text(path)
    known = _parse(text, path)
    left = [entry for entry in known if entry.item_id != item_id]
    if left != known:
        number = next(number for number, entry in enumerate(known) if entry.item_id == item_id)
        _write(path, _without_entry(text, number), left)


def _with_entry(text: str, entry: Takedown) -> str:
    import tomlkit
    from tomlkit.items import Array

    document = tomlkit.parse(text.removeprefix(_BYTE_ORDER_MARK))
    if isinstance(entries := document.get("suppressed"), Array):
        table = tomlkit.inline_table()
        table.update(asdict(entry))
        entries.append(table)
        return _as_text(document, text)
    # Added to the text and not to the tree, so that every byte before it stays as it is.
    end = _line_end(text)
    added = tomlkit.dumps({"suppressed": [asdict(entry)]}).replace("\n", end)
    return f"{text}{'' if text.endswith(chr(10)) else end}{end}{added}"


def _without_entry(text: str, number: int) -> str:
    import tomlkit
    from tomlkit.items import AoT

    document = tomlkit.parse(text.removeprefix(_BYTE_ORDER_MARK))
    entries: Any = document["suppressed"]
    if not isinstance(entries, AoT):
        del entries[number]
        return _as_text(document, text)
    # In tomlkit a comment belongs to the entry above it, but a reader relates it to the entry below.
    behind = _comments_behind(entries[number])
    body = entries[number - 1].value.body if number > 0 else document.body
    place = len(body) if number > 0 else next(at for at, (_, item) in enumerate(body) if item is entries)
    del entries[number]
    if not entries:
        del document["suppressed"]  # tomlkit would write `suppressed = []`, before the comments of the header
    body[place:place] = behind
    changed = _as_text(document, text)
    return changed if behind or number < len(entries) else changed.rstrip("\r\n") + _line_end(text)


def _comments_behind(table: Any) -> list[Any]:
    """The comments between the last key of an entry and the next entry, with the blank lines between and below them."""
    from tomlkit.items import Whitespace

    body = table.value.body
    last = max(place for place, (key, _) in enumerate(body) if key is not None)
    return list(dropwhile(lambda part: isinstance(part[1], Whitespace), body[last + 1 :]))


def _as_text(document: Any, before: str) -> str:
    text: str = document.as_string()
    return _BYTE_ORDER_MARK + text if before.startswith(_BYTE_ORDER_MARK) else text


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _text(path: Path) -> str:
    """The text of the file with its line ends and byte order mark; "" if there is no file."""
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UsageError(f"{path}, line {line}: is not UTF-8") from error
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}") from error


def _parse(text: str, path: Path) -> list[Takedown]:
    text = text.removeprefix(_BYTE_ORDER_MARK)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r" \(at line (\d+), column (\d+)\)$", str(error))
        line = place[1] if place else text.count("\n") + 1
        reason = str(error)[: place.start()] if place else str(error)
        raise UsageError(f"{path}, line {line}: not valid TOML: {reason}") from error
    for key in data.keys() - {"suppressed"}:
        raise UsageError(f"{path}, line {_line_of(text, key)}: {key}: unknown key; entries begin with [[suppressed]]")
    tables = data.get("suppressed", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise UsageError(f"{path}, line {_line_of(text, 'suppressed')}: suppressed: entries begin with [[suppressed]]")
    starts = [match.start() for match in _HEAD.finditer(text)]
    found: list[Takedown] = []
    for number, table in enumerate(tables):
        start = starts[number] if len(starts) == len(tables) else 0
        entry = _checked(table, text, start, path)
        if any(entry.item_id == other.item_id for other in found):
            raise UsageError(f"{path}, line {_line_of(text, 'item_id', start)}: item_id: {entry.item_id} occurs twice")
        found.append(entry)
    return found


def _checked(table: dict[str, Any], text: str, start: int, path: Path) -> Takedown:
    def refuse(key: str, reason: str) -> UsageError:
        return UsageError(f"{path}, line {_line_of(text, key, start)}: {key}: {reason}")

    for key in table.keys() - set(_KEYS):
        raise refuse(key, f"unknown key; the keys are {', '.join(_KEYS)}")
    for key in _KEYS:
        value = table.get(key)
        if key not in table:
            raise refuse(key, "required key is missing")
        if key == "date":
            if not isinstance(value, date) or isinstance(value, datetime):
                raise refuse(key, f"must be a day like 2027-03-04, without quotes and time, got {value!r}")
        elif not isinstance(value, str) or not value.strip():
            raise refuse(key, f"must be a non-empty text, got {value!r}")
    if not _ITEM_ID.fullmatch(table["item_id"]):
        raise refuse("item_id", f"must be an item_id as `danvan show` prints it, got {table['item_id']!r}")
    return Takedown(**table)


def _line_of(text: str, key: str, start: int = 0) -> int:
    """Line of a key's assignment after `start` in the same entry, else the line of `start`."""
    following = _HEAD.search(text, start + 1)
    end = following.start() if following and start else len(text)
    found = re.compile(rf"^[ \t\[]*[\"']?{re.escape(key)}\b", re.MULTILINE).search(text, start, end)
    return text.count("\n", 0, found.start() if found else start) + 1


def _write(path: Path, text: str, expected: Sequence[Takedown]) -> None:
    """Replaces the file. Raises UsageError and keeps the old file if the text does not have these entries."""
    if _parse(text, path) != list(expected):
        raise UsageError(f"{path}: cannot be changed automatically: begin each entry with [[suppressed]]")
    try:
        with replacing(path) as file:
            file.write(text.encode())
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror}") from error
