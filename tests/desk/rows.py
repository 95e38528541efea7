"""The rows of an item database that a rebuild restores, without internal ids: to compare two databases."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

EXEMPT = ("not_before", "rests", "robots")
"""Rows of `site_state` that are in no WARC file."""

_OF_CAPTURES = (
    "c.site, c.url, c.url_key, c.link_key, c.warc_date, c.warc_file, c.warc_offset, c.warc_record_id, c.payload_digest,"
    " c.status, c.media_type, c.truncated, c.content_hash, c.is_canonical, c.absent, c.etag, c.last_modified,"
    " c.refers_to, c.suppressed"
)
_QUERIES = {
    "revisions": "SELECT a.item_id, r.content_hash, r.revision, r.captured_at, r.content"
    " FROM revisions r JOIN articles a ON a.id = r.article_id",
    "captures": f"SELECT {_OF_CAPTURES}, a.item_id FROM captures c LEFT JOIN articles a ON a.id = c.article_id",
    "listing_links": "SELECT site, link_key, section, seen_at, entry_seen_at, entry FROM listing_links",
    "frontier": "SELECT site, link_key, url, section, state, attempts, last_error, due_at, visited_at FROM frontier",
    "walks": "SELECT site, section_url, completed_at, began_at, swept_at, cursor, pages, last_page, for_news"
    " FROM walks",
    "site_state": f"SELECT site, name, value FROM site_state WHERE name NOT IN {EXEMPT}",
    "visit_counters": "SELECT * FROM visit_counters",
}

Rows = dict[str, list[str]]


def rows_of(database: Path) -> Rows:
    """All rows by table, each as text, sorted."""
    with closing(sqlite3.connect(database)) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(articles)") if row[1] != "id"]
        queries = {"articles": f"SELECT {', '.join(columns)} FROM articles", **_QUERIES}
        return {table: sorted(map(repr, connection.execute(query))) for table, query in queries.items()}


def differences(before: Rows, after: Rows) -> list[str]:
    """Rows that only one of the databases has: a line for each, with its table."""
    found = []
    for table, rows in before.items():
        found += [f"{table}: lost {row}" for row in sorted(set(rows) - set(after[table]))]
        found += [f"{table}: new {row}" for row in sorted(set(after[table]) - set(rows))]
    return found
