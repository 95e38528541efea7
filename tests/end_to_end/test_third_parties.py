"""Which hosts a crawl contacts: those of the site and those that its pages or its profile name, and nobody else."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

New = Callable[..., Any]


class Stranger:
    """A server on loopback that counts who comes, and closes the door."""

    def __init__(self) -> None:
        self.visits = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                self._listener.accept()[0].close()
                self.visits += 1

    def stop(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    made = Stranger()
    yield made
    made.stop()


def report_of(archive: Path) -> dict[str, Any]:
    (path,) = (archive / "runs").glob("*.json")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_the_first_cookie_asks_nobody_for_the_list_of_public_suffixes(
    new_portal: New, new_desk: New, stranger: Stranger, tmp_path: Path
) -> None:
    portal = new_portal()  # each of its pages sets a cookie
    desk = new_desk(portal, only="dan-van-kheo")
    # A HTTP library that is not Scrapy's would use these proxies. The empty HOME has no list from an earlier run.
    desk.environment |= dict.fromkeys(("http_proxy", "https_proxy", "ALL_PROXY"), stranger.url)
    desk.environment["PYTHONHASHSEED"] = "0"  # a new process: a fork knows the folder of the cache already
    desk.environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "DANVAN_LOG_LEVEL": "DEBUG"}
    log = desk.crawl().stderr
    assert any(b"Cookie: phien=7" in exchange.request for exchange in portal.exchanges)
    assert stranger.visits == 0
    assert "publicsuffix" not in log
    assert not (tmp_path / "cache").exists()


def test_a_foreign_host_that_the_profile_names_keeps_robots_and_delay_and_stands_in_the_report(
    new_portal: New, new_desk: New, answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    story, picture, secret = "/tin-tuc/dan-van-kheo/", "/anh/ngoai.jpg", "/rieng/anh.jpg"
    images = "".join(f'<img src="http://localhost:{portal.port}{path}">' for path in (picture, secret))
    portal.pages[story] = answer(portal.html(story).replace("</body>", f"{images}</body>"))
    portal.pages[picture] = answer(b"\xff\xd8\xff", media_type="image/jpeg")
    rules = answer("User-agent: *\nDisallow: /rieng/\nCrawl-delay: 0.4\n", media_type="text/plain")
    portal.pages["/robots.txt"] = lambda request: rules if b"Host: localhost" in request else answer("")
    desk = new_desk(portal, only="dan-van-kheo", static_hosts='["localhost"]')
    desk.crawl("--max-pages", "3")
    asked = [one.target for one in portal.exchanges if b"Host: localhost" in one.request]
    assert asked == ["/robots.txt", picture]
    assert report_of(desk.archive)["foreign_hosts"] == {f"localhost:{portal.port}": 2}
    (first, second) = [
        one.fields["WARC-Date"] for one in desk.records() if one.type == "request" and "//localhost:" in one.url
    ]
    assert datetime.fromisoformat(second) - datetime.fromisoformat(first) >= timedelta(seconds=0.39)


def test_a_host_that_only_a_page_names_is_not_contacted(
    new_portal: New, new_desk: New, answer: Callable[..., bytes], stranger: Stranger
) -> None:
    portal = new_portal()
    desk = new_desk(portal, only="dan-van-kheo")
    story = "/tin-tuc/dan-van-kheo/"
    page = portal.html(story)
    for tag in ('<script src="{}a.js"></script>', '<img src="{}a.png">', '<link rel="stylesheet" href="{}a.css">'):
        page = page.replace("</body>", f"{tag.format(stranger.url)}</body>")
    portal.pages[story] = answer(page)
    desk.crawl("--max-pages", "2")
    assert stranger.visits == 0
    assert report_of(desk.archive)["foreign_hosts"] == {}


def test_robots_txt_is_not_asked_from_a_host_that_it_redirects_to(
    new_portal: New, new_desk: New, answer: Callable[..., bytes], stranger: Stranger
) -> None:
    portal = new_portal()
    portal.pages["/robots.txt"] = answer(status="302 Found", headers={"Location": f"{stranger.url}robots.txt"})
    new_desk(portal, only="dan-van-kheo").crawl("--max-pages", "2", code=3)
    assert stranger.visits == 0
