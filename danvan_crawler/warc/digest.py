"""Digests as WARC records write them: the algorithm's name, a colon and the value in base32 (WARC/1.1 section 5.8).

SHA-1 in base32 is what every archive and CDX index uses to recognise equal payloads. It is a fingerprint there, no
protection against someone who wants two documents to look alike.
"""

from __future__ import annotations

import base64
import hashlib


def sha1_base32(data: bytes) -> str:
    """`sha1:` and 32 characters of base32, for example `sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ` for no bytes at all."""
    return "sha1:" + base64.b32encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode("ascii")
