"""The front page of a replay: the newest articles of each site, with links to their captures."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from danvan_crawler.replay.pywb import COLLECTION, replay_path
from danvan_crawler.store.queries import Filter, newest_first
from danvan_crawler.store.schema import articles
from danvan_crawler.templates import render


def newest_articles(connection: Connection, slug: str, limit: int) -> list[tuple[str, str, str, str]]:
    """Day, title, URL and time of capture of a site's newest articles."""
    c = articles.c
    statement = select(c.published_at, c.title, c.url, c.captured_at).where(*Filter(site=slug).conditions())
    rows = connection.execute(newest_first(statement).limit(limit))
    return [((row.published_at or "")[:10], row.title, row.url, row.captured_at) for row in rows]


def front_page(sites: Iterable[tuple[str, Iterable[tuple[str, str, str, str]]]]) -> str:
    """The page as HTML. `sites` are names with their articles: day, title, URL and WARC-Date."""
    listed = [
        (name, [(day, title, replay_path(url, date)) for day, title, url, date in found]) for name, found in sites
    ]
    return render("replay/front_page.html", collection=COLLECTION, sites=listed)
