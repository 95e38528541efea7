"""Invalid, endless and misleading pages: no family raises, and its result is correct or empty."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from danvan_crawler.captures import CaptureRecord
from danvan_crawler.families import Family, extract, load_family
from danvan_crawler.items import Article, ArticleLink, VisitCounters
from danvan_crawler.pages.page import Page
from danvan_crawler.sites.profile import Site

pytestmark = pytest.mark.slow


URL = "http://danvan.example.vn/tin-tuc/hoi-nghi-1.html"
TITLE = "Hội nghị sơ kết công tác dân vận"
LEAD = "Sáng 23/5, Ban Dân vận Tỉnh ủy tổ chức hội nghị."
PARAGRAPHS = [
    f"Đoạn {number}: các đại biểu đã thảo luận về công tác dân vận ở cơ sở trong sáu tháng." for number in range(4)
]


def block(date: str, *, after: str = "") -> str:
    text = "".join(f"<p>{paragraph}</p>" for paragraph in [date, LEAD, *PARAGRAPHS])
    return f"<h1>{TITLE}</h1>{text}{after}"


STORY = block("Ngày 23/05/2017 00:00:00") + block("Đăng lúc: 23/05/2017 00:00:00 (GMT+7)")


CAPTURE = CaptureRecord(
    url=URL, date="2026-11-23T08:00:00Z", warc_file="warc/x.warc.gz", warc_offset=0, warc_record_id="urn:uuid:0",
    payload_digest=None, status=200, truncated=None, media_type="text/html",
)  # fmt: skip
Read = Callable[[str | bytes], list[Article | VisitCounters]]
Entries = Callable[[str | bytes], tuple[ArticleLink, ...]]


@pytest.fixture
def page(make_page: Callable[..., Page]) -> Callable[[str | bytes], Page]:
    return lambda body: make_page(body, URL, captured_at=CAPTURE.date)


@pytest.fixture
def family(make_site: Callable[..., Site]) -> Family:
    return load_family(make_site())


@pytest.fixture
def read(family: Family, page: Callable[[str | bytes], Page]) -> Read:
    """The articles that the family finds on a page with this body."""
    return lambda body: list(extract(family, page(body), CAPTURE))


@pytest.fixture
def entries(family: Family, page: Callable[[str | bytes], Page]) -> Entries:
    """The entries that the family finds on a listing with this body."""
    return lambda body: family.parse_section(page(body)).links


def assert_the_story(found: list[Article | VisitCounters], title: str = TITLE) -> None:
    (article,) = [item for item in found if isinstance(item, Article)]
    assert (article.title, article.lead, article.body_text) == (title, LEAD, "\n".join(PARAGRAPHS))
    assert article.published_raw == "Đăng lúc: 23/05/2017 00:00:00 (GMT+7)"


LINK_TARGETS = [
    "http://[::1",
    "http://[::1]/1",
    "http://x:99999/1",
    "http://danvan.example.vn:99999/tin-1.html",
    "http://danvan.example.vn:x/1",
    "javascript:alert(1)",
    "data:text/html,1",
    "mailto:a1@b.vn",
    "tel:123",
    "//",
    "http://",
    "http:1",
    "?",
    "#",
    "..//..//1",
    "tin&#0;-1",
    "tin&#10;-1",
    "http://danvan.example.vn/%zz1",
    "http://user:pw@danvan.example.vn/1",
    "\\\\danvan.example.vn\\1",
    f"http://{'a' * 300}.vn/1",
    "http://..vn/1",
    "http://ａ.vn/1",
    f"http://danvan.example.vn/{'1' * 100_000}",
    "http://[v1.x]/1",
    "http://danvan.example.vn:０/1",
    "http://[fe80::1%25eth0]/1",
    "http://xn--/1",
    f"?page={'9' * 5000}",
    "\ud8001.html",
]
LINKS = "".join(f'<a href="{target}">Tiêu đề của một bài viết dài</a> ' for target in LINK_TARGETS)
IMAGES = "".join(f'<img src="{target}"><img data-src="{target}">' for target in LINK_TARGETS)

EMPTY: dict[str, str | bytes] = {
    "nothing": b"",
    "white space": " \n\t ",
    "no body": "<html><head><title>x</title></head></html>",
    "frames": "<html><frameset><frame src=x></frameset></html>",
    "frames behind a text": "<td>x<frameset><frame src=x>",
    "one word": "hello",
    "every byte": bytes(range(256)) * 1000,
    "random bytes": random.Random(1).randbytes(300_000),
    "a picture": b"\x89PNG\r\n\x1a\n" + random.Random(2).randbytes(100_000),
    "only NUL": b"\x00" * 100_000,
    "only pictures": "".join(f"<img src='{number}.jpg'>" for number in range(5000)),
    "pictures inside each other": "".join(f"<div><img src='{number}.jpg'>" for number in range(3000)),
    "nested without end": "<div>" * 200_000 + "x",
    "nested text without end": "".join(f"<div>t{number} abc def" for number in range(50_000)),
    "fonts without end": "".join(f"<font size={number}><p>x" for number in range(5000)),
    "one endless line": "<p>" + "dân vận khéo " * 350_000,
    "one endless word": "<p>" + "a" * 5_000_000,
    "endless spaces": "<p>" + "&nbsp;" * 300_000,
    "endless dates": "<p>" + "23/05/2017 " * 200_000,
    "date lines": "".join(f"<p>Đăng lúc: {1 + number % 28}/05/2017 08:{number % 60:02}</p>" for number in range(5000)),
    "headlines printed twice": "".join(f"<p>Tiêu đề {number} abc</p><p>Xem tiếp</p>" for number in range(1200)) * 2,
    "an unclosed comment": "<!--" + STORY,
    "an unclosed textarea": "<textarea>" + STORY,
    "a selection": "<select>" + "<option>x" * 50_000,
    "one tag": "<div " + " ".join(f"a{number}=1" for number in range(50_000)) + ">",
}


@pytest.mark.parametrize("body", EMPTY.values(), ids=EMPTY.keys())
def test_a_page_without_a_story_gives_no_article(read: Read, body: str | bytes) -> None:
    assert [item for item in read(body) if isinstance(item, Article)] == []


@pytest.mark.parametrize("body", EMPTY.values(), ids=EMPTY.keys())
def test_a_page_without_entries_gives_an_empty_listing(entries: Entries, body: str | bytes) -> None:
    assert entries(body) == ()


WITH_STORY = {
    "NUL": STORY.replace("Đoạn", "Đo\x00ạn").replace("<p>", "<p>\x00"),
    "control characters": STORY.replace(": ", ": \x01\x02\x03\x1e\x01\x03\x02\x03"),
    "control characters by number": STORY.replace(": ", ": &#1;&#3;&#x02;&#3&#30;"),
    "links that lead nowhere": LINKS + STORY + LINKS,
    "pictures that are nowhere": STORY + IMAGES,
    "a base that is none": f"<head><base href='http://[::1'></head>{LINKS}{STORY}",
    "a base at a port that is none": f"<head><base href='http://x:99999/'></head>{LINKS}{STORY}{IMAGES}",
    "a script as base": f"<head><base href='javascript:x'></head>{LINKS}{STORY}",
    "a canonical address that is none": f"<head><link rel=canonical href='http://danvan.example.vn:99999/x1'></head>{STORY}",
    "the title many times before": f"<h2>{TITLE}</h2>" * 500 + STORY,
    "the title many times after": STORY + f"<p>Tin liên quan</p><h2>{TITLE}</h2>" * 500,
    "related news without end": STORY + "<h3>Tin liên quan</h3>" + "".join(
        f"<li><a href='/tin-{number}.html'>Tiêu đề bài viết {number}</a> (23/05/2017)" for number in range(10_000)
    ),
    "an endless line after": STORY + "<h3>Tin liên quan</h3><p>" + "dân vận " * 600_000,
    "an endless nest after": STORY + "<h3>Tin liên quan</h3>" + "<div>" * 200_000,
    "a nest around": "<div>" * 500 + STORY + "</div>" * 500,
    "a nest of formatting around": "<b><i><u><font size=1>" * 30 + STORY,
    "endless tags": STORY + "<p>Từ khóa: " + ", ".join(f"tag {number}" for number in range(5000)) + "</p>"
    + "".join(f"<a href='/tag/{number}'>tag {number}</a>" for number in range(5000)),
    "a breadcrumb without end": "<div class=breadcrumb>" + "a/" * 100_000 + "</div>" + STORY,
    "a selection before": "<select>" + "<option>x</option>" * 3000 + "</select>" + STORY,
}  # fmt: skip


@pytest.mark.parametrize("body", WITH_STORY.values(), ids=WITH_STORY.keys())
def test_the_article_is_found_among_hostile_markup(read: Read, body: str) -> None:
    found = read(body)
    (article,) = [item for item in found if isinstance(item, Article)]
    article.body_text = article.body_text.replace("\ufffd", "").replace(":  ", ": ")
    assert_the_story(found)


def test_a_byte_order_mark_takes_precedence_over_the_declared_charset(read: Read) -> None:
    assert_the_story(read(STORY.encode("utf-16")))


@pytest.mark.parametrize(
    "entity",
    ["&Ban", "&#;", "&#x;", "&#99999999999;", "&amp;amp;", "&#xD800;", "&nosuch;", "&lt"],
    ids=lambda text: text,
)
def test_broken_entities_leave_the_rest_of_the_text(read: Read, entity: str) -> None:
    (article,) = read(STORY.replace("các đại biểu", f"các {entity} đại biểu"))
    assert isinstance(article, Article)
    assert article.body_text.count("đại biểu đã thảo luận") == 4


def test_many_files_are_kept_once_each(read: Read) -> None:
    files = "".join(f"<a href='/f{number % 3000}.pdf'>f</a> " for number in range(6000))
    (article,) = read(block("Ngày 23/05/2017") + block("Đăng lúc: 23/05/2017 08:00", after=f"<p>{files}</p>"))
    assert isinstance(article, Article)
    assert len(article.attachments) == 3000


def test_invalid_links_are_no_entries(entries: Entries) -> None:
    for link in entries(LINKS):
        assert link.url.startswith("http://danvan.example.vn/")


def test_many_entries_are_all_found_in_their_order(entries: Entries) -> None:
    html = "".join(f"<div><a href='/tin-{number}.html'>Tiêu đề bài viết {number}</a>" for number in range(2000))
    found = entries(html)
    assert [link.url for link in found] == [f"http://danvan.example.vn/tin-{number}.html" for number in range(2000)]


@pytest.mark.parametrize(
    ("box", "counters"),
    [
        (["9" * 5000, "1", "2", "3", "4"], (None, 1, 2, 3, 4)),
        (["9" * 16, "1", "2", "3", "9" * 15], (None, 1, 2, 3, 999_999_999_999_999)),
        (["...", "1", "2", "3", "4.567"], (None, 1, 2, 3, 4567)),
        (["²³", "1", "٣٤", "3", "4"], (None, 1, None, 3, 4)),
    ],
    ids=["5000 digits", "16 digits", "dots", "other digits"],
)
def test_a_visit_box_with_invalid_numbers_gives_the_valid_ones(
    read: Read, box: list[str], counters: tuple[int | None, ...]
) -> None:
    labels = ("Hôm nay", "Hôm qua", "Tuần này", "Tháng này", "Tất cả")
    html = "".join(f"<p>{label}</p><p>{value}</p>" for label, value in zip(labels, box, strict=True))
    (found,) = read(html)
    assert isinstance(found, VisitCounters)
    assert (found.today, found.yesterday, found.this_week, found.this_month, found.total) == counters


PIECES = [
    "<p>",
    "</p>",
    "<div>",
    "</div>",
    "<a href='/tin-1.html'>",
    "</a>",
    "<table>",
    "<td>",
    "</table>",
    "<img src=1.jpg>",
    "<br>",
    "<b>",
    "</b>",
    "<!--",
    "-->",
    "<script>",
    "</script>",
    "<ul>",
    "<li>",
    "&#1;",
    "&",
    "<",
    "\x00",
    "\x1e",
    TITLE,
    LEAD,
    "Ngày 23/05/2017",
    "Đăng lúc: 23/05/2017 08:00",
    "Hôm nay",
    "15",
    "Tin liên quan",
    "Nguồn: Báo",
    "Từ khóa:",
    "<a href='a.pdf'>",
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=60))
def test_no_mixture_of_markup_raises(read: Read, entries: Entries, pieces: list[str]) -> None:
    html = "".join(pieces)
    read(html)
    entries(html)
