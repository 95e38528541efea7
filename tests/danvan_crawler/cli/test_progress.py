"""What a crawl of several sites prints at their ends."""

from __future__ import annotations

import io

from rich.console import Console

from danvan_crawler.cli.progress import SitesProgress
from danvan_crawler.exceptions import ExitCode
from danvan_crawler.fleet.child_process import JobResult


def printed(*sites: tuple[str, ExitCode, str], quiet: bool = True) -> str:
    """What is printed for sites that end with these codes after saying this."""
    out = io.StringIO()
    with SitesProgress(Console(file=out, soft_wrap=True, highlight=False), len(sites), quiet=quiet) as watcher:
        for slug, code, words in sites:
            watcher.started(slug)
            for line in words.splitlines():
                watcher.stderr_line(slug, line)
            watcher.ended(JobResult(slug, code))
    return out.getvalue()


FULL = "danvan: {}: {} MB are free on its file system, and 1,000 MB must stay free\n    Make room."


def test_a_night_on_which_all_went_well_prints_nothing() -> None:
    assert printed(("a-danvan", ExitCode.OK, "a-danvan: 1 listing page")) == ""


def test_what_is_the_same_for_all_sites_is_printed_once() -> None:
    sites = [
        (slug, ExitCode.DISK_FULL, FULL.format(slug, free))
        for slug, free in (("a-danvan", "82,227"), ("b-danvan", "82,198"), ("c-danvan", "9"))
    ]
    text = printed(*sites, ("d-danvan", ExitCode.SITE_FAILED, "danvan: d-danvan: no answer"))
    assert text.count("Make room.") == 1
    assert "b-danvan: exit code 6, for the same reason as a-danvan" in text
    assert "c-danvan: exit code 6, for the same reason as a-danvan" in text
    assert "danvan: d-danvan: no answer\nd-danvan: exit code 3\n" in text


def test_sites_that_say_nothing_have_no_reason_in_common() -> None:
    text = printed(("a-danvan", ExitCode.SITE_FAILED, ""), ("b-danvan", ExitCode.SITE_FAILED, ""))
    assert text == "a-danvan: exit code 3\nb-danvan: exit code 3\n"
