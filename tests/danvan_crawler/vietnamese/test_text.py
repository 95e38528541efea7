from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from danvan_crawler.vietnamese._text_letters import fold_quickly
from danvan_crawler.vietnamese.text import _folded, canonical, clean, fold

LETTERS = "aàáãảạăắâấêếôốơớưứyỳđĐÐðоеуаТ\u0301\u0302\u0323\u031b\u00ad\u200b\u00a0\u2028 \n\r\tqghtnc&;#amp38lt"
TEXTS = st.one_of(st.text(), st.text(LETTERS), st.text("oaeuiyqgnhòóỏàáảỳýỷùúủâấêếưứ "))


def test_canonical_has_the_old_tone_placement(tone: list[str]) -> None:
    typed, old, new, _ = tone
    assert canonical(typed) == canonical(old) == canonical(new) == old


def test_canonical_is_the_same_for_decomposed_text(tone: list[str]) -> None:
    assert canonical(unicodedata.normalize("NFD", tone[0])) == tone[1]


def test_fold_is_the_same_for_every_tone_placement(tone: list[str]) -> None:
    typed, old, new, folded = tone
    assert fold(typed) == fold(old) == fold(new) == folded


def test_clean_keeps_the_placement_as_printed(tone: list[str]) -> None:
    assert clean(unicodedata.normalize("NFD", tone[0])) == tone[0]


def test_case_is_kept() -> None:
    assert canonical("TỈNH UỶ THANH HOÁ, Tỉnh Uỷ") == "TỈNH ỦY THANH HÓA, Tỉnh Ủy"


def test_spelling_with_i_or_y_is_not_touched() -> None:
    assert canonical("kỷ kĩ lý lí tỷ tỉ mỹ mĩ quý quí") == "kỷ kĩ lý lí tỷ tỉ mỹ mĩ quý quí"


def test_foreign_words_keep_their_accents() -> None:
    assert canonical("café, Noël, naïve, Fidel Castro Díaz") == "café, Noël, naïve, Fidel Castro Díaz"


@pytest.mark.parametrize(
    "spelt", ["\u1ebf", "\u00ea\u0301", "e\u0302\u0301", "e\u0301\u0302", "\u00e9\u0302", "e\u0302\u0341"]
)
def test_every_order_of_marks_is_one_letter(spelt: str) -> None:
    assert clean(f"qu{spelt}t") == canonical(f"qu{spelt}t") == "quết"


def test_marks_of_other_letters_keep_their_order() -> None:
    assert clean("s\u0301\u0302") == unicodedata.normalize("NFC", "s\u0301\u0302")


def test_odd_spaces_become_one_space() -> None:
    assert clean("Tỉnh\u00a0\u2003\u3000\tủy \u202f Thanh\u205fHóa") == "Tỉnh ủy Thanh Hóa"


def test_paragraphs_are_separated_by_one_newline() -> None:
    assert clean("\n\r\n  Đoạn một \r\n \u00a0\n\n Đoạn hai\u2028Đoạn ba\x0b\n") == "Đoạn một\nĐoạn hai\nĐoạn ba"


def test_invisible_characters_are_removed() -> None:
    assert clean("\ufeffQu\u00adảng\u200b Ng\u2060ãi\u200e\x00") == "Quảng Ngãi"


def test_half_a_surrogate_pair_becomes_a_replacement_character() -> None:
    assert clean("a\ud800b").encode() == "a\ufffdb".encode()


def test_clean_leaves_look_alikes_and_entities_as_printed() -> None:
    assert clean("Ðảng bộ ðoàn Tỉnh ủу &amp; HĐND") == "Ðảng bộ ðoàn Tỉnh ủу &amp; HĐND"


def test_eth_and_african_d_become_d_with_stroke() -> None:
    assert canonical("Ðảng bộ, ðoàn, Ɖảng, ɖoàn") == "Đảng bộ, đoàn, Đảng, đoàn"


def test_cyrillic_letters_inside_latin_words_become_latin() -> None:
    assert canonical("Тỉnh ủу hоà bình") == "Tỉnh ủy hòa bình"


def test_cyrillic_words_stay_cyrillic() -> None:
    assert canonical("Москва, хор") == "Москва, хор"


def test_a_cyrillic_letter_with_a_latin_mark_becomes_one_letter() -> None:
    assert canonical("t\u043e\u0301c") == "tóc"


def test_entities_are_decoded_however_often_they_were_encoded() -> None:
    assert canonical("T&#7881;nh&amp;nbsp;u&amp;amp;#7927;") == "Tỉnh ủy"


def test_parameters_of_addresses_are_not_read_as_entities() -> None:
    assert canonical("?a=1&copy=2&lang=vi") == "?a=1&copy=2&lang=vi"


def test_canonical_keeps_the_lines() -> None:
    assert canonical(" Tỉnh  uỷ \n\n Hoà Bình ") == "Tỉnh ủy\nHòa Bình"


def test_fold_removes_every_mark_and_the_stroke() -> None:
    assert fold("Đảng bộ Tỉnh ủy ĐẮK LẮK") == "dang bo tinh uy dak lak"


def test_fold_covers_every_vietnamese_letter() -> None:
    letters = "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ"
    assert set(fold(" ".join(letters + letters.upper()))) == set("adeiouy ")


def test_fold_does_not_change_other_scripts() -> None:
    assert fold("Москва 한국 ไทย Ærø") == "москва 한국 ไทย ærø"


def test_a_blank_text_is_empty() -> None:
    assert (clean(""), canonical(" \u200b\n"), fold("\u00ad")) == ("", "", "")


@given(text=TEXTS)
def test_clean_and_canonical_are_idempotent(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert canonical(canonical(text)) == canonical(text)


@given(text=TEXTS)
def test_canonical_is_the_same_before_and_after_clean(text: str) -> None:
    assert canonical(clean(text)) == canonical(text)


@given(text=TEXTS)
def test_fold_of_canonical_is_fold(text: str) -> None:
    assert fold(canonical(text)) == fold(text)


@given(text=TEXTS)
def test_every_depth_is_composed_and_trimmed(text: str) -> None:
    for depth in (clean, canonical, fold):
        done = depth(text)
        assert unicodedata.is_normalized("NFC", done)
        assert done == done.strip(" \n")
        assert "  " not in done


@given(st.text() | st.text(alphabet=" \n-–“”…ÐĐđàÀậẬươƯƠİßẞκⅣ①é́"))
def test_the_table_folds_as_the_rule_does(text: str) -> None:
    exact = canonical(text)
    folded = fold_quickly(exact)
    assert folded is None or folded == _folded(exact)


def test_the_table_folds_all_characters_of_newspapers() -> None:
    text = "ĐẢNG BỘ TỈNH ĐẮK LẮK: “Dân vận khéo” – năm 2017…"
    assert fold_quickly(text) == "dang bo tinh dak lak: “dan van kheo” – nam 2017…"
