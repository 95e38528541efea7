"""The parts of a citation: the words before a number, the number, its code, the date after it.

Reading starts at each number that could be a document's. It looks back over a bounded window for a name ("Nghị quyết
số") and forward for a code. Windows and repeats are bounded, so the cost is linear in the text. The more ambiguous a
code is, the more context it needs: -QĐ/TU needs none, UBND-THKH needs a slash before it, a code without its hyphen
(QĐUBND) or without marks and capitals (nq cp) needs a name, and a number alone needs nearly everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from danvan_crawler.vietnamese import _document_types as types
from danvan_crawler.vietnamese._citations_source import Source

# Capitals of abbreviations: no initial carries a tone.
_UPPER = "A-ZĐĂÂÊÔƠƯ"

# 100/2019, 464, 36a, 66.25/2026 (sub-numbers of the Government since 2025), 61-2024 in file names. Not a part of a
# longer number, of 15/7/2021 or of an address; but copied text may lose the space in "số 31" and "NĐ 04". The digit
# comes first, because the regex engine can then skip all other characters.
_NUMBER = re.compile(
    r"(?P<number>[0-9]"
    r"(?:(?<![\w/=%@#\\+$^~*].)|(?<=[sS][ốỐ].)|(?<=(?<!\w)(?:NĐ|QĐ|NQ|CT|KL|HD|TT|TB|KH|CV).))"
    r"(?<![0-9][-–—.,:'].)(?<![0-9] [-–—/] .)[0-9]{0,4}"
    r"(?:\.[0-9]{1,3}(?=/)|[A-Ha-hđ](?!\w))?)(?![0-9])"
    rf"(?:[ ]?/[ ]?(?P<year>(?:19|20)[0-9]{{2}})(?!\w)|[-–_](?P<dashed>(?:19|20)[0-9]{{2}})(?=[-–_][{_UPPER}]))?"
)
_GAP = r"[ ]{0,3}\n?[ ]{0,3}"
_JOINT = re.compile(rf"{_GAP}(?P<mark>[-–—/_]?){_GAP}(?=[^\W\d_])")
# Without a name: "ngày 28" on one line and "-BC/BDV" of an empty form on the next are not a document number.
_NEAR_JOINT = re.compile(r"[ ]?(?P<mark>[-–—/_])[ ]?(?=[^\W\d_])")
_INNER = re.compile(rf"{_GAP}(?P<mark>[-–—/._]){_GAP}(?=[^\W\d_])")
_TIGHT = re.compile(r"(?P<mark>[-–—/_])(?=[^\W\d_])")
# T.Ư is one part; otherwise capitals, which may hold a small letter (QĐi, TTg, ThU) and end in a number (QH14).
_PART = re.compile(
    rf"T[hH]?\.[ƯUW](?!\w)|[{_UPPER}]{{1,20}}(?:[hirygđ][{_UPPER}]{{1,12}})?(?:&[{_UPPER}]{{1,12}}){{0,2}}"
    r"(?P<tail>[girđ])?[0-9]{0,3}"
)
# After a number without a code: a letter, or a code that could not be read.
_CODE_LEFT = re.compile(r"[^\W\d_]|[ ]?[-–—/][ ]?[A-ZĐ]{2}")
_MAX_PARTS = 5

# A code in lower case, perhaps without marks: " nq cp", "-nq-tw", "/qđ-ubnd", "97qdtw".
_TAG = re.compile(
    r"[ ]?(?P<mark>[-–/_ ]?)[ ]?(?P<kind>[a-z]{1,6})[ ]?(?P<inner>[-–/._ ])[ ]?(?P<body>[a-z]{2,10}[0-9]{0,2})(?!\w)"
)
_TAG_ALONE = re.compile(r"[ ]?[-–/_ ]?[ ]?(?P<part>[a-z]{2,12}[0-9]{0,2})(?!\w)")
_TAG_YEAR = re.compile(r"[- /](?P<year>(?:19|20)[0-9]{2})(?=[- /][a-z])")

_TAG_WINDOW = 40

_DATE = re.compile(
    rf"{_GAP}[,(]?{_GAP}(?:(?:ký|ban hành|đề|ra) )?(?:ngày|ngay){_GAP}(?:"
    r"(?P<d1>[0-9]{1,2}) ?(?P<s>[-–/.]) ?(?P<m1>[0-9]{1,2}) ?(?P=s) ?(?P<y1>[0-9]{4})"
    rf"|(?P<d2>[0-9]{{1,2}}){_GAP}(?:tháng|thang){_GAP}(?P<m2>[0-9]{{1,2}}){_GAP},? ?"
    rf"(?:năm|nam){_GAP}(?P<y2>[0-9]{{4}})"
    r")(?![0-9])"
)

# Documents of the Party are cited back to its founding; a later year than this is a misprint.
FIRST_YEAR = 1930
LAST_YEAR = 2100

_WINDOW = 64
_MARKER = re.compile(r"(?<!\w)(?:số|so|no|nº|n°)(?:[ ,/-]{1,3}k[ýí] hiệu|[ -]hiệu)?[ ]?[.:]{0,2}[ ]{0,3}\n?[ -]{0,3}$")
_COUNTERS = ("ngày", "tháng", "năm", "quý", "sáng", "chiều", "khóa", "khoá", "kỳ", "thứ", "điều", "khoản")
_MARKERS = ("số", "so", "no", "nº", "n°", "hiệu")
_WORD = re.compile(r"[^\W\d_]+")
_LAST_WORD = re.compile(r"[^\W\d_]+$")
_BETWEEN = re.compile(r"[ -]{1,3}")
_NAME_WORDS = 4
_LAW = re.compile(
    r"(?<!kỷ )(?<!pháp )(?<!\w)(?P<name>bộ luật|luật|pháp lệnh)(?: [^\W\d_]+,?){1,14}(?: (?:19|20)\d\d)? ?$"
)
_LAW_WINDOW = 120
_LICENCE_WORDS = re.compile(
    r"(?:giấy phép|giấy chứng nhận|giấy xác nhận|hợp đồng|hóa đơn|hoá đơn|mã số|biển số|biển kiểm soát|tài khoản)"
    r"[^.;\n]{0,50}$"
)

# "Nghị quyết số 18, 19-NQ/TW" and "Quyết định 217, 218 của Bộ Chính trị".
_CHAIN = re.compile(r"(?: ?, ?| và |, và )(?P<number>[0-9]{1,5})(?![\w%]|[.,/-][0-9])")
_MAX_CHAINED = 12
_STOPS = re.compile(
    r"[ ]{0,3}(?:$|\n|[;:)\]\"”!?…]|\.(?![0-9])|,(?! ?[0-9])|[-–—] (?![0-9])|\((?!kho[áa]|khóa)"
    r"|(?:của|về|ngày|do|và|ban hành|đã|được|với|bộ chính trị|ban bí thư|chính phủ)(?!\w))"
)
_COUNTS = re.compile(
    r"[ ]?%|[.,: ][0-9]|[-–—_]\w|/ ?\w|[ ]?[-–—] ?[0-9]|[ ]{1,3}\(?(?:kho[áa]|khóa|người|triệu|tỷ|tỉ|nghìn|ngàn|đồng"
    r"|trường hợp|hộ|xã|đơn vị|điểm|điều|tuổi|giờ|phút|km|m2|ha|tấn|lần|năm|tháng|phần|lượt|vụ|nhóm"
    r"|nội dung|vấn đề)(?!\w)"
)
_YEAR = re.compile("(?:19|20)[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Number:
    """A number at shown[start:end]; `text` is the number as printed, with its year (`100/2019`)."""

    start: int
    end: int
    text: str
    year: bool


@dataclass(frozen=True, slots=True)
class Before:
    """The words directly before a number, from `start` on: a name of a document, "số", both or neither."""

    start: int
    # Start of "số", or of the number if there is no "số".
    marker: int
    name: str | None
    marked: bool
    capital: bool
    # Joined by hyphens to words before it, as in the address of a page.
    slug: bool
    # The number counts a day, a month, a year or a term.
    counted: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """A code that ends at shown[:end]; `kind` is the usual spelling of its first part if that names a kind."""

    end: int
    parts: tuple[str, ...]
    text: str
    kind: str | None


def numbers(source: Source) -> Iterator[Number]:
    """Yield every number that could be a document's, judged by the characters around it."""
    for found in _NUMBER.finditer(source.shown):
        if not found["number"].strip("0abcdefghABCDEFGHđ"):
            continue
        year = found["year"] or found["dashed"]
        yield Number(*found.span(), f"{found['number']}/{year}" if year else found["number"], year is not None)


def before(source: Source, start: int) -> Before:
    """Return the words before the number at `start`."""
    first = max(0, start - _WINDOW)
    window = source.lower[first:start]
    slug = window[-1:] == "-" and window[-2:-1].isalpha()
    marker = _MARKER.search(window) if window.rstrip(" \n-.:").endswith(_MARKERS) else None
    begins = marker.start() if marker else len(window)
    rest = window[:begins].rstrip(" -" if marker or slug else " ")
    near = marker is not None or begins - len(rest) in (1, 2)
    name = _name_at_end(rest) if near else None
    if name:
        place = first + name[0]
        return Before(place, first + begins, name[1], marker is not None, source.shown[place].isupper(), slug)
    counted = marker is None and rest.endswith(_COUNTERS)
    return Before(first + begins, first + begins, None, marker is not None, False, slug, counted)


def _name_at_end(text: str) -> tuple[int, str] | None:
    """Start and text of the longest document name at the end of `text`, lower case; hyphens may join its words."""
    last = _LAST_WORD.search(text, max(0, len(text) - 6))
    if last is None or last[0] not in types.LAST_WORDS:
        return None
    words = list(_WORD.finditer(text))[-_NAME_WORDS:]
    for index, word in enumerate(words):
        name = types.NAMES.get(_BETWEEN.sub(" ", text[word.start() :]))
        if name and not (name == "luật" and index and words[index - 1][0] in ("kỷ", "pháp")):
            return word.start(), name
    return None


def law_before(source: Source, start: int) -> tuple[int, str] | None:
    """Start and kind of the law whose title precedes "số": "Bộ luật Hình sự số 100/2015/QH13"."""
    first = max(0, start - _LAW_WINDOW)
    law = _LAW.search(source.lower[first:start])
    return (first + law.start("name"), law["name"]) if law else None


def code(source: Source, number: Number, lead: Before) -> Code | None:
    """Return the code after a number, or None if there is no reliable one."""
    known = lead.name is not None or lead.marked
    joint = None if lead.slug or lead.counted else (_JOINT if known else _NEAR_JOINT).match(source.shown, number.end)
    found = None
    if joint:
        mark = "-" if joint["mark"] in ("–", "—", "_") else joint["mark"]
        parts, marks, end = _parts(source, joint.end())
        if parts and not types.is_not_document(parts[0]):
            found = _capital_code(source, number, lead, mark, parts, marks, end)
    if found is None and (known or (joint and joint["mark"] in ("-", "/"))):
        found = _tag(source, number, lead)
    licence = found and not lead.name and _LICENCE_WORDS.search(source.lower[max(0, lead.start - _WINDOW) : lead.start])
    return None if licence else found


def date_after(source: Source, end: int) -> tuple[int, date] | None:
    """End and value of the full date directly after `end` ("ngày 15/7/2021", ", ngày 15 tháng 7 năm 2021")."""
    found = _DATE.match(source.lower, end)
    if found is None:
        return None
    day, month, year = (int(found[f"{unit}1"] or found[f"{unit}2"]) for unit in "dmy")
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    try:
        return found.end(), date(year, month, day)
    except ValueError:
        return None


def following_numbers(source: Source, end: int) -> list[Number]:
    """Return the plain numbers that continue a list after `end`."""
    found: list[Number] = []
    while len(found) < _MAX_CHAINED and (link := _CHAIN.match(source.lower, end)):
        found.append(Number(link.start("number"), link.end(), link["number"], year=False))
        end = link.end()
    return found


def is_citation_without_code(source: Source, number: Number, lead: Before, last: int) -> bool:
    """Whether a name and a number without a code are a citation; `last` is the end of the list of numbers.

    "Chỉ thị 35", "Công văn số 468", "Nghị quyết số 202/2025" are. "Nghị quyết 5 năm", "Kế hoạch 2025", "quy định 18
    tuổi" are not, nor is "Nghị quyết 4 (khóa XI)", which counts plenums.
    """
    if lead.name is None or lead.slug or "." in number.text:
        return False
    if _COUNTS.match(source.lower, last) or _CODE_LEFT.match(source.shown, last):
        return False
    dated = date_after(source, last) is not None
    if lead.marked:
        known = lead.name in types.STRONG or len(number.text) > 1 or dated
        return known and (dated or lead.name not in types.UNNUMBERED)
    if lead.name not in types.STRONG and not (lead.capital and lead.name in types.TITLED):
        return False
    if len(number.text) < 2 or _YEAR.fullmatch(number.text):
        return False
    # A number after "Chỉ thị" is never a count: "thực hiện Chỉ thị 05 một cách khách quan".
    return (lead.capital and lead.name in types.UNCOUNTED) or _STOPS.match(source.lower, last) is not None


def _parts(source: Source, start: int) -> tuple[list[str], list[str], int]:
    """Read `QĐ-UBND`, `BC-MTTW-ĐCT`. Returns the parts, the marks between them, and the end of the code."""
    shown = source.shown
    parts: list[str] = []
    marks: list[str] = []
    end = start
    while len(parts) < _MAX_PARTS:
        # Spaces are allowed only between kind and body: a spaced dash after a body continues the sentence.
        loose = len(parts) == 1 and (types.kind_of(parts[0]) or types.is_organ(parts[0]))
        inner = (_INNER if loose else _TIGHT).match(shown, end) if parts else None
        if parts and inner is None:
            break
        place = inner.end() if inner else start
        read = _part(shown, place)
        if read is None:
            break
        text, end = read
        parts.append(text)
        if inner:
            marks.append("-" if inner["mark"] in ("–", "—", "_") else inner["mark"])
    return parts, marks, end


def _part(shown: str, start: int) -> tuple[str, int] | None:
    """One part of a code at `start`, and its end. An attached word is cut off (`HĐNDNgày`). None for other text."""
    found = _PART.match(shown, start)
    if found is None:
        return None
    end = found.end()
    if not shown[end : end + 1].isalnum():
        text = found[0].replace(".", "")
        return (text, end) if len(text) > 1 else None
    # Letters follow, so cut at the end of a known body: HĐND of HĐNDNgày, TW of TWcủa.
    bodies = (shown[start:cut] for cut in range(end, start + 1, -1))
    body = next((text for text in bodies if types.body_of(text) == text), None)
    return (body, start + len(body)) if body else None


def _capital_code(
    source: Source, number: Number, lead: Before, mark: str, parts: list[str], marks: list[str], end: int
) -> Code | None:
    """A code with parts in capitals; None if the context does not support it."""
    known = lead.name is not None or lead.marked
    kind = types.kind_of(parts[0])
    if len(parts) == 1:
        return _single(source, number, lead, mark, parts[0], end)
    if kind:
        # Without a mark between number and kind, the kind has to match the name.
        if not mark and not (known and (lead.name is None or types.may_be(kind, lead.name))):
            return None
        if types.is_everyday(parts[0], parts[1]):
            return None
        parts = [kind, *(types.body_of(part) or part for part in parts[1:])]
    elif mark == "/":
        if not (lead.name or (types.is_organ(parts[0]) and (known or marks[0] == "-"))):
            return None
    elif mark == "-":
        party = marks[0] == "/" and types.is_party(parts[1])
        if not (party or (lead.name and lead.name not in types.UNNUMBERED)):
            return None
    else:
        return None
    text = parts[0] + "".join(map("".join, zip(marks, parts[1:], strict=True)))
    return Code(end, tuple(parts), text, kind)


def _single(source: Source, number: Number, lead: Before, mark: str, part: str, end: int) -> Code | None:
    """A code of one part: the Assembly's QH14, a code without its hyphen, an old body or kind alone (36-CP, 63/SL)."""
    if _TIGHT.match(source.shown, end) or (not mark and lead.name is None):
        return None
    if types.ASSEMBLY.fullmatch(part):
        return Code(end, (part,), part, None) if number.year or lead.name else None
    unhyphenated = types.split_unhyphenated(part)
    if unhyphenated and (lead.name or lead.marked or number.year):
        return _from_unhyphenated(end, unhyphenated, mark)
    if lead.name is None or not mark:
        return None
    kind = types.kind_of(part)
    if kind:
        return Code(end, (kind,), kind, kind) if types.may_be(kind, lead.name) else None
    return Code(end, (part,), part, None) if types.body_of(part) == part else None


def _from_unhyphenated(end: int, unhyphenated: tuple[str, str], mark: str) -> Code:
    """Restore the mark inside a code. It differs from the first one: 1961/QĐUBND is QĐ-UBND, 97-QĐTW is QĐ/TW."""
    kind, body = unhyphenated
    inner = "-" if mark == "/" or not types.is_party(body) else "/"
    return Code(end, unhyphenated, f"{kind}{inner}{body}", kind)


def _tag(source: Source, number: Number, lead: Before) -> Code | None:
    """A code in lower case or without marks after a name: "nghi quyet so 30 nq cp", "Quyết định 1131/2012/qĐubnd"."""
    lower = source.lower[number.end : number.end + _TAG_WINDOW]
    plain = types.unmarked(lower)
    year = None if number.year else _TAG_YEAR.match(plain)
    start = year.end() if year else 0
    dated = number.year or year is not None
    named = lead.name is not None or (lead.marked and dated)
    # nghi-dinh-282015nd-cp lost the slash before the year.
    if number.end - number.start > 4 and not number.year:
        return None
    alone = _TAG_ALONE.match(plain, start)
    if alone and named:
        part, end = lower[slice(*alone.span("part"))], number.end + alone.end()
        if dated and types.ASSEMBLY.fullmatch(part.upper()):
            return Code(end, (part.upper(),), part.upper(), None)
        unhyphenated = types.split_unhyphenated(part)
        if unhyphenated:
            return _from_unhyphenated(end, unhyphenated, "/" if dated else "")
    tag = _TAG.match(plain, start)
    if tag is None:
        return None
    if not lead.slug and _TIGHT.match(lower, tag.end()):
        return None  # a code of more parts than a tag has
    kind, body = types.kind_of(tag["kind"]), types.tagged_body(lower[slice(*tag.span("body"))])
    if kind is None or body is None or not (named or _is_whole(tag[0], body)):
        return None
    if lead.name and tag["mark"] in ("", " ") and not types.may_be(kind, lead.name):
        return None
    printed = tag["inner"] in ("/", ".")
    inner = tag["inner"] if printed else "/" if types.is_party(body) and tag["mark"] != "/" else "-"
    return Code(number.end + tag.end(), (kind, body), f"{kind}{inner}{body}", kind)


def _is_whole(tag: str, body: str) -> bool:
    """Whether a tag without a name has both its marks and a known body: 05-ct/tw, 33/2009/qd-ubnd."""
    return (
        re.fullmatch("[-–][a-z]+/[a-z0-9]+|/[a-z]+[-–][a-z0-9]+", tag) is not None and types.body_of(body) is not None
    )


def with_tag_year(source: Source, number: Number, found: Code) -> str:
    """The number as printed, with the year that a tag has after a space: "so 01 2015 tt" is 01/2015."""
    year = None if number.year else _TAG_YEAR.match(types.unmarked(source.lower[number.end : number.end + _TAG_WINDOW]))
    return f"{number.text}/{year['year']}" if year and number.end + year.end() < found.end else number.text
