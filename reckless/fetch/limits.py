"""What any source may be at most, and the one time limit over all the work of fetching it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from reckless.errors import FetchError

MAX_FILES = 100_000
MAX_BYTES = 2 << 30
MAX_DEPTH = 64
MAX_LINK = 4096
MAX_ARCHIVE = 512 << 20
MAX_RATIO = 200
RATIO_GRACE = 16 << 20  # small archives may be very repetitive


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """At most this many files and folders, this many bytes in all, and folders this deep."""

    files: int = MAX_FILES
    bytes: int = MAX_BYTES
    depth: int = MAX_DEPTH


class Deadline:
    """A point in time by which all must be done; `timeout` is in seconds from now."""

    def __init__(self, timeout: float, what: str) -> None:
        self._end = time.monotonic() + timeout
        self._timeout = timeout
        self._what = what

    def left(self) -> float:
        """Return the seconds that are left. Raises FetchError `fetch-timeout` where there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.error()
        return left

    def error(self) -> FetchError:
        """Return the error that says that time is over."""
        return FetchError(
            "fetch-timeout",
            f"{self._what} was not here within {self._timeout:.0f} s; nothing was kept",
            "check the network's speed, then run it again: what the cache already has is not fetched twice",
        )
