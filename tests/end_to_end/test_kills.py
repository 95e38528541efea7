"""Crawls that are killed with -9 again and again at random moments, and the archive in the end.

Half of the kills come after a number of requests, half after a time from the start of a run: they also hit the
recovery of the file that the previous kill left, the start of Python and the end of a run. `make soak` sets the numbers
of a long night: SOAK_KILLS, SOAK_PAGES, SOAK_SEED. The seed decides the moments of the kills; their effect depends on
the machine.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

KILLS = int(os.environ.get("SOAK_KILLS", "5"))
PAGES = int(os.environ.get("SOAK_PAGES", "120"))
"""Articles of the long walk; a listing page has ten of them."""
SEED = int(os.environ.get("SOAK_SEED", "0")) or random.randrange(1, 1_000_000)
"""0: a random one in each run, printed by a failure."""

SECTIONS = [f"/tin-tuc/chuyen-muc-{number}/" for number in range(1, 5)]
A_PAGE = 10
AN_ARCHIVE = 5
"""Kills during the crawl of one archive of the sample portal, which is small."""
FOREVER = 1 << 30
OF_THE_CAPTURE = {"captured_at", "first_seen", "last_seen", "warc_file", "warc_offset", "warc_record_id"}
"""Fields of an item that depend on when and where it was captured."""


def articles_of(section: int) -> range:
    return range(section, PAGES, len(SECTIONS))


def path_of(article: int) -> str:
    return f"{SECTIONS[article % len(SECTIONS)]}bai-viet-cua-cong-{article}.html"


def listings() -> dict[str, str]:
    """The listing pages by target."""
    pages = [(one, page) for one in range(len(SECTIONS)) for page in range(1, -(-len(articles_of(one)) // A_PAGE) + 1)]
    return {SECTIONS[one] if page == 1 else f"{SECTIONS[one]}trang-{page}/": listing(one, page) for one, page in pages}


def listing(section: int, page: int) -> str:
    shown = articles_of(section)[(page - 1) * A_PAGE : page * A_PAGE]
    entries = "".join(f'<div><a href="{path_of(one)}">Bài viết thứ {one} của cổng</a></div>' for one in shown)
    more = articles_of(section)[page * A_PAGE :]
    following = f'<a href="{SECTIONS[section]}trang-{page + 1}/">{page + 1}</a>' if more else ""
    return f'<html><body><div class="noi-dung">{entries}</div><div class="trang">{following}</div></body></html>'


def story(article: int) -> str:
    text = f"<p>Sapô của bài viết thứ {article}.</p>" + "<p>Hội nghị đã nghe báo cáo và thảo luận.</p>" * 5
    title, stamp = f"<h1>Bài viết thứ {article} của cổng</h1>", "23/05/2017 08:30:00"
    return f"<html><body>{title}<p>Ngày {stamp}</p>{text}{title}<p>Đăng lúc: {stamp} (GMT+7)</p>{text}</body></html>"


def profile(url: str) -> str:
    sections = "".join(
        f'[[sections]]\nname = "Chuyên mục {number}"\nurl = "{url}{path[1:]}"\n'
        for number, path in enumerate(SECTIONS, start=1)
    )
    facts = f'slug = "mau-danvan"\nname = "Ban Dân vận"\nfamily = "danvan_portal"\nhome = "{url}"\nprovince = "VN-21"\n'
    return f'{facts}body = "ban-dan-van"\nprivate_network = true\ndelay = 0\nconnections = 1\n{sections}'


def whole_responses(archive: Path) -> Iterator[str]:
    """Targets of the responses in the WARC files, also of killed runs; everything before a torn end is complete."""
    for path in sorted(archive.glob("warc/**/*.warc.gz*")):
        data, position = path.read_bytes(), 0
        while position < len(data):
            member = zlib.decompressobj(31)
            content = member.decompress(data[position:])
            if not member.eof:
                assert path.name.endswith(".open"), f"{path} is torn at byte {position}"
                break
            head = content.partition(b"\r\n\r\n")[0].decode()
            fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
            if fields["WARC-Type"] in ("response", "revisit"):
                yield "/" + fields["WARC-Target-URI"].split("/", 3)[3]
            position = len(data) - len(member.unused_data)


class Killer:
    """Kills crawls of a desk, and records the contents of the archive and the requests after each kill."""

    def __init__(self, portal: Any, desk: Any, kills: int, requests: int, seconds: float, seed: int) -> None:
        print(f"SOAK_SEED={SEED}, {kills} kills")
        self.portal, self.desk = portal, desk
        self.killed = 0
        self.fetched_again: Counter[str] = Counter()
        """Targets that were archived when a run began, and were requested again."""
        self.with_all = 0
        """Runs that began when all listings were archived: these look for news, as every night."""
        self._chance = random.Random(seed)
        self._kills, self._a_run, self._seconds = kills, max(1, 2 * requests // (kills + 1)), seconds
        self._archived: set[str] = set()

    def work(self, listings: Collection[str] = ()) -> None:
        """Kills this many runs, then lets one finish. A run that finished before its kill does not count."""
        while self.killed < self._kills:
            self.with_all += self._archived.issuperset(listings)
            before = len(self.portal.arrived)
            child = self.desk.start("crawl", "mau-danvan")
            if self._chance.random() < 0.5:
                self._wait(child, requests=before + self._chance.randint(1, self._a_run))
                time.sleep(self._chance.uniform(0, 0.03))
            else:
                self._wait(child, seconds=self._chance.uniform(0, self._seconds))
            child.kill()  # has no effect on a child that has just ended
            said, _ = child.communicate()
            assert child.returncode in (0, -9), said
            self.killed += child.returncode == -9
            self._look_back(before)
        self.with_all += self._archived.issuperset(listings)
        before = len(self.portal.arrived)
        self.desk.crawl()
        self._look_back(before)

    def _wait(self, child: subprocess.Popen[str], *, requests: int = FOREVER, seconds: float = FOREVER) -> None:
        """Waits for a number of requests, a time, or the end of the child."""
        deadline = time.monotonic() + seconds
        while child.poll() is None and len(self.portal.arrived) < requests and time.monotonic() < deadline:
            time.sleep(0.001)

    def _look_back(self, before: int) -> None:
        self.fetched_again.update(target for target in self.portal.arrived[before:] if target in self._archived)
        self._archived = set(whole_responses(self.desk.archive))


@pytest.fixture(scope="module")
def sample(new_portal: Callable[..., Any], new_desk: Callable[..., Any]) -> tuple[Any, list[dict[str, Any]], int]:
    """The sample portal, and the items and number of requests of an undisturbed crawl of it."""
    portal = new_portal()
    desk = new_desk(portal)
    desk.crawl()
    requests = len(portal.arrived)
    portal.forget()
    return portal, desk.export(), requests


def said(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The content of items, without when and where they were captured."""

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return [plain(one) for one in value]
        if isinstance(value, dict):
            return {**value, "capture": bool(value["capture"])} if "capture" in value else value
        return value

    return [{name: plain(value) for name, value in item.items() if name not in OF_THE_CAPTURE} for item in items]


@pytest.mark.parametrize("number", range(-(-KILLS // AN_ARCHIVE)))
def test_crawls_that_are_killed_at_random_lose_nothing(sample: Any, new_desk: Callable[..., Any], number: int) -> None:
    portal, undisturbed, requests = sample
    desk = new_desk(portal)
    killer = Killer(portal, desk, min(KILLS, AN_ARCHIVE), requests, seconds=3.0, seed=SEED + number)
    killer.work()
    items = desk.export()
    assert said(items) == said(undisturbed)
    assert desk.warc_files("*.open") == []
    desk.records()  # every file can be read to its last byte
    desk.danvan("verify")
    desk.check_rebuild()
    assert desk.export() == items
    print(f"{killer.killed} kills; asked for again though archived: {dict(killer.fetched_again)}")
    assert [target for target in killer.fetched_again if target.endswith((".html", ".png"))] == []


def test_a_long_walk_that_is_killed_repeatedly_requests_at_most_one_page_more_per_kill(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any], answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    for target, page in listings().items():
        portal.pages[target] = answer(page)
    for article in range(PAGES):
        portal.pages[path_of(article)] = answer(story(article))
    portal.pages["/robots.txt"] = portal.pages["/favicon.ico"] = answer("", media_type="text/plain")
    desk = new_desk()
    (desk.sites / "mau-danvan.toml").write_text(profile(portal.url), encoding="utf-8")
    killer = Killer(portal, desk, KILLS, len(portal.pages), seconds=2.0, seed=SEED)
    killer.work(listings())
    assert len(desk.export()) == PAGES
    desk.danvan("verify")
    asked = Counter(target for target in portal.arrived if target != "/robots.txt")
    assert set(asked) == portal.pages.keys() - {"/robots.txt"}
    extra = {target: count - 1 for target, count in asked.items() if count > 1}
    print(f"{killer.killed} kills, {sum(extra.values())} requests more than pages: {extra}")
    # A run that finds all sections read to their end checks each for news.
    assert sum(extra.values()) <= killer.killed + killer.with_all * len(SECTIONS)
    assert sum(count for target, count in extra.items() if target not in SECTIONS) <= killer.killed
