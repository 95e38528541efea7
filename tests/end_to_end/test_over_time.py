"""Nights of crawling by a clock that the test sets: the requests of each night, and the reported changes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

NIGHT_BEFORE = datetime(2026, 2, 28, 18, 30, tzinfo=UTC)
SECTION = "/tin-tuc/dan-van-kheo/"


def story(title: str, published: str, text: str = "Đoạn thứ hai của bài viết, đủ dài để là một đoạn.") -> str:
    block = f"<p>{{}}</p><p>Sapô của bài viết này.</p><p>Đoạn thứ nhất của bài viết.</p><p>{text}</p>"
    print_form, shown = block.format(f"Ngày {published}"), block.format(f"Đăng lúc: {published} (GMT+7)")
    return f"<html><body><div><p>{title}</p>{print_form}</div><div><p>{title}</p>{shown}</div></body></html>"


@dataclass
class Nights:
    """A portal with one section, and a desk whose clock goes from night to night."""

    portal: Any
    desk: Any
    answer: Callable[..., bytes]
    a_page: int = 10
    views: bool = False
    """Whether entries show their date and how often they were read."""

    def __post_init__(self) -> None:
        self.night = 0
        self.articles: dict[str, str] = {}
        self._pages_shown = 0

    def publish(self, number: int, published: str, **changed: str) -> str:
        target = f"/tin-tuc/dan-van-kheo/bai-viet-{number}.html"
        self.articles[target] = f"Bài viết số {number} về dân vận khéo"
        self.portal.pages[target] = self.answer(story(self.articles[target], published, **changed))
        return target

    def hide(self, target: str) -> None:
        """Takes an article off the listing; its page stays as it is."""
        self.articles.pop(target)

    def _list(self) -> None:
        shown = f"<p>23/05/2017 | Lượt xem: {100 + self.night}</p>" if self.views else ""
        links = [
            f'<div><a href="{target}">{title}</a>{shown}</div>' for target, title in reversed(self.articles.items())
        ]
        pages = [links[start : start + self.a_page] for start in range(0, len(links), self.a_page)] or [[]]
        for number, listed in enumerate(pages, start=1):
            following = f'<a href="{SECTION}trang-{number + 1}/">Trang sau</a>' if number < len(pages) else ""
            target = SECTION if number == 1 else f"{SECTION}trang-{number}/"
            self.portal.pages[target] = self.answer(f"<html><body>{''.join(listed)}{following}</body></html>")

    def crawl(self, *options: str, after: int = 1, code: int = 0, **instead: bytes) -> list[str]:
        """Crawls `after` nights after the last crawl; the requested targets without robots.txt and the icon.

        `instead` are answers of this night alone, by target.
        """
        self._list()
        before = {target: self.portal.pages[target] for target in instead}
        self.portal.pages.update(instead)
        self.night += after
        self.desk.environment["DANVAN_CLOCK"] = f"{(NIGHT_BEFORE + timedelta(days=self.night)).isoformat()} +"
        self.portal.forget()
        self.desk.crawl(*options, code=code)
        self.portal.pages.update(before)
        return [target for target in self.portal.targets if target not in ("/robots.txt", "/favicon.ico")]

    def changes(self) -> list[tuple[str, str]]:
        """(kind, target) of all recorded changes, in order."""
        said = self.desk.danvan("changes", "--since", "2026-01-01", "--json").stdout.splitlines()
        return [(one["kind"], re.sub(r"^https?://[^/]+", "", one["url"])) for one in map(json.loads, said)]


@pytest.fixture
def nights(new_portal: Callable[..., Any], new_desk: Callable[..., Any], answer: Callable[..., bytes]) -> Nights:
    portal = new_portal()
    return Nights(portal, new_desk(portal, only="dan-van-kheo"), answer)


@pytest.mark.parametrize(
    "steps", [[*[1] * 9, 21, 1, 9], pytest.param([1] * 40, marks=pytest.mark.soak)], ids=["some nights", "all nights"]
)
def test_an_article_is_visited_1_3_7_30_and_180_days_after_publication(nights: Nights, steps: list[int]) -> None:
    target = nights.publish(1, "01/03/2026 08:00:00")
    visited = [nights.night for step in steps if target in nights.crawl(after=step)]
    assert visited == [1, 2, 4, 8, 31]
    assert target in nights.crawl(after=141)
    assert nights.crawl(after=1) == [SECTION]
    assert nights.changes() == [("new", target)]


def test_an_old_article_is_visited_once_a_year_and_its_removal_is_noticed(nights: Nights) -> None:
    target = nights.publish(1, "23/05/2017 00:00:00")
    nights.publish(2, "01/03/2026 08:00:00")
    nights.crawl()
    assert [target in nights.crawl(after=days) for days in (1, 3, 7, 354)] == [False, False, False, True]
    nights.hide(target)
    nights.portal.pages[target] = nights.answer(status="404 Not Found")
    nights.desk.environment["DANVAN_REVISIT_EVERY"] = "30"
    assert [target in nights.crawl(after=days) for days in (30, 1)] == [True, True]
    assert ("gone", target) in nights.changes()


def test_an_edit_is_a_revision_and_is_reported_with_the_changed_words(nights: Nights) -> None:
    target = nights.publish(1, "01/03/2026 08:00:00")
    nights.crawl()
    nights.publish(1, "01/03/2026 08:00:00", text="Đoạn thứ hai của bài báo, đủ dài để là một đoạn.")
    nights.crawl()
    assert nights.changes() == [("new", target), ("edited", target)]
    said = nights.desk.danvan("changes", "--since", "2026-01-01", "--kind", "edited").stdout
    assert "body: Đoạn thứ hai của bài [-viết,-] {+báo,+} đủ dài" in said
    assert [item["revision"] for item in nights.desk.export()] == [2]
    all_days = nights.desk.danvan("changes", "--since", "0001-01-01", "--until", "9999-12-31", "--kind", "edited")
    assert all_days.stdout == said


@pytest.mark.parametrize("how", ["404", "410", "soft", "front"])
def test_an_article_is_gone_after_two_failed_visits_a_day_apart(
    nights: Nights, answer: Callable[..., bytes], how: str
) -> None:
    target = nights.publish(1, "01/03/2026 08:00:00")
    stays = nights.publish(2, "01/03/2026 08:00:00")
    nights.crawl()
    nights.portal.pages["/"] = answer("<html><body><p>Trang nhất của cổng</p></body></html>")
    nights.portal.pages[target] = {
        "404": answer("<p>Lỗi</p>", status="404 Not Found"),
        "410": answer("<p>Lỗi</p>", status="410 Gone"),
        "soft": answer("<html><title>Thông báo</title><h2>Bài viết không tồn tại hoặc đã bị xóa</h2></html>"),
        "front": answer(status="302 Found", headers={"Location": "/"}),
    }[how]
    nights.hide(target)
    nights.crawl()
    assert [item["gone_at"] for item in nights.desk.export()] == [None, None]
    nights.crawl()
    gone = {item["canonical_url"].rsplit("/", 1)[1]: item["gone_at"] for item in nights.desk.export()}
    assert gone[stays.rsplit("/", 1)[1]] is None
    assert str(gone[target.rsplit("/", 1)[1]]).startswith("2026-03-03T18:30:")
    assert ("gone", target) in nights.changes()
    before = nights.desk.export()
    nights.desk.check_rebuild()
    assert nights.desk.export() == before


def test_an_article_that_comes_back_is_revived(nights: Nights, answer: Callable[..., bytes]) -> None:
    target = nights.publish(1, "01/03/2026 08:00:00")
    page = nights.portal.pages[target]
    nights.crawl()
    nights.portal.pages[target] = answer(status="404 Not Found")
    for _ in range(2):
        nights.crawl()
    assert nights.desk.export()[0]["gone_at"] is not None
    nights.portal.pages[target] = page
    for _ in range(3):
        nights.crawl()
    assert nights.desk.export()[0]["gone_at"] is None
    assert nights.changes() == [("new", target), ("gone", target), ("revived", target)]
    before = nights.desk.export()
    nights.desk.check_rebuild()
    assert nights.desk.export() == before


@pytest.mark.parametrize("notice", ["maintenance", "login"])
def test_a_new_article_hidden_by_a_notice_is_requested_again(
    nights: Nights, answer: Callable[..., bytes], notice: str
) -> None:
    target = nights.publish(1, "01/03/2026 08:00:00")
    page = nights.portal.pages[target]
    login = '<title>Đăng nhập</title><form><input name="u"><input type="password" name="p">Đăng nhập</form>'
    nights.portal.pages["/dang-nhap"] = answer(login)
    nights.portal.pages[target] = {
        "maintenance": answer("<h1>Hệ thống đang bảo trì, mời quý vị quay lại sau</h1>"),
        "login": answer(status="302 Found", headers={"Location": "/dang-nhap"}),
    }[notice]
    nights.crawl()
    state = nights.desk.rows("select link_key, state, due_at from frontier order by 1")
    nights.desk.check_rebuild()
    rebuilt = nights.desk.rows("select link_key, state, due_at from frontier order by 1")
    assert [row[:2] for row in rebuilt] == [row[:2] for row in state]
    nights.portal.pages[target] = page
    assert target in nights.crawl()
    assert nights.changes() == [("new", target)]


def test_a_short_outage_makes_nothing_gone(nights: Nights, answer: Callable[..., bytes]) -> None:
    target = nights.publish(1, "01/03/2026 08:00:00")
    page = nights.portal.pages[target]
    nights.crawl()
    nights.portal.pages[target] = answer(status="503 Service Unavailable")
    nights.crawl()
    nights.portal.pages[target] = page
    assert target in nights.crawl()
    assert nights.changes() == [("new", target)]


def test_a_night_without_news_costs_one_page_and_one_with_news_one_more_at_most(nights: Nights) -> None:
    for number in range(35):
        nights.publish(number, "23/05/2017 00:00:00")
    assert len(nights.crawl()) == 35 + 4
    assert nights.crawl() == [SECTION]
    new = nights.publish(99, "23/05/2017 00:00:00")
    assert sorted(nights.crawl()) == sorted([SECTION, f"{SECTION}trang-2/", new])


def test_an_article_inserted_on_a_known_later_page_is_found_by_the_sweep(nights: Nights) -> None:
    for number in range(35):
        nights.publish(number, "23/05/2017 00:00:00")
    nights.crawl()
    slipped = nights.publish(99, "20/05/2017 00:00:00")
    nights.articles = {slipped: nights.articles.pop(slipped), **nights.articles}  # the last of the last page
    nights.desk.environment["DANVAN_REVISIT_EVERY"] = "0"
    assert nights.crawl(after=20) == [SECTION]
    assert {slipped, SECTION} < set(swept := nights.crawl(after=15))
    assert len(swept) == 4 + 1
    assert nights.crawl() == [SECTION]


def test_a_walk_that_was_cut_short_continues_at_its_page(nights: Nights) -> None:
    for number in range(35):
        nights.publish(number, "23/05/2017 00:00:00")
    nights.crawl("--max-pages", "12")
    asked = nights.crawl(after=0)
    assert SECTION not in asked
    assert len(nights.desk.export()) == 35
    assert len(asked) == len(set(asked)) == 4 + 35 - 12
    new = nights.publish(99, "23/05/2017 00:00:00")
    assert sorted(nights.crawl()) == sorted([SECTION, f"{SECTION}trang-2/", new])


def test_news_are_fetched_before_the_rest_of_an_old_walk(nights: Nights) -> None:
    for number in range(35):
        nights.publish(number, "23/05/2017 00:00:00")
    nights.crawl("--max-pages", "12")
    new = nights.publish(99, "23/05/2017 00:00:00")
    asked = nights.crawl(after=1)
    assert asked.index(SECTION) < asked.index(new) < asked.index(f"{SECTION}trang-3/")
    assert len(nights.desk.export()) == 36


def test_articles_hidden_by_a_login_for_a_night_are_all_requested_again(
    nights: Nights, answer: Callable[..., bytes]
) -> None:
    targets = [nights.publish(number, "01/03/2026 08:00:00") for number in range(3)]
    pages = dict(nights.portal.pages)
    nights.portal.pages["/dang-nhap"] = answer('<title>Đăng nhập</title><input type="password"><p>Đăng nhập</p>')
    for target in targets:
        nights.portal.pages[target] = answer(status="302 Found", headers={"Location": "/dang-nhap"})
    nights.crawl()
    nights.portal.pages.update(pages)
    assert set(targets) <= set(nights.crawl())
    items = nights.desk.export()
    assert len(items) == 3
    nights.desk.check_rebuild()
    assert nights.desk.export() == items


def test_articles_that_redirect_to_one_error_page_are_gone_in_the_same_night(
    nights: Nights, answer: Callable[..., bytes]
) -> None:
    targets = [nights.publish(number, "01/03/2026 08:00:00") for number in range(4)]
    nights.crawl()
    nights.portal.pages["/loi.html"] = answer("<html><title>Lỗi 404</title><h1>Không tìm thấy trang</h1></html>")
    for target in targets[:3]:
        nights.portal.pages[target] = answer(status="302 Found", headers={"Location": "/loi.html"})
        nights.hide(target)
    nights.crawl()
    nights.crawl()
    gone = [(item["url"].endswith(targets[3]), item["gone_at"] is None) for item in nights.desk.export()]
    assert sorted(gone) == [(False, False)] * 3 + [(True, True)]
    items = nights.desk.export()
    nights.desk.check_rebuild()
    assert nights.desk.export() == items


def test_an_article_listed_before_its_publication_is_requested_again(
    nights: Nights, answer: Callable[..., bytes]
) -> None:
    target = nights.publish(1, "01/03/2026 08:00:00")
    page = nights.portal.pages[target]
    nights.portal.pages[target] = answer("<html><title>Thông báo</title><h2>Bài viết không tồn tại</h2></html>")
    nights.crawl()
    nights.portal.pages[target] = page
    assert target in nights.crawl()
    assert nights.changes() == [("new", target)]


def test_no_article_is_gone_while_the_whole_portal_is_unavailable(nights: Nights, answer: Callable[..., bytes]) -> None:
    target = nights.publish(1, "01/03/2026 08:00:00")
    nights.crawl()
    nights.desk.environment["DANVAN_REVISIT_DAYS"] = "1,2,3,4,5,6,7"
    lost = answer("<h1>404</h1>", status="404 Not Found")
    for _ in range(3):
        nights.crawl(code=3, **{SECTION: lost, target: lost})  # type: ignore[arg-type]
    items = nights.desk.export()
    assert [item["gone_at"] for item in items] == [None]
    nights.crawl(after=3)
    assert nights.changes() == [("new", target)]


def test_a_view_counter_beside_the_date_of_an_entry_is_no_change_of_it(nights: Nights) -> None:
    nights.publish(1, "23/05/2017 00:00:00")
    nights.views = True
    nights.crawl()
    assert nights.crawl() == nights.crawl() == [SECTION]


def test_a_gone_article_that_is_listed_again_is_requested(nights: Nights, answer: Callable[..., bytes]) -> None:
    target, other = nights.publish(1, "01/03/2026 08:00:00"), nights.publish(2, "23/05/2017 00:00:00")
    nights.crawl()
    page, title = nights.portal.pages[target], nights.articles[target]
    nights.portal.pages[target] = answer(status="404 Not Found")
    nights.hide(target)
    for _ in range(4):
        nights.crawl()
    nights.portal.pages[target] = page
    nights.articles[target] = title
    assert target in nights.crawl(after=40)
    assert nights.changes() == [("new", other), ("new", target), ("gone", target), ("revived", target)]


def test_an_abandoned_article_is_requested_again_with_each_full_walk(
    nights: Nights, answer: Callable[..., bytes]
) -> None:
    target = nights.publish(1, "23/05/2017 00:00:00")
    nights.publish(2, "23/05/2017 00:00:00")
    page = nights.portal.pages[target]
    nights.portal.pages[target] = answer(status="500 Internal Server Error")
    asked = [target in nights.crawl() for _ in range(11)]
    assert sum(asked) == 5
    assert not asked[-1]
    nights.portal.pages[target] = page
    assert target in nights.crawl(after=31)


def test_after_a_move_known_articles_are_visited_at_the_new_host(nights: Nights) -> None:
    target = nights.publish(1, "01/03/2026 08:00:00")
    nights.crawl()
    url = f"http://localhost:{nights.portal.port}/"
    nights.desk.profile(url, only="dan-van-kheo", aliases='["127.0.0.1"]')
    assert target in nights.crawl()
    hosts = {
        line for one in nights.portal.exchanges for line in one.request.split(b"\r\n") if line.startswith(b"Host:")
    }
    assert hosts == {f"Host: localhost:{nights.portal.port}".encode()}
    assert nights.changes() == [("new", target)]


def test_a_walk_for_news_that_was_cut_short_continues_as_a_walk_for_news(nights: Nights) -> None:
    for number in range(45):
        nights.publish(number, "23/05/2017 00:00:00")
    nights.crawl()
    new = [nights.publish(number, "23/05/2017 00:00:00") for number in range(100, 112)]
    nights.crawl("--max-pages", "11")  # the first page and its ten articles
    assert set(nights.crawl()) == {SECTION, *(f"{SECTION}trang-{page}/" for page in (2, 3)), *new[:2]}
    assert nights.crawl() == [SECTION]


def test_a_crawl_of_certain_days_leaves_nothing_pending_if_all_is_known(nights: Nights) -> None:
    for number in range(25):
        nights.publish(number, "23/05/2017 00:00:00")
    nights.crawl()
    nights.crawl("--since", "2020-01-01")
    assert nights.crawl() == [SECTION]


def test_a_notice_instead_of_a_later_page_does_not_end_a_section(nights: Nights, answer: Callable[..., bytes]) -> None:
    for number in range(25):
        nights.publish(number, "23/05/2017 00:00:00")
    second = f"{SECTION}trang-2/"
    nights.crawl(code=3, **{second: answer("<h1>Hệ thống đang bảo trì, mời quý vị quay lại sau</h1>")})  # type: ignore[arg-type]
    assert len(nights.desk.export()) == 10
    nights.crawl()
    assert len(nights.desk.export()) == 25
    assert nights.crawl() == [SECTION]


def test_a_failing_later_page_loses_no_news_while_an_older_walk_is_unfinished(
    nights: Nights, answer: Callable[..., bytes]
) -> None:
    for number in range(35):
        nights.publish(number, "23/05/2017 00:00:00")
    nights.crawl("--max-pages", "22")
    for number in range(100, 113):
        nights.publish(number, "23/05/2017 00:00:00")
    nights.crawl(code=3, **{f"{SECTION}trang-2/": answer(status="500 Internal Server Error")})  # type: ignore[arg-type]
    nights.crawl()
    assert len(nights.desk.export()) == 48
