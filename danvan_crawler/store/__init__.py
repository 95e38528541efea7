"""The item database: articles, captures and crawl state, derived from the archive and never the only copy of anything.
`database` opens it, `writes` fills it, `queries` and `search` read it.
"""
