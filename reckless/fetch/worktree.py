"""A person's own folder, as it is now: what belongs to the plugin in it, and what is only lying about.

In a git checkout that is what git tracks, and what it does not ignore, committed or not; of a plugin in a sub-folder
what `reckless.fetch.scope` takes of a commit, too. Elsewhere it is all but what tools make and can make again. Copying
goes through TreeWriter, so the copy is held to the same rules as what comes from a stranger.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from reckless.errors import FetchError, ProcessError
from reckless.fetch.command import local_git
from reckless.fetch.limits import MAX_BYTES, MAX_DEPTH, MAX_FILES
from reckless.fetch.objects import FILE, FOLDER, LINK, PROGRAM, Entry
from reckless.fetch.scope import folder_scope, needs_whole, whole_scope
from reckless.fetch.tree import TreeWriter
from reckless.model.treeview import Entry as ViewEntry
from reckless.model.treeview import Kind
from reckless.system.files import remove_tree

_MADE = frozenset({"__pycache__", "node_modules", ".git", ".hg", ".svn", ".DS_Store"})
# Files that say of their folder that it can be made again: the Cache Directory Tagging Specification; PEP 405.
_MARKS = ("CACHEDIR.TAG", "pyvenv.cfg")
_KINDS: dict[int, Kind] = {FOLDER: "folder", FILE: "file", PROGRAM: "program", LINK: "link"}
_GITLINK = "160000"
_CHUNK = 1 << 18
_TRIES = 3


class Worktree:
    """The folder `path`, or the one file, with what is around it as far as it belongs to it.

    `top` is the folder that is copied, `subdir` where `path` is in it (empty: it is the top). `date` is that of the
    newest commit, or, outside of a checkout, of the newest file. Raises FetchError `no-such-folder`,
    `tree-too-large`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            raise FetchError("no-such-folder", f"there is no {path}", "check the path; a plugin is a folder or a file")
        self._look()

    @property
    def date(self) -> dt.date:
        """When it was last committed; outside of a checkout, last changed (UTC)."""
        with contextlib.suppress(ProcessError, ValueError):
            if self._checkout:
                said = local_git(["log", "-1", "--format=%ct"], self.top).stdout
                return dt.datetime.fromtimestamp(int(said), dt.timezone.utc).date()
        newest = max((os.lstat(self.top / f).st_mtime for f in self._files if (self.top / f).exists()), default=0.0)
        return dt.datetime.fromtimestamp(newest, dt.timezone.utc).date()

    def entries(self, folder: str) -> tuple[ViewEntry, ...]:
        """Return what a folder holds (model/treeview.py)."""
        return tuple(
            ViewEntry(name, _KINDS[e.mode], str((self.top / e.oid).readlink()) if e.mode == LINK else "")
            for name, e in sorted(self.found(folder).items())
        )

    def read(self, path: str, limit: int) -> bytes:
        """Return the first bytes of a file (model/treeview.py)."""
        folder, _, name = path.rpartition("/")
        entry = self.found(folder).get(name)
        if entry is None or entry.mode not in {FILE, PROGRAM}:
            return b""
        with contextlib.suppress(OSError), (self.top / path).open("rb") as f:
            return f.read(limit)
        return b""

    def found(self, folder: str) -> Mapping[str, Entry]:
        """Return what a folder holds, by name."""
        return self._folders.get(folder, {})

    def prefetch(self, paths: Iterable[str]) -> None:
        """Do nothing: it is all here."""

    def digest(self) -> str:
        """Return a SHA-256 over all that would be copied: names, modes, contents, and where links point."""
        return self._each(None)

    def copy(self, root: Path) -> str:
        """Copy it to the new folder `root`, and return the digest of what was copied.

        One that changes meanwhile is copied again, a few times, then taken as it is. Raises FetchError as TreeWriter.
        """
        for attempt in range(_TRIES):
            if attempt:
                remove_tree(root)
                self._look()
            before = self._signature()
            writer = TreeWriter(root)
            digest = self._each(writer)
            writer.finish()
            if self._signature() == before:
                break
        return digest

    def _look(self) -> None:
        self._checkout = False
        self.top, self.subdir = self.path, ""
        if not self.path.is_dir():
            self.top = self.path.parent
            files: Iterable[str] = [self.path.name]
        else:
            listed = self._in_git()
            files = _walk(self.path) if listed is None else listed
        self._folders = _folders(self.top, files)
        if self.subdir:
            scope = folder_scope(_Disk(self), "", self.subdir)
            if needs_whole(_Disk(self), scope, self.subdir):
                scope = whole_scope(_Disk(self), "", scope)
            self._files = sorted([*scope.files, *scope.links])
        else:
            self._files = sorted(e.oid for f in self._folders.values() for e in f.values() if e.mode != FOLDER)

    def _in_git(self) -> list[str] | None:
        """Return what git tracks or does not ignore, and set `top`; None where git has nothing to say of this folder.

        Of what it does not track only what is in `path` counts: the checkout may be a whole home folder.
        """
        if not shutil.which("git"):
            return None
        try:
            top, prefix = local_git(["rev-parse", "--show-toplevel", "--show-prefix"], self.path).stdout.split("\n")[:2]
            tracked = local_git(["ls-files", "-z", "--cached", "--stage"], Path(top)).stdout.split("\0")
            others = local_git(["ls-files", "-z", "--others", "--exclude-standard"], self.path).stdout.split("\0")
        except ProcessError:
            return None
        here = list(_without_made([n for n in others if n]))
        found = dict(_name_and_mode(line) for line in tracked if line)
        if not any(n.startswith(prefix) for n in found):
            return here or None
        self._checkout, self.top, self.subdir = True, Path(top), prefix.rstrip("/")
        files = [n for n, mode in found.items() if mode != _GITLINK] + [prefix + n for n in here]
        for module in [n for n, mode in found.items() if mode == _GITLINK and (self.top / n).is_dir()]:
            files += [f"{module}/{below}" for below in _walk(self.top / module)]
        if len(files) > MAX_FILES:
            raise _too_many(self.path)
        return files

    def _each(self, writer: TreeWriter | None) -> str:
        whole = hashlib.sha256()
        total = 0
        for path in self._files:
            place = self.top / path
            try:
                mode = os.lstat(place).st_mode
                if stat.S_ISLNK(mode):
                    target = str(place.readlink())
                    if writer:
                        writer.link(path, target)
                    whole.update(b"link\0" + os.fsencode(path) + b"\0" + os.fsencode(target) + b"\0")
                elif stat.S_ISREG(mode):
                    content, size = _take(place, path, writer, executable=bool(mode & 0o100))
                    kind = b"program\0" if mode & 0o100 else b"file\0"
                    whole.update(kind + os.fsencode(path) + b"\0" + content)
                    total += size
            except OSError as e:
                if e.errno not in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
                    raise
                continue  # it went away since it was listed
            if total > MAX_BYTES:
                raise FetchError("tree-too-large", f"{self.path} holds more than {MAX_BYTES >> 20} MiB", "")
        return whole.hexdigest()

    def _signature(self) -> list[tuple[str, int, int]]:
        """Return what changes when a file does, without reading it."""
        seen = []
        for path in self._files:
            with contextlib.suppress(OSError):
                status = os.lstat(self.top / path)
                seen.append((path, status.st_mtime_ns, status.st_size))
        return seen


def _take(place: Path, path: str, writer: TreeWriter | None, *, executable: bool) -> tuple[bytes, int]:
    """Read a file, and write it on where there is a writer; return its digest and size."""
    digest, size = hashlib.sha256(), 0
    handle = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as source, _target(writer, path, executable=executable) as copy:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            if copy and writer:
                writer.count(len(chunk))
                copy.write(chunk)
    return digest.digest(), size


def _target(
    writer: TreeWriter | None, path: str, *, executable: bool
) -> contextlib.AbstractContextManager[BinaryIO | None]:
    return writer.file(path, executable=executable) if writer else contextlib.nullcontext()


def _folders(top: Path, files: Iterable[str]) -> dict[str, dict[str, Entry]]:
    """Return what each folder holds, for the files that there are."""
    folders: dict[str, dict[str, Entry]] = {"": {}}
    for path in files:
        try:
            mode = os.lstat(top / path).st_mode
        except OSError:
            continue
        kind = LINK if stat.S_ISLNK(mode) else PROGRAM if mode & 0o100 else FILE
        if kind != LINK and not stat.S_ISREG(mode):
            continue
        parts = path.split("/")
        folders.setdefault("/".join(parts[:-1]), {})[parts[-1]] = Entry(kind, parts[-1], path)
        for depth in range(len(parts) - 1, 0, -1):
            above = folders.setdefault("/".join(parts[: depth - 1]), {})
            if parts[depth - 1] in above:
                break
            above[parts[depth - 1]] = Entry(FOLDER, parts[depth - 1], "/".join(parts[:depth]))
    return folders


def _walk(root: Path) -> Iterator[str]:
    """Yield the files and links below a folder, without what tools make there and can make again."""
    count = 0
    for folder, names, files in os.walk(root):
        here = os.path.relpath(folder, root)
        prefix = "" if here == "." else f"{here}/"
        if here != "." and (prefix.count("/") > MAX_DEPTH or any(mark in files for mark in _MARKS)):
            names[:] = []
            continue
        links = [n for n in names if (Path(folder) / n).is_symlink()]
        names[:] = sorted(n for n in names if n not in _MADE and n not in links)
        for name in (*links, *files):
            if name not in _MADE and not name.endswith(".pyc"):
                yield prefix + name
                count += 1
                if count > MAX_FILES:
                    raise _too_many(root)


def _name_and_mode(line: str) -> tuple[str, str]:
    """Read a line of `git ls-files --stage`: mode, hash and stage, a tab, the name."""
    facts, _, name = line.partition("\t")
    return name, facts.partition(" ")[0]


def _without_made(files: list[str]) -> Iterator[str]:
    """Yield of the files that git does not track those that no tool has made."""
    marked = {f.rpartition("/")[0] + "/" for f in files if f.rpartition("/")[2] in _MARKS} - {"/"}
    for file in files:
        parts = file.split("/")
        if not _MADE.isdisjoint(parts) or file.endswith(".pyc"):
            continue
        if marked.isdisjoint("/".join(parts[:depth]) + "/" for depth in range(1, len(parts))):
            yield file


class _Disk:
    """The folder as fetch/scope.py reads git's objects: the "hash" of a folder or file is its path."""

    def __init__(self, worktree: Worktree) -> None:
        self._worktree = worktree

    def entries(self, tree: str) -> tuple[Entry, ...]:
        return tuple(self._worktree.found(tree).values())

    def blob(self, oid: str, *, limit: int) -> bytes:
        place = self._worktree.top / oid
        return os.fsencode(place.readlink()) if place.is_symlink() else self._worktree.read(oid, limit)


def _too_many(path: Path) -> FetchError:
    return FetchError(
        "tree-too-large",
        f"{path} holds more than {MAX_FILES} files, or folders more than {MAX_DEPTH} deep",
        "name the plugin's own folder, or have .gitignore name what does not belong to it",
    )
