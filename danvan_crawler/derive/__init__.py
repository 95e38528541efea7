"""Rows out of WARC files: the whole database again, what a dead run left, what another tool archived, what is
hidden."""
