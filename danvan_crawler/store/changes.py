"""Changes of articles in a period: published, edited, gone, revived.

They are computed from the captures, so the result for a past period stays the same, also after a rebuild.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, union

from danvan_crawler.store import absences
from danvan_crawler.store.lifecycle import Change, history
from danvan_crawler.store.schema import articles, captures, revisions
from danvan_crawler.urls import path_key, without_session

KINDS = ("new", "edited", "gone", "revived")
_LINES = ("title", "author", "source", "published_at", "lead")
"""Fields compared as one line each, in the order of a diff; the body's paragraphs and the attachments follow."""
_CONTEXT = 6
"""Words shown on each side of a changed passage."""
_MAX_WORDS = 5_000
"""Most words of two paragraphs that are compared word by word; the time grows with the square of their number."""


@dataclass(frozen=True, slots=True)
class ArticleChange:
    """One change of one article."""

    date: str
    """WARC-Date of the capture that shows it."""
    kind: str
    item_id: str
    site: str
    url: str
    title: str
    """The current title."""
    diff: tuple[str, ...] = ()
    """For an edit: one line per changed field or paragraph, `field: … [-before-] {+after+} …`."""


def changes(
    connection: Connection, since: str, until: str | None = None, *, site: str | None = None
) -> Iterator[ArticleChange]:
    """Changes with since <= WARC-Date < until, oldest first."""
    found: list[tuple[Change, int]] = []
    for row in connection.execute(_touched(since, site)).all():
        for change in _history(connection, row.id, row.site):
            if since <= change.date and (until is None or change.date < until):
                found.append((change, row.id))
    found.sort(key=lambda one: (one[0].date, one[1], KINDS.index(one[0].kind)))
    for change, article_id in found:
        yield _described(connection, change, article_id)


def _touched(since: str, site: str | None) -> Any:
    """Articles with a capture since then. Absences are not tied to an article, so `gone_at` is checked as well."""
    captured = select(captures.c.article_id).where(captures.c.article_id.is_not(None), captures.c.warc_date >= since)
    gone = select(articles.c.id).where(articles.c.gone_at >= since)
    statement = select(articles.c.id, articles.c.site).where(articles.c.id.in_(union(captured, gone)))
    return statement.where(articles.c.site == site) if site is not None else statement


def _history(connection: Connection, article_id: int, site: str) -> list[Change]:
    own = select(captures.c.warc_date, captures.c.content_hash, captures.c.link_key, captures.c.url_key)
    rows = connection.execute(own.where(captures.c.article_id == article_id)).all()
    address = select(articles.c.canonical_url).where(articles.c.id == article_id)
    keys = {path_key(connection.execute(address).scalar_one())}
    keys |= {key for row in rows for key in (row.link_key, row.url_key)}
    present = [(row.warc_date, row.content_hash) for row in rows]
    return history(present, absences.dates(connection, site, keys))


def _described(connection: Connection, change: Change, article_id: int) -> ArticleChange:
    columns = (articles.c.item_id, articles.c.site, articles.c.canonical_url, articles.c.title)
    row = connection.execute(select(*columns).where(articles.c.id == article_id)).one()
    diff: tuple[str, ...] = ()
    if change.kind == "edited":
        before, after = (_content(connection, article_id, key) for key in (change.before, change.after))
        diff = tuple(differences(before, after))
    return ArticleChange(change.date, change.kind, row.item_id, row.site, row.canonical_url, row.title, diff)


def _content(connection: Connection, article_id: int, content_hash: str | None) -> dict[str, Any]:
    statement = select(revisions.c.content).where(
        revisions.c.article_id == article_id, revisions.c.content_hash == content_hash
    )
    content: dict[str, Any] = json.loads(connection.execute(statement).scalar_one())
    return content


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Differences between the contents of two revisions, one line per field or paragraph.

    >>> old = {"title": "Hội nghị tổng kết", "body_text": "A\\nB"}
    >>> list(differences(old, {"title": "Hội nghị sơ kết", "body_text": "A\\nC"}))
    ['title: Hội nghị [-tổng-] {+sơ+} kết', 'body: [-B-] {+C+}']
    """
    for name in _LINES:
        yield from _line_differences(name, [before.get(name) or ""], [after.get(name) or ""])
    texts = [(content.get("body_text") or "").split("\n") for content in (before, after)]
    yield from _line_differences("body", *texts)
    files = [
        [without_session(file["url"]) for file in json.loads(content.get("attachments") or "[]")]
        for content in (before, after)
    ]
    yield from _line_differences("attachment", *files)


def _line_differences(name: str, before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    for operation, i, j, k, m in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if operation == "equal":
            continue
        paired = min(j - i, m - k)
        for old, new in zip(before[i : i + paired], after[k : k + paired], strict=True):
            yield f"{name}: {word_diff(old, new)}"
        for old in before[i + paired : j]:
            yield f"{name}: [-{old}-]"
        for new in after[k + paired : m]:
            yield f"{name}: {{+{new}+}}"


def word_diff(before: str, after: str) -> str:
    """Two versions of a line in one: `[-removed-]`, `{+added+}`, and `…` for long unchanged passages."""
    old, new = before.split(), after.split()
    if not old or not new or len(old) + len(new) > _MAX_WORDS:
        return " ".join(part for part in (before and f"[-{before}-]", after and f"{{+{after}+}}") if part)
    parts: list[str] = []
    operations = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for number, (operation, i, j, k, m) in enumerate(operations):
        if operation == "equal":
            parts.append(_shortened(old[i:j], number > 0, number < len(operations) - 1))
            continue
        parts += [f"[-{' '.join(old[i:j])}-]"] if j > i else []
        parts += [f"{{+{' '.join(new[k:m])}+}}"] if m > k else []
    return " ".join(part for part in parts if part)


def _shortened(words: Sequence[str], after_change: bool, before_change: bool) -> str:
    """An unchanged passage, shortened to the words next to a change."""
    head = _CONTEXT if after_change else 0
    tail = _CONTEXT if before_change else 0
    if len(words) <= head + tail + 1:
        return " ".join(words)
    return " ".join((*words[:head], "…", *words[len(words) - tail :]))
