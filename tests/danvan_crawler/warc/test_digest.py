"""The digests that WARC records carry."""

from __future__ import annotations

import re

from danvan_crawler.warc.message import sha1_base32


def test_the_digest_of_empty_bytes_is_the_well_known_value():
    assert sha1_base32(b"") == "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ"


def test_a_digest_has_32_characters_of_base32():
    assert re.fullmatch(r"sha1:[A-Z2-7]{32}", sha1_base32("dân vận".encode()))
