"""What lightningd's own reckless (v22.11 to v26.06) left on disk. It is read, and removed once nothing needs it.

    <reckless-dir>/.sources              the places that it searches, one a line
    <reckless-dir>/.remote_sources/      its clones of them, USER/REPO (since v24.02)
    <reckless-dir>/NAME/                 up to v23.11 a copy of the plugin's folder; since v24.02:
        .metadata                        lines, a key and below it its value
        source/ or source/NAME/          the copy
        .venv/                           Python plugins
        NAME.py, NAME, NAME.js           what is started: a launcher, or a symlink into the copy

The last of these is also what the `plugin=` line in its `<network>-reckless.conf` names. Our own trees may stand in the
same folder, `NAME/<version>+<digest>`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from reckless.errors import RecklessError
from reckless.model.names import normalize_name
from reckless.store.layout import is_ours
from reckless.system.files import remove_tree

MAX_TEXT = 1 << 16
MAX_SOURCES = 100
RETIRED = ".retired"
_METADATA = ".metadata"
_KEYS = ("installation date", "installation time", "original source", "requested commit", "installed commit")
_ENTRYPOINTS = ("{}.py", "{}", "__init__.py", "{}.js")  # in that tool's order of preference
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Metadata:
    """What that tool noted at an installation; empty where it noted nothing.

    `source` is a URL or a folder. `requested` is the tag or commit that the person asked for.
    """

    source: str = ""
    requested: str = ""
    commit: str = ""
    date: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class OldTree:
    """One plugin's folder. `entrypoint` is relative to it, and empty where nothing in it could be started.

    `metadata` is None where that tool wrote none: up to v23.11, or where its installation was not finished.
    """

    name: str
    folder: Path
    entrypoint: str = ""
    metadata: Metadata | None = None

    @property
    def tree(self) -> str:
        """The folder's place as `Entry.tree` has it."""
        return tree_of(self.name, self.folder)


def tree_of(name: str, folder: Path) -> str:
    """Return the place of that tool's folder relative to ours for the same plugin: they may be one."""
    return "." if folder.name == name else f"../{folder.name}"


def old_trees(root: Path) -> list[OldTree]:
    """Return what that tool installed below `root`, by folder; nothing where it cannot be looked into."""
    try:
        with os.scandir(root) as found:
            folders = sorted(e.name for e in found if not e.name.startswith(".") and e.is_dir())
    except OSError:
        return []
    return [tree for name in folders if (tree := _old_tree(root / name)) is not None]


def read_metadata(folder: Path) -> Metadata | None:
    """Return what `.metadata` says; keys that it lacks are empty, and None where there is no such file."""
    text = _read(folder / _METADATA)
    if text is None:
        return None
    found: dict[str, str] = {}
    lines = [line.strip() for line in text.splitlines()]
    for key, value in pairwise(lines):
        if key in _KEYS and value not in _KEYS:
            found.setdefault(key, "" if value.lower() == "none" else value)
    commit = found.get("installed commit", "")
    return Metadata(
        source=found.get("original source", ""),
        requested=found.get("requested commit", ""),
        commit=commit if _COMMIT.fullmatch(commit) else "",
        date=found.get("installation date", ""),
    )


def old_sources(root: Path) -> tuple[str, ...]:
    """Return the places that tool searches, in its order; nothing where it keeps no list."""
    lines = (_read(root / ".sources") or "").splitlines()
    return tuple(dict.fromkeys(line.strip() for line in lines if line.strip()))[:MAX_SOURCES]


def remote_source(root: Path, place: str) -> str:
    """Return the URL that a clone of that tool's was made of; any other place as it is."""
    clones = os.path.join(os.path.realpath(root), ".remote_sources", "")  # noqa: PTH118 - a prefix, with its slash
    if not place.startswith(clones):
        return place
    owner, _, repository = place.removeprefix(clones).partition("/")
    return f"https://github.com/{owner}/{repository.partition('/')[0]}" if repository else place


def retire(folder: Path) -> None:
    """Mark that tool's part of a folder as no longer needed; what runs may still run. Raises OSError."""
    (folder / "receipt.json").unlink(missing_ok=True)
    if (folder / _METADATA).is_file():
        (folder / _METADATA).replace(folder / RETIRED)
    elif folder.is_dir():
        (folder / RETIRED).touch()


def retired(root: Path) -> list[Path]:
    """Return the folders with a retired part. One that the tool has since installed into again is not among them."""
    return sorted(mark.parent for mark in root.glob(f"*/{RETIRED}") if not (mark.parent / _METADATA).exists())


def remove_retired(folder: Path) -> None:
    """Remove that tool's part of a folder, the mark last; our own trees stay. Raises OSError."""
    for path in sorted(folder.iterdir()):
        if not is_ours(path.name) and path.name != RETIRED:
            remove_tree(path)
    (folder / RETIRED).unlink(missing_ok=True)


def _old_tree(folder: Path) -> OldTree | None:
    try:
        name = normalize_name(folder.name)
        with os.scandir(folder) as found:
            inside = {e.name for e in found if not is_ours(e.name)}
    except (RecklessError, OSError):
        return None
    if RETIRED in inside and _METADATA not in inside:
        return None
    entrypoint = _entrypoint(folder.name, inside)
    if not entrypoint and not inside & {_METADATA, "source"}:
        return None
    return OldTree(name=name, folder=folder, entrypoint=entrypoint, metadata=read_metadata(folder))


def _entrypoint(name: str, inside: set[str]) -> str:
    """Return what that tool would start: it minds case in names, but not when it installs."""
    alike: Mapping[str, str] = {each.lower(): each for each in sorted(inside)}
    for form in _ENTRYPOINTS:
        guess = form.format(name)
        if guess in inside:
            return guess
    return next((alike[g] for form in _ENTRYPOINTS if (g := form.format(name).lower()) in alike), "")


def _read(path: Path) -> str | None:
    """Read a small text file of that tool's; what is not text reads as something else, and no pipe is waited for."""
    if not path.is_file():
        return None
    try:
        with path.open("rb") as f:
            return f.read(MAX_TEXT).decode(errors="replace")
    except OSError:
        return None
