"""Site profiles: facts about one portal in one TOML file, checked when they are read.

An invalid profile raises `ProfileError` with file, key and reason, before any request is made.
"""

from __future__ import annotations

import importlib.util
import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta, tzinfo
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit, urlunsplit

from dateutil import tz
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from danvan_crawler.exceptions import ProfileError
from danvan_crawler.sites.rules import Health, Window, checked_window
from danvan_crawler.urls import ascii_host, canonical, endpoint, host_of, without_credentials

MINIMUM_DELAY = 1.0
"""Minimum number of seconds between two requests to a public host; a profile may set more."""
SELECTORS = frozenset({"article_link", "title", "lead", "body", "published", "section"})
"""Keys of a profile's selectors, the same for every family."""
# pydantic would read a year as 365 days, and P30M (a mistake for PT30M) as 900 days.
_DURATION = re.compile(r"[+-]?P(?=.)([0-9]{1,4}D)?(T(?=.)([0-9]{1,4}H)?([0-9]{1,4}M)?([0-9]{1,4}S)?)?")
_TIMEDELTA = TypeAdapter(timedelta)
SLUG = re.compile(r"^[a-z0-9]+(-[a-z0-9]+)+$")
_ZONE_NAME = re.compile(r"UTC|[A-Za-z_]+(?:/[A-Za-z0-9_+-]+)+")
_HOST_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_THIS_MACHINE = frozenset({"localhost", "::1"})
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def is_xpath(selector: str) -> bool:
    """Whether a profile's selector is XPath, and not CSS."""
    return selector.startswith(("/", "./", "("))


def _http_url(value: str) -> str:
    shown = without_credentials(value)
    if not re.match(r"(?i)https?://", value) or re.search(r"\s", value) or _CONTROLS.search(value):
        raise ValueError(f"must be an absolute http:// or https:// address, got {shown!r}")
    try:
        parts = urlsplit(value)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError as error:  # "http://[::1" and ports above 65535
        raise ValueError(f"must be a valid address, got {shown!r}: {error}") from error
    if not usable:
        raise ValueError(f"must have a host, got {shown!r}")
    if shown != value:
        raise ValueError(f"must have no user name and no password, got one before {shown!r}")
    return value


def _one_line(value: str) -> str:
    if _CONTROLS.search(value):
        raise ValueError(f"must be one line without control characters, got {value!r}")
    return value


def _usable_selectors(value: dict[str, str]) -> dict[str, str]:
    for key, selector in value.items():
        if key not in SELECTORS:
            raise ValueError(f"unknown key {key!r}; known keys are {', '.join(sorted(SELECTORS))}")
        if not _is_valid(selector):
            raise ValueError(f"{key}: must be a CSS selector or XPath, got {selector!r}")
    return value


def _is_valid(selector: str) -> bool:
    # Imported here, because most profiles have no selectors, and importing the parsers is slow.
    from parsel import Selector
    from selectolax.lexbor import LexborHTMLParser, SelectolaxError

    try:
        if is_xpath(selector):
            Selector("<p></p>", type="html").xpath(selector)
        else:
            LexborHTMLParser("<p></p>").css(selector)
    except (SelectolaxError, ValueError):
        return False
    return True


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Section(_Strict):
    """One news listing (chuyên mục) of a site."""

    name: Annotated[str, Field(min_length=1)]
    url: str

    _absolute = field_validator("url")(_http_url)
    _plain = field_validator("name")(_one_line)


class Layout(_Strict):
    """Selectors that were valid until a day, for captures made before it."""

    until: Annotated[date, Field(strict=True)]
    selectors: dict[str, str]

    _usable = field_validator("selectors")(_usable_selectors)


# Without `strict`, pydantic would convert enabled = "no" and delay = true silently.
_Flag = Annotated[bool, Field(strict=True)]


class Site(_Strict):
    """A validated profile. `Site.parse` reads TOML text; `source_text` is that text, for the archive."""

    slug: Annotated[str, Field(pattern=SLUG.pattern, max_length=80)]
    name: Annotated[str, Field(min_length=1)]
    family: str
    home: str
    aliases: tuple[str, ...] = ()
    static_hosts: tuple[str, ...] = ()
    province: Annotated[str, Field(pattern=r"^VN-[0-9A-Z]{2}$")]
    body: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    rights: Annotated[str, Field(min_length=1)] | None = None
    timezone: str = "Asia/Ho_Chi_Minh"
    clock_offset: str = "PT0S"
    month_first: _Flag = False
    first_year: Annotated[int, Field(ge=1990, le=2100, strict=True)] | None = None
    enabled: _Flag = True
    private_network: _Flag = False
    legacy_tls: _Flag = False
    delay: Annotated[float, Field(ge=0, le=3600, strict=True, allow_inf_nan=False)] = 1.0
    connections: Annotated[int, Field(ge=1, le=64, strict=True)] = 1
    requisites_budget: Annotated[int, Field(ge=0, strict=True)] = 200_000_000
    window: str | None = None
    sections: tuple[Section, ...]
    selectors: dict[str, str] = Field(default_factory=dict)
    layouts: tuple[Layout, ...] = ()
    health: Health = Health()

    _source_text: str = PrivateAttr(default="")

    _absolute = field_validator("home")(_http_url)
    _plain = field_validator("name", "rights")(_one_line)
    _usable = field_validator("selectors")(_usable_selectors)

    @field_validator("sections")
    @classmethod
    def _at_least_one(cls, value: tuple[Section, ...]) -> tuple[Section, ...]:
        # Not with min_length: then pydantic reports a list with invalid entries as empty.
        if not value:
            raise ValueError("must not be empty")
        return value

    @field_validator("aliases", "static_hosts")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            usable = (
                _is_ipv6(host) if ":" in host else _HOST_NAME.fullmatch(host if host.isascii() else ascii_host(host))
            )
            if not usable:
                raise ValueError(f"must be host names in lower case, without scheme and port, got {host!r}")
        return tuple(map(ascii_host, value))

    @field_validator("family")
    @classmethod
    def _known_family(cls, value: str) -> str:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", value) or not _has_module(value):
            raise ValueError(f"unknown family {value!r}: there is no module spiders/families/{value}.py")
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        # gettz reads "" as this machine's zone, "GMT+7" as a POSIX rule (seven hours west), and a path as a file.
        if not _ZONE_NAME.fullmatch(value) or tz.gettz(value) is None:
            raise ValueError(f"unknown time zone {value!r}: give an IANA name such as Asia/Ho_Chi_Minh")
        return value

    @field_validator("window")
    @classmethod
    def _valid_window(cls, value: str | None) -> str | None:
        return checked_window(value) if value is not None else None

    @field_validator("clock_offset")
    @classmethod
    def _is_duration(cls, value: str) -> str:
        if not _DURATION.fullmatch(value):
            raise ValueError(f"must be an ISO 8601 duration such as PT0S or -PT7H, got {value!r}")
        return value

    @model_validator(mode="after")
    def _is_polite(self) -> Site:
        if not self.private_network:
            if self.delay < MINIMUM_DELAY:
                raise ValueError(
                    f"delay: must be at least {MINIMUM_DELAY} seconds unless private_network is true, got {self.delay}"
                )
            if self.connections > 1:
                raise ValueError(f"connections: above 1 needs private_network = true, got {self.connections}")
        return self

    @model_validator(mode="after")
    def _is_unique(self) -> Site:
        for what, values in (
            ("sections: the name", [section.name for section in self.sections]),
            ("sections: the address", [canonical(section.url) for section in self.sections]),
            ("layouts: the day", [layout.until.isoformat() for layout in self.layouts]),
        ):
            twice = next((value for value in values if values.count(value) > 1), None)
            if twice is not None:
                raise ValueError(f"{what} {twice!r} is given twice")
        return self

    @property
    def source_text(self) -> str:
        """The TOML text that the profile was read from."""
        return self._source_text

    @property
    def zone(self) -> tzinfo:
        """The time zone of the site's clock."""
        zone: tzinfo | None = tz.gettz(self.timezone)
        assert zone is not None  # checked by _known_zone
        return zone

    @property
    def hours(self) -> Window | None:
        """The hours in which the site may be crawled, in its time zone; None if the profile does not set any."""
        return Window.parse(self.window) if self.window is not None else None

    @property
    def clock_correction(self) -> timedelta:
        """How far the site's clock is ahead: subtract it from the site's times to get the true time."""
        return _TIMEDELTA.validate_python(self.clock_offset)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Host names of home, sections and aliases in canonical form, without ports, each with and without www."""
        found = [host_of(canonical(url)) for url in (self.home, *(section.url for section in self.sections))]
        return tuple(
            dict.fromkeys(name for host in (*found, *self.aliases) for name in (host, _www_twin(host)) if name)
        )

    def private_endpoints(self) -> frozenset[tuple[str, int]]:
        """(host, port) of home and sections, and of static hosts at these ports, for `private_network`."""
        urls = (self.home, *(section.url for section in self.sections))
        found = {endpoint(canonical(url)) for url in urls}
        return frozenset(found | {(host, port) for host in self.static_hosts for _, port in found})

    def contacted_hosts(self) -> frozenset[str]:
        """The hosts that a crawl may contact, as names for locks: sites that share a host are not crawled in parallel.

        A host with and without www is the same, whatever the port. On a private network each port is a separate server,
        and localhost, 127.0.0.1 and ::1 are the same.
        """
        if self.private_network:
            found = ((host.removeprefix("www."), port) for host, port in self.private_endpoints())
            return frozenset(f"{'127.0.0.1' if host in _THIS_MACHINE else host}:{port}" for host, port in found)
        return frozenset(host.removeprefix("www.") for host in (*self.hosts, *self.static_hosts))

    def at_current_host(self, url: str) -> str:
        """An address at a former host of the site, moved to its current host; other addresses are not changed."""
        servers = {_server(one) for one in (self.home, *(section.url for section in self.sections))}
        if _server(url) in servers or host_of(url) in self.static_hosts:
            return url
        home = urlsplit(canonical(self.home))
        return urlunsplit(urlsplit(url)._replace(scheme=home.scheme, netloc=home.netloc))

    def selectors_at(self, captured_at: str) -> Mapping[str, str]:
        """Selector overrides for a capture made at this WARC-Date; for "", the current ones.

        Before a layout's `until`, in the site's zone, its selectors replace those of the profile. If several layouts
        apply, the one with the earliest `until` is used.
        """
        day = datetime.fromisoformat(captured_at).astimezone(self.zone).date() if captured_at else None
        if day is not None:
            for layout in sorted(self.layouts, key=lambda candidate: candidate.until):
                if day < layout.until:
                    return {**self.selectors, **layout.selectors}
        return self.selectors

    @classmethod
    def parse(cls, text: str, *, origin: str = "profile") -> Site:
        """Parses a profile from TOML text. `origin` is its name in errors, e.g. the file's path.

        Raises ProfileError with origin, key and reason.
        """
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ProfileError(f"{origin}: not valid TOML: {error}") from error
        try:
            site = cls.model_validate(data)
        except ValidationError as error:
            raise ProfileError(f"{origin}: {_reasons(error.errors())}") from error
        site._source_text = text
        return site


def _has_module(family: str) -> bool:
    try:
        return importlib.util.find_spec(f"spiders.families.{family}") is not None
    except ModuleNotFoundError:  # `spiders` itself: _layout.activate() was not called
        return False


def _is_ipv6(host: str) -> bool:
    """Whether a host is an IPv6 address, with or without brackets."""
    try:
        return ip_address(host.removeprefix("[").removesuffix("]")).version == 6
    except ValueError:
        return False


def _www_twin(host: str) -> str | None:
    """www.example.vn for example.vn and vice versa; None for hosts that cannot have www."""
    if host.startswith("www."):
        return host.removeprefix("www.")
    try:
        ip_address(host)
    except ValueError:
        return f"www.{host}" if "." in host else None
    return None


_MESSAGES = {
    "missing": "required key is missing",
    "extra_forbidden": "unknown key",
    "string_too_short": "must not be empty",
    "tuple_type": "must be a list: for tables, put the header in double brackets",
    "date_type": "must be a day like 2019-06-01, without quotes and time",
}
"""Messages in TOML terms for Pydantic's types of error."""


def _reasons(details: Iterable[Any]) -> str:
    """All reasons in a sentence; keys with the same one are named together."""
    keys: dict[str, list[str]] = {}
    for detail in details:
        key, message = _reason(detail)
        keys.setdefault(message, []).append(key)
    return "; ".join(
        f"{', '.join(filter(None, names))}: {message}".removeprefix(": ") for message, names in keys.items()
    )


def _reason(detail: Any) -> tuple[str, str]:
    """The key that is wrong, empty if it is not one alone, and the message."""
    key = ".".join(str(part) for part in detail["loc"])
    message = _MESSAGES.get(detail["type"]) or str(detail["msg"]).removeprefix("Value error, ")
    if detail["type"] not in ("value_error", "missing", "extra_forbidden"):
        message = f"{message}, got {detail['input']!r}"
    return key, message


def _server(url: str) -> str:
    """Host of an address, without www, and its port if that is not the default."""
    return urlsplit(canonical(url)).netloc.removeprefix("www.")
