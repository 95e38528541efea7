"""Read items: the filters of search and export, and items in the form of exports."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, func, select

from danvan_crawler.exceptions import UnknownItemError, UsageError
from danvan_crawler.items import EXPORT_FIELDS, LIST_FIELDS
from danvan_crawler.store import citations
from danvan_crawler.store.captures import CaptureRow, by_key, complete
from danvan_crawler.store.frontier import redirected_away
from danvan_crawler.store.schema import articles, captures, revisions
from danvan_crawler.urls import bare_host, canonical, host_of, item_id, path_key, without_credentials
from danvan_crawler.vietnamese import bodies, provinces

EXPORT_COLUMNS = tuple(articles.c[name] for name in EXPORT_FIELDS)
_CHUNK = 500
"""Rows per query: many enough to look up their captures in one query, few enough to limit memory."""

_PAGES = frozenset({"text/html", "application/xhtml+xml"})
"""Media types of pages, which no picture has."""
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

Item = dict[str, Any]
"""One article in the form of exports: EXPORT_FIELDS in order, lists as lists."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Selects items; None means no restriction. `since` and `until` are inclusive ISO days of `published_at`.

    `province` and `body` are codes, slugs or names, old or new, with or without marks; a province or body that others
    were merged into also includes their items. `document` is the number of a cited document, in any spelling.
    Raises UsageError for an unknown name and an invalid document number.
    """

    site: str | None = None
    section: str | None = None
    province: str | None = None
    body: str | None = None
    since: str | None = None
    until: str | None = None
    document: str | None = None

    def __post_init__(self) -> None:
        self.conditions()  # reports a wrong name before anything is opened

    def conditions(self) -> list[ColumnElement[bool]]:
        """The SQL conditions. With `since` or `until`, items without a date are excluded."""
        c = articles.c
        found: list[ColumnElement[bool]] = [
            c[name] == value for name in ("site", "section") if (value := getattr(self, name)) is not None
        ]
        if self.province is not None:
            found.append(_one_of(c.province, _codes(self.province)))
        if self.body is not None:
            found.append(_one_of(c.body, _kinds(self.body)))
        # published_at begins with the day in the site's own zone, and ISO days sort as text.
        if self.since is not None:
            found.append(c.published_at >= self.since)
        if self.until is not None:
            found.append(c.published_at < f"{self.until}T99")
        if self.document is not None:
            found.append(c.id.in_(citations.citing(citations.key_of(self.document))))
        return found


def _codes(text: str) -> frozenset[str]:
    """Codes of the provinces that a filter for this code or name includes."""
    code = provinces.find(text)
    if code is None:
        raise _unknown("province", "the code or name", text, provinces.near(text))
    return provinces.covered(code)


def _kinds(text: str) -> frozenset[str]:
    """Kinds of bodies that a filter for this slug or name includes."""
    slug = bodies.find(text)
    # A profile may use a kind that is not in our list, even one that is another spelling of a known kind.
    own = frozenset({text}) if _SLUG.fullmatch(text) else frozenset[str]()
    if slug is None and not own:
        raise _unknown("body", "the slug or name", text, bodies.near(text))
    return own if slug is None else own | bodies.covered(slug)


def _unknown(what: str, by: str, text: str, near: Sequence[str]) -> UsageError:
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return UsageError(f"no {what} has {by} {text!r}{hint}")


def _one_of(column: ColumnElement[str], values: Collection[str]) -> ColumnElement[bool]:
    # With an equality for a single value, SQLite can read the index in the order of days.
    return column == next(iter(values)) if len(values) == 1 else column.in_(sorted(values))


def newest_first(statement: Select[Any]) -> Select[Any]:
    """The order of all listings: by publication, items without a date last, then stable by id."""
    return statement.order_by(articles.c.published_at.desc().nulls_last(), articles.c.id.desc())


def count(connection: Connection, criteria: Filter) -> int:
    """Number of items that match the filter."""
    return connection.execute(select(func.count()).select_from(articles).where(*criteria.conditions())).scalar_one()


def items(connection: Connection, criteria: Filter) -> Iterator[Item]:
    """Items that match the filter, ordered by item_id, in constant memory.

    The filter selects ids only; rows with their bodies are fetched in chunks.
    """
    wanted = select(articles.c.id).where(*criteria.conditions()).order_by(articles.c.item_id)
    ids = connection.execute(wanted, execution_options={"yield_per": _CHUNK}).scalars()
    for chunk in ids.partitions():
        yield from by_ids(connection, chunk)


def by_ids(connection: Connection, ids: Sequence[int]) -> list[Item]:
    """Items with these ids of `articles`, in this order."""
    statement = select(articles.c.id, *EXPORT_COLUMNS).where(articles.c.id.in_(ids))
    rows = {row["id"]: row for row in connection.execute(statement).mappings()}
    return hydrate(connection, [rows[row_id] for row_id in ids])


def hydrate(connection: Connection, rows: Iterable[Mapping[Any, Any]]) -> list[Item]:
    """Rows of `articles` as items: lists decoded, images and attachments joined with their captures.

    A file that redirects to the front page or a section, and a picture whose address shows a page, have no capture; the
    item has a warning about them.
    """
    found = [
        {name: json.loads(row[name]) if name in LIST_FIELDS else row[name] for name in EXPORT_FIELDS} for row in rows
    ]
    wanted: dict[str, set[str]] = {}
    asked: dict[str, set[str]] = {}
    for item in found:
        for linked in (*item["images"], *item["attachments"]):
            wanted.setdefault(item["site"], set()).add(path_key(linked["url"]))
            asked.setdefault(item["site"], set()).update(_frontier_keys(linked["url"]))
    known = {site: by_key(connection, site, keys) for site, keys in wanted.items()}
    led = {site: redirected_away(connection, site, keys) for site, keys in asked.items()}
    for item in found:
        for name in ("images", "attachments"):
            for linked in item[name]:
                key = path_key(linked["url"])
                candidates = complete(known[item["site"]][key], linked["url"])
                reasons = led[item["site"]]
                reason = next((reasons[one] for one in _frontier_keys(linked["url"]) if one in reasons), None)
                if name == "images" and candidates and all(row["media_type"] in _PAGES for row in candidates):
                    candidates, reason = [], "a page is shown in its place"
                _attach(linked, candidates, item["captured_at"])
                if reason is not None and linked["capture"] is None:
                    item["warnings"].append(f"not there: {linked['url']}: {reason}")
    return found


def _frontier_keys(url: str) -> tuple[str, str]:
    """The frontier's keys of a file: on the site's hosts, and on a static host (`pages.requisites.Scope`)."""
    key = path_key(url)
    return key, f"//{host_of(url)}{key}"


def _attach(linked: dict[str, Any], candidates: Sequence[CaptureRow], captured_at: str) -> None:
    """Adds the capture that matches the article: the first one made after the article's, else the last before it."""
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
    """One article with all its revisions and captures."""

    item: Item
    revisions: tuple[dict[str, Any], ...]
    """revision, content_hash, captured_at and title of each revision, oldest first."""
    captures: tuple[dict[str, Any], ...]
    """Rows of `captures`, in order of WARC-Date."""


def history(connection: Connection, wanted: str) -> History:
    """The article with this item_id or address (any variant of it). Raises UnknownItemError."""
    row = connection.execute(select(articles).where(articles.c.item_id == wanted)).mappings().one_or_none()
    if row is None and "://" in wanted:
        row = _at_address(connection, wanted)
    if row is None:
        raise UnknownItemError(f"no article has the item_id or address {without_credentials(wanted)!r}")
    title = func.json_extract(revisions.c.content, "$.title").label("title")
    versions = connection.execute(
        select(revisions.c.revision, revisions.c.content_hash, revisions.c.captured_at, title)
        .where(revisions.c.article_id == row["id"])
        .order_by(revisions.c.revision)
    )
    seen = connection.execute(
        select(captures)
        .where(captures.c.article_id == row["id"])
        .order_by(captures.c.warc_date, captures.c.warc_file, captures.c.warc_offset)
    )
    return History(
        hydrate(connection, [row])[0],
        tuple(dict(version) for version in versions.mappings()),
        tuple(dict(capture) for capture in seen.mappings()),
    )


def _at_address(connection: Connection, url: str) -> RowMapping | None:
    """The article with this canonical address, else one that was captured there."""
    key, address, host = path_key(url), canonical(url), bare_host(url)
    # Site by site, because the indexes begin with the site: a scan would read every body.
    sites = connection.execute(select(articles.c.site).distinct()).scalars().all()
    ids: set[int] = set()
    for site in sites:
        captured = by_key(connection, site, [key])[key]
        is_here = any(bare_host(row["url"]) == host for row in captured)
        if is_here:
            ids.update(row["article_id"] for row in captured if row["article_id"] is not None)
        identity = articles.c.item_id == item_id(site, address)
        own = connection.execute(select(articles.c.id, articles.c.canonical_url).where(identity)).one_or_none()
        if own is not None and (is_here or bare_host(own.canonical_url) == host):
            ids.add(own.id)
    statement = select(articles).where(articles.c.id.in_(ids)).order_by(articles.c.id)
    found = connection.execute(statement).mappings().all()
    exact = [row for row in found if row["canonical_url"] == address]
    return (*exact, *found, None)[0]
