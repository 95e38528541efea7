"""Output to a reader that has stopped reading, has gone, or has no space: it never blocks, and nothing fails."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from danvan_crawler.cli.nonblocking import NonBlockingStream, console
from danvan_crawler.cli.progress import SitesProgress
from danvan_crawler.exceptions import ExitCode
from danvan_crawler.fleet.child_process import JobResult

LINE = "Hội nghị tổng kết công tác dân vận\n"


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    read, write = os.pipe()
    yield read, write
    for descriptor in (read, write):
        os.close(descriptor)


def test_output_arrives_in_order(pipe: tuple[int, int]) -> None:
    read, write = pipe
    with NonBlockingStream(write) as stream:
        stream.write("một\n")
        console(stream).print("hai", markup=False)
    assert os.read(read, 100).decode() == "một\nhai\n"


def test_a_reader_that_has_stopped_reading_blocks_nothing(pipe: tuple[int, int]) -> None:
    read, write = pipe
    with NonBlockingStream(write, patience=0.1) as stream:
        for _ in range(200_000):  # more than the pipe and the queue hold together
            stream.write(LINE)
    assert os.read(read, len(LINE.encode())).decode() == LINE
    os.write(write, LINE.encode() * 10_000)  # is discarded without blocking


def test_a_reader_that_has_gone_is_no_error(pipe: tuple[int, int]) -> None:
    read, write = pipe
    os.close(read)
    try:
        with NonBlockingStream(write) as stream:
            for _ in range(100):
                stream.write(LINE)
        os.write(write, LINE.encode())
    finally:
        os.open(os.devnull, os.O_RDONLY)  # takes the descriptor number again, for the fixture


def test_a_full_disk_is_no_error() -> None:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    try:
        with NonBlockingStream(descriptor) as stream, SitesProgress(console(stream), 1, quiet=False) as progress:
            progress.started("a-danvan")
            progress.stderr_line("a-danvan", LINE)
            progress.ended(JobResult("a-danvan", ExitCode.OK))
    finally:
        os.close(descriptor)


def test_a_letter_outside_of_the_encoding_of_the_locale_is_escaped(pipe: tuple[int, int]) -> None:
    read, write = pipe
    with NonBlockingStream(write, "ascii") as stream:
        stream.write("Hội")
    assert os.read(read, 100) == b"H\\u1ed9i"
