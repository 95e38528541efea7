"""Articles in a run: what a page gave, and what it means when it gave none.

A page without an article may be a notice, a login, the front page or a soft 404. Which of them decides whether the
article is gone, whether it is asked for again, or whether there was none ever.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from danvan_crawler import clock
from danvan_crawler.capture.archiver import REDIRECTS_KEY
from danvan_crawler.capture.playback import page_of
from danvan_crawler.families import Family, extract
from danvan_crawler.items import Article, VisitCounters
from danvan_crawler.pages.kind import BLANK, is_blank, says_not_found, stands_in_the_way
from danvan_crawler.pages.page import Page
from danvan_crawler.pages.requisites import FINAL_STATUSES, of_page
from danvan_crawler.politeness.backoff import LeftAlone
from danvan_crawler.store.frontier import MAX_ATTEMPTS
from danvan_crawler.urls import host_of, path_key
from spiders.failures import is_forbidden, reason_of, status_of, was_not_made
from spiders.observations import note_failed_article, note_hidden_article, note_link
from spiders.requisites import RequisiteSpider


class StorySpider(RequisiteSpider):
    """Base of a site's spider: what it does about articles."""

    family: Family

    def __init__(self, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self._fronts = {path_key(self.site.home), *(path_key(section.url) for section in self.site.sections)}

    def parse_story(self, response: Response) -> Iterator[Any]:
        link = response.meta["link"]
        if host_of(response.url) not in self.site.hosts:
            self._count("pages_without_article")
            self._reject(link, "leads to another host")
            return
        found = False
        page = page_of(response, response.meta["capture"].date)
        for item in extract(self.family, page, response.meta["capture"]):
            if isinstance(item, VisitCounters):
                self.store.write_counters(item)
                continue
            found = True
            yield from self._requisite_requests(of_page(page, item))
            yield item
        if found:
            self._asked.add(path_key(response.url))  # other articles that lead here are this one
            self._count("articles")
        else:
            self._without_article(response, page, link)

    def _without_article(self, response: Response, page: Page, link: str) -> None:
        """A page on which there is no article: it is gone, or there was none ever."""
        redirects = response.meta.get(REDIRECTS_KEY, ())
        hops = (*response.meta.get("redirect_urls", ())[1:], response.url)
        to_front = (capture for capture, url in zip(redirects, hops, strict=False) if self._is_front(url))
        shown = next(to_front, response.meta["capture"] if says_not_found(page) else None)
        if self._is_absent(shown, link):
            return
        hidden_by = stands_in_the_way(page, redirected=bool(redirects))
        if hidden_by is not None:  # it says nothing of the article, which the next run asks for again
            note_hidden_article(self.crawler.stats, link, hidden_by)
            self._count("revisits_failed" if response.meta["revisit"] else "articles_failed")
            self._fail(link, f"shows {hidden_by} instead")
        elif shown is not None:  # listed before it is published, or everything is gone tonight
            self._count("revisits_failed" if response.meta["revisit"] else "articles_missing")
            self._fail(link, "is not there")
        elif is_blank(page):
            self._count("revisits_failed" if response.meta["revisit"] else "articles_failed")
            self._fail(link, BLANK)
        else:
            self._count("pages_without_article")
            self._reject(link, "no article on the page")

    def story_failed(self, failure: Failure) -> None:
        request: Request = failure.request  # type: ignore[attr-defined]
        link, gone = request.meta["link"], status_of(failure) in FINAL_STATUSES
        if gone and self._is_absent(failure.value.response.meta.get("capture"), link):  # type: ignore[union-attr]
            return
        # That one article is not there is no failure of the site, even on a day when it is the only one asked for.
        if is_forbidden(failure):
            note_link(self.crawler.stats, "forbidden", request)
        elif not isinstance(failure.value, LeftAlone):
            known = request.meta["revisit"]
            note_failed_article(self.crawler.stats, failure)
            if gone and not known:
                note_link(self.crawler.stats, "missing", request)
            else:
                self._count("revisits_failed" if known else "articles_failed")
        if not was_not_made(
            failure
        ):  # else it stays pending: the next run asks again, without a request where forbidden
            self._note_failure(path_key(link), failure)
        level = logging.INFO if is_forbidden(failure) else logging.WARNING  # the run's report tells of it as a whole
        self.logger.log(level, "%s: no article: %s", request.url, reason_of(failure))

    def item_dropped(self, item: Any, response: Response, exception: Exception) -> None:
        if isinstance(item, Article) and "link" in response.meta:
            self._reject(response.meta["link"], str(exception))

    def _mark(self, link: str, state: str, reason: str | None = None) -> None:
        self.store.frontier.mark(self.site.slug, path_key(link), state, reason)

    def _reject(self, link: str, reason: str) -> None:
        self.store.frontier.reject(self.site.slug, path_key(link), reason, clock.now())

    def _fail(self, link: str, reason: str) -> None:
        if self.store.frontier.fail(self.site.slug, path_key(link), reason, clock.now()) == MAX_ATTEMPTS:
            self.logger.warning("%s: given up until the next walk through all pages", link)

    def _is_front(self, url: str) -> bool:
        """Whether this is the front page or a section, where portals send who asks for an article that is gone."""
        return path_key(url) in self._fronts

    def _is_absent(self, capture: Any, link: str) -> bool:
        """Notes that a capture shows that the article of a link is gone.

        False when none is known there, or when the site shows no entries either: then it is not the article's fault.
        """
        slug = self.site.slug
        if capture is None or not self.store.signs.are_fresh(slug, capture.date):
            return False
        missed = self.store.note_absence(slug, capture, link)
        if missed is None:
            return False
        # That it is still gone says nothing of the site.
        self._count("articles_absent" if missed.is_first else "articles_absent_again")
        return True
