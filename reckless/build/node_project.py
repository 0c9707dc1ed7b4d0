"""What a Node.js project says of itself: its package.json, the workspace that it belongs to, and its lock."""

from __future__ import annotations

import contextlib
import fnmatch
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reckless.build.base import BuildJob
from reckless.build.steps import within
from reckless.errors import BuildError

_MAX_FILE = 4 << 20
NPM_LOCKS = ("npm-shrinkwrap.json", "package-lock.json")  # npm takes the first of these that is there
_OTHER_LOCKS = ("yarn.lock", "pnpm-lock.yaml", "bun.lock")
_DEPENDENCIES = ("dependencies", "optionalDependencies", "peerDependencies")


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """A package.json: its folder and those of its keys that matter here (docs.npmjs.com, package.json).

    `depends`: it needs other packages when it runs. `reviewed`: it says which of them may run install scripts.
    """

    folder: Path
    depends: bool = False
    reviewed: bool = False
    main: str = ""
    bins: Mapping[str, str] = field(default_factory=dict)
    scripts: frozenset[str] = frozenset()
    workspaces: tuple[str, ...] = ()

    def owns(self, folder: Path) -> bool:
        """Say whether `folder`, below this one, is one of its workspaces."""
        inside = folder.relative_to(self.folder).as_posix()
        return any(fnmatch.fnmatchcase(inside, pattern) for pattern in self.workspaces)


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """The package that a plugin is, and the one that npm installs from: the workspace's root, else the package."""

    package: Package
    root: Package

    @property
    def member(self) -> str:
        """The plugin's folder as the root names it; empty where it is the root."""
        inside = self.package.folder.relative_to(self.root.folder).as_posix()
        return "" if inside == "." else inside


def read_project(job: BuildJob) -> Project | None:
    """Return the project that the plugin's folder belongs to; None where there is no package.json. Raises BuildError.

    The nearest package.json is looked for as Node.js does, but never above the source.
    """
    found = [package for folder in _folders(job) if (package := _read(job, folder))]
    if not found:
        return None
    package = found[0]
    root = next((p for p in found[1:] if p.owns(package.folder)), package)
    return Project(package=package, root=root)


@contextlib.contextmanager
def without_scripts(project: Project, names: Collection[str]) -> Iterator[None]:
    """Take scripts out of the project's package.json files for a while, so that npm does not run them."""
    files = {p.folder / "package.json" for p in (project.package, project.root) if not p.scripts.isdisjoint(names)}
    originals = {file: file.read_bytes() for file in files}
    for file, data in originals.items():
        said = json.loads(data.decode("utf-8-sig"))
        said["scripts"] = {name: script for name, script in said["scripts"].items() if name not in names}
        file.write_text(json.dumps(said, indent=2), encoding="utf-8")
    try:
        yield
    finally:
        for file, data in originals.items():
            file.write_bytes(data)


def lock_of(folder: Path) -> str:
    """Return the name of the lock in `folder`, npm's own first; empty where there is none."""
    return next((name for name in (*NPM_LOCKS, *_OTHER_LOCKS) if (folder / name).is_file()), "")


def is_classic(yarn_lock: Path) -> bool:
    """Say whether a yarn.lock is of yarn 1, which npm can read."""
    with yarn_lock.open(encoding="utf-8", errors="replace") as file:
        return "# yarn lockfile v1" in file.read(400)


def _folders(job: BuildJob) -> Iterator[Path]:
    top, folder = within(job, job.tree / "src"), within(job, job.src)
    while folder.is_relative_to(top):
        yield folder
        folder = folder.parent


def _read(job: BuildJob, folder: Path) -> Package | None:
    file = folder / "package.json"
    if not file.is_file():
        return None
    try:
        with file.open("rb") as opened:
            data = opened.read(_MAX_FILE + 1)
        if len(data) > _MAX_FILE:
            raise ValueError("it is far too large")
        said = json.loads(data.decode("utf-8-sig"))
        if not isinstance(said, dict):
            raise TypeError("it holds no object")
    except (ValueError, TypeError, RecursionError) as e:
        message = f"{job.name}: {file.relative_to(job.tree / 'src')} cannot be read: {e}"
        raise BuildError("build-failed", message, "tell its author") from e
    workspaces = said.get("workspaces")
    if isinstance(workspaces, dict):  # as yarn has it
        workspaces = workspaces.get("packages")
    return Package(
        folder=folder,
        depends=any(said.get(key) for key in _DEPENDENCIES),
        reviewed="allowScripts" in said,
        main=_text(said.get("main")),
        bins=_bins(_text(said.get("name")), said.get("bin")),
        scripts=frozenset(said["scripts"]) if isinstance(said.get("scripts"), dict) else frozenset(),
        workspaces=tuple(w.removeprefix("./").rstrip("/") for w in workspaces if isinstance(w, str))
        if isinstance(workspaces, list)
        else (),
    )


def _bins(name: str, said: object) -> dict[str, str]:
    """Read `bin`: programs by name, or the one that is called as the package is, its scope left out."""
    if isinstance(said, str):
        return {name.rpartition("/")[2]: _text(said)}
    return {name: _text(file) for name, file in said.items()} if isinstance(said, dict) else {}


def _text(said: object) -> str:
    """Return what may be joined to a folder, else nothing: no path has a NUL."""
    return said if isinstance(said, str) and "\0" not in said else ""
