"""Files that pages need beside their text are archived once, and none of them becomes an article."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from danvan_crawler.sample import articles

SECTION = "/tin-tuc/dan-van-kheo/"
ILLUSTRATED = next(article for article in articles(1) if article.section.path == SECTION and article.images)
STORY = next(article for article in articles(1) if article.section.path == SECTION)
OTHER = next(article for article in articles(1) if article.section.path != SECTION)
SKIN = (
    *("/da/chinh.css", "/da/phu/chu.css", "/da/chu.woff2", "/da/nen.png", "/da/ma.js", "/favicon.ico"),
    *("/da/anh-1x.png", "/da/anh-2x.png", "/da/luoi.png", "/da/khung.html", "/da/trong-khung.png"),
)
"""Paths on the portal's own host."""
STATIC = ("/da/chinh.css", "/da/nen-khac.png")
"""Paths on its static host; one of them is a path of the portal's host, too."""


def dress(portal: Any, answer: Callable[..., bytes]) -> None:
    """Adds a design to the pages of a section, part of it on `localhost`, the same server under another name."""
    elsewhere = f"http://localhost:{portal.port}"
    head = f"""<link rel="stylesheet" href="/da/chinh.css"><link rel="stylesheet" href="{elsewhere}/da/chinh.css">
<link rel="stylesheet" href="http://khac.example.vn/da/chinh.css"><script src="/da/ma.js"></script></head>"""
    body = """<img src="/da/anh-1x.png" srcset="/da/anh-2x.png 2x"><img src="data:," data-src="/da/luoi.png">
<iframe src="/da/khung.html"></iframe></body>"""
    for target in (SECTION, STORY.path):
        html = portal.html(target).replace('<link rel="stylesheet" href="/giao-dien/style.css">', "")
        html = html.replace('<link rel="icon" href="/favicon.ico">', "")
        portal.pages[target] = answer(html.replace("</head>", head).replace("</body>", body))
    css = {
        "media_type": "text/css",
        "headers": {"Cache-Control": "max-age=60"},
    }
    sheets = {
        b"Host: 127": answer('@import "phu/chu.css"; body { background: url(nen.png) }', **css),
        b"Host: loc": answer("body { background: url('nen-khac.png') }", **css),
    }
    portal.pages["/da/chinh.css"] = lambda request: next(sheets[host] for host in sheets if host in request)
    portal.pages["/da/phu/chu.css"] = answer("@font-face { src: url(../chu.woff2) }", **css)
    frame = portal.html(OTHER.path).replace("</body>", '<img src="/da/trong-khung.png"></body>')
    portal.pages["/da/khung.html"] = answer(frame)
    for name in ("chu.woff2", "nen.png", "nen-khac.png", "ma.js", "anh-1x.png", "anh-2x.png", "luoi.png"):
        portal.pages[f"/da/{name}"] = answer(name.encode() * 100, media_type="application/octet-stream")
    portal.pages["/da/trong-khung.png"] = answer(b"trong khung", media_type="image/png")


def asked(portal: Any) -> list[tuple[str, str]]:
    """Host and target of the portal's requests."""
    found = []
    for exchange in portal.exchanges:
        head = exchange.request.decode("latin-1")
        host = next(line for line in head.split("\r\n") if line.lower().startswith("host: "))
        found.append((host[6:].partition(":")[0], exchange.target))
    return found


def wanted() -> list[tuple[str, str]]:
    return [*(("127.0.0.1", path) for path in SKIN), *(("localhost", path) for path in STATIC)]


def statistics(desk: Any) -> dict[str, Any]:
    """Statistics of the last run."""
    report = max(desk.archive.glob("runs/*.json"))
    found: dict[str, Any] = json.loads(report.read_text("utf-8"))["stats"]
    return found


@pytest.fixture
def dressed(new_portal: Callable[..., Any], answer: Callable[..., bytes]) -> Any:
    portal = new_portal()
    dress(portal, answer)
    return portal


@pytest.fixture
def desk(dressed: Any, new_desk: Callable[..., Any]) -> Any:
    return new_desk(dressed, only="dan-van-kheo", static_hosts='["localhost"]')


def test_all_requisites_of_pages_are_archived_once_over_two_runs(dressed: Any, desk: Any) -> None:
    desk.crawl()
    first = asked(dressed)
    dressed.edition = 2
    dressed.forget()
    desk.crawl()
    both = [*first, *asked(dressed)]
    assert [both.count(one) for one in wanted()] == [1] * len(wanted())
    assert {one for one in asked(dressed) if one in wanted()} == set()


def test_hosts_that_the_profile_does_not_list_are_not_requested(dressed: Any, desk: Any, new_desk: Any) -> None:
    desk.crawl()
    assert desk.rows("select url from captures where url like '%khac.example.vn%'") == []
    alone = new_desk(dressed, only="dan-van-kheo")
    dressed.forget()
    alone.crawl()
    assert {host for host, _ in asked(dressed)} == {"127.0.0.1"}


def test_no_requisite_becomes_an_article(desk: Any) -> None:
    desk.crawl()
    assert OTHER.title not in {item["title"] for item in desk.export()}
    assert desk.rows("select section, state from frontier where link_key = '/da/khung.html'") == [("", "archived")]


def test_a_rebuild_gives_the_same_requisites(desk: Any) -> None:
    desk.crawl()
    kept = {key for (key,) in desk.rows("select link_key from frontier where section = '' and state = 'archived'")}
    assert {*SKIN, *(f"//localhost{path}" for path in STATIC)} <= kept
    desk.check_rebuild()


def test_requisites_beyond_the_budget_are_pending_until_a_later_run(dressed: Any, desk: Any) -> None:
    desk.profile(dressed, only="dan-van-kheo", static_hosts='["localhost"]', requisites_budget="1500")
    desk.crawl()
    after_one = {one for one in asked(dressed) if one in wanted()}
    stats = statistics(desk)
    assert 0 < len(after_one) < len(wanted())
    assert stats["danvan/requisite_bytes"] >= 1500
    assert stats["danvan/requisites_left"] > 0
    assert desk.rows("select count(*) from frontier where section = '' and state = 'pending'") > [(0,)]
    desk.check_rebuild()
    desk.profile(dressed, only="dan-van-kheo", static_hosts='["localhost"]')
    desk.crawl()
    both = asked(dressed)
    assert [both.count(one) for one in wanted()] == [1] * len(wanted())
    assert "danvan/requisites_left" not in statistics(desk)
    assert desk.rows("select count(*) from frontier where state = 'pending'") == [(0,)]


def test_with_a_budget_of_zero_only_articles_are_archived(dressed: Any, desk: Any) -> None:
    desk.profile(dressed, only="dan-van-kheo", static_hosts='["localhost"]', requisites_budget="0")
    desk.crawl()
    assert STORY.title in {item["title"] for item in desk.export()}
    assert {target for _, target in asked(dressed)} & {*SKIN, *STATIC} == set()


@pytest.mark.parametrize("framing", ["length", "close"])
def test_a_video_beyond_the_limit_is_marked_as_truncated_and_not_requested_again(
    dressed: Any, desk: Any, answer: Callable[..., bytes], framing: str
) -> None:
    film = answer(b"x" * 300_000, media_type="video/mp4")
    if framing == "close":
        film = film.replace(b"Content-Length: 300000", b"Transfer-Encoding: chunked").replace(b"x" * 300_000, b"")
        film += (b"2710\r\n" + b"x" * 10_000 + b"\r\n") * 30 + b"0\r\n\r\n"
    dressed.pages["/phim.mp4"] = film
    dressed.pages["/ngan.mp4"] = answer(b"x" * 100, media_type="video/mp4")
    html = dressed.html(STORY.path).replace("</body>", '<video src="/phim.mp4"></video><audio src="/ngan.mp4"></body>')
    dressed.pages[STORY.path] = answer(html)
    desk.environment["DANVAN_MAX_MEDIA"] = "50000"
    desk.crawl()
    assert desk.rows("select truncated from captures where url like '%/phim.mp4'") == [("length",)]
    assert desk.rows("select truncated from captures where url like '%/ngan.mp4'") == [(None,)]
    dressed.forget()
    desk.crawl()
    assert "/phim.mp4" not in dressed.targets
    desk.check_rebuild()


def test_a_section_that_is_also_a_frame_is_still_read_as_a_listing(
    dressed: Any, desk: Any, answer: Callable[..., bytes]
) -> None:
    front = f'<iframe src="{SECTION}"></iframe><iframe src="/"></iframe><img src=""></body>'
    dressed.pages[SECTION] = answer(dressed.html(SECTION).replace("</body>", front))
    desk.crawl()
    dressed.forget()
    desk.crawl()
    assert dressed.targets.count(SECTION) == 1
    assert len(desk.export()) > 10


@pytest.mark.parametrize("target", ["/", SECTION])
def test_a_picture_that_redirects_to_the_front_page_or_a_section_is_missing(
    dressed: Any, desk: Any, answer: Callable[..., bytes], target: str
) -> None:
    picture = ILLUSTRATED.images[0]
    dressed.pages[picture.path] = answer(status="302 Found", headers={"Location": target})
    desk.crawl()
    [item] = [item for item in desk.export() if item["url"].endswith(ILLUSTRATED.path)]
    [image] = [image for image in item["images"] if image["url"].endswith(picture.path)]
    assert (image["capture"], image["media_type"]) == (None, None)
    assert [text for text in item["warnings"] if picture.path in text]
    assert desk.rows(f"select state from frontier where link_key = '{picture.path}'") == [("rejected",)]
    desk.check_rebuild()


def test_a_picture_answered_with_a_page_is_missing(dressed: Any, desk: Any, answer: Callable[..., bytes]) -> None:
    picture = ILLUSTRATED.images[0]
    dressed.pages[picture.path] = answer("<html><body>Không tìm thấy ảnh</body></html>")
    desk.crawl()
    [item] = [item for item in desk.export() if item["url"].endswith(ILLUSTRATED.path)]
    [image] = [image for image in item["images"] if image["url"].endswith(picture.path)]
    assert (image["capture"], image["media_type"]) == (None, None)
    assert [text for text in item["warnings"] if picture.path in text]


def test_a_crawl_of_endless_frames_ends(dressed: Any, desk: Any, answer: Callable[..., bytes]) -> None:
    for day in range(12):
        dressed.pages[f"/lich/{day}"] = answer(f'<iframe src="/lich/{day + 1}"></iframe>')
    dressed.pages["/da/khung.html"] = dressed.pages["/lich/0"]
    desk.crawl()
    assert {target for target in dressed.targets if target.startswith("/lich/")} == {"/lich/1", "/lich/2", "/lich/3"}
    desk.check_rebuild()
