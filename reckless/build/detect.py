"""What a source tree without a reckless manifest is: language, build system, lock, entrypoint, each with its reason.

Nothing of the tree is run; names are listed and the beginnings of few files are read (model/treeview.py), so a tree in
git's objects will do. Two equally good answers are an error that lists both, never a guess.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from reckless.model.manifest import Build, Dependency, Plugin, Runtime, Status
from reckless.model.treeview import TreeView
from reckless.system.foldertree import FolderTree

__all__ = ["Candidate", "NotAPlugin", "detect", "plugins_in"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A plugin that was found in a tree, and how it would be built.

    `name` is normalized: what the author's own file says, else the folder's, else what the caller gave.
    `subdir` is its folder within the tree (empty: the top).
    `path` tells it from the tree's other plugins, to be put behind `URL/tree/REV/`: its subdir, or a file where several
    plugins share a folder.
    `build_system` is for people: uv, poetry, pip, cargo, go, npm, maven, gradle, autotools, cmake, make, script.
    `reasons` are sentences, one a decision, in the order in which to show them.
    `test_only` are files (relative to `subdir`) that look like a build but serve its tests only.
    Where `installable` is false, `why_not` has the reason: its author says so, or nothing here builds it.
    `told_by` is the author's file that was followed (`reckless.toml`, `manifest.json`, `coffee.yml`), or empty;
    `plugin` is what a reckless.toml says for people, or None.
    """

    name: str
    subdir: str
    path: str
    build: Build
    build_system: str
    reasons: tuple[str, ...]
    test_only: tuple[str, ...] = ()
    runtime: Runtime = field(default_factory=Runtime)
    depends: tuple[Dependency, ...] = ()
    installable: bool = True
    why_not: str = ""
    summary: str = ""
    status: Status = "active"
    told_by: str = ""
    plugin: Plugin | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NotAPlugin:
    """A folder of the tree that might have been a plugin, and why it is none (or which of its parts cannot be told).

    A submodule's files are in a repository of its own: its `path` and the tree's `.gitmodules` say where.
    """

    name: str
    path: str
    why: str
    kind: Literal["folder", "submodule", "link"] = "folder"


def detect(tree: TreeView | Path, path: str = "", *, name: str = "") -> Candidate:
    """Return the one plugin at `path` in the tree: a folder, or a file where several plugins share one.

    `name` is what to call it where neither its author nor a folder says so: the repository's or folder's name.
    Raises DetectionError `not-a-plugin` (what was looked for), `several-plugins` (each answer with its reasons, and how
    to choose), `unsupported-language` (no builder for it), `no-such-folder`; ManifestError `invalid-manifest` where the
    author's own reckless.toml, manifest.json or coffee.yml cannot be used.
    """
    raise NotImplementedError


def plugins_in(tree: TreeView | Path, *, name: str = "") -> tuple[Candidate | NotAPlugin, ...]:
    """Return every plugin of a repository, cheaply: the tree itself where it is one, else one for each folder.

    Folders of folders, such as `archived/`, are looked into once more. What is no plugin is there with the reason.
    Never raises but where the tree itself cannot be had.
    """
    raise NotImplementedError


def _view(tree: TreeView | Path) -> TreeView:
    return FolderTree(tree) if isinstance(tree, Path) else tree
