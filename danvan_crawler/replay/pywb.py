"""Runs pywb as a separate process, which reads the WARC files in place.

pywb cannot be installed in our environment: it requires pyOpenSSL below 26.2, and its brotlipy replaces the Brotli that
Scrapy uses. So its program `wayback` is searched for (`find_wayback`) and gets its configuration in a temporary folder:

    config.yaml              one collection, nothing else served, nothing fetched
    archive.cdxj             the indexes of the archive, merged, unmodified captures resolved
    files.tsv                the path of each WARC file: pywb's "path index", so that no file is copied or linked
    templates/index.html     the front page: sites, and their newest articles
    sitecustomize.py         read by pywb's Python at startup: ends pywb when our process ends, even if killed, and
                             removes a reason phrase in UTF-8 ("200 Được"), for which pywb would answer 500

Files that a run is still writing are left out: a half-written index stops pywb (pywb issue 788).
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from danvan_crawler.exceptions import DanvanError, UsageError, archive_error
from danvan_crawler.replay.unmodified import resolve_unmodified
from danvan_crawler.settings_check import from_environment
from danvan_crawler.warc.index import index_lines, index_path, merged

HOST = "127.0.0.1"
COLLECTION = "archive"
"""Part of every address of a replay: http://127.0.0.1:8080/archive/<timestamp>/<url>."""
PATIENCE_SECONDS = 60.0
"""How long to wait for the first answer of pywb."""
_STOPPING_SECONDS = 5.0
_LEFT_OUT = frozenset({"http_proxy", "https_proxy", "all_proxy", "pythonhome", "pythonwarnings"})
_CONFIG = f"""\
enable_auto_colls: false
enable_auto_fetch: false
collections:
  {COLLECTION}:
    index_paths: ./archive.cdxj
    archive_paths: ./files.tsv
"""

_AT_ITS_START = """\
import _thread
import os

from gevent import pywsgi


def _end_with_parent():
    os.read(0, 1)  # returns when the other end is closed, since nobody writes to it
    os._exit(0)


_thread.start_new_thread(_end_with_parent, ())
_given = pywsgi.WSGIHandler.start_response


def _start_response(self, status, headers, exc_info=None):
    return _given(self, status if status.isascii() else status.partition(" ")[0] + " OK", headers, exc_info)


pywsgi.WSGIHandler.start_response = _start_response
"""


def find_wayback() -> Path:
    """pywb's program: DANVAN_WAYBACK, else beside our Python, else in its subfolder `replay`, else on PATH.

    `make replay` installs it in that subfolder. Raises UsageError if it is not found.
    """
    named = from_environment("DANVAN_WAYBACK")
    if named:
        found = shutil.which(named)
        if found is None:
            raise UsageError(f"DANVAN_WAYBACK: {named} is not a program")
        return Path(found)
    for folder in (str(Path(sys.executable).parent), str(Path(sys.prefix, "replay", "bin")), None):
        found = shutil.which("wayback", path=folder)
        if found is not None:
            return Path(found)
    raise UsageError(
        "replay needs pywb: run pip install 'danvan-crawler[replay]', best in a separate environment, "
        "and set DANVAN_WAYBACK to its program; in a checkout, run make replay"
    )


def prepare(folder: Path, archive: Path, warc_files: Sequence[Path], front_page: str) -> None:
    """Writes the files that pywb reads into `folder`. `front_page` is the HTML from `front_page.front_page`.

    Raises ArchiveError; ArchiveDamagedError for a damaged WARC file that has no index yet.
    """
    try:
        (folder / "config.yaml").write_text(_CONFIG, encoding="utf-8")
        (folder / "templates").mkdir()
        (folder / "templates" / "index.html").write_text(front_page, encoding="utf-8")
        lines = sorted(f"{path.name}\t{path}\n".encode() for path in warc_files)
        (folder / "files.tsv").write_bytes(b"".join(lines))
        indexes = [_index_of(archive, path, folder) for path in warc_files]
        with (folder / "archive.cdxj").open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(resolve_unmodified(merged(indexes)))
    except OSError as error:
        raise archive_error(error, f"prepare the replay in {folder}") from error


def _index_of(archive: Path, path: Path, folder: Path) -> Path:
    """The index of a file; if it is missing, it is made in `folder`, since the archive may be read-only."""
    kept = index_path(archive, path)
    if kept.is_file():
        return kept
    made = folder / f"{path.name}.cdxj"
    with made.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(sorted(index_lines(path)))
    return made


def replay_path(url: str, date: str) -> str:
    """Path under which the capture of a URL at a WARC-Date is replayed."""
    digits = "".join(filter(str.isdigit, date))[:14]
    return f"/{COLLECTION}/{digits}/{url}"


def free_port(wanted: int) -> int:
    """The wanted port, or any free port for 0. Raises UsageError if another program uses it."""
    with closing(socket.socket()) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, wanted))
        except OSError as error:
            raise UsageError(f"port {wanted} cannot be used: {error.strerror}") from error
        port: int = listener.getsockname()[1]
        return port


class Wayback:
    """pywb with a prepared folder; a context manager that waits for its first answer, and stops it at the end.

    It has its own session, so that Ctrl-C in a terminal reaches only us; no proxy, since its parts use HTTP among
    themselves; and no settings of our Python.
    """

    def __init__(self, program: Path, folder: Path, port: int) -> None:
        self.url = f"http://{HOST}:{port}/"
        self._log = folder / "log"
        self._command = [str(program), "--bind", HOST, "--port", str(port)]
        self._folder = folder
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        environment = {name: value for name, value in os.environ.items() if name.lower() not in _LEFT_OUT}
        environment["PYTHONPATH"] = str(self._folder)
        (self._folder / "sitecustomize.py").write_text(_AT_ITS_START, encoding="utf-8")
        with self._log.open("wb") as log:
            self._child = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_it_answers(self._child)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._stop()

    def wait(self) -> None:
        """Waits for pywb to end. It never ends by itself unless it fails: raises DanvanError with its last output."""
        assert self._child is not None
        self._child.wait()
        raise self._failure("ended")

    def _wait_until_it_answers(self, child: subprocess.Popen[bytes]) -> None:
        ask = build_opener(ProxyHandler({})).open
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if child.poll() is not None:
                raise self._failure("ended at startup")
            try:
                ask(self.url, timeout=_STOPPING_SECONDS).close()
            except (URLError, OSError):
                time.sleep(0.1)
            else:
                return
        raise self._failure(f"did not answer for {PATIENCE_SECONDS:g} seconds")

    def _failure(self, what: str) -> DanvanError:
        lines = self._log.read_text(encoding="utf-8", errors="replace").split("\n")
        output = " / ".join([line.strip() for line in lines if line.strip()][-3:])
        return DanvanError(f"pywb ({self._command[0]}) {what}: {output or 'it printed nothing'}")

    def _stop(self) -> None:
        child = self._child
        if child is None:
            return
        child.terminate()
        try:
            child.wait(_STOPPING_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:  # also when a second Ctrl-C comes while we wait
            child.kill()
            child.wait()
            if child.stdin is not None:
                child.stdin.close()
