"""Articles: the items of a page, and the consequences of a page without an article.

A page without an article may be a notice, a login, the front page or a soft 404. Its kind decides whether the article
is gone, is requested again, or never existed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from danvan_crawler import statistics as stats
from danvan_crawler.captures import CaptureRecord
from danvan_crawler.families import extract
from danvan_crawler.items import Article, VisitCounters
from danvan_crawler.pages.kind import BLANK, is_blank, obstruction, says_not_found
from danvan_crawler.pages.page import Page
from danvan_crawler.pages.requisites import FINAL_STATUSES, of_page
from danvan_crawler.store.frontier import ARCHIVED, MAX_ATTEMPTS, NEW
from danvan_crawler.urls import path_key
from danvan_crawler.walk.asking import Ask, Effects, Unanswered, Why
from danvan_crawler.walk.context import Context, RejectedItemError, RunState
from danvan_crawler.walk.findings import SHOWS, note_link, trouble_of
from danvan_crawler.walk.redirects import endless, is_gate
from danvan_crawler.walk.requisites import Requisites
from danvan_crawler.walk.traps import BARREN_PAGES

_REVISIT_PRIORITY, _ARTICLE_PRIORITY = -20, 10
_WASTE = (stats.PAGES_WITHOUT_ARTICLE, stats.articles("failed"), stats.articles("missing"))


class Articles:
    """What a run does about articles."""

    def __init__(self, context: Context, requisites: Requisites) -> None:
        self._context = context
        self._requisites = requisites

    def ask(self, effects: Effects, why: Why) -> bool:
        """Requests an article, once in a run. Returns whether it did, or with `plan` would.

        An article on another host is not requested.
        """
        state = self._context.state
        if state is not None and not self._context.is_on_site(why.link):
            self._reject(why, "is on another host", state.run.began_at)
            return False
        return state is not None and state.asked.add(path_key(why.link)) and self._ask(effects, why, state)

    def ask_last(self, effects: Effects, why: Why) -> bool:
        """The same for a request that a rebuild does not derive: no row depends on it before its exchange."""
        state = self._context.state
        if state is None or path_key(why.link) in state.asked or not self._context.is_on_site(why.link):
            return False
        return self._ask(effects, why, state)

    @staticmethod
    def _ask(effects: Effects, why: Why, state: RunState) -> bool:
        if not state.take_page(effects):
            return False
        if state.run.plan:
            effects.planned.append(why.link)
        else:
            note_link(effects, "linked", why)
            effects.asks.append(Ask(why.link, why, _REVISIT_PRIORITY if why.is_visit else _ARTICLE_PRIORITY))
        return True

    def read(self, effects: Effects, capture: CaptureRecord, why: Why, page: Page) -> None:
        # Parsed before the transaction begins with the first write: other crawls may be waiting for it.
        items = list(extract(self._context.family, page, capture))
        self._restore_entry(why)
        found = False
        for item in items:
            if isinstance(item, VisitCounters):
                self._context.store.write_counters(item)
                continue
            found = True
            self._requisites.ask(effects, of_page(page, item), via=page.url)
            try:
                article = self._context.stages(item)
                effects.items.append(article)
                self._note_novelty(why, article, capture.date)
            except RejectedItemError as error:
                self._reject(why, str(error), capture.date)
        if not found:
            self._without_article(effects, capture, why, page)
            return
        if self._context.state is not None:
            self._context.state.asked.add(path_key(page.url))  # other links that redirect here are the same article
        effects.counts[stats.ARTICLES] += 1

    def note_waste(self, effects: Effects, why: Why) -> None:
        """Notes for the walk of its section what an exchange has counted, in case that the walk ends in a trap; if it
        has, the exchange does not count."""
        state = self._context.state
        names = (*_WASTE, stats.in_section("missing", why.section))
        for walk in state.walks.values() if state is not None else ():
            if walk.section == why.section and walk.novelty.barren_pages:
                counted = {name: effects.counts[name] for name in names if name in effects.counts}
                walk.novelty.waste.update(counted)
                if walk.novelty.barren_pages >= BARREN_PAGES:
                    effects.counts.subtract(counted)

    def _note_novelty(self, why: Why, article: Article, date: str) -> None:
        """Notes an article for the walk of its section: one that the walk has not seen shows that it gets somewhere."""
        state = self._context.state
        for walk in state.walks.values() if state is not None and not why.is_visit else ():
            if walk.section == why.section and walk.novelty.is_new_article(
                article.title, article.body_text, article.published_at, date
            ):
                walk.novelty.barren_pages = 0

    def _restore_entry(self, why: Why) -> None:
        """Adds an unknown article to the frontier, with its entry in a listing that can no longer be read."""
        store, slug, key = self._context.store, self._context.slug, path_key(why.link)
        known = store.frontier.discover(slug, {key: why.link}, why.section or slug)
        if known[key] == NEW and why.listed_at:
            store.restore_entry(slug, why.section, key, why.listed_at, why.entry)

    def _without_article(self, effects: Effects, capture: CaptureRecord, why: Why, page: Page) -> None:
        """Handles a page without an article."""
        is_missing = says_not_found(page)
        if is_missing and self._is_absent(effects, capture, why):
            return
        # A cookie gate redirects to the article itself.
        hidden_by = obstruction(page, redirected=bool(why.hops) and page.url != why.link)
        if hidden_by is not None:  # the state of the article is unknown: the next run requests it again
            effects.troubles.append((stats.ARTICLE_TROUBLE, hidden_by, f"{why.link} {SHOWS[hidden_by]}"))
            self._count_failed(effects, why, "failed")
            self._fail(effects, why, f"shows {hidden_by} instead", capture.date)
        elif is_missing:
            self._not_there(effects, capture, why)
        elif is_blank(page):
            self._count_failed(effects, why, "failed")
            self._fail(effects, why, BLANK, capture.date)
        else:
            effects.counts[stats.PAGES_WITHOUT_ARTICLE] += 1
            self._reject(why, "no article on the page", capture.date)

    def _not_there(self, effects: Effects, capture: CaptureRecord, why: Why) -> None:
        """Handles a missing page that does not prove an absence: not published yet, or an outage of the site."""
        self._count_failed(effects, why, "missing")
        self._fail(effects, why, "is not there", capture.date)

    def redirect(self, effects: Effects, capture: CaptureRecord, why: Why, target: str) -> None:
        """Handles a redirect; one to a page that may be the article is followed."""
        context, state = self._context, self._context.state
        self._restore_entry(why)
        if not context.is_on_site(target):
            effects.counts[stats.PAGES_WITHOUT_ARTICLE] += 1
            self._reject(why, "leads to another host", capture.date)
        elif context.is_front(target) and not context.is_front(why.link):
            if is_gate(why, capture.url):
                self._ask_onward(effects, why, capture.url, why.link)
            elif not self._is_absent(effects, capture, why):
                self._not_there(effects, capture, why)
        elif (reason := endless(why, capture.url, target)) is not None:
            self._count_failed(effects, why, "failed")
            self._fail(effects, why, reason, capture.date)
            effects.messages.append((logging.WARNING, f"{why.link}: {reason}"))
        elif state is not None and path_key(target) != path_key(why.link) and path_key(target) in state.asked:
            context.store.frontier.mark(context.slug, path_key(why.link), ARCHIVED, f"leads to {target}")
        else:
            self._ask_onward(effects, why, capture.url, target)

    @staticmethod
    def _ask_onward(effects: Effects, why: Why, url: str, target: str) -> None:
        priority = _REVISIT_PRIORITY if why.is_visit else _ARTICLE_PRIORITY
        effects.asks.append(Ask(target, why.redirected(url), priority + 1))

    def answered(self, effects: Effects, capture: CaptureRecord, why: Why, page: Callable[[], Page | None]) -> None:
        """Handles a response without a page, such as 404 or 403."""
        self._restore_entry(why)
        is_final = capture.status in FINAL_STATUSES
        if is_final and self._is_absent(effects, capture, why):
            return
        status = capture.status or 0
        reason = f"HTTP {status}"
        if is_final and not why.is_visit:
            # One missing article is not a failure of the site, even if it is the only article requested.
            note_link(effects, "missing", why)
        else:
            self._count_failed(effects, why, "failed")
        if not is_final:
            kind = trouble_of(page(), status, asks_to_wait=False)
            effects.troubles.append((stats.ARTICLE_TROUBLE, kind, f"{capture.url}: {reason}"))
        effects.messages.append((logging.WARNING, f"{capture.url}: no article: {reason}"))
        self._fail(effects, why, reason, capture.date)

    def unanswered(self, effects: Effects, request: Unanswered) -> None:
        """Handles an article whose request was given up."""
        why = request.why
        self._restore_entry(why)
        if request.cause == "forbidden":
            note_link(effects, "forbidden", why)
        elif request.cause != "left_alone":
            effects.troubles.append((stats.ARTICLE_TROUBLE, request.trouble, f"{request.url}: {request.reason}"))
            self._count_failed(effects, why, "failed")
        if request.cause == "failed":  # else it stays pending: checking robots.txt again costs no request
            self._fail(effects, why, request.reason, request.date)
        level = logging.INFO if request.cause == "forbidden" else logging.WARNING  # the run report has the total
        effects.messages.append((level, f"{request.url}: no article: {request.reason}"))

    def _count_failed(self, effects: Effects, why: Why, what: str) -> None:
        effects.counts[stats.REVISITS_FAILED if why.is_visit else stats.articles(what)] += 1

    def _is_absent(self, effects: Effects, capture: CaptureRecord, why: Why) -> bool:
        """Stores that a capture shows that the article of a link is absent.

        Returns False if no article is known there, or if the site shows no entries either, as in an outage.
        """
        store, slug = self._context.store, self._context.slug
        if not store.last_entries.are_recent(slug, capture.date):
            return False
        missed = store.note_absence(slug, capture, why.link)
        if missed is None:
            return False
        # Repeated absences are counted separately: they say nothing about the site's health.
        effects.counts[stats.articles("absent" if missed.is_first else "absent_again")] += 1
        return True

    def _reject(self, why: Why, reason: str, date: str) -> None:
        self._context.store.frontier.reject(self._context.slug, path_key(why.link), reason, date)

    def _fail(self, effects: Effects, why: Why, reason: str, date: str) -> None:
        context, key = self._context, path_key(why.link)
        if context.state is not None:
            if key in context.state.failed:
                return  # counted once per run
            context.state.failed.add(key)
        if context.store.frontier.fail(context.slug, key, reason, date) == MAX_ATTEMPTS:
            text = f"{why.link}: not requested again until the next walk through all pages"
            effects.messages.append((logging.WARNING, text))
