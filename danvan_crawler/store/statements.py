"""SQL statements of `writes`, built once: this halves the time for writing an article with SQLAlchemy."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, exists, func, select, update
from sqlalchemy.dialects.sqlite import insert

from danvan_crawler.store import captures as exchanges
from danvan_crawler.store.schema import (
    articles,
    captures,
    frontier,
    listing_links,
    revisions,
    site_state,
    suppressed,
    visit_counters,
    walks,
)
from danvan_crawler.store.site_state import FEEDS, POSITION

CAPTURE = select(
    captures.c.id,
    captures.c.warc_date,
    captures.c.link_key,
    captures.c.url_key,
    exists().where(suppressed.c.item_id == bindparam("item")).label("is_suppressed"),
).where(captures.c.warc_file == bindparam("file"), captures.c.warc_offset == bindparam("offset"))
HIDE_CAPTURE = update(captures).where(captures.c.id == bindparam("capture")).values(suppressed=bindparam("item"))
KNOWN = select(articles).where(articles.c.item_id == bindparam("item"))
SEEN = select(
    captures.c.id,
    captures.c.warc_date,
    captures.c.warc_file,
    captures.c.warc_offset,
    captures.c.content_hash,
    captures.c.is_canonical,
    captures.c.link_key,
    captures.c.url_key,
).where(captures.c.article_id == bindparam("article"))
REVISION = select(revisions.c.content).where(
    revisions.c.article_id == bindparam("article"), revisions.c.content_hash == bindparam("hash")
)
EARLIEST_LISTING = (
    select(listing_links.c.section)
    .where(
        listing_links.c.site == bindparam("of_site"),
        listing_links.c.link_key.in_(bindparam("keys", expanding=True)),
    )
    .order_by(listing_links.c.seen_at)
    .limit(1)
)
INSERT_ARTICLE = insert(articles)
UPDATE_ARTICLE = update(articles).where(articles.c.id == bindparam("article"))
TIE_CAPTURE = (
    update(captures)
    .where(captures.c.id == bindparam("capture"))
    .values(article_id=bindparam("article"), content_hash=bindparam("hash"), is_canonical=bindparam("canonical"))
)
_insert_revision = insert(revisions)
WRITE_REVISION = _insert_revision.on_conflict_do_update(
    index_elements=["article_id", "content_hash"],
    set_={name: _insert_revision.excluded[name] for name in ("captured_at", "content")},
)
RENUMBER = (
    update(revisions)
    .where(revisions.c.article_id == bindparam("article"), revisions.c.content_hash == bindparam("hash"))
    .values(revision=bindparam("number"))
)
ENTRIES = select(
    listing_links.c.link_key, listing_links.c.entry, listing_links.c.entry_seen_at, listing_links.c.seen_at
).where(
    listing_links.c.site == bindparam("of_site"),
    listing_links.c.section == bindparam("of_section"),
    listing_links.c.link_key.in_(bindparam("keys", expanding=True)),
)
_insert_link = insert(listing_links)
WRITE_LINK = _insert_link.on_conflict_do_update(
    index_elements=["site", "link_key", "section"],
    set_={
        "seen_at": func.min(_insert_link.excluded.seen_at, listing_links.c.seen_at),
        "entry": func.iif(
            _insert_link.excluded.entry_seen_at >= listing_links.c.entry_seen_at,
            _insert_link.excluded.entry,
            listing_links.c.entry,
        ),
        "entry_seen_at": func.max(_insert_link.excluded.entry_seen_at, listing_links.c.entry_seen_at),
    },
)
# Captures of articles under these keys whose page names no section.
NAMELESS = (
    select(articles.c.id, captures.c.link_key, captures.c.url_key)
    .join(captures, captures.c.article_id == articles.c.id)
    .join(revisions, (revisions.c.article_id == articles.c.id) & (revisions.c.content_hash == articles.c.content_hash))
    .where(
        articles.c.id.in_(select(captures.c.article_id).where(exchanges.HAS_KEY)),
        func.json_extract(revisions.c.content, "$.section") == "",
    )
)


SET_RIGHTS = update(articles).where(
    articles.c.site == bindparam("of_site"), articles.c.rights.is_distinct_from(bindparam("note"))
)
ADD_READINGS = insert(visit_counters).on_conflict_do_nothing()
_insert_state = insert(site_state)
WRITE_STATE = _insert_state.on_conflict_do_update(
    index_elements=["site", "name"], set_={"value": _insert_state.excluded.value}
)
LATEST_CAPTURE = select(func.max(captures.c.warc_date)).where(captures.c.site == bindparam("of_site"))
INDEXED = select(articles.c.id, articles.c.title, articles.c.lead, articles.c.body_text).where(
    articles.c.site == bindparam("of_site")
)
# Revisions and citations are deleted with their articles; captures refer to articles, so they are deleted first.
FORGET_SITE = (
    *(delete(of_site).where(of_site.c.site == bindparam("of_site")) for of_site in (captures, articles)),
    *(delete(of_site).where(of_site.c.site == bindparam("of_site")) for of_site in (listing_links, frontier, walks)),
    delete(visit_counters).where(visit_counters.c.site == bindparam("of_site")),
    delete(site_state).where(site_state.c.site == bindparam("of_site"), site_state.c.name.in_((FEEDS, POSITION))),
)
