"""Reads content/articles.toml: the content of the sample portal, by edition.

A `SampleArticle` has the values of a correct item of the article (body without the lead, captions in their places, the
date line and its meaning), so that tests compare items with the source, not with a parser's result.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import quote

EDITIONS = (1, 2)
_LOCAL = timezone(timedelta(hours=7))
_PHOTO = "[ảnh]"
_WEEKDAYS = ("Thứ hai", "Thứ ba", "Thứ tư", "Thứ năm", "Thứ sáu", "Thứ bảy", "Chủ nhật")

# The forms of a date line: how it is printed, and its precision. The first is the platform's own.
DATE_FORMS: Mapping[str, tuple[Callable[[datetime], str], str]] = {
    "dang-luc": (lambda at: f"Đăng lúc: {at:%d/%m/%Y %H:%M:%S} (GMT+7)", "second"),
    "dang-luc-ngan": (lambda at: f"Đăng lúc: {at.day}/{at.month}/{at.year} {at.hour}:{at:%M} (GMT+7)", "minute"),
    "ngay-dang": (lambda at: f"Ngày đăng: {at:%d/%m/%Y %H:%M}", "minute"),
    "thu-phay": (lambda at: f"{_WEEKDAYS[at.weekday()]}, {at:%d/%m/%Y %H:%M}", "minute"),
    "thu-gach": (lambda at: f"{_WEEKDAYS[at.weekday()]} - {at:%d/%m/%Y %H:%M}", "minute"),
    "cap-nhat": (lambda at: f"Cập nhật: {at:%d/%m/%Y %H:%M}", "minute"),
    "gio-gach-dung": (lambda at: f"{at:%H:%M} | {at:%d/%m/%Y}", "minute"),
    "ngay": (lambda at: f"Ngày {at:%d/%m/%Y}", "day"),
}


@dataclass(frozen=True, slots=True)
class Section:
    """A news listing: `slug` is its part of addresses, `name` its text in breadcrumbs."""

    slug: str
    name: str

    @property
    def path(self) -> str:
        return f"/tin-tuc/{self.slug}/"


@dataclass(frozen=True, slots=True)
class SampleImage:
    """A photo of an article; `path` is absolute on the portal."""

    path: str
    caption: str | None


@dataclass(frozen=True, slots=True)
class SampleAttachment:
    """A document attached to an article; `path` is percent-encoded, including slashes in `name`."""

    name: str
    path: str
    subject: str


@dataclass(frozen=True, slots=True)
class SampleArticle:
    """One article of an edition, with the values of a correct item of it."""

    number: int
    section: Section
    path: str
    """Canonical path; ASCII."""
    other_paths: tuple[str, ...]
    """Further addresses of the same page; each one's rel=canonical names `path`."""
    listed_in: tuple[Section, ...]
    """All sections whose listings link it, its own first."""
    title: str
    lead: str
    blocks: tuple[str | SampleImage, ...]
    """The body in order: a paragraph, or a photo with its caption."""
    author: str | None
    source: str | None
    tags: tuple[str, ...]
    attachments: tuple[SampleAttachment, ...]
    printed_stamp: str | None
    """Line of the hidden print form, "Ngày 23/05/2017 00:00:00"."""
    published_raw: str | None
    """The date line of the article as displayed."""
    published_at: str | None
    """ISO 8601 with offset; midnight if the precision is day."""
    published_precision: str | None
    published_on: str | None
    """Date as listings print it, "23/05/2017"."""
    order: datetime
    """Sort key in listings, which are newest first."""

    @property
    def body_text(self) -> str:
        """Paragraphs and captions, one per line, each once, without the lead."""
        lines = (block.caption if isinstance(block, SampleImage) else block for block in self.blocks)
        return "\n".join(line for line in lines if line)

    @property
    def images(self) -> tuple[SampleImage, ...]:
        return tuple(block for block in self.blocks if isinstance(block, SampleImage))


def address_words(title: str, *, limit: int = 110) -> str:
    """The title in addresses: lower case without marks, hyphens between words, cut at a word before `limit`.

    >>> address_words("Ngày hội Đại đoàn kết: bản Nà Lấu")
    'ngay-hoi-dai-doan-ket-ban-na-lau'
    """
    plain = unicodedata.normalize("NFD", title.lower().replace("đ", "d")).encode("ascii", "ignore").decode()
    words = "".join(sign if sign.isalnum() else " " for sign in plain).split()
    address = "-".join(words)
    return address if len(address) <= limit else address[: limit + 1].rpartition("-")[0]


def reading(at: datetime, form: str) -> tuple[str, str, str]:
    """(date line, ISO 8601 moment, precision) of a moment printed in `form`; midnight has the precision `day`.

    >>> reading(datetime(2019, 4, 23, 17, 16), "thu-phay")
    ('Thứ ba, 23/04/2019 17:16', '2019-04-23T17:16:00+07:00', 'minute')
    """
    line, precision = DATE_FORMS[form]
    if (at.hour, at.minute, at.second) == (0, 0, 0):
        precision = "day"
    return line(at), at.replace(tzinfo=_LOCAL).isoformat(), precision


@cache
def _source() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("content/articles.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def sections() -> tuple[Section, ...]:
    """The three sections in menu order."""
    return tuple(Section(row["slug"], row["name"]) for row in _source()["sections"])


@cache
def attachments() -> Mapping[str, SampleAttachment]:
    """All documents that articles attach, by key."""
    return {
        row["key"]: SampleAttachment(row["name"], f"/tai-lieu/{quote(row['name'], safe='')}", row["subject"])
        for row in _source()["documents"]
    }


def _blocks(number: int, body: str) -> tuple[str | SampleImage, ...]:
    blocks: list[str | SampleImage] = []
    photos = 0
    for line in body.strip().splitlines():
        if not line.startswith(_PHOTO):
            blocks.append(line)
            continue
        photos += 1
        caption = line.removeprefix(_PHOTO).strip() or None
        blocks.append(SampleImage(f"/hinh-anh/tin-{number}-{photos}.png", caption))
    return tuple(blocks)


def _article(row: Mapping[str, Any], edit: Mapping[str, Any]) -> SampleArticle:
    number: int = row["number"]
    by_slug = {section.slug: section for section in sections()}
    section = by_slug[row["section"]]
    # If an edit changes the title, the address keeps the words of the first title, as on real portals.
    page = f"{address_words(row['title'])}-{number}.html"
    shared, own = row.get("also_listed_in", []), row.get("also_under", [])
    at: datetime | None = row.get("published")
    line, moment, precision = reading(at, row.get("form", "dang-luc")) if at else (None, None, None)
    return SampleArticle(
        number=number,
        section=section,
        path=section.path + page,
        other_paths=tuple(by_slug[slug].path + page for slug in own),
        listed_in=(section, *(by_slug[slug] for slug in [*shared, *own])),
        title=edit.get("title", row["title"]),
        lead=edit.get("lead", row["lead"]),
        blocks=_blocks(number, edit.get("body", row["body"])),
        author=row.get("author"),
        source=row.get("source"),
        tags=tuple(row.get("tags", ())),
        attachments=tuple(attachments()[key] for key in row.get("attachments", ())),
        printed_stamp=f"Ngày {at:%d/%m/%Y %H:%M:%S}" if at else None,
        published_raw=line,
        published_at=moment,
        published_precision=precision,
        published_on=f"{at:%d/%m/%Y}" if at else None,
        order=at or row["order"],
    )


@cache
def load(edition: int) -> tuple[SampleArticle, ...]:
    """The articles of an edition, by number. Raises ValueError for an edition that does not exist."""
    if edition not in EDITIONS:
        raise ValueError(f"the edition of the sample portal must be 1 or 2, got {edition!r}")
    edits = {row["number"]: row for row in _source()["edits"]} if edition == 2 else {}
    rows = (row for row in _source()["articles"] if row.get("since", 1) <= edition)
    found = (_article(row, edits.get(row["number"], {})) for row in rows)
    return tuple(sorted(found, key=lambda article: article.number))
