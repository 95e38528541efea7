"""WARC/1.1: writes exchanges as records and reads them back. Independent of Scrapy.

Writers (`writer`, `records`) and readers (`reader`, `members`, `recovery`) share only `files` and `message`, so that a
mistake in writing is not repeated in reading.
"""
