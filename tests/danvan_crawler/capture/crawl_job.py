"""A crawl in its own process, since a Twisted reactor runs only once: `python crawl_job.py JOB.json RESULT.json`.

The job has the spider attributes, settings and requests; the result has the spider's view of each request (by its
"case"), the statistics, and the finish reason. Requests are made one after another, in the order given.
"""

from __future__ import annotations

import base64
import json
import resource
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import scrapy
from scrapy import signals
from scrapy.crawler import CrawlerProcess
from scrapy.exceptions import StopDownload


@dataclass(frozen=True)
class FixedSite:
    """The attributes of a site profile that capture reads."""

    name: str
    source_text: str
    private_network: bool
    endpoints: tuple[tuple[str, int], ...]

    def private_endpoints(self) -> frozenset[tuple[str, int]]:
        return frozenset(self.endpoints)


class FailingPipeline:
    """Fails when the crawl ends."""

    def close_spider(self) -> None:
        raise RuntimeError("this pipeline fails in the last steps of a crawl")


class JobSpider(scrapy.Spider):
    job: dict[str, Any]
    results: dict[str, dict[str, Any]]

    @classmethod
    def from_crawler(cls, crawler: scrapy.crawler.Crawler, *args: Any, **kwargs: Any) -> JobSpider:
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.on_headers, signals.headers_received)
        return spider

    def on_headers(self, request: scrapy.Request) -> None:
        if request.meta.get("stop"):
            raise StopDownload(fail=False)

    async def start(self) -> Any:
        for number, one in enumerate(self.job["requests"]):
            yield scrapy.Request(
                one["url"],
                self.parse,
                method=one.get("method", "GET"),
                body=base64.b64decode(one.get("body", "")),
                headers=one.get("headers"),
                meta={**one.get("meta", {}), "case": one["case"]},
                errback=self.failed,
                priority=-number,
                dont_filter=True,
            )

    def parse(self, response: scrapy.http.Response) -> None:
        self._note(
            response.meta,
            url=response.url,
            status=response.status,
            flags=response.flags,
            body=base64.b64encode(response.body).decode(),
            kind=type(response).__name__,
            headers=[
                [name.decode("latin-1"), value.decode("latin-1")]
                for name in response.headers
                for value in response.headers.getlist(name)
            ],
            encoding=getattr(response, "encoding", None),
        )

    def failed(self, failure: Any) -> None:
        self._note(failure.request.meta, error=failure.type.__name__, message=str(failure.value))

    def _note(self, meta: dict[str, Any], **seen: Any) -> None:
        capture = meta.get("capture")
        seen["capture"] = None if capture is None else asdict(capture)
        seen["left_in_meta"] = "danvan_exchange" in meta
        self.results[meta["case"]] = seen

    def closed(self, reason: str) -> None:
        if self.job.get("fail_at_end"):
            raise RuntimeError("this spider fails in the last steps of a crawl")


def main(job_file: Path, result_file: Path) -> None:
    job = json.loads(job_file.read_text())
    results: dict[str, dict[str, Any]] = {}
    attributes = dict(job["spider"])
    if site := attributes.get("site"):
        site["endpoints"] = tuple(tuple(endpoint) for endpoint in site["endpoints"])
        attributes["site"] = FixedSite(**site)
    spider_class = type("Spider", (JobSpider,), {"job": job, "results": results, **attributes})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    if limit := job.get("file_size_limit"):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write beyond the limit then fails with EFBIG
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limits[1]))
    process = CrawlerProcess(job["settings"])
    crawler = process.create_crawler(spider_class)
    process.crawl(crawler)
    process.start()
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    stats = {} if crawler.stats is None else crawler.stats.get_stats()
    result_file.write_text(json.dumps({"results": results, "stats": stats}, default=str))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
