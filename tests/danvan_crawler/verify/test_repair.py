"""Repair of damaged files: no byte lost, every complete record kept, and the same result after a kill."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.verify.repair import repair_warc
from danvan_crawler.warc.members import MemberWalker
from danvan_crawler.warc.reader import iter_records
from danvan_crawler.warc.records import Exchange

Damage = Callable[[bytes, list[int]], bytes]


@pytest.fixture
def whole(make_writer: Callable[..., Any], exchange: Exchange) -> Path:
    """A valid file of warcinfo and three exchanges."""
    writer = make_writer()
    for number in range(3):
        writer.write_exchange(replace(exchange, url=f"{exchange.url}{number}"))
    (path,) = writer.close()
    assert isinstance(path, Path)
    return path


def offsets(path: Path) -> list[int]:
    """Offsets of the records."""
    found = []
    with path.open("rb") as file:
        walker = MemberWalker(file)
        while (member := walker.next()) is not None:
            found.append(member.offset)
    return found


def contents(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def ids(folder: Path) -> set[str]:
    return {record.id for path in folder.rglob("*.warc.gz") for record in iter_records(path)}


def corrupt(data: bytes, at: int) -> bytes:
    return data[: at + 20] + b"\xff" * 12 + data[at + 32 :]


DAMAGES: dict[str, Damage] = {
    "torn end": lambda data, at: data[: at[-1] + 50],
    "zeros at the end": lambda data, at: data + bytes(300),
    "text in the middle": lambda data, at: data[: at[3]] + b"not a record at all" + data[at[3] :],
    "a record in the middle": lambda data, at: corrupt(data, at[3]),
    "two places": lambda data, at: corrupt(corrupt(data, at[2]), at[5]),
    "the beginning": lambda data, at: corrupt(data, 0),
    "nothing but garbage": lambda data, at: b"garbage" * 20,
    "no byte": lambda data, at: b"",
}


@pytest.mark.parametrize("name", DAMAGES)
def test_no_byte_is_lost(whole: Path, tmp_path: Path, name: str) -> None:
    whole.write_bytes(DAMAGES[name](whole.read_bytes(), offsets(whole)))
    before = Counter(whole.read_bytes())
    repair_warc(whole)
    assert Counter(contents(tmp_path)) == before


@pytest.mark.parametrize("name", DAMAGES)
def test_the_repaired_file_can_be_read_to_its_end(whole: Path, tmp_path: Path, name: str) -> None:
    whole.write_bytes(DAMAGES[name](whole.read_bytes(), offsets(whole)))
    repair_warc(whole)
    ids(tmp_path)
    assert [repair_warc(path) for path in tmp_path.rglob("*.warc.gz")] == [None] * len([*tmp_path.rglob("*.warc.gz")])


def test_every_other_record_is_kept(whole: Path, tmp_path: Path) -> None:
    records = [record.id for record in iter_records(whole)]
    whole.write_bytes(corrupt(whole.read_bytes(), offsets(whole)[3]))
    repair_warc(whole)
    assert ids(tmp_path) == {*records} - {records[3]}


def test_records_before_the_damage_stay_at_their_place(whole: Path) -> None:
    data, at = whole.read_bytes(), offsets(whole)
    whole.write_bytes(corrupt(data, at[3]))
    repair_warc(whole)
    assert whole.read_bytes() == data[: at[3]]


def test_records_after_the_damage_go_to_a_file_of_the_next_serial(whole: Path) -> None:
    data, at = whole.read_bytes(), offsets(whole)
    whole.write_bytes(corrupt(data, at[3]))
    repaired = repair_warc(whole)
    assert repaired is not None
    assert repaired.moved == whole.with_name(whole.name.replace("-00000-", "-00001-"))
    assert repaired.moved.read_bytes() == data[at[4] :]


def test_the_file_of_damaged_bytes_is_named_after_their_first_byte(whole: Path) -> None:
    at = offsets(whole)[-1]
    whole.write_bytes(whole.read_bytes()[:-9])
    repaired = repair_warc(whole)
    assert repaired is not None
    assert repaired.damaged_files == (whole.with_name(f"{whole.name}.damaged-{at}"),)


def test_a_valid_file_is_not_changed(whole: Path, tmp_path: Path) -> None:
    before = contents(tmp_path)
    assert repair_warc(whole) is None
    assert contents(tmp_path) == before


def test_the_file_of_a_killed_run_is_finished_and_its_torn_end_is_kept(whole: Path, tmp_path: Path) -> None:
    data = whole.read_bytes()[:-9]
    left = whole.with_name(whole.name + ".open")
    whole.unlink()
    left.write_bytes(data)
    repaired = repair_warc(left)
    assert repaired is not None
    assert repaired.files == [whole]
    assert not left.exists()
    assert Counter(contents(tmp_path)) == Counter(data)


def test_a_repair_killed_before_its_last_step_is_repeated_with_the_same_result(whole: Path, tmp_path: Path) -> None:
    """Everything is copied and the damaged file is not truncated yet: the state after a kill before the truncation."""
    damaged = corrupt(whole.read_bytes(), offsets(whole)[3])
    whole.write_bytes(damaged)
    first = repair_warc(whole)
    after = contents(tmp_path)
    whole.write_bytes(damaged)
    assert repair_warc(whole) == first
    assert contents(tmp_path) == after


def test_bytes_that_were_set_aside_before_are_not_replaced(whole: Path) -> None:
    at = offsets(whole)[-1]
    aside = whole.with_name(f"{whole.name}.damaged-{at}")
    aside.write_bytes(b"of another day")
    whole.write_bytes(whole.read_bytes()[:-9])
    repaired = repair_warc(whole)
    assert repaired is not None
    assert repaired.damaged_files == (aside.with_name(f"{aside.name}-2"),)
    assert aside.read_bytes() == b"of another day"
