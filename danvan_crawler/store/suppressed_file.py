"""ARCHIVE/suppressed.toml: which articles are hidden, why and since when.

The file is the truth about takedowns, as the WARC files are about pages: the item database follows it (`suppression`),
and a rebuild reads it again. People may edit it. What they wrote is kept: an entry is added at the end, and one that is
taken back is cut out with nothing else.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from danvan_crawler.exceptions import StoreError, UsageError

FILE_NAME = "suppressed.toml"

_HEADER = """\
# Articles that search, export, pages and packages do not show. Their WARC records stay in the archive, and each entry
# says who reads this later why. Made by `danvan suppress`, taken back by `danvan suppress --undo`. After a change by
# hand run `danvan suppress`; a crawl and a rebuild read this file, too.
#
# [[suppressed]]
# item_id = "thanhhoa-danvan-0123456789abcdef"
# url = "https://example.vn/tin/a-1.html"
# reason = "request of the person named, letter of 3 March 2027"
# date = 2027-03-04
"""
_HEAD = re.compile(r"^[ \t]*\[\[[ \t]*suppressed[ \t]*\]\][ \t]*(?:#.*)?$", re.MULTILINE)
_ITEM_ID = re.compile(r"\w[\w.-]*-[0-9a-z]+")
_KEYS = ("item_id", "url", "reason", "date")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


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


def takedowns_path(archive: Path) -> Path:
    """Where an archive keeps its takedowns."""
    return archive / FILE_NAME


def read_takedowns(archive: Path) -> list[Takedown]:
    """The entries in the order of the file; none without a file.

    Raises UsageError that names file, line and key, and StoreError when the file cannot be read.
    """
    path = takedowns_path(archive)
    return _parse(_text(path), path)


def add_takedown(archive: Path, entry: Takedown) -> None:
    """Adds an entry at the end. Errors are those of `read_takedowns`, and StoreError when it cannot be written."""
    path = takedowns_path(archive)
    text = _text(path)
    known = _parse(text, path)
    text = text or _HEADER
    text += "" if text.endswith("\n") else "\n"
    _write(path, f"{text}\n{_entry(entry)}", [*known, entry])


def remove_takedown(archive: Path, item_id: str) -> None:
    """Takes out the entry of this article, if there is one; errors are those of `add_takedown`."""
    path = takedowns_path(archive)
    text = _text(path)
    known = _parse(text, path)
    left = [entry for entry in known if entry.item_id != item_id]
    if left == known:
        return
    number = next(number for number, entry in enumerate(known) if entry.item_id == item_id)
    starts = [match.start() for match in _HEAD.finditer(text)] + [len(text)]
    cut = text[: starts[number]].rstrip("\n") + "\n"
    rest = text[starts[number + 1] :] if number + 1 < len(starts) else ""
    try:
        _write(path, f"{cut}\n{rest}" if rest else cut, left)
    except UsageError:  # written in another way than by entries with a head each
        _write(path, _HEADER + "".join(f"\n{_entry(entry)}" for entry in left), left)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UsageError(f"{path}, line {line}: is not UTF-8") from error
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}") from error


def _parse(text: str, path: Path) -> list[Takedown]:
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
            raise UsageError(
                f"{path}, line {_line_of(text, 'item_id', start)}: item_id: {entry.item_id} is there twice"
            )
        found.append(entry)
    return found


def _checked(table: dict[str, Any], text: str, start: int, path: Path) -> Takedown:
    def refuse(key: str, reason: str) -> UsageError:
        return UsageError(f"{path}, line {_line_of(text, key, start)}: {key}: {reason}")

    for key in table.keys() - set(_KEYS):
        raise refuse(key, f"unknown key; there are {', '.join(_KEYS)}")
    for key in _KEYS:
        value = table.get(key)
        if key not in table:
            raise refuse(key, "required key is missing")
        if key == "date":
            if not isinstance(value, date) or isinstance(value, datetime):
                raise refuse(key, f"must be a day like 2027-03-04, without quotes and time, got {value!r}")
        elif not isinstance(value, str) or not value.strip():
            raise refuse(key, f"must be a text that is not empty, got {value!r}")
    if not _ITEM_ID.fullmatch(table["item_id"]):
        raise refuse("item_id", f"must be one as `danvan show` prints it, got {table['item_id']!r}")
    return Takedown(**table)


def _line_of(text: str, key: str, start: int = 0) -> int:
    """Line of a key's assignment behind `start`, in the same entry; else the line of `start`."""
    following = _HEAD.search(text, start + 1)
    end = following.start() if following and start else len(text)
    found = re.compile(rf"^[ \t\[]*[\"']?{re.escape(key)}\b", re.MULTILINE).search(text, start, end)
    return text.count("\n", 0, found.start() if found else start) + 1


def _entry(entry: Takedown) -> str:
    lines = [f"{key} = {_quoted(getattr(entry, key))}" for key in ("item_id", "url", "reason")]
    return "\n".join(["[[suppressed]]", *lines, f"date = {entry.date.isoformat()}", ""])


def _quoted(value: str) -> str:
    escaped = "".join(
        _ESCAPES.get(char) or (char if char.isprintable() or char == " " else f"\\U{ord(char):08x}") for char in value
    )
    return f'"{escaped}"'


def _write(path: Path, text: str, expected: Sequence[Takedown]) -> None:
    """Puts the whole file in place of the old one. Raises UsageError when the text does not say what is expected."""
    if _parse(text, path) != list(expected):
        raise UsageError(f"{path}: cannot be changed as it is written: give each entry a head [[suppressed]]")
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StoreError(f"{path}: cannot be written: {error.strerror}") from error
