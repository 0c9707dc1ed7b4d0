"""A commit's files on disk, exactly as the commit has them.

They are written from the checked objects and not by `git checkout`: so no filter, hook, attribute or line-ending
conversion of the repository or of the machine has a say in them. There is no `.git` folder: a build that asks git for
its version will not find one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reckless.errors import FetchError
from reckless.fetch.command import Git
from reckless.fetch.gitcache import Repository
from reckless.fetch.giterrors import GitFailedError
from reckless.fetch.limits import MAX_BYTES
from reckless.fetch.objects import PROGRAM, Objects
from reckless.fetch.scope import folder_scope, needs_whole, whole_scope
from reckless.fetch.submodules import MAX_COUNT, MAX_DEPTH, MAX_GITMODULES, Submodule, follow, parse_gitmodules
from reckless.fetch.tree import TreeWriter, is_git_folder
from reckless.system.files import remove_tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reckless.fetch.limits import Deadline
    from reckless.fetch.scope import Scope
    from reckless.model.manifest import GitSource

_COMMIT = re.compile(r"[0-9a-f]{40}")
_LFS = b"version https://git-lfs.github.com/spec/"
_LFS_MOST = 1024  # git-lfs: a pointer is less than this


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkout:
    """What every repository of one checkout shares: where it is written, and who is told."""

    cache: Path
    writer: TreeWriter
    deadline: Deadline
    note: Callable[[str], None]
    unfiltered: set[str] = field(default_factory=set)
    repositories: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """One repository's commit, to be written below `prefix` of the checkout; a submodule's `depth` is 1 and more."""

    url: str
    commit: str
    subdir: str
    prefix: str = ""
    depth: int = 0


class _DamagedError(Exception):
    """The cache's repository cannot be used as it is."""

    def __init__(self, repository: Repository, url: str) -> None:
        super().__init__(url)
        self.repository = repository
        self.url = url


def fetch_git(source: GitSource, root: Path, *, cache: Path, deadline: Deadline, note: Callable[[str], None]) -> None:
    """Write the files of the commit, or of what its `subdir` needs of it, into the new folder `root`.

    A repository in the cache that turns out to be damaged is thrown away and fetched anew, once. Raises FetchError;
    `root` may then be left half done: the caller removes it. Raises OSError for this machine's own troubles.
    """
    if not _COMMIT.fullmatch(source.rev):
        raise FetchError("no-such-revision", f"{source.rev!r} is not a commit's hash", "give all 40 hex digits of it")
    unfiltered: set[str] = set()
    while True:
        writer = TreeWriter(root)
        checkout = Checkout(cache=cache, writer=writer, deadline=deadline, note=note, unfiltered=unfiltered)
        try:
            _write(checkout, _Place(url=source.git, commit=source.rev, subdir=source.subdir))
            writer.finish()
        except _DamagedError as e:
            with e.repository.locked():
                e.repository.throw_away()
            unfiltered.add(e.url)
            remove_tree(root)
        else:
            return


def _write(checkout: Checkout, place: _Place) -> None:
    checkout.repositories.append(place.url)
    git = Git(place.url, checkout.deadline)
    first_try = place.url not in checkout.unfiltered
    repository = Repository(git, checkout.cache, filtered=bool(place.subdir) and first_try)
    try:
        with repository.locked():
            repository.bring(place.commit)
            scope, modules = _write_files(checkout, place, git, repository)
    except GitFailedError as e:
        if not first_try:
            raise
        raise _DamagedError(repository, place.url) from e
    # The lock is free again: two that each hold a repository and want the other's would wait for ever.
    for path, entry in scope.submodules.items():
        subdir = scope.inside[1] if scope.inside else ""
        _write_submodule(checkout, place, modules.get(path), _Place(
            url="", commit=entry.oid, subdir=subdir, prefix=f"{place.prefix}{path}/", depth=place.depth + 1
        ))  # fmt: skip


def _write_files(
    checkout: Checkout, place: _Place, git: Git, repository: Repository
) -> tuple[Scope, dict[str, Submodule]]:
    scope = _scope(place, git, repository)
    modules: dict[str, Submodule] = {}
    pointers = 0
    with Objects(git, repository.path) as objects:
        if scope.gitmodules and scope.submodules:
            modules = parse_gitmodules(git, objects.blob(scope.gitmodules.oid, limit=MAX_GITMODULES))
        for path in scope.folders:
            checkout.writer.folder(place.prefix + _checked(path))
        for path, entry in scope.files.items():
            pointers += _write_file(checkout, objects, place.prefix + _checked(path), entry.oid, entry.mode == PROGRAM)
        for path, entry in scope.links.items():
            target = objects.blob(entry.oid, limit=1 << 16).decode(errors="surrogateescape")
            checkout.writer.link(place.prefix + _checked(path), target)
    if pointers:
        checkout.note(
            f"{place.url} keeps {pointers} files in Git LFS; their content is not fetched, only pointers to it"
        )
    return scope, modules


def _scope(place: _Place, git: Git, repository: Repository) -> Scope:
    """Find what to write, and see that all of it is in the repository."""
    with Objects(git, repository.path) as objects:
        tree = objects.tree_of(place.commit)
        scope = folder_scope(objects, tree, place.subdir)
    repository.bring_files(place.commit, scope.blobs())
    if not place.subdir:
        return scope
    with Objects(git, repository.path) as objects:
        if not needs_whole(objects, scope, place.subdir):
            return scope
        scope = whole_scope(objects, tree, scope)
    repository.bring_files(place.commit, scope.blobs())
    return scope


def _write_file(checkout: Checkout, objects: Objects, path: str, oid: str, executable: bool) -> int:  # noqa: FBT001
    with checkout.writer.file(path, executable=executable) as f:
        size = objects.copy(oid, f, limit=MAX_BYTES)
        checkout.writer.count(size)
    written = checkout.writer.has_file(path)
    if written is None or not len(_LFS) <= size < _LFS_MOST:
        return 0
    return int(written.read_bytes().startswith(_LFS))


def _write_submodule(checkout: Checkout, parent: _Place, module: Submodule | None, place: _Place) -> None:
    path = place.prefix.rstrip("/")
    if module is None or not module.wanted:
        _checked(path)
        checkout.writer.folder(path)
        if module is None:
            checkout.note(f"{parent.url} does not say where its submodule {path!r} is; it stays empty")
        return
    if place.depth > MAX_DEPTH or len(checkout.repositories) > MAX_COUNT:
        raise FetchError(
            "submodule-refused",
            f"{checkout.repositories[0]} has submodules more than {MAX_DEPTH} deep, or more than {MAX_COUNT}",
            "it cannot be installed",
        )
    _checked(path)
    checkout.writer.folder(path)
    url = follow(module, parent.url)
    _write(checkout, _Place(url=url, commit=place.commit, subdir=place.subdir, prefix=place.prefix, depth=place.depth))


def _checked(path: str) -> str:
    """Return `path`. git never makes such names, and refuses them when it fetches; this is for when it does not."""
    parts = path.split("/")
    if any(part in {"", ".", ".."} or is_git_folder(part) for part in parts):
        raise FetchError(
            "unsafe-path",
            f"the commit holds {path!r}",
            "do not install it; tell whoever maintains the plugin's manifest",
        )
    return path
