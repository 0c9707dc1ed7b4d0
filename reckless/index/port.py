"""What every source of manifests answers, without anything that it takes to make one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from reckless.errors import RecklessError
    from reckless.model.catalog import Catalog
    from reckless.model.manifest import Builtin, Manifest, ShippedLock


@dataclass(frozen=True, kw_only=True, slots=True)
class Freshness:
    """How old what a source says is.

    `fetched_at`: when it was last known to be the newest, in seconds since 1970; None: read just now from a folder.
    `offline`: the network should have been asked, and was not or did not answer, so that there may be newer.
    """

    fetched_at: float | None = None
    offline: bool = False


class Source(Protocol):
    """Somewhere that manifests come from. Safe to use from several threads.

    `reserves_names`: it is an index, whose names are not taken from sources that are none.
    """

    location: str
    reserves_names: bool

    def catalog(self) -> Catalog:
        """Return what there is; asked for once. Raises IndexSourceError, ManifestError."""
        ...

    def manifests(self, names: Iterable[str]) -> dict[str, Manifest]:
        """Return the manifests of these plugins; names that it lacks, or whose manifest is unusable, are left out.

        Why one is unusable is in `problems` afterwards. Raises as `catalog`.
        """
        ...

    def builtins(self) -> dict[str, Builtin]:
        """Return the plugins that lightningd itself ships, by name. Raises IndexSourceError, ManifestError."""
        ...

    def lock(self, lock: ShippedLock) -> bytes:
        """Return a shipped lock, checked against its sha256. Raises IndexSourceError."""
        ...

    @property
    def freshness(self) -> Freshness:
        """How old the catalog is. Raises as `catalog`."""
        ...

    @property
    def problems(self) -> Mapping[str, RecklessError]:
        """Plugins that it lists but cannot give, and why, as far as it was asked for them."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A manifest, and the source that it came from."""

    manifest: Manifest
    source: Source
