"""Stage 900: the article in the database, and the order of all stages."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from scrapy.crawler import Crawler
from scrapy.utils.misc import build_from_crawler, load_object

import pipelines
from danvan_crawler import settings
from danvan_crawler.archive.layout import database_path
from danvan_crawler.capture.context import attach
from danvan_crawler.captures import CaptureRecord
from danvan_crawler.items import Article
from danvan_crawler.sites.profile import Site
from danvan_crawler.store.database import open_for_reading
from danvan_crawler.store.queries import Filter, items
from danvan_crawler.store.writes import Store
from pipelines.store import StorePipeline

MakeArticle = Callable[..., Article]
MakeCrawler = Callable[..., Crawler]
CAPTURE = CaptureRecord(
    url="http://danvan.example.vn/tin-tuc/hoi-nghi-1.html",
    date="2026-11-23T08:00:00.000000Z",
    warc_file="warc/vi-du-danvan/2026/x.warc.gz",
    warc_offset=1234,
    warc_record_id="urn:uuid:00000000-0000-4000-8000-000000000001",
    payload_digest="sha1:AAAA",
    status=200,
    truncated=None,
    media_type="text/html",
)
PROVENANCE = {
    "captured_at": CAPTURE.date,
    "warc_file": CAPTURE.warc_file,
    "warc_offset": CAPTURE.warc_offset,
    "warc_record_id": CAPTURE.warc_record_id,
    "payload_digest": CAPTURE.payload_digest,
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store that has noted the article's capture."""
    made = Store(database_path(tmp_path))
    made.note_capture("vi-du-danvan", CAPTURE)
    yield made
    made.close()


def stored(store: Store) -> list[dict[str, object]]:
    store.close()
    with open_for_reading(store.path).connect() as connection:
        return list(items(connection, Filter()))


def test_an_article_is_in_the_database_after_the_stage(
    make_article: MakeArticle, make_crawler: MakeCrawler, store: Store
) -> None:
    crawler = make_crawler()
    attach(crawler, SimpleNamespace(store=store))
    article = make_article(item_id="vi-du-danvan-1", content_hash="abc", **PROVENANCE)
    assert StorePipeline.from_crawler(crawler).process_item(article) is article
    (row,) = stored(store)
    assert (row["item_id"], row["title"], row["warc_offset"]) == ("vi-du-danvan-1", article.title, 1234)


def test_items_of_other_spiders_are_not_changed(store: Store) -> None:
    item = {"title": "x"}
    assert StorePipeline(store).process_item(item) is item
    assert stored(store) == []


def test_a_stage_without_a_store_cannot_be_created(make_crawler: MakeCrawler) -> None:
    with pytest.raises(LookupError, match="has no store"):
        StorePipeline.from_crawler(make_crawler())


def test_settings_list_every_stage_once_with_its_number() -> None:
    modules = {name.split(".")[1]: number for name, number in settings.ITEM_PIPELINES.items()}
    assert set(modules) == {module.name for module in pkgutil.iter_modules(pipelines.__path__)}
    assert list(modules.values()) == sorted(modules.values())
    assert [number for number in modules.values() if number % 100] == []
    assert pipelines.__doc__ is not None
    assert [
        name for name, number in modules.items() if f"{name} {number} " not in " ".join(pipelines.__doc__.split()) + " "
    ] == []


def test_a_stage_is_one_class_with_one_public_method() -> None:
    for name in settings.ITEM_PIPELINES:
        stage = load_object(name)
        module = importlib.import_module(stage.__module__)
        assert module.__doc__ is not None
        assert module.__doc__.startswith(f"Stage {settings.ITEM_PIPELINES[name]}: ")
        public = {name for name in vars(stage) if not name.startswith("_")}
        assert public <= {"from_crawler", "process_item"}


def test_all_stages_together_make_the_exported_item(
    make_article: MakeArticle, make_crawler: MakeCrawler, make_site: Callable[..., Site], store: Store
) -> None:
    crawler = make_crawler(make_site())
    attach(crawler, SimpleNamespace(store=store))
    item = make_article(title=" Hội nghị  dân vận ", lead="", **PROVENANCE)
    for name in settings.ITEM_PIPELINES:
        item = build_from_crawler(load_object(name), crawler).process_item(item)
    (row,) = stored(store)
    assert row["title"] == "Hội nghị dân vận"
    assert row["published_at"] == "2017-05-23T08:15:30+07:00"
    assert row["warnings"] == ["empty lead"]
    assert str(row["item_id"]).startswith("vi-du-danvan-")
    assert (row["revision"], row["first_seen"]) == (1, CAPTURE.date)
