"""`danvan demo`: its output for a new user, and items that equal the content of the portal."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from danvan_crawler.sample import SampleArticle, articles


@dataclass(frozen=True)
class Demo:
    desk: Any
    printed: subprocess.CompletedProcess[str]
    items: dict[str, dict[str, Any]]
    """By path of the canonical address."""


@pytest.fixture(scope="module")
def demo(new_desk: Callable[..., Any]) -> Demo:
    desk = new_desk()
    printed = desk.danvan("demo", "--port", "0")
    return Demo(desk, printed, {urlsplit(item["canonical_url"]).path: item for item in desk.export()})


def wanted(pick: Callable[[SampleArticle], Any]) -> dict[str, Any]:
    """The content of the second edition of the portal, by path."""
    return {article.path: pick(article) for article in articles(2)}


def got(demo: Demo, pick: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    return {path: pick(item) for path, item in demo.items.items()}


def test_it_prints_nothing_on_stdout(demo: Demo) -> None:
    assert demo.printed.stdout == ""


def test_it_prints_the_number_of_stored_articles(demo: Demo) -> None:
    captures = len(demo.desk.rows("select 1 from captures"))
    assert f"{len(articles(2))} articles, {captures} captures, 1 of the articles with a second" in demo.printed.stderr


def test_it_prints_the_paths_of_the_warc_files_and_the_database(demo: Demo) -> None:
    printed = [line.strip() for line in demo.printed.stderr.splitlines()]
    assert len(demo.desk.warc_files()) == 2
    assert {str(path) for path in (*demo.desk.warc_files(), demo.desk.archive / "danvan.sqlite")} <= set(printed)


def test_the_three_commands_that_it_suggests_work(demo: Demo) -> None:
    commands = [line.strip() for line in demo.printed.stderr.partition("Try next:\n")[2].splitlines()]
    assert len(commands) == 3
    for command in commands:
        subprocess.run(
            shlex.split(command), cwd=demo.desk.folder, env=demo.desk.variables(), capture_output=True, check=True
        )


def test_every_article_of_the_portal_is_one_item(demo: Demo) -> None:
    assert len(demo.desk.export()) == len(articles(2))
    assert set(demo.items) == {article.path for article in articles(2)}


@pytest.mark.parametrize(
    "field",
    ["title", "lead", "body_text", "author", "source", "published_raw", "published_at", "published_precision"],
)
def test_a_field_equals_the_content_of_the_portal(demo: Demo, field: str) -> None:
    assert got(demo, lambda item: item[field]) == wanted(lambda article: getattr(article, field))


def test_the_section_comes_from_the_breadcrumb(demo: Demo) -> None:
    assert got(demo, lambda item: item["section"]) == wanted(lambda article: article.section.name)


def test_tags_are_those_of_the_page_in_their_order(demo: Demo) -> None:
    assert got(demo, lambda item: item["tags"]) == wanted(lambda article: list(article.tags))


def test_attachments_have_their_file_names(demo: Demo) -> None:
    assert got(demo, lambda item: [one["name"] for one in item["attachments"]]) == wanted(
        lambda article: [one.name for one in article.attachments]
    )


def test_images_are_those_of_the_page_with_their_captions(demo: Demo) -> None:
    assert got(demo, lambda item: [(urlsplit(one["url"]).path, one["caption"]) for one in item["images"]]) == wanted(
        lambda article: [(one.path, one.caption) for one in article.images]
    )


def test_every_image_and_attachment_is_archived(demo: Demo) -> None:
    linked = [one for item in demo.items.values() for one in (*item["images"], *item["attachments"])]
    assert [one["url"] for one in linked if one["capture"] is None] == []
    assert {one["media_type"] for one in linked} == {"image/png", "application/pdf"}


def test_site_facts_come_from_the_profile(demo: Demo) -> None:
    facts = {(item["site"], item["province"], item["body"], item["extractor"]) for item in demo.items.values()}
    assert facts == {("mau-danvan", "VN-21", "ban-dan-van", "danvan_portal/2")}


def test_only_the_article_without_a_date_has_a_warning(demo: Demo) -> None:
    assert got(demo, lambda item: item["warnings"]) == wanted(
        lambda article: [] if article.published_raw else ["no date line"]
    )


def test_the_edited_article_has_two_revisions_and_the_others_one(demo: Demo) -> None:
    before = {article.path: article.title for article in articles(1)}
    assert got(demo, lambda item: item["revision"]) == wanted(
        lambda article: 2 if before.get(article.path, article.title) != article.title else 1
    )


def test_the_visit_counters_of_the_seed_page_are_stored(demo: Demo) -> None:
    rows = demo.desk.rows("select today, yesterday, this_week, this_month, total from visit_counters")
    assert (1, 0, 1, 0, 92232) in rows


def test_no_text_of_an_item_contains_the_visit_counters(demo: Demo) -> None:
    assert [item["url"] for item in demo.items.values() if "92232" in item["body_text"]] == []


def test_an_article_listed_in_two_sections_is_one_item(demo: Demo) -> None:
    shared = [article for article in articles(2) if len(article.listed_in) > 1]
    assert shared
    places = "select count(distinct section) from listing_links where link_key like '%-{}.html'"
    listed = {article.path: demo.desk.rows(places.format(article.number))[0][0] for article in shared}
    assert listed == {article.path: len(article.listed_in) for article in shared}
    titles = [item["title"] for item in demo.items.values()]
    assert all(titles.count(article.title) == 1 for article in shared)


def test_an_article_under_two_addresses_is_one_item_with_two_captures(demo: Demo) -> None:
    doubled = [article for article in articles(2) if article.other_paths]
    assert doubled
    for article in doubled:
        shown = demo.desk.danvan("show", demo.items[article.path]["item_id"]).stdout
        captured = re.findall(r"(?m)^Capture ", shown)
        assert len(captured) == 1 + len(article.other_paths)


def test_tracking_parameters_of_links_are_removed(demo: Demo) -> None:
    assert [url for (url,) in demo.desk.rows("select url from captures where url like '%utm_%'")] == []
    assert [item["canonical_url"] for item in demo.items.values() if "?" in item["canonical_url"]] == []
