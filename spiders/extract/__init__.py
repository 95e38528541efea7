"""Parsing functions for pages of any platform: lines, listings, date lines, feeds, selectors of a profile."""
