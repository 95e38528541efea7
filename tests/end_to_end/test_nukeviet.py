"""Crawls of a small NukeViet site: redirects between categories, feeds, and listings in their several orders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

KHEO, TIN = "/dan-van-kheo/", "/tin-tuc/"
STORIES = {
    11: (KHEO, "Thôn Đông xây cầu mới", "05/01/2019 08:00"),
    12: (KHEO, "Tổ hòa giải ở xã An Hải", "12/01/2019 09:30"),
    13: ("/hoat-dong/", "Họp Ban thường kỳ tháng một", "20/01/2019 14:00"),
    14: (KHEO, "Con đường hoa của thôn Tây", "02/02/2019 10:15"),
    15: (KHEO, "Bến đò có thêm phao cứu sinh", "09/02/2019 16:45"),
}
"""Articles by number: own category, title, stamp."""
Answer = Callable[..., bytes]


def slug(number: int, category: str | None = None) -> str:
    return f"{category or STORIES[number][0]}bai-viet-so-{number}.html"


def story(number: int) -> str:
    category, title, stamp = STORIES[number]
    crumbs = f'<ul class="breadcrumbs"><li><a href="/">Trang nhất</a><li><a href="{category}">Mục {category}</a></ul>'
    return (
        f'<html><head><link rel="canonical" href="{slug(number)}"></head><body>{crumbs}<div class="news_column">'
        f'<h1 class="title">{title}</h1><span class="h5">Thứ hai - {stamp}</span><div class="hometext">Tin ngắn.</div>'
        f'<div id="news-bodyhtml" class="bodytext"><p>Nội dung {number}.</p></div></div></body></html>'
    )


def entry(number: int, category: str | None = None, *, dated: bool = True) -> str:
    _, title, stamp = STORIES[number]
    shown = f'<div class="text-muted">{stamp}:00</div>' if dated else ""
    return f'<div class="panel-body"><h3><a href="{slug(number, category)}">{title}</a></h3>{shown}</div>'


def listing(*entries: str, following: str = "", below: str = "") -> str:
    pages = f'<ul class="pagination"><li><a rel="next" href="{following}">&raquo;</a></li></ul>' if following else ""
    return f'<body><div class="main"><div class="news_column">{"".join(entries)}</div>{below}{pages}</div></body>'


def sitemap(*targets: str) -> str:
    return f"<urlset>{''.join(f'<url><loc>{target}</loc></url>' for target in targets)}</urlset>"


def profile(desk: Any, portal: Any, *sections: str) -> Any:
    """Writes the profile of the site with these sections."""
    tables = "".join(f'[[sections]]\nname = "Mục {path}"\nurl = "{portal.url[:-1]}{path}"\n' for path in sections)
    (desk.sites / "mau-danvan.toml").write_text(
        f'slug = "mau-danvan"\nname = "Ban Dân vận tỉnh Mẫu"\nfamily = "nukeviet"\nhome = "{portal.url}"\n'
        f'province = "VN-21"\nbody = "ban-dan-van"\nprivate_network = true\ndelay = 0\n{tables}',
        encoding="utf-8",
    )
    return desk


def make_portal(new_portal: Callable[..., Any], answer: Answer) -> Any:
    """A portal with two sections.

    Section /tin-tuc/ lists article 13 under its own address, which redirects to that of /hoat-dong/. Article 15 is in
    the sitemap alone, and so is one of a category that the profile does not have.
    """
    portal = new_portal()
    for number in STORIES:
        portal.pages[slug(number)] = answer(story(number))
    moved = {"Location": slug(13)}
    portal.pages[slug(13, TIN)] = answer("", status="301 Moved Permanently", headers=moved)
    portal.pages["/the-thao/bong-da-99.html"] = answer(story(12))
    portal.pages[TIN] = answer(listing(entry(13, TIN), entry(14)))
    portal.pages[KHEO] = answer(listing(entry(14), following=f"{KHEO}page-2/"))
    portal.pages[f"{KHEO}page-2/"] = answer(listing(entry(12), entry(11)))
    index = f"<sitemapindex><sitemap><loc>{portal.url}sitemap-vi.news.xml</loc></sitemap></sitemapindex>"
    portal.pages["/sitemap.xml"] = answer(index, media_type="text/xml")
    named = sitemap(*(slug(number) for number in STORIES), "/the-thao/bong-da-99.html")
    portal.pages["/sitemap-vi.news.xml"] = answer(named, media_type="text/xml; charset=utf-8")
    rss = f"<rss><channel><item><title>Họp Ban</title><link>{slug(13)}</link></item></channel></rss>"
    portal.pages["/rss/tin-tuc/"] = answer(rss, media_type="application/rss+xml")
    portal.pages["/rss/dan-van-kheo/"] = answer("", status="301 Moved Permanently", headers={"Location": "/"})
    portal.pages["/"] = answer(listing(entry(11), '<h3><a href="/the-thao/bong-da-99.html">Bóng đá mừng xuân</a></h3>'))
    return portal


@pytest.fixture
def site(new_portal: Callable[..., Any], new_desk: Callable[..., Any], answer: Answer) -> tuple[Any, Any]:
    """The portal, and the desk that crawls it."""
    portal = make_portal(new_portal, answer)
    return portal, profile(new_desk(), portal, KHEO, TIN)


@pytest.fixture(scope="module")
def crawled(new_portal: Callable[..., Any], new_desk: Callable[..., Any], answer: Answer) -> tuple[list[str], Any]:
    """Targets of a first crawl, and the desk; for tests that only read."""
    portal = make_portal(new_portal, answer)
    desk = profile(new_desk(), portal, KHEO, TIN)
    desk.crawl()
    return list(portal.targets), desk


def titles(desk: Any) -> list[str]:
    return sorted(item["title"] for item in desk.export())


def test_articles_are_found_in_listings_and_sitemap_and_each_is_one_item(crawled: tuple[list[str], Any]) -> None:
    _, desk = crawled
    assert titles(desk) == sorted(title for _, title, _ in STORIES.values())


def test_an_article_with_several_addresses_is_fetched_once(crawled: tuple[list[str], Any]) -> None:
    targets, _ = crawled
    assert sorted(targets) == sorted(set(targets))
    assert {slug(13, TIN), *map(slug, STORIES)} <= set(targets)


def test_an_article_of_the_sitemap_outside_of_all_sections_is_ignored(crawled: tuple[list[str], Any]) -> None:
    targets, _ = crawled
    assert "/the-thao/bong-da-99.html" not in targets


def test_a_full_walk_fetches_each_article_once_again(site: tuple[Any, Any]) -> None:
    portal, desk = site
    desk.crawl()
    first = sorted(target for target in portal.targets if target != "/favicon.ico")
    portal.forget()
    desk.crawl("--full")
    assert sorted(portal.targets) == first
    assert {item["revision"] for item in desk.export()} == {1}


def test_a_nightly_run_requests_one_page_of_each_section_and_no_feed(site: tuple[Any, Any]) -> None:
    portal, desk = site
    desk.crawl()
    portal.forget()
    desk.crawl()
    assert sorted(portal.targets) == sorted(["/robots.txt", KHEO, TIN])


@pytest.mark.parametrize("option", [("--since", "2019-02-01"), ("--until", "2019-02-05"), ("--max-pages", "3")])
def test_a_run_with_days_or_max_pages_requests_no_feed(site: tuple[Any, Any], option: tuple[str, str]) -> None:
    portal, desk = site
    desk.crawl(*option)
    assert [target for target in portal.targets if "rss" in target or "sitemap" in target] == []


def test_a_plan_lists_articles_that_only_a_feed_has(site: tuple[Any, Any]) -> None:
    portal, desk = site
    printed = desk.crawl("--plan").stdout.split()
    assert f"{portal.url[:-1]}{slug(15)}" in printed
    assert slug(15) not in portal.targets


@pytest.mark.parametrize("status", ["404 Not Found", "403 Forbidden", "410 Gone"])
def test_a_missing_feed_is_no_failure(site: tuple[Any, Any], answer: Answer, status: str) -> None:
    portal, desk = site
    for target in ("/sitemap.xml", "/rss/tin-tuc/", "/rss/dan-van-kheo/"):
        portal.pages[target] = answer("", status=status)
    desk.crawl()
    assert len(desk.export()) == len(STORIES) - 1


def test_a_feed_does_not_set_the_section_of_an_article(site: tuple[Any, Any], answer: Answer) -> None:
    portal, desk = site
    for number in (14, 15):
        portal.pages[slug(number)] = answer(story(number).replace("breadcrumbs", ""))
    desk.crawl()
    sections = {item["title"]: item["section"] for item in desk.export()}
    assert sections[STORIES[14][1]] == f"Mục {KHEO}"
    assert sections[STORIES[15][1]] == ""


def test_a_rebuild_finds_the_same_items_and_the_same_crawl_state(site: tuple[Any, Any]) -> None:
    portal, desk = site
    desk.crawl()
    desk.crawl("--full")
    desk.check_rebuild()
    portal.forget()
    desk.crawl()
    assert sorted(portal.targets) == sorted(["/robots.txt", KHEO, TIN])


def test_new_articles_are_found_in_a_section_that_lists_the_oldest_first(site: tuple[Any, Any], answer: Answer) -> None:
    portal, desk = site
    profile(desk, portal, KHEO)
    portal.pages["/sitemap.xml"] = answer("", status="404 Not Found")
    portal.pages[KHEO] = answer(listing(entry(11), entry(12), entry(14), following=f"{KHEO}page-2/"))
    portal.pages[f"{KHEO}page-2/"] = answer(listing())
    desk.crawl()
    portal.pages[f"{KHEO}page-2/"] = answer(listing(entry(15)))
    desk.crawl()
    assert STORIES[15][1] in titles(desk)


def test_an_entry_with_a_date_on_only_one_of_two_pages_is_not_fetched_again(
    site: tuple[Any, Any], answer: Answer
) -> None:
    portal, desk = site
    bare = '<ul class="related list-items"><li><a href="{}">{}</a></li></ul>'
    on_top = entry(14) + bare.format(slug(12), STORIES[12][1])
    portal.pages[KHEO] = answer(listing(on_top, following=f"{KHEO}page-2/"))
    desk.crawl()
    portal.forget()
    desk.crawl()
    assert sorted(portal.targets) == sorted(["/robots.txt", KHEO, TIN])


def test_an_entry_with_changed_text_is_fetched_again(site: tuple[Any, Any], answer: Answer) -> None:
    portal, desk = site
    desk.crawl()
    portal.pages[KHEO] = answer(listing(entry(14).replace("10:15", "11:45"), following=f"{KHEO}page-2/"))
    portal.forget()
    desk.crawl()
    assert slug(14) in portal.targets
