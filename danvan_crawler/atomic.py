"""Files written as a whole: whoever reads one sees the old content or the new one."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from danvan_crawler.exceptions import DanvanError


def replace_file(path: Path, text: str) -> None:
    """Writes a file as a whole: whoever reads it sees the old or the new one. Raises DanvanError."""
    # Not a name that ends in .prom: the collector would read that too.
    draft = path.parent / f".{path.name}.{os.getpid()}"
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):  # in a place that is no folder, or may not be written
            draft.unlink(missing_ok=True)
        raise DanvanError(f"{path}: cannot be written: {error.strerror}") from error
