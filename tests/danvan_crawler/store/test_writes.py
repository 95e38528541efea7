"""Writing articles, listings and counters: one transaction each, idempotent, with correct sections and revisions."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.exceptions import StoreError
from danvan_crawler.items import EXPORT_FIELDS, Attachment, Image, VisitCounters
from danvan_crawler.store.database import open_for_reading
from danvan_crawler.store.queries import history
from danvan_crawler.store.writes import Store


def rows(path: Path, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return connection.execute(statement).fetchall()


def everything(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    tables = ("articles", "revisions", "captures", "listing_links", "frontier")
    return {table: rows(path, f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in tables}


def test_an_article_is_exported_as_it_was_written(store: Store, desk: Any, exported: Any) -> None:
    article = desk.publish(store, "/bai-1.html", "08:00", tags=["dân vận"], author="Lê Văn A")
    (item,) = exported(store.path)
    assert tuple(item) == EXPORT_FIELDS
    given = {name: getattr(article, name) for name in EXPORT_FIELDS}
    assert item == given | {"revision": 1, "first_seen": article.captured_at, "last_seen": article.captured_at}


def test_writing_the_same_capture_twice_changes_nothing(store: Store, desk: Any) -> None:
    desk.list(store, "Tin tức", "07:00", "/bai-1.html")
    desk.publish(store, "/bai-1.html", "08:00")
    before = everything(store.path)
    desk.list(store, "Tin tức", "07:00", "/bai-1.html")
    desk.publish(store, "/bai-1.html", "08:00")
    assert everything(store.path) == before


def test_an_article_without_a_noted_capture_is_refused_and_not_stored(store: Store, desk: Any) -> None:
    with pytest.raises(StoreError, match=r"bai-1\.html: its capture urn:uuid:.* was not noted"):
        store.write_article(desk.article("/bai-1.html", "08:00"))
    assert everything(store.path)["articles"] == []


def test_a_refused_article_does_not_lose_noted_captures(store: Store, desk: Any) -> None:
    store.note_capture(desk.site, desk.capture("/anh.jpg", "08:00"))
    with pytest.raises(StoreError):
        store.write_article(desk.article("/bai-1.html", "08:00"))
    store.close()
    assert len(everything(store.path)["captures"]) == 1


def test_captures_noted_are_written_when_the_store_closes(store: Store, desk: Any) -> None:
    store.note_capture(desk.site, desk.capture("/robots.txt", "08:00", status=404))
    store.close()
    assert rows(store.path, "SELECT url, status FROM captures") == [("http://danvan.example.vn/robots.txt", 404)]


def test_closing_twice_is_no_error(store: Store) -> None:
    store.close()
    store.close()


def test_many_noted_captures_are_written_without_an_article(store: Store, desk: Any) -> None:
    for number in range(1000):
        store.note_capture(desk.site, desk.capture(f"/anh-{number}.jpg", "08:00"))
    assert len(everything(store.path)["captures"]) == 1000


def revisions(store: Store, item: str) -> list[tuple[int, str]]:
    with open_for_reading(store.path).connect() as connection:
        return [(row["revision"], row["title"]) for row in history(connection, item).revisions]


def test_a_changed_article_is_a_new_revision_and_the_old_one_stays(store: Store, desk: Any, exported: Any) -> None:
    desk.publish(store, "/bai-1.html", "08:00", "Tựa cũ")
    article = desk.publish(store, "/bai-1.html", "09:00", "Tựa mới")
    (item,) = exported(store.path)
    assert (item["title"], item["revision"]) == ("Tựa mới", 2)
    assert revisions(store, article.item_id) == [(1, "Tựa cũ"), (2, "Tựa mới")]


def test_an_article_that_returns_to_its_old_text_has_its_old_revision(store: Store, desk: Any, exported: Any) -> None:
    first = desk.publish(store, "/bai-1.html", "08:00", "Tựa cũ")
    desk.publish(store, "/bai-1.html", "09:00", "Tựa mới")
    desk.publish(store, "/bai-1.html", "10:00", "Tựa cũ")
    (item,) = exported(store.path)
    assert (item["title"], item["revision"]) == ("Tựa cũ", 1)
    assert (item["captured_at"], item["warc_offset"]) == (first.captured_at, first.warc_offset)
    assert (item["first_seen"][11:16], item["last_seen"][11:16]) == ("08:00", "10:00")


def test_an_earlier_capture_written_later_shifts_the_numbers_of_later_revisions(store: Store, desk: Any) -> None:
    article = desk.publish(store, "/bai-1.html", "10:00", "Tựa ba")
    desk.publish(store, "/bai-1.html", "09:00", "Tựa hai")
    desk.publish(store, "/bai-1.html", "08:00", "Tựa một")
    assert revisions(store, article.item_id) == [(1, "Tựa một"), (2, "Tựa hai"), (3, "Tựa ba")]


def test_the_canonical_address_is_preferred_to_an_earlier_print_variant(store: Store, desk: Any, exported: Any) -> None:
    desk.publish(store, "/bai-1.html?print=1", "08:00")
    canonical = desk.publish(store, "/bai-1.html", "09:00")
    (item,) = exported(store.path)
    assert (item["url"], item["captured_at"]) == (canonical.url, canonical.captured_at)
    assert item["first_seen"][11:16] == "08:00"


def test_the_address_of_another_host_of_the_site_is_canonical_too(store: Store, desk: Any, exported: Any) -> None:
    first = desk.publish(store, "https://www.danvan.example.vn/bai-1.html", "08:00")
    desk.publish(store, "/bai-1.html", "09:00")
    (item,) = exported(store.path)
    assert item["url"] == first.url


def test_of_two_variants_the_earlier_one_is_shown(store: Store, desk: Any, exported: Any) -> None:
    desk.publish(store, "/bai-1.html?utm_source=zalo", "09:00")
    earlier = desk.publish(store, "/bai-1.html?print=1", "08:00")
    (item,) = exported(store.path)
    assert item["url"] == earlier.url


def test_the_section_is_that_of_the_page(store: Store, desk: Any, exported: Any) -> None:
    desk.list(store, "Tin tức", "07:00", "/bai-1.html")
    desk.publish(store, "/bai-1.html", "08:00", section="Hoạt động")
    assert [item["section"] for item in exported(store.path)] == ["Hoạt động"]


def test_an_article_without_a_breadcrumb_has_the_section_of_the_earliest_listing(
    store: Store, desk: Any, exported: Any
) -> None:
    desk.list(store, "Văn bản", "07:30", "/bai-1.html")
    desk.list(store, "Tin tức", "07:00", "/bai-1.html")
    desk.publish(store, "/bai-1.html", "08:00")
    assert [item["section"] for item in exported(store.path)] == ["Tin tức"]


def test_a_listing_read_after_the_article_sets_its_section(store: Store, desk: Any, exported: Any) -> None:
    desk.publish(store, "/bai-1.html", "08:00")
    assert [item["section"] for item in exported(store.path)] == [""]
    desk.list(store, "Văn bản", "07:30", "/bai-1.html")
    desk.list(store, "Tin tức", "07:00", "/bai-1.html")
    assert [item["section"] for item in exported(store.path)] == ["Tin tức"]


def test_the_earliest_listing_sets_the_section_not_the_alphabet(store: Store, desk: Any, exported: Any) -> None:
    desk.list(store, "A", "07:30", "/bai-1.html")
    desk.list(store, "B", "07:00", "/bai-1.html")
    desk.list(store, "B", "09:00", "/bai-1.html")
    desk.publish(store, "/bai-1.html", "10:00")
    assert [item["section"] for item in exported(store.path)] == ["B"]


@pytest.mark.parametrize("linked", ["/cu.html", "/moi.html"], ids=["the old address", "the new address"])
@pytest.mark.parametrize("listing_first", [True, False])
def test_a_redirected_article_has_the_section_of_a_listing_that_links_either_address(
    linked: str, listing_first: bool, store: Store, desk: Any, exported: Any
) -> None:
    if listing_first:
        desk.list(store, "Tin tức", "07:00", linked)
    desk.publish(store, "/moi.html", "08:00", link="/cu.html")
    if not listing_first:
        desk.list(store, "Tin tức", "07:00", linked)
    assert [item["section"] for item in exported(store.path)] == ["Tin tức"]


def test_without_a_breadcrumb_in_the_last_revision_the_listing_sets_the_section(
    store: Store, desk: Any, exported: Any
) -> None:
    desk.list(store, "Tin tức", "07:00", "/bai-1.html")
    desk.publish(store, "/bai-1.html", "08:00", "Tựa cũ", section="Hoạt động")
    desk.publish(store, "/bai-1.html", "09:00", "Tựa mới", section="")
    assert [item["section"] for item in exported(store.path)] == ["Tin tức"]


def test_listings_of_other_sites_set_no_section(store: Store, desk: Any, exported: Any) -> None:
    desk.list(store, "Tin tức", "07:00", "/bai-1.html")
    desk.publish(store, "/bai-1.html", "08:00", site="khac-danvan")
    assert [item["section"] for item in exported(store.path)] == [""]


def test_a_listing_returns_new_pending_and_archived_links(store: Store, desk: Any) -> None:
    assert desk.list(store, "Tin tức", "07:00", "/a.html", "/b.html") == {"/a.html": "new", "/b.html": "new"}
    desk.publish(store, "/a.html", "08:00")
    assert desk.list(store, "Tin tức", "09:00", "/a.html", "/b.html", "/c.html") == {
        "/a.html": "archived",
        "/b.html": "pending",
        "/c.html": "new",
    }


def test_an_archived_link_with_a_changed_entry_is_changed_once(store: Store, desk: Any) -> None:
    desk.list(store, "Tin tức", "07:00", "/a.html", title="Tựa cũ")
    desk.publish(store, "/a.html", "08:00")
    assert desk.list(store, "Tin tức", "09:00", "/a.html", title="Tựa mới") == {"/a.html": "changed"}
    assert desk.list(store, "Tin tức", "10:00", "/a.html", title="Tựa mới") == {"/a.html": "archived"}


def test_another_wording_in_another_section_is_no_change(store: Store, desk: Any) -> None:
    desk.list(store, "Tin tức", "07:00", "/a.html", title="Tựa dài đầy đủ")
    desk.publish(store, "/a.html", "08:00")
    assert desk.list(store, "Nổi bật", "09:00", "/a.html", title="Tựa ngắn") == {"/a.html": "archived"}


def test_an_older_listing_written_later_is_no_change(store: Store, desk: Any) -> None:
    desk.list(store, "Tin tức", "09:00", "/a.html", title="Tựa mới")
    desk.publish(store, "/a.html", "08:00")
    assert desk.list(store, "Tin tức", "07:00", "/a.html", title="Tựa cũ") == {"/a.html": "archived"}
    assert desk.list(store, "Tin tức", "10:00", "/a.html", title="Tựa mới") == {"/a.html": "archived"}


def test_two_links_of_one_listing_to_one_article_are_one_entry(store: Store, desk: Any) -> None:
    variants = ("/a.html", "/a.html?utm_source=zalo", "/a.html#anh")
    assert desk.list(store, "Tin tức", "07:00", *variants) == {"/a.html": "new"}
    assert rows(store.path, "SELECT link_key FROM frontier") == [("/a.html",)]


def test_a_listing_without_links_writes_nothing(store: Store, desk: Any) -> None:
    assert desk.list(store, "Tin tức", "07:00") == {}


def test_visit_counters_read_twice_at_one_time_are_one_reading(store: Store, desk: Any) -> None:
    box = VisitCounters(desk.site, "2026-11-23T08:00:00.000000Z", 1, 0, 1, 0, 92232)
    store.write_counters(box)
    store.write_counters(box)
    store.write_counters(VisitCounters(desk.site, "2026-11-24T08:00:00.000000Z", 5, None, None, None, 92240))
    store.flush()
    assert [row[2:] for row in rows(store.path, "SELECT * FROM visit_counters ORDER BY captured_at")] == [
        (1, 0, 1, 0, 92232),
        (5, None, None, None, 92240),
    ]


def test_images_and_attachments_keep_their_order_and_captions(store: Store, desk: Any, exported: Any) -> None:
    images = [Image("http://danvan.example.vn/b.jpg", "Ảnh “B”"), Image("http://danvan.example.vn/a.jpg")]
    files = [Attachment("http://danvan.example.vn/kh.pdf", "Kế hoạch 131.pdf")]
    desk.publish(store, "/bai-1.html", "08:00", images=images, attachments=files)
    (item,) = exported(store.path)
    assert item["images"] == [
        {"url": "http://danvan.example.vn/b.jpg", "caption": "Ảnh “B”", "media_type": None, "capture": None},
        {"url": "http://danvan.example.vn/a.jpg", "caption": None, "media_type": None, "capture": None},
    ]
    assert [file["name"] for file in item["attachments"]] == ["Kế hoạch 131.pdf"]
