"""Listing pages: read the entries of a section's page, request articles, and continue or end the walk."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

from danvan_crawler import statistics as stats
from danvan_crawler.captures import CaptureRecord
from danvan_crawler.families import Listing
from danvan_crawler.pages.kind import page_kind
from danvan_crawler.pages.page import Page
from danvan_crawler.pages.requisites import FINAL_STATUSES, of_page
from danvan_crawler.store.frontier import ARCHIVED, CHANGED, FAILED, LEADS_HOME, NEW, PENDING, REJECTED
from danvan_crawler.store.writes import ListedLink
from danvan_crawler.urls import path_key
from danvan_crawler.walk import sections
from danvan_crawler.walk.articles import Articles
from danvan_crawler.walk.asking import Ask, Effects, Unanswered, Why
from danvan_crawler.walk.context import Context, RunState
from danvan_crawler.walk.feeds import Feeds
from danvan_crawler.walk.findings import note_failed_listing, note_listing, note_trap, trouble_of
from danvan_crawler.walk.redirects import endless, is_gate
from danvan_crawler.walk.requisites import Requisites
from danvan_crawler.walk.sections import Walk, is_known, step_after

_RECHECK_PRIORITY, _LISTING_PRIORITY, _REDIRECT_PRIORITY = -30, 0, 1
"""Articles have a higher priority than the next listing, so that few addresses wait. Redirects are followed before
other listings: a cookie gate may redirect them all to one page, which redirects back to the last one."""
LEADS_ELSEWHERE = "leads to another section"


class Listings:
    """Handles the listing pages of a run."""

    def __init__(self, context: Context, articles: Articles, requisites: Requisites, feeds: Feeds) -> None:
        self._context = context
        self._articles, self._requisites, self._feeds = articles, requisites, feeds

    def first_walk(self, section: str, url: str) -> Walk:
        """The first walk of a section in a run; with a date range or `full` it begins at the first page."""
        state = self._run()
        known = self._context.store.frontier.walk_of(self._context.slug, url)
        if state.run.full or state.days.is_limited:
            # A run with a date range leaves no cursor if the last walk was complete.
            ended = known is not None and known.completed_at is not None and known.cursor is None
            return Walk(section, url, url, notes_cursor=not (state.days.is_limited and ended))
        return sections.begin(section, url, known, state.run.moment, timedelta(days=state.run.sweep_days))

    def start(self, effects: Effects, walk: Walk | None) -> None:
        """Requests the first page of a walk."""
        if walk is not None:
            self._ask(effects, walk, walk.start_url, self._run().run.began_at)

    def read(self, effects: Effects, capture: CaptureRecord, why: Why, page: Page) -> None:
        walk = self._walk_of(why)
        if not page.is_text:
            self._fail_page(effects, walk, page.url, "is not text", "found_nothing", f"{page.url} is not a text page")
            return
        if walk is not None and self._is_of_another(why, page.url):
            if walk.is_later:
                self._end_after_last(effects, walk, why.link, capture.date)
            else:
                self._fail_moved(effects, walk, LEADS_ELSEWHERE)
            return
        # Parsed before the transaction begins with the first write: other crawls may be waiting for it.
        listing, needed = self._context.family.parse_section(page), of_page(page)
        if walk is not None:
            self._note_begun(effects, walk, capture)
        self._requisites.ask(effects, needed, via=page.url)
        if walk is None:
            self._context.store.write_listing(self._context.slug, why.section, capture, listing.links)
            return
        if walk.pages and not listing.links:
            if (kind := page_kind(page)) is not None:
                reason = f"shows a page of {kind}"
                self._fail_page(effects, walk, page.url, reason, "found_nothing", f"{page.url} {reason}")
                return
            # One empty page that names a next one may be a month without news; it has been looked at twice.
            if listing.next_url is None or not (walk.end_suspected or walk.novelty.barren_pages):
                self._end_after_last(effects, walk, why.link, capture.date)
                return
        self._read_entries(effects, capture, why, page, listing, walk)

    def _read_entries(
        self, effects: Effects, capture: CaptureRecord, why: Why, page: Page, listing: Listing, walk: Walk
    ) -> None:
        state = self._run()
        walk.pages += 1
        walk.end_suspected = False
        walk.oldest_first = walk.oldest_first or (walk.pages == 1 and state.days.oldest_first(listing.links))
        note_listing(effects, walk, why, page, has_links=bool(listing.links))
        entries = self._context.store.write_listing(self._context.slug, why.section, capture, listing.links)
        self._feeds.note_shown(walk, entries)
        news = any(map(_is_news, entries)) or not any(is_known(entry.seen_at, walk) for entry in entries)
        asked = [self._ask_for_entry(effects, walk, entry, why.section, page.url) for entry in entries]
        is_barren = self._is_barren(walk, entries, asked, capture.date)
        walk.novelty.note_page(is_barren=is_barren)
        if is_barren:
            linked = (stats.articles("linked"), stats.in_section("linked", why.section))
            walk.novelty.waste.update({name: effects.counts[name] for name in linked if name in effects.counts})
        self._feeds.ask_beside(effects, walk, news=news)
        following = self._next_page(effects, capture, listing, walk, page.url, news=news and bool(entries))
        if following is not None:
            self._ask(effects, walk, following, capture.date, via=page.url)
        elif not state.days.is_limited:
            self.start(effects, walk.older())

    def _ask_for_entry(self, effects: Effects, walk: Walk, entry: ListedLink, section: str, via: str) -> bool:
        """Requests the article of an entry if needed. Returns whether it did, or with `plan` would."""
        state = self._run()
        # A walk through all pages also tries failed and rejected articles again.
        given_up = entry.state == FAILED or (entry.state == REJECTED and not walk.is_resumed)
        again = given_up and not walk.stops_at_known
        wanted = _is_news(entry) or again or state.run.full
        if not wanted or not state.days.includes(entry.link):
            return False
        why = Why(
            kind="article",
            link=entry.link.url,
            section=section,
            via=via,
            listed_at=entry.listed_at,
            entry=entry.entry,
            is_new=entry.state != PENDING,
        )
        asked = self._articles.ask(effects, why)
        if asked and entry.state == CHANGED:
            effects.counts[stats.articles("changed")] += 1
        return asked

    def _is_barren(self, walk: Walk, entries: Sequence[ListedLink], asked: Sequence[bool], date: str) -> bool:
        """Whether a page shows nothing that is new to its walk, by `walk.traps`. `asked`: whether this page requested
        the article of each entry; the pages that answer may still prove that it is not barren."""
        unseen = [pair for pair in zip(entries, asked, strict=True) if path_key(pair[0].link.url) not in walk.seen]
        new = [walk.novelty.is_new_wording(entry.link.title) for entry, _ in unseen]
        is_plan = self._run().run.plan
        if any(new) or any(entry.state in (NEW, PENDING) and (is_plan or not done) for entry, done in unseen):
            return False
        known = [path_key(entry.link.url) for entry, _ in unseen if entry.state in (ARCHIVED, CHANGED)]
        texts = self._context.store.contents.of(self._context.slug, known) if known else ()
        shown = [walk.novelty.is_new_article(one.title, one.body_text, one.published_at, date) for one in texts]
        return not any(shown)

    def redirect(self, effects: Effects, capture: CaptureRecord, why: Why, target: str) -> None:
        """Handles a redirect; one within the site is followed."""
        walk, context = self._walk_of(why), self._context
        if walk is None:
            return
        leads_home = context.leads_home(target, walk.first_url)
        has_no_end = endless(why, capture.url, target)
        is_known = target in self._run().listings and target not in (why.link, *why.hops, capture.url)
        if not context.is_on_site(target):
            sentence = f"a section leads to another host, {target}"
            self._fail_page(effects, walk, target, "leads to another host", "moved", sentence)
        elif (leads_home or is_known) and not walk.is_later and is_gate(why, capture.url):
            effects.asks.append(Ask(why.link, why.redirected(capture.url), _REDIRECT_PRIORITY))
        elif walk.is_later and (leads_home or has_no_end or is_known):
            self._end_after_last(effects, walk, why.link, capture.date)
        elif leads_home or is_known:
            self._fail_moved(effects, walk, LEADS_HOME if leads_home else LEADS_ELSEWHERE)
        elif has_no_end:
            self._fail_page(effects, walk, why.link, has_no_end, "unreachable", f"{why.link}: {has_no_end}")
        else:
            effects.asks.append(Ask(target, why.redirected(capture.url), _REDIRECT_PRIORITY))

    def answered(self, effects: Effects, capture: CaptureRecord, why: Why, page: Callable[[], Page | None]) -> None:
        """Handles a response without a page, such as 404 or 403."""
        walk = self._walk_of(why)
        if walk is None:
            return
        if walk.is_later and capture.status in FINAL_STATUSES:
            self._note_read(effects, walk)
            self._end_after_last(effects, walk, why.link, capture.date)
            return
        status = capture.status or 0
        reason = f"HTTP {status}"
        self._fail_page(
            effects,
            walk,
            capture.url,
            reason,
            trouble_of(page(), status, asks_to_wait=False),
            f"{capture.url}: {reason}",
        )

    def unanswered(self, effects: Effects, request: Unanswered) -> None:
        """Handles a listing page whose request was given up."""
        walk = self._walk_of(request.why)
        if walk is None:
            return
        if request.cause == "forbidden" and walk.is_later:  # all pages after it are forbidden too
            effects.named.append((stats.SHORT_SECTIONS, walk.section))
            self._close(walk, request.date, swept=True)
            return
        reason = "forbidden by robots.txt" if request.cause == "forbidden" else request.reason
        self._fail_page(effects, walk, request.url, request.reason, request.trouble, f"{request.url}: {reason}")

    def _is_of_another(self, why: Why, url: str) -> bool:
        """Whether redirects led to a page that another section has shown in this run. Else the page is noted."""
        if not why.hops or url in (why.link, *why.hops):
            return False
        return not self._run().listings.add(url)

    def _run(self) -> RunState:
        assert self._context.state is not None  # walks exist only within a run
        return self._context.state

    def _walk_of(self, why: Why) -> Walk | None:
        """The walk that requested this page; None if no walk of this run did."""
        state = self._context.state
        walk = state.walks.get(why.first_url) if state is not None else None
        return walk if walk is not None and walk.awaits == why.link else None

    def _ask(self, effects: Effects, walk: Walk, url: str, date: str, *, via: str = "", again: bool = False) -> None:
        """Requests a page of a walk, once in a run, and once `again` if it seems to be after the last page.

        A resumed walk also requests pages that another walk of this run has read. `date` is the WARC-Date of the page
        before.
        """
        state = self._run()
        walk.awaits = None
        is_first_time = walk.asked.add(url)
        if not again and not (is_first_time and (state.listings.add(url) or walk.is_resumed)):
            self._close(walk, date, swept=True)  # the pages form a circle
            return
        if state.take_page(effects):
            walk.awaits = url
            state.walks[walk.first_url] = walk
            why = Why("listing", url, section=walk.section, first_url=walk.first_url, via=via)
            effects.asks.append(Ask(url, why, _RECHECK_PRIORITY if again else _LISTING_PRIORITY))

    def _note_begun(self, effects: Effects, walk: Walk, capture: CaptureRecord) -> None:
        if self._note_read(effects, walk) and not walk.is_resumed:
            self._context.store.frontier.begin_walk(self._context.slug, walk.first_url, capture.date)

    @staticmethod
    def _note_read(effects: Effects, walk: Walk) -> bool:
        """Counts a section as read, once. Returns whether this was the first time."""
        if walk.started:
            return False
        walk.started = True
        effects.counts[stats.SECTIONS_READ] += 1
        return True

    def _next_page(
        self, effects: Effects, capture: CaptureRecord, listing: Listing, walk: Walk, url: str, *, news: bool
    ) -> str | None:
        """The next page of the walk; None if it ends. Stores either, so that the next run can continue a dead one."""
        state = self._run()
        walk.seen.update({path_key(link.url) for link in listing.links})
        if not walk.seen and not walk.is_resumed:
            return None  # a first page without links is an outage or a changed layout, not the end of a section
        following = listing.next_url if listing.next_url and self._context.is_on_site(listing.next_url) else None
        step = step_after(walk, following, news=news or state.run.full)
        if following is None or step != "goes on":
            if step == "trap":
                note_trap(effects, walk, url)
            self._close(walk, capture.date, swept=step != "known articles")
            return None
        if walk.notes_cursor:
            self._context.store.frontier.note_cursor(
                self._context.slug,
                walk.first_url,
                following,
                walk.pages,
                last_page=url,
                for_news=walk.stops_at_known and walk.backlog is None,
            )
        return None if state.days.are_too_old(listing.links) else following

    def _close(self, walk: Walk, date: str, *, swept: bool) -> None:
        if swept:
            walk.backlog = None  # this walk has read all pages
        walk.awaits = None
        self._context.store.frontier.complete_walk(
            self._context.slug, walk.first_url, date, swept=swept, cursor=walk.backlog
        )

    def _end_after_last(self, effects: Effects, walk: Walk, link: str, date: str) -> None:
        """Requests a page that seems to be after the last one once more; ends the walk the second time."""
        if walk.end_suspected:
            self._close(walk, date, swept=True)
            return
        walk.end_suspected = True
        self._ask(effects, walk, link, date, again=True)

    def _fail_moved(self, effects: Effects, walk: Walk, reason: str) -> None:
        self._fail_page(effects, walk, walk.first_url, reason, "section_gone", f"{walk.first_url} {reason}")

    def _fail_page(self, effects: Effects, walk: Walk | None, url: str, reason: str, kind: str, sentence: str) -> None:
        if walk is None:
            return
        walk.awaits = None
        note_failed_listing(effects, walk, kind, sentence)
        # The run's result names it; the log needs no line for each section of a server that does not answer.
        effects.messages.append((logging.INFO, f"{url}: section {walk.section} cannot be read: {reason}"))
        if not walk.pages:  # else the cursor is at this page, and the rest of the older walk comes after it
            self.start(effects, walk.older())


def _is_news(entry: ListedLink) -> bool:
    """Whether an entry is new or changed, or its article was not read yet."""
    return entry.state in (NEW, PENDING, CHANGED)
