"""Exports: JSONL and CSV from which the items can be read back, in constant memory."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from danvan_crawler.archive.layout import database_path
from danvan_crawler.export.items import WRITERS, write_csv, write_jsonl
from danvan_crawler.items import EXPORT_FIELDS, LIST_FIELDS
from danvan_crawler.store.database import open_for_reading, open_for_writing
from danvan_crawler.store.queries import Filter, Item, items
from danvan_crawler.store.schema import articles

Writer = Callable[[Iterable[Item], BinaryIO], int]
BOTH = pytest.mark.parametrize("write", WRITERS.values(), ids=list(WRITERS))
NUMBERS = {"revision", "warc_offset"}


def item(**fields: Any) -> Item:
    """An item with something in every field."""
    known: dict[str, Any] = {name: f"{name} của bài" for name in EXPORT_FIELDS}
    known |= {"revision": 2, "warc_offset": 1234, "documents": [], "warnings": [], "tags": ["dân vận", "Đảng"]}
    known["attachments"] = [{"url": "http://a.vn/kh.pdf", "name": "Kế hoạch.pdf", "media_type": None, "capture": None}]
    known["images"] = [{"url": "http://a.vn/a.jpg", "capture": {"warc_file": "warc/x.warc.gz", "warc_offset": 5}}]
    return known | fields


def from_csv(data: bytes) -> list[Item]:
    """Items of a CSV, read as the data contract describes."""
    rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    return [
        {
            name: json.loads(value) if name in LIST_FIELDS else int(value) if name in NUMBERS else value or None
            for name, value in row.items()
        }
        for row in rows
    ]


def from_jsonl(data: bytes) -> list[Item]:
    return [json.loads(line) for line in data.decode().split("\n") if line]


def written(write: Writer, *exported: Item) -> bytes:
    out = io.BytesIO()
    assert write(iter(exported), out) == len(exported)
    return out.getvalue()


def test_jsonl_is_one_object_a_line_with_the_fields_in_order() -> None:
    data = written(write_jsonl, item(title="Tỉnh uỷ\nhọp"), item())
    assert not data.startswith(b"\xef\xbb\xbf")
    assert data.endswith(b"}\n")
    assert [list(found) for found in from_jsonl(data)] == [list(EXPORT_FIELDS)] * 2
    assert "Tỉnh uỷ\\nhọp".encode() in data


def test_jsonl_gives_back_every_value() -> None:
    given = item(author=None, published_at=None, body_text="một\nhai", warnings=["empty lead"])
    assert from_jsonl(written(write_jsonl, given)) == [given]


def test_csv_begins_with_a_byte_order_mark_and_the_names_of_the_fields() -> None:
    data = written(write_csv, item())
    assert data.startswith(b"\xef\xbb\xbfitem_id,site,province,")
    assert data.count(b"\xef\xbb\xbf") == 1


def test_csv_ends_lines_with_crlf_and_keeps_line_breaks_in_text() -> None:
    data = written(write_csv, item(body_text="một\nhai"))
    assert data.count(b"\r\n") == 2
    assert data.endswith(b"\r\n")
    assert "một\nhai".encode() in data


def test_csv_writes_null_as_empty_and_lists_as_json() -> None:
    (row,) = csv.DictReader(io.StringIO(written(write_csv, item(author=None)).decode("utf-8-sig"), newline=""))
    assert row["author"] == ""
    assert json.loads(row["tags"]) == ["dân vận", "Đảng"]
    assert row["documents"] == "[]"
    assert "Đảng" in row["tags"]


def test_csv_gives_back_every_value() -> None:
    given = item(title='Ông nói: "Dân vận, khéo"', author=None, body_text='a,b\n"c"\r\nd', source="; =1+1")
    assert from_csv(written(write_csv, given)) == [given]


@given(
    text=st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1),
    listed=st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"]))),
)
def test_any_text_is_read_back_from_both_formats(text: str, listed: list[str]) -> None:
    given = item(title=text, tags=listed)
    assert from_jsonl(written(write_jsonl, given)) == [given]
    assert from_csv(written(write_csv, given)) == [given]


@BOTH
def test_an_export_without_items_is_a_file(write: Writer) -> None:
    assert from_csv(written(write_csv)) == from_jsonl(written(write_jsonl)) == []
    assert written(write) in (b"", b"\xef\xbb\xbf" + ",".join(EXPORT_FIELDS).encode() + b"\r\n")


@BOTH
def test_the_export_does_not_close_the_file_of_the_caller(write: Writer) -> None:
    out = io.BytesIO()
    write([item()], out)
    first = out.getvalue()
    out.write(b"more")
    assert out.getvalue() == first + b"more"


@BOTH
def test_an_error_while_reading_items_is_raised_and_does_not_close_the_file(write: Writer) -> None:
    def failing() -> Iterator[Item]:
        yield item()
        raise RuntimeError("the database is gone")

    out = io.BytesIO()
    with pytest.raises(RuntimeError, match="the database is gone"):
        write(failing(), out)
    assert not out.closed


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of 8,000 articles, 24 MB, in two sites."""
    path = database_path(tmp_path_factory.mktemp("export"))
    body = "Công tác dân vận của Đảng bộ tỉnh. " * 60
    lists = dict.fromkeys(LIST_FIELDS, "[]") | {"tags": '["dân vận"]'}
    lists["images"] = '[{"url": "http://a.vn/a.jpg", "caption": null, "media_type": null, "capture": null}]'
    texts = {name: name for name in EXPORT_FIELDS} | {"revision": 1, "warc_offset": 0, "body_text": body}
    with open_for_writing(path).begin() as connection:
        for start in range(0, 8000, 1000):
            rows = [
                texts | lists | {"item_id": f"a-{number:05}", "site": f"{'ab'[number % 2]}-danvan"}
                for number in range(start, start + 1000)
            ]
            connection.execute(insert(articles), rows)
    return path


@pytest.mark.parametrize(
    ("write", "criteria", "rows"),
    [(write_jsonl, {}, 8000), (write_csv, {}, 8000), (write_jsonl, {"site": "a-danvan"}, 4000)],
    ids=["jsonl", "csv", "one site"],
)
@pytest.mark.slow
def test_an_export_needs_no_more_memory_than_a_few_items(
    write: Writer, criteria: dict[str, str], rows: int, large: Path, tmp_path: Path
) -> None:
    target = tmp_path / "export"
    with open_for_reading(large).connect() as connection, target.open("wb") as out:
        tracemalloc.start()
        try:
            assert write(items(connection, Filter(**criteria)), out) == rows
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert target.stat().st_size > 3000 * rows
    assert peak < 7_000_000  # seen: 4.7 MB; all rows of one site are 12 MB
