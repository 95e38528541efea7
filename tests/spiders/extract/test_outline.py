"""A page as printed lines, with pictures and files at their places."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from selectolax.lexbor import LexborHTMLParser

from danvan_crawler.pages.page import Page
from spiders.extract.outline import (
    FileLink,
    Line,
    Picture,
    absolute,
    box_owners,
    outline,
    override,
    select,
)

BASE = "http://danvan.example.vn/tin-tuc/"
MakePage = Callable[..., Page]


@pytest.fixture
def lines(make_page: MakePage) -> Callable[[str], list[Line]]:
    return lambda html: outline(make_page(html, BASE).own_tree(), BASE)


Lines = Callable[[str], list[Line]]


def texts(found: list[Line]) -> list[str]:
    return [line.text for line in found]


@pytest.mark.parametrize(
    "html",
    [
        "<p>Một <b>hai</b> <span>ba</span></p><p>bốn</p>",
        "<div>Một hai<font> ba</font><div>bốn</div></div>",
        "Một<i> hai </i>ba<br>bốn",
        "<table><tr><td>Một hai ba<td>bốn</table>",
        "<ul><li>Một\n hai&nbsp;ba<li><a href=x>bốn</a></ul>",
        "<body><script>x</script>Một <!-- nghìn -->hai ba<style>y</style><hr>bốn<noscript>z</noscript>",
        "Một <!----> hai<!-- [if IE]> > --> ba<br><!-- - -- --!>bốn<!-- a --><!-- b -->",
        "<select><option>x</select><p>Một hai ba</p><textarea>y</textarea>bốn<svg><text>z</text></svg>",
    ],
)
def test_block_elements_break_a_line_and_inline_elements_do_not(lines: Lines, html: str) -> None:
    assert texts(lines(html)) == ["Một hai ba", "bốn"]


def test_hidden_lines_are_lines(lines: Lines) -> None:
    assert texts(lines("<div style='display:none'>bản in</div><p hidden>ẩn</p>")) == ["bản in", "ẩn"]


@pytest.mark.parametrize(
    "html", ["", "<html><head><title>x</title></head></html>", "<frameset><frame src=a></frameset>"]
)
def test_a_page_without_text_has_no_lines(lines: Lines, html: str) -> None:
    assert lines(html) == []


def test_a_picture_is_a_separate_line_at_its_place(lines: Lines) -> None:
    found = lines("<p>Trước <img src='/anh/1.jpg' alt=x> sau</p>")
    assert found == [
        Line("Trước"),
        Line("", (Picture("http://danvan.example.vn/anh/1.jpg", None),)),
        Line("sau"),
    ]


def pictures(found: list[Line]) -> list[Picture]:
    return [picture for line in found for picture in line.pictures]


@pytest.mark.parametrize(
    "attributes",
    [
        "src=trong.gif data-src=1.jpg",
        "src='data:image/gif;base64,R0' data-original=1.jpg",
        "src=' 1.jpg '",
        "src=1.jpg width=400 height=300",
        "src=1.jpg width=100%",
    ],
)
def test_the_address_of_a_picture_is_that_of_browsers(lines: Lines, attributes: str) -> None:
    assert pictures(lines(f"<img {attributes}>")) == [Picture(BASE + "1.jpg", None)]


@pytest.mark.parametrize(
    "attributes",
    [
        "src=a.jpg width=16",
        "src=a.jpg height=40",
        "src=/icons/print.gif",
        "src=/images/icon_facebook.png?v=2",
        "src='data:image/png;base64,AAAA'",
        "src=''",
        "alt=x",
        "src='javascript:x'",
        "src='http://[::1'",
    ],
)
def test_ornaments_and_images_without_an_address_are_no_pictures(lines: Lines, attributes: str) -> None:
    assert pictures(lines(f"<img {attributes}>")) == []


@pytest.mark.parametrize(
    "html",
    [
        "<figure><img src=1.jpg><figcaption> Toàn cảnh  hội nghị </figcaption></figure>",
        "<div><p><a href=x><img src=1.jpg></a></p><p class='photo-caption'>Toàn cảnh hội nghị</p></div>",
        "<table><tr><td><img src=1.jpg><tr><td class=chu-thich>Toàn cảnh hội nghị</table>",
        "<figure><img src=icon.gif width=10><img src=1.jpg><figcaption>Toàn cảnh hội nghị</figcaption></figure>",
    ],
)
def test_a_caption_in_the_box_of_a_picture_is_its_caption(lines: Lines, html: str) -> None:
    assert pictures(lines(html)) == [Picture(BASE + "1.jpg", "Toàn cảnh hội nghị")]


def test_a_caption_in_a_box_of_several_pictures_is_not_used(lines: Lines) -> None:
    found = pictures(lines("<figure><img src=1.jpg><img src=2.jpg><figcaption>Hội nghị</figcaption></figure>"))
    assert [picture.caption for picture in found] == [None, None]


def test_each_picture_has_the_caption_of_its_own_box(lines: Lines) -> None:
    figure = "<figure><img src={0}.jpg><figcaption>Ảnh {0}</figcaption></figure>"
    found = pictures(lines("<div>" + "".join(figure.format(number) for number in range(3)) + "</div>"))
    assert found == [Picture(f"{BASE}{number}.jpg", f"Ảnh {number}") for number in range(3)]


@pytest.mark.parametrize(
    "href", ["ke-hoach.pdf", "/tep/131.DOCX", "bao-cao.xls?v=1", "tai.aspx?download=5", "/download/12", "a.zip#x"]
)
def test_a_link_to_a_document_is_kept_with_its_line(lines: Lines, href: str) -> None:
    (line,) = lines(f"<p>Tệp: <a href='{href}'>Kế  hoạch <b>131</b></a> (2 MB)</p>")
    assert line.text == "Tệp: Kế hoạch 131 (2 MB)"
    assert line.files == (FileLink(absolute(BASE, href) or "", "Kế hoạch 131"),)


@pytest.mark.parametrize("href", ["tin-1.html", "/pdf/", "mailto:a@b.vn?x=.pdf", "javascript:open('a.pdf')"])
def test_other_links_are_no_files(lines: Lines, href: str) -> None:
    (line,) = lines(f'<p><a href="{href}">x</a></p>')
    assert line.files == ()


@pytest.mark.parametrize(
    "marks",
    ["\x01\x02\x03\x1e", "\x010\x03", "&#1;0&#3;", "&#x1;0&#X03;", "&#30;&#x1E", "\x0199&#3;", "&#0000001;5&#3"],
)
def test_control_characters_of_a_page_are_not_taken_for_our_marks(lines: Lines, marks: str) -> None:
    (line,) = lines(f"<p>Hội{marks}nghị</p>")
    assert line.text.replace(" ", "").replace("0", "").replace("99", "").replace("5", "") == "Hộinghị"
    assert (line.pictures, line.files) == ((), ())


def test_other_numeric_character_references_are_read(lines: Lines) -> None:
    assert texts(lines("<p>&#272;&#7843;ng b&#x1ED9; &#10;&#310;</p>")) == ["Đảng bộ Ķ"]


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        ("tin-1.html", "http://danvan.example.vn/tin-tuc/tin-1.html"),
        (" /tin 1.html ", "http://danvan.example.vn/tin%201.html"),
        ("//khac.vn/a", "http://khac.vn/a"),
        ("?p=2#top", "http://danvan.example.vn/tin-tuc/?p=2"),
        ("HTTPS://A.vn/b", "HTTPS://A.vn/b"),
        ("/hội-nghị", "http://danvan.example.vn/h%E1%BB%99i-ngh%E1%BB%8B"),
        ("http://[::1]:8000/a", "http://[::1]:8000/a"),
        ("", BASE),
        ("#", BASE),
    ],
)
def test_a_link_is_resolved_as_in_browsers(href: str, expected: str) -> None:
    assert absolute(BASE, href) == expected


@pytest.mark.parametrize(
    "href",
    [
        "javascript:alert(1)", "JavaScript:void(0)", "mailto:a@b.vn", "tel:123", "data:text/html,x", "ftp://a.vn/",
        "http://[::1", "http://[::1/a", "http://x:99999/", "http://x:-1/", "http://x:y/", "http://x:0/", "http://:80/",
        "http://a.vn/" + "1" * 9000,
    ],
    ids=lambda href: href[:20],
)  # fmt: skip
def test_an_invalid_link_is_none(href: str) -> None:
    assert absolute(BASE, href) is None


@pytest.mark.parametrize("expression", ["h1.title", "//h1[@class='title']", "(//h1)[1]", "div > h1"])
def test_css_and_xpath_find_the_same(make_page: MakePage, expression: str) -> None:
    page = make_page("<div><h1 class=title>Hội <b>nghị</b></h1></div><h1>khác</h1>")
    assert select(page, expression)[0].text() == "Hội nghị"


def test_xpath_may_find_text(make_page: MakePage) -> None:
    assert [node.text() for node in select(make_page("<p>một</p><p>hai</p>"), "//p/text()")] == ["một", "hai"]


def test_a_selector_that_finds_nothing_gives_nothing(make_page: MakePage) -> None:
    assert override(make_page("<p>x</p>"), {"title": "h1"}, "title") == []


def test_a_key_without_selector_is_left_to_the_family(make_page: MakePage) -> None:
    assert override(make_page("<p>x</p>"), {"title": "h1"}, "lead") is None


def test_a_box_belongs_to_the_only_name_inside_it() -> None:
    tree = LexborHTMLParser("<section id=all><div id=a><p><i>1</i></p></div><div id=b><i>2</i><i>2</i></div></section>")
    owners = box_owners((node, node.text()) for node in tree.css("i"))
    found = {box.id: owners[box.mem_id] for box in tree.css("section, div")}
    assert found == {"all": None, "a": "1", "b": "2"}
