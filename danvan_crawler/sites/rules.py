"""Rules in a profile: the hours in which a site may be crawled (`window`), and its expectations (`[health]`)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, PlainValidator

COVERED_FIELDS = (
    "author", "source", "section", "lead", "body_text", "published_at", "images", "attachments", "documents",
)  # fmt: skip
"""Fields of an item whose coverage, the share of articles that have them, is checked."""
_WINDOW = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of the day in the site's time zone; `end` may be on the next day."""

    start: time
    end: time

    @classmethod
    def parse(cls, text: str) -> Window:
        """The hours in "22:00-06:00". Raises ValueError.

        >>> str(Window.parse("22:00-06:00"))
        '22:00-06:00'
        """
        found = _WINDOW.fullmatch(text.strip())
        if found is None or (found[1], found[2]) == (found[3], found[4]):
            raise ValueError(f"must be hours of the day like 22:00-06:00, got {text!r}")
        return cls(time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4])))

    def holds(self, moment: datetime) -> bool:
        """Whether a moment, in the site's time zone, is in these hours; `end` itself is not.

        >>> [Window.parse("22:00-06:00").holds(datetime(2026, 11, 23, hour)) for hour in (21, 22, 0, 5, 6)]
        [False, True, True, True, False]
        """
        now = moment.time()
        if self.start < self.end:
            return self.start <= now < self.end
        return now >= self.start or now < self.end

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"


def checked_window(value: str) -> str:
    """Returns a profile's `window` unchanged. Raises ValueError if it is invalid."""
    Window.parse(value)
    return value


def _number(value: Any, most: float, what: str) -> float | bool:
    if value is False:
        return False
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"must be {what}, or false to expect nothing, got {value!r}")
    if not 0 <= value <= most:
        raise ValueError(f"must be {what}, or false to expect nothing, got {value!r}")
    return float(value)


def _days(value: Any) -> float | bool:
    return _number(value, 3650, "a number of days, 3650 at most")


def _share(value: Any) -> float | bool:
    return _number(value, 1, "a share from 0 to 1")


def _coverage(value: Any) -> dict[str, float | bool]:
    if value is False:
        return dict.fromkeys(COVERED_FIELDS, False)
    if not isinstance(value, Mapping):
        raise ValueError(f"must be a table of fields and shares, or false, got {value!r}")
    for name in value:
        if name not in COVERED_FIELDS:
            raise ValueError(f"unknown field {name!r}; known fields are {', '.join(COVERED_FIELDS)}")
    return {name: _share(share) for name, share in value.items()}


class Health(BaseModel):
    """Expectations of one site that replace those from its past and the defaults; False expects nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    quiet_days: Annotated[float | bool | None, PlainValidator(_days)] = None
    errors: Annotated[float | bool | None, PlainValidator(_share)] = None
    dates: Annotated[float | bool | None, PlainValidator(_share)] = None
    layout: Annotated[float | bool | None, PlainValidator(_share)] = None
    coverage: Annotated[dict[str, float | bool], PlainValidator(_coverage)] = {}
