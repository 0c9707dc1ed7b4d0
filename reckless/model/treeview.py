"""A source tree as detection sees it: names in folders, beginnings of files. It may be on disk, or git's objects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

Kind = Literal["file", "program", "folder", "link", "submodule"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a folder. `program` is a file with an executable bit; `target` is what a link says, else empty."""

    name: str
    kind: Kind
    target: str = ""


class TreeView(Protocol):
    """A tree that can be listed folder by folder and read in part. Paths are relative, `/`-separated; "" is the top.

    Links are never followed: they are listed as such. Both methods may raise RecklessError where the tree itself cannot
    be had; what is not there is an answer, not an error.
    """

    def entries(self, folder: str) -> tuple[Entry, ...]:
        """Return what a folder holds, sorted by name; nothing where there is no such folder."""
        ...

    def read(self, path: str, limit: int) -> bytes:
        """Return at most the first `limit` bytes of a regular file; nothing where there is no such file."""
        ...

    def prefetch(self, paths: Iterable[str]) -> None:
        """Take note that these files are about to be read, so that a tree from afar can bring them in one go."""
        ...
