"""One folder of a tree, looked at with the eyes of every language: its plugins, and which of them is meant."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from reckless.build.detection import go, java, make, node, others, python, rust, scripts
from reckless.build.detection.author import Author, read_author
from reckless.build.detection.found import Finds, Found, Word, alike, shown_names
from reckless.build.detection.look import Look, above, join, relative
from reckless.model import hostile

_LANGUAGES: tuple[Callable[[Look, str, Word], Finds], ...] = (
    python.find, rust.find, go.find, node.find, java.find, make.find, scripts.find,
)  # fmt: skip
# Files that belong to one language's builds; beside a plugin in another, they serve its tests or its author.
_MARKS = {"python": python.MARKS, "rust": rust.MARKS, "go": go.MARKS, "node": node.MARKS, "java": java.MARKS}
# Those of them whose content is read; of a lock it only matters that it is there, and locks are large.
_LOCKS = {*python.LOCKS, *rust.LOCKS, *go.LOCKS, *node.LOCKS, *java.LOCKS}
READ = frozenset({mark for marks in (*_MARKS.values(), make.MARKS) for mark in marks} - _LOCKS)
_DEV = re.compile(r"(requirements[-_.](dev|tests?|testing|lint|ci)|(dev|tests?)[-_.]requirements)\.(txt|in)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey:
    """What one folder is. `found` are the answers left: one, several equally good, or none.

    `chosen_by` are reasons why those were taken and not others; `seen` is what was there and is no plugin; `other` is a
    build that can be told but not carried out.
    """

    folder: str
    author: Author
    found: tuple[Found, ...] = ()
    chosen_by: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    other: others.Other | None = None


def survey(look: Look, folder: str, own: str) -> Survey:
    """Look at a folder whose plugin would be called `own`. Raises ManifestError where its author's file is unusable."""
    author = read_author(look, folder)
    if author.build is not None:
        return Survey(folder=folder, author=author)
    finds = [find(look, folder, Word(author.entrypoint, author.file)) for find in _LANGUAGES]
    found, reasons = _as_told(folder, _named_well(finds), author)
    found, more = _one_of(look, folder, found, (own, author.name))
    return Survey(
        folder=folder,
        author=author,
        found=tuple(found),
        chosen_by=(*reasons, *more),
        seen=tuple(text for each in finds for text in each.seen),
        other=None if found else others.find(look, folder),
    )


def survey_file(look: Look, file: str) -> Survey:
    """Look at one file: its own folder is asked, then those above it, since a package's sources may be deep inside.

    What the author says is of the folder's plugin, which may be another: only that it is not to be installed holds.
    """
    for folder in above(posixpath.dirname(file)):
        author = read_author(look, folder)
        if author.build is not None and join(folder, author.build.entrypoint) == file:
            return Survey(folder=folder, author=author)
        found = tuple(f for f in _named_well([find(look, folder, Word()) for find in _LANGUAGES]) if f.path == file)
        if found:
            return Survey(folder=folder, author=Author(file=author.file, why_not=author.why_not), found=found)
    return Survey(folder=posixpath.dirname(file), author=Author())


def _named_well(finds: list[Finds]) -> list[Found]:
    """Return what was found, but for programs that a stranger's file calls what no program can be called."""
    return [f for each in finds for f in each.found if hostile.entrypoint(f.entrypoint, f.language) is None]


def test_only(look: Look, folder: str, language: str) -> list[str]:
    """Return the files of the folder that look like a build, but are not this language's."""
    names = look.names(folder)
    foreign = {mark for other, marks in _MARKS.items() if other != language for mark in marks}
    return sorted(name for name in names if name in foreign or _DEV.fullmatch(name))


def _as_told(folder: str, found: list[Found], author: Author) -> tuple[list[Found], list[str]]:
    """Follow the author's word on the language and the entrypoint, as far as it fits what is there."""
    reasons = []
    spoken = [f for f in found if f.language == author.language]
    if spoken and len(spoken) < len(found):
        found = spoken
        reasons.append(f"{author.file} says that it is {author.language}")
    told = author.entrypoint
    if not told:
        return found, reasons
    named = [f for f in found if told in {f.entrypoint, relative(f.path, folder)}] or [
        f for f in found if any(alike(told, name) for name in f.names)
    ]
    if named:
        reasons.append(f"{author.file} names {told}")
        return named, reasons
    if len(found) == 1 and found[0].language == "go" and "/" not in told and not posixpath.splitext(told)[1]:
        reasons.append(f"{author.file} calls the program {told}")
        return [replace(found[0], entrypoint=told)], reasons
    if found:
        reasons.append(f"{author.file} names {told}, which is not in the tree and no program that its build makes")
    return found, reasons


def _one_of(look: Look, folder: str, found: list[Found], names: tuple[str, ...]) -> tuple[list[Found], list[str]]:
    """Choose among several, by the first rule that leaves exactly one; else all stay."""
    if len(found) < 2:
        return found, []
    own = next(filter(None, reversed(names)), "")

    def is_own(name: str) -> bool:
        return any(alike(one, name) for one in names)

    links = {
        posixpath.normpath(join(folder, e.target)): e.name for e in look.entries(folder) if e.target and is_own(e.name)
    }
    one_language = len({f.language for f in found}) == 1
    rules: tuple[tuple[str, Callable[[Found], bool]], ...] = (
        (f"it is named like {own}", lambda f: any(is_own(name) for name in f.names)),
        (f"the link {next(iter(links.values()), '')} points to it", lambda f: f.path in links),
        ("", lambda f: one_language and bool(f.preferred)),
        ("it alone is executable", lambda f: f.executable),
    )
    for why, rule in rules:
        fits = [f for f in found if rule(f)]
        if len(fits) == 1:
            rest = [f.entrypoint for f in found if f is not fits[0]]
            reason = why or fits[0].preferred
            return fits, [f"of several plugins {fits[0].entrypoint} is meant: {reason} (not {shown_names(rest)})"]
    return found, []
