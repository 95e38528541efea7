"""Network to bytes: what was said on the wire, kept before anyone reads it, and the way back.

A request passes `conditional`, `archiver` and `wire`, an answer `wire` and `archiver`, and then Scrapy's own
middlewares for redirects, compression and cookies.
"""
