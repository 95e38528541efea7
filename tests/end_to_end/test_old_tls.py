"""Servers whose encryption is refused today, and the profile key that allows it."""

from __future__ import annotations

import base64
import json
import ssl
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

New = Callable[..., Any]
MODP_1024 = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF",
    16,
)
"""The 1,024-bit prime of RFC 2409, section 6.2."""
TLS = ssl.TLSVersion


def certificate(folder: Path, *, bits: int) -> tuple[Path, Path]:
    """A self-signed certificate with an RSA key of this length, and the key."""
    key = rsa.generate_private_key(65537, bits)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    certificate_path, key_path = folder / "certificate.pem", folder / "key.pem"
    certificate_path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_format = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key_path.write_bytes(key.private_bytes(serialization.Encoding.PEM, *key_format))
    return certificate_path, key_path


@pytest.fixture
def server(tmp_path: Path) -> Callable[..., ssl.SSLContext]:
    """server(newest, ciphers, bits=…): the server side of TLS up to this version."""

    def make(newest: TLS, ciphers: str = "ALL", *, bits: int = 2048) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version, context.maximum_version = TLS.TLSv1, newest
        context.load_cert_chain(*certificate(tmp_path, bits=bits))
        der = b"\x30\x81\x87\x02\x81\x81\0" + MODP_1024.to_bytes(128, "big") + b"\x02\x01\x02"  # PKCS #3, generator 2
        pem = f"-----BEGIN DH PARAMETERS-----\n{base64.encodebytes(der).decode()}-----END DH PARAMETERS-----\n"
        (tmp_path / "dh.pem").write_text(pem)
        context.load_dh_params(str(tmp_path / "dh.pem"))
        return context

    return make


def findings(desk: Any, portal: Any, *, code: int = 0, **keys: str) -> list[str]:
    """Texts of the problems `old_tls` that a crawl of the first listing reports."""
    desk.profile(portal, only="dan-van-kheo", requisites_budget="0", **keys)
    desk.crawl("--max-pages", "1", code=code)
    report = json.loads(max((desk.archive / "runs").glob("*.json")).read_text(encoding="utf-8"))
    return [problem["text"] for problem in report["problems"] if problem["kind"] == "old_tls"]


@pytest.mark.parametrize(
    ("newest", "ciphers", "bits", "weak"),
    [
        (TLS.TLSv1, "ALL", 2048, "TLS 1.0"),
        (TLS.TLSv1_1, "AES128-SHA", 1024, "TLS 1.1, a certificate with a key of 1024 bits"),
        (TLS.TLSv1_2, "DHE", 2048, "a Diffie-Hellman key of 1024 bits"),
    ],
)
def test_old_encryption_is_used_if_the_profile_allows_it_and_the_report_names_what_is_weak(
    new_portal: New, new_desk: New, server: New, newest: TLS, ciphers: str, bits: int, weak: str
) -> None:
    portal, desk = new_portal(tls=server(newest, ciphers, bits=bits)), new_desk()
    found = findings(desk, portal, legacy_tls="true")
    assert found == [f"the encryption of 127.0.0.1 is outdated: {weak}"]
    assert any(record.url.endswith("/dan-van-kheo/") for record in desk.records() if record.type == "response")


def test_without_the_key_old_encryption_is_refused(new_portal: New, new_desk: New, server: New) -> None:
    portal = new_portal(tls=server(TLS.TLSv1_1))
    assert findings(new_desk(), portal, code=3) == []
    assert portal.arrived == []


def test_a_modern_server_has_nothing_to_report(new_portal: New, new_desk: New, server: New) -> None:
    portal = new_portal(address="::1", tls=server(TLS.TLSv1_3))
    assert findings(new_desk(), portal, legacy_tls="true") == []
    assert findings(new_desk(), portal) == []
