"""Activity of a site: changes found by a run, publication dates, and the time of the last new article."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, func, select

from danvan_crawler.clock import warc_date
from danvan_crawler.store import absences
from danvan_crawler.store.captures import HAS_KEY
from danvan_crawler.store.lifecycle import history
from danvan_crawler.store.schema import articles, captures, listing_links

LAST_ARTICLES = 50
"""Number of articles from which a site's publication rhythm is computed."""
_LAST_ADDED = 50
"""Number of rows added last among which the newest capture is searched: files read later add old articles."""


@dataclass(frozen=True, slots=True)
class Activity:
    """A site's activity at one time."""

    articles: int
    newest: str | None
    """`published_at` of the newest article that is not dated in the future."""
    last_new: str | None
    """WARC-Date of the first capture of the article that was discovered last."""
    published: Mapping[int, int]
    """Days -> number of articles published in the last that many days."""


def activity(connection: Connection, site: str, now: datetime, *, spans: tuple[int, ...] = (7, 30)) -> Activity:
    """Activity of one site. Dates are compared as days in the site's own zone, as in `published_at`."""
    of_site = articles.c.site == site
    tomorrow = (now + timedelta(days=1)).date().isoformat()
    # A site's zone may be ahead of ours: its date may already be tomorrow.
    dated = (of_site, articles.c.published_at < f"{tomorrow}T99")
    newest = connection.execute(select(func.max(articles.c.published_at)).where(*dated)).scalar_one()
    ids = connection.execute(
        select(articles.c.id).where(of_site).order_by(articles.c.id.desc()).limit(_LAST_ADDED)
    ).scalars()
    first_seen = select(articles.c.first_seen).where(articles.c.id.in_(ids.all()))
    last_new = max(connection.execute(first_seen).scalars(), default=None)
    count = connection.execute(select(func.count()).select_from(articles).where(of_site)).scalar_one()
    published = {}
    for days in spans:
        since = (now - timedelta(days=days)).date().isoformat()
        wanted = select(func.count()).select_from(articles).where(*dated, articles.c.published_at >= since)
        published[days] = connection.execute(wanted).scalar_one()
    return Activity(count, newest, last_new, published)


def last_days(connection: Connection, site: str, now: datetime) -> list[date]:
    """Publication days of the site's last articles, newest first, without future dates."""
    tomorrow = (now + timedelta(days=1)).date().isoformat()
    wanted = (
        select(articles.c.published_at)
        .where(articles.c.site == site, articles.c.published_at < f"{tomorrow}T99")
        .order_by(articles.c.published_at.desc())
        .limit(LAST_ARTICLES)
    )
    return [date.fromisoformat(published[:10]) for published in connection.execute(wanted).scalars()]


def change_counts(connection: Connection, site: str, since: datetime) -> dict[str, int]:
    """How many of a site's articles were `new`, `edited`, `gone` and `revived` since a time, counted as in `changes`.

    Reads captures only: rows of articles contain their bodies, and scanning them takes seconds.
    """
    at = warc_date(since)
    in_span = (captures.c.site == site, captures.c.warc_date >= at)
    ids = set(
        connection.execute(select(captures.c.article_id).where(*in_span, captures.c.article_id.is_not(None))).scalars()
    )
    # An absence belongs to an address, not to an article's row.
    for key in connection.execute(select(captures.c.link_key).where(*in_span, captures.c.absent == 1)).scalars().all():
        there = select(captures.c.article_id).where(HAS_KEY, captures.c.article_id.is_not(None))
        ids.update(connection.execute(there, {"of_site": site, "keys": [key]}).scalars())
    found: Counter[str] = Counter()
    for article_id in ids:
        found.update(_kinds(connection, site, article_id, at))
    return {kind: found[kind] for kind in ("new", "edited", "gone", "revived")}


def _kinds(connection: Connection, site: str, article_id: int, at: str) -> list[str]:
    own = select(captures.c.warc_date, captures.c.content_hash, captures.c.link_key, captures.c.url_key)
    seen = connection.execute(own.where(captures.c.article_id == article_id)).all()
    if len(seen) == 1 and seen[0].warc_date >= at:
        return ["new"]
    keys = {key for one in seen for key in (one.link_key, one.url_key)}
    present = [(one.warc_date, one.content_hash) for one in seen]
    return [change.kind for change in history(present, absences.dates(connection, site, keys)) if change.date >= at]


def sections_with_articles(connection: Connection, site: str) -> set[str]:
    """Names of the sections that have ever listed articles."""
    wanted = select(listing_links.c.section).where(listing_links.c.site == site).distinct()
    return set(connection.execute(wanted).scalars())
