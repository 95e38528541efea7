"""The sample portal's pictures and documents are valid files of their formats."""

from __future__ import annotations

import re
import struct
import zlib

from danvan_crawler.sample import articles
from danvan_crawler.sample._media import icon, landscape, pdf


def chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    """(type, data) of every chunk; asserts signature and checksums."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    found, at = [], 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length]) == (zlib.crc32(kind + data),)
        found.append((kind, data))
        at += 12 + length
    return found


def test_picture_is_a_complete_png_of_its_size() -> None:
    parts = chunks(landscape(11, 120, 80))
    assert [kind for kind, _ in parts] == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    header, palette, pixels = (data for _, data in parts[:3])
    assert struct.unpack(">IIBBBBB", header) == (120, 80, 8, 3, 0, 0, 0)
    rows = zlib.decompress(pixels)
    assert len(rows) == 80 * 121
    assert max(rows) < len(palette) // 3
    assert set(rows[::121]) == {0}


def test_all_photos_of_the_portal_are_different() -> None:
    numbers = [
        article.number * 10 + photo for article in articles(2) for photo, _ in enumerate(article.images, start=1)
    ]
    assert len({landscape(number, 60, 40) for number in numbers}) == len(numbers) > 25


def test_picture_is_the_same_each_time() -> None:
    drawn = landscape(21, 60, 40)
    landscape.cache_clear()
    assert landscape(21, 60, 40) == drawn


def test_icon_holds_a_png() -> None:
    data = icon()
    assert struct.unpack("<HHH", data[:6]) == (0, 1, 1)
    size, offset = struct.unpack("<II", data[14:22])
    assert size == len(data) - offset
    assert chunks(data[offset:])[-1] == (b"IEND", b"")


def test_cross_reference_table_of_a_document_points_at_its_objects() -> None:
    data = pdf("Kế hoạch 131-KH/TU.pdf", "Kế hoạch giám sát")
    assert data.startswith(b"%PDF-1.4\n")
    assert data.endswith(b"%%EOF\n")
    match = re.search(rb"startxref\n(\d+)\n", data)
    assert match
    table = data[int(match[1]) :]
    assert table.startswith(b"xref\n0 7\n")
    offsets = [int(entry) for entry in re.findall(rb"(\d{10}) 00000 n \n", table)]
    assert [data[offset:].split(b"\n")[0] for offset in offsets] == [b"%d 0 obj" % number for number in range(1, 7)]


def test_stream_length_of_a_document_is_correct() -> None:
    data = pdf("Công văn 87-CV/BDVTU.pdf", "Hướng dẫn")
    match = re.search(rb"/Length (\d+) >>\nstream\n(.*)\nendstream", data, re.DOTALL)
    assert match
    assert int(match[1]) == len(match[2])


def test_title_of_a_document_keeps_its_marks() -> None:
    match = re.search(rb"/Title <([0-9A-F]+)>", pdf("Kế hoạch 131-KH/TU.pdf", ""))
    assert match
    assert bytes.fromhex(match[1].decode()).decode("utf-16") == "Kế hoạch 131-KH/TU"


def test_documents_differ() -> None:
    assert pdf("a.pdf", "x") != pdf("b.pdf", "x")
