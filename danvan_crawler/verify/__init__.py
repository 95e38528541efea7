"""Verification of files, records, indexes, manifests, the database and packages; repair of damaged WARC files."""
