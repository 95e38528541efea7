"""Pages that an HTML parser would take minutes or all memory for, cut to what can be read.

HTML's rules make a parser look through everything that is open at many a tag, and open every formatting element that
was left open again in each new paragraph. For pages as people write them that is nothing. Measured with lexbor:
200,000 nested <div> take 160 s, a <select> of 100,000 options as long, one tag with 100,000 attributes half a minute,
and 4,000 times <font size=N><p> (100 KB) make 8 million elements. So a page with very many tags is counted through
first, and ends where that work would pass a limit no real page comes near: all that stands before is read as ever.
"""

from __future__ import annotations

import re
from collections import Counter

LIGHT_TAGS = 4000
LIGHT_LENGTH = 100_000
"""A page with fewer tags and characters than these is parsed as it is: at its worst it takes a second."""
MAX_LOOKS = 20_000_000
"""Open elements looked through, over all tags. A page of 5 MB with all tags thirty deep needs a quarter of it."""
MAX_REOPENED = 500_000
"""Formatting elements that may be opened again, over all tags."""
MAX_ATTRIBUTES = 1000

# No end tag ever, or one that HTML lets authors leave out: what follows closes these.
_CLOSED_BY_WHAT_FOLLOWS = frozenset(
    {
        *(
            "area",
            "base",
            "br",
            "col",
            "embed",
            "hr",
            "img",
            "input",
            "link",
            "meta",
            "param",
            "source",
            "track",
            "wbr",
        ),
        *("p", "li", "dt", "dd", "optgroup", "tr", "td", "th", "thead", "tbody", "tfoot", "colgroup"),
        *("html", "head", "body"),
    }
)
_FORMATTING = frozenset(
    {"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"}
)
_FORMATTING_WEIGHT = 5
"""A formatting element that stays open costs more at each tag; <a> in particular (measured)."""
_TAG = re.compile(
    r"<!--.*?(?:-->|\Z)|<(?:script|style)\b.*?(?:</(?:script|style)|\Z)|<(/?)([a-z][a-z0-9:-]*)([^<>]*)",
    re.IGNORECASE | re.DOTALL,
)


def within_limits(html: str) -> str:
    """The page, up to where parsing it would pass a limit. Takes time in proportion to its length."""
    if len(html) < LIGHT_LENGTH and html.count("<") < LIGHT_TAGS:
        return html
    still_open: Counter[str] = Counter()
    depth = formatting = options = weight = looks = reopened = 0
    for tag in _TAG.finditer(html):
        closing, name, attributes = tag.groups()
        if name is None:  # a comment or a script
            continue
        looks += weight
        reopened += formatting
        if looks > MAX_LOOKS or reopened > MAX_REOPENED or (len(attributes) > MAX_ATTRIBUTES and _is_long(attributes)):
            return html[: tag.start()]
        name = name.lower()
        if name == "option":
            options += 1
        elif name in _CLOSED_BY_WHAT_FOLLOWS or attributes.endswith("/"):  # or a shape in a drawing, closed by itself
            continue
        else:
            options = 0 if name == "select" else options
            step = 1 if not closing else -1 if still_open[name] else 0
            still_open[name] += step
            depth += step
            formatting += step if name in _FORMATTING else 0
        weight = depth + options + _FORMATTING_WEIGHT * formatting
    return html


def _is_long(attributes: str) -> bool:
    return len(attributes.split(None, MAX_ATTRIBUTES)) > MAX_ATTRIBUTES
