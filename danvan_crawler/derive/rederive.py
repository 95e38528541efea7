"""Derive one site's rows again in a database with other sites, after an import of captures older than known ones.

Imported captures are ordered by date between the exchanges of runs, and the rows of later exchanges depend on them. So
the site is derived again as in a rebuild, in one transaction: readers see the old or the new state of the site.
"""

from __future__ import annotations

from collections.abc import Callable

from scrapy.crawler import Crawler

from danvan_crawler.derive.idle import default_run
from danvan_crawler.derive.reparse import Reparse
from danvan_crawler.derive.scan import Files, Seen, in_order
from danvan_crawler.sites.profile import Site
from danvan_crawler.store.writes import Store


def rederive(
    files: Files,
    site: Site | None,
    store: Store,
    crawler: Crawler,
    progress: Callable[[], None] = lambda: None,
) -> Reparse:
    """Derives all rows of a site again from all of its files. `progress` is called for each exchange.

    Raises ArchiveError and StoreError; then the rows are unchanged.
    """
    reparse = Reparse(files.archive, files.slug, site, store, crawler, files.profiles, default_run(crawler.settings))
    with store.batch():
        store.forget_site(files.slug)
        for event in in_order(files):
            reparse.take(event)
            if isinstance(event, Seen):
                progress()
    return reparse
