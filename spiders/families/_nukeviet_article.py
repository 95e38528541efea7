"""Reads the parts of a NukeViet article page.

Themes rename classes, and every class of the article is also used elsewhere on the page: `h5` for the rating and the
tags, `imghome` for pictures of boxes, `h1` for the name of the site. Only the text has a reliable element
(`#news-bodyhtml`, `div.bodytext`), so the other parts are searched between it and the headline above, or below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from selectolax.lexbor import LexborHTMLParser, LexborNode

from danvan_crawler.items import Attachment, Image
from danvan_crawler.urls import canonical, file_name, path_key
from danvan_crawler.vietnamese import timestamps
from danvan_crawler.vietnamese.text import fold
from spiders.extract.listings import in_chrome
from spiders.extract.outline import Line, absolute, outline, picture_url, squeeze
from spiders.extract.overrides import ancestors, drop

BODY = '#news-bodyhtml, div.bodytext, #bodytext, [itemprop="articleBody"]'
LEAD = "div.hometext, #hometext"
STAMP = ".h5, .time, .small"
_HIDDEN = '.hidden, .hide, .d-none, [itemprop="datePublished"], [itemprop="dateModified"]'
"""Hidden metadata in the page's text: time of the last edit, account that entered the article."""
_OTHER_NEWS = ".related, .other-news, .list-items, aside"
"""Boxes of other articles, with their dates, that some themes put above the text."""
MAX_STAMP = 120
"""Maximum characters of a date line: "Đăng lúc: Thứ hai - 22/05/2017 14:00 - Người đăng bài viết: …"."""
MAX_CREDIT = 300
HOME = frozenset({"trang nhat", "trang chu", "home"})
_DOWNLOAD = re.compile(r"[?&]download=1&id=\d+")
_GARBLED = re.compile(r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)[+-]\d\d(?P<time>\d\d:\d\d:\d\d)$")
"""`article:published_time` in NukeViet 4.3 to 4.5."""
_AUTHOR = re.compile(r"(?i)^Tác giả(?: bài viết)?\s*:\s*(\S.*)$")
_SOURCE = re.compile(r"(?i)^Nguồn(?: tin)?\s*:\s*(\S.*)$")
_CREDIT = re.compile(r"(?i)(?=Nguồn(?: tin)?\s*:)|(?=Tác giả(?: bài viết)?\s*:)")
_TAG_LABEL = re.compile(r"(?i)(?:tags?|từ kh(?:óa|oá))\s*:")
_FILE_LABEL = re.compile(r"(?i)^(?:tập tin|file|tệp)(?:\s*\d+)?\s*:\s*")


def is_news(tree: LexborHTMLParser, body: LexborNode) -> bool:
    """Whether the text is from the news module: other modules (about, page, siteterms) use the same classes."""
    if (body.attributes.get("id") or "") in ("news-bodyhtml", "bodytext"):
        return True
    for box in ancestors(body):
        attributes = box.attributes
        classes, kind = (attributes.get("class") or "").split(), attributes.get("itemtype") or ""
        if "news_column" in classes or attributes.get("id") == "news_detail" or "NewsArticle" in kind:
            return True
    return tree.css_first('#hometext, meta[property="article:published_time"]') is not None


def find_title(tree: LexborHTMLParser, body: LexborNode) -> LexborNode | None:
    """The headline: the nearest <h1> outside the text, in the smallest box around it that has one."""
    inside = {node.mem_id for node in body.css("h1")}
    for box in ancestors(body):
        for selector in ('h1[itemprop="headline"]', "h1.title", "h1"):
            for node in box.css(selector):
                if node.mem_id not in inside and _text(node):
                    return node
    return None


def declared_title(tree: LexborHTMLParser) -> str:
    """The headline in the metadata, for themes without an <h1>; empty without one."""
    node = tree.css_first('meta[property="og:title"]')
    return squeeze(node.attributes.get("content") or "") if node is not None else ""


def above(body: LexborNode, title: LexborNode | None) -> LexborHTMLParser:
    """The markup between headline and text: stamp, lead, the picture beside the lead."""
    pieces: list[str] = []
    for box in _boxes(body, title):
        sibling = box.prev
        while sibling is not None and (title is None or sibling.mem_id != title.mem_id):
            pieces.append(sibling.html or "")
            if _holds(sibling, title):
                break
            sibling = sibling.prev
    fragment = LexborHTMLParser("".join(reversed(pieces)))
    drop(fragment.css(f"h1, nav, {_HIDDEN}, {_OTHER_NEWS}"))
    return fragment


def below(body: LexborNode, title: LexborNode | None) -> LexborHTMLParser:
    """The markup below the text in the same box: author, source. Without comments and lists of other news."""
    pieces: list[str] = []
    for box in _boxes(body, title):
        sibling = box.next
        while sibling is not None:
            pieces.append(sibling.html or "")
            sibling = sibling.next
    fragment = LexborHTMLParser("".join(pieces))
    drop(fragment.css("#idcomment, form, .related, .other-news, .news-download-file"))
    return fragment


def _boxes(body: LexborNode, title: LexborNode | None) -> Iterator[LexborNode]:
    """The text and the boxes around it, up to the one that also contains the headline (excluded)."""
    node = body
    while node.parent is not None and node.tag not in ("body", "html"):
        yield node
        node = node.parent
        if _holds(node, title) or (title is None and "news_column" in (node.attributes.get("class") or "")):
            return


def _holds(box: LexborNode, node: LexborNode | None) -> bool:
    return node is not None and any(inner.mem_id == node.mem_id for inner in box.css(node.tag or "*"))


def has_column(body: LexborNode) -> bool:
    """Whether the text is in a news column, which contains the article but not the page's header."""
    return any("news_column" in (box.attributes.get("class") or "") for box in ancestors(body))


def stamp_of(head: LexborHTMLParser, base: str, *, nearest: bool = False) -> str | None:
    """The printed stamp. In the eGovernment theme, numbers of views and comments have the same class.

    `nearest`: take the last stamp above the text, because `head` may include the page's header with its clock.
    """
    for node in reversed(head.css(STAMP)) if nearest else head.css(STAMP):
        if _is_stamp(text := _text(node)):
            return text
    fragment = LexborHTMLParser(head.html or "")
    drop(fragment.css(LEAD))
    stamps = [line.text for line in outline(fragment, base) if _is_stamp(line.text)]
    return stamps[-1 if nearest else 0] if stamps else None


def _is_stamp(text: str) -> bool:
    return len(text) <= MAX_STAMP and timestamps.parse(text) is not None


def lead_of(head: LexborHTMLParser, base: str) -> str:
    """The lead, one line per printed line. Until 4.0.20 its element contains the picture and the caption."""
    node = head.css_first(LEAD)
    if node is None:
        return ""
    fragment = LexborHTMLParser(node.html or "")
    drop(_picture_box(image) for image in fragment.css("img"))
    return "\n".join(line.text for line in outline(fragment, base) if line.text)


def _picture_box(image: LexborNode) -> LexborNode:
    """The outermost box around a picture and its caption within the lead; the picture itself without a box."""
    outermost = image
    for box in ancestors(image):
        if box.attributes.get("id") == "hometext" or "hometext" in (box.attributes.get("class") or ""):
            break
        if box.tag in ("div", "figure"):
            outermost = box
    return outermost


def credits_of(foot: LexborHTMLParser, base: str) -> tuple[str | None, str | None]:
    """Author and source as printed below the text, on separate lines or on one."""
    author = source = None
    for line in outline(foot, base):
        if len(line.text) > MAX_CREDIT:
            continue
        for part in map(str.strip, _CREDIT.split(line.text)):
            if match := _AUTHOR.match(part):
                author = author or match[1]
            elif match := _SOURCE.match(part):
                source = source or match[1]
    return author, source


def text_of(lines: Iterable[Line], lead: str) -> str:
    """The text, one line per printed line. A lead that is repeated at the beginning of the text is dropped."""
    printed = [line.text for line in lines if line.text]
    return "\n".join(printed[1:] if lead and printed and printed[0] == lead else printed)


def section_of(tree: LexborHTMLParser, title: str) -> str:
    """The last item of the breadcrumb that is not the article; from metadata if the theme has no breadcrumb."""
    marked = tree.css('[class*="breadcrumb"] [itemprop="name"], [id*="breadcrumb"] [itemprop="name"]')
    for nodes in (marked, tree.css('[class*="breadcrumb"] a, [id*="breadcrumb"] a')):
        steps = [step for step in map(_text, nodes) if step and step != title and fold(step) not in HOME]
        if steps:
            return steps[-1]
    meta = tree.css_first('meta[property="article:section"]')
    return squeeze(meta.attributes.get("content") or "") if meta is not None else ""


def tags_of(tree: LexborHTMLParser) -> list[str]:
    """Texts of the article's own tag links: those after a label, not those of a tag cloud."""
    found: list[str] = []
    for anchor in tree.css('a[href*="/tag/"], a[href*="op=tag"], a[href*="/search/"], a[href*="op=search"]'):
        boxes = islice(ancestors(anchor), 2)
        if any(_TAG_LABEL.match(_text(box)) for box in boxes) and not in_chrome(anchor):
            found.append(_text(anchor))
    return list(dict.fromkeys(tag for tag in found if tag))


def images_of(head: LexborHTMLParser, lines: Iterable[Line], base: str) -> list[Image]:
    """The picture beside the lead and those in the text's lines, each once. Changes `head`."""
    notes = _notes(head, base)
    found: dict[str, Image] = {}
    for line in (*outline(head, base), *lines):
        for picture in line.pictures:
            found.setdefault(picture.url, Image(picture.url, picture.caption or notes.get(picture.url)))
    return list(found.values())


def _notes(head: LexborHTMLParser, base: str) -> dict[str, str]:
    """Captions by picture address in versions until 4.0.20: in italics, in the picture's box."""
    found: dict[str, str] = {}
    for image in head.css("img"):
        url = picture_url(image, base)
        box = next((box for box in ancestors(image) if box.tag == "div"), None)
        note = box.css_first("p em, em.show") if box is not None else None
        if url is not None and note is not None and (text := _text(note)):
            found.setdefault(url, text)
    return found


def attachments_of(tree: LexborHTMLParser, body: LexborNode, base: str) -> list[Attachment]:
    """Files of the article's own list ("File đính kèm"). The address has only a number, the list prints the file name.

    A file on another server is listed as "Nhấn vào để tải file."; its name is taken from the address.
    """
    inside = {node.mem_id for node in body.css("a[href]")}
    found: dict[str, Attachment] = {}
    for anchor in tree.css('.news-download-file a[href], a[href*="download=1"]'):
        href = (anchor.attributes.get("href") or "").strip()
        url = absolute(base, href)
        if url is None or href.startswith("#") or anchor.mem_id in inside:
            continue
        strong = anchor.css_first("strong")
        printed = _FILE_LABEL.sub("", _text(strong if strong is not None else anchor))
        name = printed if _DOWNLOAD.search(url) else file_name(url) or printed
        if name:
            found.setdefault(path_key(url), Attachment(canonical(url), name))
    return list(found.values())


def is_real_midnight(tree: LexborHTMLParser, published_raw: str | None) -> bool:
    """Whether a displayed 00:00 is a time of day: the page's metadata has the same day and minute with seconds."""
    meta = tree.css_first('meta[property="article:published_time"]')
    match = _GARBLED.match(meta.attributes.get("content") or "") if meta is not None else None
    if match is None or published_raw is None or match["time"] == "00:00:00" or not match["time"].startswith("00:00:"):
        return False
    return f"{match['day']}/{match['month']}/{match['year']} 00:00" in published_raw


def _text(node: LexborNode) -> str:
    return squeeze(node.text())
