"""Documents that a text cites: real citations, generated ones in every form, and many numbers that are no citations."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from danvan_crawler.vietnamese.documents import Citation, find

FIXTURES = Path(__file__).parents[2] / "fixtures" / "vietnamese"


def lines(name: str) -> list[list[str]]:
    text = (FIXTURES / name).read_text(encoding="utf-8")
    return [[cell.replace("\\n", "\n") for cell in line.split("\t")] for line in text.split("\n")[1:-1]]


CITED = lines("documents.tsv")
NOT_CITED = [line[0] for line in lines("no_documents.tsv")]

# Kinds with the names that they stand for, and bodies of Party and State; the tables of the reader are different.
KINDS = {
    "NQ": "nghị quyết",
    "CT": "chỉ thị",
    "KL": "kết luận",
    "HD": "hướng dẫn",
    "KH": "kế hoạch",
    "BC": "báo cáo",
    "TB": "thông báo",
    "TTr": "tờ trình",
    "CV": "công văn",
    "ĐA": "đề án",
    "CTr": "chương trình",
}
PARTY = ("TW", "TU", "HU", "ĐU", "ĐUK", "BTGTW", "BDVTU", "UBKTTW", "VPTU", "BTVTU", "ĐUXX", "BQLKKT", "HĐTVTU")
STATE = ("CP", "TTg", "UBND", "HĐND", "BNV", "SNV", "BGDĐT", "SVHTTDL", "VPQH", "STNMT", "BQLDA", "XYZ")
NUMBERS = st.one_of(st.integers(1, 9999).map(str), st.integers(1, 9).map("0{}".format))
DAYS = st.dates(date(1930, 1, 1), date(2100, 12, 31))
# Parts of citations, so that random combinations reach the edge cases of the patterns.
PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *"0123456789/-–._,;:()&#x \n\u0301\u00a0đĐƯ",
                *(
                    "Nghị quyết ",
                    "số ",
                    "số: ",
                    "QĐ",
                    "NQ",
                    "TW",
                    "TU",
                    "UBND",
                    "TTg",
                    "CP",
                    "T.Ư",
                    "QH14",
                    "2019",
                    "12",
                ),
                *("nghi-quyet-", "-nq-tw", "ngày ", " tháng ", " năm ", "luật ", "&#x2F;", "&amp;", " và ", ", ", "^"),
            ]
        ),
        st.characters(),
    ),
    max_size=40,
).map("".join)


def reading(citation: Citation) -> tuple[str | None, str, str | None, date | None]:
    return citation.type, citation.number, citation.code, citation.date


def readings(text: str) -> list[tuple[str | None, str, str | None, date | None]]:
    return [reading(citation) for citation in find(text)]


@pytest.mark.parametrize("cells", CITED, ids=[cells[0] for cells in CITED])
def test_a_citation_is_read_in_every_part(cells: list[str]) -> None:
    text, name, number, code, issuer, day = cells
    (citation,) = find(text)
    assert reading(citation) == (name or None, number, code or None, date.fromisoformat(day) if day else None)
    assert citation.issuer == (issuer or None)
    assert citation.raw in text


@pytest.mark.parametrize("text", NOT_CITED)
def test_a_number_of_another_kind_is_no_citation(text: str) -> None:
    assert find(text) == []


@pytest.mark.parametrize(
    "spelled",
    [
        pytest.param(lambda text: unicodedata.normalize("NFD", text), id="NFD"),
        pytest.param(lambda text: text.replace(" ", "\u00a0"), id="no-break spaces"),
        pytest.param(lambda text: text.replace("-", "–"), id="en dashes"),
        pytest.param(lambda text: text.replace("-", "\u2011"), id="no-break hyphens"),
        pytest.param(lambda text: text.replace("-", "\u00ad-"), id="soft hyphens"),
        pytest.param(lambda text: text.replace("Đ", "Ð"), id="eth"),
        pytest.param(lambda text: re.sub("(?<!&)/", "&#x2F;", text), id="entities"),
        pytest.param(lambda text: text.translate({code: code + 0xFEE0 for code in range(0x30, 0x3A)}), id="full width"),
    ],
)
def test_the_spelling_of_characters_does_not_matter(spelled: Callable[[str], str]) -> None:
    sure = [cells[0] for cells in CITED if "&" not in cells[0] and not re.match("[a-z]+-[a-z]+-", cells[0])]
    assert [readings(spelled(text)) for text in sure] == [readings(text) for text in sure]


def test_raw_is_the_printed_text_from_name_to_date() -> None:
    text = "Thực hiện Nghị quyết số 20-NQ&#x002F;TW,\u00a0ngày 15/7/2021 của Đảng"
    (citation,) = find(text)
    assert citation.raw == "Nghị quyết số 20-NQ&#x002F;TW,\u00a0ngày 15/7/2021"


def test_all_documents_of_a_sentence_are_found_in_order() -> None:
    text = "các Nghị quyết số 18-NQ/TW, 19-NQ/TW; Chỉ thị 05-CT/TW và Nghị định số 100/2019/NĐ-CP ngày 30/12/2019."
    assert readings(text) == [
        ("nghị quyết", "18", "NQ/TW", None),
        ("nghị quyết", "19", "NQ/TW", None),
        ("chỉ thị", "05", "CT/TW", None),
        ("nghị định", "100/2019", "NĐ-CP", date(2019, 12, 30)),
    ]


def test_one_name_applies_to_a_whole_list() -> None:
    assert readings("Quy định số 37-QĐ/TW, 41-QĐ/TW và số 22-QĐ/TW") == [
        ("quy định", "37", "QĐ/TW", None),
        ("quy định", "41", "QĐ/TW", None),
        ("quy định", "22", "QĐ/TW", None),
    ]


def test_one_code_applies_to_the_numbers_before_it() -> None:
    found = find("theo Quyết định số 217, 218-QĐ/TW của Bộ Chính trị")
    assert [reading(citation) for citation in found] == [
        ("quyết định", "217", "QĐ/TW", None),
        ("quyết định", "218", "QĐ/TW", None),
    ]
    assert {citation.raw for citation in found} == {"Quyết định số 217, 218-QĐ/TW"}


def test_a_list_without_a_code_is_as_many_documents() -> None:
    assert readings("Quyết định 217, 218 của Bộ Chính trị") == [
        ("quyết định", "217", None, None),
        ("quyết định", "218", None, None),
    ]


def test_a_citation_repeated_is_found_each_time() -> None:
    assert len(find("Chỉ thị 05-CT/TW. " * 3)) == 3


def test_a_word_of_the_sentence_is_not_the_name_of_another_kind() -> None:
    assert readings("Báo cáo 09-NQ/TU")[0][0] == "báo cáo"
    assert readings("đã thông báo 09-NQ/TU")[0][0] == "nghị quyết"


@pytest.mark.parametrize("number", ["37-QĐ/TW", "Số: 37-QĐ/TW"])
def test_the_name_is_not_taken_from_another_paragraph(number: str) -> None:
    assert readings(f"Công bố Quyết định\n{number}") == [(None, "37", "QĐ/TW", None)]


def test_a_licence_before_a_decision_does_not_hide_it() -> None:
    text = "Giấy phép số 12/GP-TTĐT; Quyết định số 5/QĐ-UBND"
    assert readings(text) == [("quyết định", "5", "QĐ-UBND", None)]


@given(number=NUMBERS, kind=st.sampled_from(sorted(KINDS)), body=st.sampled_from(PARTY), day=DAYS)
@pytest.mark.parametrize(
    "form",
    [
        "{name} số {number}-{kind}/{body} ngày {day:%d/%m/%Y}",
        "{Name} {number}-{kind}/{body}, ngày {day.day}/{day.month}/{day.year}",
        "{NAME} SỐ {number} – {kind}/{body} NGÀY {day.day} THÁNG {day.month} NĂM {day.year}",
        "{Name} số: {number} {kind}/{body} ngày {day.day}-{day.month}-{day.year} của Ban Thường vụ",
        "(số {number}- {kind}/{body} ngày {day.day} tháng {day.month:} năm {day.year})",
        "{number}-{kind}/{body} ngày {day:%d.%m.%Y}",
    ],
)
def test_any_party_number_reads_back_in_every_form(form: str, number: str, kind: str, body: str, day: date) -> None:
    name = KINDS[kind]
    names = {"name": name, "Name": name.capitalize(), "NAME": name.upper()}
    text = "Thực hiện " + form.format(number=number, kind=kind, body=body, day=day, **names).replace(":}", "}")
    (citation,) = find(text)
    assert reading(citation) == (name, number, f"{kind}/{body}", day)
    assert citation.issuer == body


@given(
    number=NUMBERS,
    year=st.one_of(st.none(), st.integers(1945, 2099)),
    kind=st.sampled_from(sorted(KINDS)),
    body=st.sampled_from(STATE),
)
@pytest.mark.parametrize("form", ["{name} số {number}/{code}", "Số: {number}/{code}", "{number}/{code}"])
def test_any_state_number_reads_back_in_every_form(
    form: str, number: str, year: int | None, kind: str, body: str
) -> None:
    printed = f"{number}/{year}" if year else number
    (citation,) = find(form.format(name=KINDS[kind].capitalize(), number=printed, code=f"{kind}-{body}"))
    assert reading(citation) == (KINDS[kind], printed, f"{kind}-{body}", None)


@given(
    number=NUMBERS, body=st.sampled_from(["UBND", "SNV", "BTTTT", "BTGTU"]), division=st.sampled_from(["TH", "KGVX"])
)
def test_a_number_without_a_kind_is_a_cong_van(number: str, body: str, division: str) -> None:
    (citation,) = find(f"Số: {number}/{body}-{division}")
    assert (citation.type, citation.code) == ("công văn", f"{body}-{division}")


@given(day=DAYS, other=DAYS)
def test_dates_and_spans_are_no_documents(day: date, other: date) -> None:
    assert find(f"Ngày {day:%d/%m/%Y}, từ {day:%d-%m} đến {other:%d-%m-%Y}; {day.year}-{other.year}") == []


@given(text=st.one_of(st.text(), PIECES))
def test_no_text_raises_and_raw_is_a_part_of_it(text: str) -> None:
    for citation in find(text):
        assert citation.raw
        assert citation.raw in text
        assert citation.number[0].isdecimal()


@pytest.mark.parametrize("length", [200_000, pytest.param(1_000_000, marks=pytest.mark.soak)])
@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "/",
        "-",
        "1/",
        "1-",
        "1 ",
        "số 1 ",
        "1 \n ",
        "&amp;",
        "&#",
        "luật ",
        "A",
        "-QĐ",
        ", 12",
        "nghị quyết 12, ",
        "Luật a số 1/2000/QH14 ",
        "nghi quyet 1 nq ",
        "giấy phép số 1/QĐ-TU ",
        "ngày 1/1/2019 ",
    ],
)
@pytest.mark.slow
def test_a_long_text_is_read_in_linear_time(piece: str, length: int) -> None:
    # Patterns that search the whole text from each number, or try every split, would take minutes or hours.
    find("Nghị quyết số 12" + piece * (length // len(piece)) + "-QĐ/TU")
