"""The one way in: a release's source, verified, in a folder."""

from __future__ import annotations

import errno
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from reckless.errors import FetchError
from reckless.fetch.limits import Deadline
from reckless.model.manifest import Binary, GitSource, PathSource, RegistrySource
from reckless.system.files import put_in_place, remove_tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reckless.model.manifest import ArchiveSource, Source
    from reckless.model.reporter import Reporter


def fetch(
    source: Source | Binary,
    into: Path,
    *,
    cache: Path,
    name: str,
    reporter: Reporter,
    timeout: float = 600,
    env: Mapping[str, str] | None = None,
) -> Source | Binary:
    """Make `into` the root of the verified source tree of the plugin `name`; it contains `source.subdir`.

    Returns the source; that of a folder is what the folder is now, which may have changed since it was looked at.

    Of a git repository only what the sub-folder needs is there: see `reckless.fetch.scope`. Of an archive, everything.
    Of a ready-made program that is no archive, the program, as the file `name`.
    Files are 0644 or 0755, folders 0755; links stay within the tree; there is no `.git`. What is fetched is kept in
    `cache`, which may be deleted at any time and is safe to share between processes. `timeout` is in seconds, over all.
    `env` is what a registry's client runs with (None: our own environment).

    Raises FetchError, and leaves no `into` then: `no-such-revision`, `digest-mismatch`, `no-such-folder`,
    `repository-not-found`, `archive-not-found`, `network-down`, `fetch-timeout`, `git-missing`, `insecure-url`,
    `submodule-refused`, `unsafe-path`, `unsafe-link`, `unsafe-member`, `archive-bomb`, `archive-broken`,
    `tree-too-large`, `git-objects-refused`, `git-failed`, `disk-full`, `already-there`, `fetch-failed`,
    and of a registry `client-missing`, `no-such-package`.
    """
    deadline = Deadline(timeout, f"the source of {name}")
    try:
        if into.is_symlink() or (into.exists() and (not into.is_dir() or any(into.iterdir()))):
            raise FetchError("already-there", f"{into} is there already", "nothing was changed; remove it first")
        into.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=into.parent, prefix=".fetch-") as folder:
            root = Path(folder) / "tree"
            try:
                reporter.step(name, "fetch", source.git if isinstance(source, GitSource) else source.where)
                if isinstance(source, GitSource):
                    from reckless.fetch.git import fetch_git

                    fetch_git(source, root, cache=cache, deadline=deadline, note=reporter.note)
                elif isinstance(source, PathSource):
                    from reckless.fetch.worktree import Worktree

                    source = replace(source, sha256=Worktree(Path(source.path)).copy(root))
                elif isinstance(source, Binary):
                    from reckless.fetch.archive import cached_archive
                    from reckless.fetch.extract import unpack

                    packed = cached_archive(source.url, source.sha256, cache=cache, deadline=deadline)
                    unpack(packed, root, name, deadline=deadline)
                else:
                    _fetch_packed(source, root, cache, deadline, env)
                put_in_place(root, into)
            finally:
                remove_tree(root)
    except OSError as e:
        raise _trouble(e, into) from e
    return source


def _fetch_packed(
    source: ArchiveSource | RegistrySource, root: Path, cache: Path, deadline: Deadline, env: Mapping[str, str] | None
) -> None:
    from reckless.fetch.scope import no_such_folder

    if isinstance(source, RegistrySource):
        from reckless.fetch.registry import fetch_package

        fetch_package(source, root, cache=cache, deadline=deadline, env=env)
    else:
        from reckless.fetch.archive import cached_archive
        from reckless.fetch.extract import extract

        archive = cached_archive(source.archive, source.sha256, cache=cache, deadline=deadline)
        extract(archive, root, deadline=deadline)
    here = root
    for part in (part for part in source.subdir.split("/") if part not in {"", "."}):
        found = here / part
        if part == ".." or found.is_symlink() or not found.is_dir():
            there = (path.name for path in here.iterdir() if path.is_dir())
            above = "" if here == root else here.relative_to(root).as_posix()
            raise no_such_folder(source.subdir, above, there)
        here = found


def _trouble(error: OSError, into: Path) -> FetchError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return FetchError("disk-full", f"the disk is full; {into.name} was not fetched", "make room, then run it again")
    return FetchError("fetch-failed", f"cannot write what was fetched: {error}", "nothing was kept")
