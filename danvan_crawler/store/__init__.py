"""The item database: derived from the archive, and never the only copy of anything.

schema.py     tables and migrations
database.py   opening SQLite the way several processes need it
revisions.py  which revision is current: a pure function of an article's captures
captures.py   exchanges by address: which one shows what an article shows
writes.py     Store: one transaction per article or listing
frontier.py   crawl state: what is known, pending, failed
fulltext.py   the full-text index, exact and folded
queries.py    reading items back with filters, as exports show them
search.py     a user's query as FTS5 understands it
"""
