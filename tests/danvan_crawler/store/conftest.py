"""Captures and articles as a crawl of one site hands them to the store, and the database read back."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.archive.layout import database_path
from danvan_crawler.captures import CaptureRecord
from danvan_crawler.items import Article, ArticleLink
from danvan_crawler.store.database import open_for_reading
from danvan_crawler.store.queries import Filter, Item, items
from danvan_crawler.store.writes import Store
from danvan_crawler.urls import canonical, item_id

SITE = "vi-du-danvan"
HOST = "http://danvan.example.vn"


class Desk:
    """Makes the records of a crawl. Times are `HH:MM` of one day; all values are derived from the arguments."""

    site = SITE

    def capture(self, path: str, time: str, *, site: str = SITE, **fields: Any) -> CaptureRecord:
        """The record of one exchange. `path` may be an absolute address."""
        url = path if "://" in path else HOST + path
        number = int(hashlib.sha256(f"{site} {url} {time}".encode()).hexdigest()[:8], 16)
        known: dict[str, Any] = {
            "url": url,
            "date": f"2026-11-23T{time}:00.000000Z",
            "warc_file": f"warc/{site}/2026/{site}-0.warc.gz",
            "warc_offset": number,
            "warc_record_id": f"urn:uuid:00000000-0000-4000-8000-{number:012x}",
            "payload_digest": "sha1:GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
            "status": 200,
            "truncated": None,
            "media_type": "text/html",
        }
        return CaptureRecord(**{**known, **fields})

    def article(self, path: str, time: str, title: str = "Hội nghị dân vận", **fields: Any) -> Article:
        """An article as it leaves the stages before the store, captured at `path` and `time`."""
        site = fields.get("site", SITE)
        capture = self.capture(path, time, site=site)
        known: dict[str, Any] = {
            "site": site,
            "province": "VN-21",
            "body": "ban-dan-van",
            "url": capture.url,
            "canonical_url": canonical(capture.url),
            "title": title,
            "lead": "Sáng nay, Ban Dân vận tổ chức hội nghị.",
            "body_text": f"{title}.\nĐoạn hai.",
            "published_raw": "Đăng lúc: 23/05/2017 08:15:30",
            "published_at": "2017-05-23T08:15:30+07:00",
            "published_precision": "second",
            "published_from": "visible",
            "captured_at": capture.date,
            "warc_file": capture.warc_file,
            "warc_offset": capture.warc_offset,
            "warc_record_id": capture.warc_record_id,
            "payload_digest": capture.payload_digest,
            "extractor": "danvan_portal/1",
        }
        made = Article(**{**known, **fields})
        made.item_id = item_id(site, made.canonical_url)
        content = f"{made.title}|{made.lead}|{made.body_text}|{made.author}"
        made.content_hash = hashlib.sha256(content.encode()).hexdigest()
        return made

    def publish(self, store: Store, path: str, time: str, title: str = "Hội nghị dân vận", **fields: Any) -> Article:
        """Notes the capture and writes the article. `link` is the address from which redirects came."""
        link = fields.pop("link", None)
        made = self.article(path, time, title, **fields)
        store.note_capture(made.site, self.capture(path, time, site=made.site), link=HOST + link if link else None)
        store.write_article(made)
        return made

    def list(self, store: Store, section: str, time: str, *paths: str, title: str = "Mục") -> dict[str, str]:
        """Writes a listing page that links these addresses. Returns the state of each path."""
        page = self.capture(f"/{section}/", time)
        store.note_capture(SITE, page)
        listed = store.write_listing(SITE, section, page, [ArticleLink(HOST + path, title) for path in paths])
        return {found.link.url.removeprefix(HOST): found.state for found in listed}


@pytest.fixture(scope="session")
def desk() -> Desk:
    return Desk()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Path of a database that does not exist yet."""
    return database_path(tmp_path)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new database: copies of it are made five times as fast."""
    path = database_path(tmp_path_factory.mktemp("empty"))
    Store(path).close()
    return path


@pytest.fixture
def store(database: Path, empty_database: Path) -> Iterator[Store]:
    shutil.copyfile(empty_database, database)
    made = Store(database)
    yield made
    made.close()


@pytest.fixture(scope="session")
def exported() -> Callable[..., list[Item]]:
    """All items of a database, or those that pass a filter, as another process would read them now."""

    def export(path: Path, **criteria: str) -> list[Item]:
        with open_for_reading(path).connect() as connection:
            return list(items(connection, Filter(**criteria)))

    return export
