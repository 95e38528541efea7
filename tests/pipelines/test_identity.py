"""Stage 500: canonical address, item id, content hash."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest

from danvan_crawler.items import Article, Attachment, Image
from danvan_crawler.urls import without_session
from pipelines.identity import IdentityPipeline, content_hash

MakeArticle = Callable[..., Article]


def identified(article: Article) -> Article:
    assert IdentityPipeline().process_item(article) is article
    return article


def test_an_item_id_is_the_slug_and_sixteen_hex_digits(make_article: MakeArticle) -> None:
    assert re.fullmatch(r"vi-du-danvan-[0-9a-f]{16}", identified(make_article()).item_id)


@pytest.mark.parametrize(
    "variant",
    [
        "https://danvan.example.vn/tin-tuc/hoi-nghi-1.html",
        "http://www.danvan.example.vn/tin-tuc/hoi-nghi-1.html",
        "http://old.example.vn/tin-tuc/hoi-nghi-1.html",
        "http://danvan.example.vn:80/tin-tuc/hoi-nghi-1.html#comments",
        "http://danvan.example.vn/tin-tuc/hoi-nghi-1.html?utm_source=zalo&fbclid=x",
        "http://danvan.example.vn/tin-tuc/hoi-nghi-1.html?print=1",
        "http://danvan.example.vn/tin-tuc/hoi-nghi-1.html;jsessionid=1A2B",
    ],
)
def test_variants_of_an_address_are_one_item(make_article: MakeArticle, variant: str) -> None:
    folded = identified(make_article(url=variant, canonical_url=variant))
    assert folded.item_id == identified(make_article()).item_id


def test_another_page_is_another_item(make_article: MakeArticle) -> None:
    other = "http://danvan.example.vn/tin-tuc/hoi-nghi-2.html"
    assert identified(make_article(canonical_url=other)).item_id != identified(make_article()).item_id


def test_the_canonical_address_has_no_tracking_and_the_fetched_one_is_unchanged(make_article: MakeArticle) -> None:
    fetched = "http://danvan.example.vn/tin-tuc/hoi-nghi-1.html?id=3&utm_source=zalo#top"
    article = identified(make_article(url=fetched, canonical_url=fetched))
    assert article.canonical_url == "http://danvan.example.vn/tin-tuc/hoi-nghi-1.html?id=3"
    assert article.url == fetched


def test_the_address_declared_by_a_page_is_used(make_article: MakeArticle) -> None:
    article = identified(make_article(url="http://danvan.example.vn/?p=1"))
    assert article.canonical_url == "http://danvan.example.vn/tin-tuc/hoi-nghi-1.html"


def test_without_a_declared_address_the_fetched_one_is_used(make_article: MakeArticle) -> None:
    article = identified(make_article(canonical_url=""))
    assert article.canonical_url == "http://danvan.example.vn/tin-tuc/hoi-nghi-1.html"


def test_the_content_hash_is_that_of_the_documented_json(make_article: MakeArticle) -> None:
    article = make_article(
        title="Tỉnh uỷ", lead="Hoà bình", body_text="a\nb", author="A", source=None, published_at=None,
        attachments=[Attachment("http://a.vn/1.pdf", "1.pdf")],
    )  # fmt: skip
    described = {
        "attachments": ["http://a.vn/1.pdf"], "author": "A", "body_text": "a\nb", "lead": "Hòa bình",
        "published_at": None, "source": None, "title": "Tỉnh ủy",
    }  # fmt: skip
    text = json.dumps(described, ensure_ascii=False, separators=(",", ":"))
    assert content_hash(article) == hashlib.sha256(text.encode()).hexdigest()
    assert identified(article).content_hash == content_hash(article)


@pytest.mark.parametrize(
    "changed",
    [
        {"title": "Hội nghị"},
        {"lead": ""},
        {"body_text": "Đoạn một."},
        {"author": "Nguyễn Văn Mẫu"},
        {"source": "Báo mẫu"},
        {"published_at": "2017-05-23T00:00:00+07:00"},
        {"attachments": [Attachment("http://a.vn/1.pdf", "1.pdf")]},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_change_that_makes_a_revision_changes_the_hash(make_article: MakeArticle, changed: dict[str, Any]) -> None:
    assert content_hash(make_article(**changed)) != content_hash(make_article())


@pytest.mark.parametrize(
    "changed",
    [
        {"section": "Khác"},
        {"tags": ["dân vận"]},
        {"images": [Image("http://a.vn/1.jpg")]},
        {"captured_at": "2027-01-01T00:00:00Z"},
        {"url": "http://danvan.example.vn/?p=1"},
        {"published_raw": "Ngày 23/05/2017 08:15:30"},
        {"extractor": "danvan_portal/2"},
        {"warnings": ["empty lead"]},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_change_that_makes_no_revision_does_not_change_the_hash(
    make_article: MakeArticle, changed: dict[str, Any]
) -> None:
    assert content_hash(make_article(**changed)) == content_hash(make_article())


def test_the_same_text_in_another_spelling_has_the_same_hash(make_article: MakeArticle) -> None:
    first = make_article(title="Tỉnh ủy Thanh Hóa", body_text="Đảng bộ")
    again = make_article(title="Tỉnh uỷ Thanh Hoá", body_text=unicodedata.normalize("NFD", "Ðảng bộ"))
    assert content_hash(first) == content_hash(again)


def test_the_name_of_an_attachment_makes_no_revision(make_article: MakeArticle) -> None:
    first = make_article(attachments=[Attachment("http://a.vn/1.pdf", "1.pdf")])
    again = make_article(attachments=[Attachment("http://a.vn/1.pdf", "Kế hoạch.pdf")])
    assert content_hash(first) == content_hash(again)


@pytest.mark.parametrize("session", [";jsessionid=0A1B2C", "?sid=0a1b2c", "?id=3&PHPSESSID=ab12", "?phpsessid=ab&id=3"])
def test_a_session_id_in_an_attachment_s_address_makes_no_revision(make_article: MakeArticle, session: str) -> None:
    plain = "http://a.vn/1.pdf?id=3" if "id=3" in session else "http://a.vn/1.pdf"
    first = make_article(attachments=[Attachment(plain, "1.pdf")])
    again = make_article(attachments=[Attachment(f"http://a.vn/1.pdf{session}", "1.pdf")])
    assert content_hash(first) == content_hash(again)


@pytest.mark.parametrize("url", ["http://a.vn/1.pdf?", "tệp.pdf?a&&b#c", "http://[x?id=1", ""])
def test_other_addresses_of_attachments_are_hashed_unchanged(url: str) -> None:
    assert without_session(url) == url


def test_items_of_other_spiders_are_not_changed() -> None:
    item = {"url": "http://a.vn/"}
    assert IdentityPipeline().process_item(item) is item
    assert item == {"url": "http://a.vn/"}
