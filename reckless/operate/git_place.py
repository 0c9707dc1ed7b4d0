"""The plugin at a place in a git repository: which commit is meant, what is there, and a manifest made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.version import Version

from reckless.build.detect import Candidate, detect
from reckless.build.project_version import project_version
from reckless.errors import DetectionError, FetchError, RecklessError
from reckless.fetch.gittree import GitTree, look_into
from reckless.fetch.remote import Refs, remote_refs
from reckless.model.followed import Followed, FollowKind
from reckless.model.manifest import GitSource
from reckless.model.place import Place, repository_name
from reckless.model.versions import parse_version
from reckless.operate.made_up import made_up, which_one
from reckless.operate.unvouched import One

MAX_SUBMODULES = 5
SHORTEST = 7  # digits of a commit's hash that are taken for one, as for NAME@COMMIT


@dataclass(frozen=True, kw_only=True, slots=True)
class Meant:
    """A place whose revision is known: `followed` without its content, and what git is asked for."""

    followed: Followed
    ref: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Elsewhere:
    """The place is in a submodule: where to look instead, and the commit that says so."""

    url: str
    commit: str
    path: str
    above: str


def plugin_at(place: Place, *, cache: Path, location: str = "") -> One:
    """Return the plugin at this place, as it is there now. `location`: the source that it is said to come from.

    Raises FetchError (`no-such-revision`, `no-such-folder`, `repository-not-found`, `network-down`, ...),
    DetectionError, ManifestError, RecklessError `not-installable`.
    """
    return plugin_of(what_is_meant(place), cache=cache, location=location)


def plugin_of(meant: Meant, *, cache: Path, location: str = "") -> One:
    """Return the plugin of a place whose revision is known. Raises as `plugin_at`."""
    asked = meant.followed
    url, ref, path = asked.place, meant.ref, asked.path
    for _ in range(MAX_SUBMODULES):
        seen = look_into(url, ref, lambda tree: _look(tree, url, path, asked, location), cache=cache)  # noqa: B023
        if isinstance(seen, One):
            return seen
        asked = replace(asked, commit=asked.commit or seen.above)
        url, ref, path = seen.url, seen.commit, seen.path
    raise FetchError("submodule-refused", f"{asked.place} has submodules within submodules without end", "")


def what_is_meant(place: Place) -> Meant:
    """Return which branch, tag or commit of the repository a place names. Raises FetchError `no-such-revision`."""
    asked = Followed(kind="branch", place=place.url, path=place.path)
    if not place.rev and not place.tail:
        return Meant(followed=asked, ref="HEAD")
    if place.tail == "HEAD" or place.tail.startswith("HEAD/"):
        return Meant(followed=replace(asked, path=place.tail[5:]), ref="HEAD")
    if place.rev == "HEAD":
        return Meant(followed=asked, ref="HEAD")
    if len(place.rev) == 40 and _is_hex(place.rev):
        return Meant(followed=replace(asked, kind="commit", commit=place.rev.lower()), ref=place.rev.lower())
    refs = remote_refs(place.url)
    parts = (place.tail or place.rev).split("/")
    lengths = range(len(parts), 0, -1) if place.tail else (len(parts),)
    for length in lengths:
        name, rest = "/".join(parts[:length]), "/".join(parts[length:])
        found = _named(refs, name, tags_first=not place.tail or place.kind == "tag")
        if found is not None:
            kind, commit = found
            followed = replace(asked, kind=kind, ref=name if kind != "commit" else "", path=place.path or rest)
            return Meant(followed=replace(followed, commit=commit), ref=commit)
    raise _no_such(place, parts, refs)


def _named(refs: Refs, name: str, *, tags_first: bool) -> tuple[FollowKind, str] | None:
    """Return what a name stands for, as git has it (gitrevisions(7)): a tag, a branch, or the start of a commit."""
    kinds: list[tuple[FollowKind, Mapping[str, str]]] = [("tag", refs.tags), ("branch", refs.heads)]
    for kind, names in kinds if tags_first else reversed(kinds):
        if name in names:
            return kind, names[name]
    if len(name) >= SHORTEST and _is_hex(name):
        near = {c for c in (*refs.tags.values(), *refs.heads.values()) if c.startswith(name.lower())}
        if len(near) == 1:
            return "commit", near.pop()
    return None


def _is_hex(text: str) -> bool:
    return set(text.lower()) <= set("0123456789abcdef")


def _no_such(place: Place, parts: Sequence[str], refs: Refs) -> FetchError:
    what = "/".join(parts)
    if len(what) >= SHORTEST and _is_hex(what):
        hint = "give all 40 digits of the commit: only with them can it be asked for"
    else:
        from reckless.index.search import suggestions

        near = suggestions(parts[0], sorted({*refs.heads, *refs.tags}))
        there = near or (*sorted(refs.heads)[:10], *sorted(refs.tags)[-10:])
        hint = f"there are: {', '.join(there)}" if there else "it has no branches"
    return FetchError("no-such-revision", f"{place.url} has no branch or tag {what}", hint)


def _look(tree: GitTree, url: str, path: str, asked: Followed, location: str) -> One | _Elsewhere:
    inside = _submodule(tree, path)
    if inside is not None:
        return inside
    candidate = detected(tree, path, repository_name(url), asked)
    source = GitSource(git=url, rev=tree.commit, subdir=candidate.subdir)
    version = _tagged(asked) or project_version(tree, candidate.subdir, candidate.build.language)
    manifest = made_up(candidate, source, version=version, date=tree.date, home=url)
    content = tree.content(candidate.subdir)
    followed = replace(asked, commit=asked.commit or tree.commit, content=content)
    return One(location or followed.address(), manifest, followed, candidate.reasons)


def detected(tree: GitTree, path: str, name: str, asked: Followed) -> Candidate:
    """Return the plugin at a path of a tree, with errors that name commands a person can copy."""
    try:
        return detect(tree, path, name=name)
    except DetectionError as e:
        if e.choices:
            rev = asked.ref or (asked.commit if asked.kind == "commit" else "")
            e.hint = which_one(e, lambda choice: str(Place(url=asked.place, rev=rev, path=choice)))
        raise


def _submodule(tree: GitTree, path: str) -> _Elsewhere | None:
    parts = path.split("/") if path else []
    for depth in range(1, len(parts) + 1):
        found = tree.submodule("/".join(parts[:depth]))
        if found is not None:
            return _Elsewhere(url=found[0], commit=found[1], path="/".join(parts[depth:]), above=tree.commit)
    return None


def _tagged(asked: Followed) -> Version | None:
    """Return the version that a tag names, be it `v1.2.0` or `1.2.0`."""
    if asked.kind != "tag":
        return None
    try:
        return parse_version(asked.ref)
    except RecklessError:
        return None
