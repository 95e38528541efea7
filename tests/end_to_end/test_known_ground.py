"""Known ground of a walk for news, and the limited effect of one bad night of a page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

FIRST_NIGHT = datetime(2026, 3, 1, 18, 30, tzinfo=UTC)
MENU = "<ul>" + "".join(f"<li><a href='/muc-{n}/'>Chuyên mục số {n} của cổng</a></li>" for n in range(12)) + "</ul>"


@dataclass
class Paper:
    """A portal with sections a, b and c, of three entries a page, crawled night by night."""

    portal: Any
    desk: Any
    answer: Callable[..., bytes]
    night: int = 0
    words: dict[int, str] = field(default_factory=dict)
    """Text of entries after their title, by number."""

    def __post_init__(self) -> None:
        url = self.portal.url
        tables = "".join(f'[[sections]]\nname = "Mục {one}"\nurl = "{url}{one}/"\n' for one in "abc")
        (self.desk.sites / "thu-danvan.toml").write_text(
            f'slug = "thu-danvan"\nname = "Thử"\nfamily = "danvan_portal"\nhome = "{url}"\nprovince = "VN-21"\n'
            f'body = "ban-dan-van"\nprivate_network = true\ndelay = 0\n{tables}',
            encoding="utf-8",
        )
        self.portal.pages["/"] = self.answer("<html><body><p>Trang nhất của cổng</p></body></html>")
        for number, section in enumerate("abc"):
            self.show(section, range(10 * number + 3, 10 * number, -1))

    def article(self, number: int, published: str = "23/05/2017 00:00:00") -> bytes:
        block = f"<div><p>Bài viết số {number} về dân vận khéo</p><p>Đăng lúc: {published} (GMT+7)</p>"
        block += "<p>Sapô của bài viết này.</p><p>Đoạn thứ nhất của bài viết, đủ dài để là một đoạn.</p></div>"
        return self.answer(f"<html><body>{block}</body></html>")

    def show(self, section: str, numbers: Any, *, target: str = "/tin/bai-viet-{}.html", after: str = "") -> None:
        """Lists articles, newest first; `after` is the next page that the last page links."""
        links = []
        for number in numbers:
            self.portal.pages.setdefault(target.format(number), self.article(number))
            title = f"Bài viết số {number} về dân vận khéo{self.words.get(number, '')}"
            links.append(f'<div><a href="{target.format(number)}">{title}</a></div>')
        pages = [links[start : start + 3] for start in range(0, len(links), 3)]
        for number, shown in enumerate(pages, start=1):
            following = f"/{section}/trang-{number + 1}/" if number < len(pages) else after
            further = f'<a href="{following}">Trang sau</a>' if following else ""
            page = f"/{section}/" if number == 1 else f"/{section}/trang-{number}/"
            self.portal.pages[page] = self.answer(f"<html><body>{''.join(shown)}{further}</body></html>")

    def crawl(self, *, after: int = 1, code: int = 0, **instead: Any) -> list[str]:
        """Crawls `after` nights after the last crawl; the requested targets. `instead` are answers of this night."""
        before = {target: self.portal.pages[target] for target in instead}
        self.portal.pages.update(instead)
        self.night += after
        self.desk.environment["DANVAN_CLOCK"] = f"{(FIRST_NIGHT + timedelta(days=self.night)).isoformat()} +"
        self.portal.forget()
        self.desk.danvan("crawl", "thu-danvan", code=code)
        self.portal.pages.update(before)
        return [target for target in self.portal.targets if target not in ("/robots.txt", "/favicon.ico")]

    @property
    def found(self) -> set[int]:
        return {int(item["title"].split()[3]) for item in self.desk.export()}


@pytest.fixture
def paper(new_portal: Callable[..., Any], new_desk: Callable[..., Any], answer: Callable[..., bytes]) -> Paper:
    return Paper(new_portal(), new_desk(), answer)


QUIET_NIGHT = ["/a/", "/b/", "/c/"]


@pytest.mark.parametrize("more", [0, 2, 3, 4])
def test_a_walk_for_news_that_was_cut_short_is_completed_later(paper: Paper, more: int) -> None:
    paper.crawl()
    paper.show("a", [*range(107, 100, -1), 3, 2, 1])
    paper.crawl(code=3, **{"/a/trang-2/": paper.answer(status="500 Internal Server Error")})  # type: ignore[arg-type]
    paper.show("a", [*range(200 + more, 200, -1), *range(107, 100, -1), 3, 2, 1])
    paper.crawl()
    assert paper.found >= {*range(101, 108), *range(201, 201 + more)}
    assert sorted(paper.crawl()) == QUIET_NIGHT


def test_articles_found_in_another_section_are_not_known_ground(paper: Paper) -> None:
    paper.crawl()
    paper.show("a", [122, 121, 120, 3, 2, 1])
    paper.show("c", [122, 121, 120, 131, 130, 23, 22, 21])
    paper.crawl()
    assert paper.found >= {120, 121, 122, 130, 131}
    assert sorted(paper.crawl()) == QUIET_NIGHT


@pytest.mark.parametrize("to", ["/", "/{}/", "/{}/trang-2/"])
def test_later_pages_that_redirect_temporarily_do_not_end_their_sections(paper: Paper, to: str) -> None:
    instead = {}
    for section, first in (("a", 40), ("b", 50)):
        paper.show(section, range(first, first + 6))
        target = f"/{section}/trang-2/"
        away = paper.answer(status="302 Found", headers={"Location": to.format(section)})

        def page(_request: bytes, target: str = target, away: bytes = away) -> bytes:
            return good[target] if paper.portal.arrived.count(target) > 1 else away

        instead[target] = page
    good = {target: paper.portal.pages[target] for target in instead}
    paper.crawl(**instead)  # type: ignore[arg-type]
    assert paper.found >= {*range(40, 46), *range(50, 56)}


@pytest.mark.parametrize("to", ["/a/", "/a/trang-2/"])
def test_pagination_in_a_circle_ends_a_section(paper: Paper, to: str) -> None:
    paper.show("a", range(40, 49), after=to)
    assert len(paper.crawl()) == 3 + 2 + 9 + 6
    assert sorted(paper.crawl()) == QUIET_NIGHT


WARNING = "<br />\n<b>Warning</b>: mysql_connect(): Too many connections in <b>db.php</b> on line <b>12</b>"


@pytest.mark.parametrize("body", ["", WARNING, "circle"])
def test_articles_that_are_blank_for_a_night_are_requested_again(paper: Paper, body: str) -> None:
    paper.crawl()
    paper.show("a", [*range(106, 100, -1), 3, 2, 1])
    targets = [f"/tin/bai-viet-{number}.html" for number in range(101, 107)]
    circle = {target: paper.answer(status="302 Found", headers={"Location": target}) for target in targets}
    paper.crawl(code=3, **(circle if body == "circle" else dict.fromkeys(targets, paper.answer(body))))  # type: ignore[arg-type]
    assert set(paper.crawl()) >= set(targets)
    assert paper.found >= set(range(101, 107))


def test_an_article_missing_from_its_page_is_requested_again_with_each_sweep(paper: Paper) -> None:
    paper.crawl()
    paper.show("a", [101, 3, 2, 1])
    target = "/tin/bai-viet-101.html"
    paper.crawl(**{target: paper.answer(f"<html><body>{MENU}</body></html>")})  # type: ignore[arg-type]
    assert target not in paper.crawl()
    assert target in paper.crawl(after=31)
    assert 101 in paper.found


def test_articles_that_are_still_gone_are_no_problem_of_the_site(paper: Paper) -> None:
    numbers = range(140, 162)
    for number in numbers:
        paper.portal.pages[f"/tin/bai-viet-{number}.html"] = paper.article(number, "01/03/2026 08:00:00")
    paper.show("a", reversed(numbers))
    paper.crawl()
    for number in numbers[:11]:
        paper.portal.pages[f"/tin/bai-viet-{number}.html"] = paper.answer(status="404 Not Found")
    paper.show("a", reversed(numbers[11:]))
    assert len(paper.crawl(after=2)) >= 22  # half of them are missing
    assert "/tin/bai-viet-140.html" in paper.crawl()
    told = paper.desk.danvan("changes", "--since", "2026-01-01", "--kind", "gone").stdout
    assert told.count(" gone ") == 11


def test_a_view_counter_within_a_link_is_no_change_of_the_entry(paper: Paper) -> None:
    for night in range(3):
        paper.words = {number: f" <span>Lượt xem: {10 * night + number}</span>" for number in range(1, 30)}
        for number, section in enumerate("abc"):
            paper.show(section, range(10 * number + 3, 10 * number, -1))
        asked = paper.crawl()
    assert sorted(asked) == QUIET_NIGHT


def test_addresses_with_different_story_numbers_in_sid_are_different_articles(paper: Paper) -> None:
    paper.show("a", range(501, 504), target="/modules.php?name=News&op=viewst&sid={}")
    assert "/modules.php?name=News&op=viewst&sid=502" in paper.crawl()
    assert paper.found >= {501, 502, 503}
