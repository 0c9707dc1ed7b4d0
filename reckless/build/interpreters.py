"""Which Python interpreters this machine has: those on PATH, those that pyenv and uv installed, and our own."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from packaging.markers import default_environment
from packaging.version import InvalidVersion, Version

from reckless.errors import ProcessError
from reckless.system.files import atomic_write
from reckless.system.process import Command, run

# What an interpreter is asked: where it really is (a virtual environment's base), and PEP 508's environment markers.
_QUESTION = """
import json, os, platform, sys
v = sys.implementation.version
full = "%d.%d.%d" % v[:3] + ("" if v.releaselevel == "final" else v.releaselevel[0] + str(v.serial))
print(json.dumps({"path": getattr(sys, "_base_executable", None) or sys.executable, "markers": {
    "implementation_name": sys.implementation.name, "implementation_version": full, "os_name": os.name,
    "platform_machine": platform.machine(), "platform_python_implementation": platform.python_implementation(),
    "platform_release": platform.release(), "platform_system": platform.system(),
    "platform_version": platform.version(), "python_full_version": platform.python_version(),
    "python_version": ".".join(platform.python_version_tuple()[:2]), "sys_platform": sys.platform}}))
"""
_OLDEST = Version("3.8")  # older ones can run neither virtualenv nor a pip that still works


@dataclass(frozen=True, kw_only=True, slots=True)
class Interpreter:
    """A Python by absolute path, its version, and its environment markers (PEP 508)."""

    path: Path
    version: Version
    markers: Mapping[str, str] = field(default_factory=dict)


def interpreters(path: str | None = None, *, cache: Path | None = None) -> tuple[Interpreter, ...]:
    """Return the CPython and PyPy interpreters that can be found from `path` (a PATH; None: ours), newest first.

    Found once in a process. One that does not answer within some seconds is left out. `cache` is a folder in which the
    answers are kept: starting each of them takes longer than all else that is done before a plugin is fetched.
    """
    return _interpreters(os.environ.get("PATH", os.defpath) if path is None else path, cache)


@functools.lru_cache(maxsize=8)
def _interpreters(path: str, cache: Path | None) -> tuple[Interpreter, ...]:
    candidates = [c for c in dict.fromkeys(_candidates(path)) if c != own()]
    answers = _Answers(cache / "interpreters.json" if cache else None)
    with ThreadPoolExecutor(max_workers=4) as pool:
        found = [_ourselves(), *(i for i in pool.map(answers.of, candidates) if i)]
    answers.keep()
    by_place = {os.path.realpath(i.path): i for i in reversed(found) if i.version >= _OLDEST}
    order = {os.path.realpath(i.path): n for n, i in reversed(list(enumerate(found)))}
    return tuple(sorted(by_place.values(), key=lambda i: (i.version, -order[os.path.realpath(i.path)]), reverse=True))


def own() -> Path:
    """Return the interpreter that reckless runs on, not the one of the virtual environment that it may be in."""
    base: str = getattr(sys, "_base_executable", "") or sys.executable
    return _lasting(base)


def _candidates(path: str) -> Iterator[Path]:
    """Yield files that may be interpreters, each real file once, in order of preference among equals."""
    seen = set()
    for candidate in (own(), *_on_path(path), *_elsewhere()):
        real = os.path.realpath(candidate)
        if real not in seen and os.access(candidate, os.X_OK):
            seen.add(real)
            yield candidate


def _on_path(path: str) -> Iterator[Path]:
    for folder in map(Path, filter(None, path.split(os.pathsep))):
        if not folder.is_absolute():
            continue
        if folder.name == "shims":  # pyenv and asdf: slow scripts that answer differently in each folder
            yield from _glob(folder.parent, "versions/*/bin/python3", "installs/python/*/bin/python3")
        else:
            yield from (f for f in _glob(folder, "python3", "python3.[0-9]*") if not f.name.endswith("-config"))


def _elsewhere() -> Iterator[Path]:
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    yield from _glob(Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv/python"), "cpython-*/bin/python3")


def _glob(folder: Path, *patterns: str) -> Iterable[Path]:
    try:
        return [f for pattern in patterns for f in sorted(folder.glob(pattern), reverse=True)]
    except OSError:
        return []


def _ourselves() -> Interpreter:
    markers = {k: str(v) for k, v in default_environment().items()}
    return Interpreter(path=own(), version=Version(platform.python_version().rstrip("+")), markers=markers)


class _Answers:
    """What interpreters said of themselves, kept as long as their program, and the system under it, are the same."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._before = self._read()
        self._now: dict[str, list[str]] = {}

    def of(self, candidate: Path) -> Interpreter | None:
        """Return what a candidate is: what it said before, or says now; None where it does not answer."""
        try:
            status = candidate.stat()
        except OSError:
            return None
        of_what = json.dumps([status.st_mtime_ns, status.st_size, status.st_ino, *os.uname()])
        before = self._before.get(str(candidate))
        told = before[1] if before and before[0] == of_what else ""
        found = _understood(told)
        if found is None or not os.access(found.path, os.X_OK):  # what a launcher starts can go, it being the same
            told = _ask(candidate)
            found = _understood(told)
        if found is not None:
            self._now[str(candidate)] = [of_what, told]
        return found

    def keep(self) -> None:
        """Write down what is not written down yet. It can be asked again, so it need not succeed."""
        merged = self._before | self._now
        if self._file is not None and merged != self._before:
            with contextlib.suppress(OSError):
                self._file.parent.mkdir(parents=True, exist_ok=True)
                atomic_write(self._file, json.dumps(merged).encode(), durable=False)

    def _read(self) -> dict[str, list[str]]:
        try:
            data = json.loads(self._file.read_bytes()) if self._file else {}
        except (OSError, ValueError, RecursionError):
            return {}
        pairs = data.items() if isinstance(data, dict) else ()
        return {
            name: pair
            for name, pair in pairs
            if isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) for text in pair)
        }


def _ask(candidate: Path) -> str:
    try:
        return run(Command(argv=[candidate, "-I", "-S", "-c", _QUESTION], cwd=Path("/"), timeout=10)).stdout
    except ProcessError:
        return ""


def _understood(text: str) -> Interpreter | None:
    try:
        told = json.loads(text)
        markers = {str(k): str(v) for k, v in told["markers"].items()}
        return Interpreter(
            path=_lasting(told["path"]), version=Version(markers["python_full_version"]), markers=markers
        )
    except (ValueError, KeyError, TypeError, AttributeError, InvalidVersion):
        return None


def _lasting(path: str) -> Path:
    """Return the name of an interpreter that means the same after the system's next upgrade.

    `/usr/bin/python3` will be another version then, `/usr/bin/python3.11` will not. Homebrew's real path, on the other
    hand, holds the patch version and is gone with the next patch.
    """
    real = os.path.realpath(path)
    return Path(path if "/Cellar/" in real else real)
