"""What a repository's plugins were at one commit, kept in the cache: always safe to delete, made again when in doubt.

A listing is made by one fetch of the repository's trees and small files; as long as its branch names the same commit,
asking for that is all that it costs.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from reckless import __version__
from reckless.build.detect import NotAPlugin
from reckless.build.project_version import FILES, project_version
from reckless.errors import RecklessError
from reckless.fetch.command import is_local
from reckless.fetch.gittree import GitTree
from reckless.model.manifest import GitSource, Manifest
from reckless.model.place import repository_name
from reckless.model.reader import parse_manifest
from reckless.model.writer import write_manifest
from reckless.operate.below import joined, plugins_below
from reckless.operate.made_up import made_up, one_of_each
from reckless.system.files import atomic_write

LISTING = 1
MAX_LISTING = 16 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """One plugin: where it is in the repository, its manifest, and how that was made up."""

    path: str
    manifest: Manifest
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """All plugins at one commit, by name. `problems` cannot be installed; `modules` are submodules' names and paths."""

    commit: str
    plugins: dict[str, Listed] = field(default_factory=dict)
    problems: dict[str, RecklessError] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)


def list_plugins(tree: GitTree, url: str, path: str) -> Listing:
    """Return the plugins of a commit, or of one of its folders."""
    everything = plugins_below(tree, path, name=repository_name(path or url))
    found, problems = one_of_each(everything)
    tree.prefetch(joined(c.subdir, name) for c in found.values() for name in FILES)
    plugins = {}
    for name, candidate in found.items():
        source = GitSource(git=url, rev=tree.commit, subdir=candidate.subdir)
        version = project_version(tree, candidate.subdir, candidate.build.language)
        manifest = made_up(candidate, source, version=version, date=tree.date, home=url)
        plugins[name] = Listed(path=candidate.path, manifest=manifest, reasons=candidate.reasons)
    modules = {}
    for one in everything:
        if (
            isinstance(one, NotAPlugin)
            and one.kind == "submodule"
            and f"{one.path}/".startswith(f"{path}/" if path else "")
        ):
            modules[one.name] = one.path
    return Listing(commit=tree.commit, plugins=plugins, problems=problems, modules=modules)


class ListingCache:
    """The listing of one source, as it was made last."""

    def __init__(self, folder: Path, location: str) -> None:
        self._file = folder / f"{hashlib.sha256(location.encode()).hexdigest()[:32]}.json"

    def read(self, url: str) -> tuple[Listing, float] | None:
        """Return the listing and when it was last known to be the newest; None where there is none that can be used."""
        try:
            with self._file.open("rb") as f:
                data, seen = f.read(MAX_LISTING + 1), os.fstat(f.fileno()).st_mtime
            said = json.loads(data)
            if said.get("made") != _made():
                return None
            return _from_json(said, url), seen
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, RecklessError):
            return None

    def keep(self, listing: Listing) -> None:
        """Keep a listing; it counts as the newest from now on."""
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            atomic_write(self._file, json.dumps(_to_json(listing)).encode(), durable=False)

    def still_newest(self) -> None:
        """Note that the branch was seen to name the same commit just now."""
        with contextlib.suppress(OSError):
            os.utime(self._file)


def _made() -> list[object]:
    """Return what says whether a listing was made as this reckless would make it."""
    return [LISTING, __version__]


def _to_json(listing: Listing) -> dict[str, object]:
    return {
        "made": _made(),
        "commit": listing.commit,
        "plugins": [
            {"path": p.path, "manifest": write_manifest(p.manifest), "reasons": list(p.reasons)}
            for p in listing.plugins.values()
        ],
        "problems": {n: [e.code, e.message, e.hint] for n, e in listing.problems.items()},
        "modules": listing.modules,
    }


def _from_json(said: dict[str, object], url: str) -> Listing:
    """Read what `_to_json` wrote. Raises for whatever is not that: the listing is then made again."""
    rows, problems, modules = said["plugins"], said["problems"], said["modules"]
    if not isinstance(rows, list) or not isinstance(problems, dict) or not isinstance(modules, dict):
        raise TypeError
    plugins = [
        Listed(path=str(r["path"]), manifest=_read(r["manifest"], url), reasons=tuple(map(str, r["reasons"])))
        for r in rows
    ]
    return Listing(
        commit=str(said["commit"]),
        plugins={p.manifest.name: p for p in plugins},
        problems={str(n): RecklessError(*map(str, e)) for n, e in problems.items()},
        modules={str(n): str(p) for n, p in modules.items()},
    )


def _read(text: str, url: str) -> Manifest:
    return parse_manifest(text, file=url, local=is_local(url))
