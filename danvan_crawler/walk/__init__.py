"""The rules of crawling, for a crawl and for a rebuild alike: where a walk goes on or ends, what has been seen."""
