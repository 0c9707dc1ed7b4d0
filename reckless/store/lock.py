"""One writer at a time: the second waits, and is told for whom."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from reckless.errors import StoreError
from reckless.model.reporter import Reporter

FIRST_WORD_AFTER = 1.0
GIVE_UP_AFTER = 900.0


@contextlib.contextmanager
def writing(lock: Path, command: str, reporter: Reporter, *, patience: float = GIVE_UP_AFTER) -> Iterator[None]:
    """Hold the lock while the block runs; freed by the kernel if we are killed.

    Waits up to `patience` seconds, saying after the first who holds it. Raises StoreError `locked`.
    """
    from filelock import FileLock, Timeout

    holder = lock.with_name("lock.holder")
    held = FileLock(lock)
    try:
        try:
            held.acquire(timeout=min(FIRST_WORD_AFTER, patience))
        except Timeout:
            reporter.note(f"waiting for {_describe(holder)}")
            held.acquire(timeout=max(0.0, patience - FIRST_WORD_AFTER))
    except Timeout as e:
        raise StoreError(
            "locked",
            f"{_describe(holder)} is at work; nothing was changed",
            "wait until it is done, then run this again",
        ) from e
    try:
        holder.write_text(json.dumps({"pid": os.getpid(), "command": command}))
        yield
    finally:
        with contextlib.suppress(OSError):
            holder.unlink()
        held.release()


def _describe(holder: Path) -> str:
    try:
        data = json.loads(holder.read_text())
        return f"another reckless (process {int(data['pid'])}: {data['command']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another reckless"
