"""The family nukeviet on broken, huge and custom-theme pages: none may raise."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from danvan_crawler.families import Family, load_family
from danvan_crawler.items import Article, ArticleLink
from danvan_crawler.pages.page import Page
from danvan_crawler.sites.profile import Site

HOME = "http://danvan.example.vn/"
STORY = HOME + "dan-van-kheo/mot-bai-viet-ve-dan-van-12.html"
ABOVE = '<div class="news_column"><h1>Một bài viết về dân vận</h1>'


@pytest.fixture
def family(make_site: Callable[..., Site]) -> Family:
    return load_family(make_site(family="nukeviet", section=HOME + "dan-van-kheo/"))


Read = Callable[[Family, str], Article]
Entries = Callable[[Family, str, str], tuple[ArticleLink, ...]]


@pytest.fixture
def read(make_page: Callable[..., Page]) -> Read:
    """The one article that the family finds on a page."""

    def parse(family: Family, html: str) -> Article:
        (article,) = family.parse_article(make_page(html, STORY))
        assert isinstance(article, Article)
        return article

    return parse


@pytest.fixture
def entries(make_page: Callable[..., Page]) -> Entries:
    """The entries that the family finds on the listing at an address of the site."""
    return lambda family, html, path: family.parse_section(make_page(html, HOME + path)).links


@pytest.mark.parametrize(
    "html",
    [
        "",
        "   ",
        "<",
        "<html>",
        "<body></body>",
        '<div class="bodytext"></div>',
        '<div class="news_column"></div>',
        '<h1 class="title" itemprop="headline"></h1>',
        '<ul class="related"><li><ul class="related"><li><em>(01/02/2019)</em></ul></ul>',
        '<div class="news_column"><p class="news_column"><ul class="related list-items"><em>01/02/2019</em></ul></div>',
        '<div class="list-group"><a class="show h4" href="http://[::1"><h4>Bài viết có liên kết hỏng</h4></a></div>',
        "<?xml version='1.0'?><rss",
        "<rss><channel><item><link>http://[</link><title>Hỏng</title></item>",
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><urlset><url><loc>&b;</loc></url></urlset>',
    ],
)
def test_an_empty_page_gives_nothing(
    entries: Entries, make_page: Callable[..., Page], family: Family, html: str
) -> None:
    assert list(family.parse_article(make_page(html, STORY))) == []
    assert entries(family, html, "dan-van-kheo/") == ()


def test_an_empty_text_is_an_article_without_text(read: Read, family: Family) -> None:
    article = read(family, ABOVE + '<div class="bodytext"></div></div>')
    assert (article.title, article.body_text) == ("Một bài viết về dân vận", "")


def test_an_article_without_a_stamp_has_no_date(read: Read, family: Family) -> None:
    article = read(
        family,
        ABOVE
        + '<span class="hidden" itemprop="datePublished">2017-05-24T08:15:00+07:00</span>'
        + '<div id="hometext">Ngày 05/06/2017, Ban họp.</div><div class="bodytext"><p>Nội dung.</p></div>'
        + '<p class="h5">Nguồn tin: Báo ngày 07/06/2017</p></div><span class="h5">Thứ hai - 01/01/2018 09:00</span>',
    )
    assert (article.published_raw, article.published_from) == (None, None)


def test_tables_are_read_cell_by_cell(read: Read, family: Family) -> None:
    article = read(
        family, ABOVE + '<div class="bodytext"><table><tr><td>Đông<td>12<tr><td>Tây<td>30</table>Hết.</div></div>'
    )
    assert article.body_text == "Đông\n12\nTây\n30\nHết."


def test_a_document_linked_in_the_text_is_no_attachment(read: Read, family: Family) -> None:
    link = '<a href="/uploads/kh.pdf">Kế hoạch</a>, <a href="/x/y-3.html?download=1&amp;id=0">phụ lục</a>'
    article = read(family, ABOVE + f'<div class="bodytext"><p>Xem {link}.</p></div></div>')
    assert article.attachments == []
    assert article.body_text == "Xem Kế hoạch, phụ lục."


def test_nested_quotations_stay_in_order(read: Read, family: Family) -> None:
    quotes = "<blockquote>Một<blockquote>Hai<blockquote>Ba</blockquote></blockquote>Bốn</blockquote>"
    article = read(family, ABOVE + f'<div class="bodytext">{quotes}</div></div>')
    assert article.body_text == "Một\nHai\nBa\nBốn"


def test_a_title_that_is_repeated_in_the_text_stays_there(read: Read, family: Family) -> None:
    article = read(family, ABOVE + f'<div class="bodytext">{"<p>Một bài viết về dân vận</p>" * 3}</div></div>')
    assert article.title == "Một bài viết về dân vận"
    assert article.body_text.count(article.title) == 3


def test_a_lead_that_is_pasted_over_the_text_is_printed_once(read: Read, family: Family) -> None:
    lead = '<div class="hometext">Ban họp bàn ba việc.</div>'
    article = read(
        family, ABOVE + lead + '<div class="bodytext"><p>Ban họp bàn ba việc.</p><p>Việc một.</p></div></div>'
    )
    assert (article.lead, article.body_text) == ("Ban họp bàn ba việc.", "Việc một.")


def test_two_pictures_in_one_box_of_the_lead_are_both_left_out_of_it(read: Read, family: Family) -> None:
    box = '<div id="imghome"><div><img src="/a.jpg"></div><div><img src="/b.jpg"></div><p><em>Ảnh</em></p></div>'
    article = read(family, ABOVE + f'<div id="hometext">{box}Ban họp.</div><div class="bodytext">Xong.</div></div>')
    assert article.lead == "Ban họp."
    assert [image.url for image in article.images] == [HOME + "a.jpg", HOME + "b.jpg"]


def test_comments_and_blocks_nested_in_each_other_are_left_out(read: Read, family: Family) -> None:
    comments = '<div id="idcomment"><form><ul class="related"><li>Tác giả: Bạn đọc</ul></form></div>'
    article = read(family, ABOVE + f'<div class="bodytext">Xong.</div>{comments}</div>')
    assert article.author is None


def test_a_text_in_ten_thousand_boxes_is_read(read: Read, family: Family) -> None:
    deep = "<div>" * 10_000
    article = read(family, ABOVE + f'<div class="bodytext">Xong.{deep}</div></div>')
    assert article.body_text.startswith("Xong.")


@pytest.mark.slow
def test_a_listing_of_ten_thousand_entries_is_read(entries: Entries, family: Family) -> None:
    items = "".join(
        f'<a class="show h4" href="/dan-van-kheo/bai-{n}.html"><h4><i class="label">{n}</i>Bài viết số {n}</h4></a>'
        for n in range(10_000)
    )
    found = entries(family, f'<div class="list-group">{items}</div>', "dan-van-kheo/")
    assert found[0].title == "Bài viết số 0"
    assert found[-1].title == "Bài viết số 9999"


def test_a_listing_with_only_the_featured_entry_gives_it(entries: Entries, family: Family) -> None:
    html = '<div class="news_column"><h2><a href="/dan-van-kheo/tin-5.html">Tin</a></h2></div>'
    found = entries(family, html, "dan-van-kheo/")
    assert [(link.url, link.title) for link in found] == [(HOME + "dan-van-kheo/tin-5.html", "Tin")]


@pytest.mark.parametrize(
    "href",
    [
        "/tag/dan-van-2017", "/print/dan-van-kheo/mot-bai-12.html", "/savefile/dan-van-kheo/mot-bai-12.html",
        "/sendmail/dan-van-kheo/mot-bai-12.html", "/dan-van-kheo/page-2/", "/topic/dai-hoi-2020/", "/author/ban-3/",
        "/rss/dan-van-kheo/", "/dan-van-kheo/", "/about/gioi-thieu.html", "http://bao.example.vn/tin/mot-bai-12.html",
        "/dan-van-kheo/mot-bai-12.html?download=1&id=0", "/uploads/news/2017_05/mot-bai-12.pdf",
        "/index.php?language=vi&nv=news&op=print/dan-van-kheo/mot-bai-12",
        "/index.php?language=vi&nv=news&op=tag/dan-van-12", "/index.php?language=vi&nv=news&op=dan-van-kheo",
    ],
)  # fmt: skip
def test_a_link_that_only_looks_like_an_article_is_not_followed(entries: Entries, family: Family, href: str) -> None:
    html = f'<div class="news_column"><h3><a href="{href}">Một liên kết trông như bài viết</a></h3></div>'
    assert entries(family, html, "dan-van-kheo/page-9/") == ()


def test_a_profile_can_name_the_parts_of_a_theme(read: Read, entries: Entries, make_site: Callable[..., Site]) -> None:
    chosen = '[selectors]\ntitle = "h2.ten"\nbody = "div.van-ban"\npublished = "i.ngay"\narticle_link = "b.muc a"\n'
    family = load_family(make_site(family="nukeviet", extra=chosen))
    html = '<h2 class="ten">Tên bài</h2><i class="ngay">01/02/2019</i><div class="van-ban"><p>Xong.</p></div>'
    article = read(family, html)
    assert (article.title, article.body_text, article.published_raw) == ("Tên bài", "Xong.", "01/02/2019")
    listing = entries(family, '<b class="muc"><a href="/x">Mục</a></b>', "tin-tuc/")
    assert [link.url for link in listing] == [HOME + "x"]


def test_a_page_without_the_selected_text_is_no_article(
    make_page: Callable[..., Page], make_site: Callable[..., Site]
) -> None:
    family = load_family(make_site(family="nukeviet", extra='[selectors]\nbody = "div.van-ban"\n'))
    assert (
        list(family.parse_article(make_page('<meta property="og:title" content="Danh mục"><p>Chữ.</p>', STORY))) == []
    )
