"""The manifest's tables, one reader each: [plugin], [build], [runtime] and [[release]]."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from reckless.errors import RecklessError
from reckless.model import hostile
from reckless.model.dependency import parse_dependency
from reckless.model.finding import Complaint, shown
from reckless.model.manifest import (
    CATEGORIES,
    LANGUAGES,
    STATUSES,
    ArchiveSource,
    Binary,
    Build,
    Dependency,
    GitSource,
    Language,
    OwnRelease,
    Plugin,
    RegistrySource,
    Release,
    Runtime,
    ShippedLock,
    Source,
)
from reckless.model.registries import REGISTRIES, RULES
from reckless.model.table import Table
from reckless.model.targets import KNOWN
from reckless.model.versions import parse_lightningd_specifier, parse_specifier, parse_version

T = TypeVar("T")

MAX_SUMMARY = 120
MAX_DESCRIPTION = 20_000
MAX_KEYWORDS = 8
MAX_RELEASES = 2000
TOOLCHAINS = ("python", "rust", "go", "node", "java")

PLUGIN_KEYS = (
    "name", "summary", "description", "repository", "homepage", "documentation", "license", "authors", "keywords",
    "category", "status", "replaced-by", "donate",
)  # fmt: skip
BUILD_KEYS = ("language", "entrypoint", *TOOLCHAINS, "lock", "system", "target")
RUNTIME_KEYS = ("dynamic", "rpcmethods", "hooks", "subscriptions", "options", "required-options", "disables")
RELEASE_KEYS = (
    "version", "date", "cln", "depends", "conflicts", "source", "yanked", "binary", "build", "runtime",
)  # fmt: skip
_NO_SOURCE = GitSource(git="", rev="")  # stands in for one that cannot be read; never leaves a reader that has findings


def read_plugin(table: Table, *, local: bool) -> Plugin:
    """Read [plugin]."""
    table.known(*PLUGIN_KEYS)
    table.require("name", 'name = "summary"')
    table.require("summary", 'summary = "One line on what it does"')
    table.require("repository", 'repository = "https://github.com/you/plugin"')
    table.require("license", 'license = "MIT", or "unknown"')
    table.require("category", f'category = "other"; one of: {", ".join(CATEGORIES)}')
    name = table.text("name", hostile.name)
    replaced_by = table.text("replaced-by", hostile.name)
    if name and name == replaced_by:
        table.complain("replaced-by", Complaint("names-itself", "a plugin can't be replaced by itself"))
    url = hostile.local_url if local else hostile.url
    return Plugin(
        name=name,
        summary=table.text("summary", limit=MAX_SUMMARY),
        repository=table.text("repository", url, limit=hostile.MAX_URL),
        license=table.text("license", partial(hostile.license_expression, strict=table.strict)),
        category=table.choice("category", CATEGORIES, "other"),
        description=table.text("description", limit=MAX_DESCRIPTION, several_lines=True),
        homepage=table.text("homepage", hostile.url, limit=hostile.MAX_URL),
        documentation=table.text("documentation", hostile.url, limit=hostile.MAX_URL),
        authors=table.texts("authors", most=50),
        keywords=table.texts("keywords", most=MAX_KEYWORDS),
        status=table.choice("status", STATUSES, "active"),
        replaced_by=replaced_by,
        donate=table.text("donate", hostile.offer, limit=2048),
    )


def read_build(table: Table, base: Build | None) -> Build:
    """Read [build], or the overrides of [release.build] over `base`."""
    table.known(*BUILD_KEYS)
    if base is None:
        table.require("language", 'language = "python"')
        table.require("entrypoint", 'entrypoint = "summary.py"')
    language = table.choice("language", LANGUAGES, base.language if base else "script")
    readable = base is not None or table.data.get("language") in LANGUAGES
    check = partial(hostile.entrypoint, language=language) if readable else None
    entrypoint = table.text("entrypoint", check, limit=hostile.MAX_PATH)
    if base and "entrypoint" not in table:
        entrypoint = base.entrypoint
        if language != base.language:
            table.complain("language", hostile.entrypoint(entrypoint, language))
    return Build(
        language=language,
        entrypoint=entrypoint,
        toolchain=_toolchain(table, language, base) if readable else SpecifierSet(),
        lock=_lock(table) if "lock" in table or base is None else base.lock,
        system=table.texts("system", hostile.system) if "system" in table or base is None else base.system,
        target=_target(table, language, base),
    )


def _target(table: Table, language: Language, base: Build | None) -> str:
    """Read what make is to make; it means nothing to other languages."""
    if "target" not in table:
        return base.target if base and base.language == language else ""
    if language != "make":
        hint = "remove it"
        table.complain("target", Complaint("wrong-toolchain", f"a target means nothing where {language} builds", hint))
    return "" if table.data.get("target") == "" else table.text("target", hostile.path, limit=hostile.MAX_PATH)


def _toolchain(table: Table, language: Language, base: Build | None) -> SpecifierSet:
    """Read the bounds on the language's interpreter or compiler; the key is the language's name."""
    for other in TOOLCHAINS:
        if other != language and other in table:
            table.complain(
                other,
                Complaint(
                    "wrong-toolchain", f"bounds on {other} mean nothing where the language is {language}", "remove it"
                ),
            )
    if language in table and language in TOOLCHAINS:
        return _bounds(table, language, parse_specifier)
    return base.toolchain if base and base.language == language else SpecifierSet()


def _lock(table: Table) -> str | ShippedLock | None:
    """Read `lock`: a file of the tree, a lock that the index ships, or empty for none."""
    if isinstance(table.data.get("lock"), dict):
        shipped = table.table("lock")
        if shipped is None:
            return None
        shipped.known("file", "sha256")
        shipped.require("file", 'file = "locks/summary-1.2.0.txt"')
        shipped.require("sha256", 'sha256 = "<64 hex>"')
        return ShippedLock(file=shipped.text("file", _shipped_file), sha256=shipped.text("sha256", hostile.sha256))
    if table.data.get("lock") == "":
        return None
    return table.text("lock", hostile.path, limit=hostile.MAX_PATH) or None


def _shipped_file(text: str) -> Complaint | None:
    if text.startswith("locks/"):
        return hostile.path(text)
    return Complaint("invalid-path", f"{shown(text)} is not in the index's locks/", "write locks/NAME-VERSION.txt")


def read_runtime(table: Table, base: Runtime) -> Runtime:
    """Read [runtime], or the overrides of [release.runtime] over `base`."""
    table.known(*RUNTIME_KEYS)
    token, topic = hostile.token, hostile.topic
    dynamic = table.flag("dynamic")
    runtime = Runtime(
        dynamic=base.dynamic if dynamic is None else dynamic,
        rpcmethods=table.texts("rpcmethods", token) if "rpcmethods" in table else base.rpcmethods,
        hooks=table.texts("hooks", token) if "hooks" in table else base.hooks,
        subscriptions=table.texts("subscriptions", topic) if "subscriptions" in table else base.subscriptions,
        options=table.texts("options", token) if "options" in table else base.options,
        required_options=(
            table.texts("required-options", token) if "required-options" in table else base.required_options
        ),
        disables=table.texts("disables", token) if "disables" in table else base.disables,
    )
    if runtime.options is not None and ("options" in table or "required-options" in table):
        for option in runtime.required_options:
            if option not in runtime.options:
                hint = "add it to options, or take it from required-options"
                complaint = Complaint("unlisted-option", f"the required option {option!r} is not in options", hint)
                table.complain("required-options" if "required-options" in table else "options", complaint)
    return runtime


def read_release(table: Table, name: str, build: Build | None, runtime: Runtime, *, local: bool) -> Release | None:
    """Read one [[release]]; None where too much is wrong with it to make one (each thing has its finding)."""
    table.known(*RELEASE_KEYS)
    table.require("version", 'version = "1.2.0"')
    table.require("source", 'source = { git = "https://...", rev = "<40 hex>" }')
    overrides = table.table("build")
    own = read_build(overrides, build) if overrides else build
    if own is None and overrides is None:
        hint = "add [build] for all releases, or [release.build] for this one"
        table.complain("", Complaint("missing-build", "nothing says how this release is built", hint))
    changes = table.table("runtime")
    text = table.text("version")
    version = _parsed(table, "version", text, _version, None) if text else None
    source = _source(table, local=local)
    depends, conflicts = _dependencies(table, "depends", name), _dependencies(table, "conflicts", name)
    cln, date, yanked = _bounds(table, "cln", parse_lightningd_specifier), table.date("date"), _yanked(table)
    binary = _binaries(table, local=local)
    own_runtime = read_runtime(changes, runtime) if changes else runtime
    if version is None or own is None:
        return None
    return Release(
        version=version, source=source, build=own, runtime=own_runtime, date=date, cln=cln,
        depends=depends, conflicts=conflicts, yanked=yanked, binary=binary,
    )  # fmt: skip


def read_own_release(table: Table, name: str) -> OwnRelease:
    """Read [release] of a tree's own file: what of a release holds for the tree that the file is in."""
    table.known("version", "cln", "depends", "conflicts")
    text = table.text("version")
    return OwnRelease(
        version=_parsed(table, "version", text, _version, None) if text else None,
        cln=_bounds(table, "cln", parse_lightningd_specifier),
        depends=_dependencies(table, "depends", name),
        conflicts=_dependencies(table, "conflicts", name),
    )


def _source(table: Table, *, local: bool) -> Source:
    """Read `source`: git at a commit, an archive by its digest, or a package of a registry by its checksum."""
    source = table.table("source")
    if source is None:
        return _NO_SOURCE
    url = hostile.local_url if local else hostile.url
    subdir = source.text("subdir", hostile.path, limit=hostile.MAX_PATH)
    if sum(kind in source for kind in ("git", "archive", "registry")) != 1:
        hint = 'write { git = "https://...", rev = "..." } or { archive = "https://...", sha256 = "..." }'
        source.complain("", Complaint("invalid-source", "a source has one of `git`, `archive` and `registry`", hint))
        return _NO_SOURCE
    if "registry" in source:
        return _registry(source, subdir)
    if "git" in source:
        source.known("git", "rev", "subdir")
        source.require("rev", 'rev = "<40 hex>"')
        git = source.text("git", url, limit=hostile.MAX_URL)
        return GitSource(git=git, rev=source.text("rev", hostile.rev), subdir=subdir)
    source.known("archive", "sha256", "subdir")
    source.require("sha256", 'sha256 = "<64 hex>"')
    archive = source.text("archive", url, limit=hostile.MAX_URL)
    return ArchiveSource(archive=archive, sha256=source.text("sha256", hostile.sha256), subdir=subdir)


def _registry(source: Table, subdir: str) -> Source:
    """Read a package of a registry; its checksum's key is the one that this ecosystem has for it."""
    registry = source.choice("registry", REGISTRIES, "crates")
    if source.data.get("registry") != registry:  # what the rest should look like is not known
        return _NO_SOURCE
    rules = RULES[registry]
    source.known("registry", "package", "version", rules.key, "subdir")
    source.require("package", 'package = "cln-plugin-name"')
    source.require("version", 'version = "1.2.0"')
    source.require(rules.key, rules.example)
    return RegistrySource(
        registry=registry,
        package=source.text("package", rules.package),
        version=source.text("version", rules.version),
        checksum=source.text(rules.key, rules.checksum),
        subdir=subdir,
    )


def _yanked(table: Table) -> str | None:
    if isinstance(table.data.get("yanked"), bool):
        hint = 'say why: yanked = "loses data"; leave the key out for a release that is not'
        table.complain("yanked", Complaint("wrong-type", "this is true or false, not the reason", hint))
        return None
    return table.text("yanked") or None


def _binaries(table: Table, *, local: bool) -> tuple[Binary, ...]:
    """Read `binary`: ready-made executables, one a target."""
    found: list[Binary] = []
    for item in table.tables("binary", most=64):
        item.known("target", "url", "sha256", "path")
        item.require("target", 'target = "x86_64-linux-gnu"')
        item.require("url", 'url = "https://..."')
        item.require("sha256", 'sha256 = "<64 hex>"')
        binary = Binary(
            target=item.text("target", hostile.target),
            url=item.text("url", hostile.local_url if local else hostile.url, limit=hostile.MAX_URL),
            sha256=item.text("sha256", hostile.sha256),
            path=item.text("path", hostile.path, limit=hostile.MAX_PATH),
        )
        if binary.target and table.strict and not KNOWN.fullmatch(binary.target):
            hint = (
                "such as x86_64-linux-gnu, armv7-linux-gnu, aarch64-linux-musl, x86_64-linux (static), universal-macos"
            )
            item.complain("target", Complaint("invalid-target", f"no machine is a {shown(binary.target)}", hint))
        if binary.target and any(other.target == binary.target for other in found):
            item.complain("target", Complaint("duplicate-item", f"{binary.target} has two binaries", "keep one"))
        found.append(binary)
    return tuple(found)


def _dependencies(table: Table, key: str, name: str) -> tuple[Dependency, ...]:
    """Read `depends` or `conflicts`: each plugin at most once, and never the plugin itself."""
    found: list[Dependency] = []
    given = table.data.get(key)
    for text in table.texts(key, most=100):
        place = f"{key}[{given.index(text)}]" if isinstance(given, list) else key
        dependency = _parsed(table, place, text, _dependency, None)
        if dependency is None:
            continue
        if dependency.name == name:
            complaint = Complaint("names-itself", f"{name} can't be in its own {key}", "remove it")
            table.findings.add(table.at(key), complaint)
        elif any(other.name == dependency.name for other in found):
            hint = f"join the bounds: {dependency.name}>=1,<2"
            complaint = Complaint("duplicate-item", f"{dependency.name} is there twice", hint)
            table.findings.add(table.at(key), complaint)
        found.append(dependency)
    return tuple(found)


def _dependency(text: str) -> Dependency | None:
    return parse_dependency(text)


def _version(text: str) -> Version | None:
    return parse_version(text)


def _bounds(table: Table, key: str, parse: Callable[[str], SpecifierSet]) -> SpecifierSet:
    """Read version bounds; absent and empty mean any version."""
    if table.data.get(key) == "":
        return SpecifierSet()
    text = table.text(key)
    return _parsed(table, key, text, parse, SpecifierSet()) if text else SpecifierSet()


def _parsed(table: Table, key: str, text: str, parse: Callable[[str], T], default: T) -> T:
    """Parse a value; what the parser refuses becomes a finding, and `default` stands in."""
    try:
        return parse(text)
    except RecklessError as e:
        table.findings.add(f"{table.path}.{key}", Complaint(e.code, e.message, e.hint))
        return default
