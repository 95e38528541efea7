"""Complete records that no program can work with."""

from __future__ import annotations

import pytest

from danvan_crawler.warc.unusable import why_unusable

GOOD = {"WARC-Type": "response", "WARC-Date": "2019-05-23T01:02:03Z", "WARC-Target-URI": "http://example.vn:80/a?b"}


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"WARC-Target-URI": "<https://[2001:db8::1]:8443/>"},
        {"WARC-Target-URI": "http://user:word@example.vn/"},
        {"WARC-Target-URI": "http://example.vn/" + "x" * 60_000},
        {"WARC-Target-URI": "urn:pageinfo:http://[::1/"},
        {"WARC-Target-URI": None},
        {"WARC-Date": "2019-05-23T01:02:03.123456789Z"},
        {"WARC-Date": "1970-01-01T00:00:00Z"},
        {"WARC-Type": "warcinfo", "WARC-Date": "2019-05"},
        {"WARC-Type": "request", "WARC-Date": "2019-05-23"},
    ],
)
def test_a_record_can_be_used(changed: dict[str, str]) -> None:
    assert why_unusable({**GOOD, **changed}) is None


@pytest.mark.parametrize(
    "date",
    [
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00Z",
        "2019-05-23",
        "2019-05-23T01:02:03+07:00",
        "2019-02-30T01:02:03Z",
        "",
    ],
)
@pytest.mark.parametrize("kind", ["response", "revisit", "Resource"])
def test_a_date_with_which_nothing_can_be_reckoned_is_named(kind: str, date: str) -> None:
    assert why_unusable({**GOOD, "WARC-Type": kind, "WARC-Date": date}) == f"its WARC-Date is {date!r}"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.vn:12355.edu:80/", "is not an address: Port could not be cast to integer value"),
        ("http://example.vn:99999/", "is not an address: Port out of range 0-65535"),
        ("http://[::1/x.html", "is not an address: Invalid IPv6 URL"),
        ("http:///x.html", "has no host"),
        ("https:", "has no host"),
    ],
)
def test_an_address_to_which_nothing_can_be_sent_is_named(url: str, reason: str) -> None:
    found = why_unusable({**GOOD, "WARC-Type": "request", "WARC-Target-URI": url})
    assert found is not None
    assert found.startswith(f"its WARC-Target-URI '{url}' {reason}")


def test_a_long_address_is_shown_in_part() -> None:
    found = why_unusable({**GOOD, "WARC-Target-URI": "http://example.vn:x/" + "y" * 1000})
    assert found is not None
    assert len(found) < 250
