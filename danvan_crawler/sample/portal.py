"""The sample portal as a function from address and edition to a page.

Pages do not depend on a clock, a counter of requests or random numbers: the same address of the same edition gives the
same bytes, so that a second crawl finds unchanged pages. Only rel=canonical depends on where the portal is served.

Addresses in the form of the platform:

    /                                          home
    /tin-tuc/<section>/                        a listing, ten articles a page; further pages /tin-tuc/<section>/trang-2/
    /tin-tuc/<section>/<words>-<number>.html   an article; ?print=1 shows its print form, other parameters are ignored
    /hinh-anh/tin-<number>-<photo>.png         a photo; /hinh-anh/nho/… its thumbnail for listings
    /tai-lieu/<name>                           a document
    /tu-khoa/?q=<tag>                          articles of a tag
    /quan-tri/                                 administration, forbidden by robots.txt
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from urllib.parse import parse_qs, quote, unquote, urljoin

from danvan_crawler.sample import _html, _media
from danvan_crawler.sample._content import (
    SampleArticle,
    SampleAttachment,
    SampleImage,
    Section,
    attachments,
    load,
    sections,
)

__all__ = ["Page", "SampleArticle", "SampleAttachment", "SampleImage", "Section", "articles", "counters", "render"]

PAGE_SIZE = 10
_HTML = "text/html; charset=utf-8"
_ROBOTS = "User-agent: *\nDisallow: /quan-tri/\n"
_PHOTO_PATH = re.compile(r"/hinh-anh/(?P<small>nho/)?tin-(?P<number>\d+)-(?P<photo>\d+)\.png")
_LISTING_PATH = re.compile(r"/tin-tuc/(?P<slug>[a-z0-9-]+)/(?:trang-(?P<page>[1-9]\d{0,3})/)?")

# The visit box on the first page; the other pages of edition 1 were opened after it, one visitor each.
_SEED_COUNTERS = (1, 0, 1, 0, 92232)
_VISITORS_A_DAY = 70


@dataclass(frozen=True, slots=True)
class Page:
    """A response: `static` files have validators (ETag, Last-Modified) and are not compressed."""

    body: bytes
    media_type: str = _HTML
    status: int = 200
    static: bool = False
    headers: tuple[tuple[str, str], ...] = field(default=())


def articles(edition: int = 1) -> list[SampleArticle]:
    """All articles of an edition (1 or 2), by number, with the values of correct items."""
    return list(load(edition))


def counters(edition: int, visitor: int) -> tuple[int, int, int, int, int]:
    """The visit box (today, yesterday, week, month, all) for the `visitor`-th visitor of an edition, counted from 0.

    Edition 2 is the day after edition 1.

    >>> counters(1, 0)
    (1, 0, 1, 0, 92232)
    """
    today, yesterday, week, month, total = _SEED_COUNTERS
    before = _VISITORS_A_DAY * (edition - 1)
    return (
        today + visitor,
        yesterday + before,
        week + before + visitor,
        month + before + visitor,
        total + before + visitor,
    )


def listed(edition: int, section: Section) -> list[SampleArticle]:
    """The articles that a section's listing links, newest first."""
    return sorted((one for one in load(edition) if section in one.listed_in), key=lambda one: one.order, reverse=True)


def page_count(edition: int, section: Section) -> int:
    """Number of pages of a section's listing."""
    return -(-len(listed(edition, section)) // PAGE_SIZE)


@cache
def _by_path(edition: int) -> dict[str, SampleArticle]:
    return {path: article for article in load(edition) for path in (article.path, *article.other_paths)}


def _others(edition: int, article: SampleArticle, count: int = 5) -> list[SampleArticle]:
    """The articles after one in its section's listing; after the last, from the top again."""
    row = listed(edition, article.section)
    start = row.index(article) + 1
    return (row[start:] + row[: start - 1])[:count]


def _html_page(text: str, status: int = 200) -> Page:
    return Page(text.encode("utf-8"), status=status)


def _article_page(path: str, query: str, edition: int, base_url: str) -> Page | None:
    article = _by_path(edition).get(path)
    if article is None:
        return None
    section = next(one for one in sections() if path.startswith(one.path))
    return _html_page(
        _html.frame(
            title=article.title,
            content=_html.article_content(article, _others(edition, article)),
            counters=counters(edition, article.number - 1),
            # Under its second address, the page also shows its own section.
            breadcrumb=[(article.section.path, article.section.name)],
            here=section.path,
            canonical=urljoin(base_url, article.path) if article.other_paths else None,
            printing=parse_qs(query).get("print") == ["1"],
        )
    )


def _listing_page(path: str, edition: int) -> Page | None:
    match = _LISTING_PATH.fullmatch(path)
    section = next((one for one in sections() if match and one.slug == match["slug"]), None)
    if match is None or section is None:
        return None
    number, pages = int(match["page"] or 1), page_count(edition, section)
    if number > pages:
        return None
    if match["page"] == "1":
        return Page(b"", status=301, headers=(("Location", section.path),))
    shown = listed(edition, section)[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    return _html_page(
        _html.frame(
            title=section.name if number == 1 else f"{section.name} - Trang {number}",
            content=_html.listing_content(section, shown, number, pages),
            counters=counters(edition, 52 + 3 * sections().index(section) + number),
            breadcrumb=[(section.path, section.name)],
            here=section.path,
        )
    )


def _plain_pages(path: str, query: str, edition: int) -> Page | None:
    if path == "/":
        content = _html.home_content((section, listed(edition, section)[:4]) for section in sections())
        return _html_page(_html.frame(title="Trang chủ", content=content, counters=counters(edition, 52), here=path))
    if path == "/tu-khoa/":
        tag = parse_qs(query).get("q", [""])[0]
        rows = [one for one in load(edition) if tag in one.tags]
        content = _html.text_content(f"Từ khóa: {tag}") + "\n".join(
            _html.listing_entry(one, one.path, 0) for one in rows
        )
        return _html_page(_html.frame(title=f"Từ khóa: {tag}", content=content, counters=counters(edition, 62)))
    texts = {
        "/gioi-thieu/": (
            "Giới thiệu",
            "Ban Dân vận Tỉnh ủy là cơ quan tham mưu của Tỉnh ủy về công tác dân vận của Đảng ở địa phương.",
            "Đây là cổng mẫu đi kèm danvan-crawler để chạy thử; mọi tin bài đều do nhóm phát triển tự viết.",
        ),
        "/lien-he/": (
            "Liên hệ",
            "Thư góp ý xin gửi về bộ phận tiếp công dân, tầng 1, trong giờ hành chính.",
        ),
        "/quan-tri/": ("Đăng nhập quản trị", "Khu vực dành cho ban biên tập."),
    }
    if path not in texts:
        return None
    heading, *paragraphs = texts[path]
    content = _html.text_content(heading, *paragraphs)
    return _html_page(_html.frame(title=heading, content=content, counters=counters(edition, 63), here=path))


def _photo(path: str, edition: int) -> Page | None:
    match = _PHOTO_PATH.fullmatch(path)
    full = path.replace("/nho/", "/", 1)
    if match is None or not any(image.path == full for one in load(edition) for image in one.images):
        return None
    size = (150, 94) if match["small"] else (480, 300)
    # Two photos of one article must differ too.
    drawing = _media.landscape(int(match["number"]) * 10 + int(match["photo"]), *size)
    return Page(drawing, "image/png", static=True)


def _document(path: str) -> Page | None:
    # Compared decoded, because clients encode different characters; %2F is part of a name here.
    document = next((one for one in attachments().values() if unquote(one.path) == unquote(path)), None)
    if document is None:
        return None
    disposition = f"inline; filename*=UTF-8''{quote(document.name, safe='')}"
    return Page(
        _media.pdf(document.name, document.subject),
        "application/pdf",
        static=True,
        headers=(("Content-Disposition", disposition),),
    )


def _file(path: str, edition: int) -> Page | None:
    if path == "/robots.txt":
        return Page(_ROBOTS.encode(), "text/plain; charset=utf-8", static=True)
    if path == "/favicon.ico":
        return Page(_media.icon(), "image/x-icon", static=True)
    if path == "/giao-dien/style.css":
        sheet = resources.files(__package__).joinpath("content/style.css").read_bytes()
        return Page(sheet, "text/css; charset=utf-8", static=True)
    return _photo(path, edition) or _document(path)


def _not_found(edition: int) -> Page:
    content = _html.text_content(
        "Không tìm thấy trang",
        "Trang bạn tìm không tồn tại hoặc đã được chuyển đi nơi khác. Mời bạn quay lại trang chủ.",
    )
    page = _html.frame(title="Không tìm thấy trang", content=content, counters=counters(edition, 64))
    return _html_page(page, status=404)


def render(path: str, query: str = "", *, edition: int = 1, base_url: str = "http://127.0.0.1/") -> Page:
    """The response to a GET of `path` (as sent, percent-encoded) with `query` (without its question mark).

    `base_url` is the address of the home page, for rel=canonical. Unknown paths give the 404 page.
    """
    page = (
        _article_page(path, query, edition, base_url)
        or _listing_page(path, edition)
        or _plain_pages(path, query, edition)
        or _file(path, edition)
    )
    if page is not None:
        return page
    if not path.endswith("/") and (_listing_page(path + "/", edition) or _plain_pages(path + "/", query, edition)):
        return Page(b"", status=301, headers=(("Location", path + "/"),))
    return _not_found(edition)
