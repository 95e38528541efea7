"""Patterns of the words beside dates on Vietnamese pages, for lower-case text.

Patterns that end in `\\Z` match the text before a stamp, the others the text after it. The words were seen on pages of
Party sites or in templates of their platforms. A date with an unknown label is refused.
"""

from __future__ import annotations

import re

from danvan_crawler.vietnamese._stamp_clock import WEEKDAY


def _any(words: str) -> str:
    """A group that matches any of the expressions, which are separated by ", "."""
    return f"(?:{'|'.join(words.split(', '))})"


# Words between a label and its stamp. They are no evidence by themselves.
_BETWEEN = _any(f"{WEEKDAY}, (?P<day>ngày), hôm, vào lúc, lúc, hồi, vào, on, at")
CONNECTORS = re.compile(rf"(?:(?<!\w){_BETWEEN}[ ,.:|(\[–-]{{0,4}}\n?[ ]?){{1,4}}\Z")
WEEKDAY_WORD = re.compile(rf"(?<!\w){WEEKDAY}")
WEEKDAY_BEFORE = re.compile(rf"(?<!\w){WEEKDAY}[ ,.:|(\[–-]{{0,4}}(?:ngày )?\Z")
WEEKDAY_BEHIND = re.compile(rf"[ ,(|–-]{{0,4}}(?P<name>{WEEKDAY})[ )]{{0,2}}(?:\Z|[\n|)])")

# Labels. Verbs of writing are common in sentences, so they need a word like "ngày" in front.
_GLUE = r"[ \n:.,;|'\"(\[–-]{0,6}\Z"
_POSTING = _any(
    r"đăng(?: (?:tải|tin|bài|bài viết|lên|trên|ngày|lúc|vào)){0,2}, phát hành, xuất bản, xb"
    r", (?:publish(?:ed)?|post(?:ed)?|created?|submitted)(?: (?:on|at|date|time))?"
)
_WRITING = _any(
    "gửi(?: (?:bài|tin|lúc))?, viết, tạo, khởi tạo, nhập, nhập tin, đưa(?: (?:tin|bài|lên))?, tin, bài, giờ"
)
_SUBJECT = _any(
    "ngày(?: giờ)?, giờ, thời gian, thời điểm, lúc, lần, được, đã(?: được)?"
    ", (?:bài|tin)(?: viết| bài)?(?: được| đã(?: được)?)?"
)
# "Viết bởi Quản trị. Đăng trong Tin tức. 23/05/2017": author or section between label and stamp.
_BY = (
    r"(?: (?:bởi|by)[ :]{1,2}[^\n|:]{1,40}"
    r"| (?:trong|in) (?!(?:công )?báo|tạp chí|phụ lục)[^\n|:.0-9–-]{1,40}(?=[|.–-]))?"
)
PUBLISHED = re.compile(
    rf"(?<!\w)(?:(?:{_SUBJECT} )?{_POSTING}|{_SUBJECT} {_WRITING}|gửi lúc"
    r"|(?:khởi tạo|đưa (?:tin|lên)|gửi(?: bài)?)(?= ?:)|(?:(?<![^|\n])|(?<=[|\n] ))date)"
    rf"{_BY}{_GLUE}"
)
# The same verbs before "ngày" or "lúc", which was removed: "Gửi ngày 23/05/2017", "Tạo lúc: 08:05 …".
WRITTEN = re.compile(r"(?<!\w)(?:viết|tạo|khởi tạo|gửi|nhập|đưa(?: tin| lên)?)[ ]?\Z")
# After a labelled date: "Bài viết đăng ngày 23/05/2017 trên Báo Nhân Dân" is about another publication.
OTHER_PUBLICATION = re.compile(r"[ ,]{1,2}(?:trên|của|có|đã|thì|về|nhưng|khi|là|cho biết)(?!\w)")
_LAST = _any("lần cuối, cuối cùng, cuối, mới nhất, gần nhất, tin, lúc")
UPDATED = re.compile(
    rf"(?<!\w)(?:(?:{_SUBJECT} )?cập nhật(?: {_LAST})?|(?:last )?(?:updated?|modified)(?: (?:on|at))?"
    rf"|(?:chỉnh )?sửa(?: đổi)?(?: lần)? cuối(?: cùng)?){_GLUE}"
)
# Ambiguous: "Thời gian: 08:05 23/05/2017" is a stamp, "Thời gian: 8h ngày 23/5" is an invitation.
TIME_LABEL = re.compile(r"(?:\A|[\n|•·]) ?(?:thời gian|thời điểm|time|giờ) ?: ?\Z")
# Flattened tables print a label, a bar and the date on separate lines.
UNKNOWN_LABEL = re.compile(r"[^\W\d_][)\]]? ?:(?:[ \n]?|[ \n]{0,2}\|[ \n]{0,2})\Z")

BYLINE = re.compile(r"(?:\A|[|\n•·»–-]) ?(?:bởi|by|theo|tác giả|nguồn|người (?:đăng|viết|gửi))(?!\w)[^|\n]{1,60}\Z")
_COUNTED = _any(
    "lượt (?:xem|đọc|truy cập), đã (?:xem|đọc), (?:số )?lần (?:xem|đọc), xem, đọc, phản hồi, bình luận, views?"
)
COUNTER = re.compile(rf"(?<!\w){_COUNTED} ?[:(]? ?[0-9][0-9.,]*\)?[ |,;–-]*\Z")
SEPARATED = re.compile(r"[|•·»>\n][ \n]*\Z")

# Words directly before a date that make it another kind of date.
_PART_OF_DAY = "sáng, trưa, chiều, tối, đêm, nay, qua, mai, kia"
_OTHER_DATES = "sinh, mất, ký, số, ban hành, hiệu lực, từ, đến, hạn, bầu cử"
_REFUSING = _any(
    f"{_PART_OF_DAY}, {_OTHER_DATES}, tới, hết, trước, sau, đầu, giữa, cuối, trong, các, những, vòng, áp dụng, thi hành"
    ", hết hạn, hạn chót, họp, nhằm, tức, dịp, lễ, kỷ niệm, kỉ niệm, thành lập, khai mạc, bế mạc, diễn ra, tổ chức"
    ", (?:đóng|mở) thầu, chụp, màn hình, truy cập, khởi hành, trả lời"
    ", bắt đầu, kết thúc, năm, tháng, nhiệm kỳ, khóa, khoá, âm lịch, cấp, và, là, của, tại, ở, sang"
    ", since, until, from, to, till, before, after, between, and, of, born"
)
# The last word of a headline does not refuse a date in brackets, unless it means a day ("sáng nay (23/05/2017)").
_REFUSING_BRACKET = _any(f"ngày, {_PART_OF_DAY}, {_OTHER_DATES}")
REFUSED = re.compile(
    rf"(?<!\w)(?:{_REFUSING}[ \n:,]{{0,3}}|{_REFUSING_BRACKET} ?[(\[])\Z"
    # The day on which a forum member joined, on the line below the member's name.
    r"|(?:\A|\n) ?(?:ngày )?(?:tham gia|gia nhập)[ \n:]{1,3}\Z"
)

# Headlines whose date, in brackets or after a dash, is that of an anniversary or of a document.
OTHER_SUBJECT = re.compile(
    r"(?<!\w)(?:k[ỷỉ] niệm|ngày (?:thành lập|truyền thống|giải phóng|toàn quốc)|hiệu lực|ban hành|nhiệm kỳ"
    r"|sinh|mất|nghị định|quyết định|nghị quyết số|thông tư|chỉ thị số|công văn|kế hoạch số)(?!\w)"
    # The number of a document: 57-NQ/TW, 1673/QĐ-UBND, 100/2019/NĐ-CP.
    r"|(?<![\w/])[0-9]{1,5} ?(?:[-–/] ?|/(?:19|20)[0-9]{2}/)[a-zđ]{2,6} ?[-–/] ?[a-zđ&]{2}"
)

# Spans: days, dates, years and hours joined by a dash, a comma or a word.
_HOUR = r"(?:h[0-9]{0,2}'?| ?giờ(?: ?[0-9]{1,2})?|:[0-9]{2}(?::[0-9]{2})?)"
SPAN_BEFORE = re.compile(
    rf"(?:(?<![0-9])[0-9]{{1,2}}{_HOUR}? ?(?:[–—,;&-]|và|->|→|~)|(?<![0-9])(?:19|20)[0-9]{{2}} ?[–—-]"
    r"|[0-9] ?[/.] ?[0-9]{1,4} ?(?:[–—,;&-]|và)) ?(?:ngày ?)?\Z"
)
SPAN_BEHIND = re.compile(
    r"[ )]? ?(?:(?:cho )?(?:đến|tới|to|until)(?!\w)|(?:[–—&~-]|->|→|và) ?(?:hết )?(?:ngày )?"
    r"(?:[0-9]{1,2} ?(?:[–/.-] ?[0-9]|tháng|h(?![^\W\d])|giờ|:[0-9])|(?:19|20)[0-9]{2}(?![0-9])))"
)
LUNAR_BEHIND = re.compile(r"[ ,]{0,2}\(? ?(?:âm lịch|âl|a\.?l)(?!\w)")

# 23-05-2017-bao-cao.html and bao-cao-23-05-2017.pdf are file names.
NAME_BEFORE = re.compile(r"\w-\Z")
NAME_BEHIND = re.compile(r"-[a-z0-9]")

# Text that pages print after a stamp.
_TRAILING = _any(
    "lượt (?:xem|đọc|truy cập), đã (?:xem|đọc), xem ?:, đọc ?:, số lần, views?, (?:[0-9]+ )?(?:bình luận|phản hồi)"
    ", tác giả, người (?:đăng|viết|gửi|tạo), nguồn ?:, bởi, by, hiệu lực, ngày (?:hiệu lực|hết|cập nhật), cập nhật"
    r", in(?: bài| trang|(?!\w)), print, gửi (?:email|bài|tin|phản hồi), e-?mail, chia sẻ, cỡ chữ, font"
    r", [0-9][0-9.,]* ?(?:lượt|views?|\Z|\n)"
)
TRAILER = re.compile(rf"[ ,;.–-]{{0,4}}{_TRAILING}")
# An appointment: a place or a programme item after the moment.
APPOINTMENT = re.compile(r" ?:|[ ,;.|–-]{0,4}(?:địa điểm|tại)(?!\w)|[ ,;.\n-]{0,4}địa điểm ?:")
