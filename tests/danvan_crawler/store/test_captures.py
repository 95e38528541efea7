"""Which capture is shown for a picture or attachment of an article."""

from __future__ import annotations

from typing import Any

import pytest

from danvan_crawler.items import Attachment, Image
from danvan_crawler.store.writes import Store

PICTURE = "http://danvan.example.vn/anh.jpg"


def picture(store: Store, desk: Any, exported: Any, url: str = PICTURE) -> dict[str, Any]:
    """The picture of an article captured at 08:00, as exports show it."""
    desk.publish(store, "/bai.html", "08:00", images=[Image(url)])
    (item,) = exported(store.path)
    (found,) = item["images"]
    return found


def note(store: Store, desk: Any, path: str, time: str, link: str | None = None, **fields: Any) -> Any:
    record = desk.capture(path, time, **{"media_type": "image/jpeg", **fields})
    store.note_capture(desk.site, record, link=link)
    return record


def place(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in ("warc_file", "warc_offset", "warc_record_id", "payload_digest")}


def test_a_picture_names_its_record_and_its_type(store: Store, desk: Any, exported: Any) -> None:
    record = note(store, desk, "/anh.jpg", "08:01", media_type="image/webp")
    found = picture(store, desk, exported)
    assert (found["capture"], found["media_type"]) == (place(record), "image/webp")


def test_an_attachment_names_its_record(store: Store, desk: Any, exported: Any) -> None:
    record = note(store, desk, "/tep/kh.pdf", "08:01", media_type="application/pdf")
    desk.publish(store, "/bai.html", "08:00", attachments=[Attachment("http://danvan.example.vn/tep/kh.pdf", "kh.pdf")])
    (item,) = exported(store.path)
    assert item["attachments"][0]["capture"] == place(record)


def test_a_picture_that_was_never_fetched_names_no_record(store: Store, desk: Any, exported: Any) -> None:
    assert picture(store, desk, exported) == {"url": PICTURE, "caption": None, "media_type": None, "capture": None}


def test_of_several_captures_the_first_one_after_the_article_is_used(store: Store, desk: Any, exported: Any) -> None:
    note(store, desk, "/anh.jpg", "07:00")
    right = note(store, desk, "/anh.jpg", "08:01")
    note(store, desk, "/anh.jpg", "09:00")
    assert picture(store, desk, exported)["capture"] == place(right)


def test_without_a_later_capture_the_last_one_before_the_article_is_used(
    store: Store, desk: Any, exported: Any
) -> None:
    note(store, desk, "/anh.jpg", "06:00")
    right = note(store, desk, "/anh.jpg", "07:00")
    assert picture(store, desk, exported)["capture"] == place(right)


@pytest.mark.parametrize("fields", [{"status": 404}, {"status": 301}, {"status": None}, {"truncated": "length"}])
def test_a_failed_or_truncated_capture_is_not_used(
    fields: dict[str, Any], store: Store, desk: Any, exported: Any
) -> None:
    note(store, desk, "/anh.jpg", "08:01", **fields)
    assert picture(store, desk, exported)["capture"] is None


def test_a_redirected_picture_names_the_record_of_the_redirect_target(store: Store, desk: Any, exported: Any) -> None:
    note(store, desk, "/anh.jpg", "08:01", status=302, media_type="text/html")
    right = note(store, desk, "/kho/anh-1.jpg", "08:02", link=PICTURE)
    assert picture(store, desk, exported)["capture"] == place(right)


def test_www_and_https_name_the_same_picture(store: Store, desk: Any, exported: Any) -> None:
    right = note(store, desk, "https://www.danvan.example.vn/anh.jpg", "08:01")
    assert picture(store, desk, exported)["capture"] == place(right)


def test_a_picture_of_another_host_does_not_match_the_same_path(store: Store, desk: Any, exported: Any) -> None:
    note(store, desk, "/anh.jpg", "08:01")
    assert picture(store, desk, exported, "http://khac.example.vn/anh.jpg")["capture"] is None


def test_captures_of_other_sites_are_not_used(store: Store, desk: Any, exported: Any) -> None:
    store.note_capture("khac-danvan", desk.capture("/anh.jpg", "08:01", site="khac-danvan"))
    assert picture(store, desk, exported)["capture"] is None


def test_an_invalid_address_names_no_record(store: Store, desk: Any, exported: Any) -> None:
    assert picture(store, desk, exported, "http://danvan.example.vn:80x/anh.jpg")["capture"] is None


def test_more_pictures_than_fit_into_one_query_are_all_joined(store: Store, desk: Any, exported: Any) -> None:
    for number in range(1200):
        note(store, desk, f"/anh-{number}.jpg", "08:01")
    urls = [f"http://danvan.example.vn/anh-{number}.jpg" for number in range(1200)]
    desk.publish(store, "/bai.html", "08:00", images=[Image(url) for url in urls])
    (item,) = exported(store.path)
    assert [image["url"] for image in item["images"] if image["capture"] is not None] == urls
