"""Progress of running crawls: one progress line per site on a terminal, plain lines elsewhere."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from danvan_crawler.archive.heartbeat import Beat
from danvan_crawler.exceptions import ExitCode
from danvan_crawler.fleet.child_process import JobResult
from danvan_crawler.plurals import counted

if TYPE_CHECKING:  # importing Scrapy is slow, and a crawl of several sites needs it only in their processes
    from scrapy.crawler import Crawler

_LAST_WORDS = 20
"""Last lines of a failed site's process that are shown at the end with `quiet`."""


def _progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


class CrawlProgress:
    """Counts captures and articles while a crawler runs. The total is not known before the end."""

    def __init__(self, crawler: Crawler, console: Console, slug: str) -> None:
        self._articles = self._responses = 0
        self._progress = _progress(console)
        self._slug = slug
        self._task = self._progress.add_task(self._text(), total=None)
        if console.is_terminal:
            from scrapy import signals

            crawler.signals.connect(self._item, signals.item_scraped)
            crawler.signals.connect(self._response, signals.response_received)

    def _text(self) -> str:
        return f"{self._slug}: {counted(self._responses, 'response')}, {counted(self._articles, 'article')}"

    def _item(self, item: Any) -> None:
        self._articles += 1
        self._progress.update(self._task, description=self._text())

    def _response(self) -> None:
        self._responses += 1
        self._progress.update(self._task, description=self._text())

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._progress.stop()


def _without_name(slug: str, lines: Iterable[str]) -> str:
    """Lines of a site's process in the form that is equal for all sites: without its name, numbers and times."""
    return re.sub(r"[0-9][0-9.,:-]*", "0", "\n".join(lines).replace(slug, ""))


class SitesProgress:
    """Shows several sites: progress lines on a terminal, and above them messages and results. A context manager.

    With `quiet`, nothing is printed for a site that ends well; for another site, its last lines.
    """

    def __init__(self, console: Console, sites: int, *, quiet: bool) -> None:
        self._console = console
        self._quiet = quiet
        self._sites = sites
        self._done = self._failed = 0
        self._progress = _progress(console)
        self._all = self._progress.add_task(self._text(), total=None)
        self._tasks: dict[str, TaskID] = {}
        self._words: dict[str, deque[str]] = {}
        self._shown: dict[str, str] = {}
        """Last lines of sites, as `_without_name` has them, and the site that was the first to have them."""

    def _text(self) -> str:
        failed = f", {self._failed} with problems" if self._failed else ""
        return f"{self._done} of {counted(self._sites, 'site')} done{failed}"

    def started(self, slug: str) -> None:
        self._tasks[slug] = self._progress.add_task(f"{slug}: begins", total=None)
        self._words.setdefault(slug, deque(maxlen=_LAST_WORDS))

    def progress(self, slug: str, beat: Beat) -> None:
        text = f"{slug}: {counted(beat.requests, 'request')}, {counted(beat.articles, 'article')}"
        self._progress.update(self._tasks[slug], description=escape(text))

    def stderr_line(self, slug: str, line: str) -> None:
        own = line.startswith((f"{slug}: ", f"danvan: {slug}: "))
        text = line if own else f"{slug}: {line}"
        if self._quiet:
            self._words[slug].append(text)
        else:
            self._print(text)

    def paused(self, slug: str) -> None:
        if (task := self._tasks.pop(slug, None)) is not None:
            self._progress.remove_task(task)
        if not self._quiet:
            self._print(f"{slug}: its turn is over; it continues after the sites that wait")

    def ended(self, result: JobResult) -> None:
        slug, well = result.slug, result.code is ExitCode.OK
        self._done += 1
        self._failed += not well
        self._progress.update(self._all, description=self._text())
        if (task := self._tasks.pop(slug, None)) is not None:
            self._progress.remove_task(task)
        words = self._words.pop(slug, ())
        if well and self._quiet:
            return
        last = f"{slug}: exit code {int(result.code)}" + (f" ({result.finding})" if result.finding else "")
        first = self._shown.setdefault(_without_name(slug, (*words, last)), slug) if words else slug
        if first != slug:  # a full disk says the same about all sites
            self._print(f"{slug}: exit code {int(result.code)}, for the same reason as {first}")
            return
        for text in (*words, last):
            self._print(text)

    def note(self, text: str) -> None:
        """Prints a sentence about all sites, also with `quiet`."""
        self._print(text)

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._progress.stop()
