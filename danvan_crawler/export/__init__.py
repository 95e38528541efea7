"""Exports: items as files, and the captures of a site as WARC, WACZ or BagIt."""
