"""Many sites, night after night: a supervised process for each, and the nightly crawl for cron or systemd."""
