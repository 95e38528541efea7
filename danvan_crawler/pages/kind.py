"""What stands in the place of news: a challenge, a login, a notice of maintenance, a parked or a hijacked page.

Ask this only about a page that ought to have been a listing and shows no article: news report on maintenance and on
domains too, and nearly every portal has a login box in its corner. The signs are those that the makers put there:
the markup of Cloudflare, of DataDome and of Vietnam's own cookie challenges ("document.cookie=…; location.reload"),
the sentences of IIS, nginx and DirectAdmin, the words of domain sellers, and those that Vietnamese webmasters use.

Other pages stand in the place of an article, with status 200 all the same: those that say that it is not there
(`says_not_found`), and those that say nothing about it, because the page is empty (`is_blank`) or because of a notice
or a login (`stands_in_the_way`).

All of these look at the beginning of a page only (`Page.beginning`), because notices are short pages. So a long page
takes them no longer than one of that size, and a sentence far down in it can't make a notice of it.
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

_UNSHOWN = ("script", "style", "noscript")
_SHORT = 3_000
"""Characters of text beyond which a page is no notice: those hold a sentence or two, and a footer."""

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
"""Looked for in text as it is printed: without its marks, "cả cuộc đời" or "nhà cai nghiện" would be betting too. Those
who hijack pages write both ways side by side, so each word is here in both."""
_HIJACKED_AT_LEAST = 3
"""Different words of betting shops in a page, or two in its title, make a hijacked one: news report on betting, too."""
_SHOP = re.compile(r"\b(?:uy tin|so 1|hang dau|top \d+|khuyen mai|link vao|tai app|nap rut|tot nhat|no\.? ?1)\b")
"""What a title says of its own shop."""
_VANDALS = re.compile(r"\b(?:hacked by|defaced by|slot gacor)\b")
_ON_BETTING = re.compile(
    r"\b(?:triet (?:pha|xoa)|khoi to|bat (?:giu|tam giam|qua tang)|cong an|xet xu|toa an|danh bac|co bac"
    r"|phong,? (?:va )?chong|canh bao|tac hai|duong day|te nan|toi pham)\b"
)
"""What the title of news on betting says."""

_SAYS_SO = re.compile(
    r"\b(?:khong tim thay|khong ton tai|khong co (?:bai viet|noi dung|du lieu)|da bi (?:xoa|go|thu hoi)|not found"
    r"|(?:loi|error|http) 404|404 (?:not|error))\b"
)
_LONGEST = 200
"""Characters of a line that says so; a paragraph that tells of a lost document is longer."""
BLANK = "shows next to no text"
"""What is noted of such a page."""
_NEXT_TO_NOTHING = 200
"""Characters of text on a page that broke down: an error of PHP or of a database, or nothing; a menu alone has more."""


def is_login_titled(page: Page) -> bool:
    """Whether a page's title says that it is a login; nearly every portal has a login box on all of its pages."""
    return _LOGIN_WORDS.search(fold(_title_of(page.beginning))) is not None


def _title_of(tree: LexborHTMLParser) -> str:
    return " ".join(node.text() for node in tree.css("title"))


def page_kind(page: Page) -> str | None:
    """`challenge`, `login`, `maintenance` or `parked` (hijacked too); None for any other page."""
    html, tree = page.text[:BEGINNING], page.beginning
    exact_title, title = forms(_title_of(tree))
    password = any((node.attributes.get("type") or "").lower() == "password" for node in tree.css("input"))
    exact, words = forms(_shown(tree))
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


def _shown(tree: LexborHTMLParser, *, without: Sequence[str] = ()) -> str:
    """The text of a page without its scripts and styles, and without the elements `without`."""
    own = tree.clone()
    own.strip_tags([*_UNSHOWN, *without])
    return own.body.text(separator=" ") if own.body is not None else own.text(separator=" ")


def _betting_words(exact: str) -> set[str]:
    """The different words of betting shops in a canonical text; with and without marks is one."""
    return {fold(word) for word in _HIJACKED_WORDS.findall(exact.lower())}


def _is_shop_title(exact: str, folded: str) -> bool:
    words = _betting_words(exact)
    if not words or _ON_BETTING.search(folded):
        return False
    return len(words) > 1 or _SHOP.search(folded) is not None or _VANDALS.search(folded) is not None


def _is_cookie_challenge(html: str, words: str) -> bool:
    """A page that sets a cookie by script and loads itself again shows hardly any words; news do."""
    return len(words) < 300 and _COOKIE_AND_RELOAD.search(html) is not None


def says_not_found(page: Page) -> bool:
    """Whether a page's title or one of its short lines says that what was asked for is not there.

    Ask this about pages without an article only.
    """
    if not page.is_text:
        return False
    tree = page.beginning
    lines = [node.text(deep=True) for node in tree.css("title, h1, h2, h3, h4, p, li, td, strong, b")]
    lines += [node.text(deep=False) for node in tree.css("div, span, center, section, article")]
    return any(_SAYS_SO.search(fold(line)) for line in lines if len(line) <= _LONGEST)


def is_blank(page: Page) -> bool:
    """Whether a page shows next to no text, as when a portal breaks down and answers 200 all the same.

    Ask this about pages without an article only. A page that is not text is not blank.
    """
    if not page.is_text:
        return False
    text = _shown(page.beginning, without=["title"]) if page.beginning.body is not None else ""
    return len(" ".join(text.split())) < _NEXT_TO_NOTHING


def stands_in_the_way(page: Page, *, redirected: bool) -> str | None:
    """What hides an article for now: `challenge`, `maintenance`, `parked`, or a `login` that the address leads to.

    Ask this about pages without an article only. Nearly every portal has a login box on all of its pages, so a login
    counts only if a redirect has led to it.
    """
    kind = page_kind(page) if page.is_text else None
    return None if kind == LOGIN and not redirected else kind
