"""The kinds of problems of a site, and the remedy for each.

A problem's kind is a word that never changes, so that programs can count it and notifications can distinguish a new
problem from a known one. Its text describes this run; its remedy is the same for all problems of its kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from danvan_crawler.exceptions import ExitCode

REMEDIES: Mapping[str, str] = {
    # the archive and this machine
    "archive": "Look at the log, at the permissions of the archive folder and at its disk. `danvan verify` checks the"
    " files.",
    "crashed": "Read ARCHIVE/logs/<slug>.log. The next run continues. If it happens again, report it with that log.",
    "database": "`danvan rebuild` makes the item database again from the WARC files.",
    "database_busy": "Another program had the database open and locked: a backup, a rebuild, sqlite3 or Datasette. End"
    " it, or run it at another hour. Nothing is lost: the next run continues.",
    "database_newer": "A newer danvan-crawler has migrated the database. Install that version again, or go back with"
    " `danvan migrate --back`.",
    "database_older": "Run `danvan migrate`, or wait for the next crawl: it migrates the database too.",
    "damaged": "`danvan verify --history --json` has the findings. Restore the files from a copy, or run"
    " `danvan verify --repair`, which keeps every complete record, and then `danvan rebuild`.",
    "disk_full": "Make room on the archive's file system, or lower DANVAN_MIN_FREE. The next run continues.",
    "disk_soon": "Make room, or move the archive to a larger disk. What is free is counted down to DANVAN_MIN_FREE.",
    "interrupted": "Nothing to do: the next run continues. If it happens every night, give the crawl more time.",
    "locked": "Wait until the other run has ended, then crawl the site again; the next night does that too. If this"
    " comes every night, look at the process that the message names.",
    "memory": "Raise DANVAN_MEMORY_LIMIT, or crawl fewer sites at a time (--jobs).",
    "overdue": "Check that cron or the timer still runs: `crontab -l` or `systemctl --user list-timers`. Read its mail"
    " and ARCHIVE/logs/<slug>.log. If the schedule is gone, run `danvan schedule --install` again with all options.",
    "parse_error": "The log names the pages. This is an error in this program or in the site's family: report it.",
    "settings": "Correct the setting or the profile that the message names. For the nightly crawl, set it in your shell"
    " and run `danvan schedule --install` again with all options.",
    "unchecked": "Run `danvan verify`. The nightly crawl does that by itself if it was installed by"
    " `danvan schedule --install` of this version.",
    "window": "Nothing to do if the crawl is scheduled inside the window. Otherwise change `window` in the profile or"
    " DANVAN_WINDOW.",
    # the server
    "asked_to_wait": "Nothing to do: a run after that time continues. If this lasts, raise `delay` in the profile or"
    " write to the webmaster.",
    "broken_answer": "The server sends an answer that cannot be read. Open the address in a browser. If it opens there,"
    " report it with the WARC file. If this lasts, write to the webmaster.",
    "certificate": "The crawl continues. Inform the webmaster that the certificate, or the chain sent with it, must be"
    " renewed.",
    "errors": "The log names the pages. Open some in a browser. If they open, raise `delay` in the profile. If they do"
    " not, the site's links are broken: write to the webmaster.",
    "forbidden": "The server refuses us. Set DANVAN_CONTACT, open the site in a browser, and write to the webmaster.",
    "no_address": "The host name has no address. If the site moved, correct `home` and `sections` in the profile and"
    " put the old host into `aliases`. If the site was shut down, set `enabled = false`.",
    "old_tls": "The crawl continues, because the profile has `legacy_tls = true`. Inform the webmaster that the"
    " encryption of the server is outdated: browsers refuse it.",
    "server_error": "The server fails. Open the site in a browser. If this lasts for days, write to the webmaster.",
    "tls": "The server has no encryption that this program accepts: it is too old, or the port does not speak https."
    " Write to the webmaster. If the site opens with http://, put that address into `home` and `sections`.",
    "too_large": "The page is larger than the crawler reads, usually because of an error of the portal. Open it in a"
    " browser. If it is a listing, put a smaller one into `sections`; otherwise write to the webmaster.",
    "unreachable": "The server does not answer. Open the site in a browser. Some portals can be reached only from"
    " inside Vietnam. If the site was shut down, set `enabled = false`.",
    # the site's pages
    "challenge": "The server wants a browser that runs scripts. Write to the webmaster with the address of this machine"
    " and DANVAN_CONTACT, and ask to be let through.",
    "endless": "Nothing to do if the articles of the section are there: the walk ended, everything else was crawled. If"
    " articles are missing, open the page in a browser and correct `sections`, or report how it names its next page.",
    "found_nothing": "Open the section in a browser. If the layout changed, add `[selectors]` to the profile or choose"
    " another `family`. If the address changed, correct `sections`. If the section is empty for good, remove it.",
    "layout": "Open one of the articles in a browser. If the layout changed, add `[selectors]` and keep the old ones"
    " under `[[layouts]]`, or choose another `family`. If listings link pages that are not articles, set `layout` under"
    " `[health]`.",
    "login": "The section asks for a login. If it is meant to be closed, remove it from `sections`. If the site was"
    " hijacked, inform the webmaster.",
    "maintenance": "Wait a day or two. If the notice stays, the site was shut down or moved: look for its new address.",
    "moved": "If it is the same site, put the new host into `home` and `sections` and the old one into `aliases`. The"
    " item_ids stay the same.",
    "parked": "The domain was sold, has expired, or was hijacked. If it was hijacked, inform the webmaster. Otherwise"
    " set `enabled = false`, or enter the site's new host in the profile. What is archived stays.",
    "refused": "The address leads into a private network. If this is intended, set `private_network = true`.",
    "robots": "robots.txt forbids it, and the crawler obeys. Ask the webmaster to allow the crawl (DANVAN_CONTACT). If"
    " a section stays forbidden, remove it from the profile.",
    "section_gone": "The section's address does not exist, or leads to the front page. Find its new address and correct"
    " `sections`. If the section was closed, remove it.",
    # the articles
    "coverage": "Open a new article in a browser. If the field is there, the layout changed: add `[selectors]` to the"
    " profile. If the site no longer prints it, set `coverage.<field> = false` under `[health]`. After a correction,"
    " the problem is reported until the newest ten articles have the field again.",
    "dates": "Compare an article's date with `danvan show`. For a wrong clock set `clock_offset`, for month before day"
    " set `month_first`. If the site prints these dates, set `dates = false` under `[health]`.",
    "quiet": "Open the site in a browser. If it is silent, raise `quiet_days` under `[health]`. If it has news, look"
    " for a new section or address.",
}
"""Kind of problem -> what to do about it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of a run. `code` is the exit code that it causes; OK if it is only reported."""

    kind: str
    text: str
    code: ExitCode = ExitCode.UNHEALTHY
    statistic: str | None = None
    limit: float | None = None
    """The statistic that was measured, and its threshold from the site's past. Later runs use the same threshold."""

    @property
    def remedy(self) -> str:
        return REMEDIES[self.kind]

    @property
    def in_full(self) -> str:
        """The text, and on a line of its own what to do if anything is to be done."""
        is_worth_a_remedy = self.is_failure or self.code is ExitCode.LOCKED
        return f"{self.text}\n    {self.remedy}" if is_worth_a_remedy else self.text

    @property
    def is_failure(self) -> bool:
        """Whether it makes a site unhealthy. A run that was stopped, or locked out by another one, does not."""
        return self.code not in (ExitCode.OK, ExitCode.INTERRUPTED, ExitCode.LOCKED)

    def as_json(self) -> dict[str, Any]:
        """The problem in run reports and in `danvan status --json`."""
        entry = {"kind": self.kind, "text": self.text, "remedy": self.remedy, "exit_code": int(self.code)}
        return entry if self.limit is None else {**entry, "statistic": self.statistic, "limit": self.limit}


def from_json(found: Iterable[Any]) -> list[Problem]:
    """The problems of a run report; invalid entries and unknown kinds are left out."""
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
    """The exit code of several problems, and the problems: those that cause the code first."""
    found = list(problems)
    code = ExitCode.worst(problem.code for problem in found)
    return code, sorted(found, key=lambda problem: problem.code is not code)


def together(problems: Iterable[tuple[str, Problem]]) -> list[tuple[list[str], Problem]]:
    """Sites and their problems; sites with the same problem share an entry, so that nobody reads it for each of them.

    A full disk is the same for all, whatever each run says about the free space.
    """
    found: dict[tuple[str, str], tuple[list[str], Problem]] = {}
    for site, problem in problems:
        key = (problem.kind, "" if problem.kind == "disk_full" else problem.text)
        found.setdefault(key, ([], problem))[0].append(site)
    return list(found.values())
