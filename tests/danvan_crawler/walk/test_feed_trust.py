"""When a feed may replace listings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from danvan_crawler.walk.feed_trust import EXCLUDED_FOR, REQUIRED_NIGHTS, Shown, Trust

NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
A_DAY = timedelta(days=1)
FEED = "http://example.vn/sitemap-vi.news.xml"
A, B, C = (f"http://example.vn/{name}/" for name in "abc")


def shown(first_page: str, new: str = "") -> Shown:
    return Shown(set(first_page.split()), set(new.split()))


def proved(nights: int = REQUIRED_NIGHTS, sections: tuple[str, ...] = (A, B)) -> Trust:
    """A feed that has contained the news of these sections on this number of nights."""
    trust = Trust()
    for night in range(nights):
        listings = {section: shown(f"{section}{night}", f"{section}{night}") for section in sections}
        named = {key for one in listings.values() for key in one.first_page}
        assert trust.compare(FEED, named, listings, NOW + night * A_DAY) == []
    return trust


def test_a_feed_replaces_sections_whose_news_it_had_on_three_nights() -> None:
    assert proved(REQUIRED_NIGHTS - 1).replacement([A, B, C]) is None
    assert proved().replacement([A, B, C]) == (FEED, [A, B])


def test_a_feed_of_only_one_section_replaces_nothing() -> None:
    assert proved(sections=(A,)).replacement([A, B]) is None
    assert proved().replacement([A]) is None


def test_runs_shortly_after_each_other_count_as_one_night() -> None:
    trust = Trust()
    for minutes in range(REQUIRED_NIGHTS + 1):
        listings = {section: shown("1", "1") for section in (A, B)}
        trust.compare(FEED, {"1"}, listings, NOW + timedelta(minutes=minutes))
    assert trust.replacement([A, B]) is None


def test_a_section_without_news_counts_if_the_feed_has_its_whole_first_page() -> None:
    trust = Trust()
    for night in range(REQUIRED_NIGHTS):
        listings = {A: shown("1 2", "2"), B: shown("5 6"), C: shown("8 9")}
        trust.compare(FEED, {"1", "2", "5", "6", "8"}, listings, NOW + night * A_DAY)
    assert trust.replacement([A, B, C]) == (FEED, [A, B])


def test_a_feed_on_nights_without_any_news_proves_nothing() -> None:
    trust = Trust()
    for night in range(REQUIRED_NIGHTS):
        trust.compare(FEED, {"1", "5"}, {A: shown("1"), B: shown("5")}, NOW + night * A_DAY)
    assert trust.replacement([A, B]) is None


def test_one_missing_article_ends_the_trust_for_that_section() -> None:
    trust = proved(sections=(A, B, C))
    missed = trust.compare(FEED, {"1"}, {A: shown("1 2", "1 2"), B: shown("1", "1")}, NOW + REQUIRED_NIGHTS * A_DAY)
    assert missed == [A]
    assert trust.replacement([A, B, C]) == (FEED, [B, C])


def test_a_feed_that_lacked_an_article_is_checked_again_after_a_month() -> None:
    trust = Trust()
    trust.compare(FEED, {"1"}, {A: shown("1 2", "1 2"), B: shown("3", "3")}, NOW)
    assert not trust.can_learn([A, B], NOW + A_DAY)
    assert trust.can_learn([A, B], NOW + EXCLUDED_FOR)


def test_an_unreadable_feed_must_prove_itself_on_one_more_night() -> None:
    trust = proved()
    trust.require_one_more_night(FEED, NOW + REQUIRED_NIGHTS * A_DAY)
    assert trust.replacement([A, B]) is None
    trust.compare(FEED, {"9"}, {A: shown("9", "9"), B: shown("9", "9")}, NOW + (REQUIRED_NIGHTS + 1) * A_DAY)
    assert trust.replacement([A, B]) == (FEED, [A, B])


def test_an_address_without_a_feed_is_checked_again_after_a_month() -> None:
    trust = Trust()
    assert trust.can_learn([A, B], NOW)
    trust.exclude(FEED, [A, B], NOW)
    assert not trust.can_learn([A, B], NOW + A_DAY)
    assert trust.can_learn([A, B], NOW + EXCLUDED_FOR)


def test_a_feed_that_is_proved_for_all_sections_needs_no_more_proof() -> None:
    assert not proved().can_learn([A, B], NOW + 9 * A_DAY)
    assert proved().can_learn([A, B, C], NOW + 9 * A_DAY)


def test_the_trust_is_read_back_as_written() -> None:
    assert Trust.read(proved().written()).replacement([A, B]) == (FEED, [A, B])
    assert Trust.read(proved().written()).written() == proved().written()


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"a": 1}', '{"a": {"b": [1]}}', '{"a": {"b": [3, "never"]}}'])
def test_an_unreadable_text_gives_no_trust(text: str | None) -> None:
    assert Trust.read(text).replacement([A, B]) is None
