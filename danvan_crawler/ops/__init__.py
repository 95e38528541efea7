"""Running it: locks, the life of a run, its outcome and report, and rebuilding the database.

locks.py     one run per site at a time
run.py       Scrapy extension: lock, recovery, store and report of one run
outcome.py   what a run's statistics mean as an exit code
runner.py    runs a spider and returns that code
rebuild.py   the database again, from the WARC files alone
logs.py      one line for what matters, none per request
"""
