"""HTTP with limits: https only (http on loopback), bounded size and time, redirects that cannot leave https."""

from __future__ import annotations

import hashlib
import ipaddress
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from reckless.errors import RecklessError

if TYPE_CHECKING:
    import requests

CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 30.0
MAX_REDIRECTS = 5
_CHUNK = 1 << 16
_local = threading.local()


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """An answer: HTTP status, lower-case header names, the body (empty where it went to a file)."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def is_allowed(url: str) -> bool:
    """Say whether `url` is https, or http to this very machine (loopback); no user or password in it."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return False
    if not host or parts.username or parts.password:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def get(url: str, *, limit: int, timeout: float = 60.0, headers: Mapping[str, str] | None = None) -> Response:
    """Fetch `url` into memory: at most `limit` bytes within `timeout` seconds in all.

    Raises RecklessError `insecure-url`, `network-down`, `http-timeout`, `http-too-large`. The status is the caller's
    to judge. User's proxies and certificates are honoured (requests).
    """
    body = bytearray()
    answer = _stream(url, limit, timeout, headers, body.extend)
    return Response(status=answer.status, headers=answer.headers, body=bytes(body))


def download(url: str, to: Path, *, limit: int, timeout: float = 600.0) -> str:
    """Write the body of `url` to the file `to` and return its sha256 (64 hex digits). Raises as `get`, and `http-status`."""
    digest = hashlib.sha256()
    with to.open("wb") as f:

        def write(chunk: bytes) -> None:
            f.write(chunk)
            digest.update(chunk)

        answer = _stream(url, limit, timeout, None, write)
    if answer.status != 200:
        raise RecklessError("http-status", f"{url} answered {answer.status}", "check the address in a browser")
    return digest.hexdigest()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _session() -> requests.Session:
    import requests

    if not hasattr(_local, "session"):
        _local.session = requests.Session()
    session: requests.Session = _local.session
    return session


def _stream(
    url: str, limit: int, timeout: float, headers: Mapping[str, str] | None, sink: Callable[[bytes], object]
) -> Response:
    import requests

    deadline = time.monotonic() + timeout
    for _ in range(MAX_REDIRECTS + 1):
        if not is_allowed(url):
            raise RecklessError("insecure-url", f"refusing {url}: only https, or http on this machine itself", "")
        try:
            with _session().get(
                url, headers=headers, stream=True, timeout=(CONNECT_TIMEOUT, min(READ_TIMEOUT, timeout)), allow_redirects=False
            ) as r:
                if r.is_redirect:
                    url = urljoin(url, r.headers["location"])
                    continue
                got = 0
                for chunk in r.iter_content(_CHUNK):
                    got += len(chunk)
                    if got > limit:
                        raise RecklessError(
                            "http-too-large", f"{url} sends more than the {limit} bytes expected of it", "nothing was kept"
                        )
                    if time.monotonic() > deadline:
                        raise _too_slow(url, timeout)
                    sink(chunk)
                return Response(status=r.status_code, headers={k.lower(): v for k, v in r.headers.items()})
        except requests.Timeout as e:
            raise _too_slow(url, timeout) from e
        except requests.RequestException as e:
            raise RecklessError(
                "network-down", f"cannot reach {urlsplit(url).netloc}: {_cause(e)}", "check the network, then run it again"
            ) from e
    raise RecklessError("http-redirects", f"{url} redirects more than {MAX_REDIRECTS} times", "")


def _too_slow(url: str, timeout: float) -> RecklessError:
    return RecklessError("http-timeout", f"{url} did not answer within {timeout:.0f} s", "try again later")


def _cause(error: BaseException) -> str:
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return str(error) or type(error).__name__
