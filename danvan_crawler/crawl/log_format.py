"""Log lines for an operator: no line per request, one line per problem."""

from __future__ import annotations

import logging
from typing import Any

from scrapy import Request, Spider
from scrapy.http import Response
from scrapy.logformatter import LogFormatter, LogFormatterResult


def _in_one_line(record: logging.LogRecord) -> bool:
    """Removes the traceback: an unreachable server is not an error in our code."""
    record.exc_info = None
    return True


class QuietLogFormatter(LogFormatter):
    """Scrapy's formatter without a line per response and per item; formatting them costs more than archiving does."""

    def __init__(self) -> None:
        super().__init__()
        logging.getLogger("scrapy.downloadermiddlewares.robotstxt").addFilter(_in_one_line)

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
