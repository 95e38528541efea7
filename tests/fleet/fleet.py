"""The fleet: all portals, the operator's machine, and one crawl of all sites for each night.

A night is what a crontab line starts, `danvan crawl --all --jobs 2 --quiet`, with a clock that says half past one of
the next night. Its supervisor is a fork (see `forked`); it starts one Python process for each site.
"""

from __future__ import annotations

import datetime
import ipaddress
import json
import os
import ssl
import subprocess
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fleet_portal import Asked, LivePortal
from forked import Forked
from lives import Life
from stories import FIRST_NIGHT, moment

ROOT = Path(__file__).resolve().parents[2]
HANG_AFTER = 15
"""Seconds without a sign of life after which the supervisor stops a site; a process needs some to begin."""
PATIENCE = 3600.0
"""Seconds after which a night that does not end is given up."""


@dataclass(frozen=True, slots=True)
class Told:
    """One line of `danvan changes`."""

    night: int
    kind: str
    site: str
    path: str


def expired_certificate(folder: Path) -> ssl.SSLContext:
    """A server's TLS with a certificate of its own that ended years ago."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.datetime(2019, 1, 1, tzinfo=datetime.UTC))
        .not_valid_after(datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


class Fleet:
    """Portals with their lives, an archive, and what was told of each night."""

    def __init__(self, lives: Iterable[Life], folder: Path, days: int) -> None:
        self.folder, self.days = folder, days
        self.archive, self._sites = folder / "archive", folder / "sites"
        self._sites.mkdir()
        self._forked = Forked()
        self.portals = [LivePortal(life, expired_certificate(folder) if life.secure else None) for life in lives]
        self.codes: list[int] = []
        """Exit code of each night's crawl."""
        self.said: list[str] = []
        """What cron would have mailed of each night."""
        self.seconds: list[float] = []
        self.reports: dict[tuple[str, int], dict[str, Any]] = {}
        """Run reports by slug and night."""
        self.changes: list[Told] = []
        self.status: dict[str, dict[str, Any]] = {}
        """The sites in the morning after the last night, as `danvan status --json` has them."""
        self.status_code = 0

    @property
    def slugs(self) -> list[str]:
        return [slug for portal in self.portals for slug in portal.life.slugs]

    def live(self) -> None:
        """All nights, one after the other, and what is told in the morning after the last one."""
        for night in range(self.days):
            self._night(night)
        since = FIRST_NIGHT.date() - datetime.timedelta(days=1)
        told = self._danvan(self.days - 1, "changes", "--since", since.isoformat(), "--json").stdout
        for line in told.splitlines():
            one = json.loads(line)
            passed = datetime.datetime.fromisoformat(one["date"]) - FIRST_NIGHT
            path = "/" + one["url"].split("/", 3)[3]
            self.changes.append(Told(passed.days, one["kind"], one["site"], path))
        status = self._danvan(self.days - 1, "status", "--json")
        self.status = {one["site"]: one for one in json.loads(status.stdout)["sites"]}
        self.status_code = status.returncode

    def _night(self, night: int) -> None:
        for portal in self.portals:
            portal.night = night
            portal.morning.clear()
            for slug, text in portal.profiles(night).items():
                (self._sites / f"{slug}.toml").write_text(text, encoding="utf-8")
        known = set(self.archive.glob("runs/*.json"))
        began = time.monotonic()
        done = self._danvan(night, "crawl", "--all", "--jobs", "2", "--quiet")
        self.seconds.append(time.monotonic() - began)
        self.codes.append(done.returncode)
        self.said.append(done.stderr)
        for portal in self.portals:
            portal.morning.set()
        for path in set(self.archive.glob("runs/*.json")) - known:
            report = json.loads(path.read_text("utf-8"))
            self.reports[report["site"], night] = report

    def _danvan(self, night: int, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DANVAN_ARCHIVE": str(self.archive),
            "DANVAN_SITES": str(self._sites),
            "DANVAN_CLOCK": f"{moment(night).isoformat()} +",
            "DANVAN_HANG_AFTER": str(HANG_AFTER),
        }
        command = ("-m", "danvan_crawler", *arguments)
        return self._forked.run(command, folder=self.folder, environment=environment, timeout=PATIENCE)

    def asked(self) -> Iterator[tuple[Life, Asked]]:
        """All requests of all nights."""
        for portal in self.portals:
            for one in portal.log:
                yield portal.life, one

    def close(self) -> None:
        for portal in self.portals:
            portal.close()
        self._forked.close()
