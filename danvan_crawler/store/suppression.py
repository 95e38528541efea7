"""Remove suppressed articles from the item database, and find what is needed to restore them.

Suppression is not a condition in each query. The row of a suppressed article, its revisions, its words in the index and
its citations are deleted, so that search, exports, packages, `danvan changes` and Datasette all omit it. Table
`suppressed` has the entries of `suppressed_file`; `Store.write_article` checks it first, so that later crawls and
rebuilds do not add the article again. Its captures stay, because they index the archive; they contain the item_id, so
that they can be read again to restore the article.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from danvan_crawler.captures import RecordPlace
from danvan_crawler.store import fulltext
from danvan_crawler.store.captures import CHUNK, HAS_KEY
from danvan_crawler.store.schema import articles, captures, frontier, suppressed
from danvan_crawler.store.suppressed_file import Takedown
from danvan_crawler.urls import bare_host, path_key

_TIED = select(captures.c.link_key, captures.c.url_key).where(captures.c.article_id == bindparam("article"))
_UNTIE = (
    update(captures)
    .where(captures.c.article_id == bindparam("article"))
    .values(article_id=None, content_hash=None, is_canonical=None, suppressed=bindparam("item"))
)
_HIDDEN = select(captures.c.site, captures.c.link_key, captures.c.url_key).where(
    captures.c.suppressed == bindparam("item")
)
_PLACES = select(captures.c.warc_date, captures.c.warc_file, captures.c.warc_offset).where(HAS_KEY)


def known(connection: Connection) -> list[Takedown]:
    """The takedowns that are applied to the database, by day and item_id."""
    return [_takedown(row) for row in connection.execute(select(suppressed).order_by("date", "item_id"))]


def find(connection: Connection, wanted: str) -> Takedown | None:
    """The takedown of the article with this item_id or address; None if it is not suppressed."""
    return among(known(connection), wanted)


def captures_of(connection: Connection, item: str) -> list[dict[str, Any]]:
    """The captures that show a suppressed article, as rows of `captures` in order of WARC-Date."""
    order = (captures.c.warc_date, captures.c.warc_file, captures.c.warc_offset)
    rows = connection.execute(select(captures).where(captures.c.suppressed == item).order_by(*order))
    return [dict(row) for row in rows.mappings()]


def among(entries: Iterable[Takedown], wanted: str) -> Takedown | None:
    """The takedown with this item_id, or with any variant of this address; None if there is none."""
    for entry in entries:
        if wanted == entry.item_id:
            return entry
        if "://" in wanted and path_key(wanted) == path_key(entry.url) and bare_host(wanted) == bare_host(entry.url):
            return entry
    return None


def apply(connection: Connection, entries: Iterable[Takedown]) -> list[Takedown]:
    """Hides the listed articles that are not hidden yet.

    Returns the takedowns that are no longer in the list; they stay applied until `lift`.
    """
    listed = {entry.item_id: entry for entry in entries}
    before = {entry.item_id: entry for entry in known(connection)}
    for item, entry in listed.items():
        if before.get(item) != entry:
            connection.execute(delete(suppressed).where(suppressed.c.item_id == item))
            row = {"item_id": item, "url": entry.url, "reason": entry.reason, "date": entry.date.isoformat()}
            connection.execute(insert(suppressed), row)
        if item not in before:
            _hide(connection, item)
    return [entry for item, entry in before.items() if item not in listed]


def _hide(connection: Connection, item: str) -> None:
    row = connection.execute(select(articles).where(articles.c.item_id == item)).mappings().one_or_none()
    if row is None:
        return
    keys = {path_key(row["canonical_url"])}
    for tied in connection.execute(_TIED, {"article": row["id"]}):
        keys |= {tied.link_key, tied.url_key}
    connection.execute(_UNTIE, {"article": row["id"], "item": item})
    fulltext.Index().remove(connection, row["id"], row)
    connection.execute(delete(articles).where(articles.c.id == row["id"]))  # its revisions and citations follow
    # A hidden article is not visited again.
    own = update(frontier).where(frontier.c.site == row["site"], frontier.c.link_key.in_(keys))
    connection.execute(own.values(due_at=None, visited_at=None))


def lift(connection: Connection, item: str) -> list[RecordPlace]:
    """Ends a takedown. Returns the places of the captures at the article's addresses, to be read again in order."""
    hidden = connection.execute(_HIDDEN, {"item": item}).all()
    connection.execute(update(captures).where(captures.c.suppressed == item).values(suppressed=None))
    address = connection.execute(select(suppressed.c.url).where(suppressed.c.item_id == item)).scalar()
    connection.execute(delete(suppressed).where(suppressed.c.item_id == item))
    keys = {key for row in hidden for key in (row.link_key, row.url_key)} | {path_key(address or "")}
    found: set[tuple[str, RecordPlace]] = set()
    for site in {row.site for row in hidden}:
        for start in range(0, len(keys), CHUNK):
            asked = {"of_site": site, "keys": sorted(keys)[start : start + CHUNK]}
            for row in connection.execute(_PLACES, asked):
                found.add((row.warc_date, RecordPlace(row.warc_file, row.warc_offset)))
    return [place for _, place in sorted(found)]


def _takedown(row: Row[tuple[str, str, str, str]]) -> Takedown:
    return Takedown(row.item_id, row.url, row.reason, date.fromisoformat(row.date))
