"""Addresses: variants of one page, addresses of different pages, and invalid addresses."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from danvan_crawler import urls
from danvan_crawler.urls import (
    bare_host,
    canonical,
    document_base,
    endpoint,
    file_name,
    host_of,
    is_canonical,
    item_id,
    join,
    path_key,
    without_credentials,
)

ADDRESS = "http://danvan.example.vn/tin/bai-1.html"
ODD = [
    "", " ", "http://", "http://[", "http://[::1", "http://a:b/", "http://a:99999/", "http://a:-1/x", "//", "///x", "?",
    "http://℀.vn/", "http://a/\ud800", "\ud800", "\0", "javascript:void(0)", "mailto:a@b.vn", "tel:+84", "a b", "%",
    "#", "%zz",
    "http://a/%ff", "http://.../", "http://a@b@c:80:80/", "http:///x", "http:\\\\a\\b", "data:image/png;base64,AA==",
    "http://" + "a" * 300 + ".vn/", "http://-a-.vn/", "HTTP://[V1.X]/",
]  # fmt: skip


def test_the_docstring_examples_are_correct() -> None:
    assert doctest.testmod(urls).failed == 0


@pytest.mark.parametrize(
    "variant",
    [
        ADDRESS + "?utm_source=zalo&utm_medium=social",
        ADDRESS + "?fbclid=IwAR0",
        ADDRESS + "?print=1",
        ADDRESS + "?in=1",
        ADDRESS + "?print",
        ADDRESS + "?PHPSESSID=abc",
        ADDRESS + ";jsessionid=ABC.node1",
        ADDRESS + "?&",
        ADDRESS + "#binh-luan",
        "HTTP://DANVAN.example.vn:80/tin/bai-1.html",
        "http://danvan.example.vn./tin/bai-1.html",
        "http://danvan.example.vn/(S(abc123))/tin/bai-1.html",
        f"  {ADDRESS}\n",
    ],
)
def test_a_variant_has_the_canonical_address_of_its_page(variant: str) -> None:
    assert canonical(variant) == ADDRESS
    assert item_id("vi-du-danvan", canonical(variant)) == item_id("vi-du-danvan", ADDRESS)


@pytest.mark.parametrize(
    "other",
    [
        "http://danvan.example.vn/tin/bai-2.html",
        "http://danvan.example.vn/tin//bai-1.html",
        "http://danvan.example.vn/Tin/bai-1.html",
        "http://danvan.example.vn/tin/bai-1.html/",
        ADDRESS + "?id=1",
        ADDRESS + "?in=2017",
        "http://danvan.example.vn/modules.php?name=News&op=viewst&sid=543",
        ADDRESS + "?print=preview",
        ADDRESS + "&print=1",
        "http://danvan.example.vn:8080/tin/bai-1.html",
    ],
)
def test_an_address_that_may_be_another_page_stays_different(other: str) -> None:
    assert canonical(other) == other


def test_the_rest_of_a_query_keeps_its_order_and_spelling() -> None:
    assert canonical(ADDRESS + "?b=2&fbclid=x&a=%c4%83&sid=9f0e&c") == ADDRESS + "?b=2&a=%c4%83&c"


def test_letters_outside_of_ascii_are_encoded_as_in_browsers() -> None:
    assert canonical("http://tỉnhủy.vn/tin tức?q=ă") == "http://xn--tnhy-vw5a2h.vn/tin%20t%E1%BB%A9c?q=%C4%83"


@pytest.mark.parametrize("host", ["tỉnhủy.vn", "TỈNHỦY.VN", "tỉnhủy.vn.", "tỉnhủy。vn", "t%E1%BB%89nh%e1%bb%a7y.vn"])
def test_a_unicode_host_is_one_host_however_it_is_written(host: str) -> None:
    assert canonical(f"http://{host}/a") == "http://xn--tnhy-vw5a2h.vn/a"
    assert host_of(f"http://{host}:8080/a") == bare_host(f"http://www.{host}/") == "xn--tnhy-vw5a2h.vn"
    assert endpoint(f"http://{host}:8080/a") == ("xn--tnhy-vw5a2h.vn", 8080)


@pytest.mark.parametrize("host", ["[2001:db8::1]", "[2001:DB8:0:0:0:0:0:1]", "[2001:0db8::0001]"])
def test_an_ipv6_address_is_one_host_however_it_is_written(host: str) -> None:
    assert canonical(f"http://{host}:8080/a") == "http://[2001:db8::1]:8080/a"
    assert host_of(f"http://{host}/a") == "2001:db8::1"


@pytest.mark.parametrize("host", ["a" * 64 + "ă.vn", "​.vn", "ă..vn", "%zz.vn", "[::g]", "[fe80::1%25eth0]"])
def test_a_host_that_cannot_be_encoded_breaks_nothing(host: str) -> None:
    for function in (canonical, host_of, bare_host, endpoint, path_key):
        function(f"http://{host}/a")


def test_an_ipv6_address_keeps_its_brackets() -> None:
    assert canonical("http://[::1]:8080/x#y") == "http://[::1]:8080/x"


@pytest.mark.parametrize(
    "twin",
    [
        "https://danvan.example.vn/tin/bai-1.html",
        "http://www.danvan.example.vn/tin/bai-1.html",
        "http://cu.vn/tin/bai-1.html",
    ],
)
def test_hosts_and_schemes_of_one_site_share_keys_and_ids(twin: str) -> None:
    assert path_key(twin) == path_key(ADDRESS) == "/tin/bai-1.html"
    assert item_id("vi-du-danvan", twin) == item_id("vi-du-danvan", ADDRESS)


def test_an_item_id_has_the_site_and_a_stable_hash() -> None:
    assert item_id("vi-du-danvan", ADDRESS) == "vi-du-danvan-84cb6ddfbec702f9"
    assert item_id("khac-danvan", ADDRESS) == "khac-danvan-84cb6ddfbec702f9"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (ADDRESS, True),
        ("https://www.danvan.example.vn/tin/bai-1.html#anh", True),
        (ADDRESS + "?print=1", False),
        (ADDRESS + "?utm_source=zalo", False),
        (ADDRESS + ";jsessionid=1", False),
        ("http://[", False),
    ],
)
def test_only_the_canonical_address_is_canonical(url: str, expected: bool) -> None:
    assert is_canonical(url, ADDRESS) is expected


@pytest.mark.parametrize(
    ("url", "host", "bare", "where"),
    [
        ("https://WWW.Example.vn/x", "www.example.vn", "example.vn", ("www.example.vn", 443)),
        ("http://example.vn.:8080/x", "example.vn", "example.vn", ("example.vn", 8080)),
        ("http://user:secret@example.vn/x", "example.vn", "example.vn", ("example.vn", 80)),
        ("http://[::1]/x", "::1", "::1", ("::1", 80)),
        ("http://[", "", "", ("", 0)),
        ("mailto:a@b.vn", "", "", ("", 0)),
    ],
)
def test_hosts(url: str, host: str, bare: str, where: tuple[str, int]) -> None:
    assert (host_of(url), bare_host(url), endpoint(url)) == (host, bare, where)


def test_an_address_with_an_invalid_port_is_invalid() -> None:
    assert endpoint("http://example.vn:80x/") == ("", 0)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/tep/ke-hoach-131.pdf", "ke-hoach-131.pdf"),
        ("/tep/K%E1%BA%BF%20ho%E1%BA%A1ch.docx?v=2", "Kế hoạch.docx"),
        ("/tep/Kế hoạch.docx", "Kế hoạch.docx"),
        ("/download.aspx?file=%2Ftep%2Fke-hoach.pdf", "ke-hoach.pdf"),
        ("/tai.php?id=3&name=C%C3%B4ng%20v%C4%83n.doc&x=1", "Công văn.doc"),
        ("/tai?id=3", "tai"),
        ("/download.aspx?id=3", "download.aspx"),
        ("/tep/..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("/tep/..%5C..%5Cboot.ini", "boot.ini"),
        ("/tai.php?file=..%5C..%5Cboot.ini", "boot.ini"),
        ("/tep/", ""),
        ("", ""),
    ],
)
def test_the_name_of_a_file_is_read_from_its_address(path: str, name: str) -> None:
    assert file_name(f"http://danvan.example.vn{path}") == name


@pytest.mark.parametrize("url", ODD)
def test_an_invalid_address_raises_no_error(url: str) -> None:
    assert isinstance(canonical(url) + path_key(url) + host_of(url) + bare_host(url) + file_name(url), str)
    assert endpoint(url)[1] >= 0
    assert item_id("vi-du-danvan", url).startswith("vi-du-danvan-")
    assert not canonical(url).startswith(" ")


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("http://user:pw@example.vn/x", "http://example.vn/x"),
        ("https://user@example.vn:8443", "https://example.vn:8443"),
        ("http://a:b@c@example.vn?d@e", "http://example.vn?d@e"),
        ("HTTP://u:p@[::1]/", "HTTP://[::1]/"),
        ("http://:@example.vn/", "http://example.vn/"),
        ("http://example.vn/@u:p@/", "http://example.vn/@u:p@/"),
        ("http://example.vn\\@x/", "http://example.vn\\@x/"),
        ("http://example.vn/?ve=http://u:p@x.vn/", "http://example.vn/?ve=http://u:p@x.vn/"),
        ("mailto:a@b.vn", "mailto:a@b.vn"),
        ("vi-du-danvan-84cb6ddfbec702f9", "vi-du-danvan-84cb6ddfbec702f9"),
    ],
)
def test_user_name_and_password_are_dropped(url: str, plain: str) -> None:
    assert without_credentials(url) == plain


@pytest.mark.parametrize(
    ("base", "reference", "expected"),
    [
        ("http://a.vn/b/c.html", "d.html", "http://a.vn/b/d.html"),
        ("http://a.vn/b/c.html", "?p=2", "http://a.vn/b/c.html?p=2"),
        ("http://a.vn//van-ban/", "&cpage=2", "http://a.vn//van-ban/&cpage=2"),
        ("http://a.vn//van-ban/&cpage=2", "&cpage=3", "http://a.vn//van-ban/&cpage=3"),
        ("http://a.vn//b///c/", "../d", "http://a.vn//b///d"),
        ("http://a.vn/b/", "c//d.pdf?e=//f", "http://a.vn/b/c//d.pdf?e=//f"),
        ("http://a.vn//b/", "//c.vn//d", "http://c.vn//d"),
        ("http://a.vn//b/", "/c//d", "http://a.vn/c//d"),
        ("http://a.vn//b/", "https://u:p@c.vn//d", "https://c.vn//d"),
        ("http://a.vn//b/", "javascript://c", "javascript://c"),
        ("http://a.vn//b/", "", "http://a.vn//b/"),
    ],
)
def test_a_reference_is_joined_as_browsers_do_it(base: str, reference: str, expected: str) -> None:
    assert join(base, reference) == expected


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ("", ADDRESS),
        ("/goc/", "http://danvan.example.vn/goc/"),
        (" ../\n ", "http://danvan.example.vn/"),
        ("http://khac.vn/x/", "http://khac.vn/x/"),
        ("//KHAC.vn/x/", "http://khac.vn/x/"),
        ("http://u:p@khac.vn./x/", "http://khac.vn./x/"),
        ("http://tỉnhủy.vn/", "http://xn--tnhy-vw5a2h.vn/"),
        ("https://[::1]:8443/", "https://[::1]:8443/"),
    ],
)
def test_a_base_that_is_an_address_is_the_base(declared: str, expected: str) -> None:
    assert document_base(ADDRESS, declared) == expected


@pytest.mark.parametrize(
    "declared",
    [
        'http://[email="a@b.vn/', "http://h:80.edu:80/", "http://[::1", "//[x/", "http://a b/", "http://%zz/",
        "http://:80/", "https://", "http://u:p@/", "mailto:a@b.vn", "javascript:void(0)", "data:,x",
        "file:///C:/", "C:\\web\\", "ftp://a.vn/", "http://xn--/", f"http://{'a' * 64}.vn/", "http://a..vn/",
        "http://.vn/", f"http://{'a.' * 127}vn/", "http://a.vn:0/", "http://a.vn:99999/", "http://a.vn:x/", "http://<a>/",
        "\ud800//",
    ],
)  # fmt: skip
def test_a_base_that_is_no_address_is_ignored(declared: str) -> None:
    assert document_base(ADDRESS, declared).startswith("http://danvan.example.vn/tin/")


PIECES = st.sampled_from(
    ["http://", "https://", "//", "/", "?", "&", "#", ";", "=", "%", "a.vn", ":80", ":", "@", "[", "]", "ă", " ",
     "print=1", "utm_x=1", ";jsessionid=1", "/(S(a))", "x", "..", "\\", "\t", "\ud800"]
)  # fmt: skip
ANY = st.text() | st.lists(PIECES).map("".join)


@given(url=ANY)
def test_no_string_raises_an_error(url: str) -> None:
    for function in (canonical, path_key, host_of, bare_host, endpoint, file_name, without_credentials):
        function(url)
    document_base(ADDRESS, url)
    is_canonical(url, url)
    item_id("vi-du-danvan", url)


@given(url=ANY)
def test_addresses_can_be_encoded_for_a_database_or_file(url: str) -> None:
    (canonical(url) + path_key(url)).encode()


@given(path=st.lists(PIECES).map("".join))
def test_canonicalising_twice_changes_nothing(path: str) -> None:
    once = canonical(f"http://danvan.example.vn/{path}")
    assert canonical(once) == once
    assert path_key(once) == path_key(f"http://danvan.example.vn/{path}")
