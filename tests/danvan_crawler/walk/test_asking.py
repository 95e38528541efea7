"""Metadata beside the archived bytes is read back unchanged, also with keys of a later version."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from danvan_crawler.walk.asking import Run, Unanswered, Why

TEXT = st.text(max_size=20)
WHYS = st.builds(
    Why,
    st.sampled_from(["listing", "article", "requisite", "feed", "robots"]),
    TEXT,
    section=TEXT,
    first_url=TEXT,
    via=TEXT,
    listed_at=TEXT,
    entry=TEXT,
    is_new=st.booleans(),
    is_visit=st.booleans(),
    depth=st.integers(1, 4),
    is_site_wide=st.booleans(),
    stands_in=st.booleans(),
    hops=st.lists(TEXT, max_size=3).map(tuple),
)


@given(WHYS)
def test_a_reason_reads_back(why: Why) -> None:
    text = why.as_json()
    assert "\n" not in text
    assert Why.from_json(text) == why


@given(WHYS, TEXT, st.sampled_from(["forbidden", "failed", "ours"]))
def test_a_request_without_an_answer_reads_back(why: Why, reason: str, cause: str) -> None:
    request = Unanswered(why, "http://example.vn/", "2026-03-01T00:00:00.000000Z", reason, cause)  # type: ignore[arg-type]
    assert Unanswered.from_json(request.as_json()) == request


def test_a_run_reads_back_with_its_days() -> None:
    run = Run(
        "1a2b3c4d",
        "2026-03-01T01:30:00.000000Z",
        full=True,
        since="2017-05-23",
        max_pages=12,
        revisit_days=(1.0, 3.0),
        took_up={"warc/a/2026/a.warc.gz": -1},
    )
    again = Run.from_json(run.as_json())
    assert again == run
    assert (str(again.first_day), again.last_day) == ("2017-05-23", None)


def test_unknown_keys_of_a_later_version_are_ignored() -> None:
    told = json.loads(Why("article", "http://example.vn/a", section="Tin tức").as_json())
    assert Why.from_json(json.dumps({**told, "mood": "calm"})) == Why(
        "article", "http://example.vn/a", section="Tin tức"
    )


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '"x"'])
def test_a_note_that_is_not_an_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not an object|Expecting"):
        Why.from_json(text)


@pytest.mark.parametrize(
    ("kind", "cause", "is_archived"),
    [
        ("article", "failed", True),
        ("article", "forbidden", False),
        ("article", "robots_unreadable", False),
        ("requisite", "forbidden", True),
        ("requisite", "budget", False),
        ("listing", "failed", True),
        ("listing", "left_alone", False),
        ("feed", "ours", False),
    ],
)
def test_only_failures_that_change_the_crawl_state_are_archived(kind: str, cause: str, is_archived: bool) -> None:
    request = Unanswered(Why(kind, "http://example.vn/"), "http://example.vn/", "", "", cause)  # type: ignore[arg-type]
    assert request.is_archived is is_archived
