"""A portal in the danvan_portal layout, as large as wanted: the same numbers give the same bytes.

Pages are what such portals send: 30 to 60 KB each, of which the article is the smaller part. Around it stand a menu,
the visit box, boxes of newest and most read articles with thumbnails, links to other sites, a WebForms state field; the
article comes twice, first as its print form and then with "Đăng lúc: … (GMT+7)".

Every link that stays on the host leads to an article, a listing or a picture that exists, so that a tool that follows
all links and one that knows the layout fetch the same pages. Nothing here imports the library: what it is measured with
does not change when it does.
"""

from __future__ import annotations

import base64
import random
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import words

SECTIONS = {
    "su-kien": "Tin tức - Sự kiện",
    "dan-van-kheo": "Dân vận khéo",
    "co-so": "Từ cơ sở",
    "trao-doi": "Nghiên cứu - Trao đổi",
}
PICTURES = 40
_SMALLEST, _USUAL, _LARGEST = 31_000, 38_000, 57_000
"""Bytes that a page is filled up to; the last paragraph, which comes twice, goes up to 3 KB over it."""
_FIRST_DAY = datetime(2006, 1, 2, 7, 30)
_BOX = 8
_STYLE = "text-align: justify; margin-top: 6px; margin-bottom: 6px; line-height: 150%"


@dataclass(frozen=True, slots=True)
class Story:
    """An article as a right reading of its page gives it."""

    number: int
    path: str
    section: str
    title: str
    lead: str
    paragraphs: tuple[str, ...]
    """Photo captions among them, as the page prints them."""
    published: datetime
    """Local time of the portal, GMT+7."""
    author: str
    tags: tuple[str, ...]
    photo: str

    @property
    def published_raw(self) -> str:
        return f"Đăng lúc: {self.published:%d/%m/%Y %H:%M:%S} (GMT+7)"


@dataclass(frozen=True, slots=True)
class Portal:
    """`pages` articles and `listings` listing pages, spread evenly over the four sections."""

    pages: int
    listings: int

    def __post_init__(self) -> None:
        if self.listings < len(SECTIONS) or self.listings % len(SECTIONS) or self.pages < self.listings:
            raise ValueError(
                f"{self.pages} articles in {self.listings} listings: the listings must be a multiple of "
                f"{len(SECTIONS)}, and no more than the articles"
            )

    @property
    def listings_a_section(self) -> int:
        return self.listings // len(SECTIONS)

    def title(self, number: int) -> str:
        return _title(number)

    def path(self, number: int) -> str:
        """Address of an article, from 0."""
        section = list(SECTIONS)[number % len(SECTIONS)]
        return f"/tin-tuc/{section}/bai-viet-ve-cong-tac-dan-van-so-{number}.html"

    def published(self, number: int) -> datetime:
        """Newest first by number, every few hours another."""
        return _FIRST_DAY + timedelta(hours=5, minutes=37, seconds=11) * (self.pages - number)

    def listed(self, section: str, page: int) -> range:
        """Numbers of the articles on a listing page, from 1: every fourth article is of one section."""
        row = range(list(SECTIONS).index(section), self.pages, len(SECTIONS))
        size = -(-len(row) // self.listings_a_section)
        return row[(page - 1) * size : page * size]

    def article(self, number: int) -> tuple[Story, bytes]:
        """An article and its page, which is filled with paragraphs up to the size drawn for it."""
        chance = random.Random(f"article {number}")
        target = int(chance.triangular(_SMALLEST, _LARGEST, _USUAL))
        section = list(SECTIONS)[number % len(SECTIONS)]
        photo = f"/hinh-anh/anh-{chance.randrange(PICTURES)}.png"
        lead = words.sentence(chance, chance.randint(30, 50))
        tags = tuple(dict.fromkeys(chance.choices(words.PHRASES, k=2)))
        paragraphs = [words.paragraph(chance), f"Ảnh: Toàn cảnh {words.sentence(chance, 8).lower()}"]
        head, foot = self._frame(number, chance)
        story = Story(
            number, self.path(number), SECTIONS[section], self.title(number), lead, (),
            self.published(number), f"Nguyễn Văn {chance.choice('ABCDEGHK')}", tags, photo,
        )  # fmt: skip
        body = _body(paragraphs, photo)
        size = len(f"{head}{self._content(story, '')}{foot}".encode())
        while size + 2 * len(body.encode()) < target:
            paragraphs.append(words.paragraph(chance))
            body = _body(paragraphs, photo)
        return replace(story, paragraphs=tuple(paragraphs)), f"{head}{self._content(story, body)}{foot}".encode()

    def _content(self, story: Story, body: str) -> str:
        printed = f"<p class='ngay'>Ngày {story.published:%d/%m/%Y %H:%M:%S}</p>"
        tags = ", ".join(
            f'<a rel="tag" href="http://tu-khoa.example.vn/?tag={at}">{tag}</a>' for at, tag in enumerate(story.tags)
        )
        others = "\n".join(
            f'<li><a href="{self.path(other)}">{self.title(other)}</a> '
            f"<span>({self.published(other):%d/%m/%Y})</span></li>"
            for other in self._others(story.number, 10, 1)
        )
        return f"""<div class="duong-dan"><a href="http://cong.example.vn/">Trang chủ</a> » <a \
href="/tin-tuc/{story.path.split("/")[2]}/">{story.section}</a></div>
<div id="ban-in" style="display: none"><p><b>{story.title}</b></p>
{printed}
<p class="sapo"><b>{story.lead}</b></p>
{body}</div>
<div class="bai-viet"><h1>{story.title}</h1>
<p class="ngay">{story.published_raw}</p>
<p class="sapo"><b>{story.lead}</b></p>
{body}
<p class="tac-gia">Tác giả: {story.author}</p>
<p class="tu-khoa">Từ khóa: {tags}</p></div>
<div class="tin-khac"><h3>Các tin khác</h3><ul>
{others}
</ul></div>
"""

    def _others(self, number: int, count: int, stride: int) -> list[int]:
        return [(number + stride * step) % self.pages for step in range(1, min(count, self.pages - 1) + 1)]

    def _frame(self, number: int, chance: random.Random) -> tuple[str, str]:
        """What stands before and after the content of a page. `number` decides what its boxes show."""
        menu = "".join(
            f'<li class="muc cap-{1 + (page > 1)}"><a href="{listing_path(section, page)}" title="{name}"><span>{name}'
            f"{f', trang {page}' if page > 1 else ''}</span></a></li>\n"
            for section, name in SECTIONS.items()
            for page in range(1, self.listings_a_section + 1)
        )
        links = "".join(
            f'<option value="http://huyen-{at}.example.vn/">Cổng thông tin điện tử huyện số {at}</option>\n'
            for at in range(20)
        )
        counters = (1 + number % 90, 70, 71 + number % 90, 900 + number, 92232 + number)
        labels = ("Hôm nay", "Hôm qua", "Tuần này", "Tháng này", "Tất cả")
        visits = "".join(
            f"<tr><td>{label}</td><td>{count}</td></tr>" for label, count in zip(labels, counters, strict=True)
        )
        state = base64.b64encode(chance.randbytes(1500)).decode()
        head = f"""<!DOCTYPE html>
<html lang="vi"><head><meta charset="utf-8"><title>Ban Dân vận Tỉnh ủy</title>
<style>{_SKIN}</style>
<script>{_SCRIPT}</script></head>
<body><form method="post" action="javascript:void(0)"><input type="hidden" name="__VIEWSTATE" value="{state}">
<div class="dau-trang"><img src="/hinh-anh/anh-0.png" width="980" height="120" alt=""></div>
<ul class="menu">
{menu}</ul>
<div class="cot-trai"><div class="hop"><h3>Liên kết</h3><select>
{links}</select></div>
<div class="hop truy-cap"><h3>Truy cập</h3><table>{visits}</table></div></div>
<div class="noi-dung">
"""
        foot = f"""</div>
<div class="cot-phai">{self._box("Tin mới nhất", "tin-moi", number, 37)}
{self._box("Đọc nhiều", "doc-nhieu", number, 101)}</div>
<div class="chan-trang"><p>© 2012 Ban Dân vận Tỉnh ủy</p><p>Địa chỉ: Số 12, đường Hoa Ban</p>
<p><a href="#">Về đầu trang</a></p></div>
</form></body></html>
"""
        return head, foot

    def _box(self, heading: str, kind: str, number: int, stride: int) -> str:
        entries = "".join(
            f'<div class="muc-nho"><a href="{self.path(other)}"><img src="/hinh-anh/anh-{other % PICTURES}.png" '
            f'width="60" height="40" alt=""></a> <a href="{self.path(other)}" class="lien-ket-nho">'
            f"{self.title(other)}</a></div>\n"
            for other in self._others(number, _BOX, stride)
        )
        return f'<div class="hop {kind}"><h3>{heading}</h3>\n{entries}</div>\n'

    def listing(self, section: str, page: int) -> bytes:
        """A listing page: headline, day and the beginning of the lead of its articles, then the page numbers."""
        number = 1000 * list(SECTIONS).index(section) + page
        head, foot = self._frame(number, random.Random(f"listing {section} {page}"))
        entries = "".join(
            f'<div class="tin"><h3><a href="{self.path(at)}">{self.title(at)}</a></h3>\n'
            f'<p class="ngay">{self.published(at):%d/%m/%Y}</p></div>\n'
            for at in self.listed(section, page)
        )
        numbers = "\n".join(
            f"<b>{at}</b>" if at == page else f'<a href="{listing_path(section, at)}">{at}</a>'
            for at in range(1, self.listings_a_section + 1)
        )
        content = f'<h2>{SECTIONS[section]}</h2>\n{entries}<div class="phan-trang">\n{numbers}\n</div>\n'
        return f"{head}{content}{foot}".encode()

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Everything that the server serves: path relative to its root, and bytes."""
        yield "robots.txt", b"User-agent: *\nDisallow: /quan-tri/\n"
        for number in range(PICTURES):
            yield f"hinh-anh/anh-{number}.png", picture(number)
        for section in SECTIONS:
            for page in range(1, self.listings_a_section + 1):
                yield f"{listing_path(section, page)[1:]}index.html", self.listing(section, page)
        for number in range(self.pages):
            story, page_bytes = self.article(number)
            yield story.path[1:], page_bytes

    def write(self, folder: Path) -> None:
        """Writes the files under `folder`."""
        for name, content in self.files():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def listing_path(section: str, page: int) -> str:
    """Address of a listing page, from 1."""
    return f"/tin-tuc/{section}/" if page == 1 else f"/tin-tuc/{section}/trang-{page}/"


def profile(slug: str, port: int, connections: int = 16) -> str:
    """The site profile (TOML) of the portal served on a port of the loopback."""
    home = f"http://127.0.0.1:{port}"
    sections = "".join(
        f'\n[[sections]]\nname = "{name}"\nurl = "{home}{listing_path(section, 1)}"\n'
        for section, name in SECTIONS.items()
    )
    return f"""slug = "{slug}"
name = "Cổng đo tốc độ"
family = "danvan_portal"
home = "{home}/"
province = "VN-21"
body = "ban-dan-van"
private_network = true
delay = 0.0
connections = {connections}
{sections}"""


@cache
def _title(number: int) -> str:
    return f"{words.headline(random.Random(f'title {number}'))} lần thứ {number + 1}"


def _body(paragraphs: list[str], photo: str) -> str:
    printed = [f'<p style="{_STYLE}"><span style="font-size: 12pt">{paragraph}</span></p>' for paragraph in paragraphs]
    printed.insert(1, f'<p style="text-align: center"><img src="{photo}" width="480" height="320" alt=""></p>')
    return "\n".join(printed)


def picture(number: int) -> bytes:
    """A PNG of 64 by 48 random pixels, 9 KB: what cannot be compressed is the same bytes with every zlib."""
    width, height = 64, 48
    pixels = random.Random(f"picture {number}").randbytes(3 * width * height)
    rows = b"".join(b"\0" + pixels[at : at + 3 * width] for at in range(0, len(pixels), 3 * width))
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows, 0)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


_SKIN = "\n".join(
    f".hop-{at} {{ float: left; width: {100 + at}px; margin: 0 {at}px 6px 0; padding: 4px; "
    f"border: 1px solid #c{at:02d}; background: #fffbe8 url() no-repeat; font: bold 12px/18px Arial, sans-serif }}"
    for at in range(6)
)
_SCRIPT = "\n".join(
    f"function hien_thi_{at}(so) {{ var o = document.getElementById('o-' + so); if (o) {{ o.style.display = "
    f"o.style.display == 'none' ? 'block' : 'none'; }} return {at}; }}"
    for at in range(6)
)
