from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest

from danvan_crawler.vietnamese.timestamps import Timestamp, parse

HANOI = timezone(timedelta(hours=7))


def read(text: str, **options: bool | str) -> tuple[str, str] | None:
    stamp = parse(text, **options)  # type: ignore[arg-type]
    return None if stamp is None else (stamp.at.isoformat(), stamp.precision)


def wanted(at: str) -> datetime:
    return datetime.fromisoformat(at if "T" in at else f"{at}T00:00:00+07:00")


def test_reads_every_stamp_seen_on_real_pages(stamps: list[str]) -> None:
    text, at, precision, raw = stamps
    assert parse(text) == Timestamp(wanted(at), precision, raw)  # type: ignore[arg-type]


def test_reads_no_other_text_of_real_pages_with_and_without_the_time_of_the_crawl(no_stamps: list[str]) -> None:
    assert parse(no_stamps[0]) is None
    assert parse(no_stamps[0], now=datetime(2024, 3, 10, 12, 30, tzinfo=HANOI)) is None


def test_reads_every_form_that_templates_produce_in_every_spelling(forms: list[str]) -> None:
    text, at, precision, raw = forms
    spellings: dict[str, Callable[[str], str]] = {
        "as printed": lambda cell: cell,
        "decomposed": lambda cell: unicodedata.normalize("NFD", cell),
        "no-break spaces": lambda cell: cell.replace(" ", "\u00a0"),
        "invisible characters": lambda cell: cell.replace("/", "\u200b/"),
    }
    readings = {name: parse(spelt(text)) for name, spelt in spellings.items()}
    assert readings == {
        name: Timestamp(wanted(at), precision, spelt(raw))  # type: ignore[arg-type]
        for name, spelt in spellings.items()
    }


def test_refuses_impossible_dates_and_other_text(no_forms: list[str]) -> None:
    assert parse(no_forms[0]) is None


def test_full_width_digits_are_digits_and_stay_in_raw() -> None:
    stamp = parse("Ngày đăng： ２３／０５／２０１７　０８：０５")
    assert stamp is not None
    assert (stamp.at.isoformat(), stamp.raw) == ("2017-05-23T08:05:00+07:00", "２３／０５／２０１７　０８：０５")


def test_gmt_plus_seven_is_ahead_of_greenwich() -> None:
    # dateutil reads the sign as POSIX does, which is a difference of fourteen hours.
    stamp = parse("23/05/2017 08:05 GMT+7")
    assert stamp is not None
    assert stamp.at.utcoffset() == timedelta(hours=7)


def test_a_printed_zone_takes_precedence_over_the_site_zone() -> None:
    assert read("23/05/2017 08:05 (GMT+7)", timezone="Europe/Paris") == ("2017-05-23T08:05:00+07:00", "minute")


def test_a_zone_after_a_leading_time_is_used() -> None:
    assert read("08:05 GMT, 23/05/2017") == ("2017-05-23T08:05:00+00:00", "minute")
    assert read("08:05 (GMT+9) - 23/05/2017") == ("2017-05-23T08:05:00+09:00", "minute")


def test_two_zones_that_disagree_are_none() -> None:
    assert read("08:05 (GMT+7) - 23/05/2017 (GMT+9)") is None
    assert read("2017-05-23T08:05:00 GMT+9") is None


def test_a_zone_that_several_countries_use_is_none() -> None:
    assert (read("23/05/2017 08:05 EST"), read("08:05 CST, 23/05/2017")) == (None, None)


def test_without_a_printed_zone_the_site_zone_is_used() -> None:
    assert read("23/05/2017 08:05", timezone="Europe/Paris") == ("2017-05-23T08:05:00+02:00", "minute")


def test_day_and_month_of_iso_dates_are_never_swapped() -> None:
    assert read("2017-03-04", month_first=True) == read("2017-03-04") == ("2017-03-04T00:00:00+07:00", "day")


def test_month_first_reads_the_month_first() -> None:
    assert read("3/4/2017 8:05 AM", month_first=True) == ("2017-03-04T08:05:00+07:00", "minute")


def test_month_first_is_as_strict_as_day_first() -> None:
    assert (read("12/13/2018"), read("13/12/2018", month_first=True)) == (None, None)


def test_month_first_does_not_affect_months_in_words() -> None:
    assert read("9 tháng 5 năm 2017", month_first=True) == ("2017-05-09T00:00:00+07:00", "day")


@pytest.mark.parametrize("midnight", ["00:00", "00:00:00", "0:00", "12:00:00 AM", "12:00 SA", "00h00"])
def test_a_displayed_midnight_means_the_day(midnight: str) -> None:
    assert read(f"Đăng lúc: 23/05/2017 {midnight}") == ("2017-05-23T00:00:00+07:00", "day")


def test_one_minute_past_midnight_is_a_minute() -> None:
    assert read("00:01 28/09/2017") == ("2017-09-28T00:01:00+07:00", "minute")


def test_a_time_before_the_word_chieu_is_not_changed() -> None:
    assert read("23/05/2017 08:05 Chiều nay, đoàn công tác") == ("2017-05-23T08:05:00+07:00", "minute")


def test_of_two_dates_the_labelled_one_is_the_stamp() -> None:
    assert read("20/05/2017\nĐăng lúc: 23/05/2017 08:05") == ("2017-05-23T08:05:00+07:00", "minute")


def test_publication_comes_before_update() -> None:
    assert read("Cập nhật: 24/05/2017 Ngày đăng: 23/05/2017") == ("2017-05-23T00:00:00+07:00", "day")


def test_an_update_alone_is_the_stamp() -> None:
    assert read("Cập nhật: 24/05/2017") == ("2017-05-24T00:00:00+07:00", "day")


def test_two_equal_candidates_are_none() -> None:
    assert read("23/05/2017 08:05\n24/05/2017 08:05") is None


def test_two_labelled_candidates_are_none() -> None:
    assert read("Ngày đăng: 23/05/2017\nNgày đăng: 24/05/2017") is None


def test_the_same_stamp_printed_twice_is_one() -> None:
    assert read("23/05/2017 08:05\n23/05/2017 08:05") == ("2017-05-23T08:05:00+07:00", "minute")


def test_an_impossible_labelled_date_is_not_replaced_by_another() -> None:
    assert read("Ngày đăng: 31/02/2017\n23/05/2017") is None


def test_founding_days_are_not_taken_for_the_date_line() -> None:
    assert read("Thành lập 15/10/1930\nNgày đăng 23/05/2017") == read("15/10/1930\n23/05/2017")


def test_a_date_whose_weekday_contradicts_it_is_none() -> None:
    assert (read("Thứ tư, 23/05/2017"), read("08:05 | Thứ tư, 23/05/2017"), read("23/05/2017 (Thứ tư)")) == (None,) * 3


def test_a_weekday_of_an_attached_lead_does_not_contradict() -> None:
    assert read("23/05/2017 08:05Thứ hai, ngày 22/5, đoàn công tác") == ("2017-05-23T08:05:00+07:00", "minute")


def test_a_sentence_about_a_day_is_no_date_line() -> None:
    line = "Ngày 18/11/2016, tại huyện Bá Thước, Ban Dân vận Tỉnh ủy phối hợp tổ chức hội nghị"
    assert (read(line), read("Ngày 18/11/2016")) == (None, ("2016-11-18T00:00:00+07:00", "day"))


def test_document_dates_are_no_date_line() -> None:
    assert read("Chỉ thị số 05-CT/TW, ngày 15-5-2016 của Bộ Chính trị") is None
    assert read("Ngày ban hành: 20/04/2007 Ngày hiệu lực: 21/05/2007") is None


def test_the_garbled_metadata_time_of_nukeviet_is_read_as_meant() -> None:
    assert read("2017-05-23+0708:05:00") == read("2017-05-23ICT08:05:00") == ("2017-05-23T08:05:00+07:00", "second")


def test_copyright_years_and_times_alone_are_no_date_line() -> None:
    assert (read("© 2012"), read("Bản quyền 2012 - 2024"), read("08:05"), read("5/2017")) == (None,) * 4


@pytest.mark.parametrize("year", ["1990", "2100"])
def test_the_first_and_the_last_year_are_read(year: str) -> None:
    assert read(f"01/01/{year}") == (f"{year}-01-01T00:00:00+07:00", "day")


@pytest.mark.parametrize("year", ["1989", "2101", "0017"])
def test_years_out_of_range_are_none(year: str) -> None:
    assert read(f"01/01/{year}") is None


def test_two_digit_years_belong_to_this_century() -> None:
    assert read("Thứ sáu, 23/05/98") is not None
    assert read("23/05/98") == ("2098-05-23T00:00:00+07:00", "day")


def test_a_timestamp_cannot_be_changed() -> None:
    stamp = parse("23/05/2017")
    assert stamp is not None
    with pytest.raises(AttributeError):
        stamp.raw = ""  # type: ignore[misc]


@pytest.mark.parametrize(
    "name", ["", "nowhere/x", "GMT+7", "../../etc/localtime", "/etc/localtime", "Asia/Ho Chi Minh"]
)
def test_an_unknown_zone_is_an_error_that_names_it(name: str) -> None:
    with pytest.raises(ValueError, match="unknown timezone"):
        parse("23/05/2017", timezone=name)


@pytest.mark.slow
def test_long_and_hostile_texts_are_read_in_linear_time() -> None:
    # Patterns that search back over the whole text at every date, or try every split of the spaces, would take hours.
    assert parse("ngày 1/1/2017 " * 2_000) is None
    assert parse("đăng " * 50_000 + "\n23/05/2017") is not None
    assert parse("23" + " " * 100_000 + "tháng 5 năm 2017") is None
