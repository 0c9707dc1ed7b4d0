"""Ctrl-C, SIGTERM and a terminal that goes away: all three end a command in the same orderly way."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

from reckless.system.interrupts import interrupt

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Raise KeyboardInterrupt in the block at the first signal; at the second only say what goes on.

    Undoing must not be cut short by an impatient second Ctrl-C; a third leaves it to the next command. A signal that
    whoever started us has ignored (nohup) stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came = 0

    def handle(_number: int, _frame: FrameType | None) -> None:
        nonlocal came
        came += 1
        if came == 2:
            with contextlib.suppress(OSError, RuntimeError):
                print("putting back what was; once more leaves that to the next command", file=sys.stderr, flush=True)
            return
        interrupt()

    mine = [s for s in _SIGNALS if signal.getsignal(s) is not signal.SIG_IGN]
    before = {s: signal.signal(s, handle) for s in mine}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
