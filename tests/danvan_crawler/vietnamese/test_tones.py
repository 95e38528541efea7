from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from danvan_crawler.vietnamese._text_letters import VOWELS
from danvan_crawler.vietnamese._text_tones import place, place_all

ONSETS = ("", "b", "q", "qu", "gi", "Gi")
CODAS = ("", "c", "ng")


def syllables(length: int) -> list[str]:
    """Every onset, group of vowels with one tone on any of them, and coda."""
    groups = []
    for rows in itertools.product(VOWELS, repeat=length):
        for marked in range(length):
            groups.append("".join(row[2] if index == marked else row[0] for index, row in enumerate(rows)))
    return [onset + group + coda for onset in ONSETS for group in groups for coda in CODAS]


@pytest.mark.slow
def test_the_fast_search_finds_every_word_that_the_rule_changes() -> None:
    words = syllables(1) + syllables(2) + syllables(3)
    missed = [word for word in words if len(word) <= 7 and place_all(word) != place.__wrapped__(word)]
    assert missed == []


def test_placing_twice_changes_nothing() -> None:
    words = syllables(2)
    assert [word for word in words if place(place(word)) != place(word)] == []


def test_tones_of_words_in_a_text_are_placed_and_the_rest_is_unchanged() -> None:
    text = "(hoà)uỷ-ban_hoà 12hoà «khoẻ», qúy/gía; tòan"
    assert place_all(text) == "(hòa)ủy-ban_hòa 12hòa «khỏe», quý/giá; toàn"


def test_a_run_of_letters_too_long_for_a_syllable_is_unchanged() -> None:
    assert place_all("hoàhoàhoàhoà" * 1000) == "hoàhoàhoàhoà" * 1000


@given(st.text("hoàuỷnqgíaeêếcưở \u0323"))
def test_placing_moves_marks_and_never_letters(text: str) -> None:
    assert len(place_all(text)) == len(text)
