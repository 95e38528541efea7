"""Requisites: files that the pages of a site need for replay (`pages.requisites` finds them).

They are requested right after the page that uses them, with the same delay, until the profile's budget is spent
(`politeness.budget`). A file in the crawl state is not requested again: a portal's design is fetched once.
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
"""Higher than that of articles, so that few addresses wait."""
_FORBIDDEN_RETRY = timedelta(days=6)
"""How long a file that robots.txt forbids is not tried again: this costs no request, but a design has many files."""
TOO_LONG = "is longer than this run takes"


class Requisites:
    """Handles pictures, styles, attachments and similar files of a run."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def ask(self, effects: Effects, urls: Iterable[str], *, via: str, depth: int = 1) -> None:
        """Requests the addresses on a page that are new or pending.

        Failed ones are requested at the beginning of a run, when they are due.
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
        """Requests the files that earlier runs left. Their depth is no longer known."""
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
        """Handles a redirect. A redirect to the front page or a section means that the file does not exist."""
        context, state = self._context, self._context.state
        key = context.scope.key_of(target)
        if context.is_front(target):
            self._reject(effects, why, LEADS_HOME if key == context.home else LEADS_TO_SECTION, capture.date)
        elif not (context.is_on_site(target) or host_of(target) in context.site.static_hosts):
            self._reject(effects, why, f"leads to another host, {host_of(target)}", capture.date)
        elif (reason := endless(why, capture.url, target)) is not None:
            self._reject(effects, why, reason, capture.date)
        elif state is not None and key != self._key(why) and not state.asked.add(key):
            self._mark_archived(why, f"leads to {target}")  # which has been requested separately
        else:
            effects.asks.append(Ask(target, why.redirected(capture.url), _PRIORITY + 1))

    def too_long(self, effects: Effects, capture: CaptureRecord, why: Why) -> None:
        """Handles a file of which only the beginning was fetched."""
        self._reject(effects, why, TOO_LONG, capture.date)

    def answered(self, effects: Effects, capture: CaptureRecord, why: Why, page: Callable[[], Page | None]) -> None:
        """Handles a response without a file, such as 404 or 403."""
        reason = f"HTTP {capture.status}"
        if capture.status in FINAL_STATUSES:
            self._reject(effects, why, reason, capture.date)
        else:
            self._fail(effects, why, reason, capture.date)

    def unanswered(self, effects: Effects, request: Unanswered) -> None:
        """Handles a file whose request was given up."""
        if request.cause in ("budget", "left_alone", "ours"):
            return  # it stays pending
        if request.was_made:
            self._fail(effects, request.why, request.reason, request.date)
            return
        until = warc_date(datetime.fromisoformat(request.date) + _FORBIDDEN_RETRY)
        self._context.store.frontier.postpone(self._context.slug, self._key(request.why), request.reason, until)
        effects.counts[stats.REQUISITES_FAILED] += 1
        self._log(effects, logging.INFO, request.why, request.reason)

    def _key(self, why: Why) -> str:
        return self._context.scope.key_of(why.link)

    def _mark_archived(self, why: Why, reason: str | None = None) -> None:
        self._context.store.frontier.mark(self._context.slug, self._key(why), ARCHIVED, reason)

    def _reject(self, effects: Effects, why: Why, reason: str, date: str) -> None:
        effects.counts[stats.REQUISITES_FAILED] += 1
        self._context.store.frontier.reject(self._context.slug, self._key(why), reason, date)
        # Many sites have no favicon: this is not a warning.
        level = logging.INFO if why.link.endswith("/favicon.ico") else logging.WARNING
        self._log(effects, level, why, reason)

    def _fail(self, effects: Effects, why: Why, reason: str, date: str) -> None:
        effects.counts[stats.REQUISITES_FAILED] += 1
        key, state = self._key(why), self._context.state
        if state is None or key not in state.failed:
            if state is not None:
                state.failed.add(key)  # counted once per run
            self._context.store.frontier.fail(self._context.slug, key, reason, date)
        self._log(effects, logging.WARNING, why, reason)

    @staticmethod
    def _log(effects: Effects, level: int, why: Why, reason: str) -> None:
        effects.messages.append((level, f"{why.link}: not archived: {reason}"))
