"""Manifests as TOML, keys always in the same order: what reading and writing again leaves as it was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from packaging.specifiers import SpecifierSet

from reckless.errors import ManifestError
from reckless.model.manifest import (
    SCHEMA,
    ArchiveSource,
    Build,
    GitSource,
    Manifest,
    PathSource,
    Plugin,
    Release,
    Runtime,
    ShippedLock,
    Source,
)
from reckless.model.registries import RULES

_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
_WIDTH = 120
Pairs = list[tuple[str, str]]
T = TypeVar("T")


def write_manifest(manifest: Manifest) -> str:
    """Write a manifest; `parse_manifest(write_manifest(m))` is `m` again, for every `m` that a reader made.

    What a tree's own file says of the tree (`own`) is not written: its releases say it.

    A release's own build and runtime are written as what differs from [build] and [runtime]. Raises ManifestError
    `unwritable-manifest` for a release that leaves open what [runtime] states: TOML has no way to take a key back.
    """
    build, runtime = manifest.build, manifest.runtime
    sections = [f"schema = {SCHEMA}\n", _section("[plugin]", _plugin(manifest.plugin))]
    if build is not None:
        sections.append(_section("[build]", _build(build, None)))
    if running := _runtime(runtime, Runtime(), manifest.name):
        sections.append(_section("[runtime]", running))
    for release in manifest.releases:
        sections.append(_section("[[release]]", _release(release)))
        if changes := _build(release.build, build):
            sections.append(_section("[release.build]", changes))
        if differs := _runtime(release.runtime, runtime, manifest.name):
            sections.append(_section("[release.runtime]", differs))
    return "\n".join(sections)


def _section(header: str, pairs: Pairs) -> str:
    return "".join([f"{header}\n", *(f"{key} = {value}\n" for key, value in pairs)])


def _plugin(plugin: Plugin) -> Pairs:
    texts = {
        "name": plugin.name, "summary": plugin.summary, "description": plugin.description,
        "repository": plugin.repository, "homepage": plugin.homepage, "documentation": plugin.documentation,
        "license": plugin.license,
    }  # fmt: skip
    pairs = [(key, _text(text)) for key, text in texts.items() if text]
    pairs += [
        (key, _list(items)) for key, items in (("authors", plugin.authors), ("keywords", plugin.keywords)) if items
    ]
    last = {
        "category": plugin.category,
        "status": plugin.status,
        "replaced-by": plugin.replaced_by,
        "donate": plugin.donate,
    }
    return pairs + [(key, _text(text)) for key, text in last.items() if text]


def _build(build: Build, base: Build | None) -> Pairs:
    """Write what `base` does not say already."""
    pairs: Pairs = []
    if base is None or build.language != base.language:
        pairs.append(("language", _text(build.language)))
    if base is None or build.entrypoint != base.entrypoint:
        pairs.append(("entrypoint", _text(build.entrypoint)))
    inherited = base.toolchain if base and base.language == build.language else SpecifierSet()
    if build.toolchain != inherited:
        pairs.append((build.language, _text(str(build.toolchain))))
    if build.lock != (base.lock if base else None):
        pairs.append(("lock", _lock(build.lock)))
    if build.system != (base.system if base else ()):
        pairs.append(("system", _list(build.system)))
    if build.target != (base.target if base and base.language == build.language else ""):
        pairs.append(("target", _text(build.target)))
    return pairs


def _lock(lock: str | ShippedLock | None) -> str:
    if isinstance(lock, ShippedLock):
        return _inline({"file": lock.file, "sha256": lock.sha256})
    return _text(lock or "")


def _runtime(runtime: Runtime, base: Runtime, name: str) -> Pairs:
    """Write what `base` does not say already."""
    pairs: Pairs = []
    if runtime.dynamic != base.dynamic:
        pairs.append(("dynamic", str(_said(runtime.dynamic, name, "dynamic")).lower()))
    lists: Mapping[str, tuple[tuple[str, ...] | None, tuple[str, ...] | None]] = {
        "rpcmethods": (runtime.rpcmethods, base.rpcmethods),
        "hooks": (runtime.hooks, base.hooks),
        "subscriptions": (runtime.subscriptions, base.subscriptions),
        "options": (runtime.options, base.options),
        "required-options": (runtime.required_options, base.required_options),
        "disables": (runtime.disables, base.disables),
    }
    pairs += [(key, _list(_said(own, name, key))) for key, (own, inherited) in lists.items() if own != inherited]
    return pairs


def _said(value: T | None, name: str, key: str) -> T:
    """Return a value of a release's runtime that differs from [runtime]; leaving it open can't be written."""
    if value is None:
        raise ManifestError(
            "unwritable-manifest",
            f"a release of {name} leaves open what [runtime] says of `{key}`, and a manifest can't say that",
            "take the key out of [runtime] and give it to each release that it holds for",
        )
    return value


def _release(release: Release) -> Pairs:
    pairs = [("version", _text(str(release.version)))]
    if release.date is not None:
        pairs.append(("date", release.date.isoformat()))
    if release.cln:
        pairs.append(("cln", _text(str(release.cln))))
    if release.depends:
        pairs.append(("depends", _list(str(item) for item in release.depends)))
    if release.conflicts:
        pairs.append(("conflicts", _list(str(item) for item in release.conflicts)))
    pairs.append(("source", _inline({**_source(release.source), "subdir": release.source.subdir})))
    if release.yanked is not None:
        pairs.append(("yanked", _text(release.yanked)))
    if release.binary:
        lines = [
            _inline({"target": b.target, "url": b.url, "sha256": b.sha256, "path": b.path}) for b in release.binary
        ]
        pairs.append(("binary", "[\n" + "".join(f"  {line},\n" for line in lines) + "]"))
    return pairs


def _source(source: Source) -> Mapping[str, str]:
    if isinstance(source, PathSource):
        hint = "give a repository or an archive"
        raise ManifestError("unwritable-manifest", f"the folder {source.path} is no source for a manifest", hint)
    if isinstance(source, ArchiveSource):
        return {"archive": source.archive, "sha256": source.sha256}
    if isinstance(source, GitSource):
        return {"git": source.git, "rev": source.rev}
    package = {"registry": source.registry, "package": source.package, "version": source.version}
    return {**package, RULES[source.registry].key: source.checksum}


def _text(text: str) -> str:
    """Write a string: on one line, or between triple quotes where it has several."""
    if "\n" not in text:
        return '"' + "".join(_SHORT.get(character, character) for character in text) + '"'
    body = text.replace("\\", "\\\\")
    if '"""' in body or body.endswith('"'):
        body = body.replace('"', '\\"')
    return f'"""\n{body}"""'


def _list(items: Iterable[str]) -> str:
    """Write an array of strings, one a line where it is long."""
    written = [_text(item) for item in items]
    line = f"[{', '.join(written)}]"
    return line if len(line) < _WIDTH - 20 else "[\n" + "".join(f"  {item},\n" for item in written) + "]"


def _inline(pairs: Mapping[str, str]) -> str:
    """Write an inline table; empty values are left out."""
    return "{ " + ", ".join(f"{key} = {_text(text)}" for key, text in pairs.items() if text) + " }"
