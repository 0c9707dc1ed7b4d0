"""What is asked of the resolver, and what it answers. All pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from reckless.model.machine import Machine
from reckless.model.manifest import Builtin, Dependency, Manifest, Release

# Older nodes were never tried. It matters where the node's version is unknown: what this one ships, every node ships.
OLDEST_LIGHTNINGD = Version("0.10")


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    """A plugin that is here: what it is, what its release needs, and why it is here.

    `requested` is false where it came only as a dependency. `pinned` holds it at its version, and here: it is never
    unneeded. `depends`, `conflicts` and `cln` (lightningd versions) are those of the installed release, so that it
    constrains also where the index no longer lists it.
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
    """What a person asked for: a plugin by its normalized name, and bounds on its version (empty: any)."""

    name: str
    specifier: SpecifierSet = field(default_factory=SpecifierSet)


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """All that a resolution depends on.

    `wanted` is what the command names; `upgrade` are the installed plugins that may and should move to their newest
    fitting release (others stay unless they must move). `manifests` holds the manifest of every plugin in the closure
    of names, from the index. `lightningd` is None where the node's version is not known (down and never seen): then no
    release is refused for its range and built-ins are judged present only if `since` is older than every supported one
    (OLDEST_LIGHTNINGD). `prereleases` lets pre-releases be chosen as if they were finals. `from_source` are the plugins
    that are to be built here, whatever comes ready-made. `known` are all names that the sources list: only for
    suggestions where a name is unknown.
    """

    wanted: tuple[Wanted, ...] = ()
    upgrade: frozenset[str] = frozenset()
    installed: Mapping[str, Installed] = field(default_factory=dict)
    manifests: Mapping[str, Manifest] = field(default_factory=dict)
    builtins: Mapping[str, Builtin] = field(default_factory=dict)
    lightningd: Version | None = None
    machine: Machine = field(default_factory=lambda: Machine(os="linux", arch="x86_64", libc="gnu"))
    prereleases: bool = False
    from_source: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()

    def provided(self, name: str) -> bool:
        """Say whether the node itself ships a plugin of this name."""
        builtin = self.builtins.get(name)
        return builtin is not None and builtin.provided_by(self.lightningd or OLDEST_LIGHTNINGD)


ChoiceKind = Literal["keep", "install", "upgrade", "downgrade", "builtin"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One plugin's place in the answer. `release` is None for `builtin`, and for `keep` where the index lacks it.

    `version` of a built-in is lightningd's (its `since` where that is unknown). `requested`: a person asked for it (now
    or before). `because`: who needs it, in words (`you asked for it`, `summary 1.2.0 depends on commando>=0.2`).
    `before` is the version that was installed. `held_back` says in sentences why a newer release, which was asked for
    or would have been taken, was not chosen; empty where none was passed over.
    """

    name: str
    kind: ChoiceKind
    version: Version
    release: Release | None = None
    requested: bool = False
    because: tuple[str, ...] = ()
    before: Version | None = None
    held_back: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolution:
    """The answer: every choice in start order (dependencies first), and installed plugins no longer needed.

    `unneeded`, in stop order (dependents first), are not among the choices and did not constrain them: whoever carries
    the answer out removes them.
    `notes` are sentences for a person: a yanked release chosen because it was asked for, a pin or a need that held
    something back, an archived plugin's replacement, an installed plugin that does not fit its node.
    """

    choices: tuple[Choice, ...] = ()
    unneeded: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
