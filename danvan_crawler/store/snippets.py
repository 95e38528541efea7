"""The passage of an article that shows why it was found, as the page printed it.

FTS5 counts the words up to a hit in the index and then to the same place in the printed text, so both must have the
same words. An entity that a page encoded twice is printed as one (`&quot;Dân vận&quot;`) and indexed as what it stands
for, which moves the marks by a word for each. The few articles with such a text are indexed once more, decoded, in a
database in memory, and their passages come from there.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    BindParameter,
    Connection,
    Integer,
    Text,
    bindparam,
    column,
    create_engine,
    literal_column,
    select,
    table,
    text,
)

from danvan_crawler.store import fulltext
from danvan_crawler.store.queries import Item
from danvan_crawler.vietnamese.text import unescape

MARK_START, MARK_END = "\x02", "\x03"
"""What surrounds the words found in a snippet; no stored text holds control characters."""
_TOKENS = 24

_FTS = table("articles_fts", column("rowid", Integer))
_SNIPPETS = select(
    _FTS.c.rowid, literal_column(f"snippet(articles_fts, -1, char(2), char(3), '…', {_TOKENS})", Text).label("snippet")
).where(text("articles_fts MATCH :expression"))
_IDS: BindParameter[int] = bindparam("ids", expanding=True)
# Looked up id by id, or picked out of one pass over all matches (the sum keeps SQLite from looking up).
_ONE_BY_ONE = _SNIPPETS.where(_FTS.c.rowid.in_(_IDS))
_IN_ONE_PASS = _SNIPPETS.where((_FTS.c.rowid + 0).in_(_IDS))

_PRINTED = tuple(sorted(fulltext.PRINTED))
_CREATE = f"CREATE TABLE articles (id INTEGER PRIMARY KEY, {', '.join(f'{name} TEXT' for name in _PRINTED)})"
_INSERT = text(f"INSERT INTO articles(id, {', '.join(_PRINTED)}) VALUES (:id, {', '.join(f':{n}' for n in _PRINTED)})")


def snippets(
    connection: Connection, expression: str, ids: Sequence[int], items: Sequence[Item], *, one_pass: bool
) -> list[str]:
    """A passage of each of these articles, which match the expression; found words between MARK_START and MARK_END.

    `one_pass` is the faster way when the expression has few matches in all. At most some thousand ids.
    """
    statement = _IN_ONE_PASS if one_pass else _ONE_BY_ONE
    found = {row.rowid: row.snippet for row in connection.execute(statement, {"expression": expression, "ids": ids})}
    decoded = {row_id: row for row_id, item in zip(ids, items, strict=True) if (row := _decoded(item)) is not None}
    if decoded:
        found |= _of_decoded(expression, decoded)
    return [found[row_id] for row_id in ids]


def _decoded(item: Item) -> dict[str, str] | None:
    """What an article prints, without entities; None where there are none."""
    if not any("&" in item[name] for name in _PRINTED):
        return None
    row = {name: unescape(item[name]) for name in _PRINTED}
    return row if any(row[name] != item[name] for name in _PRINTED) else None


def _of_decoded(expression: str, rows: dict[int, dict[str, str]]) -> dict[int, str]:
    engine, index = create_engine("sqlite://"), fulltext.Index()
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(_CREATE)
            fulltext.create(connection)
            for row_id, row in rows.items():
                connection.execute(_INSERT, {"id": row_id, **row})
                index.add(connection, row_id, row)
            found = connection.execute(_SNIPPETS, {"expression": expression})
            return {row.rowid: row.snippet for row in found}
    finally:
        engine.dispose()
