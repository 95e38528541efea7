"""Truncates pages for which an HTML parser would take minutes or all memory.

At many tags, a parser has to go through all open elements, and in each new paragraph it has to reopen every formatting
element that was left open. On normal pages this costs little. Measured with lexbor: 200,000 nested <div> take 160 s, a
<select> of 100,000 options takes as long, one tag with 100,000 attributes half a minute, and 100 KB of
<font size=N><p> (4,000 times) give 8 million elements. So in a page with very many tags, this work is estimated first.
The page is cut where the work exceeds a limit that real pages do not come near; the text before is parsed as usual.
"""

from __future__ import annotations

import re
from collections import Counter

LIGHT_TAGS = 4000
LIGHT_LENGTH = 100_000
"""A page with fewer tags and characters is not checked: it takes a second at worst."""
MAX_OPEN = 20_000_000
"""Maximum sum of open elements over all tags. A page of 5 MB with all tags thirty deep needs a quarter of it."""
MAX_REOPENED = 500_000
"""Maximum sum of reopened formatting elements over all tags."""
MAX_ATTRIBUTES = 1000

# Elements without an end tag, or with an optional one: they are closed by the following tag.
_OPTIONAL_END_TAG = frozenset(
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
"""An open formatting element costs more at each tag; <a> in particular (measured)."""
_TAG = re.compile(
    r"<!--.*?(?:-->|\Z)|<(?:script|style)\b.*?(?:</(?:script|style)|\Z)|<(/?)([a-z][a-z0-9:-]*)([^<>]*)",
    re.IGNORECASE | re.DOTALL,
)


def within_limits(html: str) -> str:
    """The page up to the point where parsing would exceed a limit. Takes time linear in its length."""
    if len(html) < LIGHT_LENGTH and html.count("<") < LIGHT_TAGS:
        return html
    still_open: Counter[str] = Counter()
    depth = formatting = options = weight = open_sum = reopened = 0
    for tag in _TAG.finditer(html):
        closing, name, attributes = tag.groups()
        if name is None:  # a comment or a script
            continue
        open_sum += weight
        reopened += formatting
        if (
            open_sum > MAX_OPEN
            or reopened > MAX_REOPENED
            or (len(attributes) > MAX_ATTRIBUTES and _is_long(attributes))
        ):
            return html[: tag.start()]
        name = name.lower()
        if name == "option":
            options += 1
        elif name in _OPTIONAL_END_TAG or attributes.endswith("/"):  # or a self-closing shape in SVG
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
