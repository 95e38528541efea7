"""One site's rows again, in a database that has other sites as well: after an import that falls before known captures.

What an import brings stands between the exchanges of runs, by its dates, and what those runs saw follows from it. So
the site is derived again as a rebuild would, in one transaction: readers see the site as it was or as it is.
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
    """Derives all rows of a site again from all of its files. `progress` is called with each exchange.

    Raises ArchiveError and StoreError; the rows are as before then.
    """
    reparse = Reparse(files.archive, files.slug, site, store, crawler, files.profiles, default_run(crawler.settings))
    with store.together():
        store.forget_site(files.slug)
        for event in in_order(files):
            reparse.take(event)
            if isinstance(event, Seen):
                progress()
    return reparse
