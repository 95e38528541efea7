"""The state of sites after their runs: current problems, overdue sites, the status page and the metrics."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from prometheus_client.parser import text_string_to_metric_families

from danvan_crawler.archive.schedule import Schedule
from danvan_crawler.exceptions import ExitCode
from danvan_crawler.health.history import RunReport, run_reports
from danvan_crawler.health.notifications import problems_now
from danvan_crawler.health.problems import Problem
from danvan_crawler.health.prometheus import METRICS, exposition, write_metrics
from danvan_crawler.health.status import Nights, SiteStatus, current_problems, missed_nights, overdue, status
from danvan_crawler.health.status_page import page
from danvan_crawler.sites.profile import Site

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
QUIET = Problem("quiet", "no new article for 40 days")
LOST = Problem("coverage", "author: only 0% of the articles have one")
STOPPED = Problem("interrupted", "stopped by a signal", ExitCode.INTERRUPTED)

Profile = Callable[..., str]
Report = Callable[..., None]


def night(*problems: Problem, code: int = 0, days_ago: float = 1, **numbers: Any) -> RunReport:
    began = NOW - timedelta(days=days_ago)
    return RunReport("thanhhoa-danvan", "0" * 8, began, began, code, problems=problems, **numbers)


def site(*runs: RunReport, **facts: Any) -> SiteStatus:
    known = {"site": "thanhhoa-danvan", "name": "Ban Dân vận <Thanh Hóa>", "enabled": True}
    problems = tuple(current_problems(runs, NOW))
    return SiteStatus(**{**known, "runs": runs, "problems": problems, **facts})


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """Writes a run report as a run does."""

    def write(slug: str, day: str, **facts: Any) -> None:
        began = f"{day}T18:30:00+00:00"
        known: dict[str, Any] = {"run_id": f"{abs(hash((slug, day))):08x}"[:8], "site": slug, "started_at": began}
        known |= {"finished_at": began, "exit_code": 0, "findings": [], **facts}
        folder = tmp_path / "runs"
        folder.mkdir(exist_ok=True)
        name = f"{day.replace('-', '')}T183000Z-{known['run_id']}.json"
        (folder / name).write_text(json.dumps(known, indent=2), encoding="utf-8")

    return write


def test_the_last_run_gives_the_current_problems() -> None:
    assert current_problems([night(), night(QUIET, code=4, days_ago=2)], NOW) == []
    assert current_problems([night(QUIET, code=4), night(days_ago=2)], NOW) == [QUIET]


def test_a_stopped_run_ends_no_problem() -> None:
    runs = [night(STOPPED, code=7), night(QUIET, code=4, days_ago=2), night(days_ago=3)]
    assert current_problems(runs, NOW) == [QUIET, STOPPED]


def test_a_partial_run_does_not_end_problems_that_need_a_complete_run() -> None:
    told = night(QUIET, LOST, code=4, days_ago=2)
    assert current_problems([night(complete=False), told, night(days_ago=3)], NOW) == [QUIET]
    failed = Problem("server_error", "HTTP 500", ExitCode.SITE_FAILED)
    assert current_problems([night(failed, code=3, complete=False), told], NOW) == [failed, QUIET]
    assert current_problems([night(complete=False, articles={"new": 1}), told], NOW) == []
    assert current_problems([night(complete=False), night(), told], NOW) == []


def test_a_stopped_run_makes_no_site_unhealthy() -> None:
    assert not site(night(STOPPED, code=7)).unhealthy
    assert site(night(STOPPED, code=7)).outcome == "interrupted"


def test_an_expired_certificate_makes_no_site_unhealthy() -> None:
    assert not site(night(Problem("certificate", "expired", ExitCode.OK))).unhealthy


def test_a_site_that_is_no_longer_crawled_as_usual_is_overdue() -> None:
    found = site(*(night(days_ago=days) for days in range(5, 15)))
    assert [problem.kind for problem in found.problems] == ["overdue"]
    assert (found.outcome, found.unhealthy) == ("overdue", True)


@pytest.mark.parametrize(
    "days", [[1, 2, 3, 4, 5, 6], [9, 39, 69, 99, 129], [20, 21, 22], []], ids=["nightly", "monthly", "few", "none"]
)
def test_a_site_crawled_in_its_usual_rhythm_is_not_overdue(days: list[int]) -> None:
    assert overdue([NOW - timedelta(days=day) for day in days], NOW) is None


BEGAN = datetime(2026, 11, 1, 3, 0, tzinfo=UTC)


def nights(*, hour: int = 1, **facts: Any) -> Nights:
    return Nights(Schedule("cron", hour, 30, facts.pop("since", BEGAN)), **facts)


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's clock shows the time of Vietnam."""
    monkeypatch.setenv("TZ", "Asia/Ho_Chi_Minh")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def in_vietnam(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh")).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "text"),
    [
        (in_vietnam(2, 1, 29), None),
        (in_vietnam(2, 1, 59), None),  # a night may begin late
        (in_vietnam(2, 2, 1), "never crawled: 1 night missed since it was scheduled"),
        (in_vietnam(3, 1, 29), "never crawled: 1 night missed since it was scheduled"),
        (in_vietnam(5, 8), "never crawled: 4 nights missed since it was scheduled"),
    ],
)
def test_a_site_that_never_ran_is_overdue_from_the_first_missed_night(
    local: None, now: datetime, text: str | None
) -> None:
    found = missed_nights("a-danvan", [], now, nights())
    assert (found.text if found is not None else None) == text


def test_a_site_that_stopped_being_run_is_overdue_from_the_first_missed_night(local: None) -> None:
    runs = [RunReport("a-danvan", "1", in_vietnam(day, 1, 30), in_vietnam(day, 2), 0) for day in (4, 3)]
    assert missed_nights("a-danvan", runs, in_vietnam(5, 1, 45), nights()) is None
    found = missed_nights("a-danvan", runs, in_vietnam(5, 8), nights())
    assert found is not None
    assert (found.kind, found.text) == ("overdue", "not crawled since 2026-11-04 02:00: 1 night missed")
    later = missed_nights("a-danvan", runs, in_vietnam(30, 8), nights())
    assert later is not None
    assert later.text.endswith("26 nights missed")


@pytest.mark.parametrize(
    ("run", "missed"),
    [
        ({"code": 0}, False),
        ({"code": 3}, False),  # it was tried, and the result says what is wrong
        ({"code": 7, "requests": 40}, False),
        ({"code": 7, "requests": 0}, True),  # outside of its hours, or stopped before it began
        ({"code": 5}, True),  # locked out
    ],
)
def test_a_run_that_did_not_begin_is_no_run(local: None, run: dict[str, Any], missed: bool) -> None:
    last = RunReport("a-danvan", "1", in_vietnam(5, 1, 30), in_vietnam(5, 1, 31), **run)
    assert (missed_nights("a-danvan", [last], in_vietnam(5, 8), nights()) is not None) is missed


def test_a_run_by_hand_that_ended_in_the_night_counts(local: None) -> None:
    by_hand = RunReport("a-danvan", "1", in_vietnam(4, 23), in_vietnam(5, 3), 0)
    assert missed_nights("a-danvan", [by_hand], in_vietnam(5, 8), nights()) is None


def test_a_site_that_waits_for_its_turn_has_missed_nothing_yet(local: None) -> None:
    last = RunReport("a-danvan", "1", in_vietnam(4, 1, 30), in_vietnam(4, 2), 0)
    assert missed_nights("a-danvan", [last], in_vietnam(5, 8), nights(running=True)) is None
    assert missed_nights("a-danvan", [last], in_vietnam(6, 8), nights(running=True)) is not None
    assert missed_nights("a-danvan", [], in_vietnam(2, 8), nights(running=True)) is None


def test_a_site_whose_profile_came_later_had_no_night_to_miss(local: None) -> None:
    new = nights(changed={"a-danvan": in_vietnam(5, 7)})
    assert missed_nights("a-danvan", [], in_vietnam(5, 8), new) is None
    assert missed_nights("b-danvan", [], in_vietnam(5, 8), new) is not None
    found = missed_nights("a-danvan", [], in_vietnam(6, 8), new)
    assert found is not None
    assert found.text.startswith("never crawled: 1 night ")
    wrong_clock = nights(changed={"a-danvan": in_vietnam(20, 7)})
    assert missed_nights("a-danvan", [], in_vietnam(6, 8), wrong_clock) is not None


def test_without_a_schedule_nothing_is_missed() -> None:
    assert missed_nights("a-danvan", [], NOW, None) is None


def test_a_missed_night_makes_a_site_unhealthy_and_a_disabled_one_misses_none(
    tmp_path: Path, report: Report, profile: Profile
) -> None:
    report("mot-danvan", "2026-11-18")
    sites = [
        Site.parse(profile(slug='"mot-danvan"')),
        Site.parse(profile(slug='"hai-danvan"')),
        Site.parse(profile(slug='"ba-danvan"', enabled="false")),
    ]
    found = status(tmp_path, sites, NOW, nights=nights())
    assert [(one.outcome, one.unhealthy) for one in found] == [
        ("overdue", True), ("never run", True), ("disabled", False),
    ]  # fmt: skip
    assert [[problem.kind for problem in one.problems] for one in found] == [["overdue"], ["overdue"], []]


def test_a_run_that_was_locked_out_by_one_that_ended_later_is_not_the_last_one(
    tmp_path: Path, report: Report, profile: Profile
) -> None:
    locked = Problem("locked", "another run holds its lock", ExitCode.LOCKED)
    report("thanhhoa-danvan", "2026-11-21", finished_at="2026-11-23T02:00:00+00:00")
    report("thanhhoa-danvan", "2026-11-22", exit_code=5, reason="not_now", problems=[locked.as_json()])
    [found] = status(tmp_path, [Site.parse(profile())], NOW)
    assert (found.outcome, found.problems) == ("good", ())
    report("thanhhoa-danvan", "2026-11-23", exit_code=5, reason="not_now", problems=[locked.as_json()])
    [found] = status(tmp_path, [Site.parse(profile())], NOW)
    assert (found.outcome, found.unhealthy, found.problems) == ("locked", False, (locked,))


def test_a_report_written_for_a_dead_run_is_a_problem(tmp_path: Path, report: Report) -> None:
    report("mot-danvan", "2026-11-22", exit_code=3, findings=["the crawl died of SIGKILL"], reason="died")
    (found,) = run_reports(tmp_path, "mot-danvan")
    assert [(problem.kind, problem.text) for problem in found.problems] == [("crashed", "the crawl died of SIGKILL")]


def test_invalid_reports_are_ignored(tmp_path: Path, report: Report) -> None:
    report("mot-danvan", "2026-11-22")
    (tmp_path / "runs" / "20261123T000000Z-a.json").write_text('{"site": "mot-danvan"', encoding="utf-8")
    (tmp_path / "runs" / "20261124T000000Z-b.json").write_text("[]", encoding="utf-8")
    assert [one.started_at.day for one in run_reports(tmp_path, "mot-danvan")] == [22]


def test_a_run_from_the_future_hides_no_later_failure(
    tmp_path: Path, report: Report, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DANVAN_CLOCK", NOW.isoformat())
    report("thanhhoa-danvan", "2036-11-22")
    report("thanhhoa-danvan", "2026-11-23", exit_code=3, findings=["no answer"])
    [found] = status(tmp_path, [Site.parse(profile())], NOW)
    assert (found.outcome, found.unhealthy, len(found.runs)) == ("failed", True, 1)
    assert [problem.text for problem in problems_now(tmp_path, ["thanhhoa-danvan"])["thanhhoa-danvan"]] == ["no answer"]


def test_the_runs_of_a_site_are_in_order_newest_first(tmp_path: Path, report: Report) -> None:
    for day in ("2026-11-20", "2026-11-22", "2026-11-21"):
        report("mot-danvan", day)
        report("hai-danvan", day)
    assert [one.started_at.day for one in run_reports(tmp_path, "mot-danvan")] == [22, 21, 20]


def test_a_site_without_runs_and_a_disabled_site_are_shown_as_such(tmp_path: Path, profile: Profile) -> None:
    sites = [Site.parse(profile()), Site.parse(profile(enabled="false"))]
    found = status(tmp_path, sites, NOW)
    assert [(one.outcome, one.unhealthy) for one in found] == [("never run", False), ("disabled", False)]


def test_metrics_can_be_read_by_prometheus() -> None:
    numbers: dict[str, Any] = {
        "articles": {"new": 3, "edited": 1},
        "requests": 40,
        "received_bytes": 123456789,
        "seconds": 61.5,
    }
    text = exposition([site(night(QUIET, code=4, **numbers)), site(site="hai-danvan")])
    families = {family.name: family for family in text_string_to_metric_families(text)}
    described = [(family.name, family.documentation, family.type) for family in families.values()]
    assert described == [(name, meaning, "gauge") for name, meaning, _ in METRICS]
    samples = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in families.values()
        for sample in family.samples
    }
    mine = ("site", "thanhhoa-danvan")
    assert samples[("danvan_site_up", mine)] == 0
    assert samples[("danvan_site_up", ("site", "hai-danvan"))] == 1
    assert samples[("danvan_site_problem", ("kind", "quiet"), mine)] == 1
    assert samples[("danvan_last_run_articles", ("kind", "new"), mine)] == 3
    assert samples[("danvan_last_run_received_bytes", mine)] == 123456789
    assert samples[("danvan_last_run_timestamp_seconds", mine)] == (NOW - timedelta(days=1)).timestamp()


def test_metrics_are_those_of_enabled_sites_only() -> None:
    families = list(text_string_to_metric_families(exposition([site(enabled=False), site(site="hai-danvan")])))
    assert {sample.labels["site"] for family in families for sample in family.samples} == {"hai-danvan"}
    assert len(list(text_string_to_metric_families(exposition([])))) == len(METRICS)


def test_the_metrics_file_is_replaced_without_temporary_files(tmp_path: Path) -> None:
    path = tmp_path / "danvan.prom"
    path.write_text("old", encoding="utf-8")
    write_metrics(path, [site()])
    assert "danvan_site_up" in path.read_text("utf-8")
    assert list(tmp_path.iterdir()) == [path]


class _Structure(HTMLParser):
    """Records what a page loads, and checks that every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]
        if tag not in ("meta", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_complete_and_loads_nothing() -> None:
    runs = [night(days_ago=day, articles={"new": day}, coverage={"articles": 4, "author": 2}) for day in range(1, 9)]
    structure = _Structure()
    structure.feed(page([site(*runs), site(night(QUIET, code=4)), site(), site(enabled=False)], NOW))
    assert structure.open == []
    assert structure.loads == []
    assert "script" not in structure.tags
    assert structure.tags.count("svg") == 3


def test_the_page_shows_problems_and_remedies() -> None:
    text = page([site(night(QUIET, code=4))], NOW)
    assert "no new article for 40 days" in text
    assert "<code>quiet_days</code>" in text
    assert re.search(r'<b class="bad">1</b>unhealthy', text)


def test_names_in_the_page_are_escaped() -> None:
    text = page([site(night(Problem("errors", "<script>alert(1)</script>")))], NOW)
    assert "Ban Dân vận &lt;Thanh Hóa&gt;" in text
    assert "<script>" not in text


@pytest.mark.parametrize(
    ("received", "shown"),
    [(0, "0 B"), (999, "999 B"), (5_400, "5.4 KB"), (188_100_000, "188.1 MB"), (7_000_000_000, "7.0 GB")],
)
def test_the_page_shows_small_numbers_of_received_bytes(received: int, shown: str) -> None:
    text = page([site(night(requests=1200, received_bytes=received))], NOW).replace("\u202f", " ")
    assert f'<b class="">1 200</b>requests, {shown}</div>' in text


def test_a_page_without_sites_is_valid() -> None:
    assert "no run yet" in page([], NOW)
