"""Notes of a run: metadata records that other tools ignore and our reader reads back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.warc.index import index_lines
from danvan_crawler.warc.notes import RUN, UNANSWERED, WHY, note_of
from danvan_crawler.warc.reader import iter_records
from danvan_crawler.warc.records import Exchange


class Reason:
    via = "http://portal.example/tin-tức/"

    def as_json(self) -> str:
        return '{"kind":"article","link":"http://portal.example/tin.html"}'


@pytest.fixture
def path(make_writer: Callable[..., Any], exchange: Exchange) -> Path:
    """A finished file with a run, an exchange with its reason, and a request without an answer."""
    writer = make_writer(run=("1a2b3c4d", '{"run_id":"1a2b3c4d"}'))
    writer.queue_note(UNANSWERED, "0", '{"first":1}')
    writer.write_exchange(exchange, why=Reason())
    writer.write_note(UNANSWERED, "1", '{"reason":"HTTP 503"}')
    [found] = writer.close()
    assert isinstance(found, Path)
    return found


def test_notes_are_in_order_and_the_reason_is_before_its_response(path: Path) -> None:
    records = list(iter_records(path))
    assert [record.type for record in records] == [
        *("warcinfo", "metadata", "metadata"),
        *("request", "metadata", "response", "metadata"),
    ]
    assert note_of(records[1], RUN) == '{"run_id":"1a2b3c4d"}'
    assert note_of(records[2], UNANSWERED) == '{"first":1}'
    assert note_of(records[4], WHY) == Reason().as_json()
    assert records[4].headers["WARC-Concurrent-To"] == f"<{records[5].id}>"
    assert b"via: http://portal.example/tin-t%E1%BB%A9c/\r\n" in records[4].block
    assert note_of(records[6], UNANSWERED) == '{"reason":"HTTP 503"}'
    assert note_of(records[6], WHY) is None


def test_the_index_has_only_the_response(path: Path) -> None:
    assert len(list(index_lines(path))) == 1


def test_a_note_without_a_following_record_creates_no_file(make_writer: Callable[..., Any]) -> None:
    writer = make_writer()
    writer.queue_note(UNANSWERED, "0", "{}")
    assert writer.close() == []
