"""A commit's tree as detection sees it, out of git's objects: nothing is written to disk, and few files are fetched."""

from __future__ import annotations

import datetime as dt
import posixpath
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from reckless.fetch.command import Git
from reckless.fetch.gitcache import Repository
from reckless.fetch.giterrors import GitFailedError
from reckless.fetch.limits import Deadline
from reckless.fetch.objects import FILE, FOLDER, LINK, PROGRAM, SUBMODULE, Objects
from reckless.fetch.objects import Entry as ObjectEntry
from reckless.fetch.scope import deciding_files, folder_scope, needs_whole
from reckless.fetch.submodules import MAX_GITMODULES, follow, parse_gitmodules
from reckless.model.treeview import Entry, Kind

T = TypeVar("T")
LOOKING = 300.0
_KINDS: dict[int, Kind] = {
    FOLDER: "folder", FILE: "file", PROGRAM: "program", LINK: "link", SUBMODULE: "submodule",
}  # fmt: skip
_MAX_LINK = 1 << 16
_KEPT, _MOST = 1 << 15, 1000  # of how many files how much is kept in memory


def look_into(url: str, ref: str, use: Callable[[GitTree], T], *, cache: Path, timeout: float = LOOKING) -> T:
    """Return what `use` makes of a commit's tree: of `ref`, HEAD, refs/heads/NAME or a commit's 40 hex digits.

    Trees and small files are brought here by one fetch; a commit that is here already costs none. A repository in the
    cache that turns out to be damaged is fetched anew, once. Raises FetchError, and what `use` raises.
    """
    git = Git(url, Deadline(timeout, f"what is in {url}"))
    for filtered in (True, False):
        repository = Repository(git, cache, filtered=filtered)
        with repository.locked():
            try:
                commit = ref if len(ref) == 40 and "/" not in ref else repository.bring_tip(ref)
                repository.bring(commit)
                with Objects(git, repository.path) as objects:
                    return use(GitTree(git, repository, objects, commit))
            except GitFailedError:
                if not filtered:
                    raise
                repository.throw_away()
    raise AssertionError  # the second time returns or raises


class GitTree:
    """A TreeView of a commit (model/treeview.py); usable only while `look_into` runs.

    `commit` is its hash; `date` its committer's, in UTC.
    """

    def __init__(self, git: Git, repository: Repository, objects: Objects, commit: str) -> None:
        self._git = git
        self._repository = repository
        self._objects = objects
        self.commit = commit
        self._root, committed = objects.commit(commit)
        self.date = dt.datetime.fromtimestamp(committed, dt.timezone.utc).date()
        self._folders: dict[str, dict[str, ObjectEntry]] = {}
        self._missing: frozenset[str] | None = None
        self._kept: dict[str, bytes] = {}

    def entries(self, folder: str) -> tuple[Entry, ...]:
        """Return what a folder holds, sorted by name."""
        found = self._folder(folder)
        return tuple(Entry(name, _KINDS[found[name].mode], self._target(found[name])) for name in sorted(found))

    def read(self, path: str, limit: int) -> bytes:
        """Return at most the first `limit` bytes of a regular file."""
        entry = self._entry(path)
        if entry is None or entry.mode not in {FILE, PROGRAM}:
            return b""
        kept = self._kept.get(entry.oid)
        if kept is not None and (len(kept) < _KEPT or limit <= _KEPT):
            return kept[:limit]
        self._bring([entry])
        return self._objects.beginning(entry.oid, limit)

    def prefetch(self, paths: Iterable[str]) -> None:
        """Bring these files here, those that are not, in one request, and read their beginnings in one go."""
        wanted = [e for e in map(self._entry, paths) if e is not None and e.mode in {FILE, PROGRAM}]
        self._bring(wanted)
        new = [oid for oid in dict.fromkeys(e.oid for e in wanted) if oid not in self._kept]
        self._kept.update(self._objects.beginnings(new[: _MOST - len(self._kept)], _KEPT))

    def submodule(self, path: str) -> tuple[str, str] | None:
        """Return the URL and commit of the submodule at `path`; None where there is none, or nothing says where it is.

        Raises FetchError `submodule-refused` where it comes from a place that is not fetched from.
        """
        entry, modules = self._entry(path), self._entry(".gitmodules")
        if entry is None or entry.mode != SUBMODULE or modules is None or modules.mode not in {FILE, PROGRAM}:
            return None
        self._bring([modules])
        found = parse_gitmodules(self._git, self._objects.blob(modules.oid, limit=MAX_GITMODULES)).get(path)
        return (follow(found, self._git.url), entry.oid) if found else None

    def content(self, folder: str) -> str:
        """Return a hash that changes when anything changes that a plugin in `folder` is made of.

        That of its folder, or of the whole tree where it needs files from elsewhere in it (see fetch/scope.py). Raises
        FetchError `no-such-folder`.
        """
        if not folder:
            return self._root
        scope = folder_scope(self._objects, self._root, folder)
        self._bring(deciding_files(scope))
        entry = self._entry(folder)
        if entry is None or entry.mode != FOLDER or needs_whole(self._objects, scope, folder):
            return self._root
        return entry.oid

    def _folder(self, folder: str) -> dict[str, ObjectEntry]:
        if folder not in self._folders:
            if not folder:
                oid = self._root
            else:
                entry = self._entry(folder)
                if entry is None or entry.mode != FOLDER:
                    return {}
                oid = entry.oid
            self._folders[folder] = {e.name: e for e in self._objects.entries(oid)}
        return self._folders[folder]

    def _entry(self, path: str) -> ObjectEntry | None:
        folder, name = posixpath.split(path)
        if not name or folder.startswith("/") or folder.count("/") > 64:
            return None
        return self._folder(folder).get(name)

    def _target(self, entry: ObjectEntry) -> str:
        if entry.mode != LINK:
            return ""
        self._bring([entry])
        return self._objects.beginning(entry.oid, _MAX_LINK).decode(errors="surrogateescape")

    def _bring(self, entries: Iterable[ObjectEntry]) -> None:
        """See that these files are in the repository: git would go and ask for each by itself."""
        if self._missing is None:
            self._missing = self._repository.missing(self.commit)
        needed = self._missing.intersection(e.oid for e in entries)
        if needed:
            self._repository.bring_files(self.commit, needed)
            self._missing -= needed
