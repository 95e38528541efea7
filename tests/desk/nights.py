"""The sample portal as a function of a target and of the errors of one night, for `simulation`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from simulation import Answer

from danvan_crawler.sample import articles, portal
from danvan_crawler.sample._content import sections

HOME = "http://127.0.0.1:8471/"
LISTINGS = [f"/tin-tuc/{section.slug}/" for section in sections()]
PAGES = [*LISTINGS, *(f"{listing}trang-2/" for listing in LISTINGS), *(f"{listing}trang-3/" for listing in LISTINGS)]
STORIES = [article.path for article in articles(1)]
PICTURES = [image.path for article in articles(1) for image in article.images]


def message(body: bytes, status: str = "200 OK", media_type: str = "text/html; charset=utf-8", **fields: str) -> bytes:
    """A response message."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {media_type}", *(f"{one}: {value}" for one, value in fields.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


TROUBLES: dict[str, Callable[[], Answer]] = {
    "404": lambda: message(b"<p>404</p>", "404 Not Found"),
    "410": lambda: message(b"", "410 Gone"),
    "403": lambda: message(b"<p>No</p>", "403 Forbidden"),
    "500": lambda: message(b"<p>Error</p>", "500 Internal Server Error"),
    "blank": lambda: message(b"<html><body></body></html>"),
    "soft 404": lambda: message("<h1>Không tìm thấy trang</h1>".encode() + b"<p>a b c</p>" * 60),
    "home": lambda: message(b"", "302 Found", Location="/"),
    "home with a cookie": lambda: message(b"", "302 Found", **{"Location": "/", "Set-Cookie": "phien=7; path=/"}),
    "gate": lambda: message(b"", "302 Found", **{"Location": "#", "Set-Cookie": "cua=1; path=/"}),  # to itself
    "circle": lambda: message(b"", "302 Found", Location="/vong-tron"),
    "elsewhere": lambda: message(b"", "302 Found", Location="http://khac.example.vn/"),
    "login": lambda: message(b"", "302 Found", Location="/dang-nhap"),
    "one story": lambda: message(b"", "301 Moved Permanently", Location=STORIES[3]),
    "one picture": lambda: message(b"", "302 Found", Location=PICTURES[0]),
    "maintenance": lambda: message("<h1>Hệ thống đang bảo trì</h1><p>Vui lòng quay lại sau</p>".encode()),
    "no text": lambda: message(b"\x00\x01\x02", media_type="application/octet-stream"),
    "nowhere": lambda: message(b"", "302 Found", Location="http://["),
    "silence": lambda: None,
}
"""Answers of a portal instead of a page, by name."""
_PAGES_OF_TROUBLE = {
    "/vong-tron": lambda: message(b"", "302 Found", Location="/vong-tron"),
    "/dang-nhap": lambda: message("<title>Đăng nhập</title><form><input type=password></form>".encode()),
}


class Troubled:
    """The sample portal in one night. `troubles` maps targets to an error and how often it is answered."""

    def __init__(self, edition: int = 1, troubles: Mapping[str, tuple[str, int]] | None = None) -> None:
        self.edition, self.troubles = edition, troubles or {}

    def __call__(self, target: str, time: int) -> Answer:
        kind, times = self.troubles.get(target, ("", 0))
        if time <= times:
            return TROUBLES[kind]()
        if target in _PAGES_OF_TROUBLE:
            return _PAGES_OF_TROUBLE[target]()
        parts = urlsplit(target)
        page = portal.render(parts.path, parts.query, edition=self.edition, base_url=HOME)
        reasons = {200: "200 OK", 301: "301 Moved Permanently", 404: "404 Not Found"}
        return message(page.body, reasons[page.status], page.media_type, **dict(page.headers))
