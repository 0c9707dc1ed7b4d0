"""Hurts a process at one chosen step of its work on files. Nothing but the standard library: it is loaded early.

A step is whatever changes a file below a folder, or starts a program that is told of that folder. Right before step
`at` (from 1) happens, `how` befalls the process: `kill` (SIGKILL), `interrupt` (SIGINT, what Ctrl-C sends), `full` (no
room for this one step) or `stays-full` (nor for any later one). With `at` 0 steps are only counted.
"""

import errno
import os
import signal
import sys
from pathlib import Path

NEW_BYTES = ("open", "os.mkdir", "os.symlink", "os.link")
OTHERS = ("os.rename", "os.remove", "os.rmdir", "os.truncate", "os.chmod", "os.chown")
_DIR_FD = {"os.mkdir": 2, "os.remove": 1, "os.rmdir": 1, "os.symlink": 2}


def install(under, log, at, how):
    """Watch this process from now on; `log` gets a line a step. What the process starts is spared."""
    under = os.path.realpath(under)
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_TRUNC, 0o600)
    count = 0

    def hook(event, args):
        nonlocal count
        step = _step(event, args, under)
        if step is None or (how.endswith("full") and event not in NEW_BYTES):
            return
        count += 1
        os.write(file, f"{event} {step}\n".replace("\n", " ").strip().encode() + b"\n")
        if not at or count < at or (count > at and how != "stays-full"):
            return
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif how == "interrupt":
            os.kill(os.getpid(), signal.SIGINT)
        else:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), step)

    sys.addaudithook(hook)


def _step(event, args, under):
    """What this step touches, or None where it is none."""
    if event == "subprocess.Popen":
        words = " ".join(os.fsdecode(a) for a in args[1])
        return words.replace(under, "") if under in words else None
    if event not in NEW_BYTES and event not in OTHERS:
        return None
    if event == "open" and not _writes(args[1], args[2]):
        return None
    path = args[1] if event in ("os.rename", "os.symlink", "os.link") else args[0]
    if isinstance(path, int):
        return None
    number = _DIR_FD.get(event)
    path = _full(os.fsdecode(path), args[number] if number is not None else -1)
    return path[len(under) + 1 :] if path.startswith(under + os.sep) else None


def _writes(mode, flags):
    if isinstance(mode, str):
        return any(c in mode for c in "wax+")
    return bool((flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def _full(path, folder):
    path = Path(path)
    if not path.is_absolute():
        by_number = isinstance(folder, int) and folder >= 0
        path = (Path(f"/proc/self/fd/{folder}").readlink() if by_number else Path.cwd()) / path
    return os.path.join(os.path.realpath(path.parent), path.name)  # noqa: PTH118 - as a string
