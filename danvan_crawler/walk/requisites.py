"""Requisites: what the pages of a site need to be looked at again (`pages.requisites` finds it).

They come right after the page that shows them, under the same delay, until the profile's budget is spent
(`politeness.budget`). What the crawl state knows is not asked for again: the skin of a portal is fetched once in its
life.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from danvan_crawler import statistics as stats
from danvan_crawler.captures import CaptureRecord
from danvan_crawler.clock import warc_date
from danvan_crawler.pages.page import Page
from danvan_crawler.pages.requisites import FINAL_STATUSES, MAX_DEPTH, NO_SECTION, of_requisite
from danvan_crawler.store.frontier import ARCHIVED, LEADS_HOME, LEADS_TO_SECTION, NEW, PENDING
from danvan_crawler.urls import host_of
from danvan_crawler.walk.asking import Ask, Effects, Unanswered, Why
from danvan_crawler.walk.context import Context
from danvan_crawler.walk.redirects import endless

_PRIORITY = 20
"""Before the next article: few addresses wait."""
_NOT_MADE = timedelta(days=6)
"""How long what robots.txt keeps to itself is not tried again. It costs no request, but skins are many files."""
TOO_LONG = "is longer than this run takes"


class Requisites:
    """What a run does about pictures, styles, attachments and the like."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def ask(self, effects: Effects, urls: Iterable[str], *, via: str, depth: int = 1) -> None:
        """Asks for those of the addresses on a page that no run knows yet.

        Those that failed before have their turn at the beginning of a run, when they are due.
        """
        state, scope = self._context.state, self._context.scope
        if state is not None and state.run.plan:
            return
        fresh = {key: url for key, url in scope.keyed(urls).items() if state is None or key not in state.asked}
        if not fresh:
            return
        states = self._context.store.frontier.discover(self._context.slug, fresh, NO_SECTION)
        if state is None:
            return
        state.asked.update(fresh)
        for key, url in fresh.items():
            if states[key] in (NEW, PENDING):
                effects.asks.append(Ask(url, Why("requisite", url, via=via, depth=depth), _PRIORITY))

    def ask_again(self, effects: Effects, urls: Iterable[str]) -> None:
        """Asks for what earlier runs left. How far from a page those were found is not known any more."""
        state = self._context.state
        for key, url in self._context.scope.keyed(urls).items():
            if state is not None and not state.run.plan and state.asked.add(key):
                effects.asks.append(Ask(url, Why("requisite", url), _PRIORITY))

    def read(self, effects: Effects, capture: CaptureRecord, why: Why, page: Page) -> None:
        effects.counts[stats.REQUISITES] += 1
        self._mark_archived(why)
        if why.depth < MAX_DEPTH:
            self.ask(effects, of_requisite(page), via=page.url, depth=why.depth + 1)

    def redirect(self, effects: Effects, capture: CaptureRecord, why: Why, target: str) -> None:
        """What a redirect in the place of a file means. One that leads to the front page or a section says, as portals
        do, that there is no such file."""
        context, state = self._context, self._context.state
        key = context.scope.key_of(target)
        if context.is_front(target):
            self._reject(effects, why, LEADS_HOME if key == context.home else LEADS_TO_SECTION, capture.date)
        elif not (context.is_on_site(target) or host_of(target) in context.site.static_hosts):
            self._reject(effects, why, f"leads to another host, {host_of(target)}", capture.date)
        elif (reason := endless(why, capture.url, target)) is not None:
            self._reject(effects, why, reason, capture.date)
        elif state is not None and key != self._key(why) and not state.asked.add(key):
            self._mark_archived(why, f"leads to {target}")  # which was asked for on its own
        else:
            effects.asks.append(Ask(target, why.redirected(capture.url), _PRIORITY + 1))

    def too_long(self, effects: Effects, capture: CaptureRecord, why: Why) -> None:
        """Notes a file of which only the beginning was taken."""
        self._reject(effects, why, TOO_LONG, capture.date)

    def answered(self, effects: Effects, capture: CaptureRecord, why: Why, page: Callable[[], Page | None]) -> None:
        """What a response means that is no file: 404, 403 and the like."""
        reason = f"HTTP {capture.status}"
        if capture.status in FINAL_STATUSES:
            self._reject(effects, why, reason, capture.date)
        else:
            self._fail(effects, why, reason, capture.date)

    def unanswered(self, effects: Effects, request: Unanswered) -> None:
        """What it means that a file was given up."""
        if request.cause in ("budget", "left_alone", "ours"):
            return  # it stays pending
        if request.was_made:
            self._fail(effects, request.why, request.reason, request.date)
            return
        until = warc_date(datetime.fromisoformat(request.date) + _NOT_MADE)
        self._context.store.frontier.put_off(self._context.slug, self._key(request.why), request.reason, until)
        effects.counts[stats.REQUISITES_FAILED] += 1
        self._log(effects, logging.INFO, request.why, request.reason)

    def _key(self, why: Why) -> str:
        return self._context.scope.key_of(why.link)

    def _mark_archived(self, why: Why, reason: str | None = None) -> None:
        self._context.store.frontier.mark(self._context.slug, self._key(why), ARCHIVED, reason)

    def _reject(self, effects: Effects, why: Why, reason: str, date: str) -> None:
        effects.counts[stats.REQUISITES_FAILED] += 1
        self._context.store.frontier.reject(self._context.slug, self._key(why), reason, date)
        # Many sites have no favicon: that is no trouble of this night.
        level = logging.INFO if why.link.endswith("/favicon.ico") else logging.WARNING
        self._log(effects, level, why, reason)

    def _fail(self, effects: Effects, why: Why, reason: str, date: str) -> None:
        effects.counts[stats.REQUISITES_FAILED] += 1
        key, state = self._key(why), self._context.state
        if state is None or key not in state.failed:
            if state is not None:
                state.failed.add(key)  # it counts once a run, however many tries that had
            self._context.store.frontier.fail(self._context.slug, key, reason, date)
        self._log(effects, logging.WARNING, why, reason)

    @staticmethod
    def _log(effects: Effects, level: int, why: Why, reason: str) -> None:
        effects.messages.append((level, f"{why.link}: not archived: {reason}"))
