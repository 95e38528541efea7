"""Vietnamese-looking text by the metre: the same number gives the same words, on every machine.

A search index behaves as its words are distributed. Vietnamese is written in some thousands of syllables, few of them
in every article and most of them rare, so the words here follow Zipf's law: first those of every Party report, then
syllables built from onset, rime and tone. Now and then comes one of the set phrases that people search for, or the
number of a decision, which some thirty articles in 300,000 share.
"""

from __future__ import annotations

import random
import unicodedata
from itertools import accumulate, product

REPORT = (
    "công tác dân vận của hệ thống chính trị các huyện miền núi trong tỉnh đạt nhiều kết quả quan trọng việc lãnh đạo "
    "chỉ đạo tổ chức triển khai nghị quyết được quan tâm thực hiện cấp ủy chính quyền gắn với nhiệm vụ địa phương đơn "
    "vị nhân dân nông thôn mới khối đại đoàn kết toàn dân phong trào thi đua mô hình khéo đồng chí cán bộ đảng viên "
    "hội nghị ban thường vụ phát biểu kết luận đề nghị tiếp tục nâng cao chất lượng xã phường bản thôn hộ gia đình"
)
"""Words of every report, the most frequent ones of the vocabulary."""
PHRASES = (
    "dân vận khéo", "nông thôn mới", "khối đại đoàn kết", "quy chế dân chủ cơ sở", "tiếp xúc đối thoại",
    "đồng bào dân tộc thiểu số", "giảm nghèo bền vững", "cải cách hành chính", "an sinh xã hội", "tín dụng chính sách",
    "giải phóng mặt bằng", "hòa giải ở cơ sở", "chuyển đổi số", "bảo hiểm y tế", "xuất khẩu lao động",
    "vệ sinh môi trường", "an ninh trật tự", "khuyến học khuyến tài", "hiến đất làm đường", "nhà văn hóa thôn",
)  # fmt: skip
"""What people search for; one paragraph in five or so holds one."""
_ONSETS = (
    "b", "c", "ch", "d", "đ", "g", "gi", "h", "kh", "l", "m", "n", "ng", "nh", "ph", "qu",
    "r", "s", "t", "th", "tr", "v", "x",
)  # fmt: skip
_RIMES = (
    "a", "an", "ang", "anh", "ao", "ay", "âm", "ân", "ăn", "ăng", "em", "ên", "inh", "in", "ong", "ôn", "ông", "ơi",
    "um", "ung", "ưng", "ươi",
)  # fmt: skip
_TONES = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
_NUCLEI = frozenset("aâăeêioôơuư")


def _with_tone(rime: str, tone: str) -> str:
    """The rime with a combining tone mark on its vowel, which for `ươi` is the second one."""
    place = 1 if rime.startswith("ươ") else next(at for at, letter in enumerate(rime) if letter in _NUCLEI)
    return unicodedata.normalize("NFC", rime[: place + 1] + tone + rime[place + 1 :])


def _vocabulary() -> list[str]:
    syllables = [onset + _with_tone(rime, tone) for onset, rime, tone in product(_ONSETS, _RIMES, _TONES)]
    random.Random("syllables").shuffle(syllables)
    return list(dict.fromkeys([*REPORT.split(), *syllables]))


VOCABULARY = _vocabulary()
"""Every word, from the most frequent to the rarest."""
_WEIGHTS = list(accumulate(1 / (rank + 8) for rank in range(len(VOCABULARY))))


def sentence(chance: random.Random, words: int) -> str:
    """One sentence of so many words, capitalised, with its full stop."""
    found = chance.choices(VOCABULARY, cum_weights=_WEIGHTS, k=words)
    if words > 10:
        found[words // 2] += ","
    return f"{' '.join(found).capitalize()}."


def headline(chance: random.Random) -> str:
    """A headline of 9 to 16 words."""
    return sentence(chance, chance.randint(9, 16))[:-1].replace(",", "")


def paragraph(chance: random.Random) -> str:
    """A paragraph of 40 to 130 words in sentences of 12 to 26, about 0.2 to 0.8 KB of UTF-8."""
    wanted = chance.randint(40, 130)
    sentences = []
    while wanted > 0:
        length = chance.randint(12, 26)
        sentences.append(sentence(chance, length))
        wanted -= length
    if chance.random() < 0.2:
        sentences.append(f"Cùng với {chance.choice(PHRASES)}, {sentence(chance, 8).lower()}")
    if chance.random() < 0.1:
        sentences.append(f"Căn cứ Quyết định số {chance.randint(1, 9999)}-QĐ/TU, {sentence(chance, 8).lower()}")
    return " ".join(sentences)


def queries() -> list[str]:
    """Forty searches of every kind that users make: phrases, common and rare words, unmarked ones, prefixes."""
    rare = [*VOCABULARY[-1:-300:-120], "464-QĐ/TU", "Quyết định số 7-QĐ/TU"]
    middle = VOCABULARY[300:1500:240]
    common = ["dân", "công tác", "hội nghị", "kết quả", "chính quyền"]
    phrases = [f'"{phrase}"' for phrase in PHRASES[:8]]
    words = list(PHRASES[8:13])
    unmarked = ["dan van kheo", "nong thon moi", "giam ngheo ben vung", "chuyen doi so", '"bao hiem y te"']
    other = ["nghị* quyết", "dân vận -khéo", "dan* van*", '"cải cách hành chính" xã', "không-có-từ-này-đâu"]
    mixed = [f"{phrase} {word}" for phrase, word in zip(PHRASES[13:15], middle[:2], strict=True)]
    return [*common, *middle, *rare, *phrases, *words, *unmarked, *other, *mixed]
