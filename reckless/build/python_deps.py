"""Which Python packages a plugin gets: what its manifest's lock pins, else what its source asks for.

In this order: the lock that the manifest names (of the tree, or shipped by the index), `requirements.txt`,
`pyproject.toml`, inline metadata of the entrypoint (PEP 723), nothing. Only a lock pins; of the rest it is said that
nothing does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from reckless.build.base import BuildJob
from reckless.build.pins import LockError, PyLock, UvLock, holds, lines, pylock_pins, uv_pins
from reckless.build.poetry import PoetryLock, Table, Wanted, pins, requirements
from reckless.build.python_project import Source
from reckless.errors import BuildError
from reckless.model.manifest import ShippedLock

Kind = TypeVar("Kind", UvLock, PoetryLock, PyLock)
Export = Callable[[Path], str | None]
_PINNED = re.compile(r"[A-Za-z0-9][\w.-]*(\[[^]]*\])?\s*===?[^=]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Requirements:
    """What to install: a file of the source, or a text to write.

    `hashed`: every line has hashes, and they are required. `complete`: it names everything, so nothing is added to it.
    """

    origin: str
    file: Path | None = None
    text: str = ""
    hashed: bool = False
    complete: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to install."""
        return self.file is None and not self.text.strip()


def choose(job: BuildJob, source: Source, markers: Mapping[str, str], export: Export) -> Requirements:
    """Return what the plugin needs on the interpreter with these markers.

    `export` has uv turn a uv.lock into hashed requirements, and returns None where it cannot. Raises BuildError
    `lock-missing`, `lock-unusable`, `lock-without-hashes`, and `build-failed` for a pyproject.toml that cannot be used.
    """
    lock = job.build.lock
    if isinstance(lock, ShippedLock) or job.lock:
        return _shipped(job)
    try:
        if lock:
            return _locked(job, job.src / lock, source, markers, export)
        return unpinned(source, markers)
    except LockError as e:
        if lock:
            hint = "nothing of it was installed; tell its author, or have the index ship a lock for it"
            raise BuildError("lock-unusable", f"{job.name}: {lock} cannot be used: {e}", hint) from e
        raise BuildError("build-failed", f"{job.name}: pyproject.toml cannot be used: {e}", "tell its author") from e


def _shipped(job: BuildJob) -> Requirements:
    if not job.lock or not job.lock.is_file():
        raise BuildError(
            "lock-missing", f"{job.name}: the lock that the index ships for it is not here", "run it again"
        )
    return _hashed(job, job.lock, "the lock that its index ships")


def _locked(job: BuildJob, file: Path, source: Source, markers: Mapping[str, str], export: Export) -> Requirements:
    name = file.name
    if not file.is_file():
        message = (
            f"{job.name}: its manifest says that {job.build.lock} pins its dependencies, but there is no such file"
        )
        raise BuildError("lock-missing", message, "its manifest is wrong: tell the index's maintainers")
    if name.endswith(".txt"):
        return _hashed(job, file, str(job.build.lock))
    if name == "uv.lock" or name.endswith(".py.lock"):
        text = export(file)
        if text is None:
            project = source.pyproject.name if source.pyproject and name == "uv.lock" else ""
            text = lines(uv_pins(_read(file, UvLock), project, markers))
    elif name == "poetry.lock":
        text = lines(pins(_read(file, PoetryLock), _wanted(source), markers))
    elif re.fullmatch(r"pylock(\.[^.]+)?\.toml", name):
        text = lines(pylock_pins(_read(file, PyLock), markers))
    else:
        raise LockError("this reckless reads uv.lock, poetry.lock, pylock.toml and hashed requirements (.txt)")
    for line in logical_lines(text):
        if not _PINNED.match(line):
            raise LockError(
                f"it takes {line.split(' ;')[0]} from git, an address or a folder, which no hash vouches for"
            )
    if name == "uv.lock":
        _refuse_stale(text, source, markers)
    return Requirements(origin=str(job.build.lock), text=text, hashed=True, complete=True)


def _refuse_stale(text: str, source: Source, markers: Mapping[str, str]) -> None:
    """Refuse a lock that was not made again when its project began to ask for more: the plugin would not run."""
    pinned = {canonicalize_name(re.split(r"[\[=\s]", line, maxsplit=1)[0]) for line in logical_lines(text)}
    for asked in source.pyproject.project.dependencies if source.pyproject and source.pyproject.project else []:
        try:
            wanted = Requirement(asked)
        except InvalidRequirement:
            continue  # its own tools complain
        if holds(str(wanted.marker or ""), markers) and canonicalize_name(wanted.name) not in pinned:
            raise LockError(f"it is out of date: it does not pin {wanted.name}, which pyproject.toml asks for")


def _hashed(job: BuildJob, file: Path, origin: str) -> Requirements:
    """Take a requirements file as a lock: each line must have hashes. Not `complete`: pip says what it lacks."""
    for line in logical_lines(file.read_text(encoding="utf-8", errors="replace")):
        if "--hash" not in line and not line.startswith("-"):
            message = f"{job.name}: {origin} does not pin {line} by hash, so it is no lock; nothing was installed"
            raise BuildError("lock-without-hashes", message, "`uv pip compile --generate-hashes` makes one that does")
    return Requirements(origin=origin, file=file, hashed=True)


def logical_lines(text: str) -> list[str]:
    """Return a requirements file's lines, continued ones joined, without comments and empty ones (pip's format)."""
    joined = re.sub(r"\\\r?\n", " ", text)
    return [line for row in joined.splitlines() if (line := re.sub(r"(^|\s)#.*$", "", row).strip())]


def _read(file: Path, kind: type[Kind]) -> Kind:
    try:
        return msgspec.toml.decode(file.read_bytes(), type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError, ValueError) as e:
        raise LockError(f"it cannot be read: {e}") from e


def _wanted(source: Source) -> Table:
    """Return what pyproject.toml asks for, as Poetry's tables have it."""
    if not source.pyproject:
        raise LockError("there is no pyproject.toml beside it")
    table = dict(source.pyproject.poetry_table)
    for text in source.pyproject.project.dependencies if source.pyproject.project else []:
        try:
            asked = Requirement(text)
        except InvalidRequirement as e:
            raise LockError(f"pyproject.toml: {text!r} is no requirement") from e
        marker = str(asked.marker) if asked.marker else ""
        table[asked.name] = Wanted(
            version=str(asked.specifier) or "*", markers=marker, extras=sorted(asked.extras), url=asked.url or ""
        )
    return table


def unpinned(source: Source, markers: Mapping[str, str]) -> Requirements:
    """Return what a source that no lock pins asks for, on the interpreter with these markers. Raises LockError."""
    file = source.folder / "requirements.txt"
    if file.is_file():
        return Requirements(origin="requirements.txt", file=file)
    asked = _of_project(source, markers)
    if asked is not None and (asked or source.inline is None):
        is_wheel = source.pyproject and not (source.folder / "pyproject.toml").is_file()
        origin = "the wheel's metadata" if is_wheel else "pyproject.toml"
        return Requirements(origin=origin, text="".join(f"{line}\n" for line in asked))
    if source.inline is not None and source.script:
        return Requirements(origin=f"{source.script.name} itself", text="".join(f"{line}\n" for line in source.inline))
    return Requirements(origin="nothing")


def _of_project(source: Source, markers: Mapping[str, str]) -> list[str] | None:
    """Return what the project in the folder depends on; None where there is none.

    Where only its own build can tell, the project itself is what to install.
    """
    pyproject = source.pyproject
    if (pyproject and pyproject.is_computed) or (not pyproject and source.is_buildable):
        return [source.folder.as_uri()]
    if not pyproject:
        return None
    if pyproject.poetry_table:
        return requirements(pyproject.poetry_table, markers, source.folder.as_uri())
    if pyproject.requirement_files:
        texts = [(source.folder / f).read_text(encoding="utf-8") for f in pyproject.requirement_files]
        return [line for text in texts for line in logical_lines(text)]
    return pyproject.project.dependencies if pyproject.project else None
