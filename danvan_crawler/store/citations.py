"""Index of cited documents: which articles cite which document, from the `documents` of the articles.

A document is identified by number and code, independent of spelling: 09-NQ/TU, 9 – NQ/TU and 9-nq/tu are the same, and
so are 20-CT/TU and 20/CT-TU, because Party and State place slash and hyphen differently and writers mix them up. TƯ
means TW (Trung ương) and never TU (Tỉnh ủy), which folding would give. A citation without a code ("Chỉ thị 35") is in
the item but not in this index, because several bodies may have a document of that number.

The index is a separate table because `documents` comes after the text in the rows of the articles: scanning it there
reads every body.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Integer, Select, Text, column, select, table, text

from danvan_crawler.exceptions import UsageError
from danvan_crawler.plurals import counted
from danvan_crawler.vietnamese.documents import find
from danvan_crawler.vietnamese.text import fold

_ZEROS = re.compile(r"^0+(?=[0-9])")
_JOINT = re.compile(r"\W+")

_CREATE = (
    """
CREATE TABLE citations (
    document TEXT NOT NULL,
    article_id INTEGER NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    PRIMARY KEY (document, article_id)
) WITHOUT ROWID""",
    "CREATE INDEX citations_by_article ON citations (article_id)",
)
_INSERT = text("INSERT INTO citations(document, article_id) VALUES (:document, :article)")
_DELETE = text("DELETE FROM citations WHERE article_id = :article")
_CITING = text("SELECT id, documents FROM articles WHERE documents != '[]'")
_CITATIONS = table("citations", column("document", Text), column("article_id", Integer))
_NONE = "[]"
_CHUNK = 500


def create(connection: Connection) -> None:
    """Adds the index to a database that has `articles`, and fills it."""
    for statement in _CREATE:
        connection.exec_driver_sql(statement)
    citing = connection.execute(_CITING, execution_options={"yield_per": _CHUNK})
    for row in citing:
        add(connection, row.id, row.documents)


def add(connection: Connection, article_id: int, documents: str) -> None:
    """Adds the citations of an article; `documents` is the JSON of its field."""
    if documents != _NONE:
        rows = [{"document": one, "article": article_id} for one in _documents(json.loads(documents))]
        if rows:
            connection.execute(_INSERT, rows)


def replace(connection: Connection, article_id: int, documents: str) -> None:
    """Replaces the citations of an article."""
    connection.execute(_DELETE, {"article": article_id})
    add(connection, article_id, documents)


def citing(document: str) -> Select[tuple[int]]:
    """Ids of the articles that cite the document with this key."""
    return select(_CITATIONS.c.article_id).where(_CITATIONS.c.document == document)


def _documents(cited: Iterable[Mapping[str, Any]]) -> list[str]:
    return sorted({key(one["number"], one["code"]) for one in cited if one["code"] is not None})


def key(number: str, code: str) -> str:
    """The key that all spellings of a document's number and code share.

    >>> key("09", "NQ/TU"), key("100/2019", "NĐ-CP"), key("35", "CT/TƯ")
    ('9-nq-tu', '100/2019-nd-cp', '35-ct-tw')
    """
    letters = fold(code.lower().replace("tư", "tw"))
    return f"{_ZEROS.sub('', number.lower())}-{_JOINT.sub('-', letters)}"


def key_of(text: str) -> str:
    """The key of the document that a user names. Raises UsageError unless the text names exactly one.

    >>> key_of("Nghị quyết số 09-NQ/TU ngày 15/7/2021"), key_of("45/2019/qh14")
    ('9-nq-tu', '45/2019-qh14')
    """
    # In an article, lower-case letters need more context to be accepted as a code than in a user's input.
    for spelling in (text, f"số {text}", f"số {text.upper()}"):
        found = {key(citation.number, citation.code) for citation in find(spelling) if citation.code is not None}
        if len(found) > 1:
            raise UsageError(f"{text!r} names {counted(len(found), 'document')}: give one")
        if found:
            return found.pop()
    raise UsageError(f"{text!r} is not a document number: give number and code, like 09-NQ/TU or 100/2019/NĐ-CP")
