"""Settings that are numbers, looked at before anything is done with them.

A wrong one is said in one sentence that names it and what it holds, wherever it came from: the environment, or
`scrapy crawl -s NAME=VALUE`. What `float` would take as well, such as nan, inf or a million million days, is no number
that a crawl could work with.
"""

from __future__ import annotations

import logging
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from danvan_crawler.exceptions import UsageError


@dataclass(frozen=True, slots=True)
class Number:
    """What a setting may be: from `least` to `most`, `whole` or with a decimal point."""

    least: int
    most: int
    whole: bool = True

    def read(self, name: str, value: object) -> float:
        """The number that a setting of this name holds. Raises UsageError."""
        text = str(value).strip()
        number = float(text) if re.fullmatch(r"[0-9]+" if self.whole else r"[0-9]*\.?[0-9]+", text, re.ASCII) else None
        if number is None or not math.isfinite(number):
            raise UsageError(f"{name} must be a {'whole ' if self.whole else ''}number, got {text!r}")
        if not self.least <= number <= self.most:
            raise UsageError(f"{name} must be a number from {self.least} to {self.most}, got {text!r}")
        return number


_BYTES = Number(0, 2**63 - 1)
_DAYS = Number(0, 36525, whole=False)
_SECONDS = Number(0, 10**8, whole=False)

NUMBERS: Mapping[str, Number] = {
    "DANVAN_WARC_MAX_BYTES": Number(1, 2**63 - 1),
    "DANVAN_MIN_FREE": _BYTES,
    "DANVAN_GZIP_LEVEL": Number(0, 3),
    "DANVAN_MAX_MEDIA": _BYTES,
    "DANVAN_SWEEP_DAYS": _DAYS,
    "DANVAN_FEED_DAYS": _DAYS,
    "DANVAN_KEEP_DAYS": _DAYS,
    "DANVAN_MAX_RETRY_AFTER": _SECONDS,
    "DANVAN_MEMORY_LIMIT": Number(0, 10**9),
}
"""The numbers among the settings of a crawl; days reach a century."""


def check_settings(settings: Mapping[str, Any]) -> None:
    """Raises UsageError for the first of a crawl's settings that cannot be used."""
    for name, number in NUMBERS.items():
        number.read(name, settings.get(name))
    if isinstance(level := settings.get("LOG_LEVEL"), str) and level not in logging.getLevelNamesMapping():
        raise UsageError(f"DANVAN_LOG_LEVEL must be DEBUG, INFO, WARNING, ERROR or CRITICAL, got {level!r}")


def whole_from_environment(name: str, default: int) -> int:
    """A whole number from an environment variable. Raises UsageError."""
    return int(Number(0, 10**9).read(name, os.environ.get(name, default)))
