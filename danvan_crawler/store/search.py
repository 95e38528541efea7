"""A user's query, as FTS5 understands it, and its hits.

Words with Vietnamese marks are looked up exactly (in one tone placement), words without any in the folded half of the
index: "dân vận khéo" finds itself and not "dẫn vần khéo", "dan van kheo" finds both. `"…"` is a phrase, `word*` a
prefix, `-word` excludes. Any input gives a valid query: everything else is quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, column, select, table, text
from sqlalchemy.sql import literal_column

from danvan_crawler.store.queries import EXPORT_COLUMNS, Filter, Item, hydrate, newest_first
from danvan_crawler.store.schema import articles
from danvan_crawler.vietnamese.text import canonical, fold

_TERM = re.compile(r'(?P<minus>-)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')
_EXACT = "{title lead body_text}"
_FOLDED = "{folded_title folded_text}"
_SNIPPET_TOKENS = 24
MARK_START, MARK_END = "\x02", "\x03"
"""What surrounds the words found in a snippet; no stored text holds control characters."""


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
NOT ({title lead body_text} : "cơ sở")'
    """
    wanted: list[str] = []
    unwanted: list[str] = []
    for match in _TERM.finditer(query):
        term = _expression(match["phrase"] if match["phrase"] is not None else match["word"], match["phrase"] is None)
        if term is not None:
            (unwanted if match["minus"] else wanted).append(term)
    if not wanted:
        return None
    return " AND ".join(wanted) + "".join(f" NOT {term}" for term in unwanted)


def _expression(words: str, may_be_prefix: bool) -> str | None:
    prefix = may_be_prefix and words.endswith("*")
    exact = canonical(words.replace("\0", " ")).lower()
    folded = fold(exact)
    tokens = re.findall(r"\w+", exact)
    if not tokens:
        return None
    columns, printed = (_FOLDED, folded) if folded == exact else (_EXACT, exact)
    quoted = " ".join(re.findall(r"\w+", printed))
    return f'({columns} : "{quoted}"{" *" if prefix else ""})'


def search(connection: Connection, query: str, criteria: Filter, limit: int) -> Iterator[Hit]:
    """Hits for a query, newest first. A query without words gives the newest items that pass the filter.

    `limit` is the greatest number of hits. Never raises for any query text.
    """
    expression = fts_query(query)
    if expression is None:
        if re.search(r"\w", query):  # only exclusions: there is nothing to look up
            return
        statement = newest_first(select(*EXPORT_COLUMNS).where(*criteria.conditions())).limit(limit)
        rows = connection.execute(statement).mappings().all()
        for item in hydrate(connection, rows):
            yield Hit(item, item["lead"])
        return
    fts = table("articles_fts", column("rowid"))
    snippet = literal_column(
        f"snippet(articles_fts, -1, char(2), char(3), '…', {_SNIPPET_TOKENS})", type_=articles.c.title.type
    ).label("snippet")
    matching = text("articles_fts MATCH :expression").bindparams(expression=expression)
    statement = (
        newest_first(select(*EXPORT_COLUMNS, snippet).select_from(fts.join(articles, fts.c.rowid == articles.c.id)))
        .where(matching, *criteria.conditions())
        .limit(limit)
    )
    rows = connection.execute(statement).mappings().all()
    for row, item in zip(rows, hydrate(connection, rows), strict=True):
        yield Hit(item, row["snippet"])
