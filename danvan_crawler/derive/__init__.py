"""Rows out of WARC files: a rebuild, what a dead run left, what another tool archived, and what is hidden."""
