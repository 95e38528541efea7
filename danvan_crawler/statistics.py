"""The names of all our statistics. Values are numbers unless stated otherwise.

A crawl writes them to Scrapy's statistics; run reports contain them, and `health` judges a run by them.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

PREFIX: Final = "danvan/"

ARTICLES: Final = "danvan/articles"
"""Pages with an article."""
PAGES_WITHOUT_ARTICLE: Final = "danvan/pages_without_article"
REVISITS: Final = "danvan/revisits"
"""Scheduled visits to archived articles."""
REVISITS_LEFT: Final = "danvan/revisits_left"
"""Steady visits that are due and that this run left to later ones (`walk.visits.most`)."""
REVISITS_FAILED: Final = "danvan/revisits_failed"
LISTINGS: Final = "danvan/listings"
"""Listing pages read. The next two: those with article links, and first pages of sections."""
LISTINGS_WITH_LINKS: Final = "danvan/listings_with_links"
FIRST_PAGES: Final = "danvan/first_pages"
LISTINGS_FAILED: Final = "danvan/listings_failed"
LISTINGS_SPARED: Final = "danvan/listings_spared"
"""Listings that were replaced by a feed."""
SECTIONS_READ: Final = "danvan/sections_read"
SECTIONS_FAILED: Final = "danvan/sections_failed"
UNREAD_SECTIONS: Final = "danvan/sections_unread"
"""Names of the sections that could not be read."""
EMPTY_SECTIONS: Final = "danvan/sections_empty"
"""Names of the sections whose first page shows no article."""
ENDLESS_LISTINGS: Final = "danvan/endless_listings"
"""One sentence for each listing whose walk was ended because it has no end, or too many pages."""
SHORT_SECTIONS: Final = "danvan/sections_short"
"""Names of the sections whose pages after the first are forbidden by robots.txt."""
LISTING_TROUBLE: Final = "danvan/listing_trouble"
ARTICLE_TROUBLE: Final = "danvan/article_trouble"
"""Why pages could not be read: kind of problem -> a sentence about the first page of that kind."""
FEEDS: Final = "danvan/feeds"
"""Feeds and sitemaps read."""
REQUISITES: Final = "danvan/requisites"
REQUISITES_FAILED: Final = "danvan/requisites_failed"
MAX_PAGES_REACHED: Final = "danvan/max_pages_reached"
SPIDER_ERRORS: Final = "danvan/spider_errors"
ITEM_ERRORS: Final = "danvan/item_errors"

REQUISITE_BYTES: Final = "danvan/requisite_bytes"
"""Bytes of requisites received."""
REQUISITES_LEFT: Final = "danvan/requisites_left"
"""Requisites left for the next run because the budget is spent."""

CAPTURES: Final = "danvan/captures"
"""Exchanges written to WARC files."""
TRUNCATED: Final = "danvan/truncated"
"""Incomplete exchanges among them."""
NOT_MODIFIED: Final = "danvan/not_modified"
"""Revisits among them because the server answered 304."""
DUPLICATES: Final = "danvan/duplicates"
"""Revisits among them because the archive already has the payload."""
WARC_FILES: Final = "danvan/warc_files"
"""Names of the finished files, relative to the archive."""
ARCHIVE_ERROR: Final = "danvan/archive_error"
"""Message of the first write to the archive that failed."""
DATABASE_ERROR: Final = "danvan/database_error"
"""Message of the first write to the item database that failed."""

REFUSED: Final = "danvan/refused"
"""Requests that the guard refused, before the request or at its connection."""
FOREIGN_HOSTS: Final = "danvan/foreign_hosts"
"""Host that is not the site's own -> requests to it."""
UNTRUSTED_CERTIFICATES: Final = "danvan/untrusted_certificates"
"""One sentence for each host whose certificate cannot be trusted."""
OUTDATED_TLS: Final = "danvan/outdated_tls"
"""One sentence for each host with encryption that only `legacy_tls` allows."""
ROBOTS_UNREADABLE: Final = "danvan/robots_unreadable"
"""Host and port -> since when its robots.txt cannot be read, ISO 8601. A run gets it from the run before."""
CRAWL_DELAY: Final = "danvan/crawl_delay"
"""Seconds between requests in robots.txt, if they are more than our delay."""
WAITED: Final = "danvan/waited"
"""Pauses that a server requested and that the run made."""
WAITS_UNTIL: Final = "danvan/waits_until"
"""End of the longest of these pauses, ISO 8601."""
ASKED_TO_WAIT: Final = "danvan/asked_to_wait"
"""Seconds that a server requested, if they ended the run because they are more than a run waits."""
NOT_BEFORE: Final = "danvan/not_before"
"""When that server may be contacted again, ISO 8601."""
OVERLOADED: Final = "danvan/overloaded"
"""True if responses 429 and 503 ended the run."""

_OF_ARTICLES = frozenset({
    "linked", "linked_again", "forbidden", "forbidden_again", "missing", "missing_again",
    "failed", "changed", "absent", "absent_again", "new", "edited", "gone", "revived",
})  # fmt: skip
What = Literal["linked", "forbidden", "missing"]


def articles(what: str) -> str:
    """Name of the statistic of articles that were `linked`, `failed`, … . Raises ValueError for an unknown one.

    >>> articles("failed")
    'danvan/articles_failed'
    """
    if what not in _OF_ARTICLES:
        raise ValueError(f"there is no statistic of articles {what!r}")
    return f"{ARTICLES}_{what}"


def in_section(what: str, section: str) -> str:
    """Name of the statistic of one section's article links that were `linked`, `forbidden` or `missing`."""
    return f"{PREFIX}{what}_in/{section}"


_WITH_FIELD: Final = "danvan/tally/"


def articles_with(field: str) -> str:
    """Name of the statistic of articles with a field, of all "articles", or of those with "doubtful_dates".

    >>> articles_with("author")
    'danvan/tally/author'
    """
    return _WITH_FIELD + field


_NAMES = frozenset(
    {value for name, value in list(globals().items()) if name.isupper() and str(value).startswith(PREFIX)}
    - {PREFIX, _WITH_FIELD}
    | {articles(what) for what in _OF_ARTICLES}
)
_WITH_ANY_END = (_WITH_FIELD, *(in_section(what, "") for what in get_args(What)))


def require_known(name: str) -> str:
    """Returns the name. Raises ValueError if it has the prefix of our statistics but is not one of them.

    >>> require_known("danvan/article")
    Traceback (most recent call last):
    ValueError: 'danvan/article' is not a statistic: see danvan_crawler.statistics for their names
    """
    if name.startswith(PREFIX) and name not in _NAMES and not name.startswith(_WITH_ANY_END):
        raise ValueError(f"{name!r} is not a statistic: see {__name__} for their names")
    return name
