"""What stands in the place of news, from pages as servers and webmasters make them."""

from __future__ import annotations

import pytest

from danvan_crawler.pages.kind import page_kind

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
def test_a_page_that_is_no_news_is_recognised(html: str, kind: str) -> None:
    assert page_kind(html) == kind


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
def test_anything_else_is_not(html: str) -> None:
    assert page_kind(html) is None


def test_a_huge_page_is_looked_at_in_part_only() -> None:
    assert page_kind("<p>" + "x" * 300_000 + "đang bảo trì</p>") is None
