"""capture.wire uses private names of Scrapy and Twisted; these tests fail if one of them has changed.

If a test fails after an update, read the new `scrapy/core/downloader/handlers/http11.py` and
`twisted/web/_newclient.py` beside the docstring of `capture.wire` before you change anything.
"""

from __future__ import annotations

import inspect

import pytest
import scrapy.core.downloader.handlers.http11 as scrapy_http11
import scrapy.utils._download_handlers as scrapy_helpers
import twisted.web._newclient as twisted_client
import twisted.web.client as twisted_web


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (scrapy_http11, "_LenientHTTP11ClientProtocol"),
        (scrapy_http11, "_LenientHTTP11ClientFactory"),
        (scrapy_http11, "_ScrapyAgent"),
        (scrapy_helpers, "wrap_twisted_exceptions"),
        (scrapy_helpers, "get_dataloss_msg"),
        (twisted_client.HTTP11ClientProtocol, "request"),
        (twisted_client.HTTP11ClientProtocol, "dataReceived"),
        (twisted_client.HTTP11ClientProtocol, "connectionLost"),
        (twisted_client.HTTP11ClientProtocol, "_finishResponse"),
        (twisted_client.HTTP11ClientProtocol, "_currentRequest"),
        (twisted_client.Request, "writeTo"),
        (twisted_web.HTTPConnectionPool, "getConnection"),
        (twisted_web.HTTPConnectionPool, "_newConnection"),
        (twisted_web.HTTPConnectionPool, "_putConnection"),
        (twisted_web.HTTPConnectionPool, "maxPersistentPerHost"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_private_name_exists(owner: object, name: str) -> None:
    assert hasattr(owner, name)


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        (
            scrapy_http11._ScrapyAgent.__init__,
            "self contextFactory connectTimeout bindAddress pool maxsize warnsize fail_on_dataloss crawler "
            "tls_verbose_logging",
        ),
        (scrapy_http11._LenientHTTP11ClientFactory.__init__, "self quiescentCallback metadata"),
        (scrapy_http11._LenientHTTP11ClientProtocol.request, "self request"),
        (twisted_client.HTTP11ClientProtocol._finishResponse, "self args kwargs"),  # Twisted's dispatcher on the state
        (twisted_client.Request.writeTo, "self transport"),
        (twisted_web.HTTPConnectionPool.__init__, "self reactor persistent"),
        (twisted_web.HTTPConnectionPool._newConnection, "self key endpoint"),
        (twisted_web.HTTPConnectionPool._putConnection, "self key connection"),
        (scrapy_helpers.get_dataloss_msg, "url"),
    ],
    ids=lambda value: getattr(value, "__qualname__", ""),
)
def test_private_function_has_the_same_parameters(function: object, parameters: str) -> None:
    assert list(inspect.signature(function).parameters) == parameters.split()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name",
    ["_pool", "_contextFactory", "_bind_address", "_default_maxsize", "_default_warnsize", "_fail_on_dataloss",
     "_fail_on_dataloss_warned", "_tls_verbose_logging", "_crawler"],
)  # fmt: skip
def test_handler_still_has_the_attributes_that_the_agent_needs(name: str) -> None:
    source = inspect.getsource(scrapy_http11.HTTP11DownloadHandler)
    source += inspect.getsource(scrapy_http11.HTTP11DownloadHandler.__mro__[1])
    assert f"self.{name}" in source


@pytest.mark.parametrize("name", ["persistent", "getConnection"])
def test_agent_uses_only_attributes_of_the_pool_that_the_facade_has(name: str) -> None:
    sources = [inspect.getsource(owner) for owner in (twisted_web._AgentBase, scrapy_http11._BindAddressAgent)]
    used = {word.split("(")[0] for source in sources for word in _attributes_of_pool(source)}
    assert used == {"persistent", "getConnection"}
    assert name in used


def _attributes_of_pool(source: str) -> list[str]:
    return [part.split(",")[0].split()[0] for part in source.split("self._pool.")[1:]]


def test_twisted_still_passes_on_bytes_after_the_message() -> None:
    assert "self.finisher(rest)" in inspect.getsource(twisted_client.HTTPClientParser._finished)


def test_twisted_still_closes_a_connection_whose_request_is_not_persistent() -> None:
    source = inspect.getsource(twisted_client.HTTP11ClientProtocol._finishResponse_WAITING)
    assert "self._currentRequest.persistent" in source
