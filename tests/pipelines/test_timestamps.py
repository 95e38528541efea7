"""Stage 200: the date line read in the site's zone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from scrapy.crawler import Crawler

from danvan_crawler.items import Article
from danvan_crawler.sites.profile import Site
from pipelines.timestamps import TimestampsPipeline

MakeArticle = Callable[..., Article]
MakeSite = Callable[..., Site]


def stamped(site: Site, article: Article) -> tuple[str | None, str | None, str | None]:
    assert TimestampsPipeline(site).process_item(article) is article
    return article.published_at, article.published_precision, article.published_from


@pytest.mark.parametrize(
    ("line", "at", "precision"),
    [
        ("Đăng lúc: 23/05/2017 08:15:30", "2017-05-23T08:15:30+07:00", "second"),
        ("Ngày 23/05/2017 08:15", "2017-05-23T08:15:00+07:00", "minute"),
        ("Ngày 23/05/2017", "2017-05-23T00:00:00+07:00", "day"),
        ("Đăng lúc: 23/05/2017 00:00:00 (GMT+7)", "2017-05-23T00:00:00+07:00", "day"),
        ("Đăng lúc: 23/05/2017 08:15:30 (GMT+9)", "2017-05-23T06:15:30+07:00", "second"),
    ],
)
def test_a_date_line_becomes_a_time_with_offset_and_precision(
    make_article: MakeArticle, make_site: MakeSite, line: str, at: str, precision: str
) -> None:
    assert stamped(make_site(), make_article(published_raw=line)) == (at, precision, "visible")


def test_the_date_line_is_kept_beside_the_parsed_time(make_article: MakeArticle, make_site: MakeSite) -> None:
    article = make_article(published_raw="Ngày 23/05/2017")
    stamped(make_site(), article)
    assert article.published_raw == "Ngày 23/05/2017"


@pytest.mark.parametrize(
    "line", ["", "hôm nào đó", "31/02/2017", "12/13/2018", "(20/8/1891 - 20/8/2021)", "5 phút trước"]
)
def test_a_line_that_cannot_be_read_gives_no_time(make_article: MakeArticle, make_site: MakeSite, line: str) -> None:
    article = make_article(published_raw=line)
    assert stamped(make_site(), article) == (None, None, None)
    assert article.published_raw == line


@pytest.mark.parametrize(
    ("raw", "place", "expected"),
    [
        ("2017-05-23T01:05:00Z", "metadata", ("2017-05-23T08:05:00+07:00", "second", "metadata")),
        ("2017-05-22T17:00:00Z", "metadata", ("2017-05-23T00:00:00+07:00", "day", "metadata")),
        ("2017-05-23+0708:05:00", "metadata", ("2017-05-23T08:05:00+07:00", "second", "metadata")),
        ("2017/05/23", "url", ("2017-05-23T00:00:00+07:00", "day", "url")),
        ("20170523", "url", ("2017-05-23T00:00:00+07:00", "day", "url")),
        ("5/6/2017 8:05:00 AM", "metadata", (None, None, None)),
        ("20170523", "visible", (None, None, None)),
    ],
)
def test_a_date_from_another_source_is_read_by_the_rules_of_that_source(
    make_article: MakeArticle, make_site: MakeSite, raw: str, place: str, expected: tuple[str | None, ...]
) -> None:
    assert stamped(make_site(), make_article(published_raw=raw, published_from=place)) == expected


def test_an_article_without_a_date_line_gets_no_time(make_article: MakeArticle, make_site: MakeSite) -> None:
    article = make_article(published_raw=None, published_from=None)
    assert stamped(make_site(), article) == (None, None, None)


def test_the_zone_is_that_of_the_site(make_article: MakeArticle, make_site: MakeSite) -> None:
    site = make_site('timezone = "UTC"')
    assert stamped(site, make_article())[0] == "2017-05-23T08:15:30+00:00"


@pytest.mark.parametrize(
    ("offset", "at"), [("PT7H", "2017-05-23T01:15:30+07:00"), ("-PT16H", "2017-05-24T00:15:30+07:00")]
)
def test_a_wrong_clock_is_corrected(make_article: MakeArticle, make_site: MakeSite, offset: str, at: str) -> None:
    assert stamped(make_site(f'clock_offset = "{offset}"'), make_article())[0] == at


def test_a_wrong_clock_does_not_move_a_day(make_article: MakeArticle, make_site: MakeSite) -> None:
    site = make_site('clock_offset = "PT7H"')
    assert stamped(site, make_article(published_raw="Ngày 23/05/2017"))[0] == "2017-05-23T00:00:00+07:00"


def test_the_month_comes_first_if_the_profile_says_so(make_article: MakeArticle, make_site: MakeSite) -> None:
    site = make_site("month_first = true")
    assert stamped(site, make_article(published_raw="Ngày 05/23/2017"))[0] == "2017-05-23T00:00:00+07:00"


def test_the_site_is_that_of_the_spider(
    make_article: MakeArticle, make_site: MakeSite, make_crawler: Callable[..., Crawler]
) -> None:
    stage = TimestampsPipeline.from_crawler(make_crawler(make_site('timezone = "UTC"')))
    assert stage.process_item(make_article()).published_at == "2017-05-23T08:15:30+00:00"


def test_articles_of_a_spider_without_a_site_are_not_changed(
    make_article: MakeArticle, make_crawler: Callable[..., Crawler]
) -> None:
    stage = TimestampsPipeline.from_crawler(make_crawler())
    assert stage.process_item(make_article()) == make_article()


def test_items_of_other_spiders_are_not_changed(make_site: MakeSite) -> None:
    item = {"published_raw": "Ngày 23/05/2017"}
    assert TimestampsPipeline(make_site()).process_item(item) is item
    assert item == {"published_raw": "Ngày 23/05/2017"}
