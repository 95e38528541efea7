"""A crawl of the hostile server with the real command, its WARC read with zlib alone; and how archives are judged."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import fidelity
import pytest
from fidelity import ALTERED, EXACT, MISSING, Record
from hostile import KINDS, Hostile, Kind, path_of
from measure import BenchmarkError

pytestmark = pytest.mark.soak


@dataclass(frozen=True)
class Crawled:
    """The server, and the records of a crawl of it."""

    server: Hostile
    records: list[Record]

    def of(self, kind: Kind, record_type: str) -> list[bytes]:
        url = self.server.address_of(kind)
        return [one.block for one in self.records if one.fields["warc-type"] == record_type and one.url == url]

    def beside(self, kind: Kind) -> set[bytes]:
        """Blocks of the metadata records that belong to the responses of a kind."""
        url = self.server.address_of(kind)
        ids = {one.fields["warc-record-id"] for one in self.records if one.url == url}
        return {one.block for one in self.records if one.fields.get("warc-concurrent-to") in ids} - set(
            self.of(kind, "request")
        )


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawled]:
    folder = tmp_path_factory.mktemp("hostile")
    with Hostile() as server:
        fidelity.crawl_with_danvan(server, folder)
        yield Crawled(server, [record for data in fidelity.files_of(folder) for record in fidelity.records(data)])


by_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


@by_kind
def test_every_response_is_archived_as_it_was_sent(crawled: Crawled, kind: Kind) -> None:
    assert set(crawled.of(kind, "response")) == {kind.response}  # more than one where it was asked for again


@by_kind
def test_what_came_around_a_response_is_kept_beside_it(crawled: Crawled, kind: Kind) -> None:
    assert crawled.beside(kind) == {kind.interim, kind.surplus} - {b""}


def test_every_kind_was_asked_for_over_connections_that_carry_many(crawled: Crawled) -> None:
    assert {path_of(kind) for kind in KINDS} <= crawled.server.requests.keys()
    assert crawled.server.on_one_connection >= 10


def test_no_two_answers_are_alike() -> None:
    assert len({kind.sent for kind in KINDS}) == len(KINDS) >= 35


def test_archives_are_judged_by_the_final_response() -> None:
    kind = Kind("x", [b"HTTP/1.1 103 Y\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"more"],
                interim=b"HTTP/1.1 103 Y\r\n\r\n", surplus=b"more")  # fmt: skip
    assert kind.response == b"HTTP/1.1 200 OK\r\n\r\n"
    assert fidelity.judged(kind, [b"no", kind.response]) == EXACT
    assert fidelity.judged(kind, [kind.sent]) == EXACT
    assert fidelity.judged(kind, [b"HTTP/1.1 200\r\n\r\n"]) == ALTERED
    assert fidelity.judged(kind, []) == MISSING


def test_records_are_read_from_one_member_or_many(tmp_path: Path) -> None:
    one = b"WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: <http://a.vn/>\r\nContent-Length: 2\r\n\r\nhi\r\n\r\n"
    for data in (gzip.compress(one + one), gzip.compress(one) * 2):
        found = list(fidelity.records(data))
        assert [(record.url, record.block) for record in found] == [("http://a.vn/", b"hi")] * 2
    with pytest.raises(BenchmarkError, match="no record at byte"):
        list(fidelity.records(gzip.compress(one + b"rubbish")))


def test_the_table_counts_what_is_exact() -> None:
    results = {
        "ours": {kind.name: EXACT for kind in KINDS},
        "theirs": {kind.name: ALTERED for kind in KINDS},
    }
    lines = fidelity.as_table(results).splitlines()
    assert lines[0] == "| the server sends | ours | theirs |"
    assert lines[2] == f"| **exact, of all kinds** | {len(KINDS)} of {len(KINDS)} | 0 of {len(KINDS)} |"
    assert len(lines) == 3 + len(KINDS)
