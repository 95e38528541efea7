"""Text in a legacy charset that was served as Latin letters.

`legacy.tsv` has texts as served and as meant; `legacy_letters.tsv` has every letter in each charset, from the tables
that UniKey, viparse and glibc publish. The encoders here are made from the latter, so they share nothing with the
tested code.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from danvan_crawler.vietnamese._text_syllables import is_syllable, spellings
from danvan_crawler.vietnamese.text import clean, decode_legacy

FIXTURES = Path(__file__).parents[2] / "fixtures" / "vietnamese"
CHARSETS = ("TCVN3", "VNI", "VISCII", "windows-1258")
SYLLABLES = sorted(spellings())
LONGER = [syllable for syllable in SYLLABLES if len(syllable) > 1]
"""Without words of one letter: a single symbol is not changed, such as ª, TCVN3's ê."""
LETTERS = (
    "abceghiklmnopqrstuvxyaàáạảãâầấậẩẫăằắặẳẵđĐßæåäöøûüñÆÐØÞ¡¢£¤¥¦§¨©ª«¬\u00ad®µ¶·¸¹º»¼½¾×÷ \u0301\u0303\u0323‘’“”…€Ã\n"
)
TEXTS = st.one_of(st.text(), st.text(LETTERS), st.text("aeouyiôöâáàåãäêéèúüëùøûõïñbcthn "))


FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")


def table(name: str) -> list[list[str]]:
    lines = (FIXTURES / f"{name}.tsv").read_text(encoding="utf-8").split("\n")[1:-1]
    return [line.split("\t") for line in lines]


def _unescaped(text: str) -> str:
    return text.replace("\\r", "\r").replace("\\n", "\n")


def rows() -> list[tuple[str, str, str]]:
    return [(kind, _unescaped(stored), _unescaped(read)) for kind, stored, read in table("legacy")]


@pytest.fixture(scope="module")
def encoders() -> dict[str, Callable[[str], str]]:
    """Unicode text as each charset's bytes look when they are decoded as windows-1252."""
    columns = list(zip(*table("legacy_letters"), strict=True))

    def encoder(column: tuple[str, ...]) -> Callable[[str], str]:
        seen = dict(zip(columns[0], column, strict=True))
        return lambda text: "".join(seen.get(letter, letter) or seen[letter.lower()] for letter in text)

    return {charset: encoder(column) for charset, column in zip(CHARSETS, columns[1:], strict=True)}


@pytest.mark.parametrize(("kind", "served", "meant"), [row for row in rows() if row[0] != "unchanged"])
def test_text_is_decoded_as_meant(kind: str, served: str, meant: str) -> None:
    assert decode_legacy(served) == meant


@pytest.mark.parametrize("text", [served for kind, served, _ in rows() if kind == "unchanged"])
def test_ordinary_text_is_returned_unchanged(text: str) -> None:
    assert decode_legacy(text) is text


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.slow
def test_every_possible_vietnamese_syllable_is_decoded(charset: str, encoders: dict[str, Callable[[str], str]]) -> None:
    syllables = LONGER.copy()
    random.Random(5).shuffle(syllables)
    lines = [" ".join(syllables[start : start + 40]) for start in range(0, len(syllables), 40)]
    assert decode_legacy(encoders[charset]("\n".join(lines))).split("\n") == lines


@given(words=st.lists(st.sampled_from(LONGER), max_size=12), charset=st.sampled_from(CHARSETS))
def test_a_sentence_with_any_syllables_reads_back(
    words: list[str], charset: str, encoders: dict[str, Callable[[str], str]]
) -> None:
    text = " ".join(["hội nghị tổ chức thực hiện nghị quyết về công tác dân vận và phát triển kinh tế", *words])
    assert decode_legacy(encoders[charset](text)) == text


@given(words=st.lists(st.sampled_from(SYLLABLES), max_size=60), form=st.sampled_from(FORMS))
def test_unicode_text_of_any_syllables_is_unchanged(words: list[str], form: Literal["NFC", "NFD"]) -> None:
    text = unicodedata.normalize(form, "Tỉnh " + " ".join(words))
    assert decode_legacy(text) is text


@pytest.mark.parametrize("charset", ["VNI", "VISCII", "windows-1258"])
def test_capitals_are_decoded_if_the_charset_has_them(charset: str, encoders: dict[str, Callable[[str], str]]) -> None:
    text = "ĐẢNG BỘ TỈNH QUẢNG NGÃI TỔ CHỨC HỘI NGHỊ; Ủy ban Mặt trận Tổ quốc"
    assert decode_legacy(encoders[charset](text)) == text


def test_the_soft_hyphen_of_tcvn3_is_a_letter() -> None:
    served = "\u00adu t\u00ad h\u00adíng"
    assert clean(decode_legacy(served)) == "ưu tư hướng"
    assert clean(served) == "u t híng"


def test_only_the_legacy_lines_of_a_document_change() -> None:
    unicode, legacy = "Ban Dân vận Tỉnh ủy: đẩy mạnh «dân vận khéo».", "Ban D©n vËn TØnh ñy: ®Èy m¹nh d©n vËn khÐo."
    text = "\n\n".join([unicode, legacy, "Noël à Genève", unicode, legacy])
    done = "Ban Dân vận Tỉnh ủy: đẩy mạnh dân vận khéo."
    assert decode_legacy(text).split("\n\n") == [unicode, done, "Noël à Genève", unicode, done]


def test_an_ambiguous_word_is_decoded_by_the_rest_of_the_document() -> None:
    assert decode_legacy("khÐo") == "khÐo"
    assert decode_legacy("khÐo\nPhong trµo thi ®ua d©n vËn") == "khéo\nPhong trào thi đua dân vận"


@pytest.mark.parametrize(
    ("served", "meant"),
    [
        ("§¶NG Bé TØNH", "ĐẢNG BỘ TỈNH"),
        ("§¶ng bé tØnh", "Đảng bộ tỉnh"),
        ("Bé trưởng".replace("ưở", "\u00adë") + " NguyÔn V¨n Hµ", "Bộ trưởng Nguyễn Văn Hà"),
        ("BAN TH¦êNG Vô TØNH ñY HäP", "BAN THƯỜNG VỤ TỈNH ỦY HỌP"),
    ],
)
def test_words_of_capitals_are_recased_and_others_are_not(served: str, meant: str) -> None:
    assert decode_legacy(served) == meant


def test_text_that_was_decoded_as_windows_1258_is_repaired() -> None:
    tcvn3 = "Qu¶ng Ng·i ph¸t triÓn kinh tÕ, n©ng cao ®êi sèng"
    misread = unicodedata.normalize("NFC", tcvn3.encode("cp1252").decode("cp1258"))
    assert misread != tcvn3
    assert decode_legacy(misread) == "Quảng Ngãi phát triển kinh tế, nâng cao đời sống"


@given(text=TEXTS)
def test_no_text_raises_and_no_line_is_lost(text: str) -> None:
    assert decode_legacy(text).count("\n") == text.count("\n")


@pytest.mark.parametrize("meant", [meant for _, _, meant in rows()])
def test_decoded_text_is_not_decoded_again(meant: str) -> None:
    assert decode_legacy(meant) is meant


@pytest.mark.parametrize("word", ["nghiêng", "QUÝ", "giếng", "gì", "thuỷ", "thủy", "khuỷu", "Đắk", "ở", "oanh"])
def test_syllables_are_recognised(word: str) -> None:
    assert is_syllable(word)


@pytest.mark.parametrize("word", ["", "hôtel", "été", "tỏt", "ngh", "cía", "kwa", "quu", "ă", "khÐo", "Straße"])
def test_other_words_are_not_recognised_as_syllables(word: str) -> None:
    assert not is_syllable(word)
