"""The catalog on the wire: strict, bounded JSON in, the same bytes out for the same catalog."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from reckless.errors import ManifestError
from reckless.model import hostile
from reckless.model.catalog import CATALOG_SCHEMA, Catalog, CatalogEntry
from reckless.model.finding import Complaint, Findings, unusable

MAX_CATALOG = 32 << 20
MAX_PLUGINS = 20_000
MAX_MANIFEST = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class _Schema:
    """What is read first: a catalog of a newer schema may have any other shape."""

    schema: int


def parse_catalog(data: bytes, *, file: str) -> Catalog:
    """Read `v1/catalog.json`; unknown keys are ignored, plugins come out sorted by name.

    Raises ManifestError `invalid-catalog`, whose detail lists every finding, or `catalog-too-new`.
    """
    import msgspec

    if len(data) > MAX_CATALOG:
        raise _invalid(file, f"it is larger than {MAX_CATALOG >> 20} MiB")
    try:
        schema = msgspec.json.decode(data, type=_Schema).schema
        if schema > CATALOG_SCHEMA:
            raise ManifestError(
                "catalog-too-new",
                f"the catalog {file} is written for a newer reckless (its schema is newer than {CATALOG_SCHEMA})",
                "upgrade reckless",
            )
        catalog = msgspec.json.decode(data, type=Catalog)
    except (msgspec.MsgspecError, ValueError, RecursionError) as e:
        raise _invalid(file, str(e) if str(e).isprintable() else ascii(str(e))) from e
    findings = Findings(file)
    _check(catalog, findings)
    if findings:
        raise unusable(f"the catalog {file}", findings.sorted(), "invalid-catalog")
    plugins = tuple(sorted(catalog.plugins, key=lambda entry: entry.name))
    return Catalog(plugins=plugins, builtin_sha256=catalog.builtin_sha256, builtin_size=catalog.builtin_size)


def catalog_bytes(catalog: Catalog) -> bytes:
    """Write a catalog: compact JSON with sorted keys and plugins, a newline at the end."""
    plugins = [asdict(entry) for entry in sorted(catalog.plugins, key=lambda entry: entry.name)]
    whole = {**asdict(catalog), "plugins": plugins}
    return json.dumps(whole, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _check(catalog: Catalog, findings: Findings) -> None:
    """Check what types can't say: names, digests, sizes, and text that is fit for a terminal."""
    if catalog.schema < 1:
        findings.add("schema", Complaint("invalid-choice", "there is no such schema"))
    if len(catalog.plugins) > MAX_PLUGINS:
        findings.add("plugins", Complaint("too-many", f"more than {MAX_PLUGINS} plugins"))
        return
    if catalog.builtin_sha256 or catalog.builtin_size:
        _digest(catalog.builtin_sha256, catalog.builtin_size, "builtin", findings)
    seen: set[str] = set()
    for i, entry in enumerate(catalog.plugins):
        _check_entry(entry, f"plugins[{i}]", findings)
        if entry.name in seen:
            findings.add(f"plugins[{i}].name", Complaint("duplicate-item", f"{entry.name!r} is there twice"))
        seen.add(entry.name)


def _check_entry(entry: CatalogEntry, path: str, findings: Findings) -> None:
    if complaint := hostile.name(entry.name):
        findings.add(f"{path}.name", complaint)
    if entry.replaced_by and (complaint := hostile.name(entry.replaced_by)):
        findings.add(f"{path}.replaced_by", complaint)
    _digest(entry.sha256, entry.size, path + ".", findings)
    texts = {
        "summary": entry.summary, "version": entry.version, "date": entry.date, "cln": entry.cln,
        "language": entry.language, "category": entry.category, "status": entry.status,
        "keywords": "".join(entry.keywords), "rpcmethods": "".join(entry.rpcmethods),
    }  # fmt: skip
    for key, text in texts.items():
        if complaint := hostile.control(text):
            findings.add(f"{path}.{key}", complaint)


def _digest(sha256: str, size: int, path: str, findings: Findings) -> None:
    """Check a digest and a size; `path` is what stands before the keys `sha256` and `size`."""
    joined = path if path.endswith(".") else path + "_"
    if complaint := hostile.sha256(sha256):
        findings.add(f"{joined}sha256", complaint)
    if not 0 < size <= MAX_MANIFEST:
        findings.add(f"{joined}size", Complaint("invalid-size", f"a size is from 1 to {MAX_MANIFEST} bytes"))


def _invalid(file: str, why: str) -> ManifestError:
    return ManifestError(
        "invalid-catalog", f"the catalog {file} cannot be read: {why}", "ask who keeps the index to mend it"
    )
