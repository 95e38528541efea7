from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from danvan_crawler.vietnamese.timestamps import parse

# Half past noon in Hà Nội.
NOW = datetime(2024, 3, 10, 5, 30, 45, tzinfo=UTC)


def read(text: str, now: datetime | None = NOW) -> tuple[str, str, str] | None:
    stamp = parse(text, now=now)
    return None if stamp is None else (stamp.at.isoformat(), stamp.precision, stamp.raw)


@pytest.mark.parametrize(
    ("text", "at", "raw"),
    [
        ("5 phút trước", "2024-03-10T12:25:00+07:00", "5 phút trước"),
        ("45 giây trước", "2024-03-10T12:30:00+07:00", "45 giây trước"),
        ("2 giờ trước", "2024-03-10T10:30:00+07:00", "2 giờ trước"),
        ("1 giờ 20 phút trước", "2024-03-10T11:10:00+07:00", "1 giờ 20 phút trước"),
        ("13 tiếng trước", "2024-03-09T23:30:00+07:00", "13 tiếng trước"),
        ("Đăng 5 phút trước · 616 lượt xem", "2024-03-10T12:25:00+07:00", "5 phút trước"),
        ("Cập nhật: 2 giờ trước", "2024-03-10T10:30:00+07:00", "2 giờ trước"),
        ("3 hours ago", "2024-03-10T09:30:00+07:00", "3 hours ago"),
        ("Hôm qua, 08:05", "2024-03-09T08:05:00+07:00", "Hôm qua, 08:05"),
        ("08:05 hôm qua", "2024-03-09T08:05:00+07:00", "08:05 hôm qua"),
        ("hôm qua lúc 8h30", "2024-03-09T08:30:00+07:00", "hôm qua lúc 8h30"),
        ("Hôm nay 08:05", "2024-03-10T08:05:00+07:00", "Hôm nay 08:05"),
    ],
)
def test_hours_and_minutes_give_the_minute(text: str, at: str, raw: str) -> None:
    assert read(text) == (at, "minute", raw)


@pytest.mark.parametrize(
    ("text", "at"),
    [("3 ngày trước", "2024-03-07"), ("Hôm qua", "2024-03-09"), ("hôm kia", "2024-03-08"), ("yesterday", "2024-03-09")],
)
def test_days_give_the_day(text: str, at: str) -> None:
    assert read(text) == (f"{at}T00:00:00+07:00", "day", text)


@pytest.mark.parametrize("text", ["2 tuần trước", "3 tháng trước", "5 năm trước", "Đăng 5 năm trước · 616 lượt xem"])
def test_weeks_and_longer_units_are_too_imprecise(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize("text", ["5 phút trước", "Hôm qua", "Hôm qua, 08:05"])
def test_without_the_time_of_the_crawl_there_is_no_date(text: str) -> None:
    assert read(text, now=None) is None


def test_the_day_is_that_in_the_zone_of_the_site() -> None:
    # 23:30 UTC is the next morning in Hà Nội.
    late = datetime(2024, 3, 9, 23, 30, tzinfo=UTC)
    assert read("hôm qua", now=late) == ("2024-03-09T00:00:00+07:00", "day", "hôm qua")


@pytest.mark.parametrize(
    "text",
    [
        "Hôm nay",
        "Hôm nay: 123",
        "Truy cập\nHôm nay\n1\nHôm qua\n0\nTuần này\n1",
        "ngày hôm qua (01/03)",
        "Hôm nay 7.4",
        "(80 ngày trước ngày bầu cử)",
        "Hội nghị đã bế mạc 3 ngày trước",
        "1 tháng 5 ngày trước",
        "2 giờ trước\n3 giờ trước",
        "Hôm qua 25:10",
        "9999 ngày trước và hơn",
    ],
)
def test_counters_and_sentences_are_not_read_as_an_age(text: str) -> None:
    assert read(text) is None


def test_a_full_date_takes_precedence_over_an_age() -> None:
    assert read("23/05/2017 08:05 | 5 phút trước") == ("2017-05-23T08:05:00+07:00", "minute", "23/05/2017 08:05")


def test_an_age_before_the_first_year_is_none() -> None:
    assert read("9999 ngày trước", now=datetime(1995, 1, 1, tzinfo=UTC)) is None


def test_an_age_before_the_first_possible_date_is_none() -> None:
    assert read("9999 giờ trước", now=datetime(1, 1, 2, tzinfo=timezone(timedelta(0)))) is None


def test_a_naive_now_is_an_error() -> None:
    with pytest.raises(ValueError, match="aware"):
        parse("5 phút trước", now=datetime(2024, 3, 10))
