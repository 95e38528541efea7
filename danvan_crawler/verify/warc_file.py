"""Verifies a WARC file completely: members, records, digests, references, index and manifest.

Other validators miss many defects. `warcio check` accepts a truncated file, a missing date and a wrong Content-Length;
`fastwarc check` finds truncation and little more; both report correct payload digests of chunked responses as wrong.
Here each kind of defect has a name (`findings`), and reading continues after a defect: after an unreadable gzip member,
at the next byte at which a complete record begins.

One pass is enough, in constant memory: blocks are not held (`block`), ids are in a database (`ledger`), and of the
index only the 16-byte digests of one file's lines are held.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from isal import isal_zlib

from danvan_crawler.plurals import counted
from danvan_crawler.verify.findings import Finding
from danvan_crawler.verify.ledger import Ledger
from danvan_crawler.verify.record import Checked, check_record
from danvan_crawler.warc.files import DAMAGED, OPEN_SUFFIX, SUFFIX, final_name
from danvan_crawler.warc.index import index_line, index_path, is_indexed, manifest_path, target_of
from danvan_crawler.warc.members import GZIP_MAGIC, GzipMembers, complete_record_after

Report = Callable[[Finding], None]
Progress = Callable[[int], None]
"""Called with the number of bytes read since the last call."""

_PIECE = 1 << 20
_TARGETS = frozenset({"response", "resource", "conversion"})
"""Types of records that a revisit can refer to."""


def _no_progress(count: int) -> None:
    return None


@dataclass(slots=True)
class Verified:
    """Facts about one file that was read."""

    records: int = 0
    ours: bool = False
    """Its warcinfo record names danvan-crawler as the software."""
    sound: bool = True
    """All of its bytes are complete records; `repair` has nothing to do."""
    sha256: str | None = None
    lines: set[bytes] = field(default_factory=set)
    """Digests of the lines that its index must have."""


def verify_warc(
    path: Path, name: str, ledger: Ledger, report: Report, *, progress: Progress = _no_progress
) -> Verified:
    """Checks the records of one WARC file; `name` is its name in findings.

    References between records are added to `ledger` and checked there after all files were read. An incomplete end of
    an `.open` file is not damage: a run may be writing it.
    """
    seen = Verified()
    try:
        with path.open("rb", buffering=0) as file:
            _Walk(file, path, name, ledger, report, progress, seen).run()
    except OSError as error:
        report(Finding(name, None, "unreadable", error.strerror or str(error)))
        seen.sound = False
    return seen


class _Walk:
    """The state of checking one file."""

    def __init__(
        self,
        file: BinaryIO,
        path: Path,
        name: str,
        ledger: Ledger,
        report: Report,
        progress: Progress,
        seen: Verified,
    ) -> None:
        self._file, self._name, self._ledger, self._report, self._seen = file, name, ledger, report, seen
        self._path, self._progress = path, progress
        self._size = os.fstat(file.fileno()).st_size
        self._is_open = path.name.endswith(OPEN_SUFFIX)
        self._filename = final_name(path).name
        self._sha256 = hashlib.sha256()
        self._warcinfos: set[str] = set()
        self._last_request: tuple[str | None, bytes] = (None, b"")

    def run(self) -> None:
        if self._size == 0 and not self._is_open:
            self._seen.sound = False
            self._report(Finding(self._name, None, "empty-file", "it has 0 bytes"))
        excused = any(self._path.parent.glob(f"*{SUFFIX}{DAMAGED}*"))
        self._ledger.begin_file(self._name.removesuffix(OPEN_SUFFIX), excused=excused)
        members = GzipMembers(self._file, on_read=self._on_read)
        while members.peek():
            start = members.offset
            try:
                checked = check_record(members.pieces(), self._reporter(start), ours=self._seen.ours)
            except (EOFError, isal_zlib.error) as error:  # type: ignore[misc]  # isal's stub calls it an instance
                resumed = self._broken(start, error)
                members = GzipMembers(self._file, resumed, on_read=self._progress_only)
                continue
            self._take(checked, start, members.offset)
        if not self._seen.records:
            self._seen.sound = False
        self._seen.sha256 = self._digest()

    def _on_read(self, data: bytes) -> None:
        self._sha256.update(data)
        self._progress(len(data))

    def _progress_only(self, data: bytes) -> None:
        self._progress(len(data))

    def _digest(self) -> str:
        if self._seen.sound:
            return self._sha256.hexdigest()
        whole = hashlib.sha256()  # the file may not have been read from beginning to end
        self._file.seek(0)
        while data := self._file.read(_PIECE):
            whole.update(data)
        return whole.hexdigest()

    def _reporter(self, offset: int) -> Callable[[str, str, bool], None]:
        return lambda kind, sentence, damage: self._report(Finding(self._name, offset, kind, sentence, damage))

    def _broken(self, start: int, error: Exception) -> int:
        """Reports what is wrong with the gzip member at `start`; returns where to continue."""
        following = complete_record_after(self._file, start + 1, self._size)
        end = self._size if following is None else following
        extent = f"{counted(end - start, 'byte')}, " + (
            "to the end of the file" if following is None else f"up to byte {end}"
        )
        torn = following is None and self._is_open
        if not torn:
            self._seen.sound = False
        self._file.seek(start)
        if torn:
            sentence = f"its last record is not complete ({extent}): it is being written, or the run was killed"
            self._report(Finding(self._name, start, "unfinished", sentence, damage=False))
        elif self._file.read(len(GZIP_MAGIC)) != GZIP_MAGIC and (end - start >= len(GZIP_MAGIC) or start == 0):
            kind = "garbage-between-records" if following is not None else "trailing-garbage"
            self._report(
                Finding(self._name, start, kind if start else "not-gzip", f"no gzip member begins there ({extent})")
            )
        elif isinstance(error, EOFError):
            self._report(
                Finding(self._name, start, "truncated", f"the file ends inside the record that begins there ({extent})")
            )
        else:
            kind = "bad-checksum" if "checksum" in str(error) else "corrupt-gzip"
            self._report(Finding(self._name, start, kind, f"the gzip member cannot be read: {error} ({extent})"))
        return end

    def _take(self, checked: Checked | None, start: int, end: int) -> None:
        if checked is None or not checked.complete:
            self._seen.sound = False
        if checked is None:
            return
        self._seen.records += 1
        headers = checked.headers
        if self._seen.records == 1:
            self._seen.ours = checked.is_ours
            if checked.type != "warcinfo" and start == 0:
                self._report(Finding(self._name, 0, "no-warcinfo", f"it begins with a {checked.type}", damage=False))
        if any(not headers.get(name) for name in ("WARC-Type", "WARC-Record-ID", "WARC-Date", "Content-Length")):
            self._seen.sound = False
        self._note(checked, start)
        if checked.type == "request":
            partner = _bare(headers.get("WARC-Concurrent-To"))
            self._last_request = (partner, checked.method)
        elif checked.type == "response":
            self._check_truncation(checked, start)
        if checked.complete and is_indexed(headers):
            block = checked.block
            line = index_line(
                headers,
                block.head,
                offset=start,
                end=end,
                filename=self._filename,
                digest=None if checked.type == "revisit" else block.after_head_digest(),
            )
            if line is not None:
                self._seen.lines.add(line_digest(line))

    def _note(self, checked: Checked, start: int) -> None:
        """Adds the record and its references to the ledger."""
        headers, ledger, ours = checked.headers, self._ledger, self._seen.ours
        if checked.id is not None:
            before = ledger.add(
                checked.id,
                start,
                url=target_of(headers) if checked.type in _TARGETS else None,
                date=headers.get("WARC-Date"),
                digest=headers.get("WARC-Payload-Digest"),
            )
            if before is not None:
                sentence = f"{checked.id} is also in {before.file} at byte {before.offset}"
                self._report(Finding(self._name, start, "duplicate-id", sentence))
            if checked.type in ("response", "revisit") and checked.block.body is not None:
                ledger.add_response(checked.id, start, damage=ours)
        for partner in map(_bare, headers.getall("WARC-Concurrent-To")):
            if partner is None:
                continue
            sentence = f"it names {partner}, which is not there"
            ledger.expect_record("missing-partner", partner, start, sentence, always=True)
            if checked.type == "request":
                ledger.add_request(partner)
            elif checked.type in ("response", "revisit") and checked.id is not None:
                ledger.add_request(checked.id)
        warcinfo = _bare(headers.get("WARC-Warcinfo-ID"))
        if warcinfo is not None and warcinfo not in self._warcinfos:
            self._warcinfos.add(warcinfo)
            sentence = f"it names {warcinfo}, which is not there"
            ledger.expect_record("missing-warcinfo", warcinfo, start, sentence, always=False)
        if checked.type == "revisit":
            self._note_revisit(checked, start)

    def _note_revisit(self, checked: Checked, start: int) -> None:
        headers = checked.headers
        target = _bare(headers.get("WARC-Refers-To"))
        url, date = headers.get("WARC-Refers-To-Target-URI"), headers.get("WARC-Refers-To-Date")
        if target is None and not (url and date):
            return  # reported as `revisit-incomplete`
        same_payload = self._seen.ours or "identical-payload" in (headers.get("WARC-Profile") or "")
        self._ledger.expect_record(
            "revisit-target-missing",
            target,
            start,
            f"it refers to {target or f'{url} of {date}'}, which is not there",
            always=False,
            url=_bare(url),
            date=date,
            digest=headers.get("WARC-Payload-Digest") if same_payload else None,
        )

    def _check_truncation(self, checked: Checked, start: int) -> None:
        """Reports a truncated message without WARC-Truncated: half a page would be taken for a complete one.

        Responses to HEAD have no body despite their Content-Length. Other tools store decoded bodies with the headers
        of the encoded ones, so in their files this is not damage.
        """
        body = checked.block.body
        partner, method = self._last_request
        if body is None or not body.cut_short or checked.headers.get("WARC-Truncated") is not None:
            return
        if method == b"HEAD" and partner in (None, checked.id):
            return
        sentence = "its HTTP message announces more than the block holds, but WARC-Truncated is missing"
        self._report(Finding(self._name, start, "unmarked-truncation", sentence, damage=self._seen.ours))


def verify_index_and_manifest(
    archive: Path, path: Path, name: str, seen: Verified, report: Report, *, being_written: bool = False
) -> None:
    """Checks index and manifest of a finished file of an archive against the facts about the file.

    They are written at the end of a run, or, if the run has died, by the next run: first the index, then the manifest.
    So a missing manifest is not damage. If there is a manifest, there must be an index too, unless they may be
    `being_written` now.
    """
    manifest = manifest_path(archive, path)
    stated = _first_word(manifest)
    if stated is None:
        sentence = f"there is no {manifest.relative_to(archive).as_posix()}: the next run of the site writes it"
        report(Finding(name, None, "manifest-missing", sentence, damage=False))
    elif stated != seen.sha256:
        report(Finding(name, None, "manifest-mismatch", f"its SHA-256 is {seen.sha256}, the manifest says {stated}"))
    index = index_path(archive, path)
    where = index.relative_to(archive).as_posix()
    missing = set(seen.lines)
    previous = b""
    try:
        with index.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line < previous:
                    report(Finding(where, None, "index-unsorted", f"line {number} sorts before the line above it"))
                previous = line
                if line_digest(line.decode(errors="replace")) not in seen.lines:
                    report(Finding(where, None, "index-line-wrong", f"line {number} does not belong to {name}"))
                missing.discard(line_digest(line.decode(errors="replace")))
    except FileNotFoundError:
        lost = stated is not None and not being_written
        report(Finding(name, None, "index-missing", f"there is no {where}", damage=lost))
    except OSError as error:
        report(Finding(where, None, "unreadable", error.strerror or str(error)))
    else:
        if missing:
            report(Finding(where, None, "index-line-missing", f"{counted(len(missing), 'record')} of {name} missing"))


def _first_word(manifest: Path) -> str | None:
    try:
        words = manifest.read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        return None
    return words[0].lower() if words else ""


def _bare(identifier: str | None) -> str | None:
    return identifier.removeprefix("<").removesuffix(">") if identifier else None


def line_digest(line: str) -> bytes:
    """A 16-byte digest of a line of an index."""
    return hashlib.blake2b(line.encode(errors="replace"), digest_size=16).digest()
