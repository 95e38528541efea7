"""`python -m danvan_crawler` is the `danvan` command, for places where the script is not on PATH (cron, containers)."""

from __future__ import annotations

from danvan_crawler.cli import main

if __name__ == "__main__":
    main()
