"""Archive records made from a recording, and the reasons for which a response is truncated."""

from __future__ import annotations

import pytest
from scrapy.exceptions import DownloadCancelledError, DownloadTimeoutError, ResponseDataLossError, StopDownload

from danvan_crawler.capture.wire import Recording, truncation

URL = "http://example.vn/"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"


@pytest.fixture
def recording() -> Recording:
    recording = Recording(URL)
    recording.begin("203.0.113.7")
    recording.sent(b"GET / HTTP/1.1\r\n")
    recording.sent(b"Host: example.vn\r\n\r\n")
    return recording


def test_exchange_joins_sent_and_received_bytes(recording: Recording) -> None:
    recording.received(RESPONSE[:7])
    recording.received(RESPONSE[7:])
    exchange = recording.exchange()
    assert exchange is not None
    assert (exchange.request, exchange.response) == (b"GET / HTTP/1.1\r\nHost: example.vn\r\n\r\n", RESPONSE)


def test_nothing_received_is_no_exchange(recording: Recording) -> None:
    assert recording.exchange() is None


def test_request_sent_again_discards_the_first_attempt(recording: Recording) -> None:
    recording.received(b"HTTP/1.1 200 OK\r\n")
    recording.begin("203.0.113.8")
    recording.sent(b"again")
    recording.received(RESPONSE)
    exchange = recording.exchange()
    assert exchange is not None
    assert (exchange.request, exchange.response, exchange.ip_address) == (b"again", RESPONSE, "203.0.113.8")


def test_zone_of_an_address_is_left_out() -> None:
    recording = Recording(URL)
    recording.begin("fe80::1%eth0")
    assert recording.ip_address == "fe80::1"


def test_bytes_after_the_message_are_surplus(recording: Recording) -> None:
    recording.received(RESPONSE + b"more")
    recording.ended(4)
    exchange = recording.exchange()
    assert exchange is not None
    assert (exchange.response, exchange.surplus) == (RESPONSE, b"more")


def test_interim_response_without_a_final_one_is_the_response(recording: Recording) -> None:
    recording.received(b"HTTP/1.1 103 Early Hints\r\n\r\n")
    exchange = recording.exchange()
    assert exchange is not None
    assert (exchange.response, exchange.interim) == (b"HTTP/1.1 103 Early Hints\r\n\r\n", b"")


def test_bytes_after_an_aborted_download_are_not_kept(recording: Recording) -> None:
    recording.received(RESPONSE)
    recording.close(None)
    recording.received(b"more")
    exchange = recording.exchange()
    assert exchange is not None
    assert exchange.response == RESPONSE


def test_message_that_ended_is_complete_although_its_download_failed(recording: Recording) -> None:
    recording.ended(0)
    assert truncation(recording, DownloadCancelledError()) is None


def test_orderly_end_of_the_connection_completes_a_body_without_length(recording: Recording) -> None:
    recording.connection_lost(orderly=True)
    recording.ended(0)
    assert truncation(recording, None) is None


def test_body_without_length_is_truncated_by_a_reset(recording: Recording) -> None:
    recording.connection_lost(orderly=False)
    recording.ended(0)
    assert truncation(recording, None) == "disconnect"


def test_connection_that_ends_before_the_message_is_a_disconnect(recording: Recording) -> None:
    recording.connection_lost(orderly=True)
    assert truncation(recording, ResponseDataLossError()) == "disconnect"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (DownloadTimeoutError(), "time"),
        (DownloadCancelledError(), "length"),
        (StopDownload(), "unspecified"),
        (ResponseDataLossError(), "unspecified"),
    ],
    ids=["timeout", "too big", "stopped", "unreadable"],
)
def test_aborted_download_is_truncated_with_its_reason(recording: Recording, error: Exception, reason: str) -> None:
    recording.close(None)
    recording.connection_lost(orderly=True)
    recording.ended(0)
    assert truncation(recording, error) == reason


def test_message_whose_tail_was_not_kept_is_not_complete(recording: Recording) -> None:
    recording.close(None)
    recording.received(RESPONSE)
    recording.ended(0)
    assert truncation(recording, StopDownload()) == "unspecified"
