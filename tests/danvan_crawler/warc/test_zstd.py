"""Frames of Zstandard files as the IIPC's proposal has them, made with the library's compressor."""

from __future__ import annotations

import io
import sys

import pytest

from danvan_crawler.warc.zstd import MissingDictionaryError, ZstdError, ZstdFrames, zstd_dictionary

if sys.version_info >= (3, 14):
    from compression.zstd import CompressionParameter, ZstdCompressor, ZstdDict, compress, train_dict
else:
    from backports.zstd import CompressionParameter, ZstdCompressor, ZstdDict, compress, train_dict

RECORDS = [
    b"WARC/1.0\r\nWARC-Type: response\r\nX-Number: %d\r\n\r\nTin so %d\r\n\r\n" % (n, n * 7919) for n in range(400)
]
DICTIONARY = train_dict(RECORDS, 2000)


def frame(data: bytes, dictionary: ZstdDict | None = None) -> bytes:
    compressor = ZstdCompressor(zstd_dict=dictionary, options={CompressionParameter.checksum_flag: 1})
    return compressor.compress(data, mode=ZstdCompressor.FLUSH_FRAME)


def skippable(number: int, data: bytes) -> bytes:
    return (0x184D2A50 + number).to_bytes(4, "little") + len(data).to_bytes(4, "little") + data


def read(data: bytes) -> list[bytes]:
    frames, found = ZstdFrames(io.BytesIO(data)), []
    while frames.peek():
        found.append(b"".join(frames.pieces()))
    assert frames.offset == len(data)
    return found


def test_frames_without_a_dictionary_are_read() -> None:
    assert read(b"".join(map(frame, RECORDS[:9]))) == RECORDS[:9]


@pytest.mark.parametrize("pack", [bytes, compress], ids=["plain dictionary", "compressed dictionary"])
def test_a_dictionary_at_the_beginning_is_used(pack) -> None:
    data = skippable(13, pack(DICTIONARY.dict_content)) + b"".join(frame(each, DICTIONARY) for each in RECORDS[:9])
    assert read(data) == RECORDS[:9]


def test_other_skippable_frames_and_empty_frames_mean_nothing() -> None:
    parts = [frame(b""), skippable(0, b"padding"), frame(RECORDS[0]), skippable(15, b"x" * 99_999), frame(RECORDS[1])]
    assert read(b"".join(parts) + skippable(3, b"")) == [b"", *RECORDS[:2]]


def test_a_frame_can_be_read_by_its_offset() -> None:
    first = skippable(13, DICTIONARY.dict_content) + frame(RECORDS[0], DICTIONARY)
    file = io.BytesIO(first + frame(RECORDS[1], DICTIONARY))
    frames = ZstdFrames(file, len(first), zstd_dictionary(file))
    frames.peek()
    assert b"".join(frames.pieces()) == RECORDS[1]


def test_a_large_frame_comes_in_pieces() -> None:
    frames = ZstdFrames(io.BytesIO(frame(bytes(5_000_000))))
    frames.peek()
    sizes = [len(piece) for piece in frames.pieces()]
    assert (sum(sizes), max(sizes)) == (5_000_000, 1 << 20)


def test_a_dictionary_that_is_not_there_is_named() -> None:
    frames = ZstdFrames(io.BytesIO(frame(RECORDS[0], DICTIONARY)))
    frames.peek()
    with pytest.raises(
        MissingDictionaryError, match=f"needs the dictionary {DICTIONARY.dict_id}, which the file does not"
    ):
        list(frames.pieces())


@pytest.mark.parametrize("content", [b"", b"nothing", compress(b"nothing"), compress(DICTIONARY.dict_content)[:-9]])
def test_an_unreadable_dictionary_is_an_error(content: bytes) -> None:
    with pytest.raises(ZstdError, match="dictionary"):
        ZstdFrames(io.BytesIO(skippable(13, content) + frame(RECORDS[0]))).peek()


def test_a_changed_frame_is_not_read() -> None:
    damaged = bytearray(frame(RECORDS[0]))
    damaged[-1] ^= 1  # its checksum
    with pytest.raises(ZstdError):
        read(bytes(damaged))


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_file_that_ends_too_early_is_cut(cut: int) -> None:
    with pytest.raises(EOFError):
        read(frame(RECORDS[0])[:-cut])
    with pytest.raises(EOFError):
        read(frame(RECORDS[0]) + skippable(0, bytes(30))[:-cut])
