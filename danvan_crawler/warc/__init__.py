"""Bytes to files: exchanges as WARC/1.1 records, and back again. Knows no Scrapy.

What writes (`writer`, `records`) and what reads (`reader`, `members`, `recovery`) share `files` and `message` alone, so
that a mistake in writing is not repeated in reading.
"""
