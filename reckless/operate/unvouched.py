"""Plugins that no index vouches for: from a git repository, or from a folder of this machine, as they are there now.

Each has a manifest that was made up from what was found, with one release: so they are resolved, built and carried out
as any other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping

from reckless.errors import IndexSourceError, RecklessError
from reckless.index.port import Freshness, Source
from reckless.model.catalog import Catalog, CatalogEntry
from reckless.model.followed import Followed
from reckless.model.manifest import Builtin, Manifest, ShippedLock
from reckless.model.state import Entry


class Unvouched(ABC):
    """A source whose plugins nobody signed (reckless.index.base.Source); what it says of builtins and locks is nothing.

    A name that an index has is not taken from it (`reserves_names`), unless a person names the source itself.
    """

    location: str
    reserves_names = False

    @abstractmethod
    def catalog(self) -> Catalog:
        """Return what there is."""

    @abstractmethod
    def manifests(self, names: Iterable[str]) -> dict[str, Manifest]:
        """Return the manifests of these plugins, each with the one release that is there now."""

    @abstractmethod
    def followed(self, name: str) -> Followed:
        """Return where a plugin comes from, and what an upgrade of it goes by. Raises as `catalog`, FetchError."""

    @abstractmethod
    def reasons(self, name: str) -> tuple[str, ...]:
        """Return what was made of a plugin's files, and why, in sentences."""

    @property
    @abstractmethod
    def freshness(self) -> Freshness:
        """How old the catalog is."""

    @property
    @abstractmethod
    def problems(self) -> Mapping[str, RecklessError]:
        """Plugins that it lists but cannot give, and why."""

    def builtins(self) -> dict[str, Builtin]:
        """Return nothing: what lightningd ships is an index's to say."""
        return {}

    def lock(self, lock: ShippedLock) -> bytes:
        """Raise IndexSourceError: only an index ships locks."""
        raise IndexSourceError("file-missing", f"{self.location} is no index and ships no {lock.file}", "")


class One(Unvouched):
    """The one plugin that a person named by where it is."""

    def __init__(self, location: str, manifest: Manifest, followed: Followed, reasons: tuple[str, ...]) -> None:
        self.location = location
        self.manifest = manifest
        self._followed = followed
        self._reasons = reasons

    @property
    def name(self) -> str:
        """What it is called."""
        return self.manifest.name

    def catalog(self) -> Catalog:
        """Return what there is."""
        return Catalog(plugins=(entry_of(self.manifest),))

    def manifests(self, names: Iterable[str]) -> dict[str, Manifest]:
        """Return its manifest, where it is asked for."""
        return {self.name: self.manifest} if self.name in names else {}

    def followed(self, name: str) -> Followed:  # noqa: ARG002 - there is only one
        """Return where it comes from."""
        return self._followed

    def reasons(self, name: str) -> tuple[str, ...]:  # noqa: ARG002 - there is only one
        """Return what was made of its files."""
        return self._reasons

    @property
    def freshness(self) -> Freshness:
        """Looked at just now."""
        return Freshness()

    @property
    def problems(self) -> Mapping[str, RecklessError]:
        """None: it would not be here."""
        return {}


def followed_of(source: Source, name: str) -> Followed | None:
    """Return what is to be followed of a plugin from this source; None where it is an index."""
    return source.followed(name) if isinstance(source, Unvouched) else None


def reasons_of(source: Source, name: str) -> tuple[str, ...]:
    """Return what was made of a plugin's files, and why; nothing where a manifest says it."""
    return source.reasons(name) if isinstance(source, Unvouched) else ()


def from_where(before: Entry | None, after: Entry) -> str:
    """Say, behind what became of a plugin, what it follows and where that was before; nothing of an index's."""
    then, now = before.followed if before else None, after.followed
    if now is None:
        return ""
    was = (
        f" (was at {then.short})"
        if then and then.short and then.asked == now.asked and then.commit != now.commit
        else ""
    )
    return f"; from {now}{was}"


def entry_of(manifest: Manifest) -> CatalogEntry:
    """Return what search shows of a plugin whose manifest was made up. It has no file, and so no digest."""
    plugin, release = manifest.plugin, manifest.releases[0]
    return CatalogEntry(
        name=plugin.name,
        summary=plugin.summary,
        sha256="",
        size=0,
        version=str(release.version),
        date=release.date.isoformat() if release.date else "",
        cln=str(release.cln),
        language=release.build.language,
        category=plugin.category,
        status=plugin.status,
        keywords=plugin.keywords,
        rpcmethods=release.runtime.rpcmethods or (),
        replaced_by=plugin.replaced_by,
    )
