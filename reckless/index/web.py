"""An index on a web server: asked conditionally, kept in a cache, worked from there when the network is down.

Every command asks once whether the catalog changed, so that `upgrade` sees a release as soon as it is out; where it did
not, the answer is a 304 of a few bytes. A manifest is fetched only where no copy with its sha256 is kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from threading import Thread
from typing import TypeVar

from reckless.errors import IndexSourceError, RecklessError
from reckless.index.base import CatalogIndex
from reckless.index.cache import IndexCache, KeptCatalog
from reckless.index.port import Freshness
from reckless.index.trust import CATALOG, MAX_CATALOG, Wanted, matches, mismatch, read_catalog
from reckless.model.catalog import Catalog
from reckless.system import http

AT_ONCE = 6  # connections: enough to hide a slow network's round trips, few enough for any host
_NO_ANSWER = frozenset({"network-down", "http-timeout", "http-truncated"})
_T = TypeVar("_T")
_R = TypeVar("_R")


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Bounds on what a server may cost us: a catalog's bytes, and seconds for each file."""

    catalog: int = MAX_CATALOG
    timeout: float = 60.0


class WebIndex(CatalogIndex):
    """An index at a base URL: https, or http on this machine."""

    def __init__(self, base: str, *, cache: Path, offline: bool = False, limits: Limits | None = None) -> None:
        super().__init__(base, local=http.is_loopback(base))
        self._cache = IndexCache(cache, base)
        self._offline = offline
        self._limits = limits or Limits()
        self._down: RecklessError | None = None

    def _load(self, *, again: bool) -> tuple[Catalog, Freshness]:
        kept = self._cache.catalog()
        if self._offline:
            return self._from_cache(kept, None)
        try:
            answer = self._ask(kept, again=again)
        except RecklessError as e:
            if e.code not in _NO_ANSWER:
                raise IndexSourceError(e.code, f"{self.location} cannot be used: {e.message}", e.hint) from e
            self._down = e
            return self._from_cache(kept, e)
        if answer.status == 304 and kept is not None:
            self._cache.still_newest()
            return read_catalog(kept.data, location=self.location), Freshness(fetched_at=time.time())
        if answer.status in {404, 410}:
            raise IndexSourceError(
                "not-an-index",
                f"there is no index at {self.location}: it has no {CATALOG} (HTTP {answer.status})",
                "check the address: it is that of the folder in which v1/ stands",
            )
        if answer.status != 200:
            return self._from_cache(kept, _refusal(answer.status))
        catalog = read_catalog(answer.body, location=self.location)
        self._cache.keep_catalog(_kept(answer))
        return catalog, Freshness(fetched_at=time.time())

    def _ask(self, kept: KeptCatalog | None, *, again: bool) -> http.Response:
        headers = {"Cache-Control": "no-cache"} if again else {}  # RFC 9111, 5.2.1.4: ask behind caches on the way
        if kept and kept.etag:
            headers["If-None-Match"] = kept.etag
        if kept and kept.last_modified:
            headers["If-Modified-Since"] = kept.last_modified
        url = f"{self.location}/{CATALOG}"
        return http.get(url, limit=self._limits.catalog, timeout=self._limits.timeout, headers=headers)

    def _from_cache(self, kept: KeptCatalog | None, why: RecklessError | None) -> tuple[Catalog, Freshness]:
        if kept is None:
            raise self._unreachable("nothing of it is kept here", why)
        catalog = read_catalog(kept.data, location=self.location)
        return catalog, Freshness(fetched_at=kept.fetched_at, offline=True)

    def _read(self, files: Sequence[Wanted]) -> list[bytes | RecklessError]:
        here = [self._cache.blob(wanted.sha256, wanted.size or wanted.limit) for wanted in files]
        missing = [wanted for wanted, data in zip(files, here, strict=True) if data is None]
        fetched = iter(each(self._fetch, missing, AT_ONCE))
        return [next(fetched) if data is None else data for data in here]

    def _fetch(self, wanted: Wanted) -> bytes | RecklessError:
        if self._offline or self._down:
            return self._unreachable(f"{wanted.path} is not kept here", self._down)
        try:
            url, limit = f"{self.location}/{wanted.path}", wanted.size or wanted.limit
            answer = http.get(url, limit=limit, timeout=self._limits.timeout)
        except RecklessError as e:
            return self._failed(wanted, e)
        except Exception as e:  # noqa: BLE001 - in a thread: the caller must see it, and as what it is
            return RecklessError("bug", f"fetching {wanted.path} failed: {e!r}", "please report it")
        if answer.status != 200:
            return IndexSourceError(
                "file-missing",
                f"{self.location} lists {wanted.path} but does not give it (HTTP {answer.status})",
                "try again in a minute; if it stays so, tell who keeps the index",
            )
        if matches(answer.body, wanted):
            self._cache.keep_blob(answer.body)
        return answer.body

    def _failed(self, wanted: Wanted, error: RecklessError) -> RecklessError:
        if error.code == "http-too-large":
            return mismatch(wanted, self.location)
        if error.code not in _NO_ANSWER:
            return IndexSourceError(error.code, f"{self.location} cannot be used: {error.message}", error.hint)
        if error.code != "http-truncated":
            self._down = error  # the others need not wait for the same
        return self._unreachable(f"{wanted.path} is not kept here", error)

    def _unreachable(self, lack: str, why: RecklessError | None) -> IndexSourceError:
        if why is None:
            hint = "run it once without --offline"
            return IndexSourceError("index-unreachable", f"working offline, and of {self.location} {lack}", hint)
        hint = why.hint or "check the network, then run it again"
        return IndexSourceError(
            "index-unreachable", f"the index {self.location} cannot be reached, and {lack}: {why.message}", hint
        )


def each(work: Callable[[_T], _R], items: Sequence[_T], at_once: int) -> list[_R]:
    """Return `work` of each item, in order, several at once; `work` must not raise.

    The threads are daemons, so that an interrupt ends the program at once and not when the slowest server answers.
    """
    if len(items) < 2:
        return [work(item) for item in items]
    todo, done = list(enumerate(items)), dict[int, _R]()
    todo.reverse()

    def run() -> None:
        while todo:
            try:
                at, item = todo.pop()
            except IndexError:  # another thread took the last one
                return
            done[at] = work(item)

    threads = [Thread(target=run, daemon=True, name="index") for _ in range(min(at_once, len(items)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [done[at] for at in range(len(items))]


def _kept(answer: http.Response) -> KeptCatalog:
    return KeptCatalog(
        data=answer.body, etag=answer.headers.get("etag", ""), last_modified=_last_modified(answer.headers)
    )


def _last_modified(headers: Mapping[str, str]) -> str:
    """Return Last-Modified where it can tell two versions apart, else nothing (RFC 9110, 8.8.2.2).

    It counts whole seconds: an index changed twice within one would look unchanged to us for ever.
    """
    text = headers.get("last-modified", "")
    try:
        age = parsedate_to_datetime(headers.get("date", "")) - parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return ""
    return text if age.total_seconds() >= 2 else ""


def _refusal(status: int) -> RecklessError:
    return RecklessError("http-status", f"it answers HTTP {status}", "try again later")
