"""A site of the fleet as a server on loopback, with a log of who asked for what and when.

Everything that a test later holds against the crawler's manners is read from this log: what was asked for, under which
address of the site, at what moment, and how it was answered.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from lives import Life
from stories import Story, calendar

FORBIDDEN = "/noi-bo/"
SHORT_WAIT, LONG_WAIT = 1, 40 * 3600
"""Seconds of Retry-After: what a run sits out, and what lasts beyond the next night."""
SLOW = 0.3
_NOTICE = "<html><body><h1>Hệ thống đang bảo trì, mời quý vị quay lại sau</h1></body></html>"
_LOGIN = '<html><title>Đăng nhập</title><form><input name="u"><input type="password" name="p">Đăng nhập</form></html>'
_BETTING = "<html><title>Nhà cái số 1</title><body><p>casino tài xỉu nổ hũ</p></body></html>"
_NOT_THERE = "<html><title>Thông báo</title><body><h2>Bài viết không tồn tại hoặc đã bị xóa</h2></body></html>"
_PIXEL = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000049454e44ae426082")
_SESSION = re.compile(r";jsessionid=[^/?#]*")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, as the server saw it."""

    night: int
    at: float
    target: str
    """Without session id."""
    kind: str
    """`robots`, `listing`, `story`, `file` (pictures, styles, icons), `feed`, `front`, `forbidden` or `other`."""
    status: int
    troubled: bool
    """It was answered by a trouble of the site."""


@dataclass(slots=True)
class Reply:
    status: int = 200
    body: str | bytes = ""
    media_type: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


def redirect(target: str, status: int = 302) -> Reply:
    return Reply(status, headers={"Location": target})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle of an answer is none of our business."""


class LivePortal:
    """Serves a life. `night` is the one that it is; `morning` lets go of whom it keeps hanging."""

    def __init__(self, life: Life, tls: ssl.SSLContext | None = None) -> None:
        self.life = life
        self.night = 0
        self.log: list[Asked] = []
        self.morning = threading.Event()
        self._visitors = itertools.count()
        self._stories = {life.path(story): story for story in life.stories}
        self._waited: set[int] = set()
        self._servers = [self._serve(tls)]
        self.port = self._servers[0].server_port
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.new_url = ""
        if life.adapted is not None:
            self._servers.append(self._serve(None))
            self.new_url = f"http://localhost:{self._servers[1].server_port}"

    def _serve(self, tls: ssl.SSLContext | None) -> _Server:
        portal = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                portal.handle(self)

            def log_message(self, *_arguments: Any) -> None:
                pass

        server = _Server(("127.0.0.1", 0), Handler)
        server.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return server

    def profiles(self, night: int) -> dict[str, str]:
        """The profiles that the operator has on this night, by slug."""
        life = self.life
        here = life.adapted is not None and night >= life.adapted
        url = self.new_url if here else self.url
        found = {}
        for slug in life.slugs:
            sections = [name for number, name in enumerate(life.sections) if life.slug_of(number) == slug]
            tables = "".join(
                f'[[sections]]\nname = "Mục {name}"\nurl = "{url}{life.platform.section_path(name)}"\n'
                for name in sections
            )
            found[slug] = (
                f'slug = "{slug}"\nname = "Ban Dân vận {life.name}"\nfamily = "{life.platform.name}"\nhome = "{url}/"\n'
                f'province = "VN-21"\nbody = "ban-dan-van"\nprivate_network = true\ndelay = {life.delay:g}\n'
                + ('aliases = ["127.0.0.1"]\n' if here else "")
                + tables
            )
        return found

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        """Answers one request and writes it down."""
        at, night = time.monotonic(), self.night
        target = _SESSION.sub("", handler.path)
        trouble = self.life.trouble(night)
        kind = self._kind(urlsplit(target).path)
        reply = None
        if trouble is not None:
            asked_here = handler.server is self._servers[0]
            reply = self._in_trouble(trouble.kind, kind, target, asked_here=asked_here)
        troubled = reply is not None or (trouble is not None and (trouble.kind, kind) == ("new-articles", "story"))
        if trouble is not None and trouble.kind in ("dead", "hang"):
            self.log.append(Asked(night, at, target, kind, 0, True))
            if trouble.kind == "hang":
                self.morning.wait(300)
            handler.close_connection = True
            return
        reply = reply or self._answer(kind, target)
        self._send(handler, reply, at, Asked(night, at, target, kind, reply.status, troubled))

    def _send(self, handler: BaseHTTPRequestHandler, reply: Reply, at: float, asked: Asked) -> None:
        body = reply.body.encode() if isinstance(reply.body, str) else reply.body
        headers = {"Content-Type": reply.media_type, **reply.headers}
        if (
            self.life.platform.name == "nukeviet" and reply.status == 200
        ):  # no counters there, so pages have a validator
            tag = f'"{hashlib.sha1(body, usedforsecurity=False).hexdigest()}"'
            headers["ETag"] = tag
            if handler.headers.get("If-None-Match") == tag:
                reply, body = Reply(304), b""
                asked = Asked(asked.night, at, asked.target, asked.kind, 304, asked.troubled)
        self.log.append(asked)
        lines = [f"HTTP/1.1 {reply.status} X", *(f"{name}: {value}" for name, value in headers.items())]
        if reply.status != 304:
            lines.append(f"Content-Length: {len(body)}")
        # In one piece: a head and a body in two packets cost the client 40 ms of delayed acknowledgement.
        handler.wfile.write("\r\n".join([*lines, "", ""]).encode() + body)

    def _kind(self, path: str) -> str:
        if path == "/robots.txt":
            return "robots"
        if path == "/":
            return "front"
        if path.startswith(FORBIDDEN):
            return "forbidden"
        if path in self._stories:
            return "story"
        if path.startswith(("/anh/", "/skin/", "/favicon")):
            return "file"
        if "sitemap" in path or path.startswith("/rss"):
            return "feed"
        section = self._section(path)
        return "listing" if section is not None else "other"

    def _section(self, path: str) -> tuple[int, int] | None:
        """Number of a section and of its page; None for any other path."""
        for number, name in enumerate(self.life.sections):
            start = self.life.platform.section_path(name)
            match = re.fullmatch(rf"{re.escape(start)}(?:(?:trang|page)-(\d+)/)?", path)
            if match:
                return number, int(match[1] or 1)
        return None

    def _in_trouble(self, trouble: str, kind: str, target: str, *, asked_here: bool) -> Reply | None:
        """What a troubled site answers; None for what it answers as ever."""
        if trouble == "robots" and kind == "robots":
            return Reply(body="User-agent: *\nDisallow: /\n", media_type="text/plain")
        if trouble == "moved" and asked_here:
            return redirect(self.new_url + target, 301)
        if trouble == "slow":
            time.sleep(SLOW)
        if kind == "robots":
            return None
        if trouble == "short-wait" and kind == "story" and self.night not in self._waited:
            self._waited.add(self.night)
            return Reply(503, headers={"Retry-After": str(SHORT_WAIT)})
        if trouble == "login":
            return Reply(body=_LOGIN) if target == "/dang-nhap.html" else redirect("/dang-nhap.html")
        if trouble == "notices":
            return Reply(body=_NOTICE) if kind == "story" else None
        if trouble == "new-listings" and kind == "listing":
            return Reply(body=self.life.platform.page("<div id='ung-dung'></div>", next(self._visitors)))
        answers = {
            "maintenance": Reply(body=_NOTICE),
            "maintenance-503": Reply(503, _NOTICE),
            "hijacked": Reply(body=_BETTING),
            "429": Reply(429),
            "leave-alone": Reply(503, headers={"Retry-After": str(LONG_WAIT)}),
            "server-error": Reply(500, "<p>Lỗi</p>"),
        }
        return answers.get(trouble)

    def _answer(self, kind: str, target: str) -> Reply:
        path = urlsplit(target).path
        if kind == "robots":
            return Reply(body=f"User-agent: *\nDisallow: {FORBIDDEN}\n", media_type="text/plain")
        if kind == "listing":
            return self._listing(path)
        if kind == "story":
            return self._story(self._stories[path])
        if kind == "front":
            return Reply(body=self.life.platform.page("<p>Trang nhất của cổng</p>", next(self._visitors)))
        if kind == "file" and "favicon" not in path:
            # A picture of its own for each article, as cameras make them.
            picture = path.startswith("/anh/")
            return Reply(
                body=_PIXEL + path.encode() if picture else "p { margin: 0 }",
                media_type="image/png" if picture else "text/css",
            )
        if kind == "feed" and self.life.mapped:
            return Reply(body=self._sitemap(path), media_type="text/xml")
        if path.startswith("/lich/"):
            month = int(path.split("/")[2])
            return Reply(body=self.life.platform.page(calendar(month), next(self._visitors)))
        return Reply(404, _NOT_THERE)

    def _sitemap(self, path: str) -> str:
        """The sitemap index, or the part that names the articles, newest first."""
        if path == "/sitemap.xml":
            root, each, named = "sitemapindex", "sitemap", ["/sitemap-vi.news.xml"]
        else:
            there = sorted(
                (one for one in self.life.stories if one.exists(self.night)),
                key=lambda one: one.published,
                reverse=True,
            )
            root, each, named = "urlset", "url", [self.life.path(one) for one in there]
        entries = "".join(f"<{each}><loc>{self.url}{target}</loc></{each}>" for target in named)
        return f'<?xml version="1.0"?><{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</{root}>'

    def _story(self, story: Story) -> Reply:
        night, platform = self.night, self.life.platform
        trouble = self.life.trouble(night)
        if story.exists(night):
            section, visitor = self.life.sections[story.section], next(self._visitors)
            changed = trouble is not None and trouble.kind == "new-articles"
            return Reply(body=platform.story(section, story, night, visitor, redesigned=changed))
        if night < story.day or story.how == "404":
            return Reply(404, _NOT_THERE)
        if story.how == "410":
            return Reply(410, "<p>Lỗi</p>")
        return Reply(body=_NOT_THERE) if story.how == "soft" else redirect("/")

    def _listing(self, path: str) -> Reply:
        found = self._section(path)
        assert found is not None
        (number, page), night, life = found, self.night, self.life
        shown = [one for one in life.stories if one.section == number and one.exists(night)]
        shown.sort(key=lambda one: (one.published, one.number), reverse=True)
        pages = max(1, -(-len(shown) // life.a_page))
        if page > pages and not life.endless:
            return Reply(404, _NOT_THERE)
        here = min(page, pages)
        visitor = next(self._visitors)
        session = f";jsessionid={visitor:08X}" if life.sessions else ""
        rows = [(life.path(one) + session, one) for one in shown[(here - 1) * life.a_page : here * life.a_page]]
        if life.tempts and page == 1:
            old = shown[-1]
            rows.append((f"{FORBIDDEN}bai-viet-mat-{night // 3}.html", old))
        name = life.sections[number]
        following = life.platform.page_path(name, page + 1) if page < pages or life.endless else None
        return Reply(body=life.platform.listing(rows, following, night, visitor))

    def close(self) -> None:
        self.morning.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()
