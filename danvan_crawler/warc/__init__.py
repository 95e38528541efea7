"""Bytes to files: exchanges as WARC/1.1, and back again. Knows no Scrapy.

- `message`   what can be said of an HTTP message without changing a byte of it
- `digest`    the digests that WARC records carry
- `records`   an exchange as records, a record as one gzip member
- `files`     where WARC files are, what they are called, how one is finished
- `writer`    the file that a run writes
- `members`   the gzip members of a file, each checked to be one complete record
- `recovery`  files that a killed run left behind, cut back and finished
- `reader`    records out of files, damage never silent
- `revisits`  what a revisit record stands for; `lookup` finds one record, and the one that a revisit refers to
- `export`    all files of a site as one without revisits
- `index`     CDXJ lines and SHA-256 of a file, `surt` the keys they are sorted by
- `verify`    files checked to the last byte, with `verify_block`, `verify_record`, `verify_ledger`; packages with
              `verify_wacz`; every kind of defect has its name in `verify_findings`
- `repair`    damage set aside without losing a byte
- `wacz`      files, index and pages of a site as one package
- `unmodified` an index in which captures answered 304 lead to what they stand for

The way out is `writer` -> `records` -> `message`, `digest`; the way in is `reader` and `recovery` -> `members`. They
share `files` alone, so that a mistake in writing is not repeated in reading.
"""
