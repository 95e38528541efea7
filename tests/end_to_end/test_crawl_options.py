"""The options of `danvan crawl`: what is requested with them, and what is left to the next run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from danvan_crawler.sample import SampleArticle, articles

NEWS = "/tin-tuc/hoat-dong-ban-dan-van/"
"""A section of three pages; the article without a date stands on the last."""
MODEL = "/tin-tuc/dan-van-kheo/"
"""A section of two pages; edition 2 edits an article of the first."""

Start = tuple[Any, Any]


@pytest.fixture
def news(new_portal: Callable[..., Any], new_desk: Callable[..., Any]) -> Start:
    portal = new_portal()
    return portal, new_desk(portal, only="hoat-dong-ban-dan-van")


@pytest.fixture
def model(new_portal: Callable[..., Any], new_desk: Callable[..., Any]) -> Start:
    portal = new_portal()
    return portal, new_desk(portal, only="dan-van-kheo")


def listed(section: str, edition: int = 1) -> list[SampleArticle]:
    """Articles of a section in the order of its listing."""
    found = [one for one in articles(edition) if section in (place.path for place in one.listed_in)]
    return sorted(found, key=lambda article: article.order, reverse=True)


def path_in(section: str, article: SampleArticle) -> str:
    return next((path for path in article.other_paths if path.startswith(section)), article.path)


def asked(portal: Any, section: str) -> tuple[list[str], set[str]]:
    """Listing pages of a section, in order, and the articles that were requested."""
    pages = [target for target in portal.targets if target == section or "/trang-" in target]
    stories = {target for target in portal.targets if target.endswith(".html")}
    return pages, stories


def test_a_second_crawl_of_an_unchanged_portal_requests_robots_txt_and_one_page_a_section(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any]
) -> None:
    portal = new_portal()
    desk = new_desk(portal)
    desk.crawl()
    before = desk.export()
    portal.forget()
    desk.crawl()
    sections = [section.path for section in dict.fromkeys(article.section for article in articles(1))]
    assert portal.targets == ["/robots.txt", *sections]
    assert desk.export() == before


def test_full_requests_all_listing_pages_and_every_article_again(model: Start) -> None:
    portal, desk = model
    desk.crawl()
    portal.forget()
    desk.crawl("--full")
    assert asked(portal, MODEL) == ([MODEL, f"{MODEL}trang-2/"], {path_in(MODEL, one) for one in listed(MODEL)})
    assert [target for target in portal.targets if target.endswith(".png")] == []  # these are archived already


def test_an_edit_is_found_by_its_changed_entry_in_the_listing(model: Start) -> None:
    portal, desk = model
    desk.crawl()
    portal.edition = 2
    portal.forget()
    desk.crawl()
    before = {article.number: article.title for article in articles(1)}
    edited = {one.path for one in listed(MODEL, 2) if before.get(one.number, one.title) != one.title}
    assert len(edited) == 1
    assert asked(portal, MODEL)[1] == edited


def test_since_stops_at_a_page_with_older_articles_only(news: Start) -> None:
    portal, desk = news
    desk.crawl("--since", "2022-11-24")
    assert asked(portal, NEWS)[0] == [NEWS, f"{NEWS}trang-2/"]


def test_since_is_inclusive_and_leaves_out_older_articles(news: Start) -> None:
    portal, desk = news
    desk.crawl("--since", "2022-11-24")
    newer = {path_in(NEWS, one) for one in listed(NEWS) if one.published_at and one.published_at >= "2022-11-24"}
    dated = {path_in(NEWS, one) for one in listed(NEWS) if one.published_at}
    assert len(newer) == 2
    assert asked(portal, NEWS)[1] & dated == newer


def test_since_fetches_an_entry_that_shows_no_date(news: Start) -> None:
    portal, desk = news
    desk.crawl("--since", "2018-06-01")
    undated = {one.path for one in listed(NEWS) if one.published_at is None}
    newer = {path_in(NEWS, one) for one in listed(NEWS) if one.published_at and one.published_at >= "2018-06-01"}
    assert undated
    assert asked(portal, NEWS)[1] == undated | newer


def test_until_is_inclusive_and_leaves_out_newer_articles(news: Start) -> None:
    portal, desk = news
    desk.crawl("--until", "2017-05-23")
    wanted = {one.path for one in listed(NEWS) if not one.published_at or one.published_at < "2017-05-24"}
    assert asked(portal, NEWS)[1] == wanted


def test_a_crawl_of_certain_days_leaves_other_days_to_the_next_crawl(news: Start) -> None:
    portal, desk = news
    desk.crawl("--since", "2022-11-24")
    desk.crawl()
    assert len(desk.export()) == len(listed(NEWS))
    assert portal.targets.count(f"{NEWS}trang-3/") == 1


def test_plan_prints_the_articles_and_fetches_listings_only(model: Start) -> None:
    portal, desk = model
    printed = desk.crawl("--plan").stdout.split()
    assert printed == [portal.url.rstrip("/") + path_in(MODEL, one) for one in listed(MODEL)]
    assert portal.targets == ["/robots.txt", MODEL, f"{MODEL}trang-2/"]
    assert desk.export() == []


def test_plan_leaves_all_articles_to_the_next_crawl(model: Start) -> None:
    portal, desk = model
    desk.crawl("--plan")
    assert len(desk.crawl("--plan").stdout.split()) == len(listed(MODEL))
    desk.crawl()
    assert len(desk.export()) == len(listed(MODEL))
    portal.edition = 2
    assert len(desk.crawl("--plan").stdout.split()) == 1
    desk.crawl()
    assert max(item["revision"] for item in desk.export()) == 2


def test_plan_with_days_prints_the_articles_of_these_days(news: Start) -> None:
    portal, desk = news
    printed = desk.crawl("--plan", "--since", "2022-11-24").stdout.split()
    desk.crawl("--since", "2022-11-24")
    assert {url.removeprefix(portal.url) for url in printed} == {path[1:] for path in asked(portal, NEWS)[1]}


def test_max_pages_counts_listings_and_articles_and_is_no_failure(model: Start) -> None:
    portal, desk = model
    desk.crawl("--max-pages", "5")
    pages, stories = asked(portal, MODEL)
    assert (len(pages), len(stories)) == (1, 4)


def test_runs_with_max_pages_get_everything_in_the_end(model: Start) -> None:
    portal, desk = model
    for _ in range(3):
        desk.crawl("--max-pages", "12")
    assert len(desk.export()) == len(listed(MODEL))
    assert len([target for target in portal.targets if target.endswith(".html")]) == len(listed(MODEL))


def test_max_pages_that_is_used_up_by_pending_articles_is_no_failure(model: Start) -> None:
    portal, desk = model
    desk.crawl("--plan")
    portal.forget()
    desk.crawl("--max-pages", "3")
    assert [len(part) for part in asked(portal, MODEL)] == [0, 3]


def test_time_limit_stops_cleanly_and_the_next_run_gets_the_rest(model: Start) -> None:
    portal, desk = model
    third = path_in(MODEL, listed(MODEL)[2])
    gate = portal.hold(third)
    desk.environment["DANVAN_LOG_LEVEL"] = "INFO"
    crawl = desk.start("crawl", "mau-danvan", "--time-limit", "1")
    desk.read_until(crawl, "closespider_timeout")
    gate.set()
    assert "time limit reached; the next run continues" in desk.finish(crawl, code=7)
    assert desk.warc_files("*.open") == []
    stored = len(desk.export())
    assert 0 < stored < len(listed(MODEL))
    desk.crawl()
    assert len(desk.export()) == len(listed(MODEL))
    stories = [target for target in portal.targets if target.endswith(".html")]
    assert len(stories) == len(set(stories))


def old_state(portal: Any, answer: Callable[..., bytes]) -> None:
    """The portal before two pages of news were added: it has only the page that is now the last one."""
    portal.pages[NEWS] = answer(portal.html(f"{NEWS}trang-3/"))
    portal.pages[f"{NEWS}trang-2/"] = answer(status="404 Not Found")


def test_news_on_later_pages_are_found_after_a_crawl_that_was_cut_short(
    news: Start, answer: Callable[..., bytes]
) -> None:
    portal, desk = news
    old_state(portal, answer)
    desk.crawl()
    known = len(desk.export())
    portal.pages.clear()
    desk.crawl("--max-pages", "11")  # the first page and all of its articles
    assert len(desk.export()) == known + 10
    desk.crawl()
    assert len(desk.export()) == len(listed(NEWS))


def test_news_on_and_after_a_page_that_failed_are_found_by_the_next_run(
    news: Start, answer: Callable[..., bytes]
) -> None:
    portal, desk = news
    old_state(portal, answer)
    desk.crawl()
    portal.pages.clear()
    portal.pages[f"{NEWS}trang-2/"] = answer(status="500 Internal Server Error")
    assert "1 later listing page cannot be read" in desk.crawl(code=3).stderr
    portal.pages.clear()
    desk.crawl()
    assert len(desk.export()) == len(listed(NEWS))


def test_an_edit_seen_by_a_crawl_that_could_not_fetch_it_is_not_lost(model: Start) -> None:
    portal, desk = model
    desk.crawl()
    portal.edition = 2
    desk.crawl("--max-pages", "1")
    assert max(item["revision"] for item in desk.export()) == 1
    desk.crawl()
    assert max(item["revision"] for item in desk.export()) == 2


def test_an_article_that_fails_is_requested_again_by_the_next_run(model: Start, answer: Callable[..., bytes]) -> None:
    portal, desk = model
    failing = path_in(MODEL, listed(MODEL)[0])
    portal.pages[failing] = answer(status="404 Not Found")
    desk.crawl()
    assert len(desk.export()) == len(listed(MODEL)) - 1
    desk.crawl()  # on a day without news, one missing article is no failure of the site
    portal.pages.clear()
    desk.crawl()
    assert len(desk.export()) == len(listed(MODEL))


def test_a_missing_picture_is_requested_once(model: Start, answer: Callable[..., bytes]) -> None:
    portal, desk = model
    picture = next(image.path for article in listed(MODEL) for image in article.images)
    portal.pages[picture] = answer(status="404 Not Found")
    desk.crawl()
    desk.crawl("--full")
    assert portal.targets.count(picture) == 1


def test_a_picture_that_fails_is_requested_again_by_the_next_run(model: Start, answer: Callable[..., bytes]) -> None:
    portal, desk = model
    article = next(article for article in listed(MODEL) if article.images)
    portal.pages[article.images[0].path] = answer(status="500 Internal Server Error")
    desk.crawl()
    portal.pages.clear()
    portal.forget()
    desk.crawl()
    assert article.images[0].path in portal.targets
    assert path_in(MODEL, article) not in portal.targets
    [item] = [item for item in desk.export() if item["title"] == article.title]
    assert item["images"][0]["capture"] is not None


def test_requests_come_one_at_a_time_unless_the_profile_allows_more(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any]
) -> None:
    single, several = new_portal(), new_portal()
    new_desk(single, only="dan-van-kheo").crawl()
    new_desk(several, only="dan-van-kheo", connections="4").crawl()
    assert single.most_at_once == 1
    assert several.most_at_once <= 4


@pytest.mark.parametrize("option", ["--since=2023-13-01", "--until=hôm qua", "--max-pages=0", "--time-limit=0"])
def test_a_wrong_option_is_wrong_usage(new_desk: Callable[..., Any], option: str) -> None:
    desk = new_desk("http://127.0.0.1:9/")
    assert option.partition("=")[0] in desk.crawl(option, code=2).stderr
    assert not desk.archive.exists()


def test_several_sites_are_crawled_in_separate_processes(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any]
) -> None:
    desk = new_desk()
    for slug, section in (("mot-danvan", "dan-van-kheo"), ("hai-danvan", "dan-van-co-so")):
        desk.profile(new_portal(), slug=slug, only=section)
    result = desk.danvan("crawl", "--jobs", "2", "mot-danvan", "hai-danvan")
    assert {item["site"] for item in desk.export()} == {"mot-danvan", "hai-danvan"}
    assert "mot-danvan: exit code 0" in result.stderr
    assert "hai-danvan: exit code 0" in result.stderr
