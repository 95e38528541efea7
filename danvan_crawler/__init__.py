"""danvan-crawler: archive Vietnamese provincial Party sites as WARC and extract their articles.

The archive is the source of truth and everything else is derived from it. `capture` and `warc` write responses from the
network to disk; families (in `spiders`) and stages (in `pipelines`) turn archived responses into articles; `store` and
`export` store and export them; `cli` is the `danvan` command. docs/architecture.md follows a page through them.
"""

from __future__ import annotations

__version__ = "0.1.0"
