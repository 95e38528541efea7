"""Feeds and the sitemap of NukeViet: their addresses, and the entries that are used."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from danvan_crawler.families import FEED, Family, Listing, SectionRequest, load_family
from danvan_crawler.pages.page import Page
from danvan_crawler.sites.profile import Site
from spiders.families.nukeviet import feed_address, sitemap_address

HOME = "http://danvan.example.vn/"
SECTION = HOME + "dan-van-kheo/"
RSS = """<?xml version="1.0" encoding="utf-8"?>
<?xml-stylesheet type="text/xsl" href="/assets/css/rss.xsl" media="screen"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>
<title>Dân vận khéo</title><link>http://danvan.example.vn/</link>
<atom:link href="http://danvan.example.vn/rss/" rel="self"/>
<item><title>Họp xóm ngày 09&amp;#x002F;11</title><link>http://danvan.example.vn/dan-van-kheo/hop-xom-9.html</link>
<guid isPermaLink="false">news_9</guid><pubDate>Sat, 31 Dec 2016 16:12:00 GMT</pubDate></item>
<item><title><![CDATA[Tin ở mục khác]]></title><link>http://danvan.example.vn/hoat-dong/tin-8.html</link></item>
<item><title>Thẻ</title><link>http://danvan.example.vn/tag/thon-2</link></item>
<item><title>Báo khác</title><link>http://bao.example.vn/tin/bai-7.html</link></item>
</channel></rss>"""
SITEMAP = """<?xml version="1.0" encoding="UTF-8"?>
<?xml-stylesheet type="text/xsl" href="/assets/css/sitemap.xsl"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<url><loc>http://danvan.example.vn/dan-van-kheo/hop-xom-9.html</loc><lastmod>2016-12-31T23:00:00+07:00</lastmod></url>
<url><loc>http://danvan.example.vn/the-thao/bong-da-6.html</loc><lastmod>2016-12-31T23:00:00+07:00</lastmod></url>
</urlset>"""


def _index(*names: str) -> str:
    sitemaps = "".join(f"<sitemap><loc>{name}</loc></sitemap>" for name in names)
    return f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{sitemaps}</sitemapindex>'


@pytest.fixture
def family(make_site: Callable[..., Site]) -> Family:
    return load_family(make_site(family="nukeviet", section=SECTION))


Read = Callable[[Family, str, str], Listing]


@pytest.fixture
def read(make_page: Callable[..., Page]) -> Read:
    """The entries that the family finds in the XML at an address."""
    return lambda family, url, xml: family.parse_section(make_page(xml, url, content_type="text/xml"))


def test_each_section_has_its_feed_and_the_site_its_sitemap(family: Family) -> None:
    assert list(family.section_requests()) == [
        SectionRequest(SECTION, "Tin tức"),
        SectionRequest(HOME + "rss/dan-van-kheo/", FEED),
        SectionRequest(HOME + "sitemap.xml", FEED, is_site_wide=True),
    ]


@pytest.mark.parametrize(
    ("section", "feed"),
    [
        ("https://a.vn/dan-van-kheo/", "https://a.vn/rss/dan-van-kheo/"),
        ("https://a.vn/vi/news/dan-van-kheo/", "https://a.vn/vi/news/rss/dan-van-kheo/"),
        ("https://a.vn/vi/news/", "https://a.vn/vi/news/rss/"),
        ("https://a.vn/vi/", "https://a.vn/vi/rss/"),
        ("https://a.vn/", "https://a.vn/rss/"),
        ("https://a.vn/index.php?language=vi&nv=news&op=tin", "https://a.vn/index.php?language=vi&nv=news&op=rss/tin"),
        ("https://a.vn/index.php?op=tin&nv=news", "https://a.vn/index.php?op=rss/tin&nv=news"),
        ("https://a.vn/index.php?language=vi&nv=news", "https://a.vn/index.php?language=vi&nv=news&op=rss"),
    ],
)
def test_the_address_of_a_feed_is_derived_from_its_category(section: str, feed: str) -> None:
    assert feed_address(section) == feed


@pytest.mark.parametrize("home", ["https://a.vn/", "https://a.vn/vi/", "https://a.vn/index.php?language=vi"])
def test_the_address_of_the_sitemap_is_derived_from_the_front_page(home: str) -> None:
    assert sitemap_address(home) == "https://a.vn/sitemap.xml"


def test_the_feed_of_a_section_may_have_articles_of_any_category(family: Family, read: Read) -> None:
    named = read(family, HOME + "rss/dan-van-kheo/", RSS)
    assert named.is_feed
    assert [(link.url, link.title) for link in named.links] == [
        (HOME + "dan-van-kheo/hop-xom-9.html", "Họp xóm ngày 09/11"),
        (HOME + "hoat-dong/tin-8.html", "Tin ở mục khác"),
    ]


def test_no_time_is_taken_from_a_feed_or_sitemap(family: Family, read: Read) -> None:
    links = read(family, HOME + "rss/dan-van-kheo/", RSS).links + read(family, HOME + "sitemap.xml", SITEMAP).links
    assert {link.published_raw for link in links} == {None}


def test_only_addresses_of_a_section_are_taken_from_a_sitemap(family: Family, read: Read) -> None:
    named = read(family, HOME + "sitemap-vi.news.xml", SITEMAP)
    assert [link.url for link in named.links] == [HOME + "dan-van-kheo/hop-xom-9.html"]


def test_a_section_that_is_the_front_page_takes_the_whole_sitemap(read: Read, make_site: Callable[..., Site]) -> None:
    family = load_family(make_site(family="nukeviet", section=HOME))
    assert len(read(family, HOME + "sitemap-vi.news.xml", SITEMAP).links) == 2


@pytest.mark.parametrize(
    ("section", "names", "chosen"),
    [
        ("dan-van-kheo/", ["vi.about", "vi.news", "en.news"], "vi.news"),
        ("dan-van-kheo/", ["en.news", "vi.news"], "vi.news"),
        ("en/news/mass-work/", ["vi.news", "en.news", "en.page"], "vi.news"),
        ("vi/tin-tuc/dan-van-kheo/", ["vi.news", "vi.tin-tuc"], "vi.tin-tuc"),
        ("dan-van-kheo/", ["vi.about", "vi.page"], None),
    ],
)
def test_only_the_part_of_the_news_module_is_read_from_a_sitemap_index(
    read: Read, make_site: Callable[..., Site], section: str, names: list[str], chosen: str | None
) -> None:
    family = load_family(make_site(family="nukeviet", section=HOME + section))
    named = read(family, HOME + "sitemap.xml", _index(*(f"{HOME}sitemap-{name}.xml" for name in names)))
    assert named.next_url == (f"{HOME}sitemap-{chosen}.xml" if chosen else None)


def test_a_sitemap_on_another_host_is_not_read(family: Family, read: Read) -> None:
    named = read(family, HOME + "sitemap.xml", _index("http://khac.example.vn/sitemap-vi.news.xml"))
    assert named.next_url is None


def test_a_front_page_instead_of_a_feed_is_no_feed(family: Family, case: Callable[[str], tuple[Page, object]]) -> None:
    page, _ = case("nukeviet/listing-front-page")
    assert not family.parse_section(page).is_feed
