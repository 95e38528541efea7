"""Crawls at another time than now: dates follow the clock of the tests, and names stay unique."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

MOMENT = "2027-03-01T01:30:00+07:00"


def test_records_files_and_reports_have_the_set_time_and_unique_names(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any]
) -> None:
    desk = new_desk(new_portal(), only="dan-van-kheo")
    desk.environment["DANVAN_CLOCK"] = MOMENT
    desk.crawl()
    desk.crawl()  # at the same moment as the first one
    assert [path.name[:30] for path in desk.warc_files()] == ["mau-danvan-20270228183000000-0"] * 2
    assert {record.fields["WARC-Date"] for record in desk.records()} == {"2027-02-28T18:30:00.000000Z"}
    reports = sorted(desk.archive.glob("runs/*.json"))
    assert [path.name[:17] for path in reports] == ["20270228T183000Z-"] * 2
    assert json.loads(reports[0].read_text("utf-8"))["finished_at"] == "2027-02-28T18:30:00+00:00"


def test_a_clock_that_cannot_be_read_is_wrong_usage(new_desk: Callable[..., Any]) -> None:
    desk = new_desk("http://127.0.0.1:9/")
    desk.environment["DANVAN_CLOCK"] = "hôm nay"
    assert "DANVAN_CLOCK must be a time with its zone" in desk.crawl(code=2).stderr
    assert "DANVAN_CLOCK must be a time with its zone" in desk.danvan("crawl", "--all", code=2).stderr
