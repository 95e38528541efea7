"""Data about a site's health from a walk: pages that show something other than news, and causes of failures.

Counters, and a sentence about the first page of each kind of problem; `health.outcome` and `health.comparison` use them
after the run.
"""

from __future__ import annotations

import logging

from danvan_crawler import statistics as stats
from danvan_crawler.families import FEED
from danvan_crawler.pages.kind import LOGIN, is_login_titled, page_kind
from danvan_crawler.pages.page import Page
from danvan_crawler.pages.requisites import FINAL_STATUSES
from danvan_crawler.urls import path_key
from danvan_crawler.walk.asking import Effects, Why
from danvan_crawler.walk.sections import Walk
from danvan_crawler.walk.traps import BARREN_PAGES, endless, too_long

SHOWS = {
    "challenge": "shows a challenge for browsers",
    "login": "shows a login",
    "maintenance": "shows a notice of maintenance",
    "parked": "shows a parked or hijacked page",
}


def note_listing(effects: Effects, walk: Walk, why: Why, page: Page, *, has_links: bool) -> None:
    """Counts a listing page that was read; if a section shows no article, notes what it shows instead."""
    effects.counts[stats.LISTINGS] += 1
    is_first = walk.pages == 1 and not walk.is_resumed
    if is_first:
        effects.counts[stats.FIRST_PAGES] += 1
    if has_links:
        effects.counts[stats.LISTINGS_WITH_LINKS] += 1
    elif is_first or walk.is_resumed:
        if is_first:
            effects.named.append((stats.EMPTY_SECTIONS, walk.section))
        # A redirect to https or www does not count: path and query stay the same.
        was_led_elsewhere = path_key(why.link) != path_key(page.url)
        if (kind := _shown(page, asks_in=was_led_elsewhere)) is not None:
            effects.troubles.append((stats.LISTING_TROUBLE, kind, f"{page.url} {SHOWS[kind]}"))


def note_failed_listing(effects: Effects, walk: Walk, kind: str, sentence: str) -> None:
    """Counts a listing page that could not be fetched or read."""
    effects.counts[stats.LISTINGS_FAILED] += 1
    if walk.pages == 0:
        effects.counts[stats.SECTIONS_FAILED] += 1
        effects.named.append((stats.UNREAD_SECTIONS, walk.section))
    effects.troubles.append((stats.LISTING_TROUBLE, kind, sentence))


def note_trap(effects: Effects, walk: Walk, url: str) -> None:
    """Notes that a walk was ended because its listing has no end, or too many pages; `url` is the last page read."""
    if walk.novelty.barren_pages >= BARREN_PAGES:
        sentence = endless(walk.section, url)
    else:
        sentence = too_long(walk.section, walk.pages, url)
    effects.named.append((stats.ENDLESS_LISTINGS, sentence))
    effects.counts.subtract(walk.novelty.waste)
    effects.messages.append((logging.WARNING, sentence))


def note_link(effects: Effects, what: str, why: Why) -> None:
    """Counts the link to an article as `linked`, `forbidden` or `missing`, for the site and for its section.

    A link that an earlier run discovered is counted separately, as `…_again`: a link that robots.txt forbids stays
    pending and fails every night, and a missing one fails for some nights. Both say nothing about the site's current
    links.
    """
    effects.counts[stats.articles(what if why.is_new else f"{what}_again")] += 1
    if why.is_new and why.section != FEED:
        effects.counts[stats.in_section(what, why.section)] += 1


def trouble_of(page: Page | None, status: int, *, asks_to_wait: bool) -> str:
    """Kind of problem (`health.problems`) of a response that is not a 2xx page; `page` is None if it is undecodable."""
    shown = _shown(page, asks_in=status in (401, 403)) if page is not None and page.is_text else None
    if shown is not None:
        return shown
    if status == 429 or (status == 503 and asks_to_wait):
        return "asked_to_wait"
    if status in FINAL_STATUSES:
        return "section_gone"
    return "forbidden" if status < 500 else "server_error"


def _shown(page: Page, *, asks_in: bool) -> str | None:
    """Kind of page shown instead of news; None if it looks normal. A login counts only if `asks_in` or if the title
    says so, because a listing that is filled by scripts also has a login box in its header."""
    kind = page_kind(page)
    return None if kind == LOGIN and not asks_in and not is_login_titled(page) else kind
