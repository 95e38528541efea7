"""A user's query, as FTS5 understands it, and its hits.

Words with Vietnamese marks are looked up exactly (in one tone placement), words without any in the folded half of the
index: "dân vận khéo" finds itself and not "dẫn vần khéo", "dan van kheo" finds both. `"…"` is a phrase, `word*` a
prefix, `-word` excludes. Any input gives a valid query: everything else is quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import BindParameter, Connection, Integer, Text, bindparam, column, literal_column, select, table, text

from danvan_crawler.store.queries import Filter, Item, by_ids, newest_first
from danvan_crawler.store.schema import articles
from danvan_crawler.vietnamese.text import canonical, fold

_TERM = re.compile(r'(?P<minus>-)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')
_EXACT = "{title lead body_text}"
_FOLDED = "{folded_title folded_text}"
_WORD = re.compile(r"[^\W_]")
"""What FTS5, too, takes for a part of a word."""
_SNIPPET_TOKENS = 24
_MANY = 1000
"""More matches than this are not sorted: going through the articles from the newest one is faster."""
MARK_START, MARK_END = "\x02", "\x03"
"""What surrounds the words found in a snippet; no stored text holds control characters."""

_FTS = table("articles_fts", column("rowid", Integer))
_MATCHES = select(_FTS.c.rowid).where(text("articles_fts MATCH :expression"))
_FIRST_MATCHES = _MATCHES.limit(_MANY + 1)
_WITH_SNIPPET = _MATCHES.add_columns(
    literal_column(f"snippet(articles_fts, -1, char(2), char(3), '…', {_SNIPPET_TOKENS})", Text).label("snippet")
)
_IDS: BindParameter[int] = bindparam("ids", expanding=True)
# Looked up id by id, or picked out of one pass over all matches (the sum keeps SQLite from looking up).
_SNIPPETS_OF_MANY = _WITH_SNIPPET.where(_FTS.c.rowid.in_(_IDS))
_SNIPPETS_OF_FEW = _WITH_SNIPPET.where((_FTS.c.rowid + 0).in_(_IDS))


@dataclass(frozen=True, slots=True)
class Hit:
    """One item found, with the passage that shows why."""

    item: Item
    snippet: str
    """Printed text around the hit, found words between MARK_START and MARK_END; the lead when nothing was asked for."""


def fts_query(query: str) -> str | None:
    """The FTS5 expression for a query; None when it asks for no word at all.

    >>> fts_query('dân vận -"cơ sở" kheo*')
    '({title lead body_text} : "dân") AND ({title lead body_text} : "vận") AND ({folded_title folded_text} : "kheo" *) \
NOT (({title lead body_text} : "cơ sở"))'
    """
    wanted: list[str] = []
    unwanted: list[str] = []
    for match in _TERM.finditer(query):
        term = _expression(match["phrase"] if match["phrase"] is not None else match["word"], match["phrase"] is None)
        if term is not None:
            (unwanted if match["minus"] else wanted).append(term)
    if not wanted:
        return None
    # One NOT for all: each further one would nest deeper, and FTS5 takes 256 levels.
    excluded = f" NOT ({' OR '.join(dict.fromkeys(unwanted))})" if unwanted else ""
    return " AND ".join(dict.fromkeys(wanted)) + excluded


def _expression(words: str, may_be_prefix: bool) -> str | None:
    exact = canonical(words.replace("\0", " "))
    if not _WORD.search(exact):
        return None
    folded = fold(exact)
    columns, printed = (_FOLDED, folded) if folded == exact.lower() else (_EXACT, exact)
    # In quotes FTS5 takes words out of a text as it does when it indexes one, and sees no operator.
    prefix = " *" if may_be_prefix and words.endswith("*") else ""
    return f'({columns} : "{printed.replace(chr(34), " ")}"{prefix})'


def search(connection: Connection, query: str, criteria: Filter, limit: int) -> Iterator[Hit]:
    """Hits for a query, newest first. A query without words gives the newest items that pass the filter.

    `limit` is the greatest number of hits. Never raises for any query text.
    """
    expression = fts_query(query)
    if expression is None:
        if _WORD.search(query):  # only exclusions: there is nothing to look up
            return
        newest = newest_first(select(articles.c.id).where(*criteria.conditions())).limit(limit)
        for item in by_ids(connection, connection.execute(newest).scalars().all()):
            yield Hit(item, item["lead"])
        return
    words = {"expression": expression}
    # Only ids until it is known which: SQLite carries all that it selects through its sorting.
    first = connection.execute(_FIRST_MATCHES, words).scalars().all()
    few = len(first) <= _MANY
    # Few matches are sorted. With many, SQLite goes through the articles from the newest one, along an index that knows
    # their days, and stops when it has enough; the sum keeps it from starting at the matches, whose rows it would read.
    matches = articles.c.id.in_(first) if few else (articles.c.id + 0).in_(_MATCHES)
    statement = newest_first(select(articles.c.id).where(matches, *criteria.conditions())).limit(limit)
    ids = connection.execute(statement, words).scalars().all()
    found = connection.execute(_SNIPPETS_OF_FEW if few else _SNIPPETS_OF_MANY, {**words, "ids": ids})
    snippets = {row.rowid: row.snippet for row in found}
    for row_id, item in zip(ids, by_ids(connection, ids), strict=True):
        yield Hit(item, snippets[row_id])
