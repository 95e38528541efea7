"""Hosts as people write them: IPv6 addresses, and names in Unicode."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

New = Callable[..., Any]
MODEL = "/tin-tuc/dan-van-kheo/"


def test_a_portal_at_an_ipv6_address_is_crawled_checked_shown_and_rebuilt(new_portal: New, new_desk: New) -> None:
    portal = new_portal(address="::1")
    story = "/tin-tuc/dan-van-kheo/ban-na-lau-hien-4-000-met-vuong-dat-mo-duong-24.html"
    portal.also_link(MODEL, f"http://[0:0:0:0:0:0:0:1]:{portal.port}{story}?utm_source=zalo")  # the same page, longer
    desk = new_desk(portal, only="dan-van-kheo")
    desk.crawl()
    assert len(desk.export()) == 14
    assert portal.targets.count(story) == 1
    assert b"Cookie: phien=7" in portal.exchanges[-1].request
    assert f"Host: [::1]:{portal.port}".encode() in portal.exchanges[-1].request
    assert {one.fields["WARC-IP-Address"] for one in desk.records() if one.type == "response"} == {"::1"}
    assert "no damage" in desk.danvan("verify").stderr
    assert f"Address:   {portal.url}{story[1:]}" in desk.danvan("show", f"{portal.url}{story[1:]}").stdout
    desk.check_rebuild()
    portal.forget()
    desk.crawl()
    assert portal.targets == ["/robots.txt", MODEL]


@pytest.mark.parametrize("host", ["[::1]", "[0:0:0:0:0:0:0:1]"])
def test_robots_txt_of_an_ipv6_address_is_obeyed(
    new_portal: New, new_desk: New, answer: Callable[..., bytes], host: str
) -> None:
    portal = new_portal(address="::1")
    portal.pages["/robots.txt"] = answer("User-agent: *\nDisallow: /\n", media_type="text/plain")
    desk = new_desk(f"http://{host}:{portal.port}/", only="dan-van-kheo")
    assert "forbidden by robots.txt" in desk.crawl(code=3).stderr
    assert portal.targets == ["/robots.txt"]


def test_a_profile_may_write_an_ipv6_address_in_its_long_form(new_portal: New, new_desk: New) -> None:
    portal = new_portal(address="::1")
    desk = new_desk(f"http://[0:0:0:0:0:0:0:1]:{portal.port}/", only="dan-van-kheo")
    desk.crawl()
    assert len(desk.export()) == 14


_NAMESPACE = ("unshare", "--map-root-user", "--mount")
NAME, STATIC = "tỉnhủy.thử.vn", "ảnh.thử.vn"
ASCII_NAME, ASCII_STATIC = NAME.encode("idna").decode(), STATIC.encode("idna").decode()


def can_unshare() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*_NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


def with_names(desk: Any, names: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs `danvan` where the file `names` is /etc/hosts."""
    script = 'mount --bind "$0" /etc/hosts && exec "$@"'
    command = [*_NAMESPACE, "sh", "-c", script, str(names), sys.executable, "-m", "danvan_crawler", *arguments]
    return subprocess.run(
        command, cwd=desk.folder, env=desk.variables(), capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.skipif(not can_unshare(), reason="this system lets nobody make a mount namespace (unshare)")
def test_a_portal_with_a_unicode_name_is_crawled_by_the_name_that_people_write(
    new_portal: New, new_desk: New, answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    port = portal.port
    story, picture = "/tin-tuc/dan-van-kheo/ban-na-lau-hien-4-000-met-vuong-dat-mo-duong-24.html", "/anh/ngoai.jpg"
    other = unicodedata.normalize("NFD", NAME.upper())
    page = portal.html(MODEL).replace(f'href="{story}"', f'href="http://{other}:{port}{story}"')
    assert other in page
    portal.pages[MODEL] = answer(page.replace("</body>", f'<img src="http://{STATIC}:{port}{picture}"></body>'))
    portal.pages[picture] = answer(b"\xff\xd8\xff", media_type="image/jpeg")
    desk = new_desk(f"http://{NAME}:{port}/", only="dan-van-kheo", static_hosts=f'["{STATIC}"]')
    names = desk.folder / "hosts"
    names.write_text(f"127.0.0.1 {ASCII_NAME} {ASCII_STATIC}\n")
    run = with_names(desk, names, "crawl", "mau-danvan")
    assert run.returncode == 0, run.stderr
    assert len(desk.export()) == 14
    assert {story, picture} <= set(portal.targets)
    assert f"Host: {ASCII_NAME}:{port}".encode() in portal.exchanges[0].request
    (report,) = [json.loads(path.read_text()) for path in desk.archive.glob("runs/*.json")]
    assert report["foreign_hosts"] == {f"{ASCII_STATIC}:{port}": 2}
    assert "Bản Nà Lấu" in desk.danvan("show", f"http://{other}:{port}{story}").stdout
    assert "no damage" in desk.danvan("verify").stderr
    desk.check_rebuild()
