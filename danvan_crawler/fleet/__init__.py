"""Many sites, night after night: one process for each, watched, and the nightly crawl for cron or systemd."""
