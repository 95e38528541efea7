"""Requisites of pages and stylesheets: every way to refer to a file that browsers load, and no other."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urljoin

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from danvan_crawler.items import Article, Attachment, Image
from danvan_crawler.pages.page import Page
from danvan_crawler.pages.requisites import Scope, is_media, of_page, of_requisite
from danvan_crawler.sites.profile import Site

PAGE = "http://example.vn/tin/bai-1.html"
PROFILE = """
slug = "mau-danvan"
name = "Ban Dân vận"
family = "danvan_portal"
home = "http://example.vn/"
static_hosts = ["cdn.example.net"]
province = "VN-21"
body = "ban-dan-van"
[[sections]]
name = "Tin tức"
url = "http://example.vn/tin/"
"""


MakePage = Callable[..., Page]
Found = Callable[[str], list[str]]


@pytest.fixture
def page(make_page: MakePage) -> Callable[[str | bytes], Page]:
    """The page at PAGE with this markup."""
    return lambda html: make_page(html, PAGE)


@pytest.fixture
def sheet(make_page: MakePage) -> MakePage:
    """The stylesheet at an address."""

    def make(css: str | bytes, content_type: str = "text/css", url: str = "http://example.vn/giao-dien/a.css") -> Page:
        return make_page(css, url, content_type=content_type)

    return make


@pytest.fixture
def found(page: MakePage) -> Found:
    """The requisites of a page without the default icon, as paths if they are on its host."""

    def find(html: str) -> list[str]:
        urls = [one for one in of_page(page(html)) if not one.endswith("/favicon.ico")]
        return [one.removeprefix("http://example.vn") for one in urls]

    return find


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<img src="a.png">', ["/tin/a.png"]),
        ("<IMG border=0 SRC=/a.png>", ["/a.png"]),
        ("<img alt='x > y' src='a.png'>", ["/tin/a.png"]),
        ('<img src="a.png" alt="<b>Đồng chí</b>">', ["/tin/a.png"]),
        ('<img src="anh b.png">', ["/tin/anh%20b.png"]),
        ('<img src="a.aspx?x=1&amp;y=2">', ["/tin/a.aspx?x=1&y=2"]),
        ('<img src="..\\anh\\a.png">', ["/anh/a.png"]),
        ('<img src=" a\n.png ">', ["/tin/a.png"]),
        ('<img src="a.png" srcset="b.png 1x, c.png 2x">', ["/tin/a.png", "/tin/b.png", "/tin/c.png"]),
        ('<img srcset="a,b.png 100w,c.png, d.png">', ["/tin/a,b.png", "/tin/c.png", "/tin/d.png"]),
        ('<picture><source srcset="a.webp"><img src="a.jpg"></picture>', ["/tin/a.webp", "/tin/a.jpg"]),
        ('<img src="cho.gif" data-src="that.png">', ["/tin/cho.gif", "/tin/that.png"]),
        ('<img data-original="a.png"><img data-lazy-src="b.png">', ["/tin/a.png", "/tin/b.png"]),
        ('<img data-srcset="a.png 1x, b.png 2x">', ["/tin/a.png", "/tin/b.png"]),
        ('<div data-bg="nen.jpg">', ["/tin/nen.jpg"]),
        ("<td style=\"background: url('nen.gif')\">", ["/tin/nen.gif"]),
        ('<p style="background:url(&quot;nen.gif&quot;)">', ["/tin/nen.gif"]),
        ('<style>@import "a.css"; p { background: url(b.png) }</style>', ["/tin/a.css", "/tin/b.png"]),
        ('<body background="nen.gif"><table BACKGROUND=b.gif>', ["/tin/nen.gif", "/tin/b.gif"]),
        ('<link rel="stylesheet" href="/a.css">', ["/a.css"]),
        ('<link href="a.css" rel="alternate stylesheet">', ["/tin/a.css"]),
        ('<link rel="shortcut icon" href="i.ico">', ["/tin/i.ico"]),
        ('<link rel="preload" href="f.woff2"><link rel=manifest href=m.json>', ["/tin/f.woff2", "/tin/m.json"]),
        ('<script src="a.js"></script><script>var a = 1</script>', ["/tin/a.js"]),
        ('<frame src="menu.html"><iframe src="bang.html"></iframe>', ["/tin/menu.html", "/tin/bang.html"]),
        ('<object data="a.swf"><param name="movie" value="b.swf">', ["/tin/a.swf", "/tin/b.swf"]),
        ('<embed src="c.swf">', ["/tin/c.swf"]),
        (
            '<video poster="p.jpg" src="a.mp4"><source src="b.webm"><track src="c.vtt"></video><audio src="d.mp3">',
            ["/tin/p.jpg", "/tin/a.mp4", "/tin/b.webm", "/tin/c.vtt", "/tin/d.mp3"],
        ),
        ('<input type="image" src="tim.gif">', ["/tin/tim.gif"]),
        ('<svg><image xlink:href="a.png"/><use href="hinh.svg#b"/></svg>', ["/tin/a.png", "/tin/hinh.svg"]),
        ('<noscript><img src="a.png"></noscript>', ["/tin/a.png"]),
        ('<img src="//cdn.example.net/a.png">', ["http://cdn.example.net/a.png"]),
        ('<base href="/goc/"><img src="a.png">', ["/goc/a.png"]),
        ('<base href="http://[x/"><img src="a.png">', ["/tin/a.png"]),
        ('<img src="http://u:p@cdn.example.net/a.png">', ["http://cdn.example.net/a.png"]),
        ('<img src="a.png"><img src="./a.png"><img src="a.png#x">', ["/tin/a.png"]),
    ],
)  # fmt: skip
def test_files_that_a_browser_loads_with_a_page_are_requisites(found: Found, html: str, expected: list[str]) -> None:
    assert list(dict.fromkeys(found(html))) == expected


@pytest.mark.parametrize(
    "html",
    [
        '<a href="a.html">', '<link rel="canonical" href="/x"><link rel="next" href="/y"><link rel=alternate href=/z>',
        '<!-- <img src="a.png"> -->', "<!-- <img src=a.png>", "<script>document.write('<img src=\"a.png\">')</script>",
        '<img src="">', '<img src="#">', '<iframe src="about:blank">', '<iframe src="javascript:void(0)">',
        '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">', '<img src="{{ anh }}">', '<img src="http://[">',
        "<p>url(a.png)</p>", '<option value="a.png">', '<param name="quality" value="high">',
        f'<img src="{"a" * 5000}">',
    ],
)  # fmt: skip
def test_other_references_are_no_requisites(found: Found, html: str) -> None:
    assert found(html) == []


@pytest.mark.parametrize(
    ("css", "expected"),
    [
        ('@import "b.css"; @import url(c.css) print; @IMPORT/**/\'d.css\';', ["b.css", "c.css", "d.css"]),
        ("p { background: URL( 'a b.png' ) } q { background: url(c\\)d.png) }", ["a%20b.png", "c)d.png"]),
        ("p { background: url(\\61 nh.png) }", ["anh.png"]),
        ("a { src: local('No'), url(f.eot?#iefix) format('eot'), url(f.woff) format('woff') }", ["f.eot?", "f.woff"]),
        ('p { background: image-set("a.png" 1x, "b.png" type("image/png")) } q { content: "c" }', ["a.png", "b.png"]),
        ('/* url(no.png) */ p { content: "url(no.png)" }', []),
        ("q { background: url(data:image/gif;base64,R0) url(#a) url() }", []),
        ("@namespace url(http://www.w3.org/1999/xhtml); @namespace 'no';", []),
        ('p { content: "unclosed\n } q { background: url(a.png) }', ["a.png"]),
        ('p { background: url(a"b.png) } q { background: url(c.png) }', ["c.png"]),
        ("p { background: url(/goc.png) url(../tren.png) }", ["/goc.png", "../tren.png"]),
    ],
)  # fmt: skip
def test_files_that_a_stylesheet_loads_are_requisites(sheet: MakePage, css: str, expected: list[str]) -> None:
    assert of_requisite(sheet(css)) == [urljoin("http://example.vn/giao-dien/a.css", ref) for ref in expected]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("p { background: url(ảnh.png) }".encode(), "text/css"),
        ("p { background: url(ảnh.png) }".encode("utf-8-sig"), "text/css; charset=iso-8859-1"),
        (b"p { background: url(a\xd2nh.png) }", "text/css; charset=windows-1258"),
        ('@charset "utf-16-le";p { background: url(ảnh.png) }'.encode(), "text/css; charset=utf-8"),
        ('@charset "utf-8";p { background: url(ảnh.png) }'.encode(), "text/css; charset=rot13"),
    ],
)  # fmt: skip
def test_the_charset_of_a_stylesheet(sheet: MakePage, body: bytes, content_type: str) -> None:
    [url] = of_requisite(sheet(body, content_type))
    assert url in ("http://example.vn/giao-dien/%E1%BA%A3nh.png", "http://example.vn/giao-dien/a%CC%89nh.png")


def test_a_stylesheet_served_as_plain_text_is_recognised_by_its_name(sheet: MakePage) -> None:
    assert of_requisite(sheet("p { background: url(b.png) }", "text/plain")) == ["http://example.vn/giao-dien/b.png"]


def test_the_page_in_a_frame_has_requisites_and_a_picture_has_none(
    page: MakePage, sheet: MakePage, make_page: MakePage
) -> None:
    assert "http://example.vn/tin/a.png" in of_requisite(page('<img src="a.png">'))
    assert of_requisite(make_page(b"\x89PNG", PAGE, content_type="image/png")) == []
    assert of_requisite(sheet('<img src="a.png">', "text/plain", url="http://example.vn/a.txt")) == []


def test_the_default_icon_of_browsers_is_a_requisite_unless_the_page_has_one(page: MakePage) -> None:
    assert of_page(page("<p>")) == ["http://example.vn/favicon.ico"]
    assert of_page(page('<link rel=icon href="/anh/i.png">')) == ["http://example.vn/anh/i.png"]


def test_images_and_attachments_of_the_article_come_first(page: MakePage) -> None:
    article = Article(
        site="mau-danvan", url=PAGE, title="", body_text="",
        images=[Image("http://example.vn/b.png")], attachments=[Attachment("http://example.vn/c.pdf", "c.pdf")],
    )  # fmt: skip
    urls = of_page(page('<img src="/a.png">'), article)
    assert urls[:3] == [f"http://example.vn/{name}" for name in ("b.png", "c.pdf", "a.png")]


@pytest.fixture(scope="module")
def scope() -> Scope:
    return Scope.of(Site.parse(PROFILE))


def test_only_files_on_hosts_of_the_site_and_its_static_hosts_are_requisites(scope: Scope) -> None:
    urls = [
        "http://example.vn/a.png", "https://www.example.vn/b.png", "http://cdn.example.net/a.png",
        "http://www.cdn.example.net/c.png", "http://other.vn/d.png",
    ]  # fmt: skip
    assert list(scope.keyed(urls).values()) == urls[:3]


def test_a_file_on_two_hosts_of_the_site_is_one_requisite_but_not_on_a_static_host(scope: Scope) -> None:
    urls = ["http://www.example.vn/a.png", "http://example.vn/a.png", "https://cdn.example.net/a.png"]
    assert scope.keyed(urls) == {"/a.png": urls[0], "//cdn.example.net/a.png": urls[2]}


def test_the_front_page_and_the_sections_are_no_requisites(scope: Scope) -> None:
    assert scope.keyed(["http://example.vn/", "http://www.example.vn/tin/", "http://example.vn/tin/trang-2/"]) == {
        "/tin/trang-2/": "http://example.vn/tin/trang-2/"
    }


@pytest.mark.slow
def test_of_a_page_with_too_many_pictures_the_first_are_taken(page: MakePage, scope: Scope) -> None:
    keyed = scope.keyed(of_page(page("".join(f'<img src="/{number}.png">' for number in range(40_000)))))
    assert list(keyed) == [*(f"/{number}.png" for number in range(5000)), "/favicon.ico"]


@pytest.mark.parametrize("name", ["a.mp4", "a.FLV?x=1", "xem.aspx?tep=hoi-nghi.wmv", "b%20c.mp3"])
def test_video_and_audio_files_are_recognised_by_their_names(name: str) -> None:
    assert is_media(f"http://example.vn/{name}")


@pytest.mark.parametrize("name", ["a.pdf", "a.png", "mp4/", "a.html", ""])
def test_other_files_are_not_taken_for_video(name: str) -> None:
    assert not is_media(f"http://example.vn/{name}")


_PIECES = st.sampled_from(
    ["<", ">", '"', "'", "<img ", "src=", "srcset=", "style=", "url(", ")", "<!--", "-->", "<script", "</script>",
     "<style>", "</style>", "@import ", "\\", "/*", "*/", "a.png", " ", "\n", ",", "http://[", "\ud800", "ả",
     "<link rel=icon href=", "image-set("]
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(_PIECES, max_size=40))
def test_no_page_text_raises_an_error(page: MakePage, sheet: MakePage, pieces: list[str]) -> None:
    text = "".join(pieces).encode("utf-8", "surrogatepass")
    of_page(page(text))
    of_requisite(sheet(text))


@pytest.mark.parametrize(
    "piece",
    ["<img ", '<img src="', "<img src='a' ", "<!-- ", "<script>", "<style>", '<p style="url(', "<img srcset='a,b ,"],
)  # fmt: skip
def test_pages_with_unclosed_markup_are_read_in_linear_time(page: MakePage, piece: str) -> None:
    """With quadratic time, this test would take hours."""
    of_page(page(piece * 300_000))


@pytest.mark.parametrize("piece", ["url(", 'url("', "/*", '"', "@import ", "@namespace ", "image-set('", "\\"])
def test_stylesheets_with_unclosed_markup_are_read_in_linear_time(sheet: MakePage, piece: str) -> None:
    of_requisite(sheet(piece * 300_000))


def test_a_profile_has_static_hosts_and_a_budget() -> None:
    site = Site.parse(PROFILE.replace("static_hosts", "requisites_budget = 5\nstatic_hosts"))
    assert (site.static_hosts, site.requisites_budget) == (("cdn.example.net",), 5)
