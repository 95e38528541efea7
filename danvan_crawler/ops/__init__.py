"""Running it: locks, the life of a run, its outcome and report, and rebuilding the database.

locks.py        one run per site and host at a time, none during a rebuild
run.py          Scrapy extension: locks, recovery, store and report of one run
outcome.py      what a run's statistics mean as an exit code
problems.py     kinds of trouble, each with what a person can do about it
expectations.py what is expected of a run, as data
health.py       a run held against its site's past; tally.py counts what it needs, page_kind.py reads odd pages
nights.py       run reports read back
status.py       how the sites are; status_page.py with charts.py as a page, metrics.py for Prometheus
notices.py      notifications, when something has changed
rest.py         servers that want to be left alone, over several runs
window.py       hours in which a site is crawled
numbers.py      settings that are numbers, looked at before a crawl
runner.py       runs a spider and returns that code
supervisor.py   many sites, each in a process of its own
children.py     such a process: watched, limited, stopped
signals.py      what asks a process to stop
heartbeat.py    what a run has done so far, for those who watch it
stopping.py     a crawl that is to end ends soon
reports.py      one report per run, also of one that died
site_log.py     a log file per site, bounded
schedule.py     the nightly crawl for cron and systemd
schedule_env.py its settings, in a file for its owner alone
requisites.py   what pages need to be looked at again
replay.py       captures to rows: for a rebuild, and for what a dead run left
rebuild.py      the database again, from the WARC files alone
verify.py       is everything there and as it was written; repair
packages.py     what goes into a package of one site, and its WACZ
bags.py         a site as a BagIt bag
wayback.py      pywb as a process of its own, over the archive
logs.py         one line for what matters, none per request
"""
