"""Problems of a site, found by crawls of real servers: the kind, the remedy, and no false alarm."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

MODEL = "/tin-tuc/dan-van-kheo/"
GRASSROOTS = "/tin-tuc/dan-van-co-so/"
NIGHT = "2026-11-{:02}T01:30:00+07:00"
LOGIN = '<title>Đăng nhập</title><form><input name="u"><input type="password" name="p">Đăng nhập</form>'
CHALLENGE = "<title>Just a moment...</title><script src='/cdn-cgi/challenge-platform/h/b/x.js'></script>"
MAINTENANCE = "<h1>Hệ thống đang bảo trì, mời quý vị quay lại sau</h1>"

New = Callable[..., Any]


def report(desk: Any) -> dict[str, Any]:
    """The newest run report."""
    newest = max(desk.archive.glob("runs/*.json"), key=lambda path: path.stat().st_mtime_ns)
    found: dict[str, Any] = json.loads(newest.read_text("utf-8"))
    return found


def kinds(desk: Any) -> list[str]:
    return [problem["kind"] for problem in report(desk)["problems"]]


def trouble(new_portal: New, new_desk: New, pages: dict[str, Any], code: int) -> Any:
    """The desk after the first crawl of a portal that answers with these pages."""
    portal = new_portal()
    portal.pages.update(pages)
    desk = new_desk(portal, only="dan-van-kheo")
    said = desk.crawl(code=code).stderr
    (problem,) = report(desk)["problems"]
    assert problem["text"] in said
    assert problem["remedy"] in said
    return desk


def test_a_listing_without_articles(new_portal: New, new_desk: New, answer: Callable[..., bytes]) -> None:
    pages = {MODEL: answer("<html><body><p>Chuyên mục mới</p></body></html>")}
    assert kinds(trouble(new_portal, new_desk, pages, 4)) == ["found_nothing"]


def test_a_run_that_is_cut_short_after_an_empty_section_gives_no_alarm(
    new_portal: New, new_desk: New, answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    portal.pages[MODEL] = answer("<html><body><p>Chuyên mục mới</p></body></html>")
    desk = new_desk(portal, only="dan-van-")
    desk.crawl("--max-pages", "1")
    assert kinds(desk) == []


def test_a_robots_txt_that_forbids_the_whole_site_now(
    new_portal: New, new_desk: New, answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    desk = new_desk(portal, only="dan-van-kheo")
    desk.crawl()
    portal.pages["/robots.txt"] = answer("User-agent: *\nDisallow: /\n", media_type="text/plain")
    portal.forget()
    desk.crawl(code=3)
    assert kinds(desk) == ["robots"]
    assert portal.targets == ["/robots.txt"]


def test_a_link_into_a_folder_that_robots_txt_forbids_is_no_problem(
    new_portal: New, new_desk: New, answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    desk = new_desk(portal, only="dan-van-kheo")
    desk.crawl()
    portal.pages["/robots.txt"] = answer("User-agent: *\nDisallow: /noi-bo/\n", media_type="text/plain")
    portal.also_link(MODEL, "/noi-bo/bai-viet-7.html")
    desk.crawl()
    assert kinds(desk) == []
    assert "/noi-bo/bai-viet-7.html" not in portal.targets


def test_a_robots_txt_that_forbids_all_articles(new_portal: New, new_desk: New, answer: Callable[..., bytes]) -> None:
    pages = {"/robots.txt": answer(f"User-agent: *\nDisallow: {MODEL}*.html\n", media_type="text/plain")}
    assert kinds(trouble(new_portal, new_desk, pages, 3)) == ["robots"]


def test_a_robots_txt_that_forbids_the_articles_of_one_section(
    new_portal: New, new_desk: New, answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    portal.pages["/robots.txt"] = answer(f"User-agent: *\nDisallow: {MODEL}*.html\n", media_type="text/plain")
    portal.also_link(MODEL, *(f"{MODEL}bai-viet-so-{number}.html" for number in range(900, 912)))
    desk = new_desk(portal, only="dan-van-")
    desk.crawl(code=4)
    [problem] = report(desk)["problems"]
    assert (problem["kind"], problem["exit_code"]) == ("robots", 4)
    assert problem["text"].endswith("of the articles that listings link: Dân vận khéo")
    desk.crawl(code=4)  # they are pending in the crawl state, and no listing names them again
    assert [problem] == report(desk)["problems"]
    assert report(desk)["stats"].get("danvan/articles_forbidden") is None
    portal.pages["/robots.txt"] = answer("User-agent: *\nDisallow:\n", media_type="text/plain")
    desk.crawl()
    assert "robots" not in kinds(desk)


def test_a_robots_txt_that_forbids_the_later_pages_of_listings(
    new_portal: New, new_desk: New, answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    rules = f"User-agent: *\nDisallow: {MODEL}trang-\nDisallow: /*?\n"
    portal.pages["/robots.txt"] = answer(rules, media_type="text/plain")
    desk = new_desk(portal, only="dan-van-kheo")
    desk.crawl()
    [problem] = report(desk)["problems"]
    assert (problem["kind"], problem["exit_code"]) == ("robots", 0)
    assert "forbids further pages of 1 section;" in problem["text"]
    assert desk.rows("SELECT cursor FROM walks") == [(None,)]
    portal.forget()
    desk.crawl()
    assert kinds(desk) == []
    assert [target for target in portal.targets if target.startswith(MODEL)] == [MODEL]


def test_all_articles_of_a_listing_are_missing(new_portal: New, new_desk: New, answer: Callable[..., bytes]) -> None:
    portal = new_portal()
    wrong = [f"/bai/viet-so-{number}.html" for number in range(900, 912)]
    listing = "".join(f'<h3><a href="{target}">Bài viết của chuyên mục này</a></h3>' for target in wrong)
    portal.pages[MODEL] = answer(f'<html><body><div class="noi-dung">{listing}</div></body></html>')
    desk = new_desk(portal, only="dan-van-kheo")
    assert "all 12 articles that listings link do not exist" in desk.crawl(code=3).stderr
    assert kinds(desk) == ["errors"]
    desk.crawl(code=4)  # they are requested again, and the share of missing articles is unchanged
    assert [problem["text"] for problem in report(desk)["problems"]] == [
        "100% of the articles requested do not exist (404, 410)"
    ]


def test_a_listing_with_retry_after_is_not_reported_as_failing(
    new_portal: New, new_desk: New, answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    portal.pages[MODEL] = answer(status="503 Service Unavailable", headers={"Retry-After": "36000"})
    desk = new_desk(portal, only="dan-van-kheo")
    desk.crawl(code=3)
    assert set(kinds(desk)) == {"asked_to_wait"}


@pytest.mark.parametrize(
    ("page", "status", "code", "kind"),
    [
        (MAINTENANCE, "200 OK", 4, "maintenance"),
        (MAINTENANCE, "503 Service Unavailable", 3, "maintenance"),
        (CHALLENGE, "403 Forbidden", 3, "challenge"),
        ("<p>no</p>", "403 Forbidden", 3, "forbidden"),
        ("", "404 Not Found", 3, "section_gone"),
        ("<title>Nhà cái số 1</title><p>casino tài xỉu nổ hũ</p>", "200 OK", 4, "parked"),
    ],
)
def test_a_maintenance_page_instead_of_news(
    new_portal: New, new_desk: New, answer: Callable[..., bytes], page: str, status: str, code: int, kind: str
) -> None:
    assert kinds(trouble(new_portal, new_desk, {MODEL: answer(page, status=status)}, code)) == [kind]


def test_a_listing_that_redirects_to_a_login(new_portal: New, new_desk: New, answer: Callable[..., bytes]) -> None:
    pages = {
        MODEL: answer(status="302 Found", headers={"Location": "/dang-nhap.html"}),
        "/dang-nhap.html": answer(LOGIN),
    }
    assert kinds(trouble(new_portal, new_desk, pages, 4)) == ["login"]


def test_sections_that_redirect_to_the_front_page(new_portal: New, new_desk: New, answer: Callable[..., bytes]) -> None:
    portal = new_portal()
    desk = new_desk(portal, only="dan-van-")
    for listing in (MODEL, GRASSROOTS):  # the second one redirects to an address that was requested already
        portal.pages[listing] = answer(status="302 Found", headers={"Location": "/"})
    link = f'<h3><a href="{GRASSROOTS}bai-viet-so-900.html">Bài viết nổi bật của trang nhất</a></h3>'
    portal.pages["/"] = answer(f'<html><body><div class="noi-dung">{link}</div></body></html>')
    assert f"2 of the sections cannot be read: {portal.url[:-1]}{MODEL} leads to the front page" in (
        desk.crawl(code=3).stderr
    )
    assert kinds(desk) == ["section_gone"]
    listed = "SELECT count(*) FROM listing_links"
    assert desk.rows(listed) == [(0,)]
    desk.danvan("rebuild")
    assert desk.rows(listed) == [(0,)]


def test_a_listing_filled_by_scripts_beside_a_login_box_is_no_login_page(
    new_portal: New, new_desk: New, answer: Callable[..., bytes]
) -> None:
    box = '<form>Tên <input name="u"> Mật khẩu <input type="password" name="p"><button>Đăng nhập</button></form>'
    page = f"<html><head><title>Tin tức</title></head><body>{box}<div id='root'></div></body></html>"
    assert kinds(trouble(new_portal, new_desk, {MODEL: answer(page)}, 4)) == ["found_nothing"]


def test_a_missing_listing_beside_a_login_box_is_a_gone_section(
    new_portal: New, new_desk: New, answer: Callable[..., bytes]
) -> None:
    page = LOGIN.replace("<title>Đăng nhập</title>", "<title>Lỗi 404</title>")
    pages = {MODEL: answer(page, status="404 Not Found")}
    assert kinds(trouble(new_portal, new_desk, pages, 3)) == ["section_gone"]


def test_a_site_that_has_moved_to_another_host(new_portal: New, new_desk: New, answer: Callable[..., bytes]) -> None:
    pages = {MODEL: answer(status="301 Moved Permanently", headers={"Location": "http://moi.example.vn/tin-tuc/"})}
    assert kinds(trouble(new_portal, new_desk, pages, 3)) == ["moved"]


def test_a_host_without_an_address(new_desk: New) -> None:
    desk = new_desk("http://danvan.invalid/", only="dan-van-kheo")
    desk.crawl(code=3)
    assert kinds(desk) == ["no_address"]


def test_one_section_of_several_without_articles(new_portal: New, new_desk: New, answer: Callable[..., bytes]) -> None:
    portal = new_portal()
    desk = new_desk(portal, only="dan-van-")
    desk.crawl()
    portal.pages[MODEL] = answer("<html><body><p>Giao diện mới</p></body></html>")
    assert "1 of the sections show no article now: Dân vận khéo" in desk.crawl(code=4).stderr
    assert kinds(desk) == ["found_nothing"]


def test_a_quiet_site_gives_an_alarm_only_after_its_longest_silence(new_portal: New, new_desk: New) -> None:
    desk = new_desk(new_portal(), only="dan-van-kheo")
    for day, code in (("2026-11-01", 0), ("2026-12-20", 0), ("2045-01-01", 4)):
        desk.environment["DANVAN_CLOCK"] = f"{day}T01:30:00+07:00"
        desk.crawl(code=code)
    assert kinds(desk) == ["quiet"]
    desk.profile(desk_home(desk), only="dan-van-kheo")
    with (desk.sites / "mau-danvan.toml").open("a", encoding="utf-8") as profile:
        profile.write("\n[health]\nquiet_days = false\n")
    desk.crawl()


def desk_home(desk: Any) -> str:
    text = (desk.sites / "mau-danvan.toml").read_text("utf-8")
    return next(line.split('"')[1] for line in text.splitlines() if line.startswith("home = "))


def test_a_report_counts_new_and_edited_articles(new_portal: New, new_desk: New) -> None:
    portal = new_portal()
    desk = new_desk(portal, only="dan-van-kheo")
    desk.environment["DANVAN_CLOCK"] = NIGHT.format(1)
    desk.crawl()
    first, items = report(desk), desk.export()
    assert first["articles"] == {"fetched": len(items), "new": len(items), "edited": 0, "gone": 0, "revived": 0}
    assert first["coverage"]["articles"] == len(items)
    assert first["coverage"]["author"] == sum(item["author"] is not None for item in items)
    assert first["requests"] == len(portal.targets)
    assert first["bytes"] > 0
    assert first["problems"] == []
    desk.environment["DANVAN_CLOCK"] = NIGHT.format(2)
    desk.crawl()
    assert report(desk)["articles"]["new"] == 0


def test_invalid_older_reports_do_not_prevent_a_new_report(new_portal: New, new_desk: New) -> None:
    desk = new_desk(new_portal(), only="dan-van-kheo")
    desk.crawl()
    [path] = desk.archive.glob("runs/*.json")
    written = json.loads(path.read_text("utf-8"))
    broken: list[dict[str, Any]] = [{"coverage": None}, {"exit_code": float("inf")}, {"started_at": "2026-11-22"}]
    for number, wrong in enumerate(broken):
        text = json.dumps({**written, **wrong}, indent=2)
        path.with_name(f"20261101T00000{number}Z-0000000{number}.json").write_text(text, encoding="utf-8")
    assert "Traceback" not in desk.crawl().stderr
    assert len(list(desk.archive.glob("runs/*.json"))) == 5
    desk.danvan("status", "--site", "mau-danvan")


BREAKS = """
import sys
from danvan_crawler.cli import main
from danvan_crawler.crawl import run
setattr(run, sys.argv[1], lambda *_arguments, **_options: 1 / 0)
main(sys.argv[2:])
"""
"""Runs `danvan` with a function of the run that fails, as it would on an unexpected error."""


def test_a_run_whose_evaluation_fails_is_reported_and_releases_its_locks(new_portal: New, new_desk: New) -> None:
    desk = new_desk(new_portal(), only="dan-van-kheo")
    assert desk.run("-c", BREAKS, "judge", "crawl", "mau-danvan").returncode == 1
    text = report(desk)["problems"][0]["text"]
    assert text.startswith("the run could not be judged: an error in this program (division by zero; ")
    desk.crawl()


def test_a_failed_comparison_does_not_prevent_the_report(new_portal: New, new_desk: New) -> None:
    desk = new_desk(new_portal(), only="dan-van-kheo")
    result = desk.run("-c", BREAKS, "problems_of", "crawl", "mau-danvan")
    assert result.returncode == 0, result.stderr
    assert "The run could not be compared with those before" in result.stderr
    assert report(desk)["exit_code"] == 0


def test_status_shows_problems_and_contacts_no_server(
    new_portal: New, new_desk: New, answer: Callable[..., bytes]
) -> None:
    portal, desk = new_portal(), new_desk()
    desk.profile(portal, slug="tot-danvan", only="dan-van-kheo")
    bad = new_portal()
    bad.pages[MODEL] = answer(MAINTENANCE)
    desk.profile(bad, slug="xau-danvan", only="dan-van-kheo")
    desk.danvan("crawl", "tot-danvan", "xau-danvan", code=4)
    portal.forget()
    bad.forget()
    document = json.loads(desk.danvan("status", "--json", code=4).stdout)
    states = {one["site"]: (one["outcome"], [found["kind"] for found in one["problems"]]) for one in document["sites"]}
    assert states["tot-danvan"] == ("good", [])
    assert states["xau-danvan"] == ("unhealthy", ["maintenance"])
    assert set(states) == {"tot-danvan", "xau-danvan"}
    assert desk.danvan("status", "--site", "tot-danvan").stdout.startswith("tot-danvan\t")
    assert portal.arrived == bad.arrived == []


@pytest.fixture
def messages() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Address of a server that receives notifications, and the messages that it has received."""
    got: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"json://127.0.0.1:{server.server_port}/", got
    server.shutdown()
    server.server_close()


def test_one_message_reports_all_sites_of_a_night(
    new_portal: New, new_desk: New, answer: Callable[..., bytes], messages: Any
) -> None:
    address, got = messages
    desk = new_desk()
    for slug in ("mot-danvan", "hai-danvan"):
        portal = new_portal()
        portal.pages[MODEL] = answer(MAINTENANCE)
        desk.profile(portal, slug=slug, only="dan-van-kheo")
    desk.environment["DANVAN_NOTIFY"] = address
    desk.danvan("crawl", "mot-danvan", "hai-danvan", "--jobs", "2", code=4)
    assert [message["title"] for message in got] == ["danvan: problems with hai-danvan, mot-danvan"]
    assert got[0]["message"].startswith("hai-danvan, mot-danvan\n")
    portal.pages.clear()
    desk.crawl(slug="hai-danvan")
    assert "hai-danvan is healthy again (was: maintenance)" in got[1]["message"]
    assert [message["type"] for message in got] == ["failure", "success"]


def test_a_message_that_cannot_be_sent_does_not_change_the_exit_code(
    new_portal: New, new_desk: New, answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    portal.pages[MODEL] = answer(MAINTENANCE)
    desk = new_desk(portal, only="dan-van-kheo")
    desk.environment["DANVAN_NOTIFY"] = "json://user:secret@127.0.0.1:9/"
    said = desk.crawl(code=4).stderr
    assert "address 1 (json) of DANVAN_NOTIFY: the notification could not be delivered" in said
    assert "secret" not in said
