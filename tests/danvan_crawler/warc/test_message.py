"""The parts of an HTTP message and their positions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from danvan_crawler.warc.message import MessageHead, entity_body, parse_head, split_head, split_interim, status_of

EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\n\n"
FINAL = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def test_the_entity_of_every_nasty_message(nasty):
    assert entity_body(nasty.message) == nasty.entity


def test_the_status_of_every_nasty_message(nasty):
    assert status_of(nasty.message) == nasty.status


def test_head_and_body_of_every_nasty_message_are_the_message(nasty):
    assert b"".join(split_head(nasty.message)) == nasty.message


def test_no_nasty_message_has_an_interim_part(nasty):
    assert split_interim(nasty.message) == (b"", nasty.message)


@pytest.mark.parametrize("interim", [b"", EARLY, CONTINUE, EARLY + EARLY, CONTINUE + EARLY])
def test_interim_responses_are_split_off(interim):
    assert split_interim(interim + FINAL) == (interim, FINAL)


@pytest.mark.parametrize("data", [EARLY, EARLY[:-2], CONTINUE + EARLY[:30]])
def test_without_a_final_response_all_bytes_are_interim(data):
    assert split_interim(data) == (data, b"")


def test_switching_protocols_is_a_final_response():
    message = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nraw"
    assert split_interim(EARLY + message) == (EARLY, message)


def test_a_head_ends_with_its_blank_line():
    assert split_head(FINAL) == (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", b"hello")


def test_a_head_that_never_ended_has_no_body():
    assert split_head(b"HTTP/1.1 200 OK\r\nServer: x\r\n") == (b"HTTP/1.1 200 OK\r\nServer: x\r\n", b"")


def test_a_parsed_head_keeps_names_verbatim_and_strips_values():
    head = parse_head(b"HTTP/1.1 200 Tuy\xe1\xbb\x87t\r\nX-ODD:  a b \t\r\nx-odd:c\nEmpty:\r\n\r\n")
    assert head == MessageHead(
        b"HTTP/1.1 200 Tuy\xe1\xbb\x87t", ((b"X-ODD", b"a b"), (b"x-odd", b"c"), (b"Empty", b""))
    )


def test_a_parsed_head_skips_lines_without_a_colon():
    assert parse_head(b"HTTP/1.1 200 OK\r\nnonsense\r\nA: b\r\n\r\n").fields == ((b"A", b"b"),)


def test_a_folded_field_is_continued():
    assert parse_head(b"HTTP/1.1 200 OK\r\nA: b,\r\n\tc\r\n  d\r\nE: f\r\n\r\n").fields == (
        (b"A", b"b,\tc  d"),
        (b"E", b"f"),
    )


def test_a_continuation_line_without_a_field_is_skipped():
    assert parse_head(b"HTTP/1.1 200 OK\r\n folded\r\nA: b\r\n\r\n").fields == ((b"A", b"b"),)


def test_a_parsed_head_ends_at_the_blank_line():
    assert parse_head(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nC: d\r\n").fields == ((b"A", b"b"),)


def test_fields_are_found_in_any_case():
    head = parse_head(b"GET / HTTP/1.1\r\nSet-Cookie: a\r\nSET-COOKIE: b\r\n\r\n")
    assert head.get(b"set-cookie") == b"a"
    assert head.getall(b"sEt-cookie") == [b"a", b"b"]


def test_a_missing_field_is_none():
    head = parse_head(b"GET / HTTP/1.1\r\n\r\n")
    assert head.get(b"Host") is None
    assert head.getall(b"Host") == []


@pytest.mark.parametrize("line", [b"HTTP/1.1 20 OK", b"HTTP/1.1 2000 OK", b"HTTP/1.1 OK", b"GET / HTTP/1.1", b"HTT"])
def test_an_invalid_status_line_has_no_status(line):
    assert status_of(line + b"\r\n\r\n") is None


def test_a_transfer_coding_other_than_chunked_stays():
    assert entity_body(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nContent-Length: 1\r\n\r\nabc") == b"abc"


def test_chunked_after_another_transfer_coding_is_removed():
    assert entity_body(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n") == b"abc"


@given(chunks=st.lists(st.binary(min_size=1)), trailer=st.sampled_from([b"", b"X: y\r\n"]), cut=st.floats(0, 1))
def test_a_cut_chunked_body_is_a_prefix_of_the_entity(chunks, trailer, cut):
    framed = b"".join(b"%X;x=y\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n" + trailer + b"\r\n"
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    whole = b"".join(chunks)
    assert entity_body(head + framed) == whole
    assert whole.startswith(entity_body(head + framed[: int(cut * len(framed))]))


@given(st.binary())
def test_any_bytes_can_be_split_into_parts(data):
    assert b"".join(split_interim(data)) == data
    assert b"".join(split_head(data)) == data
    parse_head(data)
    entity_body(data)
