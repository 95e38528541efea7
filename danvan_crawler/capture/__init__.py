"""Network -> bytes: what was said on the wire, kept before anyone reads it.

    guard.py       which addresses a spider may contact; refuses before one byte is sent
    wire.py        the exact bytes of request and response, out of Scrapy's HTTP/1.1 handler
    archiver.py    downloader middleware at 950: writes the exchange as WARC records; no archive, no response
    conditional.py downloader middleware at 940: asks for what has changed, and makes of a 304 what it stands for
    originals.py   what of an answer the archive has already
    budget.py      downloader middleware at 50: what a run spends on requisites
    playback.py    the way back: a record of the archive as the response that the spider saw

A request passes them in the order guard, wire, archiver; Scrapy's own redirect, decompression and decoding come after.
"""
