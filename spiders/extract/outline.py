"""A page as printed lines, with pictures and files in their places.

Portals of one platform have different markup but print the same lines. Families that read the printed lines still work
after a redesign; selectors are for content that the lines do not show.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

from parsel import Selector
from selectolax.lexbor import LexborHTMLParser, LexborNode
from w3lib.url import safe_url_string

from danvan_crawler.pages.page import MARKS, Page
from danvan_crawler.sites.profile import is_xpath
from danvan_crawler.urls import join

INVISIBLE_TAGS = ["script", "style", "noscript", "template", "svg", "select", "textarea", "iframe", "object", "head"]
INLINE = [
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins",
    "kbd", "label", "mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u",
    "var", "wbr", "nobr",
]  # fmt: skip
"""Elements whose text belongs to the line around them; every other element begins a new line."""
FILE_LINK = re.compile(
    r"(?i)\.(pdf|docx?|xlsx?|pptx?|rtf|odt|ods|odp|zip|rar|7z)(?:$|[?#&])|[?&](download|tai-?ve)=|/download/"
)
_BREAK, _IMAGE, _FILE, _END = MARKS
_MARK = re.compile(f"([{_IMAGE}{_FILE}])([0-9]+){_END}")
_UNSAFE = re.compile(r'[^!-~]|["<>\\^`{|}]')
_ICON = re.compile(
    r"(?i)(?:^|[/_-])(?:icons?|print|e?mail|share|facebook|zalo|twitter|youtube|rss|bullet|arrow|spacer|blank|pixel|logo|star|new|hot)[\w-]*\.(?:gif|png|svg|jpe?g|ico)$"
)
"""File names of buttons and ornaments."""
MAX_ADDRESS = 8000
"""Maximum characters of an address; servers refuse longer ones."""
MAX_LINES = 5000
"""Maximum number of lines read per page; the longest real article seen has about 300."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, with the caption that the markup links to it."""

    url: str
    caption: str | None


@dataclass(frozen=True, slots=True)
class FileLink:
    """A link to a file, with its text."""

    url: str
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line: text with single spaces, and its pictures and files."""

    text: str
    pictures: tuple[Picture, ...] = ()
    files: tuple[FileLink, ...] = ()


@dataclass(slots=True)
class _Marks:
    pictures: list[Picture] = field(default_factory=list)
    files: list[FileLink] = field(default_factory=list)


def outline(tree: LexborHTMLParser, base: str) -> list[Line]:
    """The page's lines from top to bottom, including hidden ones, because print forms are hidden.

    Changes the tree, so it must not be the shared one (see `Page.own_tree`).
    """
    if tree.body is None:
        return []
    marks = _Marks()
    tree.strip_tags(INVISIBLE_TAGS)
    _mark_files(tree, base, marks)
    _mark_pictures(tree, base, marks)
    tree.unwrap_tags(INLINE)
    tree.merge_text_nodes()
    pieces = tree.body.text(separator=_BREAK).split(_BREAK)
    return [line for line in (_line(piece, marks) for piece in pieces[: MAX_LINES * 4]) if line is not None][:MAX_LINES]


def _mark_files(tree: LexborHTMLParser, base: str, marks: _Marks) -> None:
    for anchor in tree.css("a[href]"):
        href = (anchor.attributes.get("href") or "").strip()
        if FILE_LINK.search(href) and (url := absolute(base, href)):
            marks.files.append(FileLink(url, squeeze(anchor.text())))
            anchor.insert_after(f"{_FILE}{len(marks.files) - 1}{_END}")
            if len(marks.files) == MAX_LINES:
                break


def _mark_pictures(tree: LexborHTMLParser, base: str, marks: _Marks) -> None:
    found = [(image, url) for image in tree.css("img")[:MAX_LINES] if (url := picture_url(image, base)) is not None]
    owners = box_owners((image, str(number)) for number, (image, _) in enumerate(found))
    for number, (image, url) in enumerate(found):
        marks.pictures.append(Picture(url, _figure_caption(image, str(number), owners)))
    for number, (image, _) in enumerate(found):
        image.replace_with(f"{_BREAK}{_IMAGE}{number}{_END}{_BREAK}")


def box_owners(named: Iterable[tuple[LexborNode, str]]) -> dict[int, str | None]:
    """`mem_id` of each element around the nodes -> the one name of the nodes inside, None if they have several.

    Visits every element at most twice, however the page is nested: an outer element has at least the names of an inner
    one, so the loop can stop at an element that already has the same name, or several.
    """
    owners: dict[int, str | None] = {}
    for node, name in named:
        box = node.parent
        while box is not None:
            place = box.mem_id
            known = owners.get(place, "")
            if known is None or known == name:
                break
            owners[place] = None if known else name
            box = box.parent
    return owners


def picture_url(image: LexborNode, base: str) -> str | None:
    """The address of an <img>'s picture; lazy-loading scripts keep it in a data attribute.

    None for buttons, bullets and tracking pixels, recognised by their size in the markup or their file name.
    """
    attributes = image.attributes
    for name in ("width", "height"):
        size = attributes.get(name) or ""
        if size.isdigit() and int(size) <= 40:
            return None
    for name in ("data-src", "data-original", "src"):
        value = (attributes.get(name) or "").strip()
        if value and not value.startswith("data:"):
            return None if _ICON.search(value.split("?", 1)[0]) else absolute(base, value)
    return None


def _figure_caption(image: LexborNode, name: str, owners: Mapping[int, str | None]) -> str | None:
    """The caption of a picture in the markup: a <figcaption> or a caption class, in a box with only this picture."""
    box = image.parent
    for _ in range(4):
        if box is None or box.tag in ("body", "html") or owners.get(box.mem_id) != name:
            return None
        caption = box.css_first('figcaption, [class*="caption"], [class*="chu-thich"], [class*="chuthich"]')
        if caption is not None:
            return squeeze(caption.text()) or None
        box = box.parent
    return None


@lru_cache(maxsize=4096)  # menus, boxes and footers are the same on every page
def _plain_line(piece: str) -> Line | None:
    text = squeeze(piece)
    return Line(text) if text else None


def _line(piece: str, marks: _Marks) -> Line | None:
    if _IMAGE not in piece and _FILE not in piece:
        return _plain_line(piece)
    found = [(kind, int(number)) for kind, number in _MARK.findall(piece)]
    return Line(
        squeeze(_MARK.sub("", piece)),
        tuple(marks.pictures[number] for kind, number in found if kind == _IMAGE),
        tuple(marks.files[number] for kind, number in found if kind == _FILE),
    )


def squeeze(text: str) -> str:
    """Text with every run of white space, including no-break spaces, replaced by one space."""
    return " ".join(text.split())


def absolute(base: str, href: str) -> str | None:
    """The http(s) address of a link, percent-encoded, without fragment; None for invalid addresses, mailto: etc."""
    if href.startswith("/"):  # menus repeat these on every page, and this base allows cache hits
        base = _origin(base)
    return _absolute(base, href)


@lru_cache(maxsize=1024)
def _origin(base: str) -> str:
    """The address of the site's front page; `base` itself if it is not a valid address."""
    try:
        return join(base, "/")
    except ValueError:
        return base


@lru_cache(maxsize=2048)
def _absolute(base: str, href: str) -> str | None:
    try:
        url = join(base, href.strip())
        if not url.lower().startswith(("http://", "https://")) or len(url) > MAX_ADDRESS:
            return None
        if _UNSAFE.search(url):
            url = safe_url_string(url)
        parts = urlsplit(url)
        reachable = bool(parts.hostname) and parts.port != 0
    except ValueError:  # "http://[::1", "http://x:99999/" and the like
        return None
    return url.split("#", 1)[0] if reachable else None


def select(page: Page, expression: str) -> list[LexborNode]:
    """Nodes that match a profile's selector. It is XPath if it begins with `/`, `./` or `(`, else CSS.

    Each result is a separate tree, so callers may change it.
    """
    if is_xpath(expression):
        found = Selector(page.text, type="html").xpath(expression).getall()
    else:
        found = [node.html or "" for node in page.tree.css(expression)]
    return [node for html in found if (node := LexborHTMLParser(html).body) is not None]


def override(page: Page, selectors: Mapping[str, str], key: str) -> Sequence[LexborNode] | None:
    """Nodes that match a profile's selector for `key`; None if the profile has no such selector."""
    return select(page, selectors[key]) if key in selectors else None
