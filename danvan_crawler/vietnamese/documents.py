"""Party and State documents that a text cites by number (số hiệu văn bản).

    >>> find("Thực hiện Nghị quyết số 09-NQ/TU ngày 15/7/2021 của Tỉnh ủy")
    [Citation(raw='Nghị quyết số 09-NQ/TU ngày 15/7/2021', type='nghị quyết', number='09', code='NQ/TU', issuer='TU', \
date=datetime.date(2021, 7, 15))]

A number is accepted if a name precedes it ("Chỉ thị số"), or if its code begins with the abbreviation of a kind
(-QĐ/TU, /2019/NĐ-CP) or with a State body and its division (/UBND-THKH). So bodies need not be listed. Dates, scores,
grades, house numbers and everyday abbreviations (5 tổ chức CT-XH) do not match. Licences, contracts and standards are
numbered in the same way but omitted: they are not Party or State documents that an article cites, and "Giấy phép số
10/GP-BC" is in every footer. Titles without a number ("Nghị quyết Trung ương 4 khóa XI", where 4 counts plenums; "Luật
Đất đai năm 2013") are not citations. In doubt, nothing is reported: a wrong citation is worse than a missing one.

The tables are in `_document_types`, the patterns in `_citations`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from danvan_crawler.vietnamese import _citations as citations
from danvan_crawler.vietnamese import _document_types as types
from danvan_crawler.vietnamese._citations import Before, Code, Number
from danvan_crawler.vietnamese._citations_source import Source, read

_DIGIT = re.compile("[0-9０-９]|&#")
_CONTINUES = re.compile(r" ?[,;] ?(?:và )?| và ")


@dataclass(frozen=True, slots=True)
class Citation:
    """One mention of a document in a text.

    raw: the characters of the text from the first to the last of name, number, code and date, unchanged.
    type: the name printed before the number, lower case with its marks ("nghị quyết"); else the name that the code's
        abbreviation stands for, None if that is ambiguous (QĐ/TW is quyết định or quy định).
    number: as printed, with its year: "464", "09", "36a", "100/2019". A leading zero is part of it.
    code: as printed with its capitals and marks, dashes as hyphens, no spaces, T.Ư as TƯ: "QĐ/TU", "NĐ-CP", "QH14". A
        missing hyphen and missing marks are restored if kind and body are known ("NĐCP", "nq cp"). None if only name
        and number are printed ("Chỉ thị 35").
    issuer: the last part of the code: "TU", "CP", "QH14"; for a công văn, the drafting division (UBND-THKH).
    date: the full date directly after the code, else None.
    """

    raw: str
    type: str | None
    number: str
    code: str | None
    issuer: str | None
    date: date | None


def find(text: str) -> list[Citation]:
    """Return every mention of a document in `text`, in the order of the text. Never raises.

    Time is linear in the length of the text. Codes have these forms: 464-QĐ/TU (Party), 20/CT-TU and 100/2019/NĐ-CP
    (State), 45/2019/QH14 (laws).

    >>> [(c.type, c.number, c.code, c.issuer) for c in find("quyết định 464 – QĐ/TU, Nghị định 100/2019/NĐ-CP")]
    [('quyết định', '464', 'QĐ/TU', 'TU'), ('nghị định', '100/2019', 'NĐ-CP', 'CP')]
    >>> [(c.type, c.number, c.code) for c in find("Luật Đất đai số 31/2024/QH15; chi thi 05-CT/TW; Kết luận 57")]
    [('luật', '31/2024', 'QH15'), ('chỉ thị', '05', 'CT/TW'), ('kết luận', '57', None)]
    >>> [(c.raw, c.number) for c in find("Quyết định số 217, 218-QĐ/TW")]
    [('Quyết định số 217, 218-QĐ/TW', '217'), ('Quyết định số 217, 218-QĐ/TW', '218')]
    >>> find("Sáng 23/5/2017, 10/10 tổ dân phố; Nghị quyết 5 năm; Giấy phép số 10/GP-BC; Nghị quyết 4 (khóa XI)")
    []
    """
    return list(_found(read(text))) if _DIGIT.search(text) else []


def _found(source: Source) -> Iterator[Citation]:
    done = 0
    last: tuple[str | None, str | None] | None = None
    for number in citations.numbers(source):
        if number.start < done:
            continue
        lead = citations.before(source, number.start)
        cited, code = _cited(source, number, lead)
        if not cited:
            continue
        start, name = _named(source, lead, code, last, done)
        end = code.end if code else cited[-1].end
        dated = citations.date_after(source, end)
        done = dated[0] if dated else end
        last = (name, code.kind) if code else None
        for one in cited:
            yield Citation(
                raw=source.raw(start, done),
                type=name,
                number=citations.with_tag_year(source, one, code) if code else one.text,
                code=code.text if code else None,
                issuer=_issuer(code) if code else None,
                date=dated[1] if dated else None,
            )


def _cited(source: Source, number: Number, lead: Before) -> tuple[list[Number], Code | None]:
    """The numbers of a citation that begins with `number`, and their code; no numbers if it is not a citation."""
    code = citations.code(source, number, lead)
    if code or not lead.name:
        return ([number] if code else []), code
    cited = [number, *citations.following_numbers(source, number.end)]
    code = citations.code(source, cited[-1], lead) if len(cited) > 1 else None
    if code:
        fits = code.kind is not None and types.may_be(code.kind, lead.name)
    else:
        fits = citations.is_citation_without_code(source, number, lead, cited[-1].end)
    return (cited if fits else []), code


def _named(
    source: Source, lead: Before, code: Code | None, last: tuple[str | None, str | None] | None, done: int
) -> tuple[int, str | None]:
    """Start of the citation, and the name of the document."""
    if code is None:
        return lead.start, lead.name
    if lead.name and _fits(lead.name, lead.capital, code):
        return lead.start, lead.name
    if code.kind:
        # "Quy định số 37-QĐ/TW, 41-QĐ/TW": one name for the whole list.
        if last and last[0] and last[1] == code.kind and _CONTINUES.fullmatch(source.lower, done, lead.start):
            return lead.marker, last[0]
        return lead.marker, types.name_of(code.kind, code.parts[-1])
    if types.ASSEMBLY.fullmatch(code.parts[0]):
        return citations.law_before(source, lead.start) or (lead.marker, None)
    return lead.marker, "công văn" if len(code.parts) > 1 and types.is_organ(code.parts[0]) else None


def _fits(name: str, capital: bool, code: Code) -> bool:
    """Whether the word before the number is the name of the document and not another part of the sentence."""
    of_assembly = types.ASSEMBLY.fullmatch(code.parts[0]) is not None
    if of_assembly or name in ("luật", "bộ luật"):
        # "Luật Ban hành văn bản số 80/2015/QH13" is a luật.
        return of_assembly and name in ("luật", "bộ luật", "nghị quyết", "pháp lệnh")
    if code.kind is None or types.may_be(code.kind, name):
        return True
    return name not in types.VERBS or capital


def _issuer(code: Code) -> str | None:
    return None if code.parts == (code.kind,) else code.parts[-1]
