"""The comparison of verifiers, on a small file."""

from __future__ import annotations

from pathlib import Path

import pytest
from verifying import sample, speeds

pytestmark = pytest.mark.soak


def test_three_verifiers_are_measured_on_the_same_sound_file(tmp_path: Path) -> None:
    measured = speeds(sample(tmp_path, 5, 2000), tmp_path)
    assert set(measured) == {"danvan verify", "warcio check", "fastwarc check"}
    assert all(speed > 0 for speed in measured.values())
