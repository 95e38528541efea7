"""Dates beside the printed lines, on small pages with one difficulty each."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from selectolax.lexbor import LexborHTMLParser

from danvan_crawler.families import load_family
from danvan_crawler.items import Article
from danvan_crawler.pages.page import Page
from danvan_crawler.sites.profile import Site
from danvan_crawler.vietnamese.dating import CLOCK_ONLY, Candidate
from spiders.extract import datelines

MakeSite = Callable[..., Site]
TITLE = "Hội nghị tổng kết công tác dân vận năm 2016"
TEXT = "Sáng nay, Ban Dân vận tổ chức hội nghị tổng kết công tác dân vận của cả năm và bàn việc của năm sau. " * 2
BLOCK = f"<h2>{TITLE}</h2>%s<p>Tóm tắt hội nghị của Ban Dân vận.</p><p>{TEXT}</p><p>{TEXT[:120]}</p>"
URL = "http://danvan.example.vn/tin-tuc/hoi-nghi-12.html"
META = '<meta property="article:published_time" content="%s">'
SCRIPT = '<script type="application/ld+json">%s</script>'
JSON_LD = SCRIPT % '{"@type": "NewsArticle", "datePublished": "2017-06-09T09:41:12+07:00"}'
CLOCK = '<div id="top">Thứ hai, 23/11/2026</div>'
RELATED = '<p>Các tin khác</p><ul><li><a href="/x-1.html">Tin cũ</a> <time datetime="2017-05-18">18/05/2017</time></ul>'


MakePage = Callable[..., Page]
Parsed = Callable[..., list[Article]]


@pytest.fixture
def page(make_page: Callable[..., Page]) -> MakePage:
    """A page with this body and head."""

    def make(body: str, head: str = "", url: str = URL) -> Page:
        html = f"<html><head>{head}</head><body>{body}</body></html>"
        return make_page(html, url, captured_at="2026-11-23T08:00:00.000000Z")

    return make


def portal(stamp: str = "", top: str = "", below: str = "") -> str:
    """A page of danvan_portal: the print form, and the article."""
    return f"{top}<div>{BLOCK % stamp}</div><div>{BLOCK % stamp}</div>{below}"


def nukeviet(stamp: str = "", top: str = "", below: str = "") -> str:
    return (
        f'{top}<div class="news_column"><h1 class="title">{TITLE}</h1>{stamp}<div class="hometext">Tóm tắt.</div>'
        f'<div id="news-bodyhtml">{TEXT}</div>{below}</div>'
    )


LAYOUTS = {"danvan_portal": portal, "nukeviet": nukeviet}


@pytest.fixture(params=sorted(LAYOUTS))
def article_of(request: pytest.FixtureRequest, make_site: MakeSite, page: MakePage) -> Callable[..., Article]:
    """The article of a page of each family."""

    def parse(*, head: str = "", url: str = URL, extra: str = "", **parts: str) -> Article:
        family = load_family(make_site(family=request.param, extra=extra))
        (article,) = family.parse_article(page(LAYOUTS[request.param](**parts), head, url))
        assert isinstance(article, Article)
        return article

    return parse


def dates(article: Article) -> tuple[str | None, str | None]:
    return article.published_raw, article.published_from


@pytest.mark.parametrize(
    "parts",
    [
        {"below": "<footer>© 2012 Ban Dân vận Tỉnh ủy</footer>"},
        {"below": "<p>Văn bản số 12 ngày 01/02/2010</p>"},
        {"stamp": "<p>Văn bản số 12 ngày 01/02/2010</p>"},
        {"below": RELATED},
        {"top": RELATED},
        {"top": CLOCK},
    ],
    ids=["copyright year", "document below", "document above", "related below", "related above", "page clock"],
)
def test_a_date_other_than_the_date_line_is_never_chosen(
    article_of: Callable[..., Article], parts: dict[str, str]
) -> None:
    assert dates(article_of(**parts)) == (None, None)


def test_an_ordinary_page_gives_its_date_line_without_warnings(article_of: Callable[..., Article]) -> None:
    article = article_of(stamp="<p>Đăng lúc: 23/05/2017 08:05</p>", top=CLOCK, below=RELATED)
    assert dates(article) == ("Đăng lúc: 23/05/2017 08:05", "visible")
    assert article.warnings == []


def test_metadata_replaces_a_missing_date_line(article_of: Callable[..., Article]) -> None:
    article = article_of(head=META % "2017-05-23T08:05:00+07:00", top=CLOCK)
    assert dates(article) == ("2017-05-23T08:05:00+07:00", "metadata")
    assert article.warnings == []


def test_the_date_in_the_address_is_used_without_metadata(article_of: Callable[..., Article]) -> None:
    url = "http://danvan.example.vn/tin-tuc/2017/05/23/hoi-nghi-12.html"
    assert dates(article_of(url=url)) == ("2017/05/23", "url")


def test_metadata_that_disagrees_is_a_warning(article_of: Callable[..., Article]) -> None:
    article = article_of(head=META % "2017-05-30T08:05:00+07:00", stamp="<p>Ngày đăng: 23/05/2017</p>")
    assert dates(article) == ("Ngày đăng: 23/05/2017", "visible")
    assert article.warnings == ["dates disagree: visible 2017-05-23, opengraph 2017-05-30"]


@pytest.mark.parametrize(
    ("stated", "warning"),
    [
        ("2062-05-23", "opengraph date not used: published in the future"),
        ("2004-05-23", "opengraph date not used: published before the site's first year"),
    ],
)
def test_implausible_metadata_gives_no_date(article_of: Callable[..., Article], stated: str, warning: str) -> None:
    article = article_of(head=META % stated, extra="first_year = 2005")
    assert dates(article) == (None, None)
    assert article.warnings == [warning]


@pytest.fixture
def parsed(make_site: MakeSite, page: MakePage) -> Parsed:
    """The articles that a family finds on a page."""

    def parse(family: str, body: str, head: str = "", extra: str = "") -> list[Article]:
        found = load_family(make_site(family=family, extra=extra)).parse_article(page(body, head))
        return [item for item in found if isinstance(item, Article)]

    return parse


def test_danvan_portal_compares_with_json_ld(parsed: Parsed) -> None:
    (article,) = parsed("danvan_portal", portal("<p>Ngày 23/05/2017</p>"), JSON_LD)
    assert article.warnings == ["dates disagree: visible 2017-05-23, json-ld 2017-06-09"]


def test_nukeviet_ignores_the_time_of_the_last_edit(parsed: Parsed) -> None:
    hidden = '<meta itemprop="datePublished" content="2017-06-10T09:41:12+07:00">'
    (article,) = parsed("nukeviet", nukeviet(below=hidden), JSON_LD)
    assert dates(article) == (None, None)


def test_the_garbled_metadata_time_of_nukeviet_replaces_a_missing_date_line(parsed: Parsed) -> None:
    (article,) = parsed("nukeviet", nukeviet(), META % "2017-05-23+0708:05:00")
    assert dates(article) == ("2017-05-23+0708:05:00", "metadata")


def test_without_a_headline_the_page_clock_is_not_taken_for_the_date_line(parsed: Parsed) -> None:
    head = f'<meta property="og:title" content="{TITLE}">'
    text = f'{CLOCK}<div>%s<div id="news-bodyhtml">{TEXT}</div></div>'
    (article,) = parsed("nukeviet", text % "", head)
    assert (dates(article), article.warnings) == ((None, None), [CLOCK_ONLY])
    (article,) = parsed("nukeviet", text % "<p>23/05/2017 08:05</p>", head)
    assert (dates(article), article.warnings) == (("23/05/2017 08:05", "visible"), [])


def test_metadata_replaces_an_unreadable_selected_date_line(parsed: Parsed) -> None:
    body = portal("<p class=when>hôm nào đó</p>")
    extra = '[selectors]\npublished = "p.when"'
    site = f"{extra}\n"
    (article,) = parsed("danvan_portal", body, META % "2017-05-23", site)
    assert (dates(article), article.warnings) == (("2017-05-23", "metadata"), ["unreadable date line"])


def test_a_page_with_publication_metadata_is_an_article_without_print_form_and_date_line(
    parsed: Parsed,
) -> None:
    single = f"{CLOCK}<h1>{TITLE}</h1><p>Tóm tắt hội nghị.</p><p>{TEXT}</p>{RELATED}"
    assert parsed("danvan_portal", single) == []
    (article,) = parsed("danvan_portal", single, META % "2017-05-23")
    assert (article.title, article.lead, dates(article)) == (TITLE, "Tóm tắt hội nghị.", ("2017-05-23", "metadata"))


def collected(body: str, head: str = "") -> list[Candidate]:
    return list(datelines.collect(LexborHTMLParser(f"<html><head>{head}</head><body>{body}</body></html>")))


@pytest.mark.parametrize("name", ['property="Article:Published_Time"', 'name="pubdate"', 'name="DC.date.issued"'])
def test_meta_elements_of_several_vocabularies_are_found(name: str) -> None:
    assert collected("", f'<meta {name} content=" 2017-05-23 ">') == [Candidate("opengraph", "2017-05-23")]


@pytest.mark.parametrize("name", ['property="article:modified_time"', 'name="date"', 'name="publisher"'])
def test_other_meta_elements_are_ignored(name: str) -> None:
    assert collected("", f'<meta {name} content="2017-05-23">') == []


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ('{"@type": "NewsArticle", "datePublished": "2017-05-23"}', ["2017-05-23"]),
        ('[{"@type": ["Thing", "schema:/BlogPosting"], "datePublished": "2017-05-23"}]', ["2017-05-23"]),
        ('{"@type": "NewsArticle", "headline": "a\nb", "datePublished": "2017-05-23"};', ["2017-05-23"]),
        (
            '{"@graph": [{"@type": "WebPage", "datePublished": "2017-05-20"}, '
            '{"@type": "Article", "datePublished": "2017-05-23"}]}',
            ["2017-05-23"],
        ),
        ('{"@type": "WebPage", "datePublished": "2017-05-20"}', ["2017-05-20"]),
        ('{"@type": "ItemList", "itemListElement": [{"@type": "Article", "datePublished": "2017-05-01"}]}', []),
        ('{"@type": "Book", "datePublished": "1997-05-01"}', []),
        ('{"@type": "NewsArticle", "datePublished": {"year": 2017}}', []),
        ('{"@type": "NewsArticle", "datePublished": ', []),
        ('{"datePublished": ' + "[" * 100_000, []),
        ('"datePublished"', []),
    ],
)
def test_json_ld_is_read_only_for_the_article_of_the_page(script: str, found: list[str]) -> None:
    assert collected("", SCRIPT % script) == [Candidate("json-ld", value) for value in found]


STAMP = '<time datetime="2017-05-23T08:05:00+07:00">23/05</time>'


@pytest.mark.parametrize(
    ("body", "is_found"),
    [
        (f"<article><header><h1>Tiêu đề</h1>{STAMP}</header><p>Bài</p></article>", True),
        (f"<main><div class='entry-header'><h1>Tiêu đề</h1></div><p>{STAMP}</p></main>", True),
        (f"<article><h1>Tiêu đề</h1><p>Bài</p><ul><li>{STAMP}</ul></article>", False),
        (f"<article><h1>Tiêu đề</h1><div class=related>{STAMP}</div></article>", False),
        (f"<h1>Tiêu đề</h1><p>{STAMP}</p>", False),
        ("<article><h1>Tiêu đề</h1><time class=updated datetime='2017-05-23'></time></article>", False),
        ("<article><h1>Tiêu đề</h1><time>23/05/2017</time></article>", False),
        (f"<div><div><div><h1>Tiêu đề</h1></div></div><p>{STAMP}</p></div>", False),
    ],
)
def test_a_time_element_is_used_only_beside_the_headline(body: str, is_found: bool) -> None:
    assert collected(body) == ([Candidate("time", "2017-05-23T08:05:00+07:00")] if is_found else [])


def test_microdata_is_used_except_in_lists() -> None:
    meta = '<meta itemprop="datePublished" content="2017-05-23">'
    assert collected(f"<div itemscope>{meta}</div>") == [Candidate("json-ld", "2017-05-23")]
    assert collected(f"<aside><div itemscope>{meta}</div></aside>") == []
