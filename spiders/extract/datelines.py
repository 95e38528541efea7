"""Publication dates outside the printed lines: metadata, <time> elements, the page's address.

A family collects these before it changes the tree, and uses them at the end: if no date line was read, one of them is
used; otherwise they only give warnings. `danvan_crawler.vietnamese.dating` decides which one.

Lists of related news have dates in the same markup. Dates in a list, a box or a column beside the article are ignored,
and a <time> element counts only if it shares a box with the headline.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from danvan_crawler.items import Article
from danvan_crawler.sites.profile import Site
from danvan_crawler.vietnamese.dating import DISPLAY_FIRST, Candidate, Source, choose, in_address
from spiders.extract.listings import CHROME
from spiders.extract.overrides import ancestors

SIGNS = "meta, script, time"
"""All in one pass over the tree: selectors with attributes took three times as long on 1,600 nodes."""
META_NAMES = frozenset(
    {
        "article:published_time",
        "og:article:published_time",
        "og:published_time",
        "og:pubdate",
        "published_time",
        "pubdate",
        "publishdate",
        "publish-date",
        "publish_date",
        "datepublished",
        "publication_date",
        "citation_publication_date",
        "dc.date.issued",
        "dcterms.issued",
    }
)
"""Names of <meta> for the date of publication. Not plain `date`: some systems put the present day there."""
_SIDE_TAGS = frozenset({"ul", "ol", "li", "aside", "footer", "nav"})
_UPDATED = re.compile(r"(?i)updated|modified")
_ARTICLE_TYPE = re.compile(r"(?:Article|Posting|Report)$")
_PAGE_TYPES = frozenset({"", "WebPage", "ItemPage"})
MAX_SIGNS = 400
"""Maximum number of elements checked per page."""
MAX_SCRIPT = 200_000
"""Maximum characters of a JSON-LD script."""
MAX_NODES = 200
"""Maximum number of nodes checked in a JSON-LD graph."""
MAX_HEADINGS = 3
MAX_VALUE = 80
"""Maximum characters of a date in metadata."""


def collect(tree: LexborHTMLParser) -> tuple[Candidate, ...]:
    """The dates in a page's metadata, in page order. Does not change the tree."""
    found: list[Candidate] = []
    stamps: list[LexborNode] = []
    for node in islice(tree.css(SIGNS), MAX_SIGNS):
        tag = node.tag
        if tag == "time":
            stamps.append(node)
            continue
        attributes = node.attributes
        if tag == "script":
            if "ld+json" in (attributes.get("type") or "").lower():
                found.extend(Candidate("json-ld", value) for value in json_ld_dates(node.text()))
            continue
        name = attributes.get("property") or attributes.get("name")
        if name is not None:
            if name.strip().lower() in META_NAMES:
                found.extend(_candidate("opengraph", attributes.get("content")))
        elif attributes.get("itemprop") == "datePublished" and not _is_beside(node):
            found.extend(_candidate("json-ld", attributes.get("content")))
    if stamps:
        found.extend(_times(tree, stamps))
    return tuple(found)


def is_declared(found: Iterable[Candidate]) -> bool:
    """Whether metadata declares a date of publication. <time> elements do not count: listings have them too."""
    return any(candidate.source in ("json-ld", "opengraph") for candidate in found)


def apply_dates(
    article: Article,
    found: Sequence[Candidate],
    site: Site,
    captured_at: str,
    *,
    trust: Sequence[Source] = DISPLAY_FIRST,
    in_header: bool = False,
) -> None:
    """Give an article without a readable date line another date of its page, and add warnings.

    `found` is the result of `collect`; the article's address is added. `in_header`: the article's date line was read
    outside of the article, and may be the page's clock.
    """
    printed = article.published_raw
    address = Candidate("url", article.canonical_url or article.url)
    if printed and not found and not in_header and in_address(address.raw) is None:
        return  # the usual case: nothing to choose from, and later stages check the stamp itself
    visible = [Candidate("visible", printed, in_header)] if printed else []
    choice = choose(
        [*visible, *found, address],
        trust=trust,
        captured_at=captured_at,
        first_year=site.first_year,
        timezone=site.timezone,
        clock_offset=site.clock_correction,
        month_first=site.month_first,
    )
    article.warnings.extend(choice.warnings)
    if choice.source == "visible":
        return
    if choice.source is not None:
        if printed and not in_header:
            article.warnings.append("unreadable date line")
        article.published_raw, article.published_from = choice.raw, choice.published_from
        article.published_precision = None
    elif in_header:
        article.published_raw = article.published_from = article.published_precision = None


def json_ld_dates(text: str) -> list[str]:
    """`datePublished` of the articles in a JSON-LD script, or of the page if it has no article.

    Only top-level nodes and those of @graph are read: lists of other news are nested deeper.

    >>> json_ld_dates('{"@graph": [{"@type": "WebPage"}, {"@type": "NewsArticle", "datePublished": "2017-05-23"}]}')
    ['2017-05-23']
    """
    if len(text) > MAX_SCRIPT or "datePublished" not in text:
        return []
    try:
        data = json.loads(text.strip(" \t\r\n;"), strict=False)  # line breaks within strings are common
    except (ValueError, RecursionError):
        return []
    articles: list[str] = []
    pages: list[str] = []
    for node in islice(_nodes(data), MAX_NODES):
        value, kinds = node.get("datePublished"), node.get("@type") or ""
        if not isinstance(value, str) or not 0 < len(value) <= MAX_VALUE:
            continue
        for kind in kinds if isinstance(kinds, list) else [kinds]:
            name = str(kind).rpartition("/")[2]
            if _ARTICLE_TYPE.search(name):
                articles.append(value)
            elif name in _PAGE_TYPES:
                pages.append(value)
    return list(dict.fromkeys(articles or pages))


def _nodes(data: Any) -> Iterator[dict[str, Any]]:
    for node in data if isinstance(data, list) else [data]:
        if isinstance(node, dict):
            yield node
            graph = node.get("@graph")
            if isinstance(graph, list):
                yield from (inner for inner in graph if isinstance(inner, dict))


def _candidate(source: Source, value: str | None) -> Iterator[Candidate]:
    if value and 0 < len(value) <= MAX_VALUE:
        yield Candidate(source, value.strip())


def _times(tree: LexborHTMLParser, stamps: Iterable[LexborNode]) -> Iterator[Candidate]:
    """The <time> elements in the nearest box around a headline that has any, at most two boxes up."""
    near: dict[int, list[LexborNode]] = {}
    for stamp in stamps:
        kinds = f"{stamp.attributes.get('class') or ''} {stamp.attributes.get('itemprop') or ''}"
        if not stamp.attributes.get("datetime") or _UPDATED.search(kinds):
            continue
        for box in ancestors(stamp):
            near.setdefault(box.mem_id, []).append(stamp)
    for heading in islice(tree.css("h1"), MAX_HEADINGS):
        for box in islice(ancestors(heading), 2):
            if box.tag in ("body", "html"):
                break
            if box.mem_id in near:
                for stamp in near[box.mem_id]:
                    if not _is_beside(stamp, box):
                        yield from _candidate("time", stamp.attributes.get("datetime"))
                break


def _is_beside(node: LexborNode, within: LexborNode | None = None) -> bool:
    """Whether a node is in a list, a side box or a column, checked up to the box `within`."""
    for box in ancestors(node):
        if box.tag in ("body", "html") or (within is not None and box.mem_id == within.mem_id):
            return False
        attributes = box.attributes
        if box.tag in _SIDE_TAGS:
            return True
        # "header" may be the class of an article's own header.
        named = f"{attributes.get('class') or ''} {attributes.get('id') or ''}".replace("header", "")
        if CHROME.search(named):
            return True
    return False
