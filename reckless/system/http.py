"""HTTP with limits: https only (http on loopback), bounded size and time, redirects that cannot leave https."""

from __future__ import annotations

import hashlib
import ipaddress
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from reckless.errors import RecklessError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import requests

CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 30.0
MAX_REDIRECTS = 5
_CHUNK = 1 << 14  # small, because a compressed chunk may unfold to a thousand times itself before it is counted
_session_lock = threading.Lock()
_sessions: list[requests.Session] = []


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """An answer: HTTP status, lower-case header names, the body (empty where it went to a file)."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def is_loopback(url: str) -> bool:
    """Say whether `url` is plain http to this very machine; no user or password in it."""
    parts = _split(url)
    return parts is not None and parts[0] == "http" and _is_loopback_host(parts[1])


def is_allowed(url: str) -> bool:
    """Say whether `url` is https, or http to this very machine (loopback); no user or password in it."""
    parts = _split(url)
    return parts is not None and (parts[0] == "https" or is_loopback(url))


def get(url: str, *, limit: int, timeout: float = 60.0, headers: Mapping[str, str] | None = None) -> Response:
    """Fetch `url` into memory: at most `limit` bytes within `timeout` seconds in all.

    Raises RecklessError `insecure-url`, `network-down`, `http-timeout`, `http-too-large`, `http-redirects`,
    `http-truncated`. The status is the caller's to judge. User's proxies and certificates are honoured (requests).
    """
    body = bytearray()
    answer = _within(timeout, _Transfer(url=url, limit=limit, timeout=timeout, headers=headers or {}, sink=body.extend))
    return Response(status=answer.status, headers=answer.headers, body=bytes(body))


def download(url: str, to: Path, *, limit: int, timeout: float = 600.0) -> str:
    """Write the body of `url` to the file `to` and return its sha256 (64 hex digits).

    The bytes are those that the server holds: no content encoding is asked for or undone. Raises as `get`, and
    `http-status` (`to` is then removed), and OSError where the file cannot be written.
    """
    digest = hashlib.sha256()
    try:
        with to.open("wb") as f:

            def write(chunk: bytes) -> None:
                f.write(chunk)
                digest.update(chunk)

            headers = {"Accept-Encoding": "identity"}
            transfer = _Transfer(url=url, limit=limit, timeout=timeout, headers=headers, sink=write, decode=False)
            answer = _within(timeout, transfer)
        if answer.status != 200:
            raise RecklessError("http-status", f"{url} answered {answer.status}", "check the address in a browser")
    except BaseException:
        to.unlink(missing_ok=True)
        raise
    return digest.hexdigest()


def _split(url: str) -> tuple[str, str] | None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return None
    if not host or parts.username is not None or parts.password is not None:
        return None
    return parts.scheme, host


def _is_loopback_host(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _session() -> requests.Session:
    """Return the one session, so that calls share connections whichever thread they come from."""
    import requests

    with _session_lock:
        if not _sessions:
            _sessions.append(requests.Session())
        return _sessions[0]


def _within(timeout: float, transfer: _Transfer) -> Response:
    """Run `transfer` in a thread of its own, and give up on it when its time is over.

    Socket timeouts bound each wait, not their sum: a server that sends a byte now and then would hold us for ever.
    """
    threading.Thread(target=transfer.run, daemon=True, name="http").start()
    try:
        finished = transfer.done.wait(timeout)
    finally:
        transfer.stop()
    if not finished:
        raise _too_slow(transfer.url, timeout)
    if transfer.error:
        raise transfer.error
    return transfer.answer


class _Transfer:
    """One request and its redirects; `sink` gets the body's chunks until `stop` is called."""

    def __init__(  # each is one fact of the request, given once, by name
        self,
        *,
        url: str,
        limit: int,
        timeout: float,
        headers: Mapping[str, str],
        sink: Callable[[bytes], object],
        decode: bool = True,
    ) -> None:
        self.url = url
        self.done = threading.Event()
        self.error: BaseException | None = None
        self.answer = Response(status=0)
        self._limit = limit
        self._timeout = timeout
        self._headers = headers
        self._sink = sink
        self._decode = decode
        self._stopped = False
        self._lock = threading.Lock()

    def run(self) -> None:
        """Do it; what goes wrong is kept for the thread that waits."""
        try:
            self.answer = self._follow()
        except BaseException as e:  # noqa: BLE001  # handed to the waiting thread, which raises it
            self.error = e
        self.done.set()

    def stop(self) -> None:
        """Give the sink nothing more."""
        with self._lock:
            self._stopped = True

    def _follow(self) -> Response:
        for _ in range(MAX_REDIRECTS + 1):
            if not is_allowed(self.url):
                raise RecklessError(
                    "insecure-url",
                    f"refusing {self.url}: only https, or http on this machine itself",
                    "use an https address",
                )
            location = self._one()
            if location is None:
                return self.answer
            self.url = urljoin(self.url, location)
        raise RecklessError(
            "http-redirects", f"{self.url} redirects more than {MAX_REDIRECTS} times", "check the address in a browser"
        )

    def _one(self) -> str | None:
        """Make one request; return where it redirects to, if it does."""
        import requests
        import urllib3.exceptions

        timeouts = (min(CONNECT_TIMEOUT, self._timeout), min(READ_TIMEOUT, self._timeout))
        try:
            with _session().get(
                self.url, headers=self._headers, stream=True, timeout=timeouts, allow_redirects=False
            ) as r:
                if r.is_redirect:
                    return r.headers["location"]
                self._receive(r)
                headers = {k.lower(): v for k, v in r.headers.items()}
                self.answer = Response(status=r.status_code, headers=headers)
                return None
        except (requests.Timeout, urllib3.exceptions.TimeoutError) as e:
            raise _too_slow(self.url, self._timeout) from e
        except urllib3.exceptions.ProtocolError as e:
            raise RecklessError(
                "http-truncated", f"{self.url} broke off in the middle: {_cause(e)}", "nothing was kept; run it again"
            ) from e
        except (requests.RequestException, urllib3.exceptions.HTTPError) as e:
            raise RecklessError(
                "network-down",
                f"cannot reach {urlsplit(self.url).netloc}: {_cause(e)}",
                "check the network, then run it again",
            ) from e

    def _receive(self, r: requests.Response) -> None:
        # read1 returns what is there; read would wait for a whole chunk, and so past `stop`.
        read: Callable[..., bytes] = getattr(r.raw, "read1", r.raw.read)
        got = 0
        while chunk := read(_CHUNK, decode_content=self._decode):
            got += len(chunk)
            if got > self._limit:
                raise RecklessError(
                    "http-too-large",
                    f"{self.url} sends more than the {self._limit} bytes expected of it",
                    "nothing was kept",
                )
            with self._lock:
                if self._stopped:
                    return
                self._sink(chunk)


def _too_slow(url: str, timeout: float) -> RecklessError:
    return RecklessError("http-timeout", f"{url} did not answer within {timeout:.0f} s", "try again later")


def _cause(error: BaseException) -> str:
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return str(error) or type(error).__name__
