"""What the front page of a replay lists: the newest articles of each site."""

from __future__ import annotations

from sqlalchemy import Connection, select

from danvan_crawler.store.queries import Filter, newest_first
from danvan_crawler.store.schema import articles


def newest_articles(connection: Connection, slug: str, limit: int) -> list[tuple[str, str, str, str]]:
    """Day, title, URL and time of capture of a site's newest articles."""
    c = articles.c
    statement = select(c.published_at, c.title, c.url, c.captured_at).where(*Filter(site=slug).conditions())
    rows = connection.execute(newest_first(statement).limit(limit))
    return [((row.published_at or "")[:10], row.title, row.url, row.captured_at) for row in rows]
