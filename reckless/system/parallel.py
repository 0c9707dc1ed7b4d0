"""Several pieces of work at once, of which one may fail and all may be interrupted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from reckless.system.interrupts import uninterrupted
from reckless.system.process import kill_all

_T = TypeVar("_T")
_R = TypeVar("_R")


def in_parallel(work: Callable[[_T], _R], items: Mapping[str, _T], workers: int) -> dict[str, _R | BaseException]:
    """Run `work` over `items`; an exception is that item's answer.

    An interrupt ends all programs and is raised, never while work still goes on: whoever undoes it would race it.
    """
    pool = ThreadPoolExecutor(workers)
    futures: dict[str, Future[_R]] = {}
    try:
        with uninterrupted():
            futures |= {name: pool.submit(work, item) for name, item in items.items()}
        for future in futures.values():
            future.exception()
    except BaseException:
        with uninterrupted():
            for future in futures.values():
                future.cancel()
            while not all(future.done() for future in futures.values()):
                kill_all()  # again and again: work may go on to its next program
                wait(futures.values(), timeout=0.1)
            pool.shutdown(wait=True)
        raise
    pool.shutdown(wait=True)
    return {name: future.exception() or future.result() for name, future in futures.items()}
