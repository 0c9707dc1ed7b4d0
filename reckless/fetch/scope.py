"""Which part of a commit's tree a plugin in a sub-folder needs.

Usually its folder, and the files that lie directly in the folders above it (as git's sparse checkout has it). All of
the tree where the folder is a member of something larger: a Cargo, uv, npm or Maven workspace, a Go module whose root
is further up, or where a link or a build file in it leads out of it. Submodules are only ever those of the folder.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from reckless.errors import FetchError
from reckless.fetch.limits import MAX_DEPTH, MAX_FILES
from reckless.fetch.objects import FILE, FOLDER, LINK, PROGRAM, SUBMODULE, Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Trees(Protocol):
    """Where folders' lists and files' bytes are read, by their hashes: git's objects, or what stands in for them."""

    def entries(self, tree: str) -> tuple[Entry, ...]:
        """Return what a folder holds."""
        ...

    def blob(self, oid: str, *, limit: int) -> bytes:
        """Return a file's bytes."""
        ...


@dataclass(frozen=True, slots=True)
class _Root:
    """A build file above the sub-folder takes it in where `says` stands in it, and a file `*member` in the folder."""

    says: bytes
    member: str


_ROOTS: Mapping[str, _Root] = {
    "Cargo.toml": _Root(b"workspace", "/Cargo.toml"),
    "go.mod": _Root(b"module", ".go"),
    "go.work": _Root(b"", ".go"),
    "pom.xml": _Root(b"<module", "/pom.xml"),
    "settings.gradle": _Root(b"", "/build.gradle"),
    "settings.gradle.kts": _Root(b"", "/build.gradle.kts"),
    "package.json": _Root(b'"workspaces"', "/package.json"),
    "pnpm-workspace.yaml": _Root(b"", "/package.json"),
    "pyproject.toml": _Root(b"tool.uv.workspace", "/pyproject.toml"),
}
_BUILD_FILES = frozenset({*_ROOTS, "Makefile", "setup.py", "requirements.txt", "uv.lock", "build.gradle"})
_MAX_BUILD_FILE = 4 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """What to write: `files` and `links` by path, `submodules` by path; `folders` that would stay empty otherwise.

    `inside` is set where the sub-folder lies in a submodule: that one's path, and the sub-folder within it.
    """

    files: dict[str, Entry] = field(default_factory=dict)
    links: dict[str, Entry] = field(default_factory=dict)
    submodules: dict[str, Entry] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    gitmodules: Entry | None = None
    inside: tuple[str, str] | None = None

    def blobs(self) -> set[str]:
        """Return the hashes of all files' and links' content, and of `.gitmodules` where submodules are wanted."""
        named = {e.oid for e in (*self.files.values(), *self.links.values())}
        return named | {self.gitmodules.oid} if self.gitmodules and self.submodules else named


def folder_scope(objects: Trees, tree: str, subdir: str) -> Scope:
    """Return the scope of `subdir` (empty: everything) in the tree with this hash.

    Raises FetchError `no-such-folder`, saying what is there, and `tree-too-large`.
    """
    scope = Scope(gitmodules=_gitmodules(objects, tree))
    here, above = tree, ""
    parts = [part for part in subdir.split("/") if part not in {"", "."}]
    for at, part in enumerate(parts):
        entries = objects.entries(here)
        for entry in entries:
            if entry.mode in {FILE, PROGRAM}:
                scope.files[above + entry.name] = entry
        found = next((e for e in entries if e.name == part), None)
        path = above + part
        if found and found.mode == SUBMODULE:
            scope.submodules[path] = found
            return Scope(
                files=scope.files,
                submodules=scope.submodules,
                gitmodules=scope.gitmodules,
                inside=(path, "/".join(parts[at + 1 :])),
            )
        if found is None or found.mode != FOLDER:
            raise no_such_folder(subdir, above.rstrip("/"), [e.name for e in entries if e.mode in {FOLDER, SUBMODULE}])
        here, above = found.oid, path + "/"
    _walk(objects, here, above, scope)
    return scope


def whole_scope(objects: Trees, tree: str, part: Scope) -> Scope:
    """Return the scope of the whole tree, but with the submodules of `part` only."""
    scope = Scope(gitmodules=part.gitmodules, inside=part.inside)
    _walk(objects, tree, "", scope)
    for path in [path for path in scope.submodules if path not in part.submodules]:
        scope.folders.append(path)  # as git leaves it where submodules are not asked for
        del scope.submodules[path]
    return scope


def deciding_files(scope: Scope) -> list[Entry]:
    """Return the files and links of a scope that `needs_whole` reads."""
    return [*scope.links.values(), *(e for p, e in scope.files.items() if posixpath.basename(p) in _BUILD_FILES)]


def needs_whole(objects: Trees, scope: Scope, subdir: str) -> bool:
    """Say whether the sub-folder cannot do with `scope` alone. The scope's blobs must be at hand."""
    inside = subdir.strip("/") + "/"
    folders = {posixpath.dirname(path) for path in (*scope.files, *scope.links)} | {inside.rstrip("/")}
    for path, entry in scope.links.items():
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), _text(objects, entry)))
        if target not in scope.files and target not in scope.links and target not in folders:
            return True
    for path, entry in scope.files.items():
        name = posixpath.basename(path)
        if name not in _BUILD_FILES:
            continue
        content = objects.blob(entry.oid, limit=_MAX_BUILD_FILE)
        if path.startswith(inside):
            if b"../" in content and _leads_out(path, content, inside):
                return True
        elif name in _ROOTS and _ROOTS[name].says in content and _has_member(scope, inside, _ROOTS[name].member):
            return True
    return False


def no_such_folder(subdir: str, above: str, there: Iterable[str]) -> FetchError:
    """Return the error that says that the source has no such folder, and which it has."""
    names = sorted(there)
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    where = f"in {above!r}" if above else "at the top"
    return FetchError(
        "no-such-folder",
        f"the source has no folder {subdir!r}",
        f"{where} there are: {shown}" if names else f"{where} there are no folders",
    )


def _has_member(scope: Scope, inside: str, ending: str) -> bool:
    return scope.inside is not None or any(p.startswith(inside) and p.endswith(ending) for p in scope.files)


def _leads_out(path: str, content: bytes, inside: str) -> bool:
    """Say whether a build file has as many `../` in a row as lead from its folder out of `inside`."""
    deep = posixpath.dirname(path[len(inside) :])
    levels = len(deep.split("/")) if deep else 0
    return b"../" * (levels + 1) in content


def _gitmodules(objects: Trees, tree: str) -> Entry | None:
    return next((e for e in objects.entries(tree) if e.name == ".gitmodules" and e.mode in {FILE, PROGRAM}), None)


def _text(objects: Trees, entry: Entry) -> str:
    return objects.blob(entry.oid, limit=1 << 16).decode(errors="surrogateescape")


def _walk(objects: Trees, tree: str, prefix: str, scope: Scope) -> None:
    """Note all below a folder. A tree may name one folder many times: what is counted is places."""
    waiting = [(tree, prefix)]
    places = len(scope.files)
    while waiting:
        oid, above = waiting.pop()
        entries = objects.entries(oid)
        places += len(entries) + 1
        if places > MAX_FILES or above.count("/") > MAX_DEPTH:
            raise FetchError(
                "tree-too-large",
                f"the source holds more than {MAX_FILES} files, or folders more than {MAX_DEPTH} deep",
                "it cannot be installed",
            )
        for entry in entries:
            path = above + entry.name
            if entry.mode == FOLDER:
                waiting.append((entry.oid, path + "/"))
            elif entry.mode == LINK:
                scope.links[path] = entry
            elif entry.mode == SUBMODULE:
                scope.submodules[path] = entry
            else:
                scope.files[path] = entry
