"""A user's query, as FTS5 understands it, and its hits.

Words with Vietnamese marks are looked up exactly (in one tone placement), words without any in the folded half of the
index: "dân vận khéo" finds itself and not "dẫn vần khéo", "dan van kheo" finds both. `"…"` is a phrase, `word*` a
prefix, `-word` excludes; quotes and dashes may be those that word processors make of them. Any input gives a valid
query: everything else is quoted.

Articles that have all the words in their titles come first. That is a query of its own over the titles, after which
most searches have all the hits they want; ranking by FTS5's bm25 would read every match (a common word in 500,000
articles: 0.75 to 1.3 s).

The passage that shows why an article was found comes as the page printed it. FTS5 counts the words up to a hit in the
index and then to the same place in the printed text, so both must have the same words. An entity that a page encoded
twice is printed as one (`&quot;Dân vận&quot;`) and indexed as what it stands for, which moves the marks by a word for
each. The few articles with such a text are indexed once more, decoded, in a database in memory, and their passages come
from there.
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
"""What FTS5, too, takes for a part of a word."""
_PREFIX = '" *'
"""What makes a quoted word a prefix, and what no quoted text holds."""
_MANY = 1000
"""More matches than this are not sorted: going through the articles from the newest one is faster."""
_CHUNK = 500
"""Hits read at a time: any number of them stays below SQLite's limit of 32,766 parameters."""

_FTS = table("articles_fts", column("rowid", Integer))
_MATCHES = select(_FTS.c.rowid).where(text("articles_fts MATCH :expression"))
_FIRST_MATCHES = _MATCHES.limit(_MANY + 1)

MARK_START, MARK_END = "\x02", "\x03"
"""What surrounds the words found in a snippet; no stored text holds control characters."""
_TOKENS = 24
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


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a query looks: columns of the index that hold printed words, and the same words folded."""

    exact: str
    folded: str


ANYWHERE = Columns("title lead body_text", "folded_title folded_text")
TITLE = Columns("title", "folded_title")


@dataclass(frozen=True, slots=True)
class Hit:
    """One item found, with the passage that shows why."""

    item: Item
    snippet: str
    """Printed text around the hit, found words between MARK_START and MARK_END; the lead when nothing was asked for."""


def fts_query(query: str, columns: Columns = ANYWHERE) -> str | None:
    """The FTS5 expression for a query; None when it asks for no word at all.

    Excluded are articles with such a word anywhere, wherever the others are looked for.

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
    # One NOT for all: each further one would nest deeper, and FTS5 takes 256 levels.
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
        # Where the tone goes depends on what follows: hoà is hòa, and the beginning of hoàng.
        spellings = list(dict.fromkeys([exact, clean(words)]))
    # In quotes FTS5 takes words out of a text as it does when it indexes one, and sees no operator.
    quoted = [f'"{spelling.replace(chr(34), " ")}"{_PREFIX[1:] if prefix else ""}' for spelling in spellings]
    either = quoted[0] if len(quoted) == 1 else f"({' OR '.join(quoted)})"
    return f"({{{columns.exact if marked else columns.folded}}} : {either})"


def search(connection: Connection, query: str, criteria: Filter, limit: int) -> Iterator[Hit]:
    """Hits for a query: first those with all words in the title, then the others, either newest first.

    A query without words gives the newest items that pass the filter. `limit` is the greatest number of hits. Never
    raises for any query text.
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
    # For each article that is looked up FTS5 puts all words with a prefix together anew (0.7 s for twenty).
    one_pass = few or _PREFIX in expression
    for chunk in _chunks(ids):
        items = by_ids(connection, chunk)
        passages = snippets(connection, expression, chunk, items, one_pass=one_pass)
        yield from map(Hit, items, passages)


def _newest(connection: Connection, expression: str, criteria: Filter, limit: int) -> tuple[list[int], bool]:
    """Ids of the newest articles that match and pass the filter, and whether there are few matches in all."""
    words = {"expression": expression}
    # Only ids until it is known which: SQLite carries all that it selects through its sorting.
    first = connection.execute(_FIRST_MATCHES, words).scalars().all()
    few = len(first) <= _MANY
    # Few matches are sorted. With many, SQLite goes through the articles from the newest one, along an index that knows
    # their days, and stops when it has enough; the sum keeps it from starting at the matches, whose rows it would read.
    matches = articles.c.id.in_(first) if few else (articles.c.id + 0).in_(_MATCHES)
    statement = newest_first(select(articles.c.id).where(matches, *criteria.conditions())).limit(limit)
    return list(connection.execute(statement, words).scalars()), few


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK))


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
