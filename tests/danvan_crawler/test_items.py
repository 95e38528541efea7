"""The item schema: fields in the documented order, and defaults that are not shared."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, asdict, fields

import pytest

from danvan_crawler.items import DERIVED_BY_STORE, EXPORT_FIELDS, LIST_FIELDS, Article, Attachment, Capture, Image
from danvan_crawler.store.schema import articles


def article() -> Article:
    return Article(site="vi-du-danvan", url="http://danvan.example.vn/1.html", title="Tựa", body_text="Thân bài")


def test_exports_have_these_fields_in_this_order() -> None:
    assert " ".join(EXPORT_FIELDS) == (
        "item_id site province body section url canonical_url title lead body_text author source"
        " published_raw published_at published_precision published_from updated_at"
        " images attachments documents tags revision content_hash first_seen last_seen gone_at"
        " captured_at warc_file warc_offset warc_record_id payload_digest extractor warnings rights"
    )


def test_the_article_has_the_fields_of_exports_and_no_others() -> None:
    assert {field.name for field in fields(Article)} == set(EXPORT_FIELDS)


def test_the_table_of_articles_has_a_column_for_each_field_in_order() -> None:
    assert [column.name for column in articles.columns] == ["id", *EXPORT_FIELDS]


def test_fields_that_default_to_a_list_are_the_list_fields() -> None:
    made = article()
    assert {name for name in EXPORT_FIELDS if isinstance(getattr(made, name), list)} == LIST_FIELDS


def test_columns_that_may_be_null_are_the_fields_that_may_be_none() -> None:
    optional = {field.name for field in fields(Article) if "None" in str(field.type) and field.name not in LIST_FIELDS}
    assert {column.name for column in articles.columns if column.nullable} == optional


def test_fields_derived_by_the_store_are_part_of_the_schema() -> None:
    assert set(EXPORT_FIELDS) > DERIVED_BY_STORE


def test_articles_share_no_list() -> None:
    first, second = article(), article()
    first.tags.append("dân vận")
    first.images.append(Image("http://danvan.example.vn/a.jpg"))
    assert (second.tags, second.images) == ([], [])


def test_an_article_accepts_no_other_fields() -> None:
    with pytest.raises(AttributeError):
        article().extras = {}  # type: ignore[attr-defined]


def test_a_capture_cannot_be_changed() -> None:
    capture = Capture("warc/x.warc.gz", 0, "urn:uuid:1", None)
    with pytest.raises(FrozenInstanceError):
        capture.warc_offset = 5  # type: ignore[misc]


def test_images_and_attachments_become_the_objects_of_the_contract() -> None:
    capture = Capture("warc/x.warc.gz", 12, "urn:uuid:1", "sha1:A")
    where = {
        "warc_file": "warc/x.warc.gz",
        "warc_offset": 12,
        "warc_record_id": "urn:uuid:1",
        "payload_digest": "sha1:A",
    }
    image = Image("http://a.vn/a.jpg", "Ảnh", "image/jpeg", capture)
    file = Attachment("http://a.vn/a.pdf", "a.pdf")
    assert json.loads(json.dumps([image, file], default=asdict)) == [
        {"url": "http://a.vn/a.jpg", "caption": "Ảnh", "media_type": "image/jpeg", "capture": where},
        {"url": "http://a.vn/a.pdf", "name": "a.pdf", "media_type": None, "capture": None},
    ]
