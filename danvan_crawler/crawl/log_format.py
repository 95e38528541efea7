"""Log lines for an operator: no line per request, one line per problem."""

from __future__ import annotations

import logging
from typing import Any

from scrapy import Request, Spider
from scrapy.http import Response
from scrapy.logformatter import LogFormatter, LogFormatterResult


def _as_detail(record: logging.LogRecord) -> bool:
    """Makes a message about robots.txt one line and a detail: the result of the run names the sections behind it."""
    record.exc_info = None
    if str(record.msg).startswith("Error downloading "):
        record.levelno, record.levelname = logging.INFO, logging.getLevelName(logging.INFO)
    return True


class QuietLogFormatter(LogFormatter):
    """Scrapy's formatter without a line per response and per item; formatting them costs more than archiving does."""

    def __init__(self) -> None:
        super().__init__()
        logging.getLogger("scrapy.downloadermiddlewares.robotstxt").addFilter(_as_detail)

    def crawled(self, request: Request, response: Response, spider: Spider) -> LogFormatterResult:
        return None  # type: ignore[return-value]  # documented: None means no line

    def scraped(self, item: Any, response: Any, spider: Spider) -> LogFormatterResult:
        return None  # type: ignore[return-value]

    def download_error(
        self, failure: Any, request: Request, spider: Spider, errmsg: str | None = None
    ) -> LogFormatterResult:
        result = super().download_error(failure, request, spider, errmsg)
        result["level"] = logging.DEBUG  # the spider logs it in one line, without traceback
        return result
