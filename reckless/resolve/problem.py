"""What is asked of the resolver, and what it answers. All pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from reckless.model.machine import Machine
from reckless.model.manifest import Builtin, Dependency, Manifest, Release


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    """A plugin that is here: what it is, what its release needs, and why it is here.

    `requested` is false where it came only as a dependency. `pinned` holds it at its version. `release` carries
    its depends, conflicts and lightningd range also where the index no longer lists it.
    """

    name: str
    version: Version
    depends: tuple[Dependency, ...] = ()
    conflicts: tuple[Dependency, ...] = ()
    cln: SpecifierSet = field(default_factory=SpecifierSet)
    requested: bool = True
    pinned: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What a person asked for: a plugin, and bounds on its version (empty: any)."""

    name: str
    specifier: SpecifierSet = field(default_factory=SpecifierSet)


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """All that a resolution depends on.

    `wanted` is what the command names; `upgrade` are the installed plugins that may and should move to their newest
    fitting release (others stay unless they must move). `manifests` holds the manifest of every plugin in the closure
    of names, from the index. `lightningd` is None where the node's version is not known (down and never seen): then no
    release is refused for its range and built-ins are judged present only if `since` is older than every supported one.
    """

    wanted: tuple[Wanted, ...] = ()
    upgrade: frozenset[str] = frozenset()
    installed: Mapping[str, Installed] = field(default_factory=dict)
    manifests: Mapping[str, Manifest] = field(default_factory=dict)
    builtins: Mapping[str, Builtin] = field(default_factory=dict)
    lightningd: Version | None = None
    machine: Machine = field(default_factory=lambda: Machine(os="linux", arch="x86_64", libc="gnu"))
    prereleases: bool = False


ChoiceKind = Literal["keep", "install", "upgrade", "downgrade", "builtin"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One plugin's place in the answer. `release` is None for `builtin`, and for `keep` where the index lacks it.

    `requested`: a person asked for it (now or before). `because`: who needs it, in words (`you asked for it`,
    `summary 1.2.0 depends on commando>=0.2`). `before` is the version that was installed.
    """

    name: str
    kind: ChoiceKind
    version: Version
    release: Release | None = None
    requested: bool = False
    because: tuple[str, ...] = ()
    before: Version | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolution:
    """The answer: every choice in start order (dependencies first), and installed plugins no longer needed.

    `notes` are sentences for a person: a yanked release chosen because it was asked for, a pin that held something back,
    an archived plugin's replacement.
    """

    choices: tuple[Choice, ...] = ()
    unneeded: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
