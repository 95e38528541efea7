"""The sample portal as an HTTP/1.1 server, tested with a plain client."""

from __future__ import annotations

import gzip
import http.client
import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from danvan_crawler.sample import SamplePortal, articles
from danvan_crawler.sample.portal import render


@pytest.fixture
def client(portal: SamplePortal) -> Iterator[http.client.HTTPConnection]:
    with closing(http.client.HTTPConnection(urlsplit(portal.url).netloc)) as connection:
        yield connection


def get(
    client: http.client.HTTPConnection, path: str, method: str = "GET", **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    client.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    response = client.getresponse()
    return response, response.read()


def test_it_listens_on_loopback_at_a_free_port(portal: SamplePortal) -> None:
    address = urlsplit(portal.url)
    assert address.hostname == "127.0.0.1"
    assert address.port


def test_two_portals_run_side_by_side(portal: SamplePortal) -> None:
    with SamplePortal() as other:
        assert other.url != portal.url


def test_a_page_arrives_as_rendered(portal: SamplePortal, client: http.client.HTTPConnection) -> None:
    path = articles(1)[0].path
    response, body = get(client, path)
    assert response.status == 200
    assert response.version == 11
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Content-Length"] == str(len(body))
    assert body == render(path, base_url=portal.url).body


def test_a_connection_serves_many_requests(client: http.client.HTTPConnection) -> None:
    client.connect()
    first = client.sock
    for article in articles(1)[:5]:
        get(client, article.path)
    assert client.sock is first


def test_pages_are_gzipped_on_request(client: http.client.HTTPConnection) -> None:
    _, plain = get(client, "/")
    response, coded = get(client, "/", Accept_Encoding="gzip, deflate")
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Content-Length"] == str(len(coded))
    assert response.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(coded) == plain


def test_equal_pages_are_equal_bytes_when_gzipped_too(client: http.client.HTTPConnection) -> None:
    assert get(client, "/", Accept_Encoding="gzip")[1] == get(client, "/", Accept_Encoding="gzip")[1]


def test_files_are_not_gzipped(client: http.client.HTTPConnection) -> None:
    response, body = get(client, articles(1)[0].images[0].path, Accept_Encoding="gzip")
    assert response.headers["Content-Encoding"] is None
    assert response.headers["Content-Type"] == "image/png"
    assert body.startswith(b"\x89PNG")


def test_a_document_is_found_under_its_encoded_name(client: http.client.HTTPConnection) -> None:
    document = next(one for article in articles(1) for one in article.attachments)
    response, body = get(client, document.path)
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.headers["Content-Disposition"].endswith("131-KH%2FTU.pdf")
    assert body.startswith(b"%PDF-")


def test_an_unchanged_file_is_answered_with_304_by_its_etag(client: http.client.HTTPConnection) -> None:
    first, _ = get(client, "/robots.txt")
    second, body = get(client, "/robots.txt", If_None_Match=first.headers["ETag"])
    assert (second.status, body) == (304, b"")
    assert second.headers["ETag"] == first.headers["ETag"]
    assert get(client, "/robots.txt")[0].status == 200


def test_an_unchanged_file_is_answered_with_304_by_its_date(client: http.client.HTTPConnection) -> None:
    first, _ = get(client, "/favicon.ico")
    assert get(client, "/favicon.ico", If_Modified_Since=first.headers["Last-Modified"])[0].status == 304
    assert get(client, "/favicon.ico", If_Modified_Since="Mon, 01 Jan 2001 00:00:00 GMT")[0].status == 200
    assert get(client, "/favicon.ico", If_Modified_Since="yesterday")[0].status == 200


def test_an_unchanged_page_is_answered_with_304_in_the_coding_that_it_was_sent_in(
    client: http.client.HTTPConnection,
) -> None:
    for coding in ("gzip", "identity"):
        tag = get(client, "/", Accept_Encoding=coding)[0].headers["ETag"]
        assert tag.startswith("W/") is (coding == "gzip")
        again, body = get(client, "/", Accept_Encoding=coding, If_None_Match=tag)
        assert (again.status, body, again.headers["ETag"]) == (304, b"", tag)


def test_an_edited_page_has_another_etag(portal: SamplePortal, client: http.client.HTTPConnection) -> None:
    before = {article.path: article.title for article in articles(1)}
    path = next(one.path for one in articles(2) if before.get(one.path, one.title) != one.title)
    tag = get(client, path)[0].headers["ETag"]
    portal.edition = 2
    assert get(client, path, If_None_Match=tag)[0].status == 200


def test_pages_have_no_date_of_change(client: http.client.HTTPConnection) -> None:
    assert get(client, "/")[0].headers["Last-Modified"] is None
    assert get(client, "/", If_Modified_Since="Mon, 01 Jan 2035 00:00:00 GMT")[0].status == 200


def test_a_different_etag_takes_precedence_over_a_date(client: http.client.HTTPConnection) -> None:
    date = get(client, "/favicon.ico")[0].headers["Last-Modified"]
    assert get(client, "/favicon.ico", If_None_Match='"other"', If_Modified_Since=date)[0].status == 200


def test_head_has_the_headers_of_get_and_no_body(client: http.client.HTTPConnection) -> None:
    whole, body = get(client, "/")
    head, nothing = get(client, "/", method="HEAD")
    assert nothing == b""
    assert head.headers["Content-Length"] == whole.headers["Content-Length"] == str(len(body))
    assert get(client, "/")[1] == body


def test_a_missing_page_is_a_404_and_keeps_the_connection(client: http.client.HTTPConnection) -> None:
    response, body = get(client, "/khong-co")
    assert response.status == 404
    assert "Không tìm thấy trang" in body.decode()
    assert get(client, "/")[0].status == 200


def test_a_redirect_has_an_empty_body(client: http.client.HTTPConnection) -> None:
    response, body = get(client, "/gioi-thieu")
    assert (response.status, response.headers["Location"], body) == (301, "/gioi-thieu/", b"")
    assert response.headers["Content-Length"] == "0"


def test_canonical_links_name_the_port_served(portal: SamplePortal, client: http.client.HTTPConnection) -> None:
    article = next(one for one in articles(1) if one.other_paths)
    _, body = get(client, article.other_paths[0])
    assert f'<link rel="canonical" href="{portal.url.rstrip("/")}{article.path}">' in body.decode()


def test_edition_can_be_set_while_serving(portal: SamplePortal, client: http.client.HTTPConnection) -> None:
    path = articles(2)[-1].path
    assert get(client, path)[0].status == 404
    portal.edition = 2
    assert get(client, path)[0].status == 200


def test_an_unknown_edition_is_refused(portal: SamplePortal) -> None:
    with pytest.raises(ValueError, match="must be 1 or 2, got 0"):
        portal.edition = 0


@pytest.mark.slow
def test_many_clients_are_served_at_once(portal: SamplePortal) -> None:
    found: list[bytes] = []

    def fetch(path: str) -> None:
        with urllib.request.urlopen(portal.url.rstrip("/") + path) as response:
            found.append(response.read())

    threads = [threading.Thread(target=fetch, args=(article.path,)) for article in articles(1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(set(found)) == len(articles(1))


def test_stop_disconnects_waiting_clients(portal: SamplePortal, client: http.client.HTTPConnection) -> None:
    get(client, "/")
    portal.stop()
    assert client.sock.recv(1) == b""


def test_nothing_listens_after_stop() -> None:
    portal = SamplePortal().start()
    address = urlsplit(portal.url)
    portal.stop()
    portal.stop()
    with socket.socket() as probe:
        assert probe.connect_ex((str(address.hostname), int(address.port or 0))) != 0


def test_it_has_no_address_before_it_is_started() -> None:
    with pytest.raises(RuntimeError, match="before it is started"):
        _ = SamplePortal().url


def test_it_starts_again_after_a_stop() -> None:
    portal = SamplePortal()
    for _ in range(2):
        with portal, urllib.request.urlopen(portal.url) as response:
            assert response.status == 200
