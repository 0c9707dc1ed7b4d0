"""A source tree in a folder, as detection sees it (model/treeview.py)."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from reckless.model.treeview import Entry


class FolderTree:
    """A tree on disk. Nothing outside of `root` is ever listed or read, whatever links and names say."""

    def __init__(self, root: Path) -> None:
        self._root = Path(os.path.realpath(root))

    def entries(self, folder: str) -> tuple[Entry, ...]:
        """Return what a folder holds, sorted by name."""
        place = self._place(folder)
        if place is None:
            return ()
        found = []
        with contextlib.suppress(OSError), os.scandir(place) as listing:
            for item in listing:
                with contextlib.suppress(OSError):
                    found.append(_entry(item))
        return tuple(sorted((e for e in found if e), key=lambda e: e.name))

    def read(self, path: str, limit: int) -> bytes:
        """Return at most the first `limit` bytes of a regular file."""
        place = self._place(path)
        if place is None:
            return b""
        try:
            handle = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return b""
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return b""
            with os.fdopen(handle, "rb", closefd=False) as file:
                return file.read(limit)
        except OSError:
            return b""
        finally:
            os.close(handle)

    def prefetch(self, paths: Iterable[str]) -> None:
        """Do nothing: it is all here."""

    def _place(self, path: str) -> Path | None:
        """Return where it is; None where the path leads out of the tree or through a link."""
        parts = path.split("/") if path else []
        if not {"", ".", ".."}.isdisjoint(parts):
            return None
        place = self._root.joinpath(*parts)
        return place if Path(os.path.realpath(place)) == place else None


def _entry(item: os.DirEntry[str]) -> Entry | None:
    """Return a folder's line; None for devices, pipes and sockets."""
    if item.is_symlink():
        return Entry(item.name, "link", str(Path(item.path).readlink()))
    if item.is_dir(follow_symlinks=False):
        return Entry(item.name, "folder")
    if not item.is_file(follow_symlinks=False):
        return None
    mode = item.stat(follow_symlinks=False).st_mode
    return Entry(item.name, "program" if mode & 0o100 else "file")
