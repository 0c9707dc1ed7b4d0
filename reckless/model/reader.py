"""Manifests, the list of built-ins and the catalog: text in, frozen types out, every finding at once.

Everything read here was written by strangers. Nothing but ManifestError leaves for any input whatever.
"""

from __future__ import annotations

import re
import sys

from packaging.version import Version

from reckless.errors import RecklessError
from reckless.model import hostile, locate
from reckless.model.catalog_json import catalog_bytes, parse_catalog
from reckless.model.finding import Complaint, Finding, Findings, unusable
from reckless.model.manifest import SCHEMA, Builtin, Manifest, Release, Runtime
from reckless.model.sections import MAX_RELEASES, read_build, read_own_release, read_plugin, read_release, read_runtime
from reckless.model.table import Table
from reckless.model.versions import parse_lightningd

__all__ = [
    "Finding", "catalog_bytes", "check_manifest", "parse_builtins", "parse_catalog", "parse_manifest",
]  # fmt: skip

MAX_SIZE = 1 << 20
_UPGRADE = "upgrade reckless: this file is written for a newer one"


def parse_manifest(text: str, *, file: str, strict: bool = False, local: bool = False, own: bool = False) -> Manifest:
    """Read a manifest. Raises ManifestError (`invalid-manifest`, `manifest-too-new`); its detail lists every finding.

    `strict` also refuses unknown keys and licenses that are not in SPDX's list: for authors and the index, never for
    clients. `local` allows http on loopback and absolute paths as sources: for directories and indexes of this machine.
    `own`: it is a tree's own `reckless.toml`, which may have one [release] table that speaks of the tree itself.
    """
    manifest, findings = check_manifest(text, file=file, strict=strict, local=local, own=own)
    if manifest is None:
        newer = findings[0].code == "manifest-too-new"
        raise unusable(f"the manifest {file}", findings, "manifest-too-new" if newer else "invalid-manifest")
    return manifest


def check_manifest(
    text: str, *, file: str, strict: bool = False, local: bool = False, own: bool = False
) -> tuple[Manifest | None, tuple[Finding, ...]]:
    """Read a manifest and return it with no findings, or None with every finding (see parse_manifest). Never raises."""
    table, findings = _load(text, file=file, strict=strict)
    if table is None:
        return None, findings.sorted()
    manifest = _manifest(table, local=local, own=own)
    return (None, findings.sorted()) if findings or manifest is None else (manifest, ())


def parse_builtins(text: str, *, file: str, strict: bool = False) -> dict[str, Builtin]:
    """Read `builtin.toml`: the plugins that lightningd ships, by name. Raises ManifestError like parse_manifest."""
    table, findings = _load(text, file=file, strict=strict)
    found = {} if table is None else _builtins(table)
    if findings:
        listed = findings.sorted()
        newer = listed[0].code == "manifest-too-new"
        raise unusable(f"the list of built-ins {file}", listed, "manifest-too-new" if newer else "invalid-manifest")
    return found


def _load(text: str, *, file: str, strict: bool) -> tuple[Table | None, Findings]:
    """Parse the TOML within bounds and check its schema; None where nothing more can be said than the findings."""
    findings = Findings(file)
    if len(text) > MAX_SIZE or len(text.encode("utf-8", "surrogatepass")) > MAX_SIZE:
        findings.add("", Complaint("too-large", "the file is larger than 1 MiB", "leave old releases out"))
        return None, findings
    text = text.replace("\r\n", "\n").removeprefix("\ufeff")
    masked = locate.mask(text)
    if deep := locate.too_deep(masked):
        findings.add("", deep)
        return None, findings
    try:
        data = _toml(text)
    except (ValueError, RecursionError, OverflowError) as e:
        found = re.search(r"line (\d+)", str(e))
        complaint = Complaint(
            "toml-syntax", f"this is not TOML: {_plain(str(e))}", "see https://toml.io for the syntax"
        )
        findings.add("", complaint, line=int(found[1]) if found else 0)
        return None, findings
    findings = Findings(file, locate.locate(text, masked))
    table = Table(data, "", findings, strict=strict)
    return (table if _schema(table) else None), findings


def _toml(text: str) -> dict[str, object]:
    """Parse TOML 1.0. Raises ValueError (of which TOMLDecodeError is one; also for numbers and dates out of range)."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads(text)


def _schema(table: Table) -> bool:
    """Check `schema`; false where the file is of a newer format, of which nothing more can be said."""
    table.require("schema", f"schema = {SCHEMA}")
    schema = table.whole("schema")
    if schema is not None and schema > SCHEMA:
        message = f"its schema is newer than {SCHEMA}, which is all that this reckless reads"
        table.complain("schema", Complaint("manifest-too-new", message, _UPGRADE))
        return False
    if schema is not None and schema < SCHEMA:
        table.complain("schema", Complaint("invalid-choice", "there is no such schema", f"write schema = {SCHEMA}"))
    return True


def _manifest(table: Table, *, local: bool, own: bool) -> Manifest | None:
    """Read the tables of a manifest; None where [plugin] is missing."""
    table.known("schema", "plugin", "build", "runtime", "release")
    table.require("plugin", "[plugin] with name, summary, repository, license and category")
    about, how, what = table.table("plugin"), table.table("build"), table.table("runtime")
    plugin = read_plugin(about, local=local) if about else None
    build = read_build(how, None) if how else None
    runtime = read_runtime(what, Runtime()) if what else Runtime()
    found: dict[Version, Release] = {}
    itself = table.table("release") if own and isinstance(table.data.get("release"), dict) else None
    said = read_own_release(itself, plugin.name if plugin else "") if itself else None
    for item in table.tables("release", most=MAX_RELEASES) if itself is None else ():
        release = read_release(item, plugin.name if plugin else "", build, runtime, local=local)
        if release is not None and release.version in found:
            complaint = Complaint(
                "duplicate-release", f"{release.version} is there twice", "1.0 and 1.0.0 are one version"
            )
            item.complain("version", complaint)
        elif release is not None:
            found[release.version] = release
    if plugin is None:
        return None
    newest_first = tuple(sorted(found.values(), key=lambda release: release.version, reverse=True))
    return Manifest(plugin=plugin, build=build, runtime=runtime, releases=newest_first, own=said)


def _builtins(table: Table) -> dict[str, Builtin]:
    """Read the tables of builtin.toml."""
    table.known("schema", "builtin")
    plugins = table.table("builtin")
    found: dict[str, Builtin] = {}
    for name in plugins.data if plugins else ():
        item = plugins.table(name) if plugins else None
        if plugins is None or item is None or plugins.complain(name, hostile.control(name) or hostile.name(name)):
            continue
        item.known("since", "until", "rpcmethods", "options", "note", "replacement")
        item.require("since", 'since = "0.12.0"')
        since, until = _lightningd(item, "since"), _lightningd(item, "until")
        if since and until and until <= since:
            item.complain(
                "until", Complaint("invalid-choice", f"until {until} is not after since {since}", "swap them")
            )
        found[name] = Builtin(
            name=name,
            since=since or Version("0"),
            until=until,
            rpcmethods=item.texts("rpcmethods", hostile.token),
            options=item.texts("options", hostile.token),
            note=item.text("note", limit=500),
            replacement=item.text("replacement", hostile.name),
        )
    return found


def _lightningd(table: Table, key: str) -> Version | None:
    """Read a version of lightningd."""
    text = table.text(key)
    try:
        return parse_lightningd(text) if text else None
    except RecklessError as e:
        table.complain(key, Complaint("invalid-version", e.message, e.hint))
        return None


def _plain(text: str) -> str:
    """Return a parser's message as it may be shown: one short line."""
    text = text if text.isprintable() else ascii(text)
    return text if len(text) <= 200 else text[:197] + "..."
