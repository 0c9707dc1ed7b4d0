"""git's objects, read from a repository and checked: what comes out has the hash that was asked for.

So it does not matter who filled the repository or what happened to it since: a commit's hash vouches for its tree, and
a tree's for its folders and files (git: Documentation/gitformat-*, hash-object).
"""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from reckless.errors import FetchError
from reckless.fetch.giterrors import GitFailedError
from reckless.fetch.limits import MAX_BYTES
from reckless.system import process

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from reckless.fetch.command import Git

_CHUNK = 1 << 18
_MAX_OBJECT = 32 << 20  # a commit, or one folder's list
_AT_ONCE = 500  # fewer than fill a pipe, so that neither side waits for the other
_OID = 20  # bytes of a SHA-1

FOLDER, FILE, PROGRAM, LINK, SUBMODULE = 0o040000, 0o100644, 0o100755, 0o120000, 0o160000


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a tree: `mode` is one of the five above, `name` one component, `oid` 40 hex digits."""

    mode: int
    name: str
    oid: str


class _Sink(Protocol):
    """Where a file's bytes go."""

    def write(self, data: bytes, /) -> object: ...


class _Head:
    """Keeps the first bytes of what is written, and lets the rest go."""

    def __init__(self, limit: int) -> None:
        self.data = bytearray()
        self._limit = limit

    def write(self, data: bytes, /) -> None:
        self.data += data[: max(self._limit - len(self.data), 0)]


class Objects:
    """Reads objects of the repository `repo` through one `git cat-file --batch`; a context manager.

    Raises GitFailedError where an object is missing, cannot be read, or is not what its hash says: the repository is
    damaged then, and can be thrown away. Raises FetchError `fetch-timeout`.
    """

    def __init__(self, git: Git, repo: Path) -> None:
        self._git = git
        command = git.command([f"--git-dir={repo}", "cat-file", "--batch"], stdin="")
        self._process = process.start(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._timer = threading.Timer(git.deadline.left(), process.kill_group, [self._process])
        self._timer.daemon = True
        self._timer.start()

    def __enter__(self) -> Objects:  # noqa: PYI034  # Self is not in Python 3.10, and nobody derives from this
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End git."""
        self._timer.cancel()
        process.kill(self._process)

    def tree_of(self, commit: str) -> str:
        """Return the hash of the commit's tree. Raises FetchError `no-such-revision` where it is not a commit's."""
        return self.commit(commit)[0]

    def commit(self, commit: str) -> tuple[str, int]:
        """Return the hash of the commit's tree, and when it was committed, in seconds since 1970. Raises as above."""
        kind, data = self._read(commit)
        if kind != b"commit":
            raise FetchError(
                "no-such-revision",
                f"{commit} is a {kind.decode()} of {self._git.url}, not a commit",
                "a manifest names the commit; `git rev-parse TAG^{commit}` shows a tag's",
            )
        first = data.split(b"\n", 1)[0]
        if not first.startswith(b"tree ") or len(first) != 45:
            raise self._damaged(commit)
        committed = re.search(rb"^committer .* (\d{1,10}) [+-]\d{4}$", data.partition(b"\n\n")[0], re.MULTILINE)
        return first[5:].decode(), int(committed[1]) if committed else 0

    def entries(self, tree: str) -> tuple[Entry, ...]:
        """Return what a folder holds."""
        kind, data = self._read(tree)
        if kind != b"tree":
            raise self._damaged(tree)
        found = []
        at = 0
        while at < len(data):
            space = data.find(b" ", at)
            end = data.find(b"\0", space)
            if space < 0 or end < 0 or len(data) < end + 1 + _OID:
                raise self._damaged(tree)
            mode = _mode(data[at:space])
            if mode is None:
                raise self._damaged(tree)
            name = data[space + 1 : end].decode(errors="surrogateescape")
            found.append(Entry(mode, name, data[end + 1 : end + 1 + _OID].hex()))
            at = end + 1 + _OID
        return tuple(found)

    def blob(self, oid: str, *, limit: int) -> bytes:
        """Return a file's bytes. Raises FetchError `tree-too-large` where they are more than `limit`."""
        data = io.BytesIO()
        size = self._copy(oid, b"blob", data, limit)
        if size > limit:
            raise FetchError("tree-too-large", f"a file of {self._git.url} has {size} bytes, more than {limit}", "")
        return data.getvalue()

    def beginning(self, oid: str, limit: int) -> bytes:
        """Return at most the first `limit` bytes of a file; all of it is checked. Raises as `blob`."""
        head = _Head(limit)
        self._copy(oid, b"blob", head, MAX_BYTES)
        return bytes(head.data)

    def beginnings(self, oids: Sequence[str], limit: int) -> Iterator[tuple[str, bytes]]:
        """Yield files' hashes and beginnings; git is asked for many at once, which saves waiting. Raises as `blob`."""
        for at in range(0, len(oids), _AT_ONCE):
            some = oids[at : at + _AT_ONCE]
            self._send(some)
            for oid in some:
                head = _Head(limit)
                self._copy(oid, b"blob", head, MAX_BYTES, sent=True)
                yield oid, bytes(head.data)

    def copy(self, oid: str, to: _Sink, *, limit: int) -> int:
        """Write a file's bytes to `to`; return how many they are. More than `limit`: nothing is written."""
        return self._copy(oid, b"blob", to, limit)

    def _read(self, oid: str) -> tuple[bytes, bytes]:
        kind, size = self._ask(oid)
        if size > _MAX_OBJECT:
            raise FetchError("tree-too-large", f"{self._git.url} has a folder with too many files", "")
        data = io.BytesIO()
        self._receive(oid, kind, size, data)
        return kind, data.getvalue()

    def _copy(self, oid: str, wanted: bytes, to: _Sink, limit: int, *, sent: bool = False) -> int:
        kind, size = self._ask(oid, sent=sent)
        if kind != wanted:
            raise self._damaged(oid)
        if size <= limit:
            self._receive(oid, kind, size, to)
        return size

    def _send(self, oids: Sequence[str]) -> None:
        stdin = self._process.stdin
        if stdin is None:
            raise self._damaged(oids[0])
        try:
            stdin.write("".join(f"{oid}\n" for oid in oids).encode())
            stdin.flush()
        except BrokenPipeError as e:
            raise self._damaged(oids[0]) from e

    def _ask(self, oid: str, *, sent: bool = False) -> tuple[bytes, int]:
        stdout = self._process.stdout
        if not sent:
            self._send([oid])
        if stdout is None:
            raise self._damaged(oid)
        header = stdout.readline().split()
        if len(header) != 3 or not header[2].isdigit():
            raise self._damaged(oid)
        return header[1], int(header[2])

    def _receive(self, oid: str, kind: bytes, size: int, to: _Sink) -> None:
        stdout = self._process.stdout
        digest = hashlib.sha1(b"%s %d\0" % (kind, size), usedforsecurity=False)
        left = size
        while left and stdout is not None:
            chunk = stdout.read(min(left, _CHUNK))
            if not chunk:
                break
            left -= len(chunk)
            digest.update(chunk)
            to.write(chunk)
        if left or stdout is None or stdout.read(1) != b"\n" or digest.hexdigest() != oid:
            raise self._damaged(oid)

    def _damaged(self, oid: str) -> FetchError:
        self._git.deadline.left()
        return GitFailedError(
            "git-failed",
            f"the object {oid} of {self._git.url} is missing or damaged",
            "run it again; see `reckless doctor`",
        )


def _mode(octal: bytes) -> int | None:
    """Return the mode as git itself reads it: files are 0644 or 0755 whatever an old git wrote; None if it is none."""
    try:
        mode = int(octal, 8)
    except ValueError:
        return None
    kind = mode & 0o170000
    if kind == 0o100000:
        return PROGRAM if mode & 0o100 else FILE
    return kind if kind in {FOLDER, LINK, SUBMODULE} else None
