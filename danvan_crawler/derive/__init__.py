"""Derive rows from WARC files: rebuild, leftovers of dead runs, imports from other tools, and takedowns."""
