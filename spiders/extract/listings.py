"""Listings of any platform: finds the links to articles, and the next page.

A listing entry is a link with a headline as its text and an address with a slug or a number, outside of menus, boxes
and footers. A wrong link costs one request: its page yields no article. A missed link costs an article, so doubtful
links are included.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from urllib.parse import unquote, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from danvan_crawler.items import ArticleLink
from danvan_crawler.urls import canonical, host_of, path_key
from danvan_crawler.vietnamese import timestamps
from danvan_crawler.vietnamese.text import fold
from spiders.extract.outline import FILE_LINK, absolute, box_owners, squeeze

CHROME = re.compile(
    r"(?i)(^|[^a-z])(menu\w*|nav\w*|footer|header|breadcrumbs?|sidebar|aside|banner|related|lien-?quan|doc-?nhieu|xem-?nhieu"
    r"|most-?read|weblinks?|lien-?ket|slide\w*|pagination|pager|paging|phan-?trang|login|search"
    r"|trinh-?don|thuc-?don|dau-?trang|chan-?trang|duong-?dan)([^a-z]|$)"
)
"""Classes and ids of elements around a listing that are on every page."""
CHROME_TAGS = frozenset({"nav", "footer", "header", "aside"})
ARTICLE_ADDRESS = re.compile(r"\d|(?:[^-/]+-){3,}[^-/]+")
"""A number or a slug of four words in path or query."""
NOT_A_PAGE = re.compile(r"(?i)\.(jpe?g|png|gif|webp|svg|ico|mp[34]|avi|css|js|xml|rss)$")
MORE = frozenset({"xem tiep", "xem them", "chi tiet", "doc tiep", "doc them", "tiep tuc", "xem chi tiet", "read more"})
NEXT_WORDS = frozenset(
    {"trang sau", "trang tiep", "trang tiep theo", "tiep theo", "tiep", "sau", "trang ke", "ke tiep", "next"}
)
NEXT_SIGNS = frozenset({"›", "»", ">", "→"})
MINIMUM_WORDS = 4
"""Vietnamese headlines have at least four syllables; menu entries mostly fewer."""
MAX_LINKS = 5000
"""Maximum number of links checked per page."""
MAX_REPEATED = 4
"""Maximum number of links to one article (picture, headline, "read more") that are searched for a date."""
_PAGE_NUMBER = re.compile(r"(?i)(?:page|trang|pageindex|p|cpage|currentpage)[-=/_]?([0-9]{1,9})(?![0-9])")
_PAGE_STEP = re.compile(rf"(?i)[/?&]*{_PAGE_NUMBER.pattern.removeprefix('(?i)')}/?")


def article_links(
    tree: LexborHTMLParser, base: str, is_known: Callable[[str], bool], *, minimum_words: int = MINIMUM_WORDS
) -> tuple[ArticleLink, ...]:
    """The entries of a listing in page order, one per canonical address.

    `base` is the base of relative links. `is_known` returns True for an address that is not an article (sections, home,
    other hosts). If it recognises articles reliably, `minimum_words` of a headline may be lower.
    """
    entries: dict[str, list[LexborNode]] = {}
    addresses: dict[str, str] = {}
    titles: dict[str, str] = {}
    headlined: list[tuple[LexborNode, str]] = []
    around: dict[int, bool] = {}
    for anchor in _some(tree.css("a[href]")):
        url = absolute(base, anchor.attributes.get("href") or "")
        if url is None or not _may_be_article(url):
            continue
        key, headline = path_key(url), _headline(anchor)
        if headline.count(" ") >= 2:
            headlined.append((anchor, key))
        if is_known(url) or in_chrome(anchor, around):
            continue
        entries.setdefault(key, []).append(anchor)
        addresses.setdefault(key, canonical(url))
        titles[key] = max(titles.get(key, ""), headline, key=len)
    owners = box_owners(headlined)
    return tuple(
        ArticleLink(addresses[key], titles[key], _printed_date(anchors, key, owners))
        for key, anchors in entries.items()
        if len(titles[key].split()) >= minimum_words
    )


def _some(anchors: list[LexborNode]) -> list[LexborNode]:
    """All links of a page, or the first and the last of a very long one: pagination is at either end."""
    half = MAX_LINKS // 2
    return anchors if len(anchors) <= MAX_LINKS else [*anchors[:half], *anchors[-half:]]


def _may_be_article(url: str) -> bool:
    parts = urlsplit(url)
    if NOT_A_PAGE.search(parts.path) or FILE_LINK.search(url):
        return False
    return bool(ARTICLE_ADDRESS.search(unquote(parts.path)) or re.search(r"\d", parts.query))


def _headline(anchor: LexborNode) -> str:
    text = squeeze(anchor.text())
    if fold(text).strip(" .»›>[]()") in MORE:
        return ""
    return text or squeeze(anchor.attributes.get("title") or "")


def in_chrome(node: LexborNode, known: dict[int, bool] | None = None) -> bool:
    """Whether a node is in a menu, box, header or footer.

    `known` is a cache for one page: `mem_id` of a box -> result.
    """
    known = {} if known is None else known
    passed: list[int] = []
    box, answer = node.parent, False
    while box is not None and box.tag not in ("body", "-undef", "html"):
        place = box.mem_id
        if place in known:
            answer = known[place]
            break
        passed.append(place)
        decided = _is_chrome(box)
        if decided is not None:
            answer = decided
            break
        box = box.parent
    known.update(dict.fromkeys(passed, answer))
    return answer


def _is_chrome(box: LexborNode) -> bool | None:
    """Whether the content of a box is chrome; None if the box itself does not decide it."""
    if box.tag in CHROME_TAGS:
        return True
    # <main> and <article> are content, whatever their classes.
    if box.tag in ("main", "article"):
        return False
    attributes = box.attributes
    return True if CHROME.search(f"{attributes.get('class') or ''} {attributes.get('id') or ''}") else None


def _printed_date(anchors: Iterable[LexborNode], key: str, owners: Mapping[int, str | None]) -> str | None:
    """The date line of an entry: searched in growing boxes around its links until a box has another entry."""
    for anchor in islice(anchors, MAX_REPEATED):
        box = anchor.parent
        for _ in range(5):
            if box is None or box.tag in ("body", "html", "main") or owners.get(box.mem_id, key) != key:
                break
            for piece in box.text(separator="\n").split("\n"):
                if len(piece) < 80 and timestamps.parse(piece) is not None:
                    return squeeze(piece)
            box = box.parent
    return None


def next_page(tree: LexborHTMLParser, url: str, base: str) -> str | None:
    """The address of the next listing page: by rel=next, by number, by word, by sign, in this order."""
    candidates: list[tuple[str, str]] = []
    for anchor in _some(tree.css("a[href], link[rel][href]")):
        target = absolute(base, anchor.attributes.get("href") or "")
        if target is None or host_of(target) != host_of(url) or path_key(target) == path_key(url):
            continue
        if "next" in (anchor.attributes.get("rel") or "").lower().split():
            return target
        if anchor.tag == "a":
            label = squeeze(anchor.text()) or squeeze(anchor.attributes.get("title") or "")
            candidates.append((label, target))
    following = str(page_number(url) + 1)
    for label, target in candidates:
        if label.strip("[] ") == following and page_number(target) == int(following):
            return target
    for label, target in candidates:
        if fold(label).strip(" ›»>→.[]") in NEXT_WORDS:
            return target
    for label, target in candidates:
        if label in NEXT_SIGNS and page_number(target) == int(following):
            return target
    return None


def page_number(url: str) -> int:
    """The number of a listing page at the end of its address; 1 without one."""
    parts = urlsplit(url)
    found = _PAGE_NUMBER.findall(f"{_last_step(parts.path)}?{parts.query}")
    return int(found[-1]) if found else 1


def is_page_of(prefix: str, key: str) -> bool:
    """Whether `key` is a further page of the listing with the path key `prefix`."""
    return key.startswith(prefix) and _PAGE_STEP.fullmatch(key[len(prefix) :]) is not None


def _last_step(path: str) -> str:
    return path.rstrip("/").rsplit("/", 1)[-1]
