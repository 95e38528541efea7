"""A host name that changes to a private address, with real name look-ups and real public addresses.

The test runs this file in a network and mount namespace (`unshare`), where 5.5.5.5 is an address of the loopback
interface and /etc/hosts is our file. Nothing outside of the namespace is changed.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import socket
import struct
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PUBLIC, PRIVATE, NAME = "5.5.5.5", "127.0.0.1", "cong.example.vn"
PROFILE = f"""
slug = "doi-ten"
name = "Cổng đổi địa chỉ"
family = "danvan_portal"
home = "http://{NAME}/"
province = "VN-21"
body = "ban-dan-van"
delay = 1.0
[[sections]]
name = "Tin tức"
url = "http://{NAME}/tin-tuc/"
"""
_NAMESPACES = ("unshare", "--map-root-user", "--net", "--mount")


def page(path: str) -> str:
    if path == "/tin-tuc/":
        return "".join(f'<div><a href="/bai-viet-so-{n}.html">Bài viết thứ {n} của cổng</a></div>' for n in (1, 2))
    story = "<p>Ngày 23/05/2017</p><p>Sapô của bài.</p><p>Đoạn thứ nhất của bài viết.</p><p>Đoạn thứ hai.</p>"
    return 2 * f"<div><p>Bài viết ở địa chỉ {path}</p>{story}</div>"


def serve(address: str, arrived: list[str], moves: Path | None) -> None:
    """Answers on port 80, one request per connection. With `moves`, the name gets another address after a listing."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            arrived.append(self.path)
            body = page(self.path).encode()
            self.send_response(200 if self.path != "/robots.txt" else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            if self.path == "/tin-tuc/" and moves is not None:
                point(moves, PRIVATE)
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer((address, 80), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()


def point(hosts: Path, address: str) -> None:
    hosts.write_text(f"{address} {NAME}\n")  # written in place, since the bind mount is of this very file


def raise_loopback() -> None:
    """Brings lo up in a new network namespace, with 5.5.5.5 beside 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for interface, address in ((b"lo", PRIVATE), (b"lo:1", PUBLIC)):
            named = struct.pack("16sHH4s8x", interface, socket.AF_INET, 0, socket.inet_aton(address))
            fcntl.ioctl(control, 0x8916, named)  # SIOCSIFADDR
            fcntl.ioctl(control, 0x8914, struct.pack("16sH14x", interface, 0x41))  # SIOCSIFFLAGS: up, running


def inside(folder: Path) -> None:
    """Crawls twice while the name changes between listing and articles; prints what servers and crawls reported."""
    hosts = folder / "hosts"
    point(hosts, PUBLIC)
    subprocess.run(["mount", "--bind", str(hosts), "/etc/hosts"], check=True)
    raise_loopback()
    public: list[str] = []
    private: list[str] = []
    serve(PUBLIC, public, hosts)
    serve(PRIVATE, private, None)
    crawl = [sys.executable, "-m", "danvan_crawler", "crawl", "doi-ten", "--archive", str(folder / "archive")]
    runs = [subprocess.run(crawl, cwd=ROOT, capture_output=True, text=True, timeout=120) for _ in range(2)]
    said = {"public": public, "private": private, "codes": [run.returncode for run in runs]}
    print(json.dumps({**said, "stderr": [run.stderr for run in runs]}))


def can_unshare() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*_NAMESPACES, "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not can_unshare(), reason="no network namespace can be made here (unshare)")
def test_a_name_that_changes_to_a_private_address_is_refused(tmp_path: Path) -> None:
    (tmp_path / "archive" / "sites").mkdir(parents=True)
    (tmp_path / "archive" / "sites" / "doi-ten.toml").write_text(PROFILE)
    command = [*_NAMESPACES, sys.executable, __file__, str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert run.returncode == 0, run.stderr
    seen = json.loads(run.stdout)
    assert seen["private"] == []
    assert seen["public"][:2] == ["/robots.txt", "/tin-tuc/"]
    assert seen["codes"][1] == 3, seen["stderr"][1]
    assert f"refused to contact {NAME}:80: its address {PRIVATE} is private" in seen["stderr"][1]
    reports = sorted((tmp_path / "archive" / "runs").glob("*.json"))
    assert json.loads(reports[-1].read_text())["stats"]["danvan/refused"] >= 1


if __name__ == "__main__":
    inside(Path(sys.argv[1]))
