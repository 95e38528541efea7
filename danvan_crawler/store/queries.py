"""Reading items back: the filters that search and export share, and items as exports show them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from danvan_crawler.exceptions import UnknownItemError
from danvan_crawler.items import EXPORT_FIELDS, LIST_FIELDS
from danvan_crawler.store.schema import articles, captures, revisions
from danvan_crawler.urls import canonical, path_key

EXPORT_COLUMNS = tuple(articles.c[name] for name in EXPORT_FIELDS)
_CHUNK = 500
"""Rows read at a time: enough that the look-up of their captures is one query, few enough to stay small."""

Item = dict[str, Any]
"""One article as exports contain it: EXPORT_FIELDS in order, lists as lists."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which items are asked for; None asks for all. `since` and `until` are inclusive ISO days of `published_at`."""

    site: str | None = None
    section: str | None = None
    province: str | None = None
    body: str | None = None
    since: str | None = None
    until: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """As SQL. Items without a date are left out when since or until is given."""
        c = articles.c
        found: list[ColumnElement[bool]] = [
            c[name] == value
            for name in ("site", "section", "province", "body")
            if (value := getattr(self, name)) is not None
        ]
        # published_at begins with the day in the site's own zone, and ISO days sort as text.
        if self.since is not None:
            found.append(c.published_at >= self.since)
        if self.until is not None:
            found.append(c.published_at < f"{self.until}T99")
        return found


def newest_first(statement: Select[Any]) -> Select[Any]:
    """The order of all listings: by publication, items without a date last, then stable by id."""
    return statement.order_by(articles.c.published_at.desc().nulls_last(), articles.c.id.desc())


def count(connection: Connection, criteria: Filter) -> int:
    """How many items pass the filter."""
    return connection.execute(select(func.count()).select_from(articles).where(*criteria.conditions())).scalar_one()


def items(connection: Connection, criteria: Filter) -> Iterator[Item]:
    """Items that pass the filter, ordered by item_id, in constant memory."""
    last = ""
    while True:
        statement = (
            select(*EXPORT_COLUMNS)
            .where(articles.c.item_id > last, *criteria.conditions())
            .order_by(articles.c.item_id)
            .limit(_CHUNK)
        )
        rows = connection.execute(statement).mappings().all()
        yield from hydrate(connection, rows)
        if len(rows) < _CHUNK:
            return
        last = rows[-1]["item_id"]


def hydrate(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[Item]:
    """Rows of `articles` as items: lists decoded, images and attachments joined with their captures."""
    found = [
        {name: json.loads(row[name]) if name in LIST_FIELDS else row[name] for name in EXPORT_FIELDS} for row in rows
    ]
    wanted: dict[str, set[str]] = {}
    for item in found:
        for linked in (*item["images"], *item["attachments"]):
            wanted.setdefault(item["site"], set()).add(path_key(linked["url"]))
    known = {site: _captures_of(connection, site, keys) for site, keys in wanted.items()}
    for item in found:
        for linked in (*item["images"], *item["attachments"]):
            _attach(linked, known[item["site"]].get(path_key(linked["url"]), ()), item["captured_at"])
    return found


def _captures_of(connection: Connection, site: str, keys: set[str]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    ordered = sorted(keys)
    for start in range(0, len(ordered), _CHUNK):
        part = ordered[start : start + _CHUNK]
        statement = (
            select(captures)
            .where(
                captures.c.site == site,
                or_(captures.c.url_key.in_(part), captures.c.link_key.in_(part)),
                captures.c.status == 200,
                captures.c.truncated.is_(None),
            )
            .order_by(captures.c.warc_date, captures.c.warc_file, captures.c.warc_offset)
        )
        for row in connection.execute(statement).mappings():
            for key in {row["url_key"], row["link_key"]}:
                found.setdefault(key, []).append(row)
    return found


def _attach(linked: dict[str, Any], candidates: Sequence[Mapping[str, Any]], captured_at: str) -> None:
    """The capture that shows what the article showed: the first one made after the article's, else the last before."""
    after = [row for row in candidates if row["warc_date"] >= captured_at]
    chosen = after[0] if after else candidates[-1] if candidates else None
    if chosen is None:
        return
    linked["media_type"] = chosen["media_type"]
    linked["capture"] = {
        name: chosen[name] for name in ("warc_file", "warc_offset", "warc_record_id", "payload_digest")
    }


@dataclass(frozen=True, slots=True)
class History:
    """One article with all that the archive has of it."""

    item: Item
    revisions: tuple[Mapping[str, Any], ...]
    """revision, content_hash, captured_at and title of each, oldest first."""
    captures: tuple[Mapping[str, Any], ...]
    """Rows of `captures`, in order of WARC-Date."""


def history(connection: Connection, wanted: str) -> History:
    """The article with this item_id or address (any variant of it). Raises UnknownItemError."""
    row = connection.execute(select(articles).where(articles.c.item_id == wanted)).mappings().one_or_none()
    if row is None and "://" in wanted:
        key = path_key(wanted)
        captured = select(captures.c.article_id).where(or_(captures.c.url_key == key, captures.c.link_key == key))
        same_page = or_(articles.c.canonical_url == canonical(wanted), articles.c.id.in_(captured))
        found = connection.execute(select(articles).where(same_page)).mappings().all()
        exact = [candidate for candidate in found if candidate["canonical_url"] == canonical(wanted)]
        row = (exact or found or [None])[0]
    if row is None:
        raise UnknownItemError(f"no article has the item_id or address {wanted!r}")
    content = func.json_extract(revisions.c.content, "$.title").label("title")
    versions = connection.execute(
        select(revisions.c.revision, revisions.c.content_hash, revisions.c.captured_at, content)
        .where(revisions.c.article_id == row["id"])
        .order_by(revisions.c.revision)
    )
    exchanges = connection.execute(
        select(captures)
        .where(and_(captures.c.article_id == row["id"]))
        .order_by(captures.c.warc_date, captures.c.warc_file, captures.c.warc_offset)
    )
    return History(hydrate(connection, [row])[0], tuple(versions.mappings()), tuple(exchanges.mappings()))
