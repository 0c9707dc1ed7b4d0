"""What must not be cut in two: an interrupt that comes meanwhile is raised right after it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator


class _Held:
    """How many blocks hold interrupts back, and whether one came. Only the main thread is ever interrupted."""

    depth = 0
    came = False


def interrupt() -> None:
    """Raise KeyboardInterrupt, or have it raised at the end of the block that holds it back: for signal handlers."""
    if _Held.depth:
        _Held.came = True
        return
    raise KeyboardInterrupt


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold interrupts back that come through `interrupt` while the block runs; it must be short."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _Held.depth += 1
    try:
        yield
    finally:
        _Held.depth -= 1
        if not _Held.depth and _Held.came:
            _Held.came = False
            raise KeyboardInterrupt
