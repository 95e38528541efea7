"""What holds for every test: nothing of the caller's environment leaks in, no clock and no free space of the disk
decides, and CI skips nothing. All tests make pages in one way (`make_page`)."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from pathlib import Path

import hypothesis
import pytest

from danvan_crawler.pages.page import Page

TESTS = Path(__file__).parent
QUICK = {"danvan_crawler", "pipelines", "spiders"}
"""Folders whose tests are quick if nothing else is said; the Makefile runs those of the same folders."""
IN_CI = os.environ.get("CI", "").lower() in {"1", "true"} or os.environ.get("DANVAN_CI") == "1"

# No deadline: a test that fails because the machine was busy says nothing about the code. In CI the examples are the
# same in every run, so that a failure there is met again on a desk.
hypothesis.settings.register_profile("danvan", deadline=None, derandomize=IN_CI)
hypothesis.settings.register_profile("quick", deadline=None, derandomize=IN_CI, max_examples=20)
hypothesis.settings.load_profile("danvan")


def pytest_configure() -> None:
    """Forgets settings of the person who runs the tests: their archive, profiles and proxies are none of ours.

    DANVAN_CI stays, since the parallel workers start after this and read it again.
    """
    for name in set(os.environ) - {"DANVAN_CI"}:
        if name.startswith(("DANVAN_", "SCRAPY_")) or name.lower() in {"http_proxy", "https_proxy", "all_proxy"}:
            del os.environ[name]
    # A crawl stops where less is free than this; tests run on small disks too.
    os.environ["DANVAN_MIN_FREE"] = "0"


@pytest.fixture(scope="session")
def make_page() -> Callable[..., Page]:
    """Makes a page from its markup: HTML if `content_type` does not say that it is something else."""

    def make(
        markup: str | bytes,
        url: str = "http://danvan.example.vn/tin-tuc/",
        *,
        content_type: str = "text/html; charset=utf-8",
        captured_at: str = "",
    ) -> Page:
        return Page(
            url,
            200,
            markup.encode("utf-8", "surrogatepass") if isinstance(markup, str) else markup,
            content_type=content_type,
            is_text=not content_type.startswith("image/"),
            is_html=content_type.startswith("text/html") or not content_type,
            captured_at=captured_at,
        )

    return make


@pytest.hookimpl(tryfirst=True)  # before markers select tests
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks tests as slow, and puts the folders with the longest files first.

    Slow are tests that run commands, and all outside of QUICK: `make test` runs each test either as a quick or as a
    slow one. If the longest files came last, one worker would still be busy with them when the others have ended.
    """
    for item in items:
        folder, *below = item.path.relative_to(TESTS).parts
        if "forked" in getattr(item, "fixturenames", ()) or (below and folder not in QUICK):
            item.add_marker("slow")
    longest = {"fleet": 0, "end_to_end": 1}
    items.sort(key=lambda item: min((longest[part] for part in item.path.parts if part in longest), default=2))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test is a failed one: a check that silently stopped running protects nobody."""
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole module that skips itself (`importorskip`, `pytest.skip(allow_module_level=True)`)."""
    report = yield
    if IN_CI and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"
    return report
