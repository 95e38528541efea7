"""Store: everything that a crawl or a rebuild writes, one transaction per article or listing.

Captures are noted in memory and written with the next transaction: an index row per exchange costs nothing that way,
and a row that a crash loses is in the WARC all the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from itemadapter import ItemAdapter
from sqlalchemy import Connection, bindparam, func, or_, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DatabaseError

from danvan_crawler.exceptions import StoreError
from danvan_crawler.items import DERIVED_BY_STORE, EXPORT_FIELDS, LIST_FIELDS, Article, VisitCounters
from danvan_crawler.store import fulltext
from danvan_crawler.store.database import open_for_writing
from danvan_crawler.store.frontier import ARCHIVED, Frontier
from danvan_crawler.store.revisions import Sighting, Timeline, timeline
from danvan_crawler.store.schema import articles, captures, listing_links, revisions, visit_counters
from danvan_crawler.urls import path_key

_CONTENT_FIELDS = tuple(name for name in EXPORT_FIELDS if name not in DERIVED_BY_STORE)
_INSERT_CAPTURE = insert(captures).on_conflict_do_nothing()
_LINK_CAPTURE = (
    update(captures)
    .where(captures.c.warc_file == bindparam("file"), captures.c.warc_offset == bindparam("offset"))
    .values(article_id=bindparam("article"), content_hash=bindparam("hash"), is_canonical=bindparam("canonical"))
    .returning(captures.c.link_key)
)
_SIGHTINGS = select(
    captures.c.warc_date, captures.c.warc_file, captures.c.warc_offset, captures.c.content_hash, captures.c.is_canonical
).where(captures.c.article_id == bindparam("article"))
_KNOWN = select(articles).where(articles.c.item_id == bindparam("item"))
_EARLIEST_LISTING = (
    select(listing_links.c.section)
    .join(
        captures,
        (captures.c.site == listing_links.c.site)
        & or_(captures.c.link_key == listing_links.c.link_key, captures.c.url_key == listing_links.c.link_key),
    )
    .where(captures.c.article_id == bindparam("article"))
    .order_by(listing_links.c.seen_at)
    .limit(1)
)


class CaptureLike(Protocol):
    """What the store reads of `warc.records.CaptureRecord`."""

    @property
    def url(self) -> str: ...
    @property
    def date(self) -> str: ...
    @property
    def warc_file(self) -> str: ...
    @property
    def warc_offset(self) -> int: ...
    @property
    def warc_record_id(self) -> str: ...
    @property
    def payload_digest(self) -> str | None: ...
    @property
    def status(self) -> int | None: ...
    @property
    def media_type(self) -> str | None: ...
    @property
    def truncated(self) -> str | None: ...


class LinkLike(Protocol):
    """What the store reads of `families.ArticleLink`."""

    @property
    def url(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def published_raw(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class ListedLink:
    """A link of a listing with what the crawl knew of it before."""

    link: LinkLike
    state: str
    """`new`, `changed` (its entry reads differently than before), or a state of `frontier`."""


class Store:
    """The item database, opened for writing. One per process and database; not for use from several threads.

    Every method raises StoreError, naming the file, when SQLite cannot do it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._engine = open_for_writing(path)
        self._connection = self._engine.connect()
        self._noted: list[dict[str, Any]] = []
        self.frontier = Frontier(self._transaction)

    def close(self) -> None:
        """Writes what is still noted and closes the file. Idempotent."""
        if not self._connection.closed:
            self.flush()
            self._connection.close()
            self._engine.dispose()

    def _transaction(self) -> _Transaction:
        return _Transaction(self)

    def flush(self) -> None:
        """Writes the captures noted so far."""
        if self._noted:
            with self._transaction():
                pass  # the transaction itself writes them

    def note_capture(self, site: str, record: CaptureLike, *, link: str | None = None) -> None:
        """Remembers one exchange. `link` is the address that was asked for first when redirects led to this one."""
        url_key = path_key(record.url)
        self._noted.append({
            "site": site,
            "url": record.url,
            "url_key": url_key,
            "link_key": path_key(link) if link else url_key,
            "warc_date": record.date,
            "warc_file": record.warc_file,
            "warc_offset": record.warc_offset,
            "warc_record_id": record.warc_record_id,
            "payload_digest": record.payload_digest,
            "status": record.status,
            "media_type": record.media_type,
            "truncated": record.truncated,
        })  # fmt: skip
        if len(self._noted) >= 500:
            self.flush()

    def write_article(self, article: Article) -> None:
        """Stores one capture of an article: revision, current row, search index and crawl state in one transaction.

        Idempotent, and equal for any order of captures. The capture must have been noted before.
        """
        with self._transaction() as connection:
            known = connection.execute(_KNOWN, {"item": article.item_id}).mappings().one_or_none()
            content = _content(article)
            if known is None:
                row: Mapping[str, Any] = {
                    **content,
                    "revision": 1,
                    "first_seen": article.captured_at,
                    "last_seen": article.captured_at,
                }
                article_id = int(connection.execute(insert(articles), row).lastrowid)
                fulltext.add(connection, article_id, row)
            else:
                article_id = known["id"]
            link_key = self._link_capture(connection, article_id, article)
            view = timeline(Sighting(*row) for row in connection.execute(_SIGHTINGS, {"article": article_id}))
            self._write_revision(connection, article_id, article, content, view)
            self._write_current(connection, article_id, known, content, view)
            for key in {link_key, path_key(article.url), path_key(article.canonical_url)}:
                self.frontier.mark(article.site, key, ARCHIVED, connection=connection)

    def _link_capture(self, connection: Connection, article_id: int, article: Article) -> str:
        """Ties the capture to the article. Returns the key of the link that led to it."""
        canonical = path_key(article.url) == path_key(article.canonical_url)
        link_key: str | None = connection.execute(_LINK_CAPTURE, {
            "file": article.warc_file, "offset": article.warc_offset,
            "article": article_id, "hash": article.content_hash, "canonical": int(canonical),
        }).scalar()  # fmt: skip
        if link_key is None:
            raise StoreError(f"{self.path}: {article.url}: its capture {article.warc_record_id} was not noted")
        return link_key

    def _write_revision(
        self, connection: Connection, article_id: int, article: Article, content: Mapping[str, Any], view: Timeline
    ) -> None:
        represented = view.representatives[article.content_hash]
        if (represented.warc_file, represented.warc_offset) == (article.warc_file, article.warc_offset):
            row = {
                "article_id": article_id,
                "content_hash": article.content_hash,
                "revision": view.numbers[article.content_hash],
                "captured_at": article.captured_at,
                "content": json.dumps(content, ensure_ascii=False),
            }
            statement = insert(revisions).values(row)
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["article_id", "content_hash"],
                    set_={"captured_at": statement.excluded.captured_at, "content": statement.excluded.content},
                )
            )
        if len(view.numbers) > 1:  # an earlier capture that arrives late moves the numbers of the others
            connection.execute(
                update(revisions)
                .where(revisions.c.article_id == article_id, revisions.c.content_hash == bindparam("hash"))
                .values(revision=bindparam("number")),
                [{"hash": content_hash, "number": number} for content_hash, number in view.numbers.items()],
            )

    def _write_current(
        self,
        connection: Connection,
        article_id: int,
        known: Mapping[str, Any] | None,
        content: Mapping[str, Any],
        view: Timeline,
    ) -> None:
        if len(view.numbers) > 1 or known is not None:
            found = select(revisions.c.content).where(
                revisions.c.article_id == article_id, revisions.c.content_hash == view.current
            )
            content = json.loads(connection.execute(found).scalar_one())
        section = content["section"] or connection.execute(_EARLIEST_LISTING, {"article": article_id}).scalar() or ""
        row = {
            **content,
            "section": section,
            "revision": view.numbers[view.current],
            "first_seen": view.first_seen,
            "last_seen": view.last_seen,
        }
        connection.execute(update(articles).where(articles.c.id == article_id), row)
        if known is not None and any(known[name] != row[name] for name in ("title", "lead", "body_text")):
            fulltext.remove(connection, article_id, known)
            fulltext.add(connection, article_id, row)

    def write_listing(
        self, site: str, section: str, capture: CaptureLike, links: Iterable[LinkLike]
    ) -> list[ListedLink]:
        """Stores what a listing links, in one transaction, and tells what was known of each link before."""
        found: list[ListedLink] = []
        with self._transaction() as connection:
            for place, link in enumerate(links):
                key = path_key(link.url)
                seen_at = f"{capture.date} {capture.warc_file} {capture.warc_offset:012d} {place:05d}"
                entry = f"{link.published_raw or ''}|{link.title}"
                before = connection.execute(
                    select(listing_links.c.entry, listing_links.c.entry_seen_at).where(
                        listing_links.c.site == site,
                        listing_links.c.link_key == key,
                        listing_links.c.section == section,
                    )
                ).one_or_none()
                self._write_link(connection, {
                    "site": site, "link_key": key, "section": section,
                    "seen_at": seen_at, "entry_seen_at": seen_at, "entry": entry,
                })  # fmt: skip
                state = self.frontier.discover(site, key, link.url, section, connection=connection)
                if (
                    state == ARCHIVED
                    and before is not None
                    and before.entry_seen_at < seen_at
                    and before.entry != entry
                ):
                    state = "changed"
                found.append(ListedLink(link, state))
            self._assign_sections(connection, site, [path_key(listed.link.url) for listed in found])
        return found

    @staticmethod
    def _write_link(connection: Connection, row: Mapping[str, str]) -> None:
        statement = insert(listing_links).values(**row)
        new, old = statement.excluded, listing_links.c
        later = new.entry_seen_at >= old.entry_seen_at
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["site", "link_key", "section"],
                set_={
                    "seen_at": func.min(new.seen_at, old.seen_at),
                    "entry": func.iif(later, new.entry, old.entry),
                    "entry_seen_at": func.max(new.entry_seen_at, old.entry_seen_at),
                },
            )
        )

    def _assign_sections(self, connection: Connection, site: str, keys: list[str]) -> None:
        """Gives articles without a breadcrumb the earliest listing, also when that listing is read after them."""
        printed = func.json_extract(revisions.c.content, "$.section")
        waiting = (
            select(articles.c.id)
            .join(captures, captures.c.article_id == articles.c.id)
            .join(
                revisions,
                (revisions.c.article_id == articles.c.id) & (revisions.c.content_hash == articles.c.content_hash),
            )
            .where(captures.c.site == site, captures.c.link_key.in_(keys), printed == "")
            .distinct()
        )
        for article_id in connection.execute(waiting).scalars().all():
            section = connection.execute(_EARLIEST_LISTING, {"article": article_id}).scalar() or ""
            connection.execute(update(articles).where(articles.c.id == article_id).values(section=section))

    def write_counters(self, counters: VisitCounters) -> None:
        """Adds one reading of a visit box to its series."""
        with self._transaction() as connection:
            connection.execute(insert(visit_counters).on_conflict_do_nothing(), asdict(counters))

    def has_capture(self, site: str, url: str) -> bool:
        """Whether a complete 200 response of this address is archived, in this run or an earlier one."""
        key = path_key(url)
        if any(row["url_key"] == key and row["status"] == 200 and not row["truncated"] for row in self._noted):
            return True
        statement = select(captures.c.id).where(
            captures.c.site == site, captures.c.url_key == key, captures.c.status == 200, captures.c.truncated.is_(None)
        )
        with self._transaction() as connection:
            return connection.execute(statement.limit(1)).first() is not None


class _Transaction:
    """A write transaction of a Store: begins with the noted captures, commits or rolls back as a whole."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __enter__(self) -> Connection:
        store = self._store
        try:
            self._transaction = store._connection.begin()
            if store._noted:
                store._connection.execute(_INSERT_CAPTURE, store._noted)
        except DatabaseError as error:
            if hasattr(self, "_transaction"):
                self._transaction.rollback()
            raise StoreError(f"{store.path}: {error.orig}") from error
        return store._connection

    def __exit__(self, kind: object, error: BaseException | None, _traceback: object) -> None:
        if error is None:
            try:
                self._transaction.commit()
            except DatabaseError as failure:
                raise StoreError(f"{self._store.path}: {failure.orig}") from failure
            self._store._noted.clear()
            return
        self._transaction.rollback()
        if isinstance(error, DatabaseError):
            raise StoreError(f"{self._store.path}: {error.orig}") from error


def _content(article: Article) -> dict[str, Any]:
    """The fields that a page gave, as columns: lists as JSON text."""
    values = ItemAdapter(article).asdict()
    return {
        name: json.dumps(values[name], ensure_ascii=False) if name in LIST_FIELDS else values[name]
        for name in _CONTENT_FIELDS
    }
