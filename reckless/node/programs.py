"""Whether a file can be run at all, as far as one sees without running it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_SHEBANG = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class CannotRun:
    """Why a program cannot be run: `code` is `missing`, `not-executable` or `interpreter-missing`; `why` says it."""

    code: str
    why: str


def cannot_run(path: Path) -> CannotRun | None:
    """Return why `path` cannot be run, or None where nothing speaks against it."""
    try:
        if not path.exists():
            gone = "points at what is no longer there" if path.is_symlink() else "is not there"
            return CannotRun(code="missing", why=gone)
        if path.is_dir() or not os.access(path, os.X_OK):
            return CannotRun(code="not-executable", why="is a folder" if path.is_dir() else "is not executable")
        return _interpreter(path)
    except PermissionError:
        return None  # executable, but not readable: its interpreter is not ours to see
    except (OSError, ValueError):
        return CannotRun(code="missing", why="cannot be looked at")


def interpreter_of(path: Path) -> str | None:
    """Return the interpreter that a script's first line names, maybe empty; None for other files. Raises OSError."""
    with path.open("rb") as f:
        first = f.read(_SHEBANG).split(b"\n", 1)[0]
    if not first.startswith(b"#!"):
        return None
    words = first[2:].split()
    return os.fsdecode(words[0]) if words else ""


def _interpreter(path: Path) -> CannotRun | None:
    interpreter = interpreter_of(path)
    if interpreter is None or (interpreter and os.access(interpreter, os.X_OK)):
        return None
    return CannotRun(code="interpreter-missing", why=f"needs {interpreter or 'an interpreter'}, which is not there")
