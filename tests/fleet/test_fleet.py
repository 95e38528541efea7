"""Weeks of nights that nobody watches: what happened on a fleet of sites is told, and nothing else is.

The script of each site is in `lives`, what may be told how late in `verdicts`.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import pytest
from fleet import Fleet
from verdicts import (
    costs,
    crossed,
    false_alarms,
    forbidden_requests,
    hurried,
    ill_at_the_end,
    unheard,
    unspared,
    wrong_changes,
)


def test_every_site_is_crawled_every_night(fleet: Fleet) -> None:
    missing = [
        (slug, night) for slug in fleet.slugs for night in range(fleet.days) if (slug, night) not in fleet.reports
    ]
    assert missing == []


def test_what_is_published_edited_deleted_and_brought_back_is_told_in_time_and_nothing_else(fleet: Fleet) -> None:
    assert wrong_changes(fleet) == []


def test_every_trouble_is_told_by_its_kind(fleet: Fleet) -> None:
    assert unheard(fleet) == []


def test_there_is_no_alarm_while_all_is_well(fleet: Fleet) -> None:
    assert false_alarms(fleet) == []


def test_cron_mails_nothing_after_a_night_without_trouble(fleet: Fleet) -> None:
    well = [night for night in range(fleet.days) if all(portal.life.trouble(night) is None for portal in fleet.portals)]
    assert [(night, fleet.codes[night], fleet.said[night]) for night in well if fleet.said[night]] == []
    assert {fleet.codes[night] for night in well} <= {0}


def test_status_calls_those_sites_unhealthy_that_are(fleet: Fleet) -> None:
    unhealthy = {slug for slug, one in fleet.status.items() if one["unhealthy"]}
    assert unhealthy == ill_at_the_end(fleet)
    assert fleet.status_code == (4 if unhealthy else 0)


def test_nothing_is_asked_for_that_robots_txt_or_the_server_forbids(fleet: Fleet) -> None:
    assert forbidden_requests(fleet) == []


def test_the_delay_is_kept(fleet: Fleet) -> None:
    assert hurried(fleet) == []


def test_one_host_is_never_asked_by_two_processes_at_once(fleet: Fleet) -> None:
    assert crossed(fleet) == []


def test_a_new_article_costs_less_than_one_and_a_half_requests_beside_listings(fleet: Fleet) -> None:
    cost = costs(fleet)
    assert cost.new > 0
    assert cost.pages_per_new_article >= 1
    assert cost.per_new_article < 1.5


def test_a_night_without_news_costs_one_listing_page_and_robots_txt(fleet: Fleet) -> None:
    twins = next((portal for portal in fleet.portals if portal.life.twins), None)
    if twins is None:
        pytest.fail("a fleet of fewer than four sites has no quiet one")
    quiet = twins.life.platform.section_path(twins.life.sections[0])
    by_night = defaultdict(list)
    for one in twins.log:
        if one.target.startswith(quiet):
            by_night[one.night].append(one.target)
    swept = [night for night in range(1, fleet.days) if by_night[night] != [quiet]]
    assert len(swept) <= fleet.days // 30
    assert all(after - before in (30, 31) for before, after in pairwise([0, *swept]))
    assert all(len(set(by_night[night])) == len(by_night[night]) == 2 for night in swept)
    assert max(sum(one.kind == "robots" for one in twins.log if one.night == night) for night in by_night) == 2


def test_a_sitemap_that_has_proved_itself_spares_listings(fleet: Fleet) -> None:
    assert unspared(fleet) == []


def test_no_crawl_takes_more_memory_in_the_end_than_in_the_beginning(fleet: Fleet) -> None:
    for slug in fleet.slugs:
        held = [fleet.reports[slug, night]["stats"].get("memusage/max", 0) for night in range(fleet.days)]
        known = [number for number in held[1:] if number]
        third = max(1, len(known) // 3)
        assert max(known[-third:]) < 1.25 * max(known[:third]), slug
