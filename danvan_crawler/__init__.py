"""danvan-crawler: Vietnamese provincial Party sites, kept as WARC and read as a feed of articles.

The archive is the source of truth and everything else is a function of it. `capture` and `warc` bring bytes from the
network to disk; families (in `spiders`) and stages (in `pipelines`) make articles of archived responses; `store` and
`export` keep and export them; `cli` is the `danvan` command. docs/architecture.md follows a page through them.
"""

from __future__ import annotations

__version__ = "0.1.0"
