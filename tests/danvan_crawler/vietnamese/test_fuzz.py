"""No string makes a reader of page text raise: a sample of the million strings of `tests/soak`."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

FUZZ = runpy.run_path(str(Path(__file__).parents[2] / "fixtures" / "vietnamese" / "fuzz.py"))
SEEDS = (11, 12, 13, 14)
EACH = 2_500


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.slow
def test_random_and_mutated_strings_raise_nothing(seed: int) -> None:
    assert FUZZ["check"](seed, EACH) == EACH


def test_a_seed_gives_the_same_strings_again() -> None:
    assert list(FUZZ["strings"](1, 50)) == list(FUZZ["strings"](1, 50)) != list(FUZZ["strings"](2, 50))
