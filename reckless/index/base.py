"""What all indexes share: bytes are checked against the catalog."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence

from reckless.errors import IndexSourceError, ManifestError, RecklessError
from reckless.index.port import Freshness
from reckless.index.trust import MAX_LOCK, Wanted, matches, mismatch
from reckless.model.catalog import Catalog, CatalogEntry
from reckless.model.manifest import Builtin, Manifest, ShippedLock
from reckless.model.reader import parse_builtins, parse_manifest

_Answer = bytes | RecklessError


class CatalogIndex(ABC):
    """A source with a catalog that names each file's digest: over HTTP or in a folder."""

    reserves_names = True

    def __init__(self, location: str, *, local: bool = False) -> None:
        self.location = location
        self._local = local
        self._guard = threading.RLock()
        self._catalog: tuple[Catalog, Freshness] | None = None
        self._entries: dict[str, CatalogEntry] = {}
        self._manifests: dict[str, Manifest] = {}
        self._problems: dict[str, RecklessError] = {}
        self._reloaded = False

    @abstractmethod
    def _load(self, *, again: bool) -> tuple[Catalog, Freshness]:
        """Read the catalog; `again`: what was read before turned out not to fit its files."""

    @abstractmethod
    def _read(self, files: Sequence[Wanted]) -> list[_Answer]:
        """Bring these files, unchecked, in order; an error is that file's answer."""

    @property
    def freshness(self) -> Freshness:
        """How old the catalog is."""
        return self._loaded()[1]

    @property
    def problems(self) -> Mapping[str, RecklessError]:
        """Plugins that it lists but cannot give, and why."""
        return self._problems

    def catalog(self) -> Catalog:
        """Return what there is."""
        return self._loaded()[0]

    def manifests(self, names: Iterable[str]) -> dict[str, Manifest]:
        """Return the manifests of these plugins."""
        with self._guard:
            self._loaded()
            asked = [name for name in dict.fromkeys(names) if name in self._entries]
            new = [name for name in asked if name not in self._manifests and name not in self._problems]
            answers = self._checked([_wanted(self._entries[name]) for name in new])
            stale = [name for name, answer in zip(new, answers, strict=True) if _is_mismatch(answer)]
            found = dict(zip(new, answers, strict=True))
            found.update(self._once_more(stale))
            for name, answer in found.items():
                self._take(name, answer)
            return {name: self._manifests[name] for name in asked if name in self._manifests}

    def builtins(self) -> dict[str, Builtin]:
        """Return the plugins that lightningd itself ships."""
        with self._guard:
            wanted = _builtin(self.catalog())
            if wanted is None:
                return {}
            answer = self._checked([wanted])[0]
            if _is_mismatch(answer) and self._reload() and (wanted := _builtin(self.catalog())):
                answer = self._checked([wanted])[0]
            if isinstance(answer, RecklessError):
                raise answer
            file = f"{self.location}/v1/builtin.toml"
            return parse_builtins(_text(answer, file), file=file)

    def lock(self, lock: ShippedLock) -> bytes:
        """Return a shipped lock."""
        parts = lock.file.split("/")
        if parts[0] != "locks" or len(parts) < 2 or not {"", ".", ".."}.isdisjoint(parts):
            raise IndexSourceError("invalid-path", f"{lock.file!r} is no lock of an index", "")
        answer = self._checked([Wanted(path=f"v1/{lock.file}", sha256=lock.sha256, limit=MAX_LOCK)])[0]
        if isinstance(answer, RecklessError):
            raise answer
        return answer

    def _loaded(self) -> tuple[Catalog, Freshness]:
        with self._guard:
            if self._catalog is None:
                self._catalog = self._load(again=self._reloaded)
                self._entries = {entry.name: entry for entry in self._catalog[0].plugins}
            return self._catalog

    def _reload(self) -> bool:
        """Read the catalog anew, once, and say whether it changed: the index may have been updated meanwhile."""
        if self._reloaded or self._catalog is None:
            return False
        before, self._reloaded, self._catalog = self._catalog, True, None
        try:
            return self._loaded()[0] != before[0]
        except RecklessError:
            self._catalog = before
            return False

    def _once_more(self, stale: Sequence[str]) -> dict[str, _Answer]:
        if not stale or not self._reload():
            return {}
        again = [name for name in stale if name in self._entries]
        return dict(zip(again, self._checked([_wanted(self._entries[name]) for name in again]), strict=True))

    def _checked(self, files: Sequence[Wanted]) -> list[_Answer]:
        return [
            mismatch(wanted, self.location) if isinstance(answer, bytes) and not matches(answer, wanted) else answer
            for wanted, answer in zip(files, self._read(files), strict=True)
        ]

    def _take(self, name: str, answer: _Answer) -> None:
        """Keep a manifest, or why it cannot be used: that plugin only is out of reach, the others work."""
        try:
            if isinstance(answer, RecklessError):
                raise answer
            file = f"{self.location}/v1/manifests/{name}.toml"
            self._manifests[name] = named_manifest(answer, name, file=file, local=self._local)
        except RecklessError as e:
            self._problems[name] = e


def named_manifest(data: bytes, name: str, *, file: str, local: bool) -> Manifest:
    """Parse a manifest and see that it is that of `name`. Raises ManifestError."""
    manifest = parse_manifest(_text(data, file), file=file, local=local)
    if manifest.name != name:
        raise ManifestError(
            "invalid-manifest",
            f"the manifest {file} cannot be used: it says that it is of {manifest.name}",
            "a manifest's file is named for its plugin; tell who keeps the source",
        )
    return manifest


def _text(data: bytes, file: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as e:
        raise ManifestError("invalid-manifest", f"{file} cannot be used: it is not UTF-8 text", "") from e


def _wanted(entry: CatalogEntry) -> Wanted:
    return Wanted(path=f"v1/manifests/{entry.name}.toml", sha256=entry.sha256, size=entry.size)


def _builtin(catalog: Catalog) -> Wanted | None:
    if not catalog.builtin_sha256:
        return None
    return Wanted(path="v1/builtin.toml", sha256=catalog.builtin_sha256, size=catalog.builtin_size)


def _is_mismatch(answer: _Answer) -> bool:
    return isinstance(answer, RecklessError) and answer.code == "digest-mismatch"
