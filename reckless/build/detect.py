"""What a source tree without a reckless manifest is: language, build system, lock, entrypoint, each with its reason.

Nothing of the tree is run; names are listed and the beginnings of few files are read (model/treeview.py), so a tree in
git's objects will do. Two equally good answers are an error that lists both, never a guess.
"""

from __future__ import annotations

import contextlib
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from reckless.build.detection.author import FILES, Author
from reckless.build.detection.found import Found, shown_names
from reckless.build.detection.look import Look, is_aside, join, one_line
from reckless.build.detection.others import Other
from reckless.build.detection.survey import READ, Survey, survey, survey_file, test_only
from reckless.errors import DetectionError, RecklessError
from reckless.model import hostile
from reckless.model.manifest import Build, Dependency, OwnRelease, Plugin, Runtime, Status
from reckless.model.names import normalize_name
from reckless.model.treeview import TreeView
from reckless.system.foldertree import FolderTree

_ATTIC = frozenset({"archive", "archived", "attic", "deprecated", "old", "unmaintained"})
_SUBMODULE = re.compile(r"^[ \t]*path[ \t]*=(.+)$", re.MULTILINE)
_LOOKED_FOR = """looked for, none of which was there:
  an author's reckless.toml, manifest.json or coffee.yml
  Python: a script that makes a Plugin of pyln.client and runs it, or answers getmanifest
  Rust: a binary of Cargo.toml that uses cln-plugin
  Go: a main package of go.mod that uses glightning, lightningd-gjson-rpc or cln4go
  Node.js: a script of package.json that uses clightningjs
  Java, Kotlin: a pom.xml or build.gradle whose sources use jrpclightning
  C, C++: a configure.ac, CMakeLists.txt or Makefile whose sources answer getmanifest
  any other: an executable script that answers getmanifest"""

__all__ = ["Candidate", "NotAPlugin", "detect", "plugins_in"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A plugin that was found in a tree, and how it would be built.

    `name` is normalized: what the author's own file says, else the folder's, else what the caller gave.
    `subdir` is its folder within the tree (empty: the top).
    `path` tells it from the tree's other plugins, to be put behind `URL/tree/REV/`: its subdir, or a file where several
    plugins share a folder.
    `build_system` is for people: uv, poetry, pip, cargo, go, npm, maven, gradle, autotools, cmake, make, script.
    `reasons` are sentences, one a decision, in the order in which to show them.
    `test_only` are files (relative to `subdir`) that look like a build but serve its tests only.
    Where `installable` is false, `why_not` has the reason: its author says so, or nothing here builds it.
    `told_by` is the author's file that was followed (`reckless.toml`, `manifest.json`, `coffee.yml`), or empty;
    `plugin` is what a reckless.toml says for people, `own` what it says of the tree as a release, or None.
    """

    name: str
    subdir: str
    path: str
    build: Build
    build_system: str
    reasons: tuple[str, ...]
    test_only: tuple[str, ...] = ()
    runtime: Runtime = field(default_factory=Runtime)
    depends: tuple[Dependency, ...] = ()
    installable: bool = True
    why_not: str = ""
    summary: str = ""
    status: Status = "active"
    told_by: str = ""
    plugin: Plugin | None = None
    own: OwnRelease | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NotAPlugin:
    """A folder of the tree that might have been a plugin, and why it is none (or which of its parts cannot be told).

    A submodule's files are in a repository of its own: its `path` and the tree's `.gitmodules` say where.
    """

    name: str
    path: str
    why: str
    kind: Literal["folder", "submodule", "link"] = "folder"


def detect(tree: TreeView | Path, path: str = "", *, name: str = "") -> Candidate:
    """Return the one plugin at `path` in the tree: a folder, or a file where several plugins share one.

    `name` is what to call it where neither its author nor a folder says so: the repository's or folder's name.
    Raises DetectionError `not-a-plugin` (what was looked for), `several-plugins` (each answer with its reasons, and how
    to choose), `unsupported-language` (no builder for it), `no-such-folder`; ManifestError `invalid-manifest` where the
    author's own reckless.toml, manifest.json or coffee.yml cannot be used.
    """
    look = Look(_view(tree))
    path = path.strip("/")
    here = _shown(path, name)
    kind = look.kind(path) if not path or hostile.path(path) is None else ""
    if path in _submodules(look) and not look.entries(path):
        kind = "submodule"
    if kind in {"file", "program"}:
        surveyed = survey_file(look, path)
        answers = _candidates(look, surveyed, name, shared=True)
    elif kind == "folder":
        surveyed = survey(look, path, _own(path, name))
        answers = _candidates(look, surveyed, name, shared=False)
    else:
        raise _not_there(here, kind)
    if not answers and kind == "folder":
        answers = [c for c in _below(look, path, name) if isinstance(c, Candidate)]
    if not answers and surveyed.other and surveyed.other.source:
        raise _cannot_build(here, surveyed.other)
    if len(answers) == 1:
        return answers[0]
    raise _several(here, answers) if answers else _no_plugin(look, here, surveyed)


def plugins_in(tree: TreeView | Path, *, name: str = "") -> tuple[Candidate | NotAPlugin, ...]:
    """Return every plugin of a repository, cheaply: the tree itself where it is one, else one for each folder.

    Folders of folders, such as `archived/`, are looked into once more. What is no plugin is there with the reason.
    Never raises but where the tree itself cannot be had.
    """
    look = Look(_view(tree))
    look.view.prefetch(_telling(look))
    try:
        surveyed = survey(look, "", name)
    except RecklessError as e:
        return (NotAPlugin(name=name, path="", why=e.message), *_below(look, "", name))
    if answers := _candidates(look, surveyed, name, shared=False):
        return tuple(answers)
    inside = tuple(_below(look, "", name))
    if any(isinstance(one, Candidate) for one in inside) or not (surveyed.seen or surveyed.other):
        return inside
    return (NotAPlugin(name=name, path="", why=_why_none("it", surveyed)), *inside)


def _below(look: Look, folder: str, name: str, *, depth: int = 2) -> Iterator[Candidate | NotAPlugin]:
    """Yield what each folder below this one is; folders of folders are looked into while `depth` lasts."""
    submodules = _submodules(look)
    for entry in look.entries(folder):
        path = join(folder, entry.name)
        if entry.name.startswith(".") or is_aside(entry.name):
            continue
        if entry.kind == "submodule" or (path in submodules and not look.entries(path)):
            why = "it is a submodule: its files are in a repository of its own"
            yield NotAPlugin(name=entry.name, path=path, why=why, kind="submodule")
        elif entry.kind == "link":
            yield NotAPlugin(name=entry.name, path=path, why="it is a link, which is not followed", kind="link")
        elif entry.kind == "folder" and not look.is_closed(path):
            yield from _at(look, path, name, depth=depth)


def _at(look: Look, path: str, name: str, *, depth: int) -> Iterator[Candidate | NotAPlugin]:
    try:
        surveyed = survey(look, path, _own(path, name))
        answers = _candidates(look, surveyed, name, shared=False)
    except RecklessError as e:
        yield NotAPlugin(name=posixpath.basename(path), path=path, why=e.message)
        return
    if answers:
        yield from answers
        return
    inner = list(_below(look, path, name, depth=depth - 1)) if depth > 1 else []
    if any(isinstance(one, Candidate) for one in inner):
        yield from inner
        return
    yield NotAPlugin(name=posixpath.basename(path), path=path, why=_why_none(path, surveyed))


def _why_none(here: str, surveyed: Survey) -> str:
    if surveyed.other:
        return _cannot_build(here, surveyed.other).message
    return "; ".join(f"seen: {text}" for text in surveyed.seen) or "nothing in it answers getmanifest"


def _candidates(look: Look, surveyed: Survey, name: str, *, shared: bool) -> list[Candidate]:
    """Return the survey's answers; where they share a folder, each is called by its own name."""
    author, folder = surveyed.author, surveyed.folder
    if author.build is not None:
        return [_as_its_author_says(author, author.build, folder, name)]
    shared = shared or len(surveyed.found) > 1
    return [_candidate(look, surveyed, found, _own(folder, name), shared=shared) for found in surveyed.found]


def _as_its_author_says(author: Author, build: Build, folder: str, name: str) -> Candidate:
    return Candidate(
        name=author.name or _name(_own(folder, name)),
        subdir=folder,
        path=folder,
        build=build,
        build_system=build.language,
        reasons=(f"{author.file} says how it is built: {build.language}, {build.entrypoint}",),
        runtime=author.runtime,
        depends=author.depends,
        summary=author.summary,
        status=author.status,
        told_by=author.file,
        plugin=author.plugin,
        own=author.own,
    )


def _candidate(look: Look, surveyed: Survey, found: Found, own: str, *, shared: bool) -> Candidate:
    author, folder = surveyed.author, surveyed.folder
    why_not = author.why_not or found.why_not
    tests = test_only(look, folder, found.language)
    reasons = [f"{found.language} ({found.system}): {found.why_plugin}", *surveyed.chosen_by, *found.how, *author.notes]
    if tests:
        reasons.append(f"not used, as they serve its tests or its author only: {', '.join(tests)}")
    if look.cut_short:
        reasons.append("the tree is so large that only a part of it was looked at")
    in_attic = any(part.lower() in _ATTIC for part in folder.split("/"))
    return Candidate(
        name=_name(*found.names, own) if shared else author.name or _name(own, *found.names),
        subdir=found.folder,
        path=found.path if shared else folder,
        build=Build(language=found.language, entrypoint=found.entrypoint, toolchain=found.toolchain, lock=found.lock),
        build_system=found.system,
        reasons=tuple(reasons),
        test_only=tuple(tests),
        runtime=author.runtime,
        depends=author.depends,
        installable=not why_not,
        why_not=why_not,
        summary=one_line((not shared and author.summary) or found.summary),
        status="archived" if in_attic and author.status == "active" else author.status,
        told_by=author.file,
        plugin=None if shared else author.plugin,
    )


def _submodules(look: Look) -> frozenset[str]:
    """Return the folders that are repositories of their own; a check-out without them has them empty (gitmodules)."""
    return frozenset(path.strip() for path in _SUBMODULE.findall(look.text(".gitmodules")))


def _own(folder: str, name: str) -> str:
    """Return what a folder's plugin is called by its place."""
    return posixpath.basename(folder) or name


def _name(*names: str) -> str:
    """Return the first of these that can be a plugin's name."""
    for name in names:
        for spelled in (name, re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")):
            with contextlib.suppress(RecklessError):
                return normalize_name(spelled)
    return "plugin"


def _telling(look: Look) -> list[str]:
    """Return the files near the top that tell most."""
    folders = ["", *(f for top in look.folders("") for f in (top, *look.folders(top)))]
    files = (file for folder in folders for file in look.files(folder))
    return [f.path for f in files if f.executable or f.suffix == ".py" or f.name in FILES or f.name in READ]


def _shown(path: str, name: str) -> str:
    return one_line(path) or one_line(name) or "the tree"


def _not_there(here: str, kind: str) -> DetectionError:
    if kind == "submodule":
        message = f"{here} is a submodule: its files are in a repository of its own"
        return DetectionError("not-a-plugin", message, "install it from that repository; .gitmodules names it")
    if kind == "link":
        return DetectionError("not-a-plugin", f"{here} is a link, which is not followed", "name what it points to")
    return DetectionError("no-such-folder", f"the tree has no {here}", "check the path, and the branch or revision")


def _cannot_build(here: str, other: Other) -> DetectionError:
    shows = f", and {other.source} is a plugin's code" if other.source else ""
    return DetectionError(
        "unsupported-language",
        f"{here} is built with {other.language} ({other.file}){shows}; reckless has no builder for that",
        "build it by hand as its own documentation says, or use a ready-made program of its author's",
    )


def _no_plugin(look: Look, here: str, surveyed: Survey) -> DetectionError:
    seen = [f"seen: {text}" for text in surveyed.seen]
    if surveyed.other:
        seen.append(f"seen: {surveyed.other.file}, a build with {surveyed.other.language}")
    if inside := sorted(_submodules(look)):
        seen.append(f"seen: submodules, each a repository of its own ({shown_names(inside)})")
    if look.cut_short:
        seen.append("the tree is so large that only a part of it was looked at")
    return DetectionError(
        "not-a-plugin",
        f"{here} is no plugin as far as can be told: nothing in it answers lightningd's getmanifest",
        "check the path; if it is a plugin, a reckless.toml in it says how it is built (docs/reference/manifest.md)",
        detail="\n".join([*seen, _LOOKED_FOR]),
    )


def _several(here: str, answers: list[Candidate]) -> DetectionError:
    answers.sort(key=lambda c: c.status == "archived")  # what was put aside is no good example
    paths = tuple(dict.fromkeys(c.path for c in answers))
    listed = shown_names(list(paths) if len(paths) > 1 else [c.build.entrypoint for c in answers])
    hint = (
        f"name one by its path, as in `reckless install URL/tree/REVISION/{paths[0]}` or `reckless install "
        f"FOLDER/{paths[0]}`; its author can choose with a reckless.toml"
    )
    return DetectionError(
        "several-plugins",
        f"{here} holds several plugins, and which one is meant cannot be told: {listed}",
        hint if len(paths) > 1 else "one build makes them all: a reckless.toml in it must say which is the plugin",
        detail="\n".join(f"{c.path}: {c.reasons[0]}" for c in answers),
        choices=paths,
    )


def _view(tree: TreeView | Path) -> TreeView:
    return FolderTree(tree) if isinstance(tree, Path) else tree
