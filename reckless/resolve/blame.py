"""When nothing fits: which facts are to blame. Take any one of them away, and there is an answer."""

from __future__ import annotations

from dataclasses import replace

from reckless.resolve.effort import Effort, OutOfEffort
from reckless.resolve.exhaust import Exhaustive
from reckless.resolve.ground import Ground
from reckless.resolve.world import Assumptions, Fact, World


def blame(ground: Ground, given: Assumptions, effort: Effort) -> tuple[Fact, ...]:
    """Return a smallest set of facts that leave no answer: without any one of them there is one. Empty: there is one.

    Found by setting facts aside, many at first, then fewer, and leaving aside those without which there is still no
    answer (delta debugging: Zeller and Hildebrandt 2002). Where the effort does not reach, facts are kept: an
    explanation may be too long, never wrong.
    """
    everything = World(ground, given).facts()
    if not _refused(ground, given, effort):
        return ()
    kept = list(everything)
    size = max(1, len(kept) // 2)
    while True:
        start = 0
        while start < len(kept):
            fewer = kept[:start] + kept[start + size :]
            if _refused(ground, replace(given, ignored=frozenset(everything).difference(fewer)), effort):
                kept = fewer
            else:
                start += size
        if size == 1:
            return tuple(kept)
        size //= 2


def _refused(ground: Ground, given: Assumptions, effort: Effort) -> bool:
    """Say whether there is certainly no answer."""
    try:
        return Exhaustive(World(ground, given), effort).answer() is None
    except OutOfEffort:
        return False
