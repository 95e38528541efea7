"""Numbering the contents of an article."""

from __future__ import annotations

import random

import pytest

from danvan_crawler.store.lifecycle import Sighting, timeline


def seen(time: str, content: str, canonical: bool = True) -> Sighting:
    return Sighting(f"2026-11-23T{time}:00.000000Z", "warc/x.warc.gz", int(time.replace(":", "")), content, canonical)


def test_contents_are_numbered_in_the_order_of_first_appearance() -> None:
    assert timeline([seen("08:00", "a"), seen("09:00", "b"), seen("10:00", "c")]).numbers == {"a": 1, "b": 2, "c": 3}


def test_a_content_that_comes_back_has_its_old_number() -> None:
    view = timeline([seen("08:00", "a"), seen("09:00", "b"), seen("10:00", "a")])
    assert (view.current, view.numbers) == ("a", {"a": 1, "b": 2})


def test_first_and_last_seen_are_those_of_all_captures() -> None:
    view = timeline([seen("09:00", "b"), seen("10:00", "a"), seen("08:00", "a")])
    assert (view.first_seen[11:16], view.last_seen[11:16]) == ("08:00", "10:00")


def test_a_capture_at_the_canonical_address_is_preferred_to_an_earlier_variant() -> None:
    view = timeline([seen("08:00", "a", False), seen("09:00", "a"), seen("10:00", "a")])
    assert view.representatives["a"].warc_date[11:16] == "09:00"


def test_without_the_canonical_address_the_earliest_variant_is_used() -> None:
    view = timeline([seen("09:00", "a", False), seen("08:00", "a", False)])
    assert view.representatives["a"].warc_date[11:16] == "08:00"


def test_captures_of_one_moment_are_ordered_by_their_place_in_the_archive() -> None:
    date = "2026-11-23T08:00:00.000000Z"
    later_file = Sighting(date, "warc/b.warc.gz", 0, "b", True)
    later_offset = Sighting(date, "warc/a.warc.gz", 9, "a", True)
    first = Sighting(date, "warc/a.warc.gz", 0, "c", True)
    assert timeline([later_file, later_offset, first]).numbers == {"c": 1, "a": 2, "b": 3}


def test_the_order_in_which_captures_are_given_does_not_matter() -> None:
    captures = [seen(f"{hour:02}:00", "abcab"[hour % 5], hour % 3 == 0) for hour in range(20)]
    expected = timeline(captures)
    for _ in range(50):
        random.shuffle(captures)
        assert timeline(captures) == expected


def test_an_article_without_captures_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one capture"):
        timeline([])
