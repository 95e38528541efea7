"""`danvan crawl` of several sites against real servers: a hang, a killed crawl, two sites on one host, a stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MODEL = "/tin-tuc/dan-van-kheo/"
GRASSROOTS = "/tin-tuc/dan-van-co-so/"

Sites = Callable[..., Any]


@pytest.fixture
def sites(new_portal: Callable[..., Any], new_desk: Callable[..., Any]) -> Sites:
    """A desk with this many sites, each on its own portal: desk, and portals by slug."""

    def make(*slugs: str) -> tuple[Any, dict[str, Any]]:
        desk = new_desk()
        portals = {slug: new_portal() for slug in slugs}
        for slug, portal in portals.items():
            desk.profile(portal, slug=slug, only="dan-van-kheo")
        return desk, portals

    return make


def reports(desk: Any) -> dict[str, dict[str, Any]]:
    found = [json.loads(path.read_text("utf-8")) for path in sorted(desk.archive.glob("runs/*.json"))]
    return {report["site"]: report for report in found}


def test_a_site_that_hangs_is_stopped_and_the_others_are_crawled(sites: Sites) -> None:
    desk, portals = sites("mot-danvan", "hai-danvan")
    portals["hai-danvan"].hold(MODEL)
    desk.environment["DANVAN_HANG_AFTER"] = "8"
    said = desk.danvan("crawl", "--all", "--jobs", "2", code=3).stderr
    assert {item["site"] for item in desk.export()} == {"mot-danvan"}
    assert "mot-danvan: exit code 0\n" in said
    # Stopped, not killed: it gave up the pending request, so its files are complete.
    assert "hai-danvan: exit code 3 (the crawl hung: no activity for 8 s; it was stopped," in said
    assert desk.warc_files("*.open") == []
    assert reports(desk)["hai-danvan"]["exit_code"] == 3
    assert reports(desk)["hai-danvan"]["findings"][0].startswith("the crawl hung: ")


def test_a_killed_crawl_is_a_failed_site_and_the_others_are_crawled(sites: Sites) -> None:
    desk, portals = sites("mot-danvan", "hai-danvan")
    gate = portals["hai-danvan"].hold(MODEL)
    crawl = desk.start("crawl", "--all", "--jobs", "2")
    portals["hai-danvan"].wait_for(MODEL)
    os.kill(int((desk.archive / "locks" / "hai-danvan.lock").read_text()), signal.SIGKILL)
    said = desk.finish(crawl, code=3)
    assert "mot-danvan: exit code 0\n" in said
    assert "hai-danvan: exit code 3 (the crawl died of SIGKILL" in said
    assert reports(desk)["hai-danvan"]["reason"] == "died"
    gate.set()
    desk.crawl(slug="hai-danvan")  # the killed process does not hold its lock
    assert {item["site"] for item in desk.export()} == {"mot-danvan", "hai-danvan"}


def test_two_sites_on_one_host_are_crawled_one_after_the_other(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any]
) -> None:
    portal, desk = new_portal(), new_desk()
    desk.profile(portal, slug="mot-danvan", only="dan-van-kheo")
    desk.profile(portal, slug="hai-danvan", only="dan-van-co-so")
    desk.danvan("crawl", "mot-danvan", "hai-danvan", "--jobs", "2")
    assert portal.most_at_once == 1
    second = len(portal.arrived) - portal.arrived[::-1].index("/robots.txt") - 1
    assert portal.arrived.count("/robots.txt") == 2
    assert MODEL in portal.arrived[:second]
    assert GRASSROOTS not in portal.arrived[:second]
    assert GRASSROOTS in portal.arrived[second:]
    assert MODEL not in portal.arrived[second:]


def test_a_host_that_is_crawled_by_another_command_is_locked(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any]
) -> None:
    portal, desk = new_portal(), new_desk()
    desk.profile(portal, slug="mot-danvan", only="dan-van-kheo")
    desk.profile(portal, slug="hai-danvan", only="dan-van-co-so")
    gate = portal.hold(MODEL)
    crawl = desk.start("crawl", "mot-danvan")
    portal.wait_for(MODEL)
    assert "another run is crawling a site there" in desk.crawl(slug="hai-danvan", code=5).stderr
    assert portal.arrived.count("/robots.txt") == 1
    gate.set()
    desk.finish(crawl, code=0)


def test_a_stop_does_not_wait_for_a_server_that_hangs(sites: Sites) -> None:
    desk, portals = sites("mot-danvan", "hai-danvan", "ba-danvan")
    for slug in ("mot-danvan", "hai-danvan"):
        portals[slug].hold(MODEL)
    crawl = desk.start("crawl", "mot-danvan", "hai-danvan", "ba-danvan", "--jobs", "2")
    for slug in ("mot-danvan", "hai-danvan"):
        portals[slug].wait_for(MODEL)
    crawl.terminate()
    said, _ = crawl.communicate(timeout=40)  # the servers would hold their responses for longer
    assert crawl.returncode == 7, said
    assert "mot-danvan: exit code 7\n" in said
    assert "hai-danvan: exit code 7\n" in said
    assert "ba-danvan: exit code 7 (not started: a signal came first)" in said
    assert portals["ba-danvan"].arrived == []
    assert desk.warc_files("*.open") == []


def test_quiet_reports_only_sites_with_problems(sites: Sites) -> None:
    desk, _ = sites("mot-danvan")
    assert desk.danvan("crawl", "--all", "--quiet").stderr == ""
    desk.profile("http://127.0.0.1:9/", slug="chet-danvan")
    said = desk.danvan("crawl", "--all", "--quiet", code=3).stderr
    assert "chet-danvan: exit code 3" in said
    assert "mot-danvan" not in said
    assert "exit code 0" in (desk.archive / "logs" / "mot-danvan.log").read_text("utf-8")


def test_an_unwritable_stderr_stops_no_site(sites: Sites) -> None:
    desk, _ = sites("mot-danvan", "hai-danvan")
    crawl = [sys.executable, "-m", "danvan_crawler", "crawl", "mot-danvan", "hai-danvan"]
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run(crawl, env=desk.variables(), cwd=desk.folder, stderr=full, check=False)
    assert result.returncode == 0
    assert {slug: report["exit_code"] for slug, report in reports(desk).items()} == {"mot-danvan": 0, "hai-danvan": 0}


@pytest.mark.parametrize("name", ["DANVAN_HANG_AFTER", "DANVAN_MEMORY_LIMIT"])
def test_an_invalid_limit_is_wrong_usage(new_desk: Callable[..., Any], name: str) -> None:
    desk = new_desk("http://127.0.0.1:9/")
    desk.environment[name] = "nhiều"
    assert f"{name} must be a whole number, got 'nhiều'" in desk.danvan("crawl", "--all", code=2).stderr


def test_a_crawl_beyond_its_memory_limit_ends_itself(sites: Sites) -> None:
    desk, _ = sites("mot-danvan")
    desk.environment["DANVAN_MEMORY_LIMIT"] = "10"  # megabytes, less than a new Python process uses
    assert (
        "memory limit reached (DANVAN_MEMORY_LIMIT); the next run continues"
        in desk.crawl(slug="mot-danvan", code=7).stderr
    )


def test_what_a_night_has_no_time_for_is_named_and_not_started(sites: Sites) -> None:
    desk, portals = sites("mot-danvan", "hai-danvan")
    said = desk.danvan("crawl", "--all", "--quiet", "--night-limit", "1", code=7).stderr
    for slug, portal in portals.items():
        assert f"{slug}: exit code 7 (not started: the night's limit came first)\n" in said
        assert portal.arrived == []
    assert "The limit of 1 s for the night was reached. Sites that were cut come first next time.\n" in said
