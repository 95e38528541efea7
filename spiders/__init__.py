"""Spiders: families parse platforms, site profiles define sites, and one spider crawls all of them.

Add a site in `sites/`, a platform in `families/`. `extract/` has the parsing functions for families.
"""
