"""`danvan dates`: one JSON object a line, for any content and number of lines."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Danvan = Callable[..., Any]
LINE = "Đăng lúc: 23/05/2017 08:15:30 (GMT+7)"


@pytest.fixture
def read(danvan: Danvan, tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """read(bytes, options…) returns the results for a file with these bytes."""

    def run(data: bytes, *options: str) -> list[dict[str, Any]]:
        (tmp_path / "lines.txt").write_bytes(data)
        result = danvan("dates", "lines.txt", *options)
        assert (result.code, result.err) == (0, "")
        return [json.loads(line) for line in result.out.splitlines()]

    return run


def test_a_line_is_read_as_the_library_reads_it(danvan: Danvan, tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text(f"{LINE}\n", encoding="utf-8")
    assert danvan("dates", "lines.txt").out == (
        '{"text": "Đăng lúc: 23/05/2017 08:15:30 (GMT+7)", "at": "2017-05-23T08:15:30+07:00", "precision": "second", '
        '"raw": "23/05/2017 08:15:30 (GMT+7)"}\n'
    )


def test_a_line_without_a_date_is_null(read: Any) -> None:
    nothing = {"at": None, "precision": None, "raw": None}
    assert read("12/13/2018\n\nhôm nay".encode()) == [
        {"text": text} | nothing for text in ("12/13/2018", "", "hôm nay")
    ]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_line_gives_one_object_with_any_line_end(read: Any, ending: str) -> None:
    assert [one["text"] for one in read(ending.join([LINE, "", LINE]).encode())] == [LINE, "", LINE]


def test_an_empty_file_gives_nothing(read: Any) -> None:
    assert read(b"") == []


def test_a_byte_order_mark_is_no_part_of_the_line(read: Any) -> None:
    assert read(b"\xef\xbb\xbf" + LINE.encode())[0]["text"] == LINE


def test_invalid_utf_8_is_shown_as_escapes(read: Any) -> None:
    [found] = read(b"\xff\x00 23/05/2017 08:15")
    assert found["text"] == "\ufffd\0 23/05/2017 08:15"
    assert found["at"] == "2017-05-23T08:15:00+07:00"


def test_the_zone_of_the_lines_can_be_given(read: Any) -> None:
    [found, printed] = read(f"23/05/2017 08:15\n{LINE}".encode(), "--timezone", "Europe/Moscow")
    assert (found["at"], printed["at"]) == ("2017-05-23T08:15:00+03:00", "2017-05-23T08:15:30+07:00")


def test_the_month_can_stand_first(read: Any) -> None:
    assert read(b"12/13/2018", "--month-first")[0]["at"] == "2018-12-13T00:00:00+07:00"


@pytest.mark.parametrize("now", ["2026-11-23T08:00:00+07:00", "2026-11-23T01:00Z"])
def test_relative_forms_are_read_with_a_given_time(read: Any, now: str) -> None:
    assert read("2 giờ trước".encode(), "--now", now) == [
        {"text": "2 giờ trước", "at": "2026-11-23T06:00:00+07:00", "precision": "minute", "raw": "2 giờ trước"}
    ]


def test_relative_forms_are_null_without_a_given_time(read: Any) -> None:
    assert read("2 giờ trước".encode())[0]["at"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nosuch.txt"], "'nosuch.txt': No such file or directory"),
        (["."], "'.': Is a directory"),
        ([], "Missing argument 'FILE'"),
        (["lines.txt", "--timezone", "GMT+7"], "'--timezone': unknown timezone 'GMT+7'"),
        (
            ["lines.txt", "--now", "2026-11-23T08:00"],
            "'--now': must be a moment with its time zone like 2026-11-23T08:00:00",
        ),
        (["lines.txt", "--now", "now"], "'--now': must be a moment with its time zone like 2026-11-23T08:00:00+07:00"),
        (["lines.txt", "--now", "0001-01-01T00:00+14:00"], "'--now': must be a moment with its time zone"),
    ],
)
def test_wrong_usage_is_an_error_with_the_reason(
    danvan: Danvan, tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "lines.txt").write_text(LINE, encoding="utf-8")
    result = danvan("dates", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err


@pytest.mark.slow
def test_a_pipe_is_read_line_by_line_and_closed_when_the_reader_leaves() -> None:
    """The lines never end, and the memory of the process is limited to a small number of them."""
    with subprocess.Popen(["yes", LINE], stdout=subprocess.PIPE) as endless:
        child = subprocess.Popen(
            [sys.executable, "-m", "danvan_crawler", "dates", "-"],
            stdin=endless.stdout,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (150_000_000, 150_000_000)),
        )
        with child:
            assert child.stdout is not None
            assert child.stderr is not None
            for _ in range(50_000):
                assert json.loads(child.stdout.readline())["at"] == "2017-05-23T08:15:30+07:00"
            child.stdout.close()
            assert child.stderr.read() == b""
            assert child.wait(60) == 0
        endless.kill()
