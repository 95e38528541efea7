"""Search and export: a database of any size made through the store, forty queries, and what they take.

A database of 300,000 items takes minutes to make, so it is kept under a name that tells what it was made with:
another schema, index or generator makes another one.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import statistics
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import words
from measure import ROOT
from sqlalchemy import Connection, insert

from danvan_crawler.archive.layout import database_path
from danvan_crawler.exceptions import StoreError
from danvan_crawler.items import EXPORT_FIELDS, LIST_FIELDS, Article
from danvan_crawler.store import fulltext
from danvan_crawler.store.database import open_for_reading, open_for_writing
from danvan_crawler.store.queries import Filter
from danvan_crawler.store.schema import articles
from danvan_crawler.store.search import search

TOO_LONG = 10.0
"""Seconds after which a query is given up."""
_BATCH = 1000
_SITES = 30
_SECTIONS = ("Tin tức - Sự kiện", "Dân vận khéo", "Từ cơ sở", "Nghiên cứu - Trao đổi")
_FIRST_DAY = datetime(2006, 1, 2, 0, 30, tzinfo=UTC)
_MADE_WITH = (
    "danvan_crawler/items.py",
    "danvan_crawler/store/fulltext.py",
    "danvan_crawler/store/schema.py",
    "tests/benchmarks/searching.py",
    "tests/benchmarks/words.py",
)


@dataclass(frozen=True, slots=True)
class Timings:
    """Times of the queries, in seconds."""

    median: float
    percentile_95: float
    slowest: float
    """At most TOO_LONG."""
    slowest_query: str


def article(number: int, items: int) -> Article:
    """An item of about 3.5 KB of text. Spread over thirty sites and twenty years, the same for the same numbers."""
    chance = random.Random(f"item {number}")
    site = f"tinh-{number % _SITES}-danvan"
    url = f"http://{site}.example.vn/tin-tuc/bai-viet-so-{number}.html"
    body = "\n".join(words.paragraph(chance) for _ in range(chance.randint(4, 8)))
    published = _FIRST_DAY + timedelta(days=7300) * (number / items)
    captured_at = f"{_FIRST_DAY + timedelta(days=7500, seconds=number):%Y-%m-%dT%H:%M:%SZ}"
    return Article(
        site=site,
        url=url,
        canonical_url=url,
        item_id=f"{site}-{number:016x}",
        province=f"VN-{1 + number % _SITES:02}",
        body="ban-dan-van",
        section=chance.choice(_SECTIONS),
        title=f"{words.headline(chance)} lần thứ {number}",
        lead=words.sentence(chance, chance.randint(30, 50)),
        body_text=body,
        author="Nguyễn Văn A",
        published_raw=f"Đăng lúc: {published:%d/%m/%Y %H:%M:%S} (GMT+7)",
        published_at=f"{published:%Y-%m-%dT%H:%M:%S}+07:00",
        published_precision="second",
        published_from="visible",
        revision=1,
        content_hash=hashlib.sha256(body.encode()).hexdigest(),
        first_seen=captured_at,
        last_seen=captured_at,
        captured_at=captured_at,
        warc_file=f"warc/{site}/{site}.warc.gz",
        warc_offset=number * 12_000,
        warc_record_id=f"urn:uuid:{uuid.UUID(int=number)}",
        payload_digest="sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ",
        extractor="danvan_portal/1",
    )


def fill(path: Path, items: int, tell: Callable[[int], None] = lambda _done: None) -> None:
    """Writes so many items and their search index into the database at `path`; `tell` hears how many are there.

    Through the store's tables and index, a thousand items a transaction: one each, as a crawl does it, takes several
    times as long and gives the same rows.
    """
    engine, index = open_for_writing(path), fulltext.Index()
    for start in range(0, items, _BATCH):
        rows = [_row(article(number, items)) for number in range(start, min(start + _BATCH, items))]
        with engine.begin() as connection:
            connection.execute(insert(articles), [{"id": start + at, **row} for at, row in enumerate(rows, start=1)])
            for at, row in enumerate(rows, start=1):
                index.add(connection, start + at, row)
        tell(start + len(rows))
    engine.dispose()


def _row(one: Article) -> dict[str, Any]:
    values = asdict(one)
    return {
        name: json.dumps(values[name], ensure_ascii=False) if name in LIST_FIELDS else values[name]
        for name in EXPORT_FIELDS
    }


def archive_of(items: int, work: Path, tell: Callable[[str], None]) -> Path:
    """The archive folder whose database holds so many made items; made now unless it is there already."""
    made_with = hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in _MADE_WITH)).hexdigest()[:12]
    folder = work / f"items-{items}-{made_with}"
    if not (folder / "complete").exists():
        path = database_path(folder)
        for leftover in folder.glob("danvan.sqlite*"):
            leftover.unlink()
        began = time.monotonic()
        fill(path, items, lambda done: None if done % (20 * _BATCH) else tell(f"made {done} of {items} items"))
        tell(f"made {items} items in {time.monotonic() - began:.0f} s, {path.stat().st_size / 1e9:.1f} GB")
        (folder / "complete").touch()
    return folder


def search_times(archive: Path, queries: Sequence[str], repeats: int = 3) -> Timings:
    """How long each query takes to give its first twenty hits; of the repetitions the fastest counts.

    In one process and with a warm cache, which is how a web interface meets them; `danvan search` starts anew. A query
    is given up after TOO_LONG, and not repeated.
    """
    times: dict[str, float] = {}
    engine = open_for_reading(database_path(archive))
    with engine.connect() as connection:
        for query in queries:
            for _ in range(repeats):
                taken = _timed(connection, query)
                times[query] = min(taken, times.get(query, taken))
                if taken >= TOO_LONG:
                    break
    engine.dispose()
    return summary(times)


def _timed(connection: Connection, query: str) -> float:
    began = time.perf_counter()
    driver: Any = connection.connection.dbapi_connection
    driver.set_progress_handler(lambda: time.perf_counter() - began > TOO_LONG, 100_000)
    try:
        for _hit in search(connection, query, Filter(), 20):
            pass
    except StoreError:
        if time.perf_counter() - began <= TOO_LONG:
            raise
        connection.rollback()
    finally:
        driver.set_progress_handler(None, 0)
    return min(time.perf_counter() - began, TOO_LONG)


def summary(times: Mapping[str, float]) -> Timings:
    """Median and 95th percentile (nearest rank) of query -> seconds."""
    ordered = sorted(times.values())
    slowest = max(times, key=times.__getitem__)
    rank = math.ceil(0.95 * len(ordered))
    return Timings(statistics.median(ordered), ordered[rank - 1], times[slowest], slowest)
