"""Which links of a listing are articles, their dates, and the next page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser

from danvan_crawler.items import ArticleLink
from spiders.extract.listings import article_links, in_chrome, is_page_of, next_page, page_number

HOME = "http://danvan.example.vn/"
URL = f"{HOME}tin-tuc/"
TITLE = "Hội nghị công tác dân vận"


def links(html: str, *, known: Callable[[str], bool] = lambda url: False, **more: Any) -> list[ArticleLink]:
    return list(article_links(LexborHTMLParser(html), URL, known, **more))


def addresses(html: str) -> list[str]:
    return [link.url.removeprefix(HOME) for link in links(html)]


def entry(href: str, title: str = TITLE) -> str:
    return f'<div><a href="{href}">{title}</a></div>'


@pytest.mark.parametrize(
    "href",
    ["/tin/hoi-nghi-1.html", "/tin/hoi-nghi-cong-tac-dan-van", "?id=15", "/chi-tiet.aspx?tin=7", "/h%E1%BB%99i-a-b-c"],
)
def test_a_headline_link_with_a_slug_or_number_is_an_entry(href: str) -> None:
    assert [link.title for link in links(entry(href))] == [TITLE]


@pytest.mark.parametrize(
    "href",
    ["/gioi-thieu", "/tin/", "/anh/1.jpg", "/van-ban/131.pdf", "/rss/1.xml", "mailto:a1@b.vn", "javascript:go(1)", "#1",
     "http://[::1", "http://x:99999/1", "/download/1"],
)  # fmt: skip
def test_a_link_to_something_other_than_an_article_is_no_entry(href: str) -> None:
    assert links(entry(href)) == []


@pytest.mark.parametrize("title", ["", "Giới thiệu", "Xem tiếp", "Xem chi tiết »", "[Đọc tiếp]", "Một hai ba"])
def test_a_link_without_headline_is_no_entry(title: str) -> None:
    assert links(entry("/tin-1.html", title)) == []


def test_a_family_may_accept_short_headlines() -> None:
    assert [link.title for link in links(entry("/tin-1.html", "Thông báo"), minimum_words=1)] == ["Thông báo"]


@pytest.mark.parametrize(
    "box",
    [
        "<nav>{}</nav>",
        "<footer><div>{}</div></footer>",
        "<header>{}</header>",
        "<aside>{}</aside>",
        "<div class='main-menu'>{}</div>",
        "<div id='navbar2'>{}</div>",
        "<ul class='tin-lien-quan'>{}</ul>",
        "<div class='box xem-nhieu'><div><ul>{}</ul></div></div>",
        "<div class='phan-trang'>{}</div>",
    ],
)
def test_links_in_menus_and_boxes_are_no_entries(box: str) -> None:
    assert addresses(box.format(entry("/tin-1.html")) + entry("/tin-2.html")) == ["tin-2.html"]


@pytest.mark.parametrize(
    "box",
    [
        "<main class='sidebar-left'>{}</main>",
        "<div class=header><article>{}</article></div>",
        "<div class='list-news unavailable'>{}</div>",
        "<body class='has-menu'>{}</body>",
        "<div class='submenus-none'>{}</div>",
    ],
)
def test_an_entry_in_a_content_element_is_an_entry(box: str) -> None:
    assert addresses(box.format(entry("/tin-1.html"))) == ["tin-1.html"]


def test_a_cached_result_for_a_box_applies_to_its_inner_elements() -> None:
    tree = LexborHTMLParser("<nav><div><a>1</a><p><a>2</a></p></div></nav><div><a>3</a></div>")
    known: dict[int, bool] = {}
    assert [in_chrome(anchor, known) for anchor in tree.css("a")] == [True, True, False]
    assert [in_chrome(anchor) for anchor in tree.css("a")] == [True, True, False]


def test_addresses_known_to_be_other_pages_are_left_out() -> None:
    found = links(entry("/tin-1.html") + entry("/tin-2.html"), known=lambda url: url.endswith("tin-1.html"))
    assert [link.url for link in found] == [f"{HOME}tin-2.html"]


def test_entries_are_unique_in_page_order_and_in_canonical_form() -> None:
    html = entry("/b-2.html?utm_source=x") + entry("/a-1.html#top") + entry("/b-2.html") + entry("/b-2.html?print=1")
    assert addresses(html) == ["b-2.html", "a-1.html"]


def test_the_longest_text_of_several_links_is_the_title() -> None:
    picture = '<a href="/tin-1.html"><img src=1.jpg></a>'
    more = '<a href="/tin-1.html">Xem tiếp</a>'
    assert links(f"<li>{picture}{entry('/tin-1.html')}{more}</li>")[0].title == TITLE


def test_the_title_attribute_is_used_for_a_link_without_text() -> None:
    assert links(f'<a href="/tin-1.html" title="{TITLE}"><img src=1.jpg></a>')[0].title == TITLE


@pytest.mark.parametrize(
    "item",
    [
        "<li>{} <span>(23/05/2017)</span></li>",
        "<li><div><h3>{}</h3></div><p>Ngày đăng:</p><p> (23/05/2017) </p></li>",
        "<tr><td>{}<td>(23/05/2017)",
        "<dl><dt>{}<dd>Lời dẫn của bài.<dd>(23/05/2017)</dl>",
    ],
)
def test_the_date_beside_an_entry_is_kept_as_printed(item: str) -> None:
    anchors = [f'<a href="/tin-{number}.html">{TITLE} {number}</a>' for number in (1, 2)]
    html = "<table>" + "".join(item.format(anchor) for anchor in anchors) + "</table>"
    assert [link.published_raw for link in links(html)] == ["(23/05/2017)", "(23/05/2017)"]


def test_an_entry_does_not_take_the_date_of_its_neighbour() -> None:
    html = f"<ul><li><div>{entry('/tin-1.html')}</div></li><li><div>{entry('/tin-2.html')} 23/05/2017</div></li></ul>"
    assert [link.published_raw for link in links(html)] == [None, "23/05/2017"]


def test_the_date_may_be_beside_any_of_the_links_to_an_entry() -> None:
    html = f"<li><b><a href='/tin-1.html'><img src=1.jpg></a></b><p>{entry('/tin-1.html')} 23/05/2017</p></li>" + entry(
        "/2"
    )
    assert links(html)[0].published_raw == "23/05/2017"


@pytest.mark.parametrize("piece", ["Hotline 02373 852 246", "Lượt xem: 15", "Xem " + "x" * 80 + " 23/05/2017"])
def test_a_line_without_a_date_gives_none(piece: str) -> None:
    assert links(f"<li>{entry('/tin-1.html')}<p>{piece}</p></li>")[0].published_raw is None


@pytest.mark.slow
def test_of_a_very_long_page_both_ends_are_read() -> None:
    html = "".join(entry(f"/tin-{number}.html", f"{TITLE} {number}") for number in range(6000))
    found = addresses(html)
    assert (len(found), found[0], found[-1]) == (5000, "tin-0.html", "tin-5999.html")


def following(html: str, url: str = URL) -> str | None:
    found = next_page(LexborHTMLParser(html), url, url)
    return found.removeprefix(HOME) if found else None


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<link rel=next href='?page=2'>", "tin-tuc/?page=2"),
        ("<a rel='nofollow next' href='trang-2.html'>x</a>", "tin-tuc/trang-2.html"),
        ("<a href='?page=2'>2</a><a href='?page=3'>3</a>", "tin-tuc/?page=2"),
        ("<a href='?page=2'>[ 2 ]</a>", "tin-tuc/?page=2"),
        ("<a href='?p=9'>Trang sau »</a>", "tin-tuc/?p=9"),
        ("<a href='?p=9' title='Trang tiếp theo'><img src=x.gif></a>", "tin-tuc/?p=9"),
        ("<a href='?page=2'>»</a>", "tin-tuc/?page=2"),
        ("<a href='?page=1'>1</a><a href='?page=7'>»</a>", None),
        ("<a href='?page=5'>2</a>", None),
        ("<a href='/tin-2.html'>Tin 2</a>", None),
        ("<a rel=next href='http://other.example.vn/?page=2'>x</a>", None),
        ("<a rel=next href='javascript:next(2)'>2</a>", None),
        ("<a rel=next href='http://[::1'>2</a>", None),
        ("<a rel=next href='#'>2</a>", None),
        ("", None),
    ],
)
def test_the_next_page_is_found_by_relation_number_word_or_sign(html: str, expected: str | None) -> None:
    assert following(html) == expected


def test_the_next_page_is_counted_from_the_current_one() -> None:
    html = "<a href='?page=1'>1</a><a href='?page=2'>2</a><a href='?page=3'>3</a>"
    assert following(html, f"{URL}?page=2") == "tin-tuc/?page=3"


def test_a_relation_takes_precedence_over_a_number_and_a_number_over_a_word() -> None:
    number, word = "<a href='?page=2'>2</a>", "<a href='?p=9'>Trang sau</a>"
    assert following(f"{word}{number}<link rel=next href='?page=5'>") == "tin-tuc/?page=5"
    assert following(f"{word}{number}") == "tin-tuc/?page=2"


def test_pagination_at_the_end_of_a_very_long_page_is_found() -> None:
    assert following("<a href='/x'>x</a>" * 6000 + "<a href='?page=2'>2</a>") == "tin-tuc/?page=2"


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("tin-tuc/", 1),
        ("tin-tuc/?page=3", 3),
        ("tin-tuc/trang-12.html", 12),
        ("tin/page/4/", 1),
        ("tin?trang=2&page=5", 5),
        ("tin/page-7", 7),
        ("tin-2017.html", 1),
        ("tin?Page=2", 2),
        ("tin?page=" + "9" * 5000, 1),
        ("tin?page=٢", 1),
    ],
    ids=lambda value: str(value)[:25],
)
def test_the_page_number_is_read_from_the_end_of_the_address(path: str, number: int) -> None:
    assert page_number(HOME + path) == number


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("/tin-tuc/?page=2", True),
        ("/tin-tuc/page/2", True),
        ("/tin-tuc/trang-2/", True),
        ("/tin-tuc/", False),
        ("/tin-tuc/page-2-hoi-nghi.html", False),
        ("/tin-tuc/hoi-nghi-2.html", False),
        ("/khac/?page=2", False),
    ],
)
def test_later_pages_of_a_listing_are_distinguished_from_articles(key: str, expected: bool) -> None:
    assert is_page_of("/tin-tuc/", key) is expected
