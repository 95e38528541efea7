"""When an article is visited again, and when it is gone: as functions of its captures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from danvan_crawler.exceptions import UsageError
from danvan_crawler.store.lifecycle import Change, days_of, gone_at, history, next_visit

PUBLISHED = "2026-01-01T07:00:00+07:00"
DAYS = (1, 3, 7, 30, 180)


def on(day: int, hour: int = 0) -> str:
    """A WARC-Date in January 2026, or in February for days beyond 31."""
    month, day = (1, day) if day <= 31 else (2, day - 31)
    return f"2026-{month:02}-{day:02}T{hour:02}:00:00.000000Z"


def test_visits_become_less_frequent() -> None:
    visits, seen = [], on(1, 12)
    while (due := next_visit(PUBLISHED, on(1, 12), seen, (), DAYS)) is not None:
        visits.append(due[:10])
        seen = due
    assert visits == ["2026-01-02", "2026-01-04", "2026-01-08", "2026-01-31", "2026-06-30"]


def test_missed_visits_are_not_made_up_one_by_one() -> None:
    assert next_visit(PUBLISHED, on(1, 12), on(9), (), DAYS) == "2026-01-31T00:00:00.000000Z"


def test_an_article_that_was_old_when_first_seen_is_never_due() -> None:
    assert next_visit("2017-05-23T00:00:00+07:00", on(1), on(1), (), DAYS) is None


def test_without_a_date_visits_are_counted_from_the_first_capture() -> None:
    assert next_visit(None, on(5), on(5), (), DAYS) == on(6)


def test_without_days_there_are_no_visits() -> None:
    assert next_visit(PUBLISHED, on(1), on(1), (), ()) is None


def test_an_absent_article_is_visited_again_a_day_later() -> None:
    assert gone_at(on(2), [on(8, 1)]) is None
    assert next_visit(PUBLISHED, on(1), on(2), [on(8, 1)], DAYS) == on(9)


def test_an_article_absent_twice_within_a_day_is_not_gone() -> None:
    assert gone_at(on(2), [on(8, 1), on(8, 23)]) is None
    assert next_visit(PUBLISHED, on(1), on(2), [on(8, 1), on(8, 23)], DAYS) == on(9)


def test_an_article_absent_twice_at_least_a_day_apart_is_gone() -> None:
    absent = [on(8, 1), on(8, 23), on(9, 1), on(10)]
    assert gone_at(on(2), absent) == on(9, 1)
    assert next_visit(PUBLISHED, on(1), on(2), absent[:3], DAYS) == on(10, 1)


def test_an_article_that_came_back_is_not_gone() -> None:
    assert gone_at(on(10), [on(8), on(9)]) is None


def test_history_lists_the_changes_in_order() -> None:
    present = [(on(1), "a"), (on(2), "a"), (on(3), "b"), (on(12), "b"), (on(20), "a")]
    assert history(present, [on(8), on(9), on(10)]) == [
        Change(on(1), "new", after="a"),
        Change(on(3), "edited", "a", "b"),
        Change(on(9), "gone"),
        Change(on(12), "revived"),
        Change(on(20), "edited", "b", "a"),
    ]


def test_an_article_that_came_back_with_another_text_is_revived_and_edited() -> None:
    changes = history([(on(1), "a"), (on(12), "b")], [on(8), on(9)])
    assert [change.kind for change in changes] == ["new", "gone", "revived", "edited"]


def test_absences_before_the_first_capture_are_ignored() -> None:
    assert [change.kind for change in history([(on(5), "a")], [on(1), on(3)])] == ["new"]


MOMENTS = st.builds(on, st.integers(1, 59), st.integers(0, 23))


@given(st.lists(st.tuples(MOMENTS, st.sampled_from("ab")), min_size=1, unique_by=lambda one: one[0]), st.lists(MOMENTS))
def test_an_article_is_gone_if_its_history_ends_with_gone(present: list[tuple[str, str]], absent: list[str]) -> None:
    absent = [date for date in absent if date not in dict(present)]
    last = max(date for date, _ in present)
    gone = [change.date for change in history(present, absent) if change.kind == "gone" and change.date > last]
    assert gone_at(last, absent) == (gone[0] if gone else None)


@given(st.lists(MOMENTS, min_size=1), st.lists(MOMENTS), st.none() | st.just(PUBLISHED))
def test_the_next_visit_is_after_the_last(seen: list[str], absent: list[str], published: str | None) -> None:
    due = next_visit(published, min(seen), max(seen), absent, DAYS)
    since = min((date for date in absent if date > max(seen)), default=None)
    assert due is None or due > (since or max(seen))


def test_days_of_a_setting_are_read_in_any_order() -> None:
    assert days_of("7,1, 0.5") == (0.5, 1.0, 7.0)
    assert days_of("") == ()


@pytest.mark.parametrize("text", ["daily", "1;3", "-1", "0", "nan", "1e9"])
def test_an_invalid_list_of_days_is_refused_with_the_name_of_the_setting(text: str) -> None:
    with pytest.raises(UsageError, match="DANVAN_REVISIT_DAYS must be days after publication"):
        days_of(text)
