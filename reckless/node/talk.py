"""A conversation with a program, bounded in time and in what is kept of its answers."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from reckless.system.process import Command, kill, start

STDERR_KEPT = 1 << 16
_CHUNK = 1 << 16
_TICK = 0.05
_GRACE = 0.5

Ending = Literal["exited", "closed", "satisfied", "timeout", "too-much"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Talk:
    """What was said, and how it ended.

    `ending`: it exited; it closed its output but stayed; `enough` was satisfied; the time ran out; it said more than
    the limit. `status` is its exit status, negative where a signal ended it, None where we did. `stderr` holds the last
    64 KiB. `seconds` from the start of the program to the ending.
    """

    ending: Ending
    status: int | None
    stdout: bytes
    stderr: bytes
    seconds: float


def talk(
    command: Command, *, limit: int, send: bytes | None = None, enough: Callable[[bytes], bool] | None = None
) -> Talk:
    """Start `command`, send it something (its input stays open), and listen until it ends or `enough` says so.

    `limit` is in bytes. The program and all that it started are gone on return: where it had not ended by itself, first
    its input is closed and it gets SIGTERM, then SIGKILL. Raises ProcessError `command-missing`,
    `command-not-executable`.
    """
    began = time.monotonic()
    process = start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        if send is not None:
            _send(process, send)
        ears = _Ears(process, limit, enough)
        ending = ears.listen(began + command.timeout)
        seconds = time.monotonic() - began
        status = _status(process, ending)
    finally:
        _end(process)
    return Talk(ending=ending, status=status, stdout=bytes(ears.stdout), stderr=bytes(ears.stderr), seconds=seconds)


class _Ears:
    def __init__(self, process: subprocess.Popen[bytes], limit: int, enough: Callable[[bytes], bool] | None) -> None:
        self.process = process
        self.limit = limit
        self.enough = enough
        self.stdout = bytearray()
        self.stderr = bytearray()

    def listen(self, deadline: float) -> Ending:
        """Return how it ended; both outputs are drained as far as they had come."""
        with selectors.DefaultSelector() as selector:
            for pipe in (self.process.stdout, self.process.stderr):
                if pipe is not None:
                    selector.register(pipe, selectors.EVENT_READ)
            gone_since: float | None = None
            while selector.get_map():
                for key, _ in selector.select(_TICK):
                    data = os.read(key.fd, _CHUNK)
                    if not data:
                        selector.unregister(key.fileobj)
                    ending = self._hear(data, first=key.fileobj is self.process.stdout)
                    if ending:
                        return ending
                now = time.monotonic()
                if now > deadline:
                    return "timeout"
                if gone_since is None and self.process.poll() is not None:
                    gone_since = now
                if gone_since is not None and now - gone_since > _GRACE:
                    return "exited"  # what it left running holds its outputs open
                if self.enough is not None and self._is_deaf(selector):
                    return self._closed(deadline)
        return self._closed(deadline)

    def _is_deaf(self, selector: selectors.BaseSelector) -> bool:
        return self.process.stdout not in {key.fileobj for key in selector.get_map().values()}

    def _closed(self, deadline: float) -> Ending:
        """Its output is at its end: it exits about now, unless it has only closed it."""
        patience = _GRACE if self.enough is not None else max(_GRACE, deadline - time.monotonic())
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            return "closed" if self.enough is not None else "timeout"
        if self.process.stderr is not None:
            self._drain(self.process.stderr.fileno())
        return "exited"

    def _drain(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        with contextlib.suppress(BlockingIOError):
            while data := os.read(descriptor, _CHUNK):
                self._hear(data, first=False)

    def _hear(self, data: bytes, *, first: bool) -> Ending | None:
        if not first:
            self.stderr += data
            del self.stderr[:-STDERR_KEPT]
            return None
        self.stdout += data
        if len(self.stdout) > self.limit:
            return "too-much"
        if data and self.enough is not None and self.enough(bytes(self.stdout)):
            return "satisfied"
        return None


def _send(process: subprocess.Popen[bytes], data: bytes) -> None:
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(data)
            process.stdin.flush()


def _status(process: subprocess.Popen[bytes], ending: Ending) -> int | None:
    return process.poll() if ending == "exited" else None


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
    kill(process)
