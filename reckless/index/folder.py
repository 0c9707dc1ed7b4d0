"""Sources in a folder: a built index, or plain manifests as a person writes them."""

from __future__ import annotations

import stat
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from reckless.errors import IndexSourceError, RecklessError
from reckless.index.base import CatalogIndex, named_manifest
from reckless.index.listing import catalog_of, entry_of
from reckless.index.port import Freshness
from reckless.index.trust import CATALOG, MAX_CATALOG, MAX_LOCK, MAX_MANIFEST, Wanted, matches, mismatch, read_catalog
from reckless.model.catalog import Catalog, CatalogEntry
from reckless.model.manifest import Builtin, Manifest, ShippedLock
from reckless.model.names import is_name
from reckless.model.reader import parse_builtins

BUILTIN = "builtin.toml"


class FolderIndex(CatalogIndex):
    """An index as `reckless index build` makes it, in a folder."""

    reserves_names = False  # anybody may have written it

    def __init__(self, folder: Path, *, location: str = "", local: bool = True) -> None:
        super().__init__(location or str(folder), local=local)
        self._folder = folder

    def _load(self, *, again: bool) -> tuple[Catalog, Freshness]:  # noqa: ARG002 - a folder is always read anew
        data = read_limited(self._folder / CATALOG, MAX_CATALOG)
        return read_catalog(data, location=self.location), Freshness()

    def _read(self, files: Sequence[Wanted]) -> list[bytes | RecklessError]:
        return [_try_read(self._folder / wanted.path, wanted.size or wanted.limit) for wanted in files]


class ManifestFolder:
    """A folder of `NAME.toml` files, with `builtin.toml` and `locks/` where wanted: no catalog, nothing to build."""

    reserves_names = False

    def __init__(self, folder: Path, *, location: str = "", local: bool = True) -> None:
        self.location = location or str(folder)
        self._folder = folder
        self._local = local
        self._guard = threading.RLock()
        self._read: tuple[Catalog, dict[str, Manifest]] | None = None
        self._problems: dict[str, RecklessError] = {}

    @property
    def freshness(self) -> Freshness:
        """Read just now."""
        return Freshness()

    @property
    def problems(self) -> Mapping[str, RecklessError]:
        """Manifests that cannot be used, and why."""
        self._loaded()
        return self._problems

    def catalog(self) -> Catalog:
        """Return what there is. Raises IndexSourceError where the folder cannot be read."""
        return self._loaded()[0]

    def manifests(self, names: Iterable[str]) -> dict[str, Manifest]:
        """Return the manifests of these plugins."""
        there = self._loaded()[1]
        return {name: there[name] for name in dict.fromkeys(names) if name in there}

    def builtins(self) -> dict[str, Builtin]:
        """Return what `builtin.toml` says, or nothing where there is none."""
        file = self._folder / BUILTIN
        if not file.exists():
            return {}
        return parse_builtins(read_limited(file, MAX_MANIFEST).decode(errors="replace"), file=str(file))

    def lock(self, lock: ShippedLock) -> bytes:
        """Return a shipped lock, checked against its sha256."""
        wanted = Wanted(path=lock.file, sha256=lock.sha256, limit=MAX_LOCK)
        parts = lock.file.split("/")
        if parts[0] != "locks" or not {"", ".", ".."}.isdisjoint(parts):
            raise IndexSourceError("invalid-path", f"{lock.file!r} is no lock of {self.location}", "")
        data = read_limited(self._folder / lock.file, MAX_LOCK)
        if not matches(data, wanted):
            raise mismatch(wanted, self.location)
        return data

    def _loaded(self) -> tuple[Catalog, dict[str, Manifest]]:
        with self._guard:
            if self._read is None:
                self._read = self._load()
            return self._read

    def _load(self) -> tuple[Catalog, dict[str, Manifest]]:
        entries: list[CatalogEntry] = []
        manifests: dict[str, Manifest] = {}
        for file in manifest_files(self._folder):
            try:
                data = read_limited(file, MAX_MANIFEST)
                manifests[file.stem] = named_manifest(data, file.stem, file=str(file), local=self._local)
                entries.append(entry_of(manifests[file.stem], data))
            except RecklessError as e:
                self._problems[file.stem] = e
        return catalog_of(entries, None), manifests


def manifest_files(folder: Path) -> list[Path]:
    """Return the files of a folder that are manifests by their name, sorted. Raises IndexSourceError `unreadable`."""
    try:
        return sorted(f for f in folder.glob("*.toml") if f.name != BUILTIN and is_name(f.stem))
    except OSError as e:
        raise _unreadable(folder, e) from e


def read_limited(file: Path, limit: int) -> bytes:
    """Return what a regular file holds, at most `limit` bytes.

    Raises IndexSourceError `file-missing`, `unreadable`, `file-too-large`.
    """
    try:
        if not stat.S_ISREG(file.stat().st_mode):  # opening a pipe would wait for ever
            raise IndexSourceError("unreadable", f"{file} is not a file", "take it away, or put the right one there")
        with file.open("rb") as f:
            data = f.read(limit + 1)
    except FileNotFoundError as e:
        raise IndexSourceError(
            "file-missing", f"{file} is not there", "the source is incomplete; tell who keeps it, or build it again"
        ) from e
    except OSError as e:
        raise _unreadable(file, e) from e
    if len(data) > limit:
        raise IndexSourceError("file-too-large", f"{file} is larger than the {limit} bytes expected of it", "")
    return data


def _try_read(file: Path, limit: int) -> bytes | RecklessError:
    try:
        return read_limited(file, limit)
    except IndexSourceError as e:
        # Too long is as wrong as other bytes: let the digest say so, with what that means.
        return b"" if e.code == "file-too-large" else e


def _unreadable(path: Path, error: OSError) -> IndexSourceError:
    return IndexSourceError("unreadable", f"cannot read {path}: {error.strerror or error}", "check its permissions")
