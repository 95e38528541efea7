"""Bytes to files: exchanges as WARC/1.1, and back again. Knows no Scrapy.

- `message`   what can be said of an HTTP message without changing a byte of it
- `digest`    the digests that WARC records carry
- `records`   an exchange as records, a record as one gzip member
- `files`     where WARC files are, what they are called, how one is finished
- `writer`    the file that a run writes
- `members`   the gzip members of a file, each checked to be one complete record
- `recovery`  files that a killed run left behind, cut back and finished
- `reader`    records out of files, damage never silent

The way out is `writer` -> `records` -> `message`, `digest`; the way in is `reader` and `recovery` -> `members`. They
share `files` alone, so that a mistake in writing is not repeated in reading.
"""
