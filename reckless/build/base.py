"""What every build backend is given, gives back, and promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from reckless.model.machine import Machine
from reckless.model.manifest import Build, Language
from reckless.model.reporter import Reporter


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildJob:
    """One release to build, in the place where it will stay.

    `tree` is the release's folder; the verified source is in `tree/src`, the plugin's own folder is `subdir` within it;
    the backend writes `tree/env`, `tree/bin` and `tree/build.log`, nothing else, and never into `src` but for what
    byte-compiling or compiling in place leaves. `cache` is shared by all builds and safe to lose. `lock` is the shipped
    lock, already verified, or None. `env` is the clean environment that build steps run with. `jobs` is how many cores
    it may use. `commit` is the source's in git, where it is from there. `program` is where in the source a ready-made
    program lies (empty: where the entrypoint says). `shared`, where it is given, is the folder of all of the plugin's
    trees: a backend may keep there what several of them have in common, as reckless.build.python_shared does.
    """

    name: str
    tree: Path
    subdir: str
    build: Build
    machine: Machine
    cache: Path
    env: Mapping[str, str]
    reporter: Reporter
    lock: Path | None = None
    jobs: int = 1
    timeout: float = 3600.0
    commit: str = ""
    program: str = ""
    shared: Path | None = None

    @property
    def src(self) -> Path:
        """The plugin's own folder within the source."""
        return self.tree / "src" / self.subdir if self.subdir else self.tree / "src"

    @property
    def log(self) -> Path:
        """Where every build step's output goes."""
        return self.tree / "build.log"


@dataclass(frozen=True, kw_only=True, slots=True)
class Built:
    """`entrypoint` is relative to the tree (`bin/summary.py`), executable, and runs from any cwd with a short PATH.

    `interpreter` is the absolute path that it depends on outside its tree (empty: none), for `doctor` to check.
    """

    entrypoint: str
    interpreter: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Missing:
    """Something that a build needs of the operating system and that is not there, with the command that brings it."""

    what: str
    install: str = ""


class Backend(Protocol):
    """One language's builder."""

    languages: tuple[Language, ...]

    def missing(self, build: Build, machine: Machine) -> tuple[Missing, ...]:
        """Return what this build lacks on this machine; asked before anything is fetched."""
        ...

    def build(self, job: BuildJob) -> Built:
        """Build it. Raises BuildError (code, the log's tail as detail, the log's path in the hint)."""
        ...
