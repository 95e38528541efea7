"""Files replaced atomically: after an error, a kill or a full disk, and the attributes that a replaced file keeps."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from danvan_crawler import atomic
from danvan_crawler.exceptions import ArchiveError, DiskFullError

OLD, NEW = b"old\n", "Dân vận khéo\n".encode()


class StoppedError(Exception):
    """An error during writing."""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "articles.jsonl"
    path.write_bytes(OLD)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def write(path: Path, *, bits: int | None = None) -> None:
    with atomic.replacing(path, mode=bits) as file:
        file.write(NEW)


def write_in_part(path: Path, error: BaseException) -> None:
    with atomic.replacing(path) as file:
        file.write(NEW)
        raise error


def test_a_file_is_made(tmp_path: Path) -> None:
    write(tmp_path / "new")
    assert (tmp_path / "new").read_bytes() == NEW
    assert names(tmp_path) == ["new"]


def test_text_is_utf_8_with_its_own_line_ends(tmp_path: Path) -> None:
    atomic.replace_file(tmp_path / "new", "Dân\r\nvận\n")
    assert (tmp_path / "new").read_bytes() == "Dân\r\nvận\n".encode()


def test_readers_see_the_old_file_until_the_new_one_is_complete(old: Path) -> None:
    with atomic.replacing(old) as file:
        file.write(NEW)
        file.flush()
        assert old.read_bytes() == OLD
    assert old.read_bytes() == NEW


def test_a_reader_that_began_before_reads_the_old_file_to_its_end(old: Path) -> None:
    with old.open("rb", buffering=0) as reader:
        assert reader.read(1) == OLD[:1]
        write(old)
        assert reader.read() == OLD[1:]


def test_an_error_during_writing_keeps_the_old_file(old: Path) -> None:
    with pytest.raises(StoppedError):
        write_in_part(old, StoppedError())
    assert old.read_bytes() == OLD
    assert names(old.parent) == [old.name]


def test_an_interruption_during_writing_keeps_the_old_file(old: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        write_in_part(old, KeyboardInterrupt())
    assert old.read_bytes() == OLD
    assert names(old.parent) == [old.name]


def test_text_that_cannot_be_encoded_keeps_the_old_file(old: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        atomic.replace_file(old, "\ud800")
    assert old.read_bytes() == OLD
    assert names(old.parent) == [old.name]


@pytest.mark.parametrize("bits", [0o600, 0o644, 0o660, 0o444])
def test_the_permission_bits_of_the_old_file_are_kept(old: Path, bits: int) -> None:
    old.chmod(bits)
    write(old)
    assert mode(old) == bits


def test_a_new_file_has_the_permission_bits_that_the_umask_leaves(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(tmp_path / "new")
    finally:
        os.umask(before)
    assert mode(tmp_path / "new") == 0o640


def test_requested_permission_bits_replace_those_of_the_old_file(old: Path) -> None:
    old.chmod(0o644)
    with atomic.replacing(old, mode=0o600) as file:
        [draft] = old.parent.glob(".*.part")
        assert mode(draft) == 0o600
        file.write(NEW)
    assert mode(old) == 0o600
    write(old, bits=0o666)
    assert mode(old) == 0o666


def test_a_symbolic_link_stays_and_its_file_is_replaced(old: Path, tmp_path: Path) -> None:
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "latest"
    link.symlink_to(old)
    write(link)
    assert link.is_symlink()
    assert old.read_bytes() == NEW
    assert names(link.parent) == ["latest"]
    assert names(tmp_path) == [old.name, "links"]


def test_the_missing_target_of_a_symbolic_link_is_created(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("new")
    write(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "new").read_bytes() == NEW


def test_a_pipe_is_written_directly(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    write(Path(f"/dev/fd/{writing}"))
    os.close(writing)
    with os.fdopen(reading, "rb") as reader:
        assert reader.read() == NEW


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="/dev/full does not exist")
def test_a_device_that_is_full_is_a_full_disk() -> None:
    with pytest.raises(DiskFullError, match="cannot write /dev/full: No space left on device"):
        atomic.replace_file(Path("/dev/full"), "x")
    assert Path("/dev/full").is_char_device()


@pytest.mark.parametrize("name", ["nosuch/file", "old/file", "x" * 300, "folder", "loop"])
def test_an_unwritable_path_is_named_in_the_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "old").write_bytes(OLD)
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(ArchiveError) as caught:
        atomic.replace_file(tmp_path / name, "x")
    assert str(caught.value).startswith(f"cannot write {tmp_path / name}: ")
    assert names(tmp_path) == ["folder", "loop", "old"]


def test_an_error_names_the_file_and_not_its_temporary_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file") as caught, atomic.replacing(tmp_path / "no" / "file"):
        pass
    assert caught.value.filename == str(tmp_path / "no" / "file")


@pytest.mark.parametrize("name", ["x" * 255, "ế" * 85, "𝄞" * 63], ids=["ascii", "three bytes", "four bytes"])
def test_a_name_can_be_as_long_as_the_system_allows(tmp_path: Path, name: str) -> None:
    write(tmp_path / name)
    assert names(tmp_path) == [name]


def test_content_is_synced_before_the_rename_and_the_rename_before_the_end(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[bool, bytes]] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        fsync(descriptor)
        synced.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), old.read_bytes()))

    monkeypatch.setattr(os, "fsync", watched)
    write(old)
    assert synced == [(False, OLD), (True, NEW)]


KILLED = """
import os, signal, sys
from pathlib import Path
from danvan_crawler import atomic

with atomic.replacing(Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_after_a_killed_writer_the_old_file_stays_and_the_next_writer_removes_the_temporary_file(old: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(old)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert old.read_bytes() == OLD
    [left] = old.parent.glob(".*.part")
    assert left.read_bytes() == b"half"
    write(old.parent / "other")
    assert left.exists()
    write(old)
    assert names(old.parent) == [old.name, "other"]


def test_the_temporary_file_of_a_running_writer_is_not_removed(old: Path) -> None:
    with atomic.replacing(old) as first:
        first.write(NEW)
        with atomic.replacing(old) as second:
            second.write(b"second\n")
        assert old.read_bytes() == b"second\n"
    assert old.read_bytes() == NEW
    assert names(old.parent) == [old.name]


def test_files_of_other_programs_are_not_removed(old: Path) -> None:
    others = [f".{old.name}.part", f".{old.name}.swp", f"{old.name}.part", f".{old.name}x.0123abcd.part"]
    for name in others:
        (old.parent / name).touch()
    write(old)
    assert names(old.parent) == sorted([*others, old.name])


def test_a_temporary_file_gets_the_name_chosen_by_its_writer(old: Path) -> None:
    target = old.with_name("decided")
    with atomic.draft(old) as draft:
        draft.stream.write(NEW)
        draft.sync()
        assert draft.path.read_bytes() == NEW
        draft.publish(target)
    assert target.read_bytes() == NEW
    assert old.read_bytes() == OLD


def test_a_temporary_file_that_is_not_published_is_removed(old: Path) -> None:
    with atomic.draft(old) as draft:
        draft.stream.write(NEW)
    assert names(old.parent) == [old.name]


def test_a_folder_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    with atomic.new_folder(tmp_path / "parent" / "bag") as folder:
        (folder / "data").mkdir()
        (folder / "data" / "items").write_bytes(NEW)
        assert not (tmp_path / "parent" / "bag").exists()
    assert (tmp_path / "parent" / "bag" / "data" / "items").read_bytes() == NEW
    assert names(tmp_path / "parent") == ["bag"]


def test_an_error_while_a_folder_is_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoppedError), atomic.new_folder(tmp_path / "bag") as folder:
        write_in_part(folder / "items", StoppedError())
    assert names(tmp_path) == []


def test_a_folder_never_replaces_another(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError), atomic.new_folder(tmp_path / "bag"):
        (tmp_path / "bag").mkdir()
    assert names(tmp_path) == ["bag"]


IN_A_NAMESPACE = """
import json, subprocess, sys
from pathlib import Path
from danvan_crawler import atomic
from danvan_crawler.exceptions import ArchiveError

folder = Path(sys.argv[1])
path = folder / "articles.jsonl"

def attempt():
    try:
        atomic.replace_file(path, "x" * 1_000_000)
    except ArchiveError as error:
        return [type(error).__name__, str(error), path.read_text(), sorted(each.name for each in folder.iterdir())]

def mount(*options):
    subprocess.run(["mount", *options, str(folder)], check=True)

mount("-t", "tmpfs", "-o", "size=64k", "tmpfs")
path.write_text("old")
full = attempt()
mount("-o", "remount,ro,size=64m")
print(json.dumps({"full": full, "read-only": attempt()}))
"""
_NAMESPACE = ("unshare", "--map-root-user", "--mount")


def can_unshare() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*_NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not can_unshare(), reason="no mount namespace can be made here (unshare)")
def test_on_a_full_or_read_only_disk_the_old_file_stays(tmp_path: Path) -> None:
    command = [*_NAMESPACE, sys.executable, "-c", IN_A_NAMESPACE, str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    path = tmp_path / "articles.jsonl"
    assert json.loads(run.stdout) == {
        "full": ["DiskFullError", f"cannot write {path}: No space left on device", "old", [path.name]],
        "read-only": ["ArchiveError", f"cannot write {path}: Read-only file system", "old", [path.name]],
    }
