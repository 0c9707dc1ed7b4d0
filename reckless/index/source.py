"""Where manifests come from: one source by its location, and several in order of preference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reckless.errors import IndexSourceError, RecklessError
from reckless.index.port import Found, Freshness, Source
from reckless.model.catalog import Catalog, CatalogEntry
from reckless.model.manifest import Builtin

if TYPE_CHECKING:
    from reckless.index.web import Limits

__all__ = ["EMBEDDED", "Found", "Freshness", "Source", "Sources", "open_source"]

EMBEDDED = "embedded"


def open_source(location: str, *, cache: Path, offline: bool = False, limits: Limits | None = None) -> Source:
    """Open a source; nothing is asked of a server yet.

    `location`: an https URL, an http URL on this machine, a folder (a built index, or plain `NAME.toml` manifests), or
    `embedded`. `offline`: work from the cache only. Raises IndexSourceError `insecure-url`, `invalid-source`,
    `source-missing`, `not-an-index`, `snapshot-missing`.
    """
    if location == EMBEDDED:
        from reckless.index.embedded import open_embedded

        return open_embedded()
    if "://" in location:
        from reckless.index.web import WebIndex

        return WebIndex(_base(location), cache=cache, offline=offline, limits=limits)
    return _open_folder(Path(location).expanduser())


class Sources:
    """Several sources; their order is the order of preference.

    A name belongs to the first index that has it, and where none has it to the first other source; also where that
    one's manifest is unusable: it never moves silently to another (dependency confusion). For the same reason an index
    that fails makes the whole fail; any other source that fails is left out (`failed`), but then nothing is taken from
    those behind it, which might have been its own.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = tuple(sources)
        self._listed: tuple[tuple[CatalogEntry, Source], ...] | None = None
        self._owners: dict[str, Source] = {}
        self._others: dict[str, list[Source]] = {}
        self._failed: dict[Source, RecklessError] = {}

    @property
    def all(self) -> tuple[Source, ...]:
        """The sources themselves."""
        return self._sources

    @property
    def failed(self) -> dict[str, RecklessError]:
        """Sources that are no index and could not be asked, by location, and why. Raises as `catalog`."""
        self.catalog()
        return {source.location: error for source, error in self._failed.items()}

    @property
    def problems(self) -> dict[str, RecklessError]:
        """Plugins whose manifest is unusable, and why, as far as they were asked for."""
        self.catalog()
        return {n: s.problems[n] for n, s in self._owners.items() if n in s.problems}

    def catalog(self) -> tuple[tuple[CatalogEntry, Source], ...]:
        """Return every plugin, sorted by name, with the source that has it. Raises IndexSourceError, ManifestError."""
        if self._listed is None:
            listed: dict[str, tuple[CatalogEntry, Source]] = {}
            owners: dict[str, Source] = {}
            others: dict[str, list[Source]] = {}
            for source, catalog in sorted(self._catalogs(), key=lambda pair: not pair[0].reserves_names):
                for entry in catalog.plugins:
                    if owners.setdefault(entry.name, source) is source:
                        listed[entry.name] = (entry, source)
                    else:
                        others.setdefault(entry.name, []).append(source)
                for name in source.problems:
                    owners.setdefault(name, source)
            self._owners, self._others = owners, others
            self._listed = tuple(listed[name] for name in sorted(listed))
        return self._listed

    def owner(self, name: str) -> Source | None:
        """Return the source that a plugin of this name is taken from, or None. Raises as `catalog`."""
        self.catalog()
        return self._owners.get(name)

    def elsewhere(self, name: str) -> tuple[Source, ...]:
        """Return the sources that have a plugin of this name, too, and that it is not taken from."""
        self.catalog()
        return tuple(self._others.get(name, ()))

    def _catalogs(self) -> list[tuple[Source, Catalog]]:
        """Ask all sources at once: the slowest says how long it takes."""
        from reckless.index.web import AT_ONCE, each

        answers = list(zip(self._sources, each(_try_catalog, self._sources, AT_ONCE), strict=True))
        for source, answer in answers:
            if isinstance(answer, RecklessError) and not source.reserves_names:
                self._failed[source] = answer
            elif isinstance(answer, Exception):
                raise answer
        return [(source, answer) for source, answer in answers if isinstance(answer, Catalog)]

    def find(self, name: str) -> Found | None:
        """Return one plugin's manifest, or None where no source has it.

        Raises as `catalog`, and what stands in `problems` where its manifest is unusable.
        """
        found = self._round([name]).get(name)
        if found is None and name in (problems := self.problems):
            raise problems[name]
        return found

    def closure(self, names: Iterable[str]) -> dict[str, Found]:
        """Return the manifests of these plugins and of all that they depend on in any release, and so on, by name.

        Names that no source has, and those in `problems`, are left out. Raises as `catalog`.
        """
        found: dict[str, Found] = {}
        pending, seen = list(dict.fromkeys(names)), set[str]()
        while pending:
            seen.update(pending)
            new = self._round(pending)
            found.update(new)
            needed = {d.name for f in new.values() for r in f.manifest.releases for d in r.depends}
            pending = sorted(needed - seen)
        return dict(sorted(found.items()))

    def builtins(self) -> dict[str, Builtin]:
        """Return the plugins that lightningd ships, by name; where no source knows any, those that the snapshot names.

        Raises as `catalog`.
        """
        merged: dict[str, Builtin] = {}
        for source in self._sources:
            for name, builtin in source.builtins().items():
                merged.setdefault(name, builtin)
        return merged or _embedded_builtins()

    def _round(self, names: Sequence[str]) -> dict[str, Found]:
        """Ask each owner for its share of these names, all at once."""
        self.catalog()
        found: dict[str, Found] = {}
        failed: RecklessError | None = None
        for source in self._sources:
            failed = failed or self._failed.get(source)
            share = [name for name in names if self._owners.get(name) is source]
            if share and failed and not source.reserves_names:
                raise failed
            if share:
                found.update({n: Found(manifest=m, source=source) for n, m in source.manifests(share).items()})
        return found


def _try_catalog(source: Source) -> Catalog | Exception:
    try:
        return source.catalog()
    except Exception as e:  # noqa: BLE001 - in a thread: raised where it is asked for
        return e


def _embedded_builtins() -> dict[str, Builtin]:
    from reckless.index.embedded import open_embedded

    try:
        return open_embedded().builtins()
    except IndexSourceError:  # only `source add embedded` needs it to be there
        return {}


def _base(url: str) -> str:
    from reckless.system.http import is_allowed

    if not is_allowed(url):
        raise IndexSourceError(
            "insecure-url",
            f"{_without_password(url)} cannot be a source: only https, or http on this machine, and without a password",
            "give the https address of the index",
        )
    if "?" in url or "#" in url:
        raise IndexSourceError(
            "invalid-source", f"{url} is not the address of a folder", "leave out what follows the ? or #"
        )
    return url.rstrip("/")


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def _open_folder(folder: Path) -> Source:
    from reckless.index.folder import FolderIndex, ManifestFolder, manifest_files
    from reckless.index.trust import CATALOG

    if not folder.is_dir():
        raise IndexSourceError(
            "source-missing",
            f"there is no folder {folder}",
            "a source is an https:// address, a folder, or the word embedded",
        )
    if (folder / CATALOG).is_file():
        return FolderIndex(folder)
    if not manifest_files(folder):
        raise IndexSourceError(
            "not-an-index",
            f"{folder} holds neither an index (v1/catalog.json) nor manifests (NAME.toml)",
            "`reckless index build` makes an index; a manifest is named for its plugin",
        )
    return ManifestFolder(folder)
