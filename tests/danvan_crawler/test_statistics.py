"""Names of statistics: each is in one module, and a misspelt name is an error wherever it is used."""

from __future__ import annotations

import doctest
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scrapy.settings import Settings
from scrapy.statscollectors import StatsCollector
from scrapy.utils.misc import load_object
from scrapy.utils.test import get_crawler

from danvan_crawler import statistics

ROOT = Path(__file__).resolve().parents[2]
_LITERAL = re.compile(r"""["'](danvan/[^"'{]*)""")


@pytest.fixture
def collector() -> StatsCollector:
    """The statistics of a crawl with the project's settings."""
    settings = Settings()
    settings.setmodule("danvan_crawler.settings")
    made = load_object(settings["STATS_CLASS"])(get_crawler())
    assert isinstance(made, StatsCollector)
    return made


def literals(*folders: str) -> dict[str, set[str]]:
    """Module -> names of our statistics that are literals in it; of f-strings the part before the first value."""
    found = {
        path.relative_to(ROOT).as_posix(): set(_LITERAL.findall(path.read_text("utf-8")))
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
    }
    return {name: names for name, names in found.items() if names}


def test_the_docstring_examples_are_correct() -> None:
    assert doctest.testmod(statistics).failed == 0


def test_no_other_module_has_a_name_as_a_literal() -> None:
    found = set(literals("danvan_crawler", "spiders", "pipelines")) - {"danvan_crawler/statistics.py"}
    assert found == set()


def test_every_name_that_a_test_has_as_a_literal_is_known() -> None:
    for module, names in literals("tests").items():
        if module != "tests/danvan_crawler/test_statistics.py":
            for name in names - {statistics.PREFIX}:
                assert statistics.require_known(name) == name, module


def test_every_name_is_defined_once() -> None:
    text = (ROOT / "danvan_crawler" / "statistics.py").read_text("utf-8")
    defined = re.findall(r"^[A-Z_]+: Final = \"(danvan/.+)\"$", text, re.MULTILINE)
    assert len(defined) > 30
    assert len(set(defined)) == len(defined)


@pytest.mark.parametrize(
    "name",
    [
        statistics.ARTICLES,
        statistics.articles("new"),
        statistics.articles("linked_again"),
        statistics.in_section("linked", "Tin tức/Sự kiện"),
        statistics.in_section("forbidden", ""),
        statistics.articles_with("author"),
        "downloader/request_count",
    ],
)
def test_known_names_and_names_of_others_are_accepted(collector: StatsCollector, name: str) -> None:
    collector.inc_value(name)
    collector.max_value(name, 3)
    collector.min_value(name, 2)
    assert collector.get_value(name) == 2
    collector.set_value(name, 5)
    assert collector.get_stats()[name] == 5
    collector.set_stats({name: 7})
    assert collector.get_value(name) == 7


def test_a_prefix_alone_is_no_statistic() -> None:
    for name in ("danvan/", "danvan/articles_", "danvan/article", "danvan/linked_in", "danvan/lost_in/Tin tức"):
        with pytest.raises(ValueError, match=f"'{name}' is not a statistic"):
            statistics.require_known(name)


@pytest.mark.parametrize(
    "use",
    [
        lambda stats: stats.get_value("danvan/artciles"),
        lambda stats: stats.get_value("danvan/artciles", 0),
        lambda stats: stats.set_value("danvan/artciles", 1),
        lambda stats: stats.inc_value("danvan/artciles"),
        lambda stats: stats.max_value("danvan/artciles", 1),
        lambda stats: stats.min_value("danvan/artciles", 1),
        lambda stats: stats.set_stats({"danvan/artciles": 1}),
    ],
    ids=["get", "get with default", "set", "inc", "max", "min", "set all"],
)
def test_a_misspelt_name_is_an_error(collector: StatsCollector, use: Callable[[StatsCollector], Any]) -> None:
    with pytest.raises(ValueError, match="'danvan/artciles' is not a statistic"):
        use(collector)
    assert collector.get_stats() == {}


def test_a_misspelt_kind_of_article_is_an_error() -> None:
    with pytest.raises(ValueError, match="there is no statistic of articles 'forbiden'"):
        statistics.articles("forbiden")
