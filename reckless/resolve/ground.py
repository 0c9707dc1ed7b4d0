"""What a problem says before any choice is made: which releases may be used, and which bounds hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from reckless.model.machine import Machine
from reckless.model.manifest import Dependency, Language, Release
from reckless.model.targets import fitting_binary
from reckless.model.versions import lightningd_fits
from reckless.resolve.problem import Installed, Problem

# Why a release is not taken, in the order in which it is said.
Fault = Literal["lightningd", "toolchain", "machine", "yanked", "prerelease"]
FAULTS: tuple[Fault, ...] = ("lightningd", "toolchain", "machine", "yanked", "prerelease")
_NEED_NO_TOOLCHAIN: tuple[Language, ...] = ("script", "prebuilt")


@dataclass(frozen=True, slots=True)
class Relation:
    """`holder` depends on, or conflicts with, `other`."""

    kind: Literal["depends", "conflicts"]
    holder: str
    other: Dependency


class Ground:
    """A problem, and what follows from it alone. Everything is computed when first asked for, and kept.

    `overlooked` are faults, by plugin, to be passed over: as it would be if they were mended.
    """

    def __init__(self, problem: Problem, overlooked: frozenset[tuple[str, str]] = frozenset()) -> None:
        self.problem = problem
        self._overlooked = overlooked
        self.wanted: dict[str, tuple[SpecifierSet, ...]] = {}
        for wish in problem.wanted:
            bounds = {*self.wanted.get(wish.name, ()), wish.specifier}
            self.wanted[wish.name] = tuple(sorted(bounds, key=str))
        self.staying = frozenset(n for n, i in problem.installed.items() if i.requested or i.pinned)
        self.releases = cache(self._releases)
        self.faults = cache(self._faults)
        self.named = cache(self._named)
        self.reachable = cache(self._reachable)
        self._bounds = cache(self._all_bounds)

    def _reachable(self) -> tuple[str, ...]:
        """Return every name that can come into play: what is wanted, what is here, and what they may depend on."""
        todo = [*self.wanted, *self.problem.installed]
        seen: set[str] = set()
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo += [r.other.name for r in self.relations(name) if r.kind == "depends"]
        return tuple(sorted(seen))

    def relations(self, name: str) -> tuple[Relation, ...]:
        """Return what any release of `name`, or the installed one, depends on and conflicts with; each once."""
        carriers: list[Release | Installed] = [*self.releases(name)]
        if name in self.problem.installed:
            carriers.append(self.problem.installed[name])
        return tuple(dict.fromkeys(r for c in carriers for r in relations_of(name, c)))

    def separate(self, name: str) -> Installed | None:
        """Return the installed plugin, unless it is only a dependency that the node itself provides by now."""
        if self.problem.provided(name) and name not in self.staying:
            return None
        return self.problem.installed.get(name)

    def broken(self, relation: Relation) -> bool:
        """Say whether an installed plugin's relation did not hold before anything was asked."""
        other = self.separate(relation.other.name)
        inside = other is not None and contains(relation.other.specifier, other.version)
        if relation.kind == "conflicts":
            return inside
        return not inside and not self.problem.provided(relation.other.name)

    def may_go_back(self, name: str) -> bool:
        """Say whether a person asked for something else than the installed release, so that an older one will do."""
        here = self.problem.installed.get(name)
        return here is not None and not all(contains(s, here.version) for s in self.wanted.get(name, ()))

    def asked_exactly(self, name: str, version: Version) -> bool:
        """Say whether a person named exactly this version."""
        return any(pins(s, version) for s in self.wanted.get(name, ()))

    def exists_otherwise(self, name: str, specifier: SpecifierSet) -> bool:
        """Say whether there is something usable within `specifier` that is neither yanked nor a pre-release."""
        here = self.problem.installed.get(name)
        versions = [r.version for r in self.releases(name) if not self.faults(name)[r.version]]
        return any(
            contains(specifier, v) for v in (*versions, *([here.version] if here else ())) if not v.is_prerelease
        )

    def _releases(self, name: str) -> tuple[Release, ...]:
        manifest = self.problem.manifests.get(name)
        return tuple(sorted(manifest.releases, key=lambda r: r.version, reverse=True)) if manifest else ()

    def _faults(self, name: str) -> dict[Version, tuple[Fault, ...]]:
        lasting = {
            r.version: tuple(f for f in self._lasting_faults(name, r) if (name, f) not in self._overlooked)
            for r in self.releases(name)
        }
        here = self.problem.installed.get(name)
        finals = [v for v, faults in lasting.items() if not faults] + ([here.version] if here else [])
        welcome = (
            self.problem.prereleases
            or any(names_prerelease(s) for s in self.wanted.get(name, ()))
            or all(v.is_prerelease for v in finals)
        )
        welcome = welcome or (name, "prerelease") in self._overlooked
        early: tuple[Fault, ...] = () if welcome else ("prerelease",)
        return {v: faults + (early if v.is_prerelease else ()) for v, faults in lasting.items()}

    def _lasting_faults(self, name: str, release: Release) -> Iterator[Fault]:
        problem = self.problem
        if problem.lightningd is not None and not lightningd_fits(release.cln, problem.lightningd):
            yield "lightningd"
        if not self.ready_made(name, release):
            if lacks_toolchain(release, problem.machine):
                yield "toolchain"
            if release.build.language == "prebuilt" and (release.binary or name in problem.from_source):
                yield "machine"
        if release.yanked is not None and not self.asked_exactly(name, release.version):
            yield "yanked"

    def ready_made(self, name: str, release: Release) -> bool:
        """Say whether a ready-made program of the release fits this machine and may be taken; nothing is built then."""
        return name not in self.problem.from_source and fitting_binary(release, self.problem.machine) is not None

    def _named(self, name: str) -> frozenset[Version]:
        """Return the pre-releases that some bounds in this problem accept: they name one, or there is nothing else.

        PEP 440, handling of pre-releases; as pip does it, which asks of all bounds on a name together.
        """
        bounds = [*self.wanted.get(name, ()), *self._bounds().get(name, ())]
        accepting = [s for s in bounds if names_prerelease(s) or not self.exists_otherwise(name, s)]
        return frozenset(v for v in self.faults(name) if v.is_prerelease and any(contains(s, v) for s in accepting))

    def _all_bounds(self) -> dict[str, list[SpecifierSet]]:
        bounds: dict[str, list[SpecifierSet]] = {}
        for name in self.reachable():
            for relation in self.relations(name):
                if relation.kind == "depends":
                    bounds.setdefault(relation.other.name, []).append(relation.other.specifier)
        return bounds


def relations_of(name: str, carrier: Release | Installed) -> tuple[Relation, ...]:
    """Return what one release depends on and conflicts with; what it says of itself means nothing and is left out."""
    depends = [Relation("depends", name, d) for d in carrier.depends if d.name != name]
    conflicts = [Relation("conflicts", name, d) for d in carrier.conflicts if d.name != name]
    return tuple(dict.fromkeys([*depends, *conflicts]))


def contains(specifier: SpecifierSet, version: Version) -> bool:
    """Say whether a version is within bounds. Whether a pre-release is welcome is another question, asked elsewhere."""
    return specifier.contains(version, prereleases=True)


def pins(specifier: SpecifierSet, version: Version) -> bool:
    """Say whether bounds name exactly this version: `==` or `===`, no wildcard."""
    return any(
        s.operator in {"==", "==="} and not s.version.endswith(".*") and s.contains(version, prereleases=True)
        for s in specifier
    )


def names_prerelease(specifier: SpecifierSet) -> bool:
    """Say whether bounds themselves name a pre-release, as `>=2.0rc1` does; excluding one (`!=`) does not count."""
    return any(s.operator != "!=" and _is_prerelease(s.version) for s in specifier)


def lacks_toolchain(release: Release, machine: Machine) -> bool:
    """Say whether this machine cannot build the release for want of its language's toolchain, or of a fitting one."""
    language = release.build.language
    if language in _NEED_NO_TOOLCHAIN:
        return False
    return not any(contains(release.build.toolchain, v) for v in toolchains(language, machine))


def toolchains(language: Language, machine: Machine) -> tuple[Version, ...]:
    """Return the versions of a language's toolchain that this machine has."""
    if language == "python" and machine.pythons:
        return machine.pythons
    return (machine.toolchains[language],) if language in machine.toolchains else ()


def _is_prerelease(text: str) -> bool:
    try:
        return Version(text.removesuffix(".*")).is_prerelease
    except InvalidVersion:
        return False
