"""The names of all statistics of ours, once. Numbers unless said otherwise.

A crawl writes them into Scrapy's statistics; run reports keep them, and `health` judges a run by them.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

PREFIX: Final = "danvan/"

ARTICLES: Final = "danvan/articles"
"""Pages that gave an article."""
PAGES_WITHOUT_ARTICLE: Final = "danvan/pages_without_article"
REVISITS: Final = "danvan/revisits"
"""Scheduled visits to archived articles."""
REVISITS_FAILED: Final = "danvan/revisits_failed"
LISTINGS: Final = "danvan/listings"
"""Listing pages read; those with article links, and those that were a section's first."""
LISTINGS_WITH_LINKS: Final = "danvan/listings_with_links"
FIRST_PAGES: Final = "danvan/first_pages"
LISTINGS_FAILED: Final = "danvan/listings_failed"
LISTINGS_SPARED: Final = "danvan/listings_spared"
"""Listings in whose place a feed was read."""
SECTIONS_READ: Final = "danvan/sections_read"
SECTIONS_FAILED: Final = "danvan/sections_failed"
EMPTY_SECTIONS: Final = "danvan/sections_empty"
"""Names of the sections whose first page shows no article."""
SHORT_SECTIONS: Final = "danvan/sections_short"
"""Names of the sections of which robots.txt forbids the pages after the first."""
LISTING_TROUBLE: Final = "danvan/listing_trouble"
ARTICLE_TROUBLE: Final = "danvan/article_trouble"
"""Why pages could not be had: kind of problem -> a sentence about the first one of that kind."""
FEEDS: Final = "danvan/feeds"
"""Feeds and sitemaps read."""
REQUISITES: Final = "danvan/requisites"
REQUISITES_FAILED: Final = "danvan/requisites_failed"
MAX_PAGES_REACHED: Final = "danvan/max_pages_reached"
SPIDER_ERRORS: Final = "danvan/spider_errors"
ITEM_ERRORS: Final = "danvan/item_errors"

REQUISITE_BYTES: Final = "danvan/requisite_bytes"
"""Bytes of requisites that have arrived."""
REQUISITES_LEFT: Final = "danvan/requisites_left"
"""Requisites that the next run asks for, because the budget is spent."""

CAPTURES: Final = "danvan/captures"
"""Exchanges written to WARC files."""
TRUNCATED: Final = "danvan/truncated"
"""Those of them that were incomplete."""
NOT_MODIFIED: Final = "danvan/not_modified"
"""Those written as revisits because the server answered 304."""
DUPLICATES: Final = "danvan/duplicates"
"""Those written as revisits because the archive has the payload already."""
WARC_FILES: Final = "danvan/warc_files"
"""Names of the finished files, relative to the archive."""
ARCHIVE_ERROR: Final = "danvan/archive_error"
"""Message of the first write to the archive that failed."""

REFUSED: Final = "danvan/refused"
"""Requests that the guard refused, when they were made or when their connection was."""
UNTRUSTED_CERTIFICATES: Final = "danvan/untrusted_certificates"
"""One sentence for each host whose certificate cannot be trusted."""
ROBOTS_UNREADABLE: Final = "danvan/robots_unreadable"
"""Host and port -> since when its robots.txt cannot be read, ISO 8601. A run gets it from the run before."""
CRAWL_DELAY: Final = "danvan/crawl_delay"
"""Seconds between requests that robots.txt asks for, if they are more than ours."""
WAITED: Final = "danvan/waited"
"""Pauses that a server asked for and got."""
WAITS_UNTIL: Final = "danvan/waits_until"
"""End of the longest of these pauses, ISO 8601."""
ASKED_TO_WAIT: Final = "danvan/asked_to_wait"
"""Seconds that a server asked for and that are more than a run waits: they ended the run."""
NOT_BEFORE: Final = "danvan/not_before"
"""When that server may be asked again, ISO 8601."""
OVERLOADED: Final = "danvan/overloaded"
"""True if answers 429 and 503 ended the run."""

_OF_ARTICLES = frozenset({
    "linked", "linked_again", "forbidden", "forbidden_again", "missing", "missing_again",
    "failed", "changed", "absent", "absent_again", "new", "edited", "gone", "revived",
})  # fmt: skip
What = Literal["linked", "forbidden", "missing"]


def articles(what: str) -> str:
    """Statistic of articles: how many were `linked`, `failed`, … . Raises ValueError for one that there is not.

    >>> articles("failed")
    'danvan/articles_failed'
    """
    if what not in _OF_ARTICLES:
        raise ValueError(f"no statistic counts articles {what!r}")
    return f"{ARTICLES}_{what}"


def in_section(what: str, section: str) -> str:
    """Statistic of the article links of one section: how many were `linked`, `forbidden` or `missing`."""
    return f"{PREFIX}{what}_in/{section}"


_TALLY: Final = "danvan/tally/"


def tally(field: str) -> str:
    """Statistic of articles that have a field, of all "articles", and of those with "doubtful_dates".

    >>> tally("author")
    'danvan/tally/author'
    """
    return _TALLY + field


_NAMES = frozenset(
    {value for name, value in list(globals().items()) if name.isupper() and str(value).startswith(PREFIX)}
    - {PREFIX, _TALLY}
    | {articles(what) for what in _OF_ARTICLES}
)
_WITH_ANY_END = (_TALLY, *(in_section(what, "") for what in get_args(What)))


def require_known(name: str) -> str:
    """The same name. Raises ValueError if it begins like a statistic of ours and is not one.

    >>> require_known("danvan/article")
    Traceback (most recent call last):
    ValueError: 'danvan/article' is not a statistic: danvan_crawler.statistics has their names
    """
    if name.startswith(PREFIX) and name not in _NAMES and not name.startswith(_WITH_ANY_END):
        raise ValueError(f"{name!r} is not a statistic: {__name__} has their names")
    return name
