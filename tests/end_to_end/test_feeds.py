"""A sitemap instead of listings: when it replaces them, the requests that it saves, and an incomplete sitemap."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

FIRST_NIGHT = datetime(2026, 3, 1, 18, 30, tzinfo=UTC)
SECTIONS = ("/dan-van-kheo/", "/tin-hoat-dong/", "/van-ban/")
INDEX, PART = "/sitemap.xml", "/sitemap-vi.news.xml"


@dataclass
class Newsroom:
    """A NukeViet portal of three sections with its sitemap, crawled night by night."""

    portal: Any
    desk: Any
    answer: Callable[..., bytes]
    articles: list[tuple[str, str]] = field(default_factory=list)
    """Section and target, oldest first."""
    night: int = 0
    left_out: set[str] = field(default_factory=set)
    """Targets that the sitemap does not name."""
    packed_as: str = ""
    """Media type of sitemaps that are gzip files; empty for plain XML."""

    def __post_init__(self) -> None:
        tables = "".join(f'[[sections]]\nname = "Mục {one}"\nurl = "{self.portal.url[:-1]}{one}"\n' for one in SECTIONS)
        (self.desk.sites / "thu-danvan.toml").write_text(
            f'slug = "thu-danvan"\nname = "Thử"\nfamily = "nukeviet"\nhome = "{self.portal.url}"\nprovince = "VN-21"\n'
            f'body = "ban-dan-van"\nprivate_network = true\ndelay = 0\n{tables}',
            encoding="utf-8",
        )
        for section in SECTIONS:
            for _ in range(4):
                self.publish(section, "23/05/2017 08:00")

    def publish(self, section: str, stamp: str = "01/12/2025 08:00") -> str:
        """Publishes an article; it is so old that no visit becomes due."""
        number = len(self.articles) + 1
        target = f"{section}bai-viet-so-{number}.html"
        self.articles.append((section, target))
        self.portal.pages[target] = self.answer(
            f'<html><body><div class="news_column"><h1 class="title">Bài viết số {number} về dân vận</h1>'
            f'<span class="h5">{stamp}</span><div class="hometext">Tin ngắn số {number}.</div>'
            f'<div id="news-bodyhtml" class="bodytext"><p>Nội dung của bài viết số {number}.</p></div></div>'
        )
        return target

    def _show(self) -> None:
        for section in SECTIONS:
            entries = "".join(
                f'<div class="panel-body"><h3><a href="{target}">Bài viết ở {target}</a></h3></div>'
                for of, target in reversed(self.articles)
                if of == section
            )
            self.portal.pages[section] = self.answer(
                f'<html><body><div class="news_column">{entries}</div></body></html>'
            )
        named = (target for _, target in reversed(self.articles) if target not in self.left_out)
        self._serve(PART, "urlset", "url", named)
        self._serve(INDEX, "sitemapindex", "sitemap", [PART])

    def _serve(self, target: str, root: str, each: str, named: Any) -> None:
        entries = "".join(f"<{each}><loc>{self.portal.url[:-1]}{one}</loc></{each}>" for one in named)
        xml = f'<?xml version="1.0"?><{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</{root}>'
        body = gzip.compress(xml.encode()) if self.packed_as else xml
        self.portal.pages[target] = self.answer(body, media_type=self.packed_as or "text/xml")

    def crawl(self, *options: str, code: int = 0, **pages: bytes) -> list[str]:
        """Targets requested by the next night's crawl, without robots.txt and the icon."""
        self._show()
        self.portal.pages.update({f"/{name}.xml": page for name, page in pages.items()})
        self.night += 1
        self.desk.environment["DANVAN_CLOCK"] = f"{(FIRST_NIGHT + timedelta(days=self.night)).isoformat()} +"
        self.portal.forget()
        self.desk.crawl(*options, slug="thu-danvan", code=code)
        return [target for target in self.portal.targets if target not in ("/robots.txt", "/favicon.ico")]

    def prove(self) -> None:
        """Runs the first crawl, and three nights with news that are all in the sitemap."""
        self.crawl()
        for _ in range(3):
            self.publish(SECTIONS[0])
            self.crawl()


@pytest.fixture
def newsroom(new_portal: Callable[..., Any], new_desk: Callable[..., Any], answer: Callable[..., bytes]) -> Newsroom:
    portal = new_portal()
    return Newsroom(portal, new_desk(), answer)


def test_an_unproved_sitemap_is_read_only_on_nights_with_news(newsroom: Newsroom) -> None:
    assert {INDEX, PART} <= set(newsroom.crawl())
    assert newsroom.crawl() == list(SECTIONS)
    target = newsroom.publish(SECTIONS[1])
    assert newsroom.crawl() == [*SECTIONS, target, INDEX, PART]


def test_a_sitemap_that_had_all_news_on_three_nights_replaces_the_listings(newsroom: Newsroom) -> None:
    newsroom.prove()
    assert [newsroom.crawl() for _ in range(4)] == [[PART], [PART], list(SECTIONS), [PART]]
    target = newsroom.publish(SECTIONS[2])
    assert sorted(newsroom.crawl()) == sorted([PART, SECTIONS[2], target])
    items = newsroom.desk.export()
    assert len(items) == len(newsroom.articles)
    assert {item["section"] for item in items if item["url"].endswith(target)} == {"Mục /van-ban/"}
    newsroom.desk.danvan("status")
    assert newsroom.crawl("--since", "2026-01-01") == list(SECTIONS)
    newsroom.desk.environment["DANVAN_FEED_DAYS"] = "0"
    assert newsroom.crawl() == list(SECTIONS)
    del newsroom.desk.environment["DANVAN_FEED_DAYS"]
    newsroom.desk.danvan("rebuild")
    assert newsroom.desk.export() == items
    assert newsroom.crawl() == [PART]  # the trust in the feed outlives a rebuild
    assert set(SECTIONS) <= set(newsroom.crawl("--full"))


@pytest.mark.parametrize("media_type", ["text/xml", "application/x-gzip"])
def test_a_sitemap_that_is_a_gzip_file_without_a_header_is_read_as_well(newsroom: Newsroom, media_type: str) -> None:
    newsroom.packed_as = media_type
    newsroom.prove()
    assert [newsroom.crawl() for _ in range(3)] == [[PART], [PART], list(SECTIONS)]
    unlisted = newsroom.publish(SECTIONS[1])
    assert {PART, unlisted} <= set(newsroom.crawl())
    newsroom.desk.check_rebuild()
    newsroom.publish(SECTIONS[0])
    cut = newsroom.answer(gzip.compress(b"<urlset>")[:-1], media_type=media_type)
    page = {PART.strip("/").removesuffix(".xml"): cut}
    assert set(SECTIONS) <= set(newsroom.crawl(**page))  # type: ignore[arg-type]


def test_a_sitemap_that_lacks_an_article_is_not_trusted_any_more(
    newsroom: Newsroom, answer: Callable[..., bytes]
) -> None:
    newsroom.prove()
    name = PART.strip("/").removesuffix(".xml")
    for page in (
        answer("<p>Lỗi</p>", status="404 Not Found"),
        answer(status="302 Found", headers={"Location": "http://192.0.2.1/"}),
    ):
        news = newsroom.publish(SECTIONS[1])
        assert set(newsroom.crawl(**{name: page})) == {PART, *SECTIONS, news}  # type: ignore[arg-type]
        newsroom.publish(SECTIONS[1])
        assert newsroom.crawl()[:3] == list(SECTIONS)  # the sitemap proves itself once more
    missed = newsroom.publish(SECTIONS[0])
    newsroom.left_out.add(missed)
    assert [newsroom.crawl(), newsroom.crawl()] == [[PART], [PART]]
    assert sorted(newsroom.crawl()) == sorted([*SECTIONS, missed, INDEX, PART])  # the listings are read in this run
    assert set(newsroom.crawl()) == {PART, SECTIONS[0]}
