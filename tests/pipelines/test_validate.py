"""Stage 600: warnings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem

from danvan_crawler.items import Article
from danvan_crawler.sites.profile import Site
from pipelines.validate import ValidatePipeline

MakeArticle = Callable[..., Article]
READ = {"published_at": "2017-05-23T08:15:30+07:00"}


def warnings(article: Article) -> list[str]:
    assert ValidatePipeline().process_item(article) is article
    return article.warnings


def test_a_complete_article_has_no_warnings(make_article: MakeArticle) -> None:
    assert warnings(make_article(**READ)) == []


@pytest.mark.parametrize(
    ("fields", "warning"),
    [
        ({"published_raw": None}, "no date line"),
        ({"published_raw": "hôm nào đó"}, "unreadable date line"),
        ({**READ, "lead": ""}, "empty lead"),
        ({**READ, "body_text": ""}, "empty body"),
    ],
)
def test_a_missing_field_is_a_warning(make_article: MakeArticle, fields: dict[str, Any], warning: str) -> None:
    assert warnings(make_article(**fields)) == [warning]


@pytest.mark.parametrize(
    ("published_at", "expected"),
    [
        ("2026-11-30T15:00:00+07:00", []),
        ("2026-11-30T15:00:01+07:00", ["published in the future"]),
        ("2062-01-01T00:00:00+07:00", ["published in the future"]),
    ],
)
def test_a_date_more_than_a_week_after_the_capture_is_a_warning(
    make_article: MakeArticle, published_at: str, expected: list[str]
) -> None:
    assert warnings(make_article(published_at=published_at)) == expected


@pytest.mark.parametrize(
    ("published_at", "expected"),
    [
        ("2005-01-01T00:00:00+07:00", []),
        ("2004-12-31T23:59:00+07:00", ["published before the site's first year"]),
    ],
)
def test_a_date_before_the_first_year_of_the_site_is_a_warning(
    make_article: MakeArticle,
    make_site: Callable[..., Site],
    make_crawler: Callable[..., Crawler],
    published_at: str,
    expected: list[str],
) -> None:
    stage = ValidatePipeline.from_crawler(make_crawler(make_site("first_year = 2005")))
    assert stage.process_item(make_article(published_at=published_at)).warnings == expected


@pytest.mark.parametrize(
    ("published_at", "precision", "is_clock"),
    [
        ("2026-11-23T15:04:00+07:00", "minute", True),
        ("2026-11-23T14:49:00+07:00", "minute", False),
        ("2026-11-23T00:00:00+07:00", "day", False),
    ],
)
def test_a_date_equal_to_the_time_of_capture_is_a_warning(
    make_article: MakeArticle, published_at: str, precision: str, is_clock: bool
) -> None:
    article = make_article(published_at=published_at, published_precision=precision)
    assert warnings(article) == (["published at the moment of capture, perhaps the page's clock"] if is_clock else [])


def test_a_warning_that_a_family_gave_is_not_repeated(make_article: MakeArticle) -> None:
    article = make_article(published_at="2062-01-01T00:00:00+07:00", warnings=["published in the future"])
    assert warnings(article) == ["published in the future"]


def test_every_missing_field_is_reported(make_article: MakeArticle) -> None:
    assert warnings(make_article(published_raw=None, lead="", body_text="")) == [
        "no date line",
        "empty lead",
        "empty body",
    ]


def test_warnings_of_a_family_stay_first(make_article: MakeArticle) -> None:
    assert warnings(make_article(**READ, lead="", warnings=["from the family"])) == ["from the family", "empty lead"]


def test_an_article_without_a_title_is_dropped_with_its_address_logged(make_article: MakeArticle) -> None:
    with pytest.raises(
        DropItem, match=r"http://danvan\.example\.vn/tin-tuc/hoi-nghi-1\.html: an article without a title"
    ):
        ValidatePipeline().process_item(make_article(title=""))


def test_items_of_other_spiders_are_not_changed() -> None:
    item = {"title": ""}
    assert ValidatePipeline().process_item(item) is item
    assert item == {"title": ""}
