"""The lives of the fleet's sites: what they publish and what befalls them, night by night, from a seed.

The first six sites have one of everything that takes little time; the next have what needs a wait, a second server or
many pages; the rest are wanderers, with news, edits, deletions and troubles thrown by the dice of their seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from stories import Danvan, Nukeviet, Platform, Story

OLD = -200
"""Days before the first night on which what a site has from the past ends: nothing of it is visited again."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a whole site does instead of what it should, from its first to its last night."""

    kind: str
    first: int
    last: int

    def lasts(self, night: int) -> bool:
        return self.first <= night <= self.last


@dataclass(frozen=True, slots=True)
class Sign:
    """What has to be heard of a trouble: one of these kinds of problem, within so many nights of its beginning."""

    kinds: frozenset[str]
    within: int = 0
    blocks: bool = True
    """Nothing new can be learned of the site while it lasts."""
    after: int = 0
    """Nights after its end in which the site may still be told unwell."""
    besides: frozenset[str] = frozenset()
    """What may be told of it as well: of a site whose articles cannot be read, that it brings nothing new."""


def _sign(*kinds: str, within: int = 0, blocks: bool = True, after: int = 0, besides: tuple[str, ...] = ()) -> Sign:
    return Sign(frozenset(kinds), within, blocks, after, frozenset(besides))


SIGNS: dict[str, Sign] = {
    "maintenance": _sign("maintenance"),
    "maintenance-503": _sign("maintenance"),
    "login": _sign("login"),
    "hijacked": _sign("parked"),
    "429": _sign("asked_to_wait"),
    "leave-alone": _sign("asked_to_wait"),  # 503, Retry-After of 40 hours: the next night keeps away as well
    "robots": _sign("robots"),
    "moved": _sign("moved"),
    "new-listings": _sign("found_nothing"),
    # Needs ten pages to tell: nights of four articles, and a few more where one is a weekend.
    "new-articles": _sign("layout", "coverage", within=3, after=3, besides=("quiet",)),
    "dead": _sign("unreachable"),
    "server-error": _sign("server_error"),
    "hang": _sign("crashed", "unreachable"),
    "certificate": _sign("certificate", blocks=False),  # told, and no reason to call the site unwell
    "silent": _sign("quiet", within=14, blocks=False),
    # Nothing has to be heard of these: they are passed over, or mended within the night or by the next one.
    "slow": _sign(blocks=False),
    "short-wait": _sign(blocks=False),
    "notices": _sign("maintenance", "errors"),
}
MAY_BE_UNHEARD = frozenset({"slow", "short-wait", "notices"})


@dataclass(slots=True)
class Life:
    """One server and what it serves. With `twins`, each of its sections is a site of its own."""

    name: str
    platform: Platform
    stories: list[Story]
    sections: tuple[str, ...] = ("dan-van-kheo",)
    troubles: list[Trouble] = field(default_factory=list)
    delay: float = 0.0
    sessions: bool = False
    """Links carry a session id that no two visitors share."""
    endless: bool = False
    """After its last page a listing shows that page again and again."""
    tempts: bool = False
    """Listings link pages that robots.txt forbids."""
    secure: bool = False
    twins: bool = False
    adapted: int | None = None
    """The night before which the operator puts the site's new host into its profile."""
    a_page: int = 10
    mapped: bool = False
    """Has a sitemap that names every article."""

    @property
    def slugs(self) -> tuple[str, ...]:
        names = (
            [f"{self.name}-{chr(97 + number)}" for number in range(len(self.sections))] if self.twins else [self.name]
        )
        return tuple(f"{name}-danvan" for name in names)

    def slug_of(self, section: int) -> str:
        return self.slugs[section if self.twins else 0]

    def trouble(self, night: int) -> Trouble | None:
        return next((one for one in self.troubles if one.lasts(night)), None)

    def path(self, story: Story) -> str:
        return self.platform.path(self.sections[story.section], story)


def fleet_lives(sites: int, days: int, seed: int) -> list[Life]:
    """The lives of so many sites over so many days."""
    lives: list[Life] = []
    scripts: Iterator[Callable[[int, random.Random], Life]] = iter(
        [busy, modern, twins, troubled, reserved, moving, expired, hanging, archive, unlucky, falling_silent,
         redesigned, sluggish, mapped]
    )  # fmt: skip
    while sum(len(life.slugs) for life in lives) < sites:
        dice = random.Random(f"{seed} {len(lives)}")
        script = next(scripts, None)
        lives.append(script(days, dice) if script is not None else wanderer(days, dice, len(lives)))
    return lives


def _past(count: int, gap: int = 25, section: int = 0, first: int = 1) -> list[Story]:
    """Articles of years past, of which a site has so many, one every `gap` days."""
    return [Story(first + one, OLD - gap * one, section=section) for one in range(count)]


def _news(days: int, dice: random.Random, *, a_day: tuple[int, int], sections: int = 1) -> list[Story]:
    """What is published from day to day; a_day is the least and the most of a day, and no silence is longer than 4."""
    found: list[Story] = []
    silent = 0
    for day in range(1, days):
        count = dice.randint(*a_day)
        silent = silent + 1 if not count else 0
        if silent > 4:
            count, silent = 1, 0
        for _ in range(count):
            number = 1000 + len(found)
            found.append(Story(number, day, section=dice.randrange(sections), pictured=number % 4 == 0))
    return found


def _fates(stories: list[Story], days: int, dice: random.Random, share: float) -> list[Story]:
    """Gives some of the news a fate: edited, retitled, deleted, or deleted and back again."""
    changed: list[Story] = []
    for story in stories:
        one = story
        if dice.random() < share:
            fate, after = dice.choice(("edited", "retitled", "gone", "back")), dice.choice((1, 2, 3, 6))
            day = story.day + after
            how = dice.choice(("404", "410", "soft", "front"))
            if fate in ("edited", "retitled"):
                one = _with(story, **{fate: day})
            else:
                one = _with(story, gone=day, how=how, back=_after(story, day) if fate == "back" else None)
        changed.append(one)
    return changed


def _after(story: Story, gone: int) -> int:
    """A day on which an article may come back: after the two visits that find it gone."""
    first = next(story.day + days for days in (1, 3, 7, 30) if story.day + days >= gone)
    return first + 3


def _with(story: Story, **fate: object) -> Story:
    values = {name: getattr(story, name) for name in story.__slots__}
    return Story(**{**values, **fate})


def busy(days: int, dice: random.Random) -> Life:
    """News every day in two sections, with every fate, session ids in all links, and listings without an end."""
    news = _news(days, dice, a_day=(2, 3), sections=2)
    told = [
        Story(900, 1, edited=2), Story(901, 1, gone=2, how="404", back=5), Story(902, 2, gone=3, how="soft"),
        Story(903, 2, gone=3, how="front"), Story(904, 1, retitled=3), Story(905, 1, section=1, edited=4),
    ]  # fmt: skip
    stories = _past(14) + _past(12, section=1, first=100) + told + _fates(news, days, dice, 0.2)
    return Life("ban-ron", Danvan(), stories, ("dan-van-kheo", "tin-hoat-dong"), sessions=True, endless=True)


def modern(days: int, dice: random.Random) -> Life:
    """A NukeViet portal with ETags, on which things go as they should but for one short wait and one bad evening."""
    news = _fates(_news(days, dice, a_day=(1, 2)), days, dice, 0.2)
    told = [Story(900, 1, edited=3), Story(901, 2, gone=3, how="410")]
    troubles = [Trouble("short-wait", 3, 3), Trouble("notices", 6, 6)]
    return Life("hien-dai", Nukeviet(), _past(13) + told + news, troubles=troubles)


def twins(days: int, dice: random.Random) -> Life:
    """Two sites on one host: one without any event, one with news now and then."""
    news = [_with(story, section=1) for story in _news(days, dice, a_day=(0, 1))]
    return Life(
        "sinh-doi", Danvan(), _past(12) + _past(11, section=1, first=100) + news, ("im-ang", "thinh-thoang"), twins=True
    )


def troubled(days: int, dice: random.Random) -> Life:
    """One trouble after the other; the last one stays."""
    kinds = ["maintenance", "login", "429", "server-error", "hijacked", "maintenance-503"]
    troubles = [Trouble(kind, 2 + 2 * place, 2 + 2 * place) for place, kind in enumerate(kinds) if 4 + 2 * place < days]
    last = max((one.last for one in troubles), default=0) + 2
    troubles.append(Trouble("new-listings", last, days))
    return Life("lam-nan", Danvan(), _past(11) + _news(days, dice, a_day=(0, 2)), troubles=troubles)


def reserved(days: int, dice: random.Random) -> Life:
    """Wants 0.2 s between requests, forbids a folder that its listings link, once asks for 40 hours of rest, and
    forbids everything in the end."""
    troubles = [Trouble("leave-alone", 3, 4), Trouble("robots", days - 3, days)]
    stories = _past(11) + _news(days, dice, a_day=(0, 1))
    return Life("giu-ke", Danvan(), stories, troubles=troubles, delay=0.2, tempts=True)


def moving(days: int, dice: random.Random) -> Life:
    """Moves to another host; three nights later the operator corrects the profile."""
    first = days // 2
    stories = _past(12) + _news(days, dice, a_day=(1, 2))
    return Life("doi-nha", Nukeviet(), stories, troubles=[Trouble("moved", first, first + 2)], adapted=first + 3)


def expired(days: int, dice: random.Random) -> Life:
    """Serves https with a certificate that has expired."""
    stories = _past(11) + _fates(_news(days, dice, a_day=(0, 2)), days, dice, 0.2)
    return Life("het-han", Danvan(), stories, troubles=[Trouble("certificate", 0, days)], secure=True)


def hanging(days: int, dice: random.Random) -> Life:
    """Takes a connection and never answers, for two nights."""
    stories = _past(11) + _news(days, dice, a_day=(0, 2))
    return Life("treo", Nukeviet(), stories, troubles=[Trouble("hang", days // 3, days // 3 + 1)])


def archive(days: int, dice: random.Random) -> Life:
    """Twenty years of news: 10,000 pages when there are 60 days; and an old one slipped in behind the newest."""
    old = [Story(10_000 + one, OLD - one // 3) for one in range(10_000 if days >= 60 else 20 * days)]
    slipped = [Story(9000, 5, dated=OLD - 90)]
    return Life("kho", Danvan(), old + slipped + _news(days, dice, a_day=(1, 3)), endless=True, a_page=50)


def unlucky(days: int, dice: random.Random) -> Life:
    """Dead for a night, hijacked for three, then well again."""
    troubles = [Trouble("dead", 2, 2), Trouble("hijacked", 5, 7)]
    return Life("xui", Nukeviet(), _past(12) + _news(days, dice, a_day=(0, 2)), troubles=troubles)


def falling_silent(days: int, dice: random.Random) -> Life:
    """News every day for years; then none."""
    last = max(3, days // 3)
    news = [story for story in _news(days, dice, a_day=(1, 2)) if story.day <= last]
    return Life("lang-im", Danvan(), _past(60, gap=1) + news, troubles=[Trouble("silent", last + 1, days)])


def redesigned(days: int, dice: random.Random) -> Life:
    """Its articles look different from a day on, and stay so."""
    stories = _past(12) + _news(days, dice, a_day=(4, 5))
    return Life("giao-dien-moi", Danvan(), stories, troubles=[Trouble("new-articles", days // 2 + 1, days)])


def sluggish(days: int, dice: random.Random) -> Life:
    """Takes its time for every answer in some nights."""
    stories = _past(11) + _fates(_news(days, dice, a_day=(0, 2)), days, dice, 0.2)
    return Life("cham", Nukeviet(), stories, troubles=[Trouble("slow", 2, 6)])


def mapped(days: int, dice: random.Random) -> Life:
    """News in four sections, all in a sitemap: once that has proved itself, most listings are spared."""
    sections = ("dan-van-kheo", "tin-hoat-dong", "van-ban", "dan-toc-ton-giao")
    past = [story for number in range(4) for story in _past(9, section=number, first=100 * number + 1)]
    told = [Story(900, 12, section=1, edited=15), Story(901, 14, section=2, gone=17, how="404")]
    news = _news(days, dice, a_day=(0, 2), sections=4)
    return Life("so-do", Nukeviet(), past + told + news, sections, mapped=True)


def wanderer(days: int, dice: random.Random, number: int) -> Life:
    """News with their fates, and every ten days or so a trouble of a night or two."""
    kinds = ["maintenance", "maintenance-503", "login", "hijacked", "429", "dead", "server-error", "new-listings",
             "short-wait", "notices", "slow", "leave-alone"]  # fmt: skip
    troubles: list[Trouble] = []
    night = dice.randint(3, 10)
    while night < days - 4:
        kind = dice.choice(kinds)
        length = 2 if kind == "leave-alone" else dice.randint(1, 2)
        troubles.append(Trouble(kind, night, night + length - 1))
        night += dice.randint(8, 14)
    platform: Platform = Danvan() if number % 2 else Nukeviet()
    news = _fates(_news(days, dice, a_day=(0, 2)), days, dice, 0.3)
    return Life(f"lang-thang-{number}", platform, _past(dice.randint(11, 25)) + news, troubles=troubles)
