"""`danvan schedule` with a small script as the crontab program, so that no real crontab is changed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Danvan = Callable[..., Any]

REFUSES = """#!/bin/sh
echo "You (tester) are not allowed to use this program (crontab)" >&2
exit 1
"""
OTHERS = "MAILTO=nguoi-truc@example.vn\n# m h dom mon dow command\n0 5 * * * /usr/bin/backup --all  # danvan-crawler\n"


def program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")
    (folder / name).chmod(0o755)


def table(programs: Path) -> str:
    return (programs / "table").read_text(encoding="utf-8")


def crontab_line(printed: str) -> str:
    """The last line of the output, after the settings."""
    return printed.splitlines()[-1] + "\n"


def settings(archive: Path) -> str:
    return (archive / "schedule.env").read_text(encoding="utf-8")


def units(tmp_path: Path) -> Path:
    return tmp_path / "home" / ".config" / "systemd" / "user"


def test_the_line_is_printed_with_absolute_paths(danvan: Danvan, programs: Path, tmp_path: Path) -> None:
    (tmp_path / "ho-so").mkdir()
    result = danvan("schedule", "--time", "2:05", "--jobs", "4", "--archive", "kho", "--sites", "ho-so")
    assert result.code == 0
    assert result.out == (
        f'# {tmp_path}/kho/schedule.env\nDANVAN_CONTACT="luutru@example.vn"\n\n'
        f"5 2 * * * set -a; . {tmp_path}/kho/schedule.env; set +a; "
        f"{sys.executable} -m danvan_crawler crawl --all --jobs 4 --night-limit 21600 --quiet --verify "
        f"--archive {tmp_path}/kho --sites {tmp_path}/ho-so # danvan-crawler {tmp_path}/kho\n"
    )
    assert f"Each site's log is {tmp_path}/kho/logs/<slug>.log; at 1 MB it is renamed" in result.err
    assert not (programs / "table").exists()
    assert not (tmp_path / "kho").exists()


def test_without_options_it_is_off_peak_and_ends_after_six_hours(danvan: Danvan, programs: Path) -> None:
    line = crontab_line(danvan("schedule").out)
    assert line.startswith("30 1 * * * ")
    assert " crawl --all --jobs 4 --night-limit 21600 --quiet " in line
    assert "--night-limit" not in danvan("schedule", "--night-limit", "0").out


def test_current_settings_are_included_except_those_of_tests(
    danvan: Danvan, programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DANVAN_OPERATOR", "Lưu trữ tỉnh")
    monkeypatch.setenv("DANVAN_CLOCK", "2027-03-01T01:30:00+07:00")
    monkeypatch.setenv("DANVAN_SITES", "ho-so")
    monkeypatch.setenv("PYTHONPATH", ".")
    out = danvan("schedule").out
    assert f'DANVAN_OPERATOR="Lưu trữ tỉnh"\nPYTHONPATH="{tmp_path}"\n' in out
    assert f"--sites {tmp_path}/ho-so" in out
    assert "DANVAN_CLOCK" not in out


def test_a_missing_contact_is_reported(danvan: Danvan, programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DANVAN_CONTACT")
    assert "DANVAN_CONTACT is not set" in danvan("schedule").err


@pytest.mark.slow
def test_the_line_runs_as_cron_runs_it(
    danvan: Danvan, programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """cron unescapes percent signs and passes the rest to sh, with almost no environment."""
    archive = tmp_path / "kho 100% 'của tôi'"
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[3]))
    danvan("schedule", "--archive", archive, "--install")
    line = table(programs).rstrip("\n")
    command = line.split(" ", 5)[5].replace("\\%", "%")
    result = subprocess.run(["/bin/sh", "-c", command], cwd="/", env={}, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr == f"danvan: no site is enabled; put a profile into {archive}/sites\n"


def test_installed_into_an_empty_crontab_it_is_the_only_line(danvan: Danvan, programs: Path) -> None:
    line = crontab_line(danvan("schedule").out)
    result = danvan("schedule", "--install")
    assert (result.code, result.out) == (0, "")
    assert table(programs) == line


def test_other_lines_stay_byte_for_byte(danvan: Danvan, programs: Path) -> None:
    (programs / "table").write_text(OTHERS, encoding="utf-8")
    danvan("schedule", "--install")
    assert table(programs) == OTHERS + crontab_line(danvan("schedule").out)


def test_a_second_install_replaces_its_own_line_in_place(danvan: Danvan, programs: Path) -> None:
    danvan("schedule", "--install", "--jobs", "2")
    with (programs / "table").open("a", encoding="utf-8") as file:
        file.write(OTHERS)
    danvan("schedule", "--install", "--jobs", "6", "--time", "23:59")
    line = crontab_line(danvan("schedule", "--jobs", "6", "--time", "23:59").out)
    assert table(programs) == line + OTHERS


def test_a_second_install_reports_the_replaced_line_and_dropped_settings(
    danvan: Danvan, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DANVAN_OPERATOR", "Lưu trữ tỉnh")
    before = crontab_line(danvan("schedule", "--jobs", "2").out)
    assert "It replaces" not in danvan("schedule", "--jobs", "2", "--install").err
    monkeypatch.delenv("DANVAN_OPERATOR")
    said = danvan("schedule", "--install").err
    assert "No longer set: DANVAN_OPERATOR\n" in said
    assert f"It replaces:\n{before}" in said
    again = danvan("schedule", "--install").err
    assert not re.search("No longer set|It replaces", again)


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # by apprise 2.2
def test_an_unusable_notification_address_is_refused(danvan: Danvan, programs: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("DANVAN_NOTIFY", "json://127.0.0.1:9/ mailto://u:geheim@")
    result = danvan("schedule", "--install")
    said = "address 2 (mailto) of DANVAN_NOTIFY is not a valid apprise URL\n"
    assert (result.code, result.err) == (2, f"danvan: cannot be scheduled: {said}")
    assert not (programs / "table").exists()
    assert danvan("schedule").err.startswith(said)


def test_each_archive_has_its_own_line(danvan: Danvan, programs: Path) -> None:
    for archive in ("kho", "kho-hai"):
        danvan("schedule", "--install", "--archive", archive)
    danvan("schedule", "--uninstall", "--archive", "kho")
    assert table(programs) == crontab_line(danvan("schedule", "--archive", "kho-hai").out)


def test_different_paths_of_one_archive_are_the_same(danvan: Danvan, programs: Path, tmp_path: Path) -> None:
    (tmp_path / "kho").mkdir()
    (tmp_path / "lien-ket").symlink_to("kho")
    for archive in ("kho", f"../{tmp_path.name}/kho", "lien-ket"):
        danvan("schedule", "--install", "--archive", archive)
    assert table(programs).count("\n") == 1
    danvan("schedule", "--uninstall", "--archive", f"{tmp_path}/./kho/")
    assert table(programs) == ""


@pytest.mark.parametrize("last", [OTHERS.rstrip("\n"), ""], ids=["with others", "alone"])
def test_a_crontab_without_a_final_newline_is_read_correctly(danvan: Danvan, programs: Path, last: str) -> None:
    line = crontab_line(danvan("schedule").out)
    for text in (line + last, f"{last}\n{line}" if last else line):
        (programs / "table").write_text(text.rstrip("\n"), encoding="utf-8")
        assert "Removed from your crontab" in danvan("schedule", "--uninstall").err
        assert table(programs) == (f"{last}\n" if last else "")
    (programs / "table").write_text(OTHERS.rstrip("\n"), encoding="utf-8")
    assert "has no line for" in danvan("schedule", "--uninstall").err
    assert table(programs) == OTHERS.rstrip("\n")
    danvan("schedule", "--install")
    assert table(programs) == OTHERS + line


SECRETS = ["mailto://a:p%40ss w@b.vn", 'a "b" $HOME `id` \\ $(id) 100%', "it's; & | # !x", "Lưu trữ"]


@pytest.mark.parametrize("value", SECRETS)
def test_settings_reach_the_crawl_unchanged_and_are_private(
    danvan: Danvan, programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """As a shell reads the file, and as systemd does (env-file.c): both remove a backslash before these characters."""
    monkeypatch.setenv("DANVAN_OPERATOR", value)
    path = tmp_path / "kho" / "schedule.env"
    path.parent.mkdir()
    path.touch(mode=0o644)
    danvan("schedule", "--install", "--archive", "kho")
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(one.name for one in path.parent.iterdir()) == ["schedule.env", "schedule.json"]
    assert value not in table(programs)
    shell = ["/bin/sh", "-c", f'set -a; . {path}; set +a; exec "$0" -c "$1"', sys.executable]
    shell.append("import os; print(os.environ['DANVAN_OPERATOR'])")
    result = subprocess.run(shell, env={"PYTHONUTF8": "1"}, capture_output=True, check=True)
    assert result.stdout.decode() == f"{value}\n"
    [line] = [line for line in settings(path.parent).splitlines() if line.startswith("DANVAN_OPERATOR=")]
    assert re.fullmatch(r'DANVAN_OPERATOR="(?:[^"\\$`]|\\["\\$`])*"', line)
    assert re.sub(r'\\(["\\$`])', r"\1", line.partition("=")[2][1:-1]) == value


def test_a_setting_that_is_not_utf_8_is_refused_without_its_value(
    danvan: Danvan, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DANVAN_NOTIFY", "mailto://a:b\udcff@c.vn")
    result = danvan("schedule")
    assert result.code == 2
    assert "cannot be scheduled: DANVAN_NOTIFY is not UTF-8" in result.err


def test_a_line_that_is_too_long_for_cron_is_refused(danvan: Danvan, programs: Path, tmp_path: Path) -> None:
    archive = "/".join(["mot-ten-rat-dai" * 10] * 3)
    result = danvan("schedule", "--install", "--archive", archive)
    assert result.code == 2
    assert "more than 998 characters" in result.err
    assert not (programs / "table").exists()
    assert not (tmp_path / archive).exists()


def test_uninstall_removes_only_its_own_line(danvan: Danvan, programs: Path, tmp_path: Path) -> None:
    (programs / "table").write_text(OTHERS, encoding="utf-8")
    danvan("schedule", "--install")
    assert settings(tmp_path / "archive") == 'DANVAN_CONTACT="luutru@example.vn"\n'
    assert "Removed from your crontab" in danvan("schedule", "--uninstall").err
    assert table(programs) == OTHERS
    assert not (tmp_path / "archive" / "schedule.env").exists()


def test_uninstall_without_a_line_is_reported_and_no_error(danvan: Danvan, programs: Path) -> None:
    result = danvan("schedule", "--uninstall")
    assert result.code == 0
    assert "has no line for" in result.err
    assert not (programs / "table").exists()


def test_a_crontab_error_is_reported(danvan: Danvan, programs: Path) -> None:
    program(programs, "crontab", REFUSES)
    result = danvan("schedule", "--install")
    assert result.code == 1
    assert "crontab -l failed: You (tester) are not allowed to use this program" in result.err


def test_without_cron_systemd_is_suggested(danvan: Danvan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = danvan("schedule", "--install")
    assert result.code == 2
    assert "use `danvan schedule --systemd`" in result.err


@pytest.mark.parametrize("at", ["24:00", "1:60", "0130", "1h30", "", "-1:30"])
def test_an_invalid_time_of_day_is_wrong_usage(danvan: Danvan, programs: Path, at: str) -> None:
    result = danvan("schedule", f"--time={at}")
    assert result.code == 2
    assert "must be a time of day like 01:30" in result.err


def test_install_with_uninstall_is_wrong_usage(danvan: Danvan, programs: Path) -> None:
    assert danvan("schedule", "--install", "--uninstall").code == 2


def test_a_path_with_a_line_break_is_refused(danvan: Danvan, programs: Path) -> None:
    result = danvan("schedule", "--install", "--archive", "a\n* * * * * b")
    assert result.code == 2
    assert not (programs / "table").exists()


def test_units_are_printed_and_not_written(danvan: Danvan, programs: Path, tmp_path: Path) -> None:
    out = danvan("schedule", "--systemd", "--time", "02:05").out
    assert "OnCalendar=*-*-* 02:05:00\n" in out
    assert f'# {tmp_path}/archive/schedule.env\nDANVAN_CONTACT="luutru@example.vn"\n' in out
    assert f"EnvironmentFile={tmp_path}/archive/schedule.env\n" in out
    assert not units(tmp_path).exists()


@pytest.mark.parametrize("config_home", [None, "cau-hinh"], ids=["HOME", "XDG_CONFIG_HOME"])
def test_units_are_written_and_the_timer_is_enabled(
    danvan: Danvan, programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config_home: str | None
) -> None:
    folder = units(tmp_path)
    if config_home is not None:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / config_home))
        folder = tmp_path / config_home / "systemd" / "user"
    assert danvan("schedule", "--systemd", "--install").code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["danvan-crawler.service", "danvan-crawler.timer"]
    calls = (programs / "calls").read_text().splitlines()
    assert calls == ["--user daemon-reload", "--user enable --now danvan-crawler.timer"]


def test_systemd_accepts_the_units(
    danvan: Danvan, programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without systemd, only the escaped words are checked."""
    monkeypatch.setenv("DANVAN_OPERATOR", 'a "b" $c %d \\e')
    danvan("schedule", "--systemd", "--install", "--archive", "kho 100% $HOME")
    files = sorted(units(tmp_path).iterdir())
    if (analyze := shutil.which("systemd-analyze")) is not None:
        environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
        command = [analyze, "verify", "--user", "--man=no", *map(str, files)]
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert (result.returncode, result.stdout + result.stderr) == (0, "")
    service = files[0].read_text(encoding="utf-8")
    assert f'"--archive" "{tmp_path}/kho 100%% $$HOME"\n' in service
    assert f"EnvironmentFile={tmp_path}/kho 100%% $HOME/schedule.env\n" in service


def test_without_a_running_systemd_the_command_is_printed(danvan: Danvan, programs: Path, tmp_path: Path) -> None:
    program(programs, "systemctl", "#!/bin/sh\necho 'Failed to connect to bus' >&2\nexit 1\n")
    result = danvan("schedule", "--systemd", "--install")
    assert result.code == 0
    assert "The timer is not running yet (Failed to connect to bus)" in result.err
    assert "systemctl --user daemon-reload && systemctl --user enable --now danvan-crawler.timer" in result.err
    assert len(list(units(tmp_path).iterdir())) == 2


def test_uninstall_removes_the_units(danvan: Danvan, programs: Path, tmp_path: Path) -> None:
    danvan("schedule", "--systemd", "--install")
    assert (tmp_path / "archive" / "schedule.env").exists()
    (programs / "calls").unlink()
    assert danvan("schedule", "--systemd", "--uninstall").code == 0
    assert list(units(tmp_path).iterdir()) == []
    assert not (tmp_path / "archive" / "schedule.env").exists()
    calls = (programs / "calls").read_text().splitlines()
    assert calls == ["--user disable --now danvan-crawler.timer", "--user daemon-reload"]


@pytest.mark.parametrize("option", ["--install", "--uninstall"])
def test_the_timer_of_another_archive_is_not_changed(
    danvan: Danvan, programs: Path, tmp_path: Path, option: str
) -> None:
    danvan("schedule", "--systemd", "--install", "--archive", "kho")
    before = {path.name: path.read_text("utf-8") for path in units(tmp_path).iterdir()}
    (programs / "calls").unlink()
    result = danvan("schedule", "--systemd", option, "--archive", "kho-hai")
    assert result.code == 2
    assert f"danvan-crawler.service belongs to another archive ({tmp_path}/kho) and is not changed" in result.err
    assert {path.name: path.read_text("utf-8") for path in units(tmp_path).iterdir()} == before
    assert not (programs / "calls").exists()
    assert danvan("schedule", "--systemd", "--install", "--archive", f"../{tmp_path.name}/kho").code == 0


def test_units_of_an_archive_with_an_odd_name_are_recognised(danvan: Danvan, programs: Path, tmp_path: Path) -> None:
    archive = "kho 100% $x 'y'"
    assert danvan("schedule", "--systemd", "--install", "--archive", archive).code == 0
    service = units(tmp_path) / "danvan-crawler.service"
    service.chmod(0o644)
    assert danvan("schedule", "--systemd", "--install", "--archive", archive).code == 0
    assert service.stat().st_mode & 0o077 == 0
    assert danvan("schedule", "--systemd", "--install", "--archive", "kho").code == 2


def test_a_service_of_unknown_origin_is_not_changed(danvan: Danvan, programs: Path, tmp_path: Path) -> None:
    units(tmp_path).mkdir(parents=True)
    service = units(tmp_path) / "danvan-crawler.service"
    text = f'[Service]\nExecStart="danvan" "--archive" "{tmp_path}/kho"\n'
    service.write_text(text, encoding="utf-8")
    result = danvan("schedule", "--systemd", "--install", "--archive", "kho")
    assert (result.code, "belongs to another archive (not named)" in result.err) == (2, True)
    assert service.read_text(encoding="utf-8") == text


def test_the_settings_stay_while_the_other_scheduler_needs_them(danvan: Danvan, programs: Path, tmp_path: Path) -> None:
    """Version 0.1.0 installed both."""
    danvan("schedule", "--install")
    line = table(programs)
    danvan("schedule", "--uninstall")
    danvan("schedule", "--systemd", "--install")
    (programs / "table").write_text(line, encoding="utf-8")
    danvan("schedule", "--uninstall")
    assert (tmp_path / "archive" / "schedule.env").exists()
    (programs / "table").write_text(line, encoding="utf-8")
    danvan("schedule", "--systemd", "--uninstall")
    assert (tmp_path / "archive" / "schedule.env").exists()
    danvan("schedule", "--uninstall")
    assert not (tmp_path / "archive" / "schedule.env").exists()
