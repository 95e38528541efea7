"""Index lines of captures that were answered 304."""

from __future__ import annotations

import json

from danvan_crawler.replay.unmodified import resolve_unmodified


def line(path: str, timestamp: int, status: int, digest: str | None, *, revisit: bool = False, offset: int = 0) -> str:
    entry = {"mime": "warc/revisit" if revisit else "image/png", "status": str(status), "digest": digest}
    shown = {**{name: value for name, value in entry.items() if value is not None}, "offset": str(offset)}
    return f"vn,example){path} {timestamp} {json.dumps(shown)}\n"


def places(lines: list[str]) -> list[tuple[str, str]]:
    """Timestamp and offset of each line."""
    return [(text.split(" ", 2)[1], json.loads(text.split(" ", 2)[2])["offset"]) for text in lines]


def test_an_unmodified_capture_refers_to_the_previous_capture_of_the_address() -> None:
    lines = [line("/a", 1, 200, "x", offset=10), line("/a", 2, 304, None, revisit=True, offset=20)]
    assert places(list(resolve_unmodified(lines))) == [("1", "10"), ("2", "10")]


def test_a_digest_selects_one_of_several_earlier_captures() -> None:
    lines = [
        line("/a", 1, 200, "x", offset=10),
        line("/a", 2, 200, "y", offset=20),
        line("/a", 3, 304, "x", revisit=True, offset=30),
        line("/a", 4, 304, None, revisit=True, offset=40),
    ]
    assert places(list(resolve_unmodified(lines)))[2:] == [("3", "10"), ("4", "20")]


def test_later_unmodified_captures_refer_to_a_payload_that_came_back() -> None:
    lines = [
        line("/a", 1, 200, "x", offset=10),
        line("/a", 2, 200, "y", offset=20),
        line("/a", 3, 200, "x", revisit=True, offset=30),
        line("/a", 4, 304, None, revisit=True, offset=40),
    ]
    assert places(list(resolve_unmodified(lines)))[2:] == [("3", "30"), ("4", "10")]


def test_a_payload_of_another_address_is_found_by_its_revisit_record() -> None:
    lines = [line("/a", 3, 200, "x", revisit=True, offset=30), line("/a", 4, 304, None, revisit=True, offset=40)]
    assert places(list(resolve_unmodified(lines))) == [("3", "30"), ("4", "30")]


def test_captures_of_other_addresses_are_not_used() -> None:
    lines = [line("/a", 1, 200, "x", offset=10), line("/b", 2, 304, "x", revisit=True, offset=20)]
    assert list(resolve_unmodified(lines)) == lines


def test_errors_in_between_are_skipped() -> None:
    lines = [
        line("/a", 1, 200, "x", offset=10),
        line("/a", 2, 503, "e", offset=20),
        line("/a", 3, 304, None, revisit=True, offset=30),
    ]
    assert places(list(resolve_unmodified(lines)))[2] == ("3", "10")


def test_all_other_lines_are_unchanged() -> None:
    lines = [line("/a", 1, 200, "x"), line("/a", 2, 301, None), line("/a", 3, 200, "x", revisit=True)]
    assert list(resolve_unmodified(lines)) == lines
