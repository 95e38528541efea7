"""What the item database says of WARC files beside what the files hold.

A row is written after its record, so after the death of a process every row has its record. Two things can take the
record away all the same: somebody removes a file, and a power cut, of which the database may have been synced before
the file was. Then items name what is not there. The start of a run looks for that, as far as it can be seen without
reading the files: a file that is gone, or that ends before a record that a row names. Records are compared one by one
by `danvan verify`, and `danvan rebuild` makes the database again from what is there; what was lost is unknown then,
and the next crawl asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from danvan_crawler.store.captures import last_offsets
from danvan_crawler.store.database import database_path, open_for_reading
from danvan_crawler.warc.files import WARC_FOLDER


def lost_records(archive: Path, slug: str) -> Iterator[str]:
    """A sentence for each WARC file of a site that the database knows more of than is there. Raises StoreError."""
    with open_for_reading(database_path(archive)).connect() as connection:
        known = last_offsets(connection, f"{WARC_FOLDER}/{slug}/")
    for name, offset in known:
        path = archive / name
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            yield f"{path} is gone, and the item database names records of it"
        else:
            if offset >= size:
                yield f"{path} ends at byte {size}, and the item database names a record at byte {offset}"
