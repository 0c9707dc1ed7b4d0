"""Manifests of a folder by the names that a maintainer gives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reckless.errors import IndexSourceError, RecklessError
from reckless.index.base import named_manifest
from reckless.index.folder import manifest_files, read_limited
from reckless.index.search import suggestions
from reckless.index.trust import MAX_MANIFEST
from reckless.model.manifest import Manifest
from reckless.model.names import normalize_name


def chosen(folder: Path, names: Sequence[str]) -> list[Path]:
    """Return the manifests of these plugins, all where none is named.

    Raises IndexSourceError `source-missing`, `unreadable`; RecklessError `no-such-plugin`, `invalid-name`.
    """
    if not folder.is_dir():
        raise IndexSourceError(
            "source-missing", f"there is no folder {folder}", "name the folder that holds the manifests"
        )
    there = {file.stem: file for file in manifest_files(folder)}
    wanted = list(dict.fromkeys(normalize_name(name) for name in names)) or sorted(there)
    for name in wanted:
        if name not in there:
            near = " or ".join(suggestions(name, there))
            hint = f"did you mean {near}?" if near else ""
            raise RecklessError("no-such-plugin", f"{folder} has no {name}.toml; nothing was done", hint)
    return [there[name] for name in wanted]


def read_manifest(file: Path, *, local: bool) -> Manifest:
    """Read a manifest. Raises ManifestError, IndexSourceError."""
    return named_manifest(read_limited(file, MAX_MANIFEST), file.stem, file=str(file), local=local)
