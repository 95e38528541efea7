"""The rules of crawling, for a crawl and for a rebuild: which pages are requested, and where a walk ends."""
