"""Detection of the charset of a page."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from danvan_crawler.vietnamese.charset import decode
from danvan_crawler.vietnamese.text import decode_legacy

WORDS = "Đảng bộ Tỉnh ủy Quảng Ngãi, dân vận khéo"


@pytest.mark.parametrize("header", [None, "utf-8", "windows-1252", "iso-8859-1", "x-unknown", '"UTF-8"'])
def test_a_utf8_page_is_utf8_with_any_header(header: str | None) -> None:
    found = decode(WORDS.encode(), header)
    assert (found.text, found.charset) == (WORDS, "utf-8")


@pytest.mark.parametrize("header", [None, "utf-8", "windows-1252", "windows-1258"])
def test_a_windows_1258_page_is_read_and_composed_with_any_header(header: str | None) -> None:
    found = decode("dân v\u00e2\u0323n khéo".encode("cp1258"), header)  # the code page has tones after their letter
    assert (found.text, found.charset) == ("dân vận khéo", "cp1258")


def test_a_windows_1252_page_that_says_utf8_keeps_its_letters() -> None:
    assert decode("café, Genève".encode("cp1252"), "utf-8").text == "café, Genève"


def test_a_wrong_declared_charset_is_reported() -> None:
    assert decode(WORDS.encode(), "windows-1252").disagreement is not None
    assert decode(WORDS.encode(), "utf-8").disagreement is None
    assert decode(WORDS.encode()).disagreement is None


def test_plain_ascii_agrees_with_any_charset() -> None:
    assert decode(b"<p>abc</p>", "windows-1258").disagreement is None


@pytest.mark.parametrize("quote", ["", '"', "'"])
def test_the_markup_is_read_if_the_header_has_no_charset(quote: str) -> None:
    page = f"<html><head><meta charset={quote}shift_jis{quote}></head>".encode() + "日本".encode("shift_jis")
    assert decode(page).charset == "shift_jis"


def test_a_byte_order_mark_decides_and_is_removed() -> None:
    assert decode(codecs.BOM_UTF8 + WORDS.encode(), "windows-1252").text == WORDS
    assert decode(codecs.BOM_UTF16_LE + WORDS.encode("utf-16-le"), "utf-8").text == WORDS


def test_a_page_cut_within_a_letter_is_still_utf8() -> None:
    page = (WORDS * 20).encode()[:-2] + b"\xe1\xbb"
    found = decode(page, "windows-1258")
    assert found.charset == "utf-8"
    assert found.text.startswith(WORDS)


def test_evidence_that_agrees_is_no_disagreement() -> None:
    assert decode(b'<meta charset="utf-8">' + WORDS.encode(), "utf-8").disagreement is None
    assert decode(WORDS.encode()).disagreement is None
    assert decode(b"<p>abc</p>", "windows-1258").disagreement is None
    assert decode("café, Genève".encode("cp1252"), "windows-1252").disagreement is None


@pytest.mark.parametrize(
    ("meta", "header", "said"),
    [
        ("", "windows-1252", "header says windows-1252, bytes are utf-8"),
        ("iso-8859-1", None, "markup says windows-1252, bytes are utf-8"),
        ("windows-1258", "utf-8", "markup says windows-1258, bytes are utf-8"),
        ("windows-1258", "iso-8859-1", "header says windows-1252, markup says windows-1258, bytes are utf-8"),
        ("windows-1258", "cp1258", "header and markup say windows-1258, bytes are utf-8"),
    ],
)
def test_a_disagreement_names_all_wrong_sources(meta: str, header: str | None, said: str) -> None:
    page = f'<meta charset="{meta}"><p>{WORDS}</p>'.encode()
    assert decode(page, header).disagreement == f"charset: {said}"


def test_the_evidence_is_kept() -> None:
    found = decode(f'<meta charset="windows-1258">{WORDS}'.encode(), "iso-8859-1")
    assert (found.header, found.markup, found.declared, found.charset) == ("cp1252", "cp1258", "cp1252", "utf-8")


@pytest.mark.parametrize(
    ("charset", "served"),
    [
        ("TCVN3", "§¶ng bé TØnh ñy Qu¶ng Ng·i, d©n vËn khÐo: \u00adu t\u00ad"),
        ("VNI", "Ñaûng boä Tænh uûy Quaûng Ngaõi, daân vaän kheùo: öu tö"),
        ("VISCII", "Ðäng bµ Tïnh üy Quäng Ngãi, dân v§n khéo: ßu tß"),
    ],
)
@pytest.mark.parametrize("header", [None, "windows-1252", "iso-8859-1", "utf-8", "windows-1258", "iso-8859-2"])
def test_a_page_in_a_legacy_charset_is_detected_by_its_letters(charset: str, served: str, header: str | None) -> None:
    found = decode(f"<p>{served}</p>".encode("cp1252"), header)
    assert (found.text, found.charset) == (f"<p>{WORDS}: ưu tư</p>", charset)
    assert (found.disagreement or "").endswith(f"bytes are {charset}")


def test_a_declared_charset_that_python_lacks_is_read() -> None:
    assert decode("Tïnh".encode("latin-1"), "viscii").text == "Tỉnh"
    assert decode(b'<meta charset="x-viet-tcvn5712">d\xa9n').text.endswith("dân")


@pytest.mark.parametrize(
    "name", ["undefined", "idna", "punycode", "hex", "unicode-escape", "raw-unicode-escape", "utf-7"]
)
def test_a_python_codec_that_is_not_a_charset_is_not_used(name: str) -> None:
    found = decode(b"dan v\xe2n +ADw- \\ud800", name)
    assert (found.header, found.text) == (None, "dan vân +ADw- \\ud800")


def test_legacy_letters_in_a_utf8_page_are_distinguished_from_its_bytes() -> None:
    found = decode("<p>Tỉnh ủy</p><p>§¶ng bé TØnh ñy Qu¶ng Ng·i</p>".encode(), "utf-8")
    assert found.text == "<p>Tỉnh ủy</p><p>Đảng bộ Tỉnh ủy Quảng Ngãi</p>"
    assert found.disagreement == "charset: bytes are utf-8, letters are TCVN3"


@pytest.mark.parametrize(
    "entities", ["T&Oslash;nh &ntilde;y, &reg;&para;ng b&eacute;", "T&#216;nh &#241;y, &#xAE;¶ng bé"]
)
def test_entities_of_legacy_letters_are_decoded(entities: str) -> None:
    assert (
        decode(f"<td>{entities} &amp;&nbsp;&lt;x&gt;</td>".encode()).text
        == "<td>Tỉnh ủy, đảng bộ &amp;\xa0&lt;x&gt;</td>"
    )


def test_the_soft_hyphen_entity_is_a_letter_of_tcvn3() -> None:
    assert decode(b"<h1>&#173;u ti&ordf;n h&shy;&iacute;ng d&Eacute;n &reg;&aring;ng b&micro;o</h1>").text == (
        "<h1>ưu tiên hướng dẫn đồng bào</h1>"
    )


@pytest.mark.parametrize(
    "page",
    [
        "<p>T&#7881;nh &#7911;y Qu&#7843;ng Ng&atilde;i, &reg; &para;</p>",
        "<p>C&ocirc;ng t&aacute;c d&acirc;n v&acirc;n &copy; 2017 &laquo;x&raquo; &reg; &para; 5&micro;m</p>",
        "<p>Noël à Genève, où naît l'été ® ¶</p>",
        "<p>Điều 5 § 3 &sect; 4 ® ø 15 m²</p>",
    ],
)
@pytest.mark.parametrize("charset", ["utf-8", "ascii"])
def test_an_ordinary_page_is_not_changed(page: str, charset: str) -> None:
    served = page.encode(charset, "xmlcharrefreplace")
    assert decode(served).text == served.decode()


def test_markup_scripts_comments_and_addresses_are_not_changed() -> None:
    opaque = '<!-- TØnh ñy Qu¶ng Ng·i --><script>var a="TØnh ñy Qu¶ng Ng·i";</script><a href="/TØnh-ñy-Qu¶ng">'
    page = f"{opaque}TØnh ñy Qu¶ng Ng·i</a>"
    assert decode(page.encode("cp1252")).text == f"{opaque}Tỉnh ủy Quảng Ngãi</a>"


def test_attributes_that_readers_see_are_decoded() -> None:
    page = """<p>TØnh ñy Qu¶ng Ng·i</p><a title="Tin tøc" alt='sù kiÖn &amp; "b¸o"' href="/sù">x</a>"""
    assert decode(page.encode("cp1252")).text == (
        """<p>Tỉnh ủy Quảng Ngãi</p><a title="Tin tức" alt='sự kiện &amp; "báo"' href="/sù">x</a>"""
    )


def test_a_word_may_have_markup_within() -> None:
    page = "<p>S¸ng nay, <b>§</b>¶ng bé <i>t<u>Ø</u>nh</i> häp</p>"
    assert decode(page.encode("cp1252")).text == "<p>Sáng nay, <b>Đ</b>ảng bộ <i>t<u>ỉ</u>nh</i> họp</p>"


def test_a_line_that_is_unicode_in_part_is_decoded_in_part() -> None:
    page = "<p><a>Trang chủ</a> » <a>Tin tøc ho¹t ®éng</a></p><p>Ban D©n vËn TØnh ñy häp phiªn ®Çu</p>"
    assert decode(page.encode()).text == (
        "<p><a>Trang chủ</a> » <a>Tin tức hoạt động</a></p><p>Ban Dân vận Tỉnh ủy họp phiên đầu</p>"
    )


def test_single_words_are_decoded_by_the_charset_of_the_page() -> None:
    page = "<li>Bé</li><li>khÐo</li><p>Ban D©n vËn TØnh ñy häp phiªn ®Çu n¨m</p>"
    assert decode(page.encode("cp1252")).text == "<li>Bộ</li><li>khéo</li><p>Ban Dân vận Tỉnh ủy họp phiên đầu năm</p>"


def test_a_font_name_decides_the_charset_if_letters_are_ambiguous() -> None:
    assert "khéo" not in decode("<font face='Times'>khÐo</font>".encode()).text
    assert "khéo" in decode("<font face='.VnTime'>khÐo</font>".encode()).text
    assert "Có" in decode("<p style='font-family: VNI-Times'>Coù ñöôïc</p>".encode()).text
    unicode_page = "<font face='.VnTime'>Tỉnh ủy, ngày 5 ® Ngô Tôn Đô</font>"
    assert decode(unicode_page.encode()).text == unicode_page


def test_utf8_that_was_decoded_as_windows_1252_is_repaired() -> None:
    found = decode("<p>Tá»‰nh á»§y Quáº£ng NgÃ£i</p>".encode(), "utf-8")
    assert found.text == "<p>Tỉnh ủy Quảng Ngãi</p>"
    assert found.disagreement == "charset: bytes are utf-8, letters are UTF-8 twice"


@given(
    st.text("<>/!-ab &#;=\"'®¶¸øäöðÐÞº§©µé\ufdd0\ufdd1Ø\u00adỉ\n", max_size=200), st.sampled_from(["utf-8", "cp1252"])
)
def test_no_markup_raises(page: str, charset: str) -> None:
    assert decode(page.encode(charset, "ignore")).text.count("<") == page.encode(charset, "ignore").count(b"<")


@given(st.binary(max_size=300), st.one_of(st.none(), st.text(max_size=12), st.sampled_from(["utf-16", "hex", "rot13"])))
def test_no_bytes_and_no_header_raise(body: bytes, header: str | None) -> None:
    decode(body, header)


@given(st.text(max_size=200))
def test_any_text_in_utf8_reads_back(text: str) -> None:
    encoded = text.encode("utf-8", "ignore")
    expected = encoded.decode()
    assume(decode_legacy(expected) == expected)  # letters that form TCVN3 text are decoded as that, as they should be
    assert decode(encoded, "windows-1252").text == expected.removeprefix("\ufeff")
