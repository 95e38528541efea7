from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from danvan_crawler.vietnamese.timestamps import parse

WEEKDAYS = ("Thứ hai", "Thứ ba", "Thứ tư", "Thứ năm", "Thứ sáu", "Thứ bảy", "Chủ nhật")
MONTHS = ("Một", "Hai", "Ba", "Tư", "Năm", "Sáu", "Bảy", "Tám", "Chín", "Mười", "Mười Một", "Mười Hai")
ENGLISH = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 12, 31))


def twelve(at: datetime) -> str:
    return f"{at:%d/%m/%Y} {(at.hour - 1) % 12 + 1}:{at:%M:%S} {'SA' if at.hour < 12 else 'CH'}"


def numbers(at: datetime) -> str:
    return f"{at.day}/{at.month}/{at.year}"


# Each form with the finest unit that it prints.
FORMS: dict[str, tuple[str, Callable[[datetime], str]]] = {
    "seed": ("second", lambda at: f"Đăng lúc: {at:%d/%m/%Y %H:%M:%S} (GMT+7)"),
    "nukeviet": ("minute", lambda at: f"{WEEKDAYS[at.weekday()]} - {at:%d/%m/%Y %H:%M}   Đã xem: 12"),
    "joomla": ("minute", lambda at: f"{WEEKDAYS[at.weekday()]}, {at.day} Tháng {at.month} {at.year} {at:%H:%M}"),
    "epi": ("minute", lambda at: f"{at:%H:%M}, {at:%d/%m/%Y}"),
    "bar": ("minute", lambda at: f"Ngày phát hành {at:%H:%M} | {numbers(at)}"),
    "bracket": ("minute", lambda at: f"{WEEKDAYS[at.weekday()]}, {at:%d/%m/%Y}, {at:%H:%M} [GMT+7]"),
    "update": ("minute", lambda at: f"Cập nhật, {at:%H:%M}, {WEEKDAYS[at.weekday()]}, {at:%d/%m/%Y} (GMT+7)"),
    "half day": ("second", twelve),
    "hour sign": ("minute", lambda at: f"{at.hour}h{at.minute}, {at:%d-%m-%Y}"),
    "year first": ("second", lambda at: f"{at:%Y-%m-%d %H:%M:%S}"),
    "iso": ("second", lambda at: f"{at:%Y-%m-%dT%H:%M:%S}+07:00"),
    "feed": ("second", lambda at: f"{at:%d} {ENGLISH[at.month - 1]} {at:%Y %H:%M:%S} +0700"),
    "words": ("day", lambda at: f"Ngày {at.day} tháng {at.month} năm {at.year}"),
    "wordpress": ("day", lambda at: f"{at.day} Tháng {MONTHS[at.month - 1]}, {at.year}"),
    "spaced": ("day", lambda at: f"Đăng ngày {at:%d - %m - %Y}"),
    "dots": ("day", lambda at: f"{at.day}.{at.month}.{at.year}"),
    "list": ("day", lambda at: f"Hội nghị giao ban công tác dân vận ({at:%d/%m/%Y})"),
}
# Parts of date lines, so that random combinations reach the edge cases of the patterns.
PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *"0123456789/-.:, |()[]+\n'\u0301\u00a0đTZh",
                *("ngày ", "tháng ", " năm ", "Thứ ba", "đăng", "lúc ", "GMT", "SA", "CH", "trước", "hôm qua", "phút "),
                *("20", "2017", "Ngày đăng: ", "đến "),
            ]
        ),
        st.characters(),
    ),
    max_size=40,
).map("".join)


@pytest.mark.parametrize("form", FORMS)
@given(at=MOMENTS)
def test_any_moment_reads_back_in_every_form(form: str, at: datetime) -> None:
    unit, write = FORMS[form]
    kept = {"second": at.replace(microsecond=0), "minute": at.replace(second=0, microsecond=0)}.get(
        unit, datetime(at.year, at.month, at.day)
    )
    midnight = (kept.hour, kept.minute, kept.second) == (0, 0, 0)
    stamp = parse(write(at))
    assert stamp is not None
    assert (stamp.at.replace(tzinfo=None), stamp.precision) == (kept, "day" if midnight else unit)


@given(at=MOMENTS, day=st.integers(32, 99))
def test_no_day_after_the_end_of_the_month_is_read(at: datetime, day: int) -> None:
    assert parse(f"Đăng lúc: {day}/{at:%m/%Y %H:%M}") is None


@given(at=MOMENTS, month=st.integers(13, 99))
def test_no_month_greater_than_twelve_is_read(at: datetime, month: int) -> None:
    assert parse(f"Đăng lúc: {at:%d}/{month}/{at:%Y %H:%M}") is None


@given(at=MOMENTS)
def test_a_wrong_weekday_is_always_refused(at: datetime) -> None:
    assert parse(f"{WEEKDAYS[at.weekday() - 1]}, {at:%d/%m/%Y %H:%M}") is None


@given(text=st.one_of(st.text(), PIECES))
def test_no_text_raises(text: str) -> None:
    parse(text)
    parse(text, now=datetime(2024, 3, 10, tzinfo=UTC), month_first=True)


@given(text=PIECES)
def test_raw_is_verbatim_and_contains_the_digits_of_the_date(text: str) -> None:
    stamp = parse(text)
    if stamp is not None:
        digits = unicodedata.normalize("NFKC", stamp.raw)
        assert stamp.raw in text
        assert f"{stamp.at:%y}" in digits
        assert str(stamp.at.day) in digits


@given(before=PIECES, at=MOMENTS)
def test_no_text_before_a_date_changes_the_day(before: str, at: datetime) -> None:
    stamp = parse(f"{before}\nĐăng lúc: {at:%d/%m/%Y}")
    assert stamp is None or stamp.at.date() == at.date() or stamp.raw in before
