"""Markup of the sample portal's pages, in the text order of the danvan_portal platform.

Every page shows, from top to bottom: header, menu, breadcrumb, the left column with the visit box last, the content,
footer. An article's content comes twice: first its print form, hidden on the screen (title, "Ngày dd/mm/yyyy hh:mm:ss",
lead, body), then the article itself (title, date line, the same lead and body). Functions return strings and do not
depend on the server.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from urllib.parse import quote

from danvan_crawler.sample._content import SampleArticle, SampleImage, Section, sections

SITE_NAME = "Ban Dân vận Tỉnh ủy"
_COUNTER_LABELS = ("Hôm nay", "Hôm qua", "Tuần này", "Tháng này", "Tất cả")
_TRACKING = "?utm_source=cong-mau&utm_medium=danh-sach"
_EXCERPT = 150


def excerpt(text: str, limit: int = _EXCERPT) -> str:
    """The beginning of a text, cut at a word; three dots follow if it was cut."""
    if len(text) <= limit:
        return text
    return text[: limit + 1].rpartition(" ")[0].rstrip(",;:") + "..."


def thumbnail(image: SampleImage) -> str:
    """Path of the thumbnail of a photo."""
    return image.path.replace("/hinh-anh/", "/hinh-anh/nho/")


def address_in(article: SampleArticle, section: Section) -> str:
    """The path of an article in a section's listing: its path in that section, else the canonical one."""
    return next((path for path in article.other_paths if path.startswith(section.path)), article.path)


def _link(path: str, text: str, kind: str = "") -> str:
    attribute = f' class="{kind}"' if kind else ""
    return f'<a href="{escape(path)}"{attribute}>{escape(text)}</a>'


def _visit_box(counters: Sequence[int]) -> str:
    rows = "\n".join(
        f"<dt>{label}</dt>\n<dd>{number}</dd>" for label, number in zip(_COUNTER_LABELS, counters, strict=True)
    )
    return f'<div class="hop truy-cap">\n<h3>Truy cập</h3>\n<dl>\n{rows}\n</dl>\n</div>'


def frame(
    *,
    title: str,
    content: str,
    counters: Sequence[int],
    breadcrumb: Sequence[tuple[str, str]] = (),
    here: str = "",
    canonical: str | None = None,
    printing: bool = False,
) -> str:
    """A complete page with `content`.

    `counters` are the visit box's five numbers, `breadcrumb` pairs of path and name after the home page, `here` is the
    current path in the menu, `canonical` an absolute URL. With `printing`, only the print form is shown, with the same
    markup.
    """
    menu_entries = [("/", "Trang chủ"), ("/gioi-thieu/", "Giới thiệu")]
    menu_entries += [(section.path, section.name) for section in sections()]
    menu_entries.append(("/lien-he/", "Liên hệ"))
    menu = "\n".join(
        f"<li>{_link(path, name, kind='dang-xem' if path == here else '')}</li>" for path, name in menu_entries
    )
    trail = " » ".join(_link(path, name) for path, name in (("/", "Trang chủ"), *breadcrumb))
    shown = ' class="in-an"' if printing else ""
    canonical_link = f'<link rel="canonical" href="{escape(canonical)}">\n' if canonical else ""
    return f"""<!DOCTYPE html>
<html lang="vi">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} - {SITE_NAME}</title>
{canonical_link}<link rel="stylesheet" href="/giao-dien/style.css">
<link rel="icon" href="/favicon.ico">
</head>
<body{shown}>
<div class="khung">
<div class="dau-trang">
<a href="/">{SITE_NAME}</a>
<span>Trọng dân - Gần dân - Hiểu dân - Học dân - Có trách nhiệm với dân</span>
</div>
<div class="trinh-don">
<ul>
{menu}
</ul>
</div>
<div class="duong-dan">{trail}</div>
<div class="than">
<div class="cot-trai">
<div class="hop">
<h3>Liên kết</h3>
<ul>
<li><a href="/gioi-thieu/">Chức năng, nhiệm vụ</a></li>
<li><a href="/lien-he/">Hộp thư góp ý</a></li>
<li><a href="/quan-tri/">Quản trị</a></li>
</ul>
</div>
{_visit_box(counters)}
</div>
<div class="noi-dung">
{content}
</div>
</div>
<div class="chan-trang">
<p>© 2012 {SITE_NAME} (cổng mẫu của danvan-crawler, nội dung hư cấu)</p>
<p>Địa chỉ: Số 12, đường Hoa Ban, phường Trung Tâm</p>
<p>Điện thoại: 0237 000 000 - {_link("/quan-tri/", "Đăng nhập")}</p>
</div>
</div>
</body>
</html>
"""


def _body(article: SampleArticle) -> str:
    parts = []
    for block in article.blocks:
        if isinstance(block, SampleImage):
            caption = f'\n<p class="chu-thich">{escape(block.caption)}</p>' if block.caption else ""
            parts.append(
                f'<div class="anh">\n<img src="{block.path}" width="480" height="300" alt="">{caption}\n</div>'
            )
        else:
            parts.append(f"<p>{escape(block)}</p>")
    if article.author:
        parts.append(f'<p class="tac-gia">Tác giả: {escape(article.author)}</p>')
    if article.source:
        parts.append(f'<p class="nguon">Nguồn: {escape(article.source)}</p>')
    return "\n".join(parts)


def _date_line(line: str | None) -> str:
    return f'<p class="ngay">{escape(line)}</p>\n' if line else ""


def _related_entry(article: SampleArticle) -> str:
    date = f" <span>({article.published_on})</span>" if article.published_on else ""
    return f"<li>{_link(article.path, article.title)}{date}</li>"


def article_content(article: SampleArticle, others: Iterable[SampleArticle]) -> str:
    """The content of an article's page; `others` are listed under it."""
    lead, body = f'<p class="sapo">{escape(article.lead)}</p>', _body(article)
    extras = []
    if article.attachments:
        offers = "\n".join(f"<p>{_link(one.path, one.name)}</p>" for one in article.attachments)
        extras.append(f'<div class="kem">\n<p>Tệp đính kèm:</p>\n{offers}\n</div>')
    if article.tags:
        tags = ", ".join(_link(f"/tu-khoa/?q={quote(tag)}", tag) for tag in article.tags)
        extras.append(f'<p class="tu-khoa">Từ khóa: {tags}</p>')
    extras.append(f'<p class="cong-cu">{_link(f"{article.path}?print=1", "Bản in")}</p>')
    related = "\n".join(_related_entry(other) for other in others)
    heading = "Các tin khác" if article.number % 3 else "Tin liên quan"
    tail = "\n".join(extras)
    return f"""<div id="ban-in" class="ban-in">
<p class="tieu-de-in"><b>{escape(article.title)}</b></p>
{_date_line(article.printed_stamp)}{lead}
{body}
</div>
<div class="bai-viet">
<h1>{escape(article.title)}</h1>
{_date_line(article.published_raw)}{lead}
{body}
{tail}
</div>
<div class="tin-khac">
<h3>{heading}</h3>
<ul>
{related}
</ul>
</div>"""


def listing_entry(article: SampleArticle, path: str, position: int) -> str:
    """One entry of a listing; some link the article with tracking parameters, some link its print form as well."""
    tracked = path + _TRACKING if position % 4 == 2 else path
    date = _date_line(article.published_on)
    printing = f'<p class="cong-cu">{_link(f"{path}?print=1", "Bản in")}</p>\n' if position % 5 == 3 else ""
    picture = ""
    if article.images:
        picture = f'<div class="tin-anh"><a href="{path}"><img src="{thumbnail(article.images[0])}" alt=""></a></div>\n'
    return f"""<div class="tin">
{picture}<div>
<h3>{_link(tracked, article.title)}</h3>
{date}<p class="trich">{escape(excerpt(article.lead))}</p>
{printing}</div>
</div>"""


def page_links(section: Section, page: int, pages: int) -> str:
    """Page numbers and "Trang sau" under a listing; empty if it has only one page."""
    if pages == 1:
        return ""
    numbers = [
        f"<b>{number}</b>" if number == page else _link(page_path(section, number), str(number))
        for number in range(1, pages + 1)
    ]
    if page > 1:
        numbers.insert(0, _link(page_path(section, page - 1), "« Trang trước"))
    if page < pages:
        numbers.append(_link(page_path(section, page + 1), "Trang sau »"))
    row = "\n".join(numbers)
    return f'<div class="phan-trang">\n{row}\n</div>'


def page_path(section: Section, page: int) -> str:
    """Path of a listing's page, counted from 1."""
    return section.path if page == 1 else f"{section.path}trang-{page}/"


def listing_content(section: Section, shown: Iterable[SampleArticle], page: int, pages: int) -> str:
    """The content of one page of a section's listing."""
    entries = "\n".join(
        listing_entry(article, address_in(article, section), position) for position, article in enumerate(shown)
    )
    return f"<h2>{escape(section.name)}</h2>\n{entries}\n{page_links(section, page, pages)}"


def home_content(newest: Iterable[tuple[Section, Iterable[SampleArticle]]]) -> str:
    """The content of the home page: the newest articles of every section."""
    return "\n".join(
        f"<h2>{_link(section.path, section.name)}</h2>\n"
        + "\n".join(
            listing_entry(article, address_in(article, section), position) for position, article in enumerate(shown)
        )
        for section, shown in newest
    )


def text_content(heading: str, *paragraphs: str) -> str:
    """The content of a plain page."""
    return f"<h1>{escape(heading)}</h1>\n" + "\n".join(f"<p>{escape(text)}</p>" for text in paragraphs)
