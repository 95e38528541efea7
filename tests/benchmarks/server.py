"""nginx on loopback, as portals run it: keep-alive, gzip, and the charset in quotes as IIS writes it.

A server of our own in Python would take more time than what is measured. nginx runs as our child, everything of it in
one folder, as whoever runs the benchmark.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

from measure import BenchmarkError

_CONFIG = """
{user}
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    types {{ 'text/html; charset="utf-8"' html; text/plain txt; image/png png; }}
    open_file_cache max=20000 inactive=600s;
    open_file_cache_valid 600s;
    keepalive_requests 1000000;
    gzip on;
    gzip_comp_level 1;
    gzip_types *;
{servers}
}}
"""
_SERVER = """    server {{
        listen 127.0.0.1:{port};
        root {root};
        location /hinh-anh/ {{ gzip off; }}
    }}"""


def find_nginx() -> str:
    """Where nginx is. Raises BenchmarkError when it is not installed."""
    # Debian keeps it in a folder that is on root's PATH alone.
    found = shutil.which("nginx", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))
    if found is None:
        raise BenchmarkError(
            "nginx serves the pages that are crawled, and is not installed: apt-get install nginx-light"
        )
    return found


class Nginx:
    """Serves `root` on several ports of the loopback, while the context lasts."""

    def __init__(self, folder: Path, root: Path, sites: int) -> None:
        self._program = find_nginx()
        self._folder = folder
        self._root = root
        self.ports = _free_ports(sites)

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        # A worker of root's nginx is `nobody` by default, who may not be let into this folder.
        user = f"user {pwd.getpwuid(0).pw_name};" if os.geteuid() == 0 else ""
        servers = "\n".join(_SERVER.format(port=port, root=self._root) for port in self.ports)
        config = self._folder / "nginx.conf"
        config.write_text(_CONFIG.format(user=user, folder=self._folder, servers=servers), encoding="utf-8")
        self._process = subprocess.Popen(
            [self._program, "-p", str(self._folder), "-e", str(self._folder / "error.log"), "-c", str(config)],
            stdin=subprocess.DEVNULL,
        )
        self._wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(20)

    def _wait(self) -> None:
        for port in self.ports:
            for _ in range(200):
                if self._process.poll() is not None:
                    log = (self._folder / "error.log").read_text(encoding="utf-8", errors="replace")
                    raise BenchmarkError(f"nginx does not start: {log.strip()[-300:]}")
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            else:
                self.__exit__()
                raise BenchmarkError(f"nginx does not answer on port {port}")

    def version(self) -> str:
        """As `nginx -v` tells it, for instance `nginx/1.22.1`."""
        told = subprocess.run([self._program, "-v"], capture_output=True, text=True, check=False)
        return told.stderr.strip().rpartition(" ")[2]


def _free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports
