"""Tests that take very long run only with `pytest tests/soak`, and are left out of other runs."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    named = [Path(config.invocation_params.dir, argument.split("::")[0]).resolve() for argument in config.args]
    asked = any(path == HERE or HERE in path.parents for path in named)
    return None if asked or collection_path.parent != HERE else True
