"""The snapshot of the index that ships inside the package, so that a first run needs no network.

A wheel has it built, in `reckless/index/snapshot` (hatch_build.py makes it). In a checkout, and so in an editable
install, it is the repository's `manifests/` folder.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from reckless.errors import IndexSourceError
from reckless.index.folder import FolderIndex, ManifestFolder
from reckless.index.port import Freshness
from reckless.index.trust import CATALOG
from reckless.model.catalog import Catalog

EMBEDDED = "embedded"


class _Snapshot(FolderIndex):
    """The built snapshot. Its date is that of the newest release in it, so it never claims to be newer than it is."""

    reserves_names = True

    def _load(self, *, again: bool) -> tuple[Catalog, Freshness]:
        catalog, _ = super()._load(again=again)
        return catalog, Freshness(fetched_at=snapshot_date(catalog))


class _Checkout(ManifestFolder):
    """The repository's own manifests, dated like the snapshot that would be made of them."""

    reserves_names = True

    @property
    def freshness(self) -> Freshness:
        return Freshness(fetched_at=snapshot_date(self.catalog()))


def open_embedded(package: Path | None = None) -> FolderIndex | ManifestFolder:
    """Open the snapshot of the package in this folder (None: ours). Raises IndexSourceError `snapshot-missing`."""
    package = package or Path(__file__).parents[1]
    snapshot, checkout = package / "index" / "snapshot", package.parent
    if (snapshot / CATALOG).is_file():
        return _Snapshot(snapshot, location=EMBEDDED, local=False)
    if (checkout / "pyproject.toml").is_file() and (checkout / "manifests").is_dir():
        return _Checkout(checkout / "manifests", location=EMBEDDED, local=False)
    raise IndexSourceError(
        "snapshot-missing",
        f"the list of plugins that ships with reckless is not in {snapshot}",
        "install reckless again",
    )


def snapshot_date(catalog: Catalog) -> float | None:
    """Return the date of the newest release in a catalog, in seconds since 1970 (midnight UTC), or None."""
    dates = []
    for entry in catalog.plugins:
        try:
            dates.append(dt.datetime.fromisoformat(entry.date).replace(tzinfo=dt.timezone.utc))
        except ValueError:
            continue
    return max(dates).timestamp() if dates else None
