"""A tree of files written from names that may be hostile: nothing is ever written, or linked to, outside of it.

Links are made last, when no file will be written any more, so nothing can be written through one.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import BinaryIO

from reckless.errors import FetchError
from reckless.fetch.limits import MAX_LINK, Limits

# What HFS+ ignores in names, so that ".g\u200cit" is ".git" to it (git: utf8.c, next_hfs_char).
_HFS_IGNORED = dict.fromkeys([*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF])


def is_git_folder(component: str) -> bool:
    """Say whether a file system may take this name for `.git`: any case, NTFS' short name, what HFS+ ignores."""
    name = component.translate(_HFS_IGNORED).lower().rstrip(" .")
    return name.split(":")[0] in {".git", "git~1"}


class TreeWriter:
    """Writes a new tree at `root`, which must not exist. Paths are `/`-separated and relative to it.

    With `strip` all paths begin with the same so many folders, which are left out: the one that packages are packed in.
    Every method raises FetchError: `unsafe-path` (absolute, `..`, written twice, colliding on this file system),
    `unsafe-link` (points out of the tree), `tree-too-large`. `finish` must be called; whoever sees an error removes
    the root.
    """

    def __init__(self, root: Path, limits: Limits | None = None, *, strip: int = 0) -> None:
        self.root = root
        self._strip = strip
        self._top: tuple[str, ...] = ()
        self._limits = limits or Limits()
        self._folders: set[str] = {""}
        self._files: set[str] = set()
        self._links: dict[str, str] = {}
        self._bytes = 0
        root.mkdir()
        root.chmod(0o755)

    def folder(self, path: str) -> None:
        """Make a folder and those above it; one that this writer made before is fine."""
        parts = self._parts(path, folder=True)
        if parts:
            self._make(parts, path)

    def file(self, path: str, *, executable: bool) -> BinaryIO:
        """Create a file, open for writing: 0755 or 0644, whatever the umask. Say with `count` what is written."""
        target = self._new(path)
        try:
            handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        except FileExistsError as e:
            raise _collision(path) from e
        except OSError as e:
            raise _unwritable(path, e) from e
        os.fchmod(handle, 0o755 if executable else 0o644)
        self._files.add("/".join(self._parts(path)))
        return os.fdopen(handle, "wb")

    def count(self, size: int) -> None:
        """Take note of `size` more bytes."""
        self._bytes += size
        if self._bytes > self._limits.bytes:
            raise FetchError(
                "tree-too-large", f"the source holds more than {self._limits.bytes >> 20} MiB", "it cannot be installed"
            )

    def link(self, path: str, target: str) -> None:
        """Promise a symbolic link; `finish` makes it."""
        self._new(path)
        if not target or len(os.fsencode(target)) > MAX_LINK or "\0" in target or target.startswith("/"):
            raise _unsafe_link(path, target)
        self._links["/".join(self._parts(path))] = target

    def has_file(self, path: str) -> Path | None:
        """Return where the file `path` of this tree is, if this writer wrote it."""
        name = "/".join(self._parts(path))
        return self.root / name if name in self._files else None

    def finish(self) -> None:
        """Make the links, then check where each of them really leads."""
        for path, target in self._links.items():
            try:
                (self.root / path).symlink_to(target)
            except FileExistsError as e:
                raise _collision(path) from e
            except OSError as e:
                raise _unwritable(path, e) from e
        root = os.path.realpath(self.root)
        for path, target in self._links.items():
            # Through the links, not by the text: `a -> .` makes `a/..` something else than it looks.
            real = os.path.realpath(self.root / path)
            if real != root and not real.startswith(root + os.sep):
                raise _unsafe_link(path, target)

    def _parts(self, path: str, *, folder: bool = False) -> tuple[str, ...]:
        """Return the path's parts below the top folders; none for a folder that is one of those itself."""
        parts = tuple(part for part in path.split("/") if part not in {"", "."})
        if path.startswith("/") or "\0" in path or ".." in parts or not parts:
            raise FetchError("unsafe-path", f"the source holds {path!r}, a path that leads out of it", _HINT)
        if len(parts) > self._limits.depth:
            raise FetchError(
                "tree-too-large",
                f"the source holds folders more than {self._limits.depth} deep",
                "it cannot be installed",
            )
        if not self._strip:
            return parts
        top, rest = parts[: self._strip], parts[self._strip :]
        self._top = self._top if len(self._top) == self._strip else top
        if top != self._top[: len(top)] or not (rest or folder):
            raise FetchError("unsafe-path", f"the package holds {path!r}, outside of its own folder", _HINT)
        return rest

    def _new(self, path: str) -> Path:
        parts = self._parts(path)
        name = "/".join(parts)
        if name in self._files or name in self._links or name in self._folders:
            raise _collision(path)
        self._make(parts[:-1], path)
        self._room()
        return self.root / name

    def _make(self, parts: tuple[str, ...], path: str) -> None:
        for depth in range(1, len(parts) + 1):
            name = "/".join(parts[:depth])
            if name in self._folders:
                continue
            if name in self._links:
                raise _collision(path)
            self._room()
            try:
                (self.root / name).mkdir()
            except FileExistsError as e:
                raise _collision(path) from e
            except OSError as e:
                raise _unwritable(path, e) from e
            (self.root / name).chmod(0o755)
            self._folders.add(name)

    def _room(self) -> None:
        if len(self._files) + len(self._links) + len(self._folders) > self._limits.files:
            raise FetchError(
                "tree-too-large", f"the source holds more than {self._limits.files} files", "it cannot be installed"
            )


_HINT = "do not install it; tell whoever maintains the plugin's manifest"


def _collision(path: str) -> FetchError:
    return FetchError("unsafe-path", f"the source holds {path!r} twice, or as two things that are one here", _HINT)


def _unsafe_link(path: str, target: str) -> FetchError:
    return FetchError("unsafe-link", f"the source's link {path!r} points out of it, to {target!r}", _HINT)


def _unwritable(path: str, error: OSError) -> FetchError | OSError:
    """Tell names that no file system takes from errors of this machine, which pass as they are."""
    if error.errno in {errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL, errno.ELOOP, errno.ENOTDIR}:
        return FetchError("unsafe-path", f"the source holds {path!r}, a name that cannot be written here", _HINT)
    return error
