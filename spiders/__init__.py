"""Spiders: families parse platforms, site profiles say where, one walker does the rest.

families/        one module per CMS platform
sites/           one TOML file per portal: add a site here
site_spider.py   walks a site's sections and fetches what it finds
requisites.py    asks for what pages need beside their text
loader.py        makes a spider of every profile
outline.py       a page as the lines that a reader sees
listings.py      article links and the next page, where a platform gives no better sign
taming.py        pages that a parser would take minutes for, cut to what can be read
"""
