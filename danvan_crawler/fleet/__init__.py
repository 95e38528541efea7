"""Crawls of many sites: a supervised process per site, and the nightly crawl for cron or systemd."""
