"""One bare repository a URL, under `cache/git/`, shared by all plugins and releases that come from there.

What it has is never transferred again: an upgrade brings new objects only. It may be deleted at any time. Whoever uses
it holds its lock. A repository that git cannot use is deleted and fetched anew, once.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import filelock

from reckless.errors import FetchError
from reckless.fetch.giterrors import GitFailedError, RefusedError
from reckless.system.files import remove_tree

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from contextlib import AbstractContextManager

    from reckless.fetch.command import Git
    from reckless.system.process import Completed

_MAX_PACKS = 100  # past this a fresh start is cheaper than many small packs, or than repacking on an SD card
_FILTER = "--filter=blob:none"
_SMALL_FILES = "--filter=blob:limit=32k"  # what detection reads; scripts and lists of packages, but no locks
_BRANCHES_AND_TAGS = ("+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
_FETCH = ("fetch", "--quiet", "--no-tags")
_DEEPER = (("--depth=1",), ("--deepen=100",), ("--deepen=2000",), ("--unshallow",))


class Repository:
    """The cache's repository for `git.url`. `filtered` says whether files may be left out until they are needed."""

    def __init__(self, git: Git, cache: Path, *, filtered: bool) -> None:
        self._git = git
        self._filtered = filtered
        self.path = cache / "git" / hashlib.sha256(git.url.encode()).hexdigest()[:32]

    def locked(self) -> AbstractContextManager[None]:
        """Hold the repository against other processes and threads. Raises FetchError `fetch-timeout`."""
        return _Lock(self.path.with_name(self.path.name + ".lock"), self._git)

    def throw_away(self) -> None:
        """Delete it; the next use starts anew."""
        remove_tree(self.path)

    def bring(self, commit: str) -> None:
        """See that the commit and its trees are here (and its files, where they are not left out).

        Raises FetchError `no-such-revision`, and as `giterrors.translate`.
        """
        self._prepare()
        if self._has(commit):
            return
        try:
            self._run(*_FETCH, "--depth=1", *self._filter(), "origin", f"+{commit}:refs/reckless/{commit}")
        except RefusedError as e:
            if e.final and self._speaks_v2():
                raise self._no_such(commit) from e
            self._bring_by_name(commit)

    def bring_tip(self, ref: str) -> str:
        """Bring what `ref` (HEAD, refs/heads/NAME) names now here, with its trees and small files; return its hash.

        One request, and no question before it. Raises as `bring`.
        """
        self._prepare()
        tip = "refs/reckless/tip"
        what = (_SMALL_FILES,) if self._filtered else self._filter()
        try:
            self._run(*_FETCH, "--depth=1", *what, "origin", f"+{ref}:{tip}")
        except RefusedError:
            commit = self._ask_tip(ref)  # a server of old, or plain files
            self.bring(commit)
            return commit
        commit = (self.path / tip).read_text(encoding="ascii").strip()
        (self.path / tip).replace(self.path / "refs" / "reckless" / commit)
        return commit

    def missing(self, commit: str) -> frozenset[str]:
        """Return which of the commit's files were left out so far, by their hashes."""
        if not self._is_partial():
            return frozenset()
        listed = self._run("rev-list", "--objects", "--no-walk", "--missing=print", commit).stdout
        return frozenset(line[1:] for line in listed.splitlines() if line.startswith("?"))

    def bring_files(self, commit: str, wanted: Collection[str]) -> None:
        """See that these of the commit's blobs are here, all in one request."""
        needed = sorted(self.missing(commit).intersection(wanted))
        if needed:
            no_haves = ("-c", "fetch.negotiationAlgorithm=noop")
            try:
                self._run(*no_haves, *_FETCH, _FILTER, "--stdin", "origin", stdin="\n".join(needed) + "\n")
            except RefusedError as e:
                # It knows partial clones and yet gives no single files: the next try leaves nothing out.
                raise GitFailedError(e.code, f"{self._git.url} does not give single files", detail=e.detail) from e

    def _prepare(self) -> None:
        if self.path.exists() and sum(1 for _ in (self.path / "objects" / "pack").glob("*.pack")) > _MAX_PACKS:
            self.throw_away()
        if self.path.exists():
            for left_behind in self._debris():
                left_behind.unlink(missing_ok=True)
            # One that has all files stays so, and one that has not is filled up as needed: either serves both users.
            self._filtered = self._filtered and self._is_partial()
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._git.run(["init", "--quiet", "--bare", "--template=", str(self.path)])
        quoted = self._git.url.replace("\\", "\\\\").replace('"', '\\"')
        with (self.path / "config").open("a", encoding="utf-8") as f:  # as `git config` would, without starting it
            f.write(f'[remote "origin"]\n\turl = "{quoted}"\n')

    def _debris(self) -> Iterator[Path]:
        """What a killed git leaves: its locks would stop us, its half packs fill the disk. We hold our lock."""
        yield from self.path.glob("*.lock")
        yield from self.path.glob("refs/**/*.lock")
        yield from self.path.glob("objects/pack/tmp_*")

    def _has(self, commit: str) -> bool:
        # By the ref, which we write: asking for the object would make git go and look for it at the server.
        return (self.path / "refs" / "reckless" / commit).is_file()

    def _is_partial(self) -> bool:
        try:
            return "promisor = true" in (self.path / "config").read_text(errors="replace")
        except FileNotFoundError:
            return False

    def _filter(self) -> tuple[str, ...]:
        if self._filtered:
            return (_FILTER,)
        return ("--no-filter",) if self._is_partial() else ()

    def _bring_by_name(self, commit: str) -> None:
        """Fetch branches and tags, further and further back, until the commit is there: servers of old, plain files."""
        if self._is_partial():
            # Such servers will not give single files either, so nothing may be left out.
            self.throw_away()
        self._filtered = False
        self._prepare()
        for depth in _DEEPER:
            if depth != _DEEPER[0] and not self._is_shallow():
                break
            self._fetch_names(depth)
            if self._keep(commit):
                return
        raise self._no_such(commit)

    def _fetch_names(self, depth: Sequence[str]) -> None:
        names = ("--prune", "origin", *_BRANCHES_AND_TAGS)
        try:
            self._run(*_FETCH, *depth, *names)
        except RefusedError:
            self._run(*_FETCH, *names)  # plain files over http know no depth

    def _is_shallow(self) -> bool:
        return (self.path / "shallow").is_file()

    def _keep(self, commit: str) -> bool:
        try:
            self._run("cat-file", "-e", commit)
        except FetchError:
            return False
        self._run("update-ref", f"refs/reckless/{commit}", commit)
        return True

    def _speaks_v2(self) -> bool:
        """Say whether the server speaks protocol 2, in which it gives any object that it has (gitprotocol-v2)."""
        arguments = [f"--git-dir={self.path}", "ls-remote", "--quiet", "origin", "HEAD"]
        trace = self._git.run(arguments, env={"GIT_TRACE_PACKET": "1"}).stderr
        return re.search(r"< version 2\b", trace) is not None

    def _ask_tip(self, ref: str) -> str:
        listed = self._run("ls-remote", "--quiet", "origin", ref).stdout.splitlines()
        found = [line.split("\t")[0] for line in listed if line.endswith(f"\t{ref}")]
        if not found:
            raise self._no_such(ref)
        return found[0]

    def _no_such(self, commit: str) -> FetchError:
        return FetchError(
            "no-such-revision",
            f"{self._git.url} does not have the commit {commit}",
            "it was removed, or rewritten, by its authors; try another version, or tell whoever maintains the manifest",
        )

    def _run(self, *arguments: str, stdin: str | None = None) -> Completed:
        return self._git.run([f"--git-dir={self.path}", *arguments], stdin=stdin)


class _Lock:
    def __init__(self, path: Path, git: Git) -> None:
        self._git = git
        self._lock = filelock.FileLock(path)

    def __enter__(self) -> None:
        Path(self._lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=self._git.deadline.left())
        except filelock.Timeout as e:
            raise self._git.deadline.error() from e

    def __exit__(self, *_: object) -> None:
        self._lock.release()
