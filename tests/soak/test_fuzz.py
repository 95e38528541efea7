"""A million random and mutated strings through every reader of page text, without an exception.

This takes about ten minutes on one core; the parts are shared if tests run in parallel.
"""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

FUZZ = runpy.run_path(str(Path(__file__).parents[1] / "fixtures" / "vietnamese" / "fuzz.py"))
PARTS = 20
EACH = 50_000


@pytest.mark.parametrize("seed", range(1_000, 1_000 + PARTS))
def test_a_million_random_and_mutated_strings_raise_nothing(seed: int) -> None:
    assert FUZZ["check"](seed, EACH) == EACH
