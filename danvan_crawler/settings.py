"""Scrapy settings of the project: component order, politeness, and the settings of an operator.

Our own settings begin with `DANVAN_`; each is read from the environment variable of the same name, or given with
`scrapy crawl -s NAME=VALUE`. `settings_check` has their names and defaults, and docs/commands-and-settings.md
lists them.
"""

from __future__ import annotations

from pathlib import Path

from danvan_crawler import __version__, _layout
from danvan_crawler.settings_check import CrawlSettings, from_environment, unchecked

_layout.activate()  # `spiders` and `pipelines` below are found by name

BOT_NAME = "danvan-crawler"
SPIDER_LOADER_CLASS = "spiders.loader.ProfileSpiderLoader"
STATS_CLASS = "danvan_crawler.crawl.known_statistics.KnownStatistics"
ITEM_PROCESSOR = "danvan_crawler.stages.FinishedItems"
COMMANDS_MODULE = "danvan_crawler.cli.scrapy"  # `scrapy crawl` and `runspider` with our exit codes

# Invalid numbers are not checked here: an error at import would be a traceback. `check_settings` reports them before a
# crawl.
globals().update({name: unchecked(name) for name in CrawlSettings.model_fields})
DANVAN_ARCHIVE = str(Path(from_environment("DANVAN_ARCHIVE")).absolute())
DANVAN_SITES = list(from_environment("DANVAN_SITES"))

_contact = unchecked("DANVAN_CONTACT") or "no contact given"
USER_AGENT = f"danvan-crawler/{__version__} (archiving news of Party committees; +{_contact})"
ROBOTSTXT_OBEY = True
ROBOTSTXT_USER_AGENT = BOT_NAME  # the words "news" and "archive" in the full name would match other robots' groups
DOWNLOAD_DELAY = 1.0
DOWNLOAD_DELAY_JITTER = 0  # the profile's delay is a minimum: jitter would go below it
CONCURRENT_REQUESTS_PER_DOMAIN = 1
AUTOTHROTTLE_ENABLED = True
AUTOTHROTTLE_START_DELAY = DOWNLOAD_DELAY
AUTOTHROTTLE_MAX_DELAY = 3600  # the default of 60 would shorten longer delays of profiles
COOKIES_ENABLED = True  # some portals need a session within a run; Scrapy forgets cookies at its end
DOWNLOAD_TIMEOUT = 60
DOWNLOAD_MAXSIZE = 64 * 1024 * 1024
DOWNLOAD_WARNSIZE = 0
RETRY_TIMES = 2
RETRY_GIVE_UP_LOG_LEVEL = "INFO"  # the spider logs failed requests
REDIRECT_MAX_TIMES = 5
# In the archive, and so in a rebuild, a page with a meta refresh is not a redirect.
METAREFRESH_ENABLED = False

DEFAULT_REQUEST_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "vi,en;q=0.5",
    # Not br or zstd: warcio fails on br records when brotli is importable (warcio#73), and none of ours reads zstd.
    "Accept-Encoding": "gzip, deflate",
}

# Scrapy's default resolver knows IPv4 only: no IPv6 literals, no hosts with only an AAAA record.
TWISTED_DNS_RESOLVER = "scrapy.resolver.CachingHostnameResolver"
DOWNLOAD_HANDLERS = {
    "http": "danvan_crawler.capture.wire.WireDownloadHandler",
    "https": "danvan_crawler.capture.wire.WireDownloadHandler",
    # Other handlers do not provide the exact bytes for the archive.
    "data": None,
    "file": None,
    "ftp": None,
    "s3": None,
}
DOWNLOADER_MIDDLEWARES = {
    "danvan_crawler.politeness.budget.BudgetMiddleware": 50,
    "danvan_crawler.politeness.guard.GuardMiddleware": 60,
    "danvan_crawler.politeness.foreign_hosts.ForeignHostsMiddleware": 70,
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "danvan_crawler.politeness.robots.RobotsMiddleware": 100,
    "danvan_crawler.politeness.backoff.RetryAfterMiddleware": 560,
    # Scrapy's passes on the decodable part of a damaged body; half a page would look like an edited article.
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": None,
    "danvan_crawler.capture.decoding.DecodingMiddleware": 590,
    "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None,
    "danvan_crawler.politeness.cookies.SnapshotCookies": 700,
    # The guard checks the address of the connection, which would be the proxy's.
    "scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware": None,
    "danvan_crawler.capture.conditional.ConditionalMiddleware": 940,
    # Nearest to the network: if it raises, the request fails, so that only archived responses are parsed.
    "danvan_crawler.capture.archiver.ArchiverMiddleware": 950,
}
EXTENSIONS = {
    "danvan_crawler.crawl.run.RunExtension": 0,
    "danvan_crawler.crawl.shutdown.PromptStop": 10,
    "danvan_crawler.crawl.window.WindowExtension": 20,
    "danvan_crawler.politeness.crawl_delay.CrawlDelay": 30,
    "scrapy.extensions.memusage.MemoryUsage": None,
    "danvan_crawler.crawl.memory_limit.ResidentMemory": 40,
    # Executes Python code sent to a local port; on by default since Scrapy 2.19.
    "scrapy.extensions.remote_control.RemoteControl": None,
    "scrapy.extensions.telnet.TelnetConsole": None,
}
ITEM_PIPELINES = {
    "pipelines.text.TextPipeline": 100,
    "pipelines.timestamps.TimestampsPipeline": 200,
    "pipelines.places.PlacesPipeline": 300,
    "pipelines.documents.DocumentsPipeline": 400,
    "pipelines.identity.IdentityPipeline": 500,
    "pipelines.validate.ValidatePipeline": 600,
    "pipelines.store.StorePipeline": 900,
}
CONCURRENT_ITEMS = 4  # the default of 100 starts a hundred tasks per response: measured 1.5 times slower

LOG_LEVEL = unchecked("DANVAN_LOG_LEVEL")
LOG_FORMATTER = "danvan_crawler.crawl.log_format.QuietLogFormatter"
MEMUSAGE_LIMIT_MB = unchecked("DANVAN_MEMORY_LIMIT")  # above it the crawl is stopped cleanly
MEMUSAGE_CHECK_INTERVAL_SECONDS = 5.0
STATS_DUMP = False  # statistics are in the run report
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False
