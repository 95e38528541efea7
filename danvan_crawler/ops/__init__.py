"""Running it: locks, the life of a run, its outcome and report, and rebuilding the database.

locks.py        one run per site at a time, none during a rebuild
run.py          Scrapy extension: locks, recovery, store and report of one run
outcome.py      what a run's statistics mean as an exit code
runner.py       runs a spider and returns that code
children.py     crawls in processes of their own
requisites.py   what has to be archived with an article
replay.py       captures to rows: for a rebuild, and for what a dead run left
rebuild.py      the database again, from the WARC files alone
logs.py         one line for what matters, none per request
"""
