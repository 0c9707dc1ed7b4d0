"""From manifests to a catalog: what an index lists, and what a folder of plain manifests would list."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from reckless.model.catalog import Catalog, CatalogEntry
from reckless.model.manifest import Manifest, Release


def newest(manifest: Manifest) -> Release | None:
    """Return the newest release that is neither yanked nor a pre-release, or None."""
    return next((r for r in manifest.releases if r.yanked is None and not r.version.is_prerelease), None)


def entry_of(manifest: Manifest, data: bytes) -> CatalogEntry:
    """Return the catalog's entry of a manifest whose file holds exactly `data`."""
    plugin, release = manifest.plugin, newest(manifest)
    build = release.build if release else manifest.build
    runtime = release.runtime if release else manifest.runtime
    return CatalogEntry(
        name=plugin.name,
        summary=plugin.summary,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        version=str(release.version) if release else "",
        date=release.date.isoformat() if release and release.date else "",
        cln=str(release.cln) if release else "",
        language=build.language if build else "",
        category=plugin.category,
        status=plugin.status,
        keywords=plugin.keywords,
        rpcmethods=runtime.rpcmethods or (),
        replaced_by=plugin.replaced_by,
    )


def catalog_of(entries: Iterable[CatalogEntry], builtin: bytes | None) -> Catalog:
    """Return the catalog of these entries and of a `builtin.toml` of exactly these bytes (None: there is none)."""
    return Catalog(
        plugins=tuple(sorted(entries, key=lambda entry: entry.name)),
        builtin_sha256=hashlib.sha256(builtin).hexdigest() if builtin else "",
        builtin_size=len(builtin) if builtin else 0,
    )
