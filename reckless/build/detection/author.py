"""What an author says in a file of the tree: reckless.toml (ours), manifest.json, coffee.yml."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from reckless.build.detection.look import Look, join, one_line, string, strings, table
from reckless.errors import ManifestError, RecklessError
from reckless.model.dependency import parse_dependency
from reckless.model.manifest import Build, Dependency, OwnRelease, Plugin, Runtime, Status
from reckless.model.names import normalize_name
from reckless.model.reader import parse_manifest

OURS = "reckless.toml"
MANIFEST = "manifest.json"
COFFEE = ("coffee.yml", "coffee.yaml")
FILES = (OURS, MANIFEST, *COFFEE)

# A manifest.json may be many things (a web app's, an extension's): these keys make it a plugin's.
_KEYS = frozenset({"entrypoint", "dependencies", "installable", "short_description", "long_description"})
_MAX_COFFEE = 64 << 10
# coffee: coffee_core's PluginLang.
_LANGUAGES = {
    "rust": "rust", "go": "go", "python": "python", "pypip": "python", "pip": "python", "poetry": "python",
    "uv": "python", "java": "java", "kotlin": "java", "js": "node", "ts": "node", "node": "node",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Author:
    """The author's word on one folder; empty where they say nothing. `file` is what it was read from."""

    file: str = ""
    name: str = ""
    language: str = ""
    entrypoint: str = ""
    build: Build | None = None
    runtime: Runtime = field(default_factory=Runtime)
    depends: tuple[Dependency, ...] = ()
    own: OwnRelease | None = None
    why_not: str = ""
    summary: str = ""
    status: Status = "active"
    plugin: Plugin | None = None
    notes: tuple[str, ...] = ()


def read_author(look: Look, folder: str) -> Author:
    """Return what the author says, of the first of the files that there is. Raises ManifestError."""
    if look.has(join(folder, OURS)):
        return _ours(look.text(join(folder, OURS)), join(folder, OURS))
    if look.has(join(folder, MANIFEST)):
        told = _manifest(look.text(join(folder, MANIFEST)), join(folder, MANIFEST))
        if told:
            return told
    for name in COFFEE:
        if look.has(join(folder, name)):
            return _coffee(look.text(join(folder, name)), join(folder, name))
    return Author()


def _ours(text: str, file: str) -> Author:
    """Read a reckless.toml: a manifest whose releases may be left out, or that says in [release] what this tree is."""
    manifest = parse_manifest(text, file=file, own=True)
    newest = manifest.releases[0] if manifest.releases else None
    plugin = manifest.plugin
    return Author(
        file=OURS,
        name=plugin.name,
        build=newest.build if newest else manifest.build,
        runtime=newest.runtime if newest else manifest.runtime,
        depends=newest.depends if newest else manifest.own.depends if manifest.own else (),
        own=manifest.own,
        summary=plugin.summary,
        status=plugin.status,
        plugin=plugin,
    )


def _manifest(text: str, file: str) -> Author | None:
    """Read a manifest.json; None where it is another kind of file by that name."""
    try:
        data = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as e:
        raise _unusable(file, "it is not JSON") from e
    if not isinstance(data, dict) or _KEYS.isdisjoint(data):
        return None
    depends, notes = _depends(data, MANIFEST)
    installable = data.get("installable", True)
    if not isinstance(installable, bool):
        raise _unusable(file, "`installable` is neither true nor false")
    return Author(
        file=MANIFEST,
        entrypoint=string(data, "entrypoint").removeprefix("./"),
        depends=depends,
        why_not="" if installable else f"its author says in {MANIFEST} that it is not to be installed by a tool",
        summary=string(data, "short_description") or string(data, "long_description"),
        notes=notes,
    )


def _coffee(text: str, file: str) -> Author:
    """Read a coffee.yml, the manifest of another plugin manager."""
    import yaml

    try:
        # Texts, lists and tables only: no types, and no merge keys, which unfold without bound.
        data = yaml.load(text[:_MAX_COFFEE], Loader=yaml.BaseLoader)  # noqa: S506
    except (yaml.YAMLError, RecursionError) as e:
        raise _unusable(file, "it is not YAML") from e
    told = table(data, "plugin") if isinstance(data, dict) else {}
    name = file.rpartition("/")[2]
    depends, notes = _depends(told, name)
    return Author(
        file=name,
        name=_name(string(told, "name")),
        language=_LANGUAGES.get(string(told, "lang").lower(), ""),
        entrypoint=string(told, "main").removeprefix("./"),
        depends=depends,
        status="active" if string(told, "deprecated").lower() in {"", "false", "no"} else "deprecated",
        notes=notes,
    )


def _name(text: str) -> str:
    try:
        return normalize_name(text)
    except RecklessError:
        return ""


def _depends(data: Mapping[str, object], file: str) -> tuple[tuple[Dependency, ...], tuple[str, ...]]:
    """Return the plugins that it depends on; what cannot be read as one is told in a note."""
    found, notes = [], []
    for item in strings(data.get("dependencies") or [])[:50]:
        try:
            found.append(parse_dependency(item))
        except RecklessError:
            notes.append(f"{file} names a dependency that is no plugin's name: {one_line(item, 60)}")
    return tuple(dict.fromkeys(found)), tuple(notes)


def _unusable(file: str, what: str) -> ManifestError:
    return ManifestError(
        "invalid-manifest",
        f"{one_line(file)} cannot be used: {what}",
        "tell its author; what it says of the plugin must not be passed over",
    )
