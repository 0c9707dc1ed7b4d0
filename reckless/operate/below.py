"""The plugins in a folder of a larger tree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from reckless.build.detect import Candidate, NotAPlugin, plugins_in
from reckless.model.treeview import Entry, TreeView


def plugins_below(tree: TreeView, path: str, *, name: str) -> list[Candidate | NotAPlugin]:
    """Return what there is below a folder (empty: in all of the tree), each with its place in the whole tree."""
    return [_back(one, path) for one in plugins_in(_Below(tree, path), name=name)]


class _Below:
    """A folder of a tree as a tree of its own (model/treeview.py)."""

    def __init__(self, tree: TreeView, path: str) -> None:
        self._tree = tree
        self._path = path

    def entries(self, folder: str) -> tuple[Entry, ...]:
        return self._tree.entries(joined(self._path, folder))

    def read(self, path: str, limit: int) -> bytes:
        return self._tree.read(joined(self._path, path), limit)

    def prefetch(self, paths: Iterable[str]) -> None:
        self._tree.prefetch(joined(self._path, path) for path in paths)


def _back(one: Candidate | NotAPlugin, path: str) -> Candidate | NotAPlugin:
    if isinstance(one, Candidate):
        return replace(one, path=joined(path, one.path), subdir=joined(path, one.subdir))
    return replace(one, path=joined(path, one.path))


def joined(*parts: str) -> str:
    """Return the path of parts of which some may be empty."""
    return "/".join(part for part in parts if part)
