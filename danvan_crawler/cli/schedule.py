"""`danvan schedule`: prints or installs the nightly crawl as a crontab line or a systemd timer."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click
from rich.console import Console

from danvan_crawler import clock
from danvan_crawler.archive.layout import env_path, log_path, schedule_path
from danvan_crawler.archive.schedule import CRON, SYSTEMD, Schedule, owner, read_schedule, write_schedule
from danvan_crawler.archive.site_log import MAX_BYTES, OLDER_FILES
from danvan_crawler.cli.common import archive_option, errors, sites_option, write_out
from danvan_crawler.exceptions import UsageError
from danvan_crawler.fleet.cron import crontab_line, has_cron, line_in, read_crontab, with_line, write_crontab
from danvan_crawler.fleet.environment_file import carried, env_text, names_in, remove, write_private
from danvan_crawler.fleet.installed import refuse_second
from danvan_crawler.fleet.nightly import NIGHT_LIMIT, Nightly, crawl_command
from danvan_crawler.fleet.systemd import (
    UNIT,
    has_units,
    refuse_other,
    remove_units,
    systemctl,
    unit_folder,
    units,
    write_units,
)
from danvan_crawler.health.notifications import VARIABLE, delivery_problem
from danvan_crawler.plurals import counted
from danvan_crawler.settings_check import from_environment


def _hour_and_minute(_context: click.Context, option: click.Parameter, value: str) -> tuple[int, int]:
    found = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})", value)
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        raise click.BadParameter(f"must be a time of day like 01:30, got {value!r}", param=option)
    return int(found[1]), int(found[2])


@click.command("schedule")
@click.option(
    "--time",
    "at",
    default="01:30",
    show_default=True,
    metavar="HH:MM",
    callback=_hour_and_minute,
    help="When, by the machine's clock.",
)
@click.option(
    "--jobs", type=click.IntRange(1, 64), default=4, show_default=True, help="Sites crawled at the same time."
)
@click.option(
    "--night-limit",
    type=click.IntRange(0, 10**8),
    default=NIGHT_LIMIT,
    show_default=True,
    metavar="SECONDS",
    help="Stop all sites cleanly after this time; 0: never.",
)
@click.option("--systemd", is_flag=True, help="A user-level systemd service and timer instead of a crontab line.")
@click.option("--install", is_flag=True, help="Install it. An existing entry for this archive is replaced.")
@click.option("--uninstall", is_flag=True, help="Remove it.")
@archive_option
@sites_option
def command(
    at: tuple[int, int],
    jobs: int,
    night_limit: int,
    systemd: bool,
    install: bool,
    uninstall: bool,
    archive: Path,
    site_folders: tuple[Path, ...],
) -> None:
    """Crawl all sites every night: print the crontab line that does it, or install it.

    Paths are absolute. The current DANVAN_ settings are saved in ARCHIVE/schedule.env for the nightly crawl. To change
    anything, install again with all options and settings: those that are not given go back to their defaults. The crawl
    prints nothing if all went well. An archive has one schedule, in cron or in systemd. `danvan status` reports a site
    that misses a night of it.

    \b
    Example:
      danvan schedule --time 01:30
      danvan schedule --time 01:30 --night-limit 14400 --install
      danvan schedule --systemd --install
    """
    if install and uninstall:
        raise UsageError("give --install or --uninstall, not both")
    folders = [*(Path(folder).absolute() for folder in from_environment("DANVAN_SITES")), *site_folders]
    nightly = Nightly(
        archive,
        *at,
        command=crawl_command(archive, folders, jobs, night_limit),
        environment=carried(os.environ),
    )
    console = errors()
    if uninstall:
        _uninstall(nightly, console, systemd=systemd)
        return
    notify = delivery_problem(nightly.environment.get(VARIABLE, ""))
    if notify is not None and install:
        raise UsageError(f"cannot be scheduled: {notify}")
    if notify is not None:
        console.print(notify, markup=False)
    if not install:
        _print(nightly, systemd=systemd)
    elif systemd:
        _install_units(nightly, console)
    else:
        _install_line(nightly, console)
    if "DANVAN_CONTACT" not in nightly.environment:
        console.print("DANVAN_CONTACT is not set: webmasters will have no contact address.", markup=False)
    console.print(
        f"Each site's log is {log_path(archive, '<slug>')}; at {MAX_BYTES // 1_000_000} MB it is renamed, "
        f"and {counted(OLDER_FILES, 'older file')} stay beside it.",
        markup=False,
    )


def _print(nightly: Nightly, *, systemd: bool) -> None:
    line = "" if systemd else crontab_line(nightly)
    write_out(f"# {env_path(nightly.archive)}\n{env_text(nightly.environment)}")
    for name, text in units(nightly).items() if systemd else ():
        write_out(f"# {unit_folder(os.environ) / name}\n{text}")
    if line:
        write_out(line)


def _install_line(nightly: Nightly, console: Console) -> None:
    line = crontab_line(nightly)
    crontab = read_crontab()
    refuse_second(nightly.archive, CRON, os.environ)
    _write_settings(nightly, console)
    write_crontab(with_line(crontab, nightly.archive, line))
    _note(nightly, CRON, console)
    console.print(f"In your crontab, every night at {nightly.hour:02}:{nightly.minute:02}:\n{line}", markup=False)
    if (before := line_in(crontab, nightly.archive)) not in (None, line):
        console.print(f"It replaces:\n{before}", markup=False)
    console.print("cron mails what the crawl prints. A night without problems prints nothing.")


def _note(nightly: Nightly, kind: str, console: Console) -> None:
    """Notes in the archive what is scheduled, for `danvan status`."""
    days: float = from_environment("DANVAN_VERIFY_DAYS")
    new = Schedule(kind, nightly.hour, nightly.minute, clock.now(), owner(), days)
    before = read_schedule(nightly.archive)
    if before is not None and before.owner not in ("", new.owner):
        sentence = (
            f"{before.owner} had scheduled this archive before ({before.kind}): make sure that it is not any more."
        )
        console.print(sentence, markup=False)
    write_schedule(nightly.archive, new)


def _write_settings(nightly: Nightly, console: Console) -> None:
    path = env_path(nightly.archive)
    missing = sorted(names_in(path) - set(nightly.environment))
    write_private(path, env_text(nightly.environment))
    console.print(f"Written: {path}, the current settings", markup=False)
    if missing:
        console.print(f"No longer set: {', '.join(missing)}", markup=False)


def _install_units(nightly: Nightly, console: Console) -> None:
    refuse_other(nightly.archive, unit_folder(os.environ))
    refuse_second(nightly.archive, SYSTEMD, os.environ)
    _write_settings(nightly, console)
    for path in write_units(nightly, unit_folder(os.environ)):
        console.print(f"Written: {path}", markup=False)
    _note(nightly, SYSTEMD, console)
    enable = ("enable", "--now", f"{UNIT}.timer")
    refusal = systemctl("daemon-reload") or systemctl(*enable)
    if refusal is None:
        console.print(f"The timer runs: every night at {nightly.hour:02}:{nightly.minute:02}.")
    else:
        console.print(f"The timer is not running yet ({refusal}). Run this in a login session:", markup=False)
        console.print(f"  systemctl --user daemon-reload && systemctl --user {' '.join(enable)}")
    console.print("User timers stop when you log out, unless `loginctl enable-linger` was run once.")


def _uninstall(nightly: Nightly, console: Console, *, systemd: bool) -> None:
    """Removes the line or the timer; the settings are kept if the other one still needs them."""
    archive, folder = nightly.archive, unit_folder(os.environ)
    if systemd:
        refuse_other(archive, folder)
        systemctl("disable", "--now", f"{UNIT}.timer")
        removed = remove_units(archive, folder)
        systemctl("daemon-reload")
        for path in removed:
            console.print(f"Removed: {path}", markup=False)
        if not removed:
            console.print("There was no timer.")
        needed = has_cron() and line_in(read_crontab(), archive) is not None
    else:
        before = read_crontab()
        if line_in(before, archive) is not None:
            write_crontab(with_line(before, archive, None))
            console.print(f"Removed from your crontab: the line for {archive}.", markup=False)
        else:
            console.print(f"Your crontab has no line for {archive}.", markup=False)
        needed = has_units(archive, folder)
    noted = read_schedule(archive)
    if not needed or (noted is not None and noted.kind == (SYSTEMD if systemd else CRON)):
        remove(schedule_path(archive))
    if not needed and remove(env_path(archive)):
        console.print(f"Removed: {env_path(archive)}", markup=False)
