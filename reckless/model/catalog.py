"""The catalog: one entry a plugin, enough for search and for checking each manifest's bytes. JSON on the wire."""

from __future__ import annotations

from dataclasses import dataclass

CATALOG_SCHEMA = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class CatalogEntry:
    """A plugin as search shows it; `sha256` (64 hex) and `size` (bytes) are those of `v1/manifests/<name>.toml`.

    `version` and `cln` are those of the newest release that is neither yanked nor a pre-release, or empty.
    """

    name: str
    summary: str
    sha256: str
    size: int
    version: str = ""
    date: str = ""
    cln: str = ""
    language: str = ""
    category: str = ""
    status: str = "active"
    keywords: tuple[str, ...] = ()
    rpcmethods: tuple[str, ...] = ()
    replaced_by: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Catalog:
    """Every plugin of one index, sorted by name. `builtin_sha256`/`builtin_size`: of `v1/builtin.toml`, or empty/0.

    `locks` maps `locks/NAME-VERSION.txt` to the sha256 of that shipped lock.
    """

    plugins: tuple[CatalogEntry, ...] = ()
    builtin_sha256: str = ""
    builtin_size: int = 0
    schema: int = CATALOG_SCHEMA
