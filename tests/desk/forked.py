"""Python commands without their start-up time: a server imports everything once, and forks for each command.

Importing Scrapy and SQLAlchemy takes most of the time of a short command. A forked command has everything that a
started one has: its own process id, environment, folder, arguments, stdin, stdout, stderr, clock and random numbers,
and no reactor before it installs one. There are two differences. Commands of one server have the same seed of Python's
hashes; therefore two servers take turns, and a rebuild after a crawl has another seed. And when a command has ended
its threads, exit functions and output, Python does not tear down its modules, which takes eight times as long as the
fork.

Errors that a fork cannot show, such as an import that is missing or fails when it comes first, are tested with started
commands.

Run as a script, this module is the server.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import NoReturn

from scrapy.downloadermiddlewares import cookies

from danvan_crawler import _layout, clock

ROOT = Path(__file__).resolve().parents[2]
STEERS_PYTHON = ("PYTHON", "LC_", "LANG")
"""Prefixes of variables that Python reads at its start; a command with its own value of one cannot be forked."""
_LATER = {"danvan_crawler.settings", "danvan_crawler.__main__"}
"""Modules that read the environment, or run, when they are imported."""
_SCRAPY = (
    "queuelib",
    "scrapy.cmdline",
    "scrapy.core.downloader.handlers.http11",
    "scrapy.core.engine",
    "scrapy.core.scraper",
    "scrapy.crawler",
    "scrapy.downloadermiddlewares.defaultheaders",
    "scrapy.downloadermiddlewares.downloadtimeout",
    "scrapy.downloadermiddlewares.httpauth",
    "scrapy.downloadermiddlewares.httpcache",
    "scrapy.downloadermiddlewares.httpcompression",
    "scrapy.downloadermiddlewares.httpproxy",
    "scrapy.downloadermiddlewares.offsite",
    "scrapy.downloadermiddlewares.redirect",
    "scrapy.downloadermiddlewares.retry",
    "scrapy.downloadermiddlewares.stats",
    "scrapy.downloadermiddlewares.useragent",
    "scrapy.extensions.closespider",
    "scrapy.extensions.corestats",
    "scrapy.extensions.logcount",
    "scrapy.extensions.logstats",
    "scrapy.extensions.memdebug",
    "scrapy.extensions.remote_control",
    "scrapy.extensions.spiderstate",
    "scrapy.extensions.telnet",
    "scrapy.extensions.throttle",
    "scrapy.pqueues",
    "scrapy.spidermiddlewares.depth",
    "scrapy.spidermiddlewares.httperror",
    "scrapy.spidermiddlewares.metacopy",
    "scrapy.spidermiddlewares.referer",
    "scrapy.spidermiddlewares.start",
    "scrapy.spidermiddlewares.urllength",
    "scrapy.squeues",
)
"""Modules that a crawl loads by name."""


class _Server:
    """A process of this module, and the socket that takes requests for commands."""

    def __init__(self, options: Sequence[str]) -> None:
        self.socket, other = socket.socketpair()
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with other:
            self.process = subprocess.Popen(
                [sys.executable, *options, __file__, str(other.fileno())],
                env=environment,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[other.fileno()],
            )
        self.answers = self.socket.makefile("r", encoding="utf-8")

    def fork(self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], files: Sequence[int]) -> int:
        """Starts a command; returns its process id."""
        socket.send_fds(self.socket, [b"+"], files)
        request = {"arguments": list(arguments), "folder": str(folder), "environment": dict(environment)}
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        return self._answer()

    def wait(self) -> int:
        """Waits for the last command; its exit status as `subprocess` gives it."""
        return self._answer()

    def _answer(self) -> int:
        line = self.answers.readline()
        if not line:
            raise RuntimeError(f"the server of forked commands has ended with {self.process.wait()}")
        return int(line)

    def close(self) -> None:
        self.answers.close()
        self.socket.close()
        self.process.wait()


class Forked:
    """Runs Python commands in forks; `close` ends the servers, which start with the first command.

    `options` are Python's own, for example `-W error`.
    """

    def __init__(self, *options: str) -> None:
        self._options = options
        self._servers: list[_Server] = []
        self._turn = 0

    def run(
        self, arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Like `subprocess.run` with `capture_output` and `text`, and an empty stdin.

        `arguments` begin with `-m` and a module, or with the path of a script.
        """
        if len(self._servers) < 2:
            self._servers.append(_Server(self._options))
        self._turn += 1
        server = self._servers[self._turn % len(self._servers)]
        out, err = os.pipe(), os.pipe()
        with open(os.devnull, "rb") as nothing:  # noqa: PTH123 -- a device, not a path
            child = server.fork(arguments, folder, environment, [nothing.fileno(), out[1], err[1]])
        os.close(out[1])
        os.close(err[1])
        try:
            said, wrong = _read((out[0], err[0]), timeout)
        except TimeoutError:
            os.kill(child, signal.SIGKILL)
            server.wait()
            raise subprocess.TimeoutExpired(["python", *arguments], timeout) from None
        finally:
            os.close(out[0])
            os.close(err[0])
        return subprocess.CompletedProcess(["python", *arguments], server.wait(), said, wrong)

    def close(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()


def _read(files: Sequence[int], timeout: float) -> list[str]:
    """Reads the pipes to their end, with line ends as `subprocess` gives them. Raises TimeoutError."""
    until = time.monotonic() + timeout
    found = dict.fromkeys(files, b"")
    with DefaultSelector() as selector:
        for file in files:
            selector.register(file, EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(0, until - time.monotonic()))
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                data = os.read(key.fd, 65536)
                found[key.fd] += data
                if not data:
                    selector.unregister(key.fd)
    return [found[file].decode().replace("\r\n", "\n").replace("\r", "\n") for file in files]


def _import_everything() -> None:
    _layout.activate()
    for name in ("danvan_crawler", "spiders", "pipelines"):
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if module.name not in _LATER and not module.name.startswith("danvan_crawler._project"):
                importlib.import_module(module.name)
    for name in _SCRAPY:
        importlib.import_module(name)
    cookies._is_public_domain("vn")  # reads the list of public suffixes


def _serve(requests: socket.socket) -> NoReturn:
    """Forks for each request until the client closes the socket; a forked command leaves through `_become`."""
    while True:
        _, files, _, _ = socket.recv_fds(requests, 1, 3)
        if not files:
            sys.exit()
        line = bytearray()
        while not line.endswith(b"\n"):
            line += requests.recv(65536)
        request = json.loads(line)
        child = os.fork()
        if not child:
            requests.close()
            _become(request["arguments"], request["folder"], request["environment"], files)
        for file in files:
            os.close(file)
        requests.sendall(b"%d\n" % child)
        _, status = os.waitpid(child, 0)
        requests.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def _become(arguments: Sequence[str], folder: str, environment: Mapping[str, str], files: Sequence[int]) -> NoReturn:
    """Continues as `python ARGUMENTS`, to its end."""
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    clock._STARTED = time.monotonic()
    first, *rest = arguments
    try:
        if first == "-m":
            name, *sys.argv[1:] = rest
            sys.path[0] = folder
            runpy.run_module(name, run_name="__main__", alter_sys=True)
        else:
            sys.argv[:] = arguments
            sys.path[0] = str(Path(first).parent)
            runpy.run_path(first, run_name="__main__")
    except SystemExit as ended:
        if sys.warnoptions or not isinstance(ended.code, int | None):
            raise
        _end(ended.code or 0)
    _end(0)


def _end(code: int) -> NoReturn:
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    asked = socket.socket(fileno=int(sys.argv[1]))
    asked.set_inheritable(False)
    _import_everything()
    early = {"twisted.internet.reactor", *_LATER} & sys.modules.keys()
    assert not early, f"imported before the fork: {early}"
    gc.freeze()  # otherwise garbage collection in a fork would copy all its pages
    with suppress(KeyboardInterrupt):
        _serve(asked)
