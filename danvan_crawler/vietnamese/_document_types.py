"""Abbreviations in document numbers: kinds of Party and State documents, and the bodies that issue them.

A Party number is written 464-QĐ/TU (Hướng dẫn 36-HD/VPTW of 2018), a State number 100/2019/NĐ-CP or 1673/QĐ-UBND
(Nghị định 30/2020/NĐ-CP, annex III); both put the kind before the body. A State công văn has no abbreviation: its
number begins with the body, 3865/UBND-THKH. There are too many bodies to list, so an unknown body is recognised by
the kind before it. The bodies listed here allow reading a number without its hyphen, capitals or marks.
"""

from __future__ import annotations

import re
from functools import lru_cache

from danvan_crawler.vietnamese._text_letters import VOWELS

_SHAPELESS = dict(zip("ăâêôơư", "aaeoou", strict=True))
_UNMARKED = str.maketrans({letter: _SHAPELESS.get(row[0], row[0]) for row in VOWELS for letter in row} | {"đ": "d"})


def unmarked(lower: str) -> str:
    """Return lower-case NFC text without marks, đ as d; of the same length.

    >>> unmarked("chỉ thị 05-ct/tw, đảng ủy")
    'chi thi 05-ct/tw, dang uy'
    """
    return lower.translate(_UNMARKED)


# Names that each abbreviation can stand for, the likeliest first.
_KINDS: dict[str, tuple[str, ...]] = {
    "QĐ": ("quyết định", "quy định"),
    "QĐNS": ("quyết định",),
    "QĐi": ("quy định",),
    "QyĐ": ("quy định",),
    "QC": ("quy chế",),
    "QCPH": ("quy chế", "quy chế phối hợp"),
    "QT": ("quy trình",),
    "NQ": ("nghị quyết",),
    "NQLT": ("nghị quyết liên tịch",),
    "NĐ": ("nghị định",),
    "CT": ("chỉ thị", "chương trình", "chương trình hành động"),
    "CTr": ("chương trình", "chương trình hành động"),
    "CTHĐ": ("chương trình hành động", "chương trình"),
    "CTrHĐ": ("chương trình hành động", "chương trình"),
    "CTPH": ("chương trình phối hợp", "chương trình"),
    "KL": ("kết luận",),
    "KLTTr": ("kết luận thanh tra", "kết luận"),
    "HD": ("hướng dẫn",),
    "HDLT": ("hướng dẫn liên tịch", "hướng dẫn"),
    "KH": ("kế hoạch",),
    "KHPH": ("kế hoạch",),
    "KHLT": ("kế hoạch liên tịch", "kế hoạch"),
    "BC": ("báo cáo",),
    "BCTĐ": ("báo cáo thẩm định", "báo cáo"),
    "BCTT": ("báo cáo thẩm tra", "báo cáo"),
    "TB": ("thông báo",),
    "TBKL": ("thông báo", "kết luận"),
    "TTr": ("tờ trình",),
    "TT": ("thông tư", "thông tri"),
    "TTLT": ("thông tư liên tịch", "thông tư"),
    "TTLB": ("thông tư liên bộ", "thông tư"),
    "CV": ("công văn",),
    "CĐ": ("công điện",),
    "ĐA": ("đề án",),
    "PA": ("phương án",),
    "PL": ("pháp lệnh",),
    "SL": ("sắc lệnh",),
    "VBHN": ("văn bản hợp nhất",),
    "GM": ("giấy mời",),
    "BB": ("biên bản",),
}
_NAMED_ONLY = ("luật", "bộ luật", "lệnh", "văn bản", "sắc luật", "thông cáo", "tuyên bố")
_SYNONYMS = {
    "qui định": "quy định",
    "qui chế": "quy chế",
    "kế họach": "kế hoạch",
    "thông báo kết luận": "thông báo",
    "chương trình hành đông": "chương trình hành động",
}

_BY_SPELLING = {kind.upper(): kind for kind in _KINDS}
_BY_UNMARKED = {unmarked(kind.lower()): kind for kind in _KINDS}
# Without the mark, these mean a project and a compact disc.
_NEEDS_MARK = frozenset(("DA", "CD"))

NAMES: dict[str, str] = {name: name for names in _KINDS.values() for name in names}
"""Names of documents as printed, lower case, with all their marks or none -> the name with its marks."""
NAMES |= {name: name for name in _NAMED_ONLY} | _SYNONYMS
NAMES |= {unmarked(name): known for name, known in NAMES.items()}

LAST_WORDS = frozenset(name.rpartition(" ")[2] for name in NAMES)
"""Last words of the names."""

VERBS = frozenset(("quy định", "quyết định", "hướng dẫn", "thông báo", "báo cáo", "kết luận", "chỉ thị", "lệnh"))
"""Names that in lower case may be another word: "công văn hướng dẫn số 12-CV/BTG" is a công văn."""

STRONG = frozenset(
    ("nghị quyết", "nghị định", "chỉ thị", "thông tư", "thông tri", "pháp lệnh", "sắc lệnh", "thông tư liên tịch")
)
"""Names that always mean a document, so a number alone may follow: "nghị quyết 35"."""
UNCOUNTED = frozenset(("chỉ thị", "nghị định", "thông tư"))
"""Names of STRONG that, with a capital, allow any text after the number: "Chỉ thị 05 một cách …"."""
TITLED = STRONG | {"quy định", "quyết định", "kết luận", "công văn"}
"""Names that are documents when they begin with a capital and a number follows: "Kết luận 57"."""
UNNUMBERED = frozenset(("chương trình", "phương án", "đề án", "lệnh", "luật", "bộ luật", "quy trình"))
"""Names after which "số 5" without a code counts something else: broadcast programmes, options, projects."""

# Licences and contracts are numbered like documents but are not cited: "Giấy phép số 10/GP-BC" is in most footers.
_NOT_DOCUMENTS = re.compile(
    r"GP|GPXB|GP[A-ZĐ]+|GCN\w*|HĐ|HĐ(?:KT|LĐ|MB|DV|XD|TC)|ĐKKD|QL|TL|ĐT|TCVN|QCVN|TCN|CCCD|CMND|MST|STK"
)
# Everyday abbreviations that look like a code after a number: 5 tổ chức CT-XH, 24/KH-CN.
_EVERYDAY = frozenset(
    ("KH-CN", "KH-KT", "KH-ĐT", "CT-XH", "TB-XH", "BC-VT", "TT-TT", "TT-TH", "HD-UHD", "CT-MRI", "CT-PET", "CT-CN")
)
_EVERYDAY_LAST = frozenset(("MRI", "PET", "UHD", "FHD", "XQ"))

# In the usual spelling; matched without regard to case.
_BODIES = (
    "TW", "TƯ", "TU", "HU", "QU", "ThU", "TXU", "TrU", "ĐU", "ĐUK", "ĐUQS", "ĐUCA", "ĐUVP", "BCSĐ", "ĐĐ", "BTV",
    "BTVTU", "BCHTW", "BTGTW", "BTCTW", "BDVTW", "BNCTW", "BTGDVTW", "UBKTTW", "VPTW", "BTGTU", "BTCTU", "BDVTU",
    "BNCTU", "BTGDVTU", "UBKTTU", "VPTU", "BTG", "BTC", "BDV", "BTGDV", "UBKT", "BTGHU", "BTCHU", "BDVHU", "UBKTHU",
    "VPHU", "MTTW", "MTTQ", "UBMT", "UBMTTQ", "ĐTN", "TWĐTN", "TWĐ", "TWH", "TƯH", "TƯĐTN", "LĐLĐ", "TLĐ", "HND",
    "HPN", "LHPN", "CCB", "HCCB", "CP", "TTg", "CTN", "QH", "UBTVQH", "VPQH", "VPCP", "HĐCP", "HĐBT", "HĐND", "UBND",
    "UB", "UBHC", "VP", "VPUBND", "BNV", "BTP", "BQP", "BCA", "BNG", "BCT", "BXD", "BYT", "BGDĐT", "BGTVT", "BTTTT",
    "BKHCN", "BKHĐT", "BLĐTBXH", "BNNPTNT", "BTNMT", "BVHTTDL", "BDTTG", "BNNMT", "UBDT", "TTCP", "NHNN", "VKSTC",
    "TANDTC", "KTNN", "SNV", "STC", "STP", "SYT", "SGDĐT", "SXD", "SKHĐT", "SKHCN", "STTTT", "STNMT", "SGTVT", "SCT",
    "SNN", "SNNPTNT", "SVHTTDL", "SLĐTBXH", "BTĐKT", "HĐTĐKT", "BCĐ",
)  # fmt: skip
_BODY_BY_SPELLING = {body.upper(): body for body in _BODIES}
# Without marks TƯ reads as TU, a provincial committee: bodies without marks come first.
_BODY_BY_UNMARKED = {unmarked(body.lower()): body for body in sorted(_BODIES, key=str.isascii)}
_PARTY = re.compile(r"(?:TW|TƯ|[TQHĐ]U|ThU|TXU|TrU)[A-ZĐ]*|BTG.*|BDV.*|BTCT[WU]|UBKT.*|VPT[WU]|.*(?:TW|TU|HU)|BCSĐ|ĐĐ")
# A State body, printed before its division: Bộ ... B, Sở ... S, Ủy ban, Hội đồng, văn phòng.
_ORGAN = re.compile(r"UB[A-ZĐ]{0,8}|HĐND|TTg|TW[A-ZĐ]+|VP[A-ZĐ]{1,8}|[BS][A-ZĐ&]{2,9}|TLĐ|LĐLĐ|TTCP|CP|BCĐ\w*|MTT[WQ]")
ASSEMBLY = re.compile(r"(?:UBTV)?QH\d{0,2}")
"""The National Assembly, whose number is 45/2019/QH14 for laws and resolutions alike."""

_UNHYPHENATED = re.compile(
    "({})({}|(?:ubtv)?qh[0-9]{{1,2}})".format(
        "|".join(sorted(_BY_UNMARKED, key=len, reverse=True)),
        "|".join(sorted(_BODY_BY_UNMARKED, key=len, reverse=True)),
    )
)
# Long abbreviations that are not listed consist of consonants: bvhttdl, bgddt.
_CONSONANTS = re.compile("[bcdghklmnpqrstvx]{2,9}")


@lru_cache(maxsize=4096)
def kind_of(part: str) -> str | None:
    """The abbreviation of a kind that `part` spells, in its usual letters; marks may be missing (QD, TTR).

    >>> kind_of("QD"), kind_of("TTr"), kind_of("QĐi"), kind_of("UBND")
    ('QĐ', 'TTr', 'QĐi', None)
    """
    if part in _KINDS or part in _NEEDS_MARK:
        return part if part in _KINDS else None
    return _BY_SPELLING.get(part.upper()) or (_BY_UNMARKED.get(part.lower()) if part.isascii() else None)


@lru_cache(maxsize=4096)
def body_of(part: str) -> str | None:
    """The known body that `part` spells, in its usual letters; case and marks may be missing.

    >>> body_of("hdnd"), body_of("ubtvqh14"), body_of("ABC")
    ('HĐND', 'UBTVQH14', None)
    """
    if ASSEMBLY.fullmatch(part.upper()):
        return part.upper()
    return _BODY_BY_SPELLING.get(part.upper()) or (_BODY_BY_UNMARKED.get(part.lower()) if part.isascii() else None)


def tagged_body(lower: str) -> str | None:
    """The body that a tag in lower case names: a known one, or a sequence of consonants that no word has.

    >>> tagged_body("ttg"), tagged_body("bvhttdl"), tagged_body("sxkd"), tagged_body("toi")
    ('TTg', 'BVHTTDL', 'SXKD', None)
    """
    return body_of(lower) or (lower.upper() if _CONSONANTS.fullmatch(unmarked(lower)) else None)


def split_unhyphenated(part: str) -> tuple[str, str] | None:
    """Kind and body of a code without its hyphen.

    >>> [split_unhyphenated(part) for part in ("QĐUBND", "qđubnd", "NĐCP", "BTC")]
    [('QĐ', 'UBND'), ('QĐ', 'UBND'), ('NĐ', 'CP'), None]
    """
    unhyphenated = _UNHYPHENATED.fullmatch(unmarked(part.lower()))
    if unhyphenated is None or body_of(part):
        return None
    middle = unhyphenated.end(1)
    kind, body = kind_of(part[:middle]), body_of(part[middle:])
    return (kind, body) if kind and body else None


def is_party(body: str) -> bool:
    """Whether a body belongs to the Party or its organisations, judged by its letters."""
    return _PARTY.fullmatch(body) is not None


def is_organ(part: str) -> bool:
    """Whether a part has the form of a State body that can come first in the number of a công văn."""
    return _ORGAN.fullmatch(part) is not None


def is_not_document(part: str) -> bool:
    """Whether a code with this first part is a licence, a contract or a standard."""
    return _NOT_DOCUMENTS.fullmatch(part) is not None


def is_everyday(first: str, second: str) -> bool:
    """Whether two parts are an everyday abbreviation rather than kind and body."""
    return f"{first}-{second}" in _EVERYDAY or second in _EVERYDAY_LAST


def may_be(kind: str, name: str) -> bool:
    """Whether a document of this name can have this abbreviation."""
    return name in _KINDS[kind] or name == "văn bản"


def name_of(kind: str, body: str) -> str | None:
    """The name that an abbreviation stands for, or None if it stands for two.

    The Central Committee numbers quyết định and quy định alike (QĐ/TW); lower bodies write QĐ nearly always for
    quyết định. TT is a thông tư of the State and a thông tri of the Party.

    >>> name_of("QĐ", "TW"), name_of("QĐ", "TU"), name_of("TT", "BTC"), name_of("TT", "TU")
    (None, 'quyết định', 'thông tư', 'thông tri')
    """
    if kind == "QĐ" and body in ("TW", "TƯ"):
        return None
    if kind == "TT":
        return "thông tri" if is_party(body) else "thông tư"
    return _KINDS[kind][0]
