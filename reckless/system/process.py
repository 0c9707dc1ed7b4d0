"""Programs are run here and nowhere else: an argument list, a time limit, an explicit environment, the output kept."""

from __future__ import annotations

import contextlib
import os
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from reckless.errors import ProcessError
from reckless.system.interrupts import uninterrupted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TAIL_LINES = 25
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # some tools paint whatever NO_COLOR says
_running: set[subprocess.Popen[bytes]] = set()
MARK = "RECKLESS_RUN"
_mark = ""
_running_lock = threading.RLock()  # a signal handler may come in while its own thread holds it


@dataclass(frozen=True, kw_only=True, slots=True)
class Completed:
    """What a program left: its exit status and what it printed (empty where the output went to a log)."""

    status: int
    stdout: str = ""
    stderr: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """A program to run. `env` is its whole environment (None: ours); `log` gets both its outputs, appended.

    `file_limit`, where not 0, is the most bytes that any one file it writes may have (POSIX `ulimit -f`); a program
    that goes past it is ended by the system (SIGXFSZ), or gets EFBIG.
    """

    argv: Sequence[str | Path]
    cwd: Path | None = None
    env: Mapping[str, str] | None = None
    timeout: float = 60.0
    log: Path | None = None
    stdin: str | None = None
    file_limit: int = 0

    @property
    def by_hand(self) -> str:
        """The line that runs it in a shell."""
        line = shlex.join(str(a) for a in self.argv)
        return f"cd {shlex.quote(str(self.cwd))} && {line}" if self.cwd else line


def run(command: Command, *, check: bool = True) -> Completed:
    """Run `command` to its end.

    Raises ProcessError `command-missing`, `command-timeout` (its whole process group is killed), and with `check`
    `command-failed`, whose detail is the last lines that it printed.
    """
    log = command.log.open("ab") if command.log else None
    try:
        if log:
            log.write(f"$ {command.by_hand}\n".encode())
            log.flush()
        started = log.tell() if log else 0
        process = start(command, stdout=log or subprocess.PIPE, stderr=log or subprocess.PIPE)
        try:
            given = command.stdin.encode() if command.stdin is not None else None
            left = _until_it_ends(process, command.timeout) if log and given is None else command.timeout
            out, err = process.communicate(given, left)
        except subprocess.TimeoutExpired as e:
            kill(process)
            name = Path(command.argv[0]).name
            raise ProcessError(
                "command-timeout",
                f"{name} took longer than {command.timeout:.0f} s and was ended",
                f"by hand: {command.by_hand}",
                detail=_tail(command, started, b""),
            ) from e
        except BaseException:
            kill(process)
            raise
        finally:
            _forget(process)
    finally:
        if log:
            log.close()
    if check and process.returncode != 0:
        raise ProcessError(
            "command-failed",
            f"{Path(command.argv[0]).name} failed (exit {process.returncode})",
            f"by hand: {command.by_hand}",
            detail=_tail(command, started, (err or b"") or (out or b"")),
            exit_status=process.returncode,
        )
    return Completed(
        status=process.returncode,
        stdout=(out or b"").decode(errors="replace"),
        stderr=(err or b"").decode(errors="replace"),
    )


def _until_it_ends(process: subprocess.Popen[bytes], timeout: float) -> float:
    """Wait for a program's end, and return what is left of the time, at least 0.

    `subprocess` looks for it at growing intervals, up to 50 ms (CPython 3.14): as long as a build's small steps take.
    """
    began = time.monotonic()
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # an old kernel, or no file handle left: then as `subprocess` does it
            handle = os.pidfd_open(process.pid)
            try:
                poll = select.poll()
                poll.register(handle, select.POLLIN)
                poll.poll(timeout * 1000)
            finally:
                os.close(handle)
    return max(timeout - (time.monotonic() - began), 0.0)


def start(command: Command, *, stdout: int | IO[bytes], stderr: int | IO[bytes]) -> subprocess.Popen[bytes]:
    """Start `command` in a process group of its own and remember it, so that `kill_all` can end it.

    Raises ProcessError `command-missing` or `command-not-executable`.
    """
    process: subprocess.Popen[bytes] | None = None
    try:
        with uninterrupted(), _running_lock:  # so that `kill_all` never misses one that has just started
            process = subprocess.Popen(
                _limited(command),
                cwd=command.cwd,
                env=_marked(command.env),
                stdin=subprocess.PIPE if command.stdin is not None else subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
            _running.add(process)
    except FileNotFoundError as e:
        raise ProcessError(
            "command-missing", f"{command.argv[0]} is not there to be run", f"by hand: {command.by_hand}"
        ) from e
    except OSError as e:
        raise ProcessError(
            "command-not-executable", f"{command.argv[0]} cannot be run: {e.strerror}", f"by hand: {command.by_hand}"
        ) from e
    except BaseException:
        if process is not None:  # nobody has it in hand, and what it was to do must not happen while that is undone
            kill(process)
        raise
    return process


def mark(run: str) -> None:
    """Have every program from now on carry `run` in its environment, so that `end_marked` finds it; empty: none."""
    global _mark  # noqa: PLW0603 - it is this process's, as _running is
    _mark = run


def end_marked(run: str, *, patience: float = 5.0) -> None:
    """End every program that a process marked `run`, since killed, has left running, and all that those started.

    On Linux; elsewhere nothing tells them. Returns when they are gone, at most `patience` seconds later.
    """
    needle = f"{MARK}={run}".encode()
    until = time.monotonic() + patience
    while time.monotonic() < until:
        found = [process for process in Path("/proc").glob("[0-9]*") if needle in _environment(process)]
        if not found:
            return
        for process in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(int(process.name), signal.SIGKILL)
        time.sleep(0.01)


def _environment(process: Path) -> list[bytes]:
    try:
        return (process / "environ").read_bytes().split(b"\0")
    except OSError:  # it has ended, or is another user's
        return []


def _marked(env: Mapping[str, str] | None) -> dict[str, str] | None:
    if not _mark:
        return dict(env) if env is not None else None
    return {**(os.environ if env is None else env), MARK: _mark}


def _limited(command: Command) -> list[str]:
    argv = [str(a) for a in command.argv]
    if not command.file_limit or not shutil.which(argv[0]):
        return argv  # one that is missing is for Popen to report, not for sh
    # ulimit counts blocks of 512 bytes (POSIX). Through sh and not preexec_fn, which may deadlock in threaded programs.
    blocks = -(-command.file_limit // 512)
    return ["/bin/sh", "-c", f'ulimit -f {blocks}; exec "$@"', "sh", *argv]


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process that `start` made, and all that it started, at once; returns when it is gone."""
    kill_group(process)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            with contextlib.suppress(OSError):
                pipe.close()
    process.wait()
    _forget(process)


def kill_all() -> None:
    """End every program that is still running: what an interrupt does before undoing."""
    with _running_lock:
        processes = list(_running)
    for process in processes:
        kill_group(process)


def end_all() -> None:
    """End every program that is still running, and wait until they are gone: what a command does last, in one thread.

    An interrupt may come when a program has been started and nobody has it in hand yet.
    """
    with _running_lock:
        processes = list(_running)
    for process in processes:
        kill(process)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End a process that `start` made, and all that it started, without waiting; safe from any thread."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _forget(process: subprocess.Popen[bytes]) -> None:
    with _running_lock:
        _running.discard(process)


def _tail(command: Command, started: int, output: bytes) -> str:
    if command.log:
        with command.log.open("rb") as f:
            f.seek(started)
            output = f.read()
    lines = _COLOUR.sub("", output.decode(errors="replace")).splitlines()
    return "\n".join(lines[-TAIL_LINES:])
