"""`python -m danvan_crawler` is the `danvan` command, for systems without the script on PATH (cron, containers)."""

from __future__ import annotations

from danvan_crawler.cli import main

if __name__ == "__main__":
    main()
