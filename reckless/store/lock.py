"""One writer at a time: the second waits, and is told for whom."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from reckless.errors import StoreError
from reckless.model.reporter import Reporter
from reckless.system.process import end_marked, mark

FIRST_WORD_AFTER = 1.0
GIVE_UP_AFTER = 900.0


@contextlib.contextmanager
def writing(lock: Path, command: str, reporter: Reporter, *, patience: float = GIVE_UP_AFTER) -> Iterator[bool]:
    """Hold the lock while the block runs; freed by the kernel if we are killed. Yields whether the last holder was.

    The programs that it had started are then ended first: a build that went on would write into what we remove. Waits
    up to `patience` seconds, saying after the first who holds it. Raises StoreError `locked`, OSError.
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
        killed = _end_what_it_left(holder)
        run = secrets.token_hex(16)
        mark(run)
        holder.write_text(json.dumps({"pid": os.getpid(), "command": command, "run": run}))
        yield killed
    finally:
        with contextlib.suppress(OSError):
            holder.unlink()
        mark("")
        held.release()


def _end_what_it_left(holder: Path) -> bool:
    try:
        text = holder.read_text()
    except FileNotFoundError:
        return False
    with contextlib.suppress(ValueError, KeyError, TypeError):  # it was killed at its first write
        end_marked(str(json.loads(text)["run"]))
    return True


def _describe(holder: Path) -> str:
    try:
        data = json.loads(holder.read_text())
        return f"another reckless (process {int(data['pid'])}: {data['command']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another reckless"
