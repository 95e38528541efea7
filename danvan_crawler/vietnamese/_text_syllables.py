"""The possible spellings of a Vietnamese syllable: an onset, a rhyme and a tone.

Vietnamese writes every syllable as a separate word, and builds it from few parts. So the spelling of a word shows
without a dictionary whether it is Vietnamese, another language, or text read in the wrong charset. The rules are
those of quốc ngữ spelling:

- c, g, ng are used before a ă â o ô ơ u ư; k, gh, ngh before e ê i y. In names, k is used elsewhere too (Bắc Kạn).
- `qu` takes the rhymes that begin with a rounded vowel, `gi` loses its i before a rhyme in i (giếng, gì).
- A rhyme that ends in a stop (c, ch, p, t) has the acute or the dot below. Names of the highlands end in k, and may
  have no tone (Đăk).

These rules allow 18,000 spellings. They include all 6,631 syllables of a spelling dictionary, and many unused ones.
"""

from __future__ import annotations

from functools import cache

from danvan_crawler.vietnamese._text_letters import VOWELS
from danvan_crawler.vietnamese._text_tones import place

_ONSETS = ("b", "ch", "d", "đ", "h", "kh", "l", "m", "n", "nh", "p", "ph", "r", "s", "t", "th", "tr", "v", "x")

_RHYMES = (
    "a ac ach ai ak am an ang anh ao ap at au ay ăc ăk ăm ăn ăng ăp ăt âc âk âm ân âng âp ât âu ây "
    "e ec em en eng eo ep et ê êch êm ên êng ênh êp êt êu i ia ich im in inh ip it iu iêc iêm iên iêng iêp iêt iêu "
    "o oc oi ok om on ong op ot ooc oong oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt "
    "oe oem oen oeo oet ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt "
    "u ua uc ui um un ung up ut uân uâng uât uây uê uêch uên uênh uôc uôi uôm uôn uông uôt uơ uy uya uych uyn uynh "
    "uyp uyt uyu uyên uyêt ư ưa ưc ưi ưm ưn ưng ưt ưu ươc ươi ươm ươn ương ươp ươt ươu"
)
_RHYMES_OF_QU = (
    "a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc ân âng âp ât âu ây e ec em en eng eo et ep "
    "ê êch ên ênh êt êu i ich in inh it y ya ych yn ynh yt yu yên yêt ơ ơi ôc ôn"
)
_ROUNDED = ("oa", "oă", "oe", "uâ", "uê", "uơ", "uy")
"""Beginnings of rhymes that do not follow c and k: `qu` is written instead."""
_IN_Y = {"": "y yêm yên yêng yêt yêu", "h": "y", "k": "y", "l": "y", "m": "y", "s": "y", "t": "y", "th": "y", "v": "y"}
"""Rhymes in y instead of i with the same sound, by onset; few onsets allow it."""

_STOPS = ("c", "ch", "p", "t")
_ACUTE, _DOT_BELOW = 2, 5
_NEW_STYLE = ("oa", "oe", "uy")
_TONED = {row[0]: row for row in VOWELS}
_SHAPED = "ăâêôơư"

_COMMON = """
ủy bộ tỉnh đảng dân vận xã hội nghị quyết công tác tổ chức chính trị sự kiện đồng đoàn thể huyện quận phường thị
trấn phố thành quốc gia phòng chống tội phạm an ninh trật tự kinh tế văn hóa giáo dục khoa học nghệ y sức khỏe môi
trường tuyên truyền vũ kiểm tra giám sát cán viên chi cơ sở lãnh đạo chỉ hướng dẫn kế hoạch báo cáo thông tri thư bí
đại biểu bầu cử hành động phong trào thi đua khen thưởng xây dựng nông thôn mới đô bảo vệ phát triển đầu tư sản xuất
nghiệp thương mại dịch vụ du lịch lao việc làm nghèo giảm sách pháp luật tưởng đức phương đổi nâng cao chất lượng
hiệu quả nhiệm kết tổng khai thực hiện tiếp tục tăng cường quán triệt tập ưu tiên theo gương hồ chủ tịch minh nước
việt nam cộng nghĩa độc lập hạnh phúc mặt trận phụ nữ niên cựu chiến thiếu nhi tôn tộc thiểu số miền núi biển đảo
biên giới vùng sâu xa bào quần chúng nhân mọi người tầng lớp khéo mẫu mô hình điển nghiệm ý kiến nguyện vọng đối
thoại khiếu nại giải đáp là của và các những được không có cho với trong ngoài trên dưới tại về từ đến để đã đang sẽ
một hai bốn bảy tám chín mười này đó khi sau trước vào ra lên ông bà cửa chữ vững hợp mưa lũ nguyễn trần lê đinh võ
đặng xuống lại cũng như nhiều ít tất cả mỗi từng còn chưa rất hơn nhất cùng giữa ngày tháng năm giờ sáng chiều tối
hôm tuần quý kỷ niệm lễ tết mừng thăm tặng quà gặp ảnh tin tức mục bài viết nguồn giả đọc xem chia sẻ trang liên hệ
thiệu trở cuối cũ lớn nhỏ tốt đẹp đúng quảng thừa huế đà nẵng nội hải hà giang bình hòa định thái lạng sơn điện cần
đắk ngãi thuận phú yên khánh vĩnh hậu bắc tây thủy lợi đường cầu nhà máy đất rừng lúa trồng vật nuôi thuốc bệnh viện
trẻ già giúp đỡ hỗ trợ ủng góp quỹ tiền triệu tỷ
"""
"""The most frequent syllables of Party news, ordinary words and names, in old style."""


@cache
def spellings() -> frozenset[str]:
    """Every possible syllable, in lower case and NFC, with the tone of oa, oe, uy in either place.

    >>> {"nghiêng", "quý", "giếng", "thủy", "thuỷ", "khuỷu"} <= spellings()
    True
    >>> {"fr", "été", "hôtel", "tỏt"}.isdisjoint(spellings())
    True
    """
    found: set[str] = set()
    for onset, rhyme in _parts():
        for tone in _tones_of(rhyme):
            for at in _places(rhyme):
                found.add(onset + rhyme[:at] + _TONED[rhyme[at]][tone] + rhyme[at + 1 :])
    return frozenset(found)


def is_syllable(word: str) -> bool:
    """Whether `word` (NFC, any case) is a possible Vietnamese syllable."""
    return word.lower() in spellings()


def is_common(word: str) -> bool:
    """Whether `word` (NFC, any case, either tone placement) is among the few hundred most frequent syllables."""
    return place(word.lower()) in _common()


@cache
def _common() -> frozenset[str]:
    return frozenset(_COMMON.split())


def _parts() -> set[tuple[str, str]]:
    """Pairs of onset and rhyme. Letters that never carry the tone belong to the onset."""
    parts = {(onset, rhyme) for onset in ("", *_ONSETS) for rhyme in _RHYMES.split()}
    parts |= {("k", rhyme) for rhyme in _RHYMES.split() if not rhyme.startswith(_ROUNDED)}
    parts |= {("c", rhyme) for rhyme in _RHYMES.split() if not rhyme.startswith(("e", "ê", "i", *_ROUNDED))}
    parts |= {(onset, rhyme) for onset in ("g", "ng") for rhyme in _RHYMES.split() if rhyme[0] not in "eêi"}
    parts |= {(onset, rhyme) for onset in ("gh", "ngh") for rhyme in _RHYMES.split() if rhyme[0] in "eêi"}
    parts |= {(onset, rhyme) for onset, rhymes in _IN_Y.items() for rhyme in rhymes.split()}
    parts |= {("qu", rhyme) for rhyme in _RHYMES_OF_QU.split()}
    parts |= {("gi", rhyme) for rhyme in _RHYMES.split() if rhyme[0] != "i"}
    parts |= {("g", rhyme) for rhyme in ("i", "im", "in", "ip", "it", "iêc", "iêm", "iên", "iêng", "iêt")}
    return parts


def _tones_of(rhyme: str) -> tuple[int, ...]:
    """Numbers of the tones that a rhyme can have, in the order of `VOWELS`."""
    if rhyme.endswith(_STOPS):
        return (_ACUTE, _DOT_BELOW)
    return (0, _ACUTE, _DOT_BELOW) if rhyme.endswith("k") else tuple(range(6))


def _places(rhyme: str) -> tuple[int, ...]:
    """Possible positions of the tone in a rhyme: one, or two if old and new style differ."""
    if rhyme in _NEW_STYLE:
        return (0, 1)
    vowels = rhyme.rstrip("chkmngpt")
    shaped = [index for index, vowel in enumerate(vowels) if vowel in _SHAPED]
    if shaped:
        return (shaped[-1],)
    if vowels != rhyme:
        return (len(vowels) - 1,)
    return (1 if len(vowels) == 3 else 0,)
