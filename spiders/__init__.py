"""Spiders: families parse platforms, site profiles say where, one walker does the rest.

Add a site in `sites/`, a platform in `families/`; `extract/` has what families read pages with.
"""
