"""Store: everything that a crawl or a rebuild writes, one transaction per article or listing.

`store.write_buffer` has the transactions and the write buffer.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from danvan_crawler.captures import CaptureRecord, RecordPlace
from danvan_crawler.exceptions import StoreError
from danvan_crawler.items import (
    DERIVED_BY_STORE,
    EXPORT_FIELDS,
    LIST_FIELDS,
    OF_THE_SITE,
    Article,
    ArticleLink,
    VisitCounters,
)
from danvan_crawler.store import absences, citations, fulltext, suppression
from danvan_crawler.store import captures as exchanges
from danvan_crawler.store import statements as sql
from danvan_crawler.store.absences import LastEntries
from danvan_crawler.store.captures import Originals
from danvan_crawler.store.contents import Contents
from danvan_crawler.store.frontier import ARCHIVED, CHANGED, Frontier
from danvan_crawler.store.lifecycle import DEFAULT_DAYS, Sighting, Timeline, gone_at, last_visit, next_visit, timeline
from danvan_crawler.store.site_state import POSITION, RIGHTS, SiteState
from danvan_crawler.store.suppressed_file import Takedown
from danvan_crawler.store.write_buffer import WriteBuffer
from danvan_crawler.urls import is_canonical, path_key
from danvan_crawler.vietnamese import timestamps
from danvan_crawler.vietnamese.counters import without_counters

_CONTENT_FIELDS = tuple(name for name in EXPORT_FIELDS if name not in DERIVED_BY_STORE | OF_THE_SITE)
_to_json = json.JSONEncoder(ensure_ascii=False, default=asdict).encode


@dataclass(frozen=True, slots=True)
class ListedLink:
    """A link of a listing with its state before this listing."""

    link: ArticleLink
    state: str
    """`new`, `changed` (its entry differs from the earlier one), or a state of `frontier`."""
    seen_at: str | None = None
    """WARC-Date at which this section first listed it; None if it is listed for the first time."""
    listed_at: str = ""
    """Position of this entry, in the form of `listing_links.seen_at`."""
    entry: str = ""
    """The text of the entry: date line, newline, title."""


class Store:
    """The item database, opened for writing. One per process and database; not for use from several threads.

    Every method raises StoreError with the file's name after an error of SQLite; DiskFullError if the disk is full.
    """

    def __init__(self, path: Path, *, revisit_days: Sequence[float] = DEFAULT_DAYS) -> None:
        self.path = path
        self.revisit_days = revisit_days
        """Days after publication on which an article is visited again."""
        self._buffer = WriteBuffer(path)
        self._transaction = self._buffer.transaction
        self.step, self.flush, self.close = self._buffer.step, self._buffer.flush, self._buffer.close
        self.hurry = self._buffer.hurry
        self._index = fulltext.Index()
        self.frontier = Frontier(self._transaction)
        self.state = SiteState(self._transaction)
        self.last_entries = LastEntries(self._transaction)
        self.contents = Contents(self._transaction)
        self.originals = Originals(path, self._buffer.connection, self._buffer.captures)

    @contextmanager
    def batch(self) -> Generator[None, None, None]:
        """One transaction for everything that is written inside, such as many steps.

        After an error all of it is lost, including buffered rows.
        """
        with self._buffer.batch() as connection:
            self._index.defer()
            yield
            self._index.write_deferred(connection)

    def position(self, site: str) -> RecordPlace | None:
        """Place of the last record of a site that the database has; None if it is unknown."""
        known = self.state.get(site, POSITION)
        if known is None:
            return None
        name, _, offset = known.rpartition(" ")
        return RecordPlace(name, int(offset))

    def latest_capture(self, site: str) -> str | None:
        """WARC-Date of the newest capture of a site; None if it has no captures."""
        with self._transaction() as connection:
            return connection.execute(sql.LATEST_CAPTURE, {"of_site": site}).scalar()

    def forget_site(self, site: str) -> None:
        """Removes everything derived from a site's WARC files, to be derived again in the same transaction."""
        with self._transaction() as connection:
            for row in connection.execute(sql.INDEXED, {"of_site": site}).mappings().all():
                self._index.remove(connection, row["id"], row)
            for statement in sql.FORGET_SITE:
                connection.execute(statement, {"of_site": site})
        self.last_entries.reset(site)

    def begin_run(self, site: str, revisit_days: Sequence[float]) -> None:
        """Begins a run of a site. From now on visits are due `revisit_days` after publication."""
        self.revisit_days = revisit_days
        self.last_entries.reset(site)

    def note_capture(self, site: str, record: CaptureRecord, *, link: str | None = None) -> None:
        """Buffers the row of an exchange. `link` is the address requested first, if redirects led to this one."""
        self._buffer.note_capture(exchanges.row_of(site, record, link))

    def write_article(self, article: Article) -> None:
        """Stores one capture of an article: revision, current row, search index and crawl state in one transaction.

        Idempotent; the result does not depend on the order of captures. The capture must have been noted before.
        """
        with self._transaction() as connection:
            place = {"file": article.warc_file, "offset": article.warc_offset, "item": article.item_id}
            capture = connection.execute(sql.CAPTURE, place).one_or_none()
            if capture is None:
                raise StoreError(f"{self.path}: {article.url}: its capture {article.warc_record_id} was not noted")
            if capture.is_suppressed:
                self._pass_over(connection, article, capture)
                return
            known = connection.execute(sql.KNOWN, {"item": article.item_id}).mappings().one_or_none()
            seen = connection.execute(sql.SEEN, {"article": known["id"]}).all() if known is not None else ()
            others = [row for row in seen if row.id != capture.id]
            canonical = is_canonical(article.url, article.canonical_url)
            view = _timeline(article, capture, canonical, others)
            content = _content(article)
            row = self._current_row(connection, article, content, view, known, (capture, *others))
            keys = {capture.link_key, capture.url_key, path_key(article.url), path_key(article.canonical_url)}
            absent = absences.dates(connection, article.site, keys | _keys(others))
            row["gone_at"] = gone_at(view.last_seen, absent)
            article_id = self._save(connection, known, row)
            connection.execute(
                sql.TIE_CAPTURE,
                {"capture": capture.id, "article": article_id, "hash": article.content_hash, "canonical": canonical},
            )
            self._save_revision(connection, article_id, article, content, view)
            if capture.url_key != capture.link_key:
                # Reached by redirects: make the page known for listings that link it directly.
                page = {capture.url_key: article.url}
                self.frontier.discover(article.site, page, row["section"] or article.site, connection=connection)
            due = next_visit(row["published_at"], view.first_seen, view.last_seen, absent, self.revisit_days)
            # If an article has several addresses, the one requested last is visited again.
            visited = last_visit(view.last_seen, absent)
            self.frontier.mark_all(
                article.site,
                keys,
                ARCHIVED,
                due={capture.link_key: due},
                visited={capture.link_key: visited},
                connection=connection,
            )

    def _pass_over(self, connection: Connection, article: Article, capture: Any) -> None:
        """Stores only that a capture shows a suppressed article, and that its address is known."""
        connection.execute(sql.HIDE_CAPTURE, {"capture": capture.id, "item": article.item_id})
        page = {capture.url_key: article.url} if capture.url_key != capture.link_key else {}
        self.frontier.discover(article.site, page, article.section or article.site, connection=connection)
        keys = {capture.link_key, capture.url_key, path_key(article.url), path_key(article.canonical_url)}
        self.frontier.mark_all(article.site, keys, ARCHIVED, connection=connection)

    def apply_takedowns(self, takedowns: Iterable[Takedown]) -> list[Takedown]:
        """Hides the articles of this list. Returns the takedowns that are no longer in it; `lift` ends them."""
        with self._transaction() as connection:
            return suppression.apply(connection, takedowns)

    def lift(self, item: str) -> list[RecordPlace]:
        """Ends a takedown, as `suppression.lift` does. Use it inside of `batch`, with reading the captures again."""
        with self._transaction() as connection:
            return suppression.lift(connection, item)

    def set_rights(self, site: str, rights: str | None) -> None:
        """Sets the rights note of all articles of a site."""
        with self._transaction() as connection:
            # Updating the rows is slow, so the current value is stored.
            if self.state.get(site, RIGHTS) != rights:
                connection.execute(sql.SET_RIGHTS, {"of_site": site, "note": rights, "rights": rights})
                self.state.set(site, RIGHTS, rights)

    def note_absence(self, site: str, capture: CaptureRecord, link: str) -> absences.Absence | None:
        """Stores that a capture, noted before, shows that the article at `link` is absent.

        Returns None and writes nothing if no article is known there.
        """
        with self._transaction() as connection:
            missed = absences.note(connection, site, capture, link, self.revisit_days)
            if missed is not None:
                due, visited = missed.due_at, missed.visited_at
                self.frontier.mark(site, path_key(link), ARCHIVED, due=due, visited=visited, connection=connection)
            return missed

    def _current_row(
        self,
        connection: Connection,
        article: Article,
        content: Mapping[str, Any],
        view: Timeline,
        known: Mapping[Any, Any] | None,
        seen: Sequence[Any],
    ) -> dict[str, Any]:
        """The row of an article: the content of its current revision, and fields that follow from all its captures."""
        if known is None or (view.current == article.content_hash and _represents(article, view)):
            row = dict(content)
        else:
            of_current = {"article": known["id"], "hash": view.current}
            row = json.loads(connection.execute(sql.REVISION, of_current).scalar_one())
        row["section"] = row["section"] or self._earliest_listing(connection, article.site, _keys(seen))
        row["rights"] = article.rights
        row["revision"] = view.numbers[view.current]
        row["first_seen"], row["last_seen"] = view.first_seen, view.last_seen
        return row

    @staticmethod
    def _earliest_listing(connection: Connection, site: str, keys: Collection[str]) -> str:
        return connection.execute(sql.EARLIEST_LISTING, {"of_site": site, "keys": sorted(keys)}).scalar() or ""

    def _save(self, connection: Connection, known: Mapping[Any, Any] | None, row: Mapping[str, Any]) -> int:
        """Writes what differs from the known row and updates the indexes. Returns the row's id."""
        if known is None:
            article_id = int(connection.execute(sql.INSERT_ARTICLE, row).lastrowid)
            self._index.add(connection, article_id, row)
            citations.add(connection, article_id, row["documents"])
            return article_id
        article_id = int(known["id"])
        changed = {name: value for name, value in row.items() if known[name] != value}
        if changed:
            connection.execute(sql.UPDATE_ARTICLE, {"article": article_id, **changed})
        if changed.keys() & fulltext.PRINTED:
            self._index.remove(connection, article_id, known)
            self._index.add(connection, article_id, row)
        if "documents" in changed:
            citations.replace(connection, article_id, row["documents"])
        return article_id

    @staticmethod
    def _save_revision(
        connection: Connection, article_id: int, article: Article, content: Mapping[str, Any], view: Timeline
    ) -> None:
        if _represents(article, view):
            row = {
                "article_id": article_id,
                "content_hash": article.content_hash,
                "revision": view.numbers[article.content_hash],
                "captured_at": article.captured_at,
                "content": _to_json(content),
            }
            connection.execute(sql.WRITE_REVISION, row)
        if len(view.numbers) > 1:  # an earlier capture that is stored later changes the numbers of the others
            connection.execute(
                sql.RENUMBER,
                [{"article": article_id, "hash": found, "number": number} for found, number in view.numbers.items()],
            )

    def write_listing(
        self, site: str, section: str, capture: CaptureRecord, links: Iterable[ArticleLink]
    ) -> list[ListedLink]:
        """Stores the links of a listing in one transaction, and returns each with its earlier state.

        If several links lead to one article, the first is used. An archived article becomes due at once if its entry
        has changed, or if it was gone and is listed again: a later listing does not show this change again.
        """
        entries: dict[str, tuple[int, ArticleLink]] = {}
        for place, link in enumerate(links):
            entries.setdefault(path_key(link.url), (place, link))
        if not entries:
            return []
        self.last_entries.note(site, capture.date)
        found: list[ListedLink] = []
        rows: list[dict[str, str]] = []
        earlier: list[str] = []
        changed: list[str] = []
        with self._transaction() as connection:
            asked = {"of_site": site, "of_section": section, "keys": list(entries)}
            known = {row.link_key: row for row in connection.execute(sql.ENTRIES, asked)}
            addresses = {key: link.url for key, (_, link) in entries.items()}
            states = self.frontier.discover(site, addresses, section, connection=connection)
            gone = absences.gone_since(connection, site, entries)
            for key, (place, link) in entries.items():
                at = f"{capture.date} {capture.warc_file} {capture.warc_offset:012d} {place:05d}"
                before, state = known.get(key), states[key]
                entry = _entry(link, before.entry if before is not None else None)
                if before is None or before.seen_at > at:
                    earlier.append(key)
                elif (state == ARCHIVED and before.entry_seen_at < at) and (
                    before.entry_seen_at < gone.get(key, "") or _reads_differently(before.entry, entry)
                ):
                    state = CHANGED
                    changed.append(key)
                rows.append(
                    {
                        "site": site,
                        "link_key": key,
                        "section": section,
                        "seen_at": at,
                        "entry_seen_at": at,
                        "entry": entry,
                    }
                )
                seen_at = before.seen_at.split(" ")[0] if before is not None else None
                found.append(ListedLink(link, state, seen_at, at, entry))
            connection.execute(sql.WRITE_LINK, rows)
            if changed:
                self.frontier.make_due(site, changed, capture.date, connection=connection)
            if earlier:
                self._assign_sections(connection, site, earlier)
        return found

    def restore_entry(self, site: str, section: str, key: str, listed_at: str, entry: str) -> None:
        """Stores an entry of a listing that can no longer be read, from the data archived with its article."""
        row = {"site": site, "link_key": key, "section": section, "entry": entry}
        with self._transaction() as connection:
            connection.execute(sql.WRITE_LINK, {**row, "seen_at": listed_at, "entry_seen_at": listed_at})

    def _assign_sections(self, connection: Connection, site: str, keys: list[str]) -> None:
        """Sets the section of articles without a breadcrumb to the earliest listing, also if it is read after them."""
        nameless: dict[int, list[Any]] = {}
        for row in connection.execute(sql.NAMELESS, {"of_site": site, "keys": keys}):
            nameless.setdefault(row.id, []).append(row)
        for article_id, seen in nameless.items():
            section = self._earliest_listing(connection, site, _keys(seen))
            connection.execute(sql.UPDATE_ARTICLE, {"article": article_id, "section": section})

    def write_counters(self, counters: VisitCounters) -> None:
        """Buffers the numbers of a visit box, to be written with the next transaction."""
        self._buffer.readings.append(asdict(counters))


def _timeline(article: Article, capture: Any, canonical: bool, others: Iterable[Any]) -> Timeline:
    this = Sighting(capture.warc_date, article.warc_file, article.warc_offset, article.content_hash, canonical)
    return timeline(
        [
            this,
            *(
                Sighting(row.warc_date, row.warc_file, row.warc_offset, row.content_hash, bool(row.is_canonical))
                for row in others
            ),
        ]
    )


def _represents(article: Article, view: Timeline) -> bool:
    """Whether this capture represents its revision."""
    chosen = view.representatives[article.content_hash]
    return (chosen.warc_file, chosen.warc_offset) == (article.warc_file, article.warc_offset)


def _keys(seen: Iterable[Any]) -> set[str]:
    """All keys under which a listing may link the article of these captures."""
    return {key for row in seen for key in (row.link_key, row.url_key)}


def _entry(link: ArticleLink, before: str | None) -> str:
    """The text of an entry: date line, newline, title. Without a date line now, the earlier one is used.

    A section may show the same entry in several forms, e.g. only a title on its first page, with a date on another.
    """
    date, title = (before or "\n").split("\n", 1)
    return f"{link.published_raw or (date if title == link.title else '')}\n{link.title}"


def _reads_differently(before: str, now: str) -> bool:
    """Whether the title or an earlier date of an entry has changed; counters in it are ignored."""
    if before == now:
        return False
    (date, title), (date_now, title_now) = before.split("\n", 1), now.split("\n", 1)
    return without_counters(title) != without_counters(title_now) or (date != "" and _stamp(date) != _stamp(date_now))


def _stamp(line: str) -> str:
    """The timestamp in an entry's date line, without a view counter beside it."""
    stamp = timestamps.parse(line)
    return stamp.raw if stamp is not None else line


def _content(article: Article) -> dict[str, Any]:
    """The fields from the page as columns, lists as JSON text."""
    return {
        name: _to_json(getattr(article, name)) if name in LIST_FIELDS else getattr(article, name)
        for name in _CONTENT_FIELDS
    }
