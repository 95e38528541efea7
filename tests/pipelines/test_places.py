"""Stage 300: province and body as they were on the day of publication."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from scrapy.crawler import Crawler

from danvan_crawler.items import Article
from danvan_crawler.sites.profile import Site
from pipelines.places import PlacesPipeline

MakeArticle = Callable[..., Article]
MakeSite = Callable[..., Site]


@pytest.fixture
def of_ha_nam(make_site: MakeSite) -> Callable[..., Site]:
    """A portal of Hà Nam's Ban Dân vận, or of another province and kind of body; further keys in TOML."""

    def make(province: str = "VN-63", body: str = "ban-dan-van", extra: str = "") -> Site:
        text = make_site(extra).source_text
        changed = text.replace('"VN-21"', f'"{province}"').replace('"ban-dan-van"', f'"{body}"')
        return Site.parse(changed)

    return make


def placed(site: Site, article: Article) -> tuple[str, str]:
    assert PlacesPipeline(site).process_item(article) is article
    return article.province, article.body


@pytest.mark.parametrize(
    ("published_at", "place"),
    [
        ("2017-05-23T08:15:30+07:00", ("VN-63", "ban-dan-van")),
        ("2025-02-02T23:59:59+07:00", ("VN-63", "ban-dan-van")),
        ("2025-02-03T00:00:00+07:00", ("VN-63", "ban-tuyen-giao-va-dan-van")),
        ("2025-06-30T23:59:59+07:00", ("VN-63", "ban-tuyen-giao-va-dan-van")),
        ("2025-07-01T00:00:00+07:00", ("VN-18", "ban-tuyen-giao-va-dan-van")),
    ],
)
def test_an_article_gets_the_province_and_body_of_its_day(
    make_article: MakeArticle, of_ha_nam: MakeSite, published_at: str, place: tuple[str, str]
) -> None:
    assert placed(of_ha_nam(), make_article(published_at=published_at)) == place


@pytest.mark.parametrize(
    ("published_at", "body"),
    [
        ("2025-02-28T23:59:59+07:00", "ban-dan-van"),
        ("2025-03-01T00:00:00+07:00", "ban-tuyen-giao-va-dan-van"),
    ],
)
def test_a_body_changes_on_the_day_of_its_own_province(
    make_article: MakeArticle, of_ha_nam: MakeSite, published_at: str, body: str
) -> None:
    assert placed(of_ha_nam("VN-54"), make_article(published_at=published_at)) == ("VN-54", body)


def test_an_article_without_a_date_gets_those_of_the_profile(make_article: MakeArticle, of_ha_nam: MakeSite) -> None:
    article = make_article(published_raw=None, published_at=None, captured_at="2026-01-01T00:00:00Z")
    article.province, article.body = "VN-63", "ban-dan-van"
    assert placed(of_ha_nam(), article) == ("VN-63", "ban-dan-van")


def test_the_day_is_that_in_the_zone_of_the_site(make_article: MakeArticle, of_ha_nam: MakeSite) -> None:
    article = make_article(published_at="2025-06-30T18:00:00+00:00")
    assert placed(of_ha_nam(), article)[0] == "VN-18"
    assert placed(of_ha_nam(extra='timezone = "UTC"'), article)[0] == "VN-63"


def test_a_current_province_is_unchanged_on_earlier_days(make_article: MakeArticle, of_ha_nam: MakeSite) -> None:
    article = make_article(published_at="2017-05-23T08:15:30+07:00")
    assert placed(of_ha_nam("VN-18", "uy-ban-kiem-tra"), article) == ("VN-18", "uy-ban-kiem-tra")


def test_values_without_a_history_are_those_of_the_profile(make_article: MakeArticle, of_ha_nam: MakeSite) -> None:
    article = make_article(published_at="2026-05-23T08:15:30+07:00")
    assert placed(of_ha_nam("VN-99", "ban-la"), article) == ("VN-99", "ban-la")


def test_a_second_run_changes_nothing(make_article: MakeArticle, of_ha_nam: MakeSite) -> None:
    article = make_article(published_at="2025-07-01T00:00:00+07:00")
    assert placed(of_ha_nam(), article) == placed(of_ha_nam(), article)


def test_the_site_is_that_of_the_spider(
    make_article: MakeArticle, of_ha_nam: MakeSite, make_crawler: Callable[..., Crawler]
) -> None:
    stage = PlacesPipeline.from_crawler(make_crawler(of_ha_nam()))
    assert stage.process_item(make_article(published_at="2026-05-23T08:15:30+07:00")).province == "VN-18"


def test_articles_of_a_spider_without_a_site_are_not_changed(
    make_article: MakeArticle, make_crawler: Callable[..., Crawler]
) -> None:
    stage = PlacesPipeline.from_crawler(make_crawler())
    assert stage.process_item(make_article()) == make_article()


def test_items_of_other_spiders_are_not_changed(of_ha_nam: MakeSite) -> None:
    item = {"province": "VN-63", "published_at": "2026-05-23T08:15:30+07:00"}
    assert PlacesPipeline(of_ha_nam()).process_item(item) is item
    assert item == {"province": "VN-63", "published_at": "2026-05-23T08:15:30+07:00"}
