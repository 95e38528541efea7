"""The sample portal's files, drawn in code: pictures (PNG), an icon (ICO) and documents (PDF).

The same number always gives the same bytes, so a second crawl finds them unchanged, and the repository needs no binary
files. Sources: PNG specification, third edition; ISO 32000-1, section 7.5, for the file structure of PDF.
"""

from __future__ import annotations

import colorsys
import math
import struct
import unicodedata
import zlib
from functools import lru_cache

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SKY_SHADES = 64
_SUN, _HILLS = _SKY_SHADES, (_SKY_SHADES + 1, _SKY_SHADES + 2, _SKY_SHADES + 3)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, palette: bytes, rows: list[bytes]) -> bytes:
    """A PNG of 8-bit palette indices: `palette` is RGB triples, `rows` hold `width` indices each, top row first."""
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    # Each row begins with its filter type: 0, none.
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), 6)
    return _PNG_SIGNATURE + b"".join(
        (_chunk(b"IHDR", header), _chunk(b"PLTE", palette), _chunk(b"IDAT", pixels), _chunk(b"IEND", b""))
    )


def _colour(hue: float, lightness: float, saturation: float) -> bytes:
    return bytes(round(255 * part) for part in colorsys.hls_to_rgb(hue % 1.0, lightness, saturation))


def _palette(number: int) -> bytes:
    hue = number * 0.381966  # steps of the golden section: neighbours get different hues
    sky = (_colour(0.56 + 0.1 * math.sin(number), 0.62 + 0.3 * step / _SKY_SHADES, 0.6) for step in range(_SKY_SHADES))
    hills = (_colour(0.28 + 0.12 * math.sin(hue * 7), light, 0.35) for light in (0.5, 0.38, 0.26))
    return b"".join((*sky, _colour(0.05 + 0.1 * (hue % 1.0), 0.7, 0.9), *hills))


@lru_cache(maxsize=256)
def landscape(number: int, width: int = 480, height: int = 300) -> bytes:
    """A PNG of hills under a sun, different for every number."""
    sky = bytes(y * _SKY_SHADES // height for y in range(height))
    sun_x, sun_y = width * (0.2 + 0.6 * (number * 0.618 % 1.0)), height * 0.3
    radius = height * 0.11
    columns = bytearray()
    for x in range(width):
        column = bytearray(sky)
        if abs(x - sun_x) < radius:
            half = int(math.sqrt(radius**2 - (x - sun_x) ** 2))
            top = int(sun_y) - half
            column[top : top + 2 * half] = bytes((_SUN,)) * (2 * half)
        for layer, shade in enumerate(_HILLS):
            phase = number * (1.3 + layer)
            wave = math.sin(x / width * (5 + 3 * layer) + phase) + 0.4 * math.sin(x / width * (17 + 5 * layer) - phase)
            top = int(height * (0.52 + 0.15 * layer - 0.07 * wave))
            column[top:] = bytes((shade,)) * (height - top)
        columns += column
    # Drawn by columns; row y is every height-th byte from y on.
    return png(width, height, _palette(number), [bytes(columns[y::height]) for y in range(height)])


@lru_cache(maxsize=1)
def icon() -> bytes:
    """The favicon: a yellow diamond on red, as ICO with a PNG inside."""
    size = 16
    rows = [bytes(int(abs(x - 7.5) + abs(y - 7.5) < 5) for x in range(size)) for y in range(size)]
    picture = png(size, size, bytes((0xB7, 0x1C, 0x1C, 0xFF, 0xD5, 0x4F)), rows)
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, size, size, 0, 0, 1, 32, len(picture), 22) + picture


def _without_marks(text: str) -> str:
    plain = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return plain.encode("ascii", "ignore").decode()


@lru_cache(maxsize=16)
def pdf(name: str, subject: str) -> bytes:
    """A PDF of one A4 page with the document's name and subject.

    The page shows them without marks, because the standard PDF fonts have no Vietnamese letters; the title in the
    document's properties has its marks.
    """
    lines = (name.removesuffix(".pdf"), subject, "Tài liệu mẫu của danvan-crawler, nội dung hư cấu.")
    shown = " T* ".join(f"({_without_marks(line)}) Tj" for line in lines)
    content = f"BT /F1 16 Tf 26 TL 72 740 Td {shown} ET".encode("ascii")
    title = ("\ufeff" + name.removesuffix(".pdf")).encode("utf-16-be").hex().upper()
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        f"<< /Title <{title}> /Producer (danvan-crawler sample portal) >>".encode("ascii"),
    )
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = len(out)
    count = len(objects) + 1
    # Every entry of the cross-reference table is 20 bytes, line end included.
    entries = b"0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"xref\n0 %d\n%b" % (count, entries)
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info 6 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, table)
    return bytes(out)
