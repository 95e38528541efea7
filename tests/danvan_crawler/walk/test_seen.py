"""The set of keys that a run has seen."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from danvan_crawler.walk.seen import KeySet


@given(st.lists(st.text(max_size=3)), st.lists(st.text(max_size=3)))
def test_it_contains_the_same_keys_as_a_set(added: list[str], asked: list[str]) -> None:
    keys, plain = KeySet(), set[str]()
    for key in added:
        assert keys.add(key) == (key not in plain)
        plain.add(key)
    assert len(keys) == len(plain)
    assert [key in keys for key in [*added, *asked]] == [key in plain for key in [*added, *asked]]


def test_many_keys_are_all_kept() -> None:
    keys = KeySet()
    keys.update(f"/tin-tuc/bai-viet-so-{number}.html" for number in range(100_000))
    assert len(keys) == 100_000
    assert all(f"/tin-tuc/bai-viet-so-{number}.html" in keys for number in range(100_000))
    assert not any(f"/tin-tuc/bai-viet-so-{number}.html" in keys for number in range(100_000, 200_000))
