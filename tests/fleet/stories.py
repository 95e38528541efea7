"""What the portals of the fleet publish: an article with its fate, and how two platforms print it.

Pure functions of an article and a night. Nights are counted from 0; what happens "on day 5" has happened when night 5
comes. Each page also shows what changes with every visit and must not be taken for an edit: counters, a list of what is
read most, a calendar that can be leafed through for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from zoneinfo import ZoneInfo

FIRST_NIGHT = datetime(2026, 3, 1, 1, 30, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
BEFORE_THE_NIGHT = timedelta(hours=17, minutes=30)
"""Articles are published at eight in the morning of the day before their first night."""
A_PAGE = 10
PLACES = ("Hà Trung", "Nga Sơn", "Quảng Xương", "Bá Thước", "Thạch Thành", "Như Xuân", "Hoằng Hóa", "Yên Định")
WEEKDAYS = ("Thứ hai", "Thứ ba", "Thứ tư", "Thứ năm", "Thứ sáu", "Thứ bảy", "Chủ nhật")
DEEDS = (
    "ra quân làm đường",
    "tổng kết mô hình",
    "gặp mặt người có uy tín",
    "thăm hỏi các gia đình",
    "trồng cây đầu xuân",
)


def moment(night: int) -> datetime:
    """When a night's crawl begins."""
    return FIRST_NIGHT + timedelta(days=night)


@dataclass(frozen=True, slots=True)
class Story:
    """One article and what becomes of it; days are None for what does not happen."""

    number: int
    day: int
    section: int = 0
    edited: int | None = None
    """From this day the body says something else."""
    retitled: int | None = None
    """From this day the title, and with it the listing, says something else."""
    gone: int | None = None
    how: str = "404"
    """What is in its place when it is gone: `404`, `410`, `soft` (a page that says so) or `front` (a redirect)."""
    back: int | None = None
    dated: int | None = None
    """The day that it claims to be of, when that is an older one: slipped in behind what is known."""
    pictured: bool = False

    @property
    def published(self) -> datetime:
        day = self.day if self.dated is None else self.dated
        return moment(day) - BEFORE_THE_NIGHT

    def exists(self, night: int) -> bool:
        """Whether its page shows it on this night."""
        away = self.gone is not None and night >= self.gone and (self.back is None or night < self.back)
        return night >= self.day and not away

    def title(self, night: int) -> str:
        place, deed = PLACES[self.number % len(PLACES)], DEEDS[self.number // len(PLACES) % len(DEEDS)]
        changed = " (bổ sung)" if self.retitled is not None and night >= self.retitled else ""
        return f"Huyện {place} {deed}, đợt {self.number}{changed}"

    def paragraphs(self, night: int) -> list[str]:
        changed = "đã sửa số liệu" if self.edited is not None and night >= self.edited else "có nhiều đổi mới"
        return [
            f"Ngày làm việc thứ {self.number}, cán bộ dân vận các xã đã về từng thôn để nghe ý kiến của người dân.",
            f"Theo báo cáo, phong trào số {self.number} {changed}, được bà con hưởng ứng và tham gia đông đủ.",
            "Kết luận buổi làm việc, lãnh đạo huyện đề nghị các địa phương tiếp tục làm tốt công tác dân vận khéo.",
        ]


def calendar(month: int) -> str:
    """A calendar with a month after every month."""
    days = "".join(f'<a href="/lich/{month}/{day}.html">{day}</a> ' for day in range(1, 29))
    return f'<div class="lich">{days}<a href="/lich/{month + 1}/">Tháng sau</a></div>'


def _counters(visitor: int) -> str:
    rows = zip(("Hôm nay", "Hôm qua", "Tuần này", "Tháng này", "Tất cả"), (3, 70, 300, 900, 92000), strict=True)
    shown = "".join(f"<dt>{label}</dt>\n<dd>{number + visitor}</dd>\n" for label, number in rows)
    return f'<div class="hop truy-cap">\n<h3>Truy cập</h3>\n<dl>\n{shown}</dl>\n</div>'


@dataclass(frozen=True, slots=True)
class Danvan:
    """The markup of family danvan_portal: an article stands twice on its page, its print form first."""

    name = "danvan_portal"

    def section_path(self, section: str) -> str:
        return f"/tin-tuc/{section}/"

    def page_path(self, section: str, page: int) -> str:
        return self.section_path(section) if page == 1 else f"{self.section_path(section)}trang-{page}/"

    def path(self, section: str, story: Story) -> str:
        return f"{self.section_path(section)}bai-viet-so-{story.number}.html"

    def page(self, content: str, visitor: int) -> str:
        most_read = PLACES[visitor % len(PLACES)]
        return (
            '<html><head><meta charset="utf-8"><title>Ban Dân vận</title><link rel="stylesheet" href="/skin/style.css">'
            '</head><body><div class="dau-trang"><a href="/">Trang chủ</a></div><div class="cot-trai">'
            f'{calendar(3)}<div class="xem-nhieu"><p>Xem nhiều: {most_read}</p></div>{_counters(visitor)}</div>'
            f'<div class="noi-dung">{content}</div></body></html>'
        )

    def story(self, section: str, story: Story, night: int, visitor: int, *, redesigned: bool = False) -> str:
        body = "".join(f"<p>{escape(text)}</p>\n" for text in story.paragraphs(night))
        title = escape(story.title(night))
        if redesigned:  # printed once, and without a date: nothing says any more where the article begins
            return self.page(f"<div>{title}</div><div>{body.replace('<p>', '').replace('</p>', '')}</div>", visitor)
        photo = f'<div><img src="/anh/{story.number}.png" alt=""></div>' if story.pictured else ""
        stamp = f"{story.published:%d/%m/%Y %H:%M:%S}"
        blocks = [f"Ngày {stamp}", f"Đăng lúc: {stamp} (GMT+7)"]
        shown = "".join(
            f"<div><p>{title}</p>\n<p>{line}</p>\n<p>Sapô của bài số {story.number}.</p>\n{body}{photo}"
            "<p>Tác giả: Hồng Vân</p></div>\n"
            for line in blocks
        )
        return self.page(shown, visitor)

    def listing(self, rows: Sequence[tuple[str, Story]], following: str | None, night: int, visitor: int) -> str:
        entries = "".join(
            f'<div class="tin"><h3><a href="{escape(target)}">{escape(story.title(night))}</a></h3>'
            f'<p class="ngay">{story.published:%d/%m/%Y}</p></div>\n'
            for target, story in rows
        )
        more = f'<div class="phan-trang"><a href="{following}">Trang sau</a></div>' if following else ""
        return self.page(entries + more, visitor)


@dataclass(frozen=True, slots=True)
class Nukeviet:
    """The markup of family nukeviet. Pages are the same for every visitor, so they can carry an ETag."""

    name = "nukeviet"

    def section_path(self, section: str) -> str:
        return f"/{section}/"

    def page_path(self, section: str, page: int) -> str:
        return self.section_path(section) if page == 1 else f"{self.section_path(section)}page-{page}/"

    def path(self, section: str, story: Story) -> str:
        return f"{self.section_path(section)}bai-viet-so-{story.number}.html"

    def page(self, content: str, visitor: int) -> str:
        return (
            '<html><head><meta charset="utf-8"><link rel="stylesheet" href="/skin/style.css"></head>'
            f'<body><div class="main">{content}</div></body></html>'
        )

    def story(self, section: str, story: Story, night: int, visitor: int, *, redesigned: bool = False) -> str:
        path, title = self.section_path(section), escape(story.title(night))
        body = "".join(f"<p>{escape(text)}</p>" for text in story.paragraphs(night))
        if redesigned:
            return self.page(f"<div>{title}</div><div>{body}</div>", visitor)
        photo = f'<img src="/anh/{story.number}.png" alt="">' if story.pictured else ""
        weekday = WEEKDAYS[story.published.weekday()]
        crumbs = f'<ul class="breadcrumbs"><li><a href="/">Trang nhất</a><li><a href="{path}">Mục {section}</a></ul>'
        return self.page(
            f'{crumbs}<div class="news_column"><h1 class="title">{title}</h1><span class="h5">{weekday} - '
            f'{story.published:%d/%m/%Y %H:%M}</span><div class="hometext">Tin ngắn số {story.number}.</div>'
            f'<div id="news-bodyhtml" class="bodytext">{body}{photo}</div></div>',
            visitor,
        )

    def listing(self, rows: Sequence[tuple[str, Story]], following: str | None, night: int, visitor: int) -> str:
        entries = "".join(
            f'<div class="panel-body"><h3><a href="{escape(target)}">{escape(story.title(night))}</a></h3>'
            f'<div class="text-muted">{story.published:%d/%m/%Y %H:%M}:00</div></div>'
            for target, story in rows
        )
        more = f'<ul class="pagination"><li><a rel="next" href="{following}">&raquo;</a></li></ul>' if following else ""
        return self.page(f'<div class="news_column">{entries}</div>{more}', visitor)


Platform = Danvan | Nukeviet
