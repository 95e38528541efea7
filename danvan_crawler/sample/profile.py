"""The site profile of the sample portal, for `danvan demo`."""

from __future__ import annotations

from urllib.parse import urljoin

from danvan_crawler.sample._content import sections

SLUG = "mau-danvan"


def profile_toml(home_url: str) -> str:
    """The profile as TOML for a portal served at `home_url` (absolute, "http://127.0.0.1:8000/").

    It allows private addresses, for this host and port only, with 0.1 s between requests, which keeps the demo short.
    """
    head = f"""\
slug = "{SLUG}"
name = "Ban Dân vận Tỉnh ủy (cổng mẫu)"
family = "danvan_portal"
home = "{urljoin(home_url, "/")}"
province = "VN-21"
body = "ban-dan-van"
private_network = true
delay = 0.1
"""
    tables = (
        f'\n[[sections]]\nname = "{section.name}"\nurl = "{urljoin(home_url, section.path)}"\n'
        for section in sections()
    )
    return head + "".join(tables)
