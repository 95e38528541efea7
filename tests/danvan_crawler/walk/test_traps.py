"""Listings without an end: their walk ends with a finding, and what only looks like one is read to its end."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from nights import message
from rows import differences, rows_of
from simulation import Answer, Night, World

from danvan_crawler import statistics as stats
from danvan_crawler.crawl.runner import project_settings
from danvan_crawler.sites.profile import Site
from danvan_crawler.walk.traps import BARREN_PAGES, Novelty, wording

NIGHT = datetime(2026, 3, 1, 1, 30, tzinfo=UTC)
SEEN = "2026-03-01T01:30:00.000000Z"
NEWS, OTHER = "/tin-tuc/", "/van-hoa/"
PROFILE = """\
slug = "thu-danvan"
name = "Ban Dân vận Tỉnh ủy (thử)"
family = "danvan_portal"
home = "http://127.0.0.1:8471/"
province = "VN-21"
body = "ban-dan-van"
private_network = true
delay = 0.1

[[sections]]
name = "Tin tức"
url = "http://127.0.0.1:8471/tin-tuc/"

[[sections]]
name = "Văn hóa"
url = "http://127.0.0.1:8471/van-hoa/"
"""
Portal = Callable[[str], bytes | None]
"""The page of a target; None: there is none."""


def story(title: str, body: str, stamp: str | None = "23/05/2017 08:30:00") -> bytes:
    printed = f"<p>Đăng lúc: {stamp} (GMT+7)</p>" if stamp else ""
    text = f"<p>{body}</p><p>{body * 3}</p>"
    return message(f"<html><title>{title}</title><body><h1>{title}</h1>{printed}{text}</body></html>".encode())


def listing(entries: list[tuple[str, str]], following: str | None = None) -> bytes:
    items = "".join(f'<div class="item"><h3><a href="{url}">{title}</a></h3></div>' for url, title in entries)
    more = f'<a rel="next" href="{following}">Trang sau</a>' if following else ""
    return message(f"<html><body><main>{items}</main>{more}</body></html>".encode())


def paper(number: int, section: str = NEWS) -> tuple[str, str]:
    """An entry: one of the articles that differ in every word."""
    words = ["đồng bào", "bản làng", "cán bộ", "hội nghị", "phong trào", "thanh niên", "phụ nữ", "nông dân"]
    picked = " ".join(words[(number >> shift) % 8] for shift in (0, 3, 6, 9))
    return f"{section}bai-viet-so-{number}.html", f"Chuyện về {picked} năm qua"


def article_of(target: str) -> bytes | None:
    """The page of one of these articles."""
    name = urlsplit(target).path.rsplit("/", 1)[-1]
    if not name.startswith("bai-viet-so-"):
        return None
    number = int(name.removeprefix("bai-viet-so-").removesuffix(".html"))
    title = paper(number)[1]
    return story(title, f"Sáng nay, {title} là đề tài của hội nghị ở nhiều huyện miền núi. ")


def page_of(target: str, name: str = "page") -> int:
    return int(parse_qs(urlsplit(target).query).get(name, ["1"])[-1])


def growing_address(target: str) -> bytes | None:
    """Links without a scheme, in pages that answer at every address below the section."""
    depth = target.count("www.")
    if target.endswith(".html") and not depth:
        return article_of(target)
    entries = [
        (f"bai-viet-so-{depth}.html", f"Bài viết của bẫy lần {depth} hôm nay"),
        ("www.vn.vn/", "Trang tin ngoài www"),
    ]
    return listing([*entries, ("www.vn.vn/tin-tuc-0/", "Trang tin ngoài của tỉnh nhà")], "www.vn.vn/tin-tuc-0/")


def growing_query(target: str) -> bytes | None:
    """Each page appends its number to the query, of the articles too."""
    query = urlsplit(target).query
    if "bai-viet" in target:
        return article_of(target)
    grown = f"{query}&page={page_of(target) + 1}".lstrip("&")
    return listing([(f"{paper(number)[0]}?{grown}", paper(number)[1]) for number in range(5)], f"{NEWS}?{grown}")


def calendar(target: str) -> bytes | None:
    """Months without an end, each day with a page of its own that says nothing."""
    if "ngay-" in target:
        day = target.rsplit("ngay-", 1)[-1].removesuffix(".html")
        return story(f"Lịch công tác ngày {day.replace('-', ' tháng ')}", "Chưa có lịch công tác của ngày này. ", None)
    month = page_of(target, "thang")
    days = [(f"{NEWS}ngay-{day}-{month}.html", f"Lịch công tác ngày {day} tháng {month}") for day in (1, 2, 3)]
    return listing(days, f"{NEWS}?thang={month + 1}")


def stuck_pager(target: str) -> bytes | None:
    """Behind its third page it shows that page again, whatever is asked for."""
    if "bai-viet" in target:
        return article_of(target)
    shown = min(page_of(target), 3)
    entries = [paper(number) for number in range(10 * shown, 10 * shown + 5)]
    return listing(entries, f"{NEWS}?page={page_of(target) + 1}")


def empty_pager(target: str) -> bytes | None:
    """Behind its second page it shows empty ones, each with a next page."""
    if "bai-viet" in target:
        return article_of(target)
    entries = [paper(number) for number in range(10 * page_of(target), 10 * page_of(target) + 5)]
    return listing(entries if page_of(target) < 3 else [], f"{NEWS}?page={page_of(target) + 1}")


TRAPS = [growing_address, growing_query, calendar, stuck_pager, empty_pager]


def beside(trap: Portal) -> Callable[[str, int], Answer]:
    """A portal with a trap in one section, and another section with six pages."""

    def answer(target: str, _time: int) -> Answer:
        if not target.startswith(OTHER):
            return trap(target) or message(b"<p>404</p>", "404 Not Found")
        page = page_of(target)
        following = f"{OTHER}?page={page + 1}" if page < 6 else None
        entries = [paper(number, OTHER) for number in range(1000 + 10 * page, 1005 + 10 * page)]
        return article_of(target) or listing(entries, following)

    return answer


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    (tmp_path / "world").mkdir()
    return World(
        tmp_path / "world",
        Site.parse(PROFILE, origin="a test"),
        project_settings({"DANVAN_ARCHIVE": str(tmp_path / "world" / "archive")}),
        lambda moment: monkeypatch.setenv("DANVAN_CLOCK", moment.isoformat()),
    )


def listings_of(world: World, section: str = NEWS) -> list[str]:
    return [target for target in world.asked if target.startswith(section) and ".html" not in target]


def sections_of_articles(world: World) -> list[str]:
    with closing(sqlite3.connect(world.database)) as connection:
        return [row[0] for row in connection.execute("SELECT section FROM articles")]


@pytest.mark.slow
@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: str(trap.__name__))
def test_a_listing_without_an_end_ends_with_a_finding_that_names_it(world: World, tmp_path: Path, trap: Portal) -> None:
    counted = world.live(Night(NIGHT, beside(trap)))
    of_the_other = listings_of(world, OTHER)
    assert len(of_the_other) == 6
    assert BARREN_PAGES < counted.get_value(stats.LISTINGS) - len(of_the_other) <= BARREN_PAGES + 3
    [sentence] = counted.get_value(stats.ENDLESS_LISTINGS)
    assert "'Tin tức' has no end: 20 pages in a row" in sentence
    assert "the last one is http://127.0.0.1:8471/tin-tuc/" in sentence
    assert sections_of_articles(world).count("Văn hóa") == 30
    assert counted.get_value(stats.articles("failed"), 0) + counted.get_value(stats.PAGES_WITHOUT_ARTICLE, 0) <= 4
    database, found = world.rebuild(tmp_path / "rebuilt")
    assert found.failures == []
    assert differences(rows_of(world.database), rows_of(database)) == []
    quiet = world.live(Night(NIGHT + timedelta(days=1), beside(trap)))
    assert quiet.get_value(stats.LISTINGS) == 2
    assert quiet.get_value(stats.ENDLESS_LISTINGS) is None


def weekly_schedule(pages: int) -> Portal:
    """A section whose titles and texts differ in their numbers only."""

    def page(target: str) -> bytes | None:
        if "tuan-" in target:
            week = target.rsplit("tuan-", 1)[-1].removesuffix(".html")
            return story(f"Lịch công tác tuần {week}", f"Tuần {week}: Thường trực họp giao ban, tiếp công dân. ")
        number = page_of(target)
        weeks = [
            (f"{NEWS}tuan-{week}.html", f"Lịch công tác tuần {week}") for week in range(3 * number, 3 * number + 3)
        ]
        return listing(weeks, f"{NEWS}?page={number + 1}" if number < pages else None)

    return page


@pytest.mark.slow
def test_titles_that_differ_in_their_numbers_only_are_articles_of_their_own(world: World) -> None:
    pages = BARREN_PAGES + 6
    portal = beside(weekly_schedule(pages))
    for night, options in ((0, {"plan": True}), (1, {}), (40, {"revisit_every": 0.0})):
        counted = world.live(Night(NIGHT + timedelta(days=night), portal, options))
        assert counted.get_value(stats.ENDLESS_LISTINGS) is None
        assert len(set(listings_of(world))) == (1 if night == 1 else pages)
    assert sections_of_articles(world).count("Tin tức") == 3 * pages


@pytest.mark.slow
def test_months_without_news_do_not_end_a_section(world: World) -> None:
    def months(target: str) -> bytes | None:
        number = page_of(target)
        has_news = number < 3 or number > BARREN_PAGES
        entries = [paper(place) for place in range(10 * number, 10 * number + 3)] if has_news else []
        return article_of(target) or listing(entries, f"{NEWS}?page={number + 1}" if number < 25 else None)

    counted = world.live(Night(NIGHT, beside(months)))
    assert counted.get_value(stats.ENDLESS_LISTINGS) is None
    assert sections_of_articles(world).count("Tin tức") == 3 * 7


@pytest.mark.slow
def test_a_page_that_repeats_another_does_not_end_a_section(world: World) -> None:
    def shifted(target: str) -> bytes | None:
        number = page_of(target)
        first = 10 * (number if number < 3 else number - 1)  # while it was walked, a page of articles came in
        entries = [paper(place) for place in range(first, first + 5)]
        return article_of(target) or listing(entries, f"{NEWS}?page={number + 1}" if number < 5 else None)

    world.live(Night(NIGHT, beside(shifted)))
    assert sections_of_articles(world).count("Tin tức") == 5 * 4


def test_an_article_is_known_by_its_text_and_without_a_date_by_its_words() -> None:
    novelty = Novelty()
    assert novelty.is_new_article("Lịch tuần 12", "Họp", "2026-02-01T00:00:00+07:00", SEEN)
    assert novelty.is_new_article("Lịch tuần 13", "Họp", "2026-02-01T00:00:00+07:00", SEEN)
    assert not novelty.is_new_article("Lịch tuần 13", "Họp", "2026-02-08T00:00:00+07:00", SEEN)
    assert novelty.is_new_article("Lịch tuần 14", "Họp", None, SEEN)
    assert not novelty.is_new_article("Lịch tuần 15", "Họp", None, SEEN)
    assert not novelty.is_new_article("Lịch tuần 16", "Họp", "2031-02-08T00:00:00+07:00", SEEN)


@pytest.mark.parametrize("text", ["", "12/2026", "…"])
def test_a_text_without_letters_has_no_wording(text: str) -> None:
    assert wording(text) == ""
