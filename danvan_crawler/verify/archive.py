"""Verifies the whole archive: every WARC file with its index and manifest, and every record in the item database.

Verification writes nothing and takes no lock, so runs may continue. New rows are left out: first the last capture of
the database is read, then the files are listed. A row is always written after its record.

Repair takes the locks of the sites. It moves damage to separate files (`verify.repair`) and writes index and manifest
again. `danvan rebuild` corrects the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from danvan_crawler.archive.layout import index_folder, warc_folder, warc_prefix
from danvan_crawler.archive.locks import SiteLock, is_locked
from danvan_crawler.exceptions import ArchiveError, UsageError
from danvan_crawler.plurals import counted
from danvan_crawler.verify.database import Database
from danvan_crawler.verify.findings import Finding, Verification
from danvan_crawler.verify.ledger import Ledger
from danvan_crawler.verify.repair import Repaired, repair_warc
from danvan_crawler.verify.wacz import verify_wacz
from danvan_crawler.verify.warc_file import verify_index_and_manifest, verify_warc
from danvan_crawler.warc.files import DAMAGED, OPEN_SUFFIX, SUFFIX, final_name, site_folder, warc_files
from danvan_crawler.warc.index import INDEX_SUFFIX, MANIFEST_SUFFIX, index_path, manifest_path, write_index_and_manifest

WACZ_SUFFIX = ".wacz"
_KEPT_MANIFEST = ".before-repair"


@dataclass(slots=True)
class RepairWork:
    """What a repair did, one sentence each."""

    done: list[str] = field(default_factory=list)
    moved: bool = False
    """The item database may be wrong, because records were moved or lost, or a run died: run `danvan rebuild`."""


def size_of(paths: Iterable[Path]) -> int:
    """Bytes of these files; a file that a run has just renamed counts as 0."""
    total = 0
    for path in paths:
        with suppress(OSError):
            total += path.stat().st_size
    return total


def verify_archive(archive: Path, slug: str | None, result: Verification) -> None:
    """Checks an archive, or its part of one site. Raises ArchiveError if the archive does not exist."""
    _require_archive(archive)
    with ExitStack() as held:
        ledger = held.enter_context(Ledger())
        database = Database(archive, slug, held, result)
        paths = warc_files(archive, slug, include_open=True)
        for path in paths:
            _verify_file(archive, path, ledger, result)
        ledger.report_missing(result.found, whole=slug is None)
        _check_leftovers(archive, slug, paths, result)
        database.check(ledger)


def verify_files(files: Sequence[Path], archive: Path, result: Verification) -> None:
    """Checks these files; for a WARC file in the archive also its index and manifest.

    Referenced records are looked up only in these files. Raises UsageError for a file of another kind.
    """
    for path in files:
        _require_known_kind(path)
    with Ledger() as ledger:
        for path in files:
            if path.name.endswith(WACZ_SUFFIX):
                result.files += 1
                result.records += verify_wacz(path, str(path), result.found, progress=result.progress)
            else:
                _verify_file(archive, path, ledger, result)
        ledger.report_missing(result.found, whole=False)


def repair(archive: Path, slug: str | None, files: Sequence[Path]) -> RepairWork:
    """Repairs these files, or all files of an archive or site.

    Raises LockedError if one of the sites is being crawled, and ArchiveError if a file cannot be written.
    """
    if not files:
        _require_archive(archive)
    for path in files:
        _require_known_kind(path)
        if path.name.endswith(WACZ_SUFFIX):
            raise UsageError(f"{path}: a WACZ file cannot be repaired; make it again from the archive")
    paths = list(files) or warc_files(archive, slug, include_open=True)
    work = RepairWork()
    with ExitStack() as held:
        sites = {site for path in paths if (site := _site_of(archive, path)) is not None}
        if not files:
            sites |= {slug} if slug else {folder.name for folder in _site_folders(archive)}
        for site in sorted(sites):
            held.enter_context(SiteLock(archive, site))
        for path in list(files) or warc_files(archive, slug, include_open=True):  # listed again under the locks
            _repair_file(archive, path, work)
        if not files:
            _repair_leftovers(archive, slug, work)
    return work


def _require_archive(archive: Path) -> None:
    if not archive.is_dir():
        raise ArchiveError(f"{archive}: there is no archive")


def _require_known_kind(path: Path) -> None:
    if not path.is_file():
        raise UsageError(f"{path} is not a file")
    if not path.name.endswith((SUFFIX, SUFFIX + OPEN_SUFFIX, WACZ_SUFFIX)):
        raise UsageError(f"{path}: only {SUFFIX} and {WACZ_SUFFIX} files can be verified")


def _site_folders(archive: Path) -> list[Path]:
    folder = warc_folder(archive)
    return [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []


def _site_of(archive: Path, path: Path) -> str | None:
    """The site that a file belongs to; None for a file outside the archive."""
    try:
        return path.absolute().relative_to(warc_folder(archive)).parts[0]
    except ValueError:
        return None


def _relative(archive: Path, path: Path) -> str:
    try:
        return path.absolute().relative_to(archive).as_posix()
    except ValueError:
        return str(path)


def _verify_file(archive: Path, path: Path, ledger: Ledger, result: Verification) -> None:
    if not path.exists() and final_name(path).exists():
        path = final_name(path)  # the run has just finished it
    name = _relative(archive, path)
    result.files += 1
    seen = verify_warc(path, name, ledger, result.found, progress=result.progress)
    result.records += seen.records
    site = _site_of(archive, path)
    if path.name.endswith(OPEN_SUFFIX):
        running = site is not None and is_locked(archive, site)
        sentence = "a run is writing it" if running else "a run that died left it; the next run or --repair finishes it"
        result.found(Finding(name, None, "unfinished", sentence, damage=False))
    elif site is not None:
        running = is_locked(archive, site)
        verify_index_and_manifest(archive, path, name, seen, result.found, being_written=running)


def _check_leftovers(archive: Path, slug: str | None, paths: Iterable[Path], result: Verification) -> None:
    """Indexes and manifests without a WARC file, and files with damaged bytes."""
    for name in _orphans(archive, slug, paths):
        result.found(
            Finding(
                name,
                None,
                "file-missing",
                f"{index_folder(archive).name}/ describes it, but it does not exist",
            )
        )
    folder = warc_folder(archive) if slug is None else site_folder(archive, slug)
    for path in sorted(folder.rglob(f"*{SUFFIX}{DAMAGED}*")):
        sentence = counted(path.stat().st_size, "damaged byte")
        result.found(Finding(_relative(archive, path), None, "set-aside", sentence, damage=False))


def _orphans(archive: Path, slug: str | None, paths: Iterable[Path]) -> Iterator[str]:
    """Names of missing WARC files, relative to the archive, that have an index or manifest."""
    described = {stem for path in paths for stem in [final_name(path).name.removesuffix(SUFFIX)]}
    folder = index_folder(archive)
    found: dict[str, str] = {}
    for path in sorted(folder.glob(f"*{INDEX_SUFFIX}")) if slug is None else ():
        found[path.name.removesuffix(INDEX_SUFFIX)] = path.name.removesuffix(INDEX_SUFFIX) + SUFFIX
    for path in sorted(folder.glob(f"*{MANIFEST_SUFFIX}")):
        stem = path.name.removesuffix(MANIFEST_SUFFIX)
        if stem in described:
            continue
        name = path.read_text(encoding="utf-8", errors="replace").partition("  ")[2].strip()
        if slug is None or name.startswith(warc_prefix(slug)):
            found[stem] = name or stem + SUFFIX
    missing = {stem: name for stem, name in found.items() if stem not in described}
    # A run may have finished a file since the files were listed.
    existing = {path.name.removesuffix(SUFFIX) for path in warc_files(archive)} if missing else set()
    yield from (name for stem, name in missing.items() if stem not in existing)


def _repair_file(archive: Path, path: Path, work: RepairWork) -> None:
    repaired = repair_warc(path)
    final = final_name(path)
    if repaired is not None:
        work.done.extend(_sentences(archive, path, repaired))
        work.moved = work.moved or bool(repaired.damaged_files)
    if _site_of(archive, path) is None:
        return
    for file in repaired.files if repaired is not None else [final]:
        _describe_again(archive, file, work)
    if not final.exists():
        _forget(archive, final, work)


def _sentences(archive: Path, path: Path, repaired: Repaired) -> Iterator[str]:
    name = _relative(archive, path)
    for damaged in repaired.damaged_files:
        yield f"{name}: {counted(damaged.stat().st_size, 'damaged byte')} moved to {_relative(archive, damaged)}"
    if repaired.moved is not None:
        yield f"{name}: the complete records after the damage are in {_relative(archive, repaired.moved)}"
    if path.name.endswith(OPEN_SUFFIX) and repaired.path.exists():
        yield f"{name}: finished"
    if not repaired.path.exists():
        yield f"{name}: no record was left, so the file was removed"


def _describe_again(archive: Path, path: Path, work: RepairWork) -> None:
    """Writes index and manifest where they are missing or wrong; an old manifest is kept beside the new one."""
    before = {place: _bytes(place) for place in (index_path(archive, path), manifest_path(archive, path))}
    manifest = manifest_path(archive, path)
    if before[manifest] is not None:
        kept = _free_name(manifest)
        manifest.rename(kept)
        write_index_and_manifest(archive, path)
        if _bytes(manifest) == before[manifest]:
            kept.unlink()
    else:
        write_index_and_manifest(archive, path)
        work.moved = True  # the run died, so its last records may be missing in the database
    for place, content in before.items():
        if _bytes(place) != content:
            work.done.append(f"{_relative(archive, place)}: written {'again' if content is not None else 'anew'}")


def _forget(archive: Path, path: Path, work: RepairWork) -> None:
    """Removes the index and renames the manifest of a file without any record left."""
    manifest = manifest_path(archive, path)
    index_path(archive, path).unlink(missing_ok=True)
    if manifest.exists():
        kept = _free_name(manifest)
        manifest.rename(kept)
        work.done.append(f"{_relative(archive, manifest)}: kept as {kept.name}")


def _repair_leftovers(archive: Path, slug: str | None, work: RepairWork) -> None:
    """Removes indexes and manifests of removed files, which a killed repair may have left."""
    for name in list(_orphans(archive, slug, ())):
        path = archive / name
        if path.with_name(f"{path.name}{DAMAGED}0").exists():
            _forget(archive, path, work)


def _free_name(manifest: Path) -> Path:
    target = manifest.with_name(manifest.name + _KEPT_MANIFEST)
    number = 1
    while target.exists():
        number += 1
        target = manifest.with_name(f"{manifest.name}{_KEPT_MANIFEST}-{number}")
    return target


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ArchiveError(f"cannot read {path}: {error.strerror}") from error
