"""When nothing fits: which facts are to blame. Take any one of them away, and there is an answer."""

from __future__ import annotations

from dataclasses import replace

from reckless.errors import ResolutionError
from reckless.resolve.ground import Ground
from reckless.resolve.world import Assumptions, Fact, World


def blame(ground: Ground, given: Assumptions) -> tuple[Fact, ...]:
    """Return a smallest set of facts that leave no answer: without any one of them there is one. Empty: there is one.

    Found by setting facts aside, many at first, then fewer, and leaving aside those without which there is still no
    answer (delta debugging: Zeller and Hildebrandt 2002). Where a search gives up, the facts are kept: an explanation
    may be too long, never wrong.
    """
    everything = World(ground, given).facts()
    if _fits(ground, given):
        return ()
    kept = list(everything)
    size = max(1, len(kept) // 2)
    while True:
        start = 0
        while start < len(kept):
            fewer = kept[:start] + kept[start + size :]
            if _fits(ground, replace(given, ignored=frozenset(everything).difference(fewer))):
                start += size
            else:
                kept = fewer
        if size == 1:
            return tuple(kept)
        size //= 2


def _fits(ground: Ground, given: Assumptions) -> bool:
    from reckless.resolve.search import search

    try:
        return search(World(ground, given)) is not None
    except ResolutionError:  # too-hard
        return True
