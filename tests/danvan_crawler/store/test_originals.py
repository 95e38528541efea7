"""Finding the original record of a payload that a server sends again."""

from __future__ import annotations

from typing import Any

import pytest

from danvan_crawler.store.writes import Store


@pytest.fixture(params=["noted", "written"])
def note(request: pytest.FixtureRequest, store: Store, desk: Any) -> Any:
    """Notes a capture, and writes it or leaves it in memory: both have to be found."""

    def note(path: str, time: str, **fields: Any) -> Any:
        capture = desk.capture(path, time, **fields)
        store.note_capture(fields.get("site", desk.site), capture)
        if request.param == "written":
            store.flush()
        return capture

    return note


def test_the_newest_complete_answer_of_an_address_is_found(store: Store, desk: Any, note: Any) -> None:
    note("/a", "08:00", etag='"1"')
    newest = note("/a", "09:00", etag='"2"', last_modified="Mon, 23 Nov 2026 00:00:00 GMT")
    note("/a", "10:00", status=404)
    note("/a", "11:00", truncated="time")
    found = store.originals.at_address(desk.site, newest.url)
    assert found is not None
    assert (found.warc_record_id, found.etag) == (newest.warc_record_id, '"2"')
    assert found.last_modified == newest.last_modified


def test_an_original_is_found_by_the_exact_address_only(store: Store, desk: Any, note: Any) -> None:
    capture = note("/a?trang=1", "08:00")
    for other in ("/a", "/a?trang=2", "/a?trang=1&utm_source=x"):
        url = capture.url.removesuffix("/a?trang=1") + other
        assert store.originals.at_address(desk.site, url) is None


def test_captures_of_another_site_are_not_originals(store: Store, desk: Any, note: Any) -> None:
    capture = note("/a", "08:00", payload_digest="sha1:A")
    assert store.originals.at_address("other", capture.url) is None
    assert list(store.originals.with_payload("other", "sha1:A")) == []


def test_records_of_a_payload_come_newest_first_without_revisits(store: Store, desk: Any, note: Any) -> None:
    first = note("/a", "08:00", payload_digest="sha1:A")
    second = note("/b", "09:00", payload_digest="sha1:A")
    note("/a", "10:00", payload_digest="sha1:A", refers_to=first.warc_record_id)
    note("/a", "11:00", payload_digest="sha1:A", truncated="length")
    note("/a", "12:00", payload_digest="sha1:B")
    found = [row.warc_record_id for row in store.originals.with_payload(desk.site, "sha1:A")]
    assert found == [second.warc_record_id, first.warc_record_id]


def test_the_record_of_a_revisit_is_found_by_its_id(store: Store, desk: Any, note: Any) -> None:
    capture = note("/a", "08:00")
    found = store.originals.named(desk.site, capture.warc_record_id, None, None)
    assert found is not None
    assert (found.warc_file, found.warc_offset) == (capture.warc_file, capture.warc_offset)
    assert store.originals.named(desk.site, "urn:uuid:nobody", capture.url, capture.date) is None


def test_without_an_id_the_record_is_found_by_address_and_date(store: Store, desk: Any, note: Any) -> None:
    note("/a", "07:00")
    capture = note("/a", "08:00")
    found = store.originals.named(desk.site, None, capture.url, capture.date)
    assert found is not None
    assert found.warc_record_id == capture.warc_record_id
    assert store.originals.named(desk.site, None, capture.url, None) is None


def test_a_rebuild_finds_captures_that_are_not_committed_yet(store: Store, desk: Any) -> None:
    with store.batch():
        capture = desk.capture("/a", "08:00")
        store.note_capture(desk.site, capture)
        store.flush()
        assert store.originals.named(desk.site, capture.warc_record_id, None, None) is not None
