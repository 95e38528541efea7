"""Choosing the day of publication from several dates."""

from __future__ import annotations

from datetime import timedelta

import pytest

from danvan_crawler.vietnamese.dating import (
    CLOCK,
    CLOCK_ONLY,
    EARLY,
    FUTURE,
    Candidate,
    choose,
    in_address,
    read,
)

CAPTURED = "2026-11-23T08:00:00.000000Z"
STAMP = Candidate("visible", "Đăng lúc: 23/05/2017 08:05")
JSON_LD = Candidate("json-ld", "2017-06-09T09:41:12+07:00")
OPENGRAPH = Candidate("opengraph", "2017-05-23T08:05:00+07:00")
ADDRESS = Candidate("url", "https://example.vn/2017/05/22/hoi-nghi.html")


def test_a_displayed_date_takes_precedence_in_any_order_of_candidates() -> None:
    choice = choose([ADDRESS, JSON_LD, STAMP], captured_at=CAPTURED)
    assert (choice.source, choice.raw, choice.published_from) == ("visible", STAMP.raw, "visible")


def test_the_family_sets_the_order_of_trust() -> None:
    assert choose([STAMP, JSON_LD], trust=("json-ld", "visible"), captured_at=CAPTURED).source == "json-ld"


def test_a_source_that_is_not_trusted_is_neither_chosen_nor_compared() -> None:
    assert choose([JSON_LD], trust=("visible", "url")).stamp is None
    assert choose([STAMP, JSON_LD], trust=("visible", "url")).warnings == ()


def test_sources_of_different_days_are_a_warning_that_names_them() -> None:
    choice = choose([STAMP, JSON_LD, OPENGRAPH, ADDRESS], captured_at=CAPTURED)
    assert choice.warnings == ("dates disagree: visible 2017-05-23, json-ld 2017-06-09, url 2017-05-22",)


@pytest.mark.parametrize("other", ["2017-05-23T23:59:00+07:00", "2017-05-22T20:00:00Z", "2017-05-23T22:30:00Z"])
def test_the_same_day_at_another_time_or_in_another_zone_is_no_disagreement(other: str) -> None:
    assert choose([STAMP, Candidate("json-ld", other)], captured_at=CAPTURED).warnings == ()


@pytest.mark.parametrize(
    ("candidate", "published_from", "raw", "at"),
    [
        (OPENGRAPH, "metadata", OPENGRAPH.raw, "2017-05-23T08:05:00+07:00"),
        (Candidate("time", "2017-05-23"), "metadata", "2017-05-23", "2017-05-23T00:00:00+07:00"),
        (Candidate("feed", "Tue, 23 May 2017 01:05:00 GMT"), "metadata", None, "2017-05-23T01:05:00+00:00"),
        (ADDRESS, "url", "2017/05/22", "2017-05-22T00:00:00+07:00"),
    ],
)
def test_without_a_displayed_date_another_source_is_used(
    candidate: Candidate, published_from: str, raw: str | None, at: str
) -> None:
    choice = choose([Candidate("visible", "Văn bản số 12 ngày 01/02/2010"), candidate], captured_at=CAPTURED)
    assert choice.stamp is not None
    assert (choice.published_from, choice.raw) == (published_from, raw or candidate.raw)
    assert choice.stamp.at.isoformat() == at
    assert choice.warnings == ()


@pytest.mark.parametrize("line", ["© 2012 Ban Dân vận Tỉnh ủy", "Văn bản số 12 ngày 01/02/2010", "2012", ""])
def test_a_text_without_a_date_is_never_chosen(line: str) -> None:
    assert choose([Candidate("visible", line)], captured_at=CAPTURED).stamp is None


@pytest.mark.parametrize("line", ["Thứ hai, 23/11/2026", "Thứ hai, 23/11/2026 15:02", "Chủ nhật, 22/11/2026"])
def test_the_clock_of_a_page_is_not_the_date_of_its_article(line: str) -> None:
    choice = choose([Candidate("visible", line, in_header=True)], captured_at=CAPTURED)
    assert (choice.stamp, choice.warnings) == (None, (CLOCK_ONLY,))


def test_a_clock_does_not_hide_the_other_dates() -> None:
    choice = choose([Candidate("visible", "23/11/2026", in_header=True), OPENGRAPH], captured_at=CAPTURED)
    assert (choice.source, choice.warnings) == ("opengraph", ())


def test_an_article_published_on_the_day_of_capture_keeps_its_date() -> None:
    choice = choose([Candidate("visible", "Ngày 23/11/2026")], captured_at=CAPTURED)
    assert choice.stamp is not None
    assert choice.warnings == ()


@pytest.mark.parametrize(
    ("line", "warning"),
    [
        ("Ngày 01/12/2026", FUTURE),
        ("Ngày 23/05/2004", EARLY),
        ("Đăng lúc: 23/11/2026 15:04", CLOCK),
    ],
)
def test_a_displayed_date_that_is_implausible_is_kept_with_a_warning(line: str, warning: str) -> None:
    choice = choose([Candidate("visible", line)], captured_at=CAPTURED, first_year=2005)
    assert (choice.raw, choice.warnings) == (line, (warning,))


@pytest.mark.parametrize(
    ("raw", "warning"),
    [
        ("2026-11-25", FUTURE),
        ("2004-05-23T08:05:00+07:00", EARLY),
        ("2026-11-23T08:00:02Z", CLOCK),
    ],
)
def test_metadata_that_is_implausible_is_left_out_with_a_warning(raw: str, warning: str) -> None:
    wrong = Candidate("json-ld", raw)
    choice = choose([wrong], captured_at=CAPTURED, first_year=2005)
    assert (choice.stamp, choice.warnings) == (None, (f"json-ld date not used: {warning}",))
    assert choose([wrong, ADDRESS], captured_at=CAPTURED, first_year=2005).source == "url"


def test_a_wrong_site_clock_is_corrected_before_the_comparison() -> None:
    now = Candidate("json-ld", "2026-11-23T22:00:02+07:00")
    assert choose([now], captured_at=CAPTURED, clock_offset=timedelta(hours=7)).stamp is None


def test_metadata_with_several_days_is_that_of_related_news() -> None:
    choice = choose([Candidate("time", "2017-05-18"), Candidate("time", "2017-05-11"), ADDRESS], captured_at=CAPTURED)
    assert (choice.source, choice.warnings) == ("url", ())


def test_without_a_time_of_capture_there_is_no_comparison_with_it() -> None:
    assert choose([Candidate("visible", "Ngày 01/12/2062")]).warnings == ()


def test_the_month_comes_first_if_the_site_says_so() -> None:
    choice = choose([Candidate("visible", "05/23/2017")], month_first=True)
    assert choice.stamp is not None
    assert choice.stamp.at.isoformat() == "2017-05-23T00:00:00+07:00"


@pytest.mark.parametrize(
    ("raw", "at", "precision"),
    [
        ("2017-05-23T08:05:00+07:00", "2017-05-23T08:05:00+07:00", "second"),
        ("2017-05-23T01:05:00.000Z", "2017-05-23T01:05:00+00:00", "second"),
        ("2017-05-23+0708:05:00", "2017-05-23T08:05:00+07:00", "second"),
        ("2017-05-23T08:05+0700", "2017-05-23T08:05:00+07:00", "minute"),
        ("2017-05-23T00:00:00Z", "2017-05-23T00:00:00+07:00", "day"),
        ("2017-05-22T17:00:00Z", "2017-05-23T00:00:00+07:00", "day"),
        ("2017/05/23", "2017-05-23T00:00:00+07:00", "day"),
    ],
)
def test_metadata_is_read_in_machine_formats(raw: str, at: str, precision: str) -> None:
    stamp = read(raw, "metadata")
    assert stamp is not None
    assert (stamp.at.isoformat(), stamp.precision) == (at, precision)


@pytest.mark.parametrize("raw", ["5/6/2017 8:05:00 AM", "23/05/2017", "0001-01-01T00:00:00", "1495501500", "today", ""])
def test_ambiguous_metadata_is_none(raw: str) -> None:
    assert read(raw, "metadata") is None


@pytest.mark.parametrize(
    ("url", "raw"),
    [
        ("https://example.vn/2017/05/23/hoi-nghi/", "2017/05/23"),
        ("https://example.vn/tin-tuc/2017-05-23/hoi-nghi.html", "2017-05-23"),
        ("https://example.vn/tin-tuc/hoi-nghi-20170523.html", "20170523"),
        ("https://example.vn/tin-tuc/20170523081530/hoi-nghi.aspx", "20170523081530"),
        ("https://example.vn/2017/05/23/hoi-nghi-20170523.html", None),
    ],
)
def test_a_date_in_an_address_is_read_and_can_be_read_again(url: str, raw: str | None) -> None:
    stamp = read(url, "url")
    assert stamp is not None
    assert stamp.at.isoformat() == "2017-05-23T00:00:00+07:00"
    assert raw in (stamp.raw, None)
    assert read(stamp.raw, "url") == stamp


@pytest.mark.parametrize(
    "url",
    [
        "https://example.vn/tin-tuc/hoi-nghi-1234.html",
        "https://example.vn/2017/05/hoi-nghi.html",
        "https://example.vn/2017/05/23.html",
        "https://example.vn/tin-tuc/hoi-nghi-20171345.html",
        "https://example.vn/tin-tuc/hoi-nghi-201705231.html",
        "https://example.vn/tin-tuc/a20170523.html",
        "https://example.vn/tin-tuc/ngay-23-05-2017.html",
        "https://example.vn/tin-tuc/hoi-nghi.html?den-ngay=20170523",
        "https://example.vn/2017/05/23/lich-20170530.html",
        "https://example.vn/1945/09/02/tuyen-ngon.html",
    ],
)
def test_an_ambiguous_address_gives_no_date(url: str) -> None:
    assert in_address(url) is None
