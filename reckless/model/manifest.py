"""The manifest, version 1 (docs/reference/manifest.md): frozen types, nothing parsed here.

`reckless.model.reader.parse_manifest` makes them from TOML, `reckless.model.writer.write_manifest` writes them back.
A release's `build` and `runtime` are complete: what `[build]` says, with the release's overrides laid over it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Literal

from packaging.specifiers import SpecifierSet
from packaging.version import Version

Language = Literal["python", "rust", "go", "node", "java", "make", "script", "prebuilt"]
LANGUAGES: tuple[Language, ...] = ("python", "rust", "go", "node", "java", "make", "script", "prebuilt")
Status = Literal["active", "deprecated", "archived"]
STATUSES: tuple[Status, ...] = ("active", "deprecated", "archived")
CATEGORIES = (
    "accounting", "backup", "chain", "development", "fees", "interface", "liquidity", "messaging", "monitoring",
    "network", "payments", "privacy", "routing", "security", "other",
)  # fmt: skip
Registry = Literal["crates", "pypi", "npm", "go"]
SCHEMA = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class GitSource:
    """A git repository at an exact commit: `rev` is 40 lower-case hex digits, `subdir` relative or empty."""

    git: str
    rev: str
    subdir: str = ""

    @property
    def where(self) -> str:
        """What a person and a receipt call it."""
        return f"{self.git}@{self.rev}" + (f"#{self.subdir}" if self.subdir else "")


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveSource:
    """A tar or zip archive by the sha256 of its bytes (64 hex digits)."""

    archive: str
    sha256: str
    subdir: str = ""

    @property
    def where(self) -> str:
        """What a person and a receipt call it."""
        return self.archive


@dataclass(frozen=True, kw_only=True, slots=True)
class RegistrySource:
    """A package of a language's own registry, by the checksum that this ecosystem uses (reckless.model.registries)."""

    registry: Registry
    package: str
    version: str
    checksum: str
    subdir: str = ""

    @property
    def where(self) -> str:
        """What a person and a receipt call it."""
        return f"{self.registry}:{self.package}@{self.version}"


@dataclass(frozen=True, kw_only=True, slots=True)
class PathSource:
    """A folder of this machine as it was once: `sha256` is over all that is taken of it. No manifest has such a source.

    `path` is absolute; `subdir` is the plugin's folder in what is taken.
    """

    path: str
    sha256: str
    subdir: str = ""

    @property
    def where(self) -> str:
        """What a person and a receipt call it."""
        return self.path


Source = GitSource | ArchiveSource | RegistrySource | PathSource


@dataclass(frozen=True, kw_only=True, slots=True)
class ShippedLock:
    """Hashed requirements that the index ships for a release whose own tree pins nothing; `file` is relative to it."""

    file: str
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Binary:
    """A ready-made executable for one target triple such as `x86_64-linux-gnu`; `path` is its place in the archive."""

    target: str
    url: str
    sha256: str
    path: str = ""

    @property
    def where(self) -> str:
        """What a person and a receipt call it."""
        return self.url


@dataclass(frozen=True, kw_only=True, slots=True)
class Build:
    """How a release is built.

    `entrypoint` is a file in the tree, the binary that the build makes, or python `module:function`.
    `toolchain` bounds the language's interpreter or compiler (the manifest's key is the language's name).
    `lock` names a lock file of the tree, or one that the index ships. `system` items look like `bin:protoc`.
    `target` is what make is to make; empty: what it makes when not told.
    """

    language: Language
    entrypoint: str
    toolchain: SpecifierSet = field(default_factory=SpecifierSet)
    lock: str | ShippedLock | None = None
    system: tuple[str, ...] = ()
    target: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Runtime:
    """What getmanifest answers (doc/developers-guide/plugin-development). None: the manifest does not say."""

    dynamic: bool | None = None
    rpcmethods: tuple[str, ...] | None = None
    hooks: tuple[str, ...] | None = None
    subscriptions: tuple[str, ...] | None = None
    options: tuple[str, ...] | None = None
    required_options: tuple[str, ...] = ()
    disables: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Dependency:
    """Another plugin, by normalized name, and which versions of it (empty specifier: any)."""

    name: str
    specifier: SpecifierSet = field(default_factory=SpecifierSet)

    def __str__(self) -> str:
        """Write it as a manifest does: `commando>=0.2`."""
        return f"{self.name}{self.specifier}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """One release: where its exact bytes are, what it needs and how it is built."""

    version: Version
    source: Source
    build: Build
    runtime: Runtime = field(default_factory=Runtime)
    date: dt.date | None = None
    cln: SpecifierSet = field(default_factory=SpecifierSet)
    depends: tuple[Dependency, ...] = ()
    conflicts: tuple[Dependency, ...] = ()
    yanked: str | None = None
    binary: tuple[Binary, ...] = ()

    def digest(self, binary: Binary | None = None) -> str:
        """Return 64 hex digits over what decides the tree's bytes: source, lock and build, or a ready-made program."""
        if binary is not None:
            ready_made = {"sha256": binary.sha256, "path": binary.path, "entrypoint": self.build.entrypoint}
            return hashlib.sha256(json.dumps(ready_made, sort_keys=True).encode()).hexdigest()
        lock = self.build.lock
        what: dict[str, object] = {
            "source": asdict(self.source),
            "language": self.build.language,
            "entrypoint": self.build.entrypoint,
            "toolchain": str(self.build.toolchain),
            "lock": asdict(lock) if isinstance(lock, ShippedLock) else lock,
        }
        if self.build.target:
            what["target"] = self.build.target
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnRelease:
    """What a tree's own `reckless.toml` says of the release that the tree is; None: it does not say."""

    version: Version | None = None
    cln: SpecifierSet = field(default_factory=SpecifierSet)
    depends: tuple[Dependency, ...] = ()
    conflicts: tuple[Dependency, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Plugin:
    """What the plugin is, for people: the `[plugin]` table."""

    name: str
    summary: str
    repository: str
    license: str
    category: str
    description: str = ""
    homepage: str = ""
    documentation: str = ""
    authors: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    status: Status = "active"
    replaced_by: str = ""
    donate: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """One plugin and all its releases, newest first. `build` and `runtime` are the tables that hold for all of them.

    `own` is what a tree's own `reckless.toml` says of that tree; no index's manifest has it.
    """

    plugin: Plugin
    build: Build | None = None
    runtime: Runtime = field(default_factory=Runtime)
    releases: tuple[Release, ...] = ()
    own: OwnRelease | None = None

    @property
    def name(self) -> str:
        """The plugin's name."""
        return self.plugin.name


@dataclass(frozen=True, kw_only=True, slots=True)
class Builtin:
    """A plugin that lightningd itself ships: from `since` up to, not including, `until` (None: still there)."""

    name: str
    since: Version
    until: Version | None = None
    rpcmethods: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    note: str = ""
    replacement: str = ""

    def provided_by(self, lightningd: Version) -> bool:
        """Say whether a lightningd of this version ships it; a release candidate counts as its release."""
        base = Version(lightningd.base_version)
        return base >= self.since and (self.until is None or base < self.until)
