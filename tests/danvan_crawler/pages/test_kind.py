"""Pages shown instead of news, from real servers and webmasters."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from danvan_crawler.pages.kind import is_blank, is_login_titled, obstruction, page_kind, says_not_found
from danvan_crawler.pages.page import BEGINNING, Page

MakePage = Callable[..., Page]

LOGIN_BOX = '<form><input name="u"><input type="password" name="p"><button>Đăng nhập</button></form>'
NEWS = "<p>Sáng 23/5, Ban Dân vận Tỉnh ủy tổ chức hội nghị sơ kết công tác dân vận sáu tháng đầu năm.</p>" * 60


@pytest.mark.parametrize(
    ("html", "kind"),
    [
        (
            "<title>Just a moment...</title><body><noscript>Enable JavaScript and cookies to continue</noscript>"
            "<script>window._cf_chl_opt={};a.src='/cdn-cgi/challenge-platform/h/b/orchestrate'</script></body>",
            "challenge",
        ),
        ("<script>document.cookie='D1N=a0b1';window.location.reload(true);</script>", "challenge"),
        ("<h1>Xác minh bạn không phải là robot</h1><div class='g-recaptcha'></div>", "challenge"),
        (f"<title>Đăng nhập hệ thống</title>{LOGIN_BOX}", "login"),
        (f"<title>Sign in</title>{LOGIN_BOX.replace('Đăng nhập', 'Log in')}<div class='g-recaptcha'></div>", "login"),
        ("<h2>Website đang được nâng cấp, xin quý vị quay lại sau</h2>", "maintenance"),
        ("<p>Hệ thống tạm ngừng hoạt động để bảo trì</p>", "maintenance"),
        ("<title>503 Service Unavailable</title><h1>Service Unavailable</h1>", "maintenance"),
        ("<title>Under construction</title>", "maintenance"),
        ("<title>example.vn</title><p>This domain is for sale. Buy this domain.</p>", "parked"),
        ("<p>Tên miền này đã hết hạn, vui lòng liên hệ nhà đăng ký.</p>", "parked"),
        ("<title>Welcome to nginx!</title><h1>Welcome to nginx!</h1>", "parked"),
        ("<h1>Account has been suspended</h1>", "parked"),
        (f"<title>Nhà cái uy tín số 1</title>{NEWS}", "parked"),
        (f"{NEWS}<a>tài xỉu</a><a>casino</a><a>game bài</a>", "parked"),
        ("<title>Nhà cái số 1</title><p>casino</p>", "parked"),
        ("<title>Nhà cái, tài xỉu, nổ hũ</title>", "parked"),
        ("<title>98win</title><p>nha cai moi 2023</p><p>tài xỉu</p><p>xem no hu</p>", "parked"),
        ("<title>nha cai uy tin 2023</title><p>kuwin</p>", "parked"),
        ("<title>Hacked by someone</title>", "parked"),
        ("<h1>Hacked by someone</h1><p>casino nổ hũ</p>", "parked"),
    ],
)
def test_a_page_instead_of_news_is_recognised(make_page: MakePage, html: str, kind: str) -> None:
    assert page_kind(make_page(html)) == kind


@pytest.mark.parametrize(
    "html",
    [
        f"<html><body>{LOGIN_BOX}{NEWS}</body></html>",
        f"<p>Trang web đang được nâng cấp.</p>{NEWS}",
        f"<p>Triệt phá đường dây cá cược bóng đá, thu giữ nhiều tang vật</p>{NEWS}",
        "<title>Phóng sự: Cả cuộc đời vì nhân dân</title><p>video</p>",
        "<title>Ảnh: Kiểm tra nhà cai nghiện</title><p>Krông Nô huyện mạnh, ông No Hùng, nhà cải tạo, ca cuộc sống</p>",
        "<title>Cano huấn luyện</title><p>Cano huấn luyện ở Krông Nô, nhà cai nghiện, cả cuộc đời, gam e bài</p>",
        "<title>Phòng chống cờ bạc, cá cược và tài xỉu</title>",
        "<title>Triệt phá đường dây nhà cái uy tín</title><p>Video</p>",
        "<title>Nha cai nghien o huyen</title><p>Ca cuoc doi vi dan, ca cuoc song moi</p>",
        "<title>Nhà cái</title>",
        "<html><body><ul><li>Chuyên mục chưa có bài viết</li></ul></body></html>",
        "<script>document.cookie='a=b'</script>" + NEWS,
        "",
        "<",
    ],
)
def test_other_pages_are_not_recognised(make_page: MakePage, html: str) -> None:
    assert page_kind(make_page(html)) is None


@pytest.mark.parametrize(
    ("html", "is_titled"), [("<title>Đăng nhập hệ thống</title>", True), (f"<title>Tin tức</title>{LOGIN_BOX}", False)]
)
def test_a_login_page_is_distinguished_from_a_login_box_by_its_title(
    make_page: MakePage, html: str, is_titled: bool
) -> None:
    assert is_login_titled(make_page(html)) is is_titled


@pytest.mark.parametrize(
    ("html", "says_so"),
    [
        ("<title>404 Not Found</title>", True),
        ("<div>Không tìm thấy trang<p>Về trang chủ</p></div>", True),
        (f"<h2>Bài viết đã bị xóa</h2>{NEWS}", True),
        (f"<p>{'Đồng chí cho biết tài liệu đó không tồn tại. ' * 9}</p>", False),
        (NEWS, False),
    ],
)
def test_a_page_is_not_found_if_a_short_line_says_so(make_page: MakePage, html: str, says_so: bool) -> None:
    assert says_not_found(make_page(html)) is says_so


@pytest.mark.parametrize(
    ("html", "blank"),
    [
        ("", True),
        ("<title>Ban Dân vận</title><h1>Lỗi</h1>", True),
        (f"<body><script>{NEWS}</script><style>{NEWS}</style><noscript>{NEWS}</noscript>", True),
        ("<td>x<frameset><frame src=x>", True),
        (NEWS, False),
    ],
)
def test_a_page_without_text_is_blank(make_page: MakePage, html: str, blank: bool) -> None:
    assert is_blank(make_page(html)) is blank


def test_a_login_page_is_an_obstacle_only_after_a_redirect(make_page: MakePage) -> None:
    login = make_page(f"<title>Đăng nhập</title>{LOGIN_BOX}")
    assert obstruction(login, redirected=True) == "login"
    assert obstruction(login, redirected=False) is None
    assert obstruction(make_page("<p>Hệ thống đang bảo trì</p>"), redirected=False) == "maintenance"


def test_a_page_that_is_not_text_has_no_kind(make_page: MakePage) -> None:
    page = make_page("<title>404 Not Found, login</title>", content_type="image/png")
    assert (is_blank(page), says_not_found(page), is_login_titled(page)) == (False, False, False)
    assert (page_kind(page), obstruction(page, redirected=True)) == (None, None)


def test_the_checks_do_not_change_the_page(make_page: MakePage) -> None:
    page = make_page(f"<title>x</title><script>var a</script>{NEWS}")
    before = page.tree.html
    page_kind(page), is_blank(page), says_not_found(page), is_login_titled(page)
    assert page.tree.html == before


NOTICE = "<h1>Không tìm thấy</h1><p>Trang web đang bảo trì</p>"
HUGE = ["<p>" + "x" * 5_000_000, "<p>x</p>" * 600_000, "<div><p>x" * 600_000, "<font size=1><p>x" * 300_000]


@pytest.mark.slow
@pytest.mark.parametrize("filling", HUGE, ids=lambda filling: filling[:20])
def test_of_a_page_of_5_mb_only_the_beginning_is_checked(make_page: MakePage, filling: str) -> None:
    """Checking or parsing the whole page would take minutes for some of these."""
    before, after = make_page(NOTICE + filling), make_page(filling + NOTICE)
    assert (says_not_found(before), says_not_found(after)) == (True, False)
    assert (page_kind(after), is_blank(after), is_login_titled(after)) == (None, False, False)


def test_a_notice_is_recognised_by_the_beginning_of_a_huge_page(make_page: MakePage) -> None:
    start = f"<title>Thông báo</title>{NOTICE}<script>"
    filling = "var a = 1;" * 500_000
    assert page_kind(make_page(f"{start}{filling}</script>{NEWS}")) == "maintenance"
    assert is_blank(make_page(f"<script>{filling}</script>{NEWS}"))
    assert not is_blank(make_page(f"{NEWS}<script>{filling}</script>"))


def test_the_last_character_that_is_checked(make_page: MakePage) -> None:
    word = "bao tri"
    start = f"<!--{'x' * (BEGINNING - len('<!----><p>') - len(word))}--><p>"
    assert page_kind(make_page(f"{start}{word}{'x' * 10}")) == "maintenance"
    assert page_kind(make_page(f"{start} {word}{'x' * 10}")) is None
