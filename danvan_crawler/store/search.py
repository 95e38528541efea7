"""Translate a user's query to FTS5 and return its hits.

Words with Vietnamese marks are looked up exactly (in one tone placement), words without marks in the folded half of the
index: "dân vận khéo" finds itself and not "dẫn vần khéo", "dan van kheo" finds both. `"…"` is a phrase, `word*` a
prefix, `-word` excludes; typographic quotes and dashes are accepted. Any input gives a valid query: everything else is
quoted.

Articles with all the words in their titles come first. They are found by a separate query over the titles, which gives
enough hits for most searches; ranking by FTS5's bm25 would read every match (0.75 to 1.3 s for a common word in 500,000
articles).

Snippets show the printed text. FTS5 counts the words up to a hit in the index and uses the same position in the printed
text, so both must have the same words. An entity that a page encoded twice is printed as an entity
(`&quot;Dân vận&quot;`) but indexed as its character, so the marks would be off by one word for each entity. The few
articles with such text are indexed again, decoded, in a database in memory, and their snippets come from there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

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
from danvan_crawler.store.queries import Filter, Item, by_ids, newest_first
from danvan_crawler.store.schema import articles
from danvan_crawler.vietnamese.text import canonical, clean, fold, unescape

_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»″＂", '"'))
_TERM = re.compile(r'(?P<minus>[-‐-―−﹣－])?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')
_WORD = re.compile(r"[^\W_]")
"""Characters of words, as in FTS5."""
_PREFIX = '" *'
"""Makes a quoted word a prefix. Quoted text cannot contain it."""
_MANY = 1000
"""More matches than this are not sorted: reading the articles from the newest one is faster."""
_CHUNK = 500
"""Hits per query, so that any number of hits stays below SQLite's limit of 32,766 parameters."""

_FTS = table("articles_fts", column("rowid", Integer))
_MATCHES = select(_FTS.c.rowid).where(text("articles_fts MATCH :expression"))
_FIRST_MATCHES = _MATCHES.limit(_MANY + 1)

MARK_START, MARK_END = "\x02", "\x03"
"""Markers around the found words in a snippet; stored text has no control characters."""
_TOKENS = 24
_SNIPPETS = select(
    _FTS.c.rowid, literal_column(f"snippet(articles_fts, -1, char(2), char(3), '…', {_TOKENS})", Text).label("snippet")
).where(text("articles_fts MATCH :expression"))
_IDS: BindParameter[int] = bindparam("ids", expanding=True)
# One look-up per id, or one pass over all matches (the sum prevents look-ups by id).
_ONE_BY_ONE = _SNIPPETS.where(_FTS.c.rowid.in_(_IDS))
_IN_ONE_PASS = _SNIPPETS.where((_FTS.c.rowid + 0).in_(_IDS))

_PRINTED = tuple(sorted(fulltext.PRINTED))
_CREATE = f"CREATE TABLE articles (id INTEGER PRIMARY KEY, {', '.join(f'{name} TEXT' for name in _PRINTED)})"
_INSERT = text(f"INSERT INTO articles(id, {', '.join(_PRINTED)}) VALUES (:id, {', '.join(f':{n}' for n in _PRINTED)})")


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of the index that a query uses: exact words, and the same words folded."""

    exact: str
    folded: str


ANYWHERE = Columns("title lead body_text", "folded_title folded_text")
TITLE = Columns("title", "folded_title")


@dataclass(frozen=True, slots=True)
class Hit:
    """One item found, with a snippet."""

    item: Item
    snippet: str
    """Printed text around the hit, found words between MARK_START and MARK_END; the lead if the query was empty."""


def fts_query(query: str, columns: Columns = ANYWHERE) -> str | None:
    """The FTS5 expression for a query; None if it has no word to find.

    An excluded word excludes an article if it is in any column, independent of `columns`.

    >>> fts_query('dân vận -“cơ sở” kheo*')
    '({title lead body_text} : "dân") AND ({title lead body_text} : "vận") AND ({folded_title folded_text} : "kheo" *) \
NOT (({title lead body_text} : "cơ sở"))'
    """
    wanted: list[str] = []
    unwanted: list[str] = []
    for match in _TERM.finditer(query.translate(_QUOTES)):
        words, may_be_prefix = match["phrase"] or match["word"] or "", match["phrase"] is None
        term = _expression(words, may_be_prefix, ANYWHERE if match["minus"] else columns)
        if term is not None:
            (unwanted if match["minus"] else wanted).append(term)
    if not wanted:
        return None
    # One NOT for all: each NOT is a further level, and FTS5 has a limit of 256.
    excluded = f" NOT ({' OR '.join(dict.fromkeys(unwanted))})" if unwanted else ""
    return " AND ".join(dict.fromkeys(wanted)) + excluded


def _expression(words: str, may_be_prefix: bool, columns: Columns) -> str | None:
    prefix = may_be_prefix and words.endswith("*")
    words = words.replace("\0", " ").rstrip("*")
    exact = canonical(words)
    if not _WORD.search(exact):
        return None
    folded = fold(exact)
    marked = folded != exact.lower()
    spellings = [exact if marked else folded]
    if prefix and marked:
        # The place of the tone mark depends on what follows: hoà is hòa, and the beginning of hoàng.
        spellings = list(dict.fromkeys([exact, clean(words)]))
    # In quotes FTS5 splits the text into words as it does for the index, and ignores operators.
    quoted = [f'"{spelling.replace(chr(34), " ")}"{_PREFIX[1:] if prefix else ""}' for spelling in spellings]
    either = quoted[0] if len(quoted) == 1 else f"({' OR '.join(quoted)})"
    return f"({{{columns.exact if marked else columns.folded}}} : {either})"


def search(connection: Connection, query: str, criteria: Filter, limit: int) -> Iterator[Hit]:
    """Hits for a query: first those with all words in the title, then the others, each newest first.

    A query without words gives the newest items that match the filter. `limit` is the greatest number of hits. No query
    text raises an error.
    """
    expression, of_titles = fts_query(query), fts_query(query, TITLE)
    if expression is None or of_titles is None:
        if _WORD.search(query):  # only exclusions: there is nothing to look up
            return
        newest = newest_first(select(articles.c.id).where(*criteria.conditions())).limit(limit)
        for chunk in _chunks(connection.execute(newest).scalars().all()):
            yield from (Hit(item, item["lead"]) for item in by_ids(connection, chunk))
        return
    ids, few = _newest(connection, of_titles, criteria, limit)[0], False
    if len(ids) < limit:
        others, few = _newest(connection, expression, criteria, limit)
        known = set(ids)
        ids += islice((row_id for row_id in others if row_id not in known), limit - len(ids))
    # For each look-up FTS5 collects all words with a prefix again (0.7 s for twenty articles).
    one_pass = few or _PREFIX in expression
    for chunk in _chunks(ids):
        items = by_ids(connection, chunk)
        passages = snippets(connection, expression, chunk, items, one_pass=one_pass)
        yield from map(Hit, items, passages)


def _newest(connection: Connection, expression: str, criteria: Filter, limit: int) -> tuple[list[int], bool]:
    """Ids of the newest articles that match expression and filter, and whether there are few matches in all."""
    words = {"expression": expression}
    # Select only ids, because SQLite sorts with all selected columns.
    first = connection.execute(_FIRST_MATCHES, words).scalars().all()
    few = len(first) <= _MANY
    # Few matches are sorted. With many, SQLite reads an index with the days from the newest article on and stops at the
    # limit; the sum prevents it from starting with the matches, whose rows it would read.
    matches = articles.c.id.in_(first) if few else (articles.c.id + 0).in_(_MATCHES)
    statement = newest_first(select(articles.c.id).where(matches, *criteria.conditions())).limit(limit)
    return list(connection.execute(statement, words).scalars()), few


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK))


def snippets(
    connection: Connection, expression: str, ids: Sequence[int], items: Sequence[Item], *, one_pass: bool
) -> list[str]:
    """A snippet of each of these articles, which match the expression; found words between MARK_START and MARK_END.

    `one_pass` is faster if the expression has few matches in all. At most a few thousand ids.
    """
    statement = _IN_ONE_PASS if one_pass else _ONE_BY_ONE
    found = {row.rowid: row.snippet for row in connection.execute(statement, {"expression": expression, "ids": ids})}
    decoded = {row_id: row for row_id, item in zip(ids, items, strict=True) if (row := _decoded(item)) is not None}
    if decoded:
        found |= _of_decoded(expression, decoded)
    return [found[row_id] for row_id in ids]


def _decoded(item: Item) -> dict[str, str] | None:
    """The printed columns of an article with entities decoded; None if it has no entities."""
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
