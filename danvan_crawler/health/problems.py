"""What can be wrong with a site, by kind, with what a person can do about it.

A problem's kind is a word that stays the same from night to night, so that machines can count it and notifications can
tell a new trouble from one that is known. Its text is of this run, its remedy is the same for all of its kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from danvan_crawler.exceptions import ExitCode

REMEDIES: Mapping[str, str] = {
    # the archive and this machine
    "archive": "Look at the log and at the rights of the archive folder; `danvan verify` checks what is there.",
    "crashed": "Look at ARCHIVE/logs/<slug>.log; the next run continues where this one ended. If it ends so again,"
    " report it with that log.",
    "database": "`danvan rebuild` derives the item database again from the WARC files.",
    "disk_full": "Make room on the archive's file system, or lower DANVAN_MIN_FREE; the next run continues.",
    "interrupted": "Nothing to do: the next run continues. If it happens every night, give the crawl more time.",
    "memory": "Raise DANVAN_MEMORY_LIMIT, or crawl fewer sites at a time (--jobs).",
    "overdue": "Look whether cron or the timer still runs (`danvan schedule`), and at its mail.",
    "parse_error": "The log names the pages; it is an error of this program or of the site's family: report it.",
    "settings": "Correct the setting or the profile that is named. Settings of the nightly crawl are those of the"
    " shell in which `danvan schedule --install` was last run: set it right there, and run that again.",
    "window": "Nothing to do when the crawl is scheduled inside the window; see DANVAN_WINDOW and the key `window`.",
    # the server
    "asked_to_wait": "Nothing to do: the next run after that moment goes on. If it stays so, raise the"
    " profile's `delay` or write to the webmaster.",
    "certificate": "The crawl goes on. Tell the webmaster that the certificate, or the chain sent with it, has"
    " to be renewed.",
    "errors": "The log names the pages. Open some in a browser. Do they work there, raise the profile's `delay`;"
    " are they not there either, the site's links are broken: write to the webmaster.",
    "forbidden": "The server refuses us. Set DANVAN_CONTACT, open the site in a browser, and write to the webmaster.",
    "no_address": "The host name has no address. Has the site moved? Then correct `home` and `sections` in the"
    " profile and put the old host into `aliases`; is it given up, set `enabled = false`.",
    "server_error": "The server fails. Open the site in a browser; if it stays so for days, write to the webmaster.",
    "unreachable": "The server does not answer. Open the site in a browser; from abroad some portals can be"
    " reached only by machines in Vietnam. Is it given up, set `enabled = false`.",
    # what it serves
    "challenge": "The server wants a browser that runs scripts. Write to the webmaster, with the address of"
    " this machine and DANVAN_CONTACT, and ask to be let through.",
    "found_nothing": "Open the section in a browser. Has the layout changed, the profile needs `[selectors]`,"
    " or another `family`; has the address changed, correct `sections`; is the section empty for good, take it out.",
    "layout": "Open one of the articles in a browser. Has the layout changed, the profile needs `[selectors]`,"
    " with the old ones under `[[layouts]]`, or another `family`. Do listings link what are no articles, set `layout`"
    " under `[health]`.",
    "login": "The section asks for a login. Is it meant to be closed, take it out of `sections`; has somebody"
    " hijacked the site, tell the webmaster.",
    "maintenance": "Nothing to do for a day or two. If it stays so, the site is given up or moved: look for"
    " its new address.",
    "moved": "Is it the same site, put the new host into `home` and `sections` and the old one into `aliases`:"
    " item_ids stay the same.",
    "parked": "The domain was given up, sold or hijacked. Is it hijacked, tell the webmaster; else set"
    " `enabled = false`, or put the site's new host into the profile. What is archived stays.",
    "refused": "The address leads into a private network. Is that meant, the profile needs `private_network = true`.",
    "robots": "robots.txt forbids it, and is obeyed. Ask the webmaster to allow it, with DANVAN_CONTACT. Where all of a"
    " section stays forbidden, take the section out of the profile.",
    "section_gone": "The section's address leads nowhere, or to the front page. Look for its new one there and correct"
    " `sections`; is the section given up, take it out.",
    # what came out
    "coverage": "Open a new article in a browser. Does it show the field, the layout has changed: the profile"
    " needs `[selectors]`. Is it not there any more, set `coverage.<field> = false` under `[health]`."
    " Once mended, it is told until the newest ten articles have the field again.",
    "dates": "Compare an article's date with `danvan show`. A clock that is wrong is `clock_offset`, month"
    " before day is `month_first`. Are they what the site prints, set `dates = false` under `[health]`.",
    "quiet": "Open the site in a browser. Is it silent, raise `quiet_days` under `[health]`; does it have"
    " news, look for a new section or address.",
}
"""Kind of problem -> what to do about it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `code` is the exit code that it gives a run; OK when it is only to be told."""

    kind: str
    text: str
    code: ExitCode = ExitCode.UNHEALTHY
    statistic: str | None = None
    limit: float | None = None
    """What was measured, and the threshold that the site's past gave: the next runs hold it against the same one."""

    @property
    def remedy(self) -> str:
        return REMEDIES[self.kind]

    @property
    def is_failure(self) -> bool:
        """Whether a site with it is unhealthy. A run that was stopped, or kept out by another one, says nothing."""
        return self.code not in (ExitCode.OK, ExitCode.INTERRUPTED, ExitCode.LOCKED)

    def as_json(self) -> dict[str, Any]:
        """As run reports and `danvan status --json` have it."""
        told = {"kind": self.kind, "text": self.text, "remedy": self.remedy, "exit_code": int(self.code)}
        return told if self.limit is None else {**told, "statistic": self.statistic, "limit": self.limit}


def from_json(found: Iterable[Any]) -> list[Problem]:
    """The problems of a run report; what is none, or of a kind that this version does not know, is left out."""
    problems = []
    for one in found:
        if isinstance(one, dict) and one.get("kind") in REMEDIES:
            code = one.get("exit_code", ExitCode.UNHEALTHY)
            known = ExitCode(code) if code in set(ExitCode) else ExitCode.ERROR
            limit = one.get("limit")
            measured = (str(one.get("statistic")), float(limit)) if isinstance(limit, int | float) else (None, None)
            problems.append(Problem(one["kind"], str(one.get("text", "")), known, *measured))
    return problems


def worst_first(problems: Iterable[Problem]) -> tuple[ExitCode, list[Problem]]:
    """The exit code of several problems, and them with those behind it first."""
    found = list(problems)
    code = ExitCode.worst(problem.code for problem in found)
    return code, sorted(found, key=lambda problem: problem.code is not code)
