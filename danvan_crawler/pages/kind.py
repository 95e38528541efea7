"""Recognises pages that replace news: a challenge, a login, a maintenance notice, a parked or a hijacked page.

Use `page_kind` only for a page that should be a listing and shows no article: news also report on maintenance and
domains, and nearly every portal has a login box. The patterns are taken from real pages: the markup of Cloudflare,
DataDome and Vietnamese cookie challenges ("document.cookie=…; location.reload"), the sentences of IIS, nginx and
DirectAdmin, the words of domain sellers and of Vietnamese webmasters.

Other pages replace an article, although their status is 200: the page states that the article does not exist
(`says_not_found`), is empty (`is_blank`), or shows a notice or a login (`obstruction`).

All functions check only the beginning of a page (`Page.beginning`), because notices are short. So the time does not
grow with longer pages, and a sentence far down in an article does not make it a notice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from selectolax.lexbor import LexborHTMLParser

from danvan_crawler.pages.page import BEGINNING, Page
from danvan_crawler.vietnamese.text import fold, forms

CHALLENGE = "challenge"
LOGIN = "login"
MAINTENANCE = "maintenance"
PARKED = "parked"

_INVISIBLE_TAGS = ("script", "style", "noscript")
_SHORT = 3_000
"""Maximum characters of text in a notice: it has one or two sentences, and a footer."""

_CHALLENGE_MARKUP = re.compile(
    r"/cdn-cgi/challenge-platform/|cf[-_]chl[-_]|challenges\.cloudflare\.com|captcha-delivery\.com|/_Incapsula_Resource"
    r"|g-recaptcha|h-captcha|sucuri_cloudproxy_js|ddos-guard|__jschl|D1N_",
    re.IGNORECASE,
)
_COOKIE_AND_RELOAD = re.compile(r"document\.cookie\s*=.{0,2000}?location\.(?:reload|href|replace)", re.DOTALL)
_CHALLENGE_WORDS = re.compile(
    r"just a moment|checking (?:if|your browser)|verify(?:ing)? (?:that )?you are (?:a )?human|attention required"
    r"|xac minh (?:ban|rang ban|truy cap)|khong phai (?:la )?(?:robot|nguoi may)|kiem tra trinh duyet"
)
_LOGIN_WORDS = re.compile(r"\b(?:dang nhap|log ?in|sign ?in|mat khau|password)\b")
_MAINTENANCE_WORDS = re.compile(
    r"\bbao tri\b|dang (?:duoc )?nang cap|tam (?:thoi )?(?:ngung|dung|khong) (?:hoat dong|phuc vu|truy cap)"
    r"|dang (?:duoc )?(?:bao duong|xay dung|cap nhat he thong)|gian doan (?:dich vu|truy cap)"
    r"|under (?:maintenance|construction)|(?:scheduled|site) maintenance|temporarily (?:unavailable|down|offline)"
    r"|be (?:right )?back soon|service unavailable"
)
_PARKED_WORDS = re.compile(
    r"domain (?:name )?(?:is |may be )?(?:for sale|parked|has expired|expired)|buy this domain|this domain"
    r"|ten mien (?:nay )?(?:dang (?:duoc )?(?:rao )?ban|da het han|het han|chua duoc|duoc dang ky)|related searches"
    r"|account (?:has been )?suspended|tai khoan (?:hosting )?(?:da )?bi (?:khoa|tam ngung)"
    r"|(?:welcome to nginx|apache2? (?:debian|ubuntu|http server)|iis windows server|default (?:web )?page)"
    r"|it works!|index of /|website (?:mac dinh|chua duoc)|plesk|directadmin"
)
_HIJACKED_WORDS = re.compile(
    r"\b(?:nhà cái|cá cược|nổ hũ|tài xỉu|bắn cá đổi thưởng|đánh bài đổi thưởng|game bài|soi kèo"
    r"|nha cai(?! (?:nghien|tao|cach))|ca cuoc(?! (?:doi|song|hop|hoi|thi|van dong))|no hu|tai xiu"
    r"|ban ca doi thuong|danh bai doi thuong|game bai|soi keo|casino|slot gacor|slot|hacked by|defaced by)\b"
)
"""Searched in the text as printed: without marks, "cả cuộc đời" or "nhà cai nghiện" would match too. Hijacked pages
have both spellings, so each word is listed with and without marks."""
_HIJACKED_AT_LEAST = 3
"""Minimum number of different betting words in a hijacked page (two in its title): news also report on betting."""
_ADVERTISING_WORDS = re.compile(
    r"\b(?:uy tin|so 1|hang dau|top \d+|khuyen mai|link vao|tai app|nap rut|tot nhat|no\.? ?1)\b"
)
"""Words of advertising in a title."""
_DEFACED_WORDS = re.compile(r"\b(?:hacked by|defaced by|slot gacor)\b")
_BETTING_NEWS_WORDS = re.compile(
    r"\b(?:triet (?:pha|xoa)|khoi to|bat (?:giu|tam giam|qua tang)|cong an|xet xu|toa an|danh bac|co bac"
    r"|phong,? (?:va )?chong|canh bao|tac hai|duong day|te nan|toi pham)\b"
)
"""Words in the title of news about betting."""

_NOT_FOUND_WORDS = re.compile(
    r"\b(?:khong tim thay|khong ton tai|khong co (?:bai viet|noi dung|du lieu)|da bi (?:xoa|go|thu hoi)|not found"
    r"|(?:loi|error|http) 404|404 (?:not|error))\b"
)
_LONGEST = 200
"""Maximum characters of a line that reports a missing page; a paragraph about a lost document is longer."""
BLANK = "shows next to no text"
"""The note about such a page."""
_BLANK_LENGTH = 200
"""Characters of text; a broken page (empty, or a PHP or database error) has fewer, a menu alone has more."""


def is_login_titled(page: Page) -> bool:
    """Whether the title is that of a login page. The text is no evidence: portals have a login box on every page."""
    return _LOGIN_WORDS.search(fold(_title_of(page.beginning))) is not None


def _title_of(tree: LexborHTMLParser) -> str:
    return " ".join(node.text() for node in tree.css("title"))


def page_kind(page: Page) -> str | None:
    """`challenge`, `login`, `maintenance` or `parked` (also if hijacked); None for any other page."""
    html, tree = page.text[:BEGINNING], page.beginning
    exact_title, title = forms(_title_of(tree))
    password = any((node.attributes.get("type") or "").lower() == "password" for node in tree.css("input"))
    exact, words = forms(_visible_text(tree))
    said = f"{title} {words}"
    short = len(words) <= _SHORT
    if short and (_CHALLENGE_MARKUP.search(html) or _CHALLENGE_WORDS.search(said) or _is_cookie_challenge(html, words)):
        # A login form may ask for a captcha as well.
        return LOGIN if password else CHALLENGE
    if password and short and _LOGIN_WORDS.search(said):
        return LOGIN
    if _is_shop_title(exact_title, title) or len(_betting_words(exact)) >= _HIJACKED_AT_LEAST:
        return PARKED
    if short and _MAINTENANCE_WORDS.search(said):
        return MAINTENANCE
    if short and _PARKED_WORDS.search(said):
        return PARKED
    return None


def _visible_text(tree: LexborHTMLParser, *, without: Sequence[str] = ()) -> str:
    """The text of a page without its scripts and styles, and without the elements `without`."""
    own = tree.clone()
    own.strip_tags([*_INVISIBLE_TAGS, *without])
    return own.body.text(separator=" ") if own.body is not None else own.text(separator=" ")


def _betting_words(exact: str) -> set[str]:
    """The different betting words in a canonical text; spellings with and without marks count as one."""
    return {fold(word) for word in _HIJACKED_WORDS.findall(exact.lower())}


def _is_shop_title(exact: str, folded: str) -> bool:
    words = _betting_words(exact)
    if not words or _BETTING_NEWS_WORDS.search(folded):
        return False
    return len(words) > 1 or _ADVERTISING_WORDS.search(folded) is not None or _DEFACED_WORDS.search(folded) is not None


def _is_cookie_challenge(html: str, words: str) -> bool:
    """Whether a script sets a cookie and reloads the page, and there is hardly any text."""
    return len(words) < 300 and _COOKIE_AND_RELOAD.search(html) is not None


def says_not_found(page: Page) -> bool:
    """Whether the title or a short line of a page reports that the requested page does not exist.

    Use this only for pages without an article.
    """
    if not page.is_text:
        return False
    tree = page.beginning
    lines = [node.text(deep=True) for node in tree.css("title, h1, h2, h3, h4, p, li, td, strong, b")]
    lines += [node.text(deep=False) for node in tree.css("div, span, center, section, article")]
    return any(_NOT_FOUND_WORDS.search(fold(line)) for line in lines if len(line) <= _LONGEST)


def is_blank(page: Page) -> bool:
    """Whether a page shows next to no text, e.g. the page of a broken portal with status 200.

    Use this only for pages without an article. A page that is not text is not blank.
    """
    if not page.is_text:
        return False
    text = _visible_text(page.beginning, without=["title"]) if page.beginning.body is not None else ""
    return len(" ".join(text.split())) < _BLANK_LENGTH


def obstruction(page: Page, *, redirected: bool) -> str | None:
    """Kind of page in the place of an article: `challenge`, `maintenance`, `parked` or `login`; None for other pages.

    Use this only for pages without an article. Nearly every portal has a login box on all of its pages, so a login
    counts only if a redirect led to it.
    """
    kind = page_kind(page) if page.is_text else None
    return None if kind == LOGIN and not redirected else kind
