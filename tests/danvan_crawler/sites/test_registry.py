"""Folders of profiles, and their order of precedence."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from danvan_crawler import _layout
from danvan_crawler.exceptions import ExitCode, ProfileError, UnknownSiteError
from danvan_crawler.sites.registry import SiteRegistry, site_folders, site_registry

Profile = Callable[..., str]


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_registry_has_the_sites_of_its_folders_by_slug(profile: Profile, tmp_path: Path) -> None:
    write(tmp_path, "b.toml", profile(slug='"b-danvan"'))
    origin = write(tmp_path, "a.toml", profile(slug='"a-danvan"'))
    write(tmp_path, "notes.txt", "no profile")
    known = SiteRegistry([tmp_path])
    assert [found.slug for found in known] == ["a-danvan", "b-danvan"]
    assert len(known) == 2
    assert "a-danvan" in known
    assert "c-danvan" not in known
    assert known.origin("a-danvan") == origin


def test_the_profile_in_the_later_folder_takes_precedence(profile: Profile, tmp_path: Path) -> None:
    write(tmp_path / "first", "x.toml", profile(name='"first"'))
    later = write(tmp_path / "later", "y.toml", profile(name='"later"'))
    known = SiteRegistry([tmp_path / "first", tmp_path / "later"])
    assert known.get("thanhhoa-danvan").name == "later"
    assert known.origin("thanhhoa-danvan") == later


def test_two_profiles_of_one_slug_in_a_folder_are_refused(profile: Profile, tmp_path: Path) -> None:
    first, second = write(tmp_path, "a.toml", profile()), write(tmp_path, "b.toml", profile())
    with pytest.raises(ProfileError) as caught:
        SiteRegistry([tmp_path])
    assert str(caught.value) == f"{second}: slug: 'thanhhoa-danvan' is already the slug of {first}"


def test_a_wrong_profile_is_refused_with_its_path(profile: Profile, tmp_path: Path) -> None:
    path = write(tmp_path, "a.toml", profile(colour='"red"'))
    with pytest.raises(ProfileError, match=rf"^{re.escape(str(path))}: colour: unknown key$"):
        SiteRegistry([tmp_path])


def test_a_profile_that_is_not_utf_8_is_refused_with_its_path(profile: Profile, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(profile(name='"Dân vận"').encode("cp1258", errors="replace"))
    with pytest.raises(ProfileError, match=r"a\.toml: is not UTF-8: byte 0xe2 at \d+"):
        SiteRegistry([tmp_path])


def test_a_lenient_registry_keeps_the_error_of_a_broken_profile_and_has_the_others(
    profile: Profile, tmp_path: Path
) -> None:
    write(tmp_path, "a.toml", profile(slug='"a-danvan"'))
    broken = {
        "b-danvan": write(tmp_path, "b-danvan.toml", "slug = "),
        "c-danvan": write(tmp_path, "x.toml", profile(slug='"c-danvan"', delay="0")),
        "Odd.toml": write(tmp_path, "Odd.toml", profile(slug='"Odd"')),
    }
    known = SiteRegistry([tmp_path], lenient=True)
    assert [site.slug for site in known] == ["a-danvan"]
    assert set(known.broken) == set(broken)
    for slug, path in broken.items():
        with pytest.raises(ProfileError, match=f"^{re.escape(str(path))}: "):
            known.get(slug)


def test_of_a_duplicate_slug_neither_profile_is_used(profile: Profile, tmp_path: Path) -> None:
    for name in "ab":
        write(tmp_path, f"{name}.toml", profile())
    known = SiteRegistry([tmp_path], lenient=True)
    assert "thanhhoa-danvan" not in known
    assert "is already the slug of" in str(known.broken["thanhhoa-danvan"])


def test_a_broken_profile_hides_an_earlier_one_and_is_hidden_by_a_later_one(profile: Profile, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("first", "second", "third")]
    write(folders[0], "a.toml", profile())
    write(folders[1], "a.toml", profile(delay="0"))
    write(folders[2], "a.toml", profile(name='"third"'))
    assert "thanhhoa-danvan" not in SiteRegistry(folders[:2], lenient=True)
    known = SiteRegistry(folders, lenient=True)
    assert (known.get("thanhhoa-danvan").name, known.broken) == ("third", {})


def test_a_byte_order_mark_is_ignored(profile: Profile, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"\xef\xbb\xbf" + profile().encode())
    assert SiteRegistry([tmp_path]).get("thanhhoa-danvan").source_text == profile()


def test_a_profile_that_cannot_be_opened_is_refused_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "a.toml").mkdir()
    with pytest.raises(ProfileError, match=r"a\.toml: cannot be read: Is a directory"):
        SiteRegistry([tmp_path])


def test_a_missing_folder_has_no_profiles(tmp_path: Path) -> None:
    assert len(SiteRegistry([tmp_path / "sites"])) == 0


def test_an_unknown_slug_suggests_similar_ones(profile: Profile, tmp_path: Path) -> None:
    write(tmp_path, "a.toml", profile())
    known = SiteRegistry([tmp_path])
    with pytest.raises(
        UnknownSiteError, match=r"no site has the slug 'thanhoa-danvan'; did you mean thanhhoa-danvan\?"
    ):
        known.get("thanhoa-danvan")
    with pytest.raises(UnknownSiteError, match="`danvan sites` lists the sites") as caught:
        known.origin("qwerty")
    assert caught.value.exit_code is ExitCode.USAGE


def test_bundled_profiles_come_before_the_archives_and_those_before_the_users(tmp_path: Path) -> None:
    folders = site_folders(tmp_path / "archive", [tmp_path / "mine"])
    assert folders == [_layout.project_root() / "spiders" / "sites", tmp_path / "archive" / "sites", tmp_path / "mine"]


def test_an_archive_has_the_bundled_sites_and_its_own(profile: Profile, tmp_path: Path) -> None:
    write(tmp_path / "sites", "x.toml", profile())
    known = site_registry(tmp_path)
    assert {"mau-danvan", "thanhhoa-danvan"} <= {found.slug for found in known}
