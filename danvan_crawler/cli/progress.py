"""A crawl's progress line on a terminal; nothing elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from scrapy import signals
from scrapy.crawler import Crawler


class CrawlProgress:
    """Counts captures and articles while a crawler runs. How many there will be is not known before the end."""

    def __init__(self, crawler: Crawler, console: Console, slug: str) -> None:
        self._articles = self._responses = 0
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._slug = slug
        self._task = self._progress.add_task(self._text(), total=None)
        if console.is_terminal:
            crawler.signals.connect(self._item, signals.item_scraped)
            crawler.signals.connect(self._response, signals.response_received)

    def _text(self) -> str:
        return f"{self._slug}: {self._responses} responses, {self._articles} articles"

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
