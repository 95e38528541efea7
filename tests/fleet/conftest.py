"""Lives one fleet for all tests that look at it.

Its size comes from the environment, so that the same tests are a matter of a minute in `make test` and of an hour in
`make soak`: FLEET_SITES (at most 34), FLEET_DAYS, FLEET_SEED.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from fleet import Fleet
from lives import fleet_lives
from verdicts import costs, summary

SITES = int(os.environ.get("FLEET_SITES", "6"))
DAYS = int(os.environ.get("FLEET_DAYS", "8"))
SEED = int(os.environ.get("FLEET_SEED", "1"))


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A fleet that has lived all its days and nights."""
    lived = Fleet(fleet_lives(SITES, DAYS, SEED), tmp_path_factory.mktemp("fleet"), DAYS)
    try:
        lived.live()
        text = "\n".join([*summary(lived), *costs(lived).lines()])
        (lived.folder / "fleet.txt").write_text(text + "\n", encoding="utf-8")
        print(f"\n{text}")  # for whoever runs pytest with -s
        yield lived
    finally:
        lived.close()
