"""A server may lie, stall, drip, break off, send without end or send us away: each ends in time, with a clear error."""

from __future__ import annotations

import gzip
import hashlib
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from reckless.errors import RecklessError
from reckless.system import http
from tests.servers import WebServer

BODY = b"body" * 1000


def answering(**kinds):
    """A server that answers each path by a function of its own."""

    def answer(handler):
        kinds[handler.path.strip("/").split("?")[0] or "root"](handler)

    return WebServer(answer)


def plain(handler, body=BODY, status=200, **headers):
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    if "Content_Length" not in headers and "Transfer_Encoding" not in headers:
        handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def refusal(call, *arguments, **options) -> RecklessError:
    with pytest.raises(RecklessError) as caught:
        call(*arguments, **options)
    return caught.value


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "http://127.0.0.1.example.com/",
        "http://localhost@example.com/",
        "https://user@example.com/",
        "https://user:secret@example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://",
        "https://[::1",
        "https://example.com:port/",
        "//example.com",
        "",
    ],
)
def test_only_https_and_loopback_are_allowed(url):
    assert not http.is_allowed(url)
    assert refusal(http.get, url, limit=1).code == "insecure-url"


@pytest.mark.parametrize("url", ["https://example.com/", "http://127.0.0.1:8/", "http://localhost/", "http://[::1]:1/"])
def test_https_and_loopback_are(url):
    assert http.is_allowed(url)


def test_get_returns_status_headers_and_body():
    with answering(a=lambda h: plain(h, ETag='"x"'), b=lambda h: plain(h, b"", 304)) as server:
        got = http.get(server.url("a"), limit=5000)
        assert (got.status, got.headers["etag"], got.body) == (200, '"x"', BODY)
        assert http.get(server.url("b"), limit=0, headers={"If-None-Match": '"x"'}).status == 304


def test_get_undoes_compression_and_counts_what_comes_out_of_it():
    with answering(a=lambda h: plain(h, gzip.compress(bytes(5_000_000)), Content_Encoding="gzip")) as server:
        assert len(http.get(server.url("a"), limit=5_000_000).body) == 5_000_000
        assert refusal(http.get, server.url("a"), limit=4_999_999).code == "http-too-large"


def test_a_download_is_the_bytes_that_the_server_holds(tmp_path):
    data = gzip.compress(BODY)
    with answering(a=lambda h: plain(h, data, Content_Encoding="gzip")) as server:
        digest = http.download(server.url("a"), tmp_path / "a", limit=10_000)
    assert digest == hashlib.sha256(data).hexdigest()
    assert (tmp_path / "a").read_bytes() == data


def test_a_download_that_is_not_there_or_too_large_leaves_no_file(tmp_path):
    with answering(a=lambda h: plain(h, b"gone", 404), b=plain) as server:
        assert refusal(http.download, server.url("a"), tmp_path / "a", limit=100).code == "http-status"
        assert refusal(http.download, server.url("b"), tmp_path / "b", limit=100).code == "http-too-large"
    assert list(tmp_path.iterdir()) == []


def test_redirects_are_followed_a_few_times():
    with answering(
        a=lambda h: plain(h, b"", 302, Location="/b"),
        b=lambda h: plain(h, b"", 308, Location="c?x=1"),
        c=plain,
        loop=lambda h: plain(h, b"", 302, Location="/loop"),
    ) as server:
        assert http.get(server.url("a"), limit=5000).body == BODY
        assert refusal(http.get, server.url("loop"), limit=5000).code == "http-redirects"


@pytest.mark.parametrize(
    "location", ["http://example.com/", "file:///etc/passwd", "ftp://127.0.0.1/", "//example.com/x"]
)
def test_redirects_out_of_https_are_refused(location):
    with answering(a=lambda h: plain(h, b"", 302, Location=location)) as server:
        assert refusal(http.get, server.url("a"), limit=5000).code == "insecure-url"


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_breaks_off_is_an_error(chunked, tmp_path):
    def cut(handler):
        if chunked:
            plain(handler, b"fff\r\nonly this", Transfer_Encoding="chunked")
        else:
            plain(handler, BODY, Content_Length=str(len(BODY) + 1))
        handler.close_connection = True

    with answering(a=cut) as server:
        assert refusal(http.get, server.url("a"), limit=50_000).code == "http-truncated"
        assert refusal(http.download, server.url("a"), tmp_path / "a", limit=50_000).code == "http-truncated"


def drip_body(handler, release):
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    drip(handler, release, b"x")


def drip_headers(handler, release):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    drip(handler, release, b"y")


def drip(handler, release, byte):
    with suppress(OSError):
        while not release.wait(0.05):
            handler.wfile.write(byte)


def stall(handler, release):
    release.wait(60)


@pytest.mark.parametrize("how", [drip_body, drip_headers, stall])
def test_a_server_that_drips_or_stalls_is_given_up_on_in_time(how, tmp_path):
    release = threading.Event()
    with answering(a=lambda h: how(h, release)) as server:
        began = time.monotonic()
        error = refusal(http.download, server.url("a"), tmp_path / "a", limit=1_000_000, timeout=0.5)
        release.set()
    assert error.code == "http-timeout"
    assert time.monotonic() - began < 10
    assert list(tmp_path.iterdir()) == []


def test_nothing_listening_is_network_down():
    with WebServer() as server:
        url = server.url()
    error = refusal(http.get, url, limit=1)
    assert error.code == "network-down"
    assert server.base.removeprefix("http://") in error.message


def test_an_answer_that_is_not_http_is_an_error():
    with answering(a=lambda h: h.wfile.write(b"SSH-2.0-x\r\n\r\n")) as server:
        assert refusal(http.get, server.url("a"), limit=1).code in {"network-down", "http-truncated"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_an_oserror_for_the_caller(tmp_path):
    with answering(a=plain) as server, pytest.raises(OSError, match="No space"):
        http.download(server.url("a"), _Full(tmp_path / "a"), limit=5000)


class _Full(type(Path())):
    """A path whose file takes nothing."""

    def open(self, *_, **__):
        return open("/dev/full", "wb", buffering=0)  # noqa: PTH123


def test_calls_share_one_connection():
    ports = []
    with answering(a=lambda h: (ports.append(h.client_address[1]), plain(h))) as server:
        for _ in range(3):
            http.get(server.url("a"), limit=5000)
    assert len(set(ports)) == 1
