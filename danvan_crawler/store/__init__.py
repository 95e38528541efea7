"""The item database: articles, captures and crawl state. All of it can be derived from the archive again.

`database` opens it, `writes` fills it, `queries` and `search` read it.
"""
