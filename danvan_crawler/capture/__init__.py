"""Capture: archives the bytes of every exchange before the response is processed, and plays archived responses back.

A request passes `conditional`, `archiver` and `wire`. A response passes `wire`, `archiver` and then Scrapy's own
middlewares for redirects, compression and cookies.
"""
