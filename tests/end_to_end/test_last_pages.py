"""The end of a section: after its last page, and not at a page that is missing, empty or redirected for a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

NEWS = "/tin-tuc/hoat-dong-ban-dan-van/"
SECOND = f"{NEWS}trang-2/"

New = Callable[..., Any]


@pytest.fixture
def not_a_page(answer: Callable[..., bytes]) -> dict[str, bytes]:
    """A portal's answer for a page that does not exist."""
    return {
        "404": answer(status="404 Not Found"),
        "410": answer(status="410 Gone"),
        "empty": answer("<html><body><p>Danh sách trống</p></body></html>"),
        "home": answer(status="302 Found", headers={"Location": "/"}),
    }


@pytest.mark.parametrize("how", ["404", "410", "empty", "home"])
def test_a_page_that_is_temporarily_missing_does_not_end_a_section(
    new_portal: New, new_desk: New, answer: Callable[..., bytes], not_a_page: dict[str, bytes], how: str
) -> None:
    portal = new_portal()
    whole = new_desk(portal, only="hoat-dong-ban-dan-van")
    whole.crawl()
    expected = len(whole.export())
    portal.forget()
    second = answer(portal.html(SECOND))
    portal.pages[SECOND] = lambda _request: second if portal.arrived.count(SECOND) > 1 else not_a_page[how]
    desk = new_desk(portal, only="hoat-dong-ban-dan-van")
    desk.crawl()
    assert portal.targets.count(SECOND) == 2
    assert portal.targets.index(SECOND) < portal.targets.index(f"{NEWS}trang-3/")
    found = desk.export()
    assert len(found) == expected
    desk.check_rebuild()
    assert desk.export() == found
    portal.forget()
    desk.crawl()
    assert portal.targets == ["/robots.txt", NEWS]


@pytest.mark.parametrize("how", ["404", "410", "empty", "home"])
def test_a_link_after_the_last_page_is_requested_twice_a_sweep(
    new_portal: New, new_desk: New, not_a_page: dict[str, bytes], how: str
) -> None:
    portal = new_portal()
    portal.pages[SECOND] = not_a_page[how]
    desk = new_desk(portal, only="hoat-dong-ban-dan-van")
    desk.crawl()
    assert portal.targets.count(SECOND) == 2
    assert len(desk.export()) == 10
    portal.forget()
    desk.crawl()
    assert portal.targets == ["/robots.txt", NEWS]
