"""Reads a danvan_portal article page as lines: the article in its two blocks, and the visit box."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from selectolax.lexbor import LexborHTMLParser

from danvan_crawler.vietnamese import timestamps
from danvan_crawler.vietnamese.text import fold
from spiders.extract.outline import FileLink, Line, Picture, squeeze

AUTHOR = re.compile(r"(?i)^(?:tác giả|người viết|người đăng|tin,? ảnh|tin và ảnh|bài và ảnh|bài, ảnh)\s*:\s*(\S.*)$")
SOURCE = re.compile(r"(?i)^(?:theo\s+)?nguồn(?:\s+tin)?\s*:\s*(\S.*)$")
TAGS = re.compile(r"(?i)^(?:từ khóa|từ khoá|tags?|thẻ)\s*:\s*(.*)$")
FILES = re.compile(
    r"(?i)^(?:tệp|tập tin|file|tài liệu|văn bản)\s*(?:đính kèm|kèm theo|tải về)?\s*:?$"
    r"|^(?:tệp|tập tin|file) đính kèm\s*:?"
)
CONTROLS = frozenset(
    {
        "in trang",
        "in bai viet",
        "ban in",
        "in",
        "gui email",
        "gui mail",
        "gui ban be",
        "quay lai",
        "ve dau trang",
        "chia se",
    }
)
"""Folded labels of buttons."""
BUTTONS = re.compile(
    r"[\W_]*(?:in (?:tin|bai|trang|an)|ban in|gui (?:email|mail|tin|bai)|email|chia se|luot xem|xem|doc bai|nghe)\b"
)
"""Folded beginnings of the text that portals print after the stamp on the same line."""
VIEWS = re.compile(r"(?i)^(?:lượt xem|số lượt xem|đã xem|lượt truy cập|xem)\s*:?\s*[\d.,]+$|^[\d.,]+\s*lượt xem$")
AFTER = re.compile(
    r"^(?:cac )?(?:tin|bai|bai viet) (?:lien quan|khac|moi|cung chuyen muc|cu hon|moi hon|da dua|tiep theo)"
    r"|^(?:y kien|binh luan|phan hoi)"
)
"""Folded beginnings of the headings after an article."""
DATE_WORDS = re.compile(
    r"(?i)đăng|lúc|ngày|cập nhật|gửi|xuất bản|phát hành|thứ|hai|ba|tư|năm|sáu|bảy|chủ nhật|gmt|vào|bài|tin|giờ|phút"
    r"|lượt xem|[\W\d_]+"
)
LABELLED = re.compile(r"(?i)(?:đăng|ngày đăng|cập nhật|gửi|xuất bản)")
_LONGEST_LABEL = 80
"""Maximum characters of a button, a counter or the heading of a file list; longer lines are paragraphs."""
_SHORTEST_PARAGRAPH = 100
"""Minimum characters of a paragraph that an article without a date line needs below its headline."""
MAXIMUM_GAP = 6
"""The second block ends after more consecutive lines that are not in the first (buttons, a view counter) than this."""
MAXIMUM_PAIRS = 200
"""Maximum number of repeated headlines checked per page; a menu printed twice has a few dozen."""
MAXIMUM_TAGS_LINE = 2000
"""Maximum characters of the printed tags."""
COUNTER_LABELS = ("hom nay", "hom qua", "tuan nay", "thang nay", "tat ca")
_COUNTER = re.compile(
    r"^(hôm nay|hôm qua|tuần này|tháng này|tất cả|tổng(?: số| cộng)?)\s*:?\s*([0-9.,\s]*)$", re.IGNORECASE
)
_NUMBER = re.compile(r":?\s*[0-9][0-9.,\s]*")
_MAXIMUM_DIGITS = 15
"""A number with more digits is not a counter; it would not fit into the database either."""


@dataclass(slots=True)
class Story:
    """An article as read from its lines."""

    title: str
    lead: str = ""
    paragraphs: list[str] = field(default_factory=list)
    published_raw: str | None = None
    author: str | None = None
    source: str | None = None
    tags_line: str = ""
    """Tags as printed, without their label."""
    pictures: list[Picture] = field(default_factory=list)
    files: list[FileLink] = field(default_factory=list)


@lru_cache(maxsize=8192)  # called several times for a line while blocks are compared
def date_line(text: str) -> str | None:
    """The date line in a printed line; None if the line is not a stamp, e.g. a sentence that begins with a date.

    The rest of the line is cut off: a button, or a view counter that would change with every visit.

    >>> date_line("Đăng lúc: 23/05/2017 00:00:00 (GMT+7) In tin này | Lượt xem: 15")
    'Đăng lúc: 23/05/2017 00:00:00 (GMT+7)'
    >>> date_line("Ngày 23/05/2017, hội nghị đã khai mạc.")
    """
    if len(text) > 120 or not any(character.isdigit() for character in text):
        return None
    stamp = timestamps.parse(text)
    if stamp is None:
        return None
    start = text.index(stamp.raw)
    end = start + len(stamp.raw)
    end += text[end : end + 1] in (")", "]")
    before, after = (DATE_WORDS.sub("", part) for part in (text[:start], text[end:]))
    if len(before) > 2 or (len(after) > 2 and not BUTTONS.match(fold(text[end:]))):
        return None
    return text[:end]


def is_date_line(text: str) -> bool:
    """Whether a printed line is a stamp and little else."""
    return date_line(text) is not None


def follows_article(text: str) -> bool:
    """Whether a line is a heading after an article: related news, comments. Headings are short."""
    return len(text) <= 60 and AFTER.match(fold(text)) is not None


def find_story(lines: Sequence[Line], headline: str = "") -> Story | None:
    """The article of a page; None without one.

    `headline`: the title of a page whose metadata declares an article; used if it has no print form and date line.
    """
    texts = [line.text for line in lines]
    pair = _two_blocks(texts)
    if pair is not None:
        first, second = pair
        return _story(lines, second, _aligned(texts, first, second), texts[first:second])
    start = _single_block(texts)
    if start is None and headline and headline in texts and _has_paragraph(texts, texts.index(headline)):
        start = texts.index(headline)
    return _story(lines, start, _until_end(texts, start), []) if start is not None else None


def _two_blocks(texts: Sequence[str]) -> tuple[int, int] | None:
    """Line numbers of the titles of print form and article: the repeated line with the most common text after it."""
    places: dict[str, list[int]] = {}
    for number, text in enumerate(texts):
        if len(text) >= 8:
            places.setdefault(text, []).append(number)
    pairs = [pair for found in places.values() for pair in pairwise(found) if _opens_block(texts, *pair)]
    # Two dated titles are the best evidence, so they come first before the list is truncated.
    pairs.sort(key=lambda pair: not _is_dated(texts, *pair))
    best: tuple[int, int] | None = None
    best_size = 0
    for first, second in pairs[:MAXIMUM_PAIRS]:
        size = _score(texts, first, second, _aligned(texts, first, second))
        if size > best_size:
            best, best_size = (first, second), size
    return best


def _is_dated(texts: Sequence[str], first: int, second: int) -> bool:
    """Whether both titles have a date line in the next two lines."""
    return all(any(is_date_line(text) for text in texts[title + 1 : title + 3]) for title in (first, second))


def _score(texts: Sequence[str], first: int, second: int, common: Sequence[int]) -> int:
    """Score of two blocks as one article: the length of their common text, higher if both are dated."""
    lengths = [len(texts[number]) for number in common[1:]]
    if sum(is_date_line(texts[number]) for number in range(second + 1, common[-1] + 1)) > 2:
        return 0  # a listing that is on the page twice, for wide and for narrow windows
    dated = _is_dated(texts, first, second)
    if not dated and (sum(lengths) < 200 or max(lengths) < 100):
        return 0  # boxes repeat headlines; only an article repeats paragraphs
    return sum(lengths) + 1000 * dated


def _opens_block(texts: Sequence[str], first: int, second: int) -> bool:
    """Cheap test before the alignment: after both titles comes the same line, apart from a date line."""
    if first and texts[first - 1] and texts[first - 1] == texts[second - 1]:
        return False  # a line within two blocks that began further up
    after_first = [text for text in texts[first + 1 : min(first + 6, second)] if text and not is_date_line(text)]
    after_second = [text for text in texts[second + 1 : second + 6] if text and not is_date_line(text)]
    return bool(after_first) and after_first[0] in after_second[:3]


def _aligned(texts: Sequence[str], first: int, second: int) -> list[int]:
    """Numbers of the lines of the second block that are also in the first, in order, from its title on."""
    places: dict[str, list[int]] = {}
    for number in range(first, second):
        places.setdefault(texts[number], []).append(number)
    found, reached, gap = [], first, 0
    for number in range(second, len(texts)):
        text = texts[number]
        candidates = places.get(text, [])
        place = bisect.bisect_left(candidates, reached)
        if text and place < len(candidates):
            reached = candidates[place] + 1
            found.append(number)
            gap = 0
        elif text and not is_date_line(text):
            gap += 1
            if gap > MAXIMUM_GAP or follows_article(text):
                break
    return found


def _single_block(texts: Sequence[str]) -> int | None:
    """Line number of the title before the labelled date line, on a page without print form; None without one.

    A page with more than two such lines is a listing.
    """
    dated = [number for number, text in enumerate(texts) if LABELLED.match(text) and is_date_line(text)]
    if len(dated) not in (1, 2):
        return None
    for title in range(dated[0] - 1, max(dated[0] - 4, -1), -1):
        if len(texts[title].split()) >= 3 and not VIEWS.match(texts[title]):
            return title
    return None


def _has_paragraph(texts: Sequence[str], start: int) -> bool:
    return any(len(texts[number]) >= _SHORTEST_PARAGRAPH for number in _until_end(texts, start)[1:])


def _until_end(texts: Sequence[str], start: int) -> list[int]:
    found = []
    for number in range(start, len(texts)):
        if follows_article(texts[number]):
            break
        found.append(number)
    return found


def _story(lines: Sequence[Line], start: int, numbers: Sequence[int], print_form: Sequence[str]) -> Story:
    story = Story(lines[start].text)
    end = _end_of_details(lines, numbers[-1])
    content: list[str] = []
    for number in numbers[1:]:
        text = lines[number].text
        if not _is_detail(text) and not (not content and is_date_line(text)):
            content.append(text)
    story.lead, story.paragraphs = (content[0], content[1:]) if len(content) > 1 else ("", content)
    story.published_raw = _date_after_title([line.text for line in lines[start + 1 : end]]) or _date_after_title(
        print_form[1:]
    )
    _read_details(story, lines[start:end])
    _read_pictures(story, lines[start:end])
    return story


def _date_after_title(texts: Sequence[str]) -> str | None:
    return next((found for text in texts[:3] if (found := date_line(text)) is not None), None)


def _is_detail(text: str) -> bool:
    """Whether a line is a detail (author, source, tags, files, views, buttons) and not part of the text."""
    if not text or AUTHOR.match(text) or SOURCE.match(text) or TAGS.match(text):
        return True
    if len(text) > _LONGEST_LABEL:
        return False
    return bool(FILES.match(text) or VIEWS.match(text)) or fold(text).strip(" .[]()|") in CONTROLS


def _end_of_details(lines: Sequence[Line], last: int) -> int:
    """One past the last of the detail lines directly after the text."""
    end, gap = last + 1, 0
    for number in range(last + 1, min(len(lines), last + 25)):
        line = lines[number]
        if follows_article(line.text):
            break
        if _is_detail(line.text) or line.files:
            end, gap = number + 1, 0
        else:
            gap += 1
            if gap > 3:
                break
    return end


def _read_details(story: Story, lines: Sequence[Line]) -> None:
    files: dict[str, FileLink] = {}
    for number, line in enumerate(lines):
        if match := AUTHOR.match(line.text):
            story.author = story.author or match[1]
        elif match := SOURCE.match(line.text):
            story.source = story.source or match[1]
        elif match := TAGS.match(line.text):
            following = lines[number + 1].text if number + 1 < len(lines) else ""
            story.tags_line = story.tags_line or match[1] or following
        for file in line.files:
            files.setdefault(file.url, file)
    story.files = list(files.values())


def _read_pictures(story: Story, lines: Sequence[Line]) -> None:
    seen: set[str] = set()
    for number, line in enumerate(lines):
        for picture in line.pictures:
            if picture.url in seen:
                continue
            seen.add(picture.url)
            caption = picture.caption or _caption_after(lines, number)
            story.pictures.append(Picture(picture.url, caption))


def _caption_after(lines: Sequence[Line], number: int) -> str | None:
    """The line below a picture if it is short and begins like a photo caption: "Ảnh: …", "Toàn cảnh …"."""
    for line in lines[number : number + 2]:
        if line.text:
            folded = fold(line.text)
            return (
                line.text
                if folded.startswith(("anh", "hinh", "toan canh", "quang canh")) and len(line.text) <= 200
                else None
            )
    return None


def visit_counters(lines: Iterable[Line]) -> tuple[int | None, ...] | None:
    """Numbers of the visit box in the order of COUNTER_LABELS; None without such a box."""
    found: dict[str, int] = {}
    waiting: str | None = None
    for line in lines:
        text = line.text
        if waiting is not None and _NUMBER.fullmatch(text) and (number := _number(text)) is not None:
            found.setdefault(waiting, number)
            waiting = None
            continue
        waiting = None
        match = _COUNTER.match(text)
        if match is None:
            continue
        label = fold(match[1])
        label = "tat ca" if label.startswith("tong") else label
        if (number := _number(match[2])) is not None:
            found.setdefault(label, number)
        elif label not in found:
            waiting = label
    # A single label is no evidence; the box has several.
    return tuple(found.get(label) for label in COUNTER_LABELS) if len(found) >= 3 else None


def _number(text: str) -> int | None:
    digits = "".join(character for character in text if character in "0123456789")
    return int(digits) if 0 < len(digits) <= _MAXIMUM_DIGITS else None


def tags_of(line: str, linked: Iterable[str]) -> list[str]:
    """The tags of a printed line: those that are links, else the parts of the line.

    >>> tags_of("phòng, chống dịch, dân vận", ["phòng, chống dịch", "dân vận"]), tags_of("dân vận; cơ sở", [])
    (['phòng, chống dịch', 'dân vận'], ['dân vận', 'cơ sở'])
    """
    line = line[:MAXIMUM_TAGS_LINE]
    found = [tag for tag in linked if tag in line]
    return list(dict.fromkeys(found)) or [tag for part in re.split(r"[,;|]", line) if (tag := part.strip(" #."))]


def tag_links(tree: LexborHTMLParser) -> list[str]:
    """Texts of links to tag pages, including those of tag clouds."""
    anchors = tree.css(
        'a[rel~="tag"], a[href*="/tag/"], a[href*="/tags/"], a[href*="/tu-khoa/"], a[href*="?tag="], a[href*="&tag="]'
    )
    return [text for anchor in anchors if (text := squeeze(anchor.text()).strip(" #"))]


def headline(tree: LexborHTMLParser) -> str:
    """The page's <h1>; empty if there is not exactly one."""
    found = {text for node in tree.css("h1") if len(text := squeeze(node.text())) >= 8}
    return found.pop() if len(found) == 1 else ""


def breadcrumb(tree: LexborHTMLParser) -> str:
    """The last item of the breadcrumb that is neither the home page nor the page itself; empty without a breadcrumb."""
    node = tree.css_first('[class*="breadcrumb"], [id*="breadcrumb"], [class*="duong-dan"], [class*="duongdan"]')
    if node is None:
        return ""
    steps = [squeeze(anchor.text()) for anchor in node.css("a")]
    if not steps:
        steps = [squeeze(part) for part in re.split(r"[»›>/|]", node.text())][:-1]
    steps = [step for step in steps if step and fold(step) not in ("trang chu", "home")]
    return steps[-1] if steps else ""
