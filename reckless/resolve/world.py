"""What can stand for each name, best first, and what each choice then asks of others.

A world is a problem under assumptions. Some of the facts that bind it may be set aside (`ignored`): that is how an
explanation finds out which of them are to blame. Some installed plugins may be held where they are (`frozen`) and some
names fixed to a version (`targets`): that is how the answer with the fewest changes is found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from reckless.model.manifest import Dependency, Release
from reckless.resolve.ground import FAULTS, Fault, Ground, Relation, contains, relations_of
from reckless.resolve.problem import OLDEST_LIGHTNINGD, Installed

# In this order facts are set aside when the ones to blame are looked for: what stands last is blamed first.
FactKind = Literal["depends", "conflicts", "fault", "missing", "older", "frozen", "pinned", "here", "wanted"]


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that binds, and could be otherwise.

    `relation` for `depends` and `conflicts`; `detail` is the kind of fault. `missing`: nobody has a plugin of this
    name. `older`: nothing goes back to an older release unasked. `here`: it is installed and to stay.
    """

    kind: FactKind
    name: str
    relation: Relation | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """What may stand for a name; `nothing` where only conflicts speak of it, `anything` where none is known."""

    name: str
    kind: Literal["installed", "release", "builtin", "nothing", "anything"]
    version: Version
    release: Release | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Requirement:
    """What somebody asks of whatever stands for a name; `conflicts` asks that it is not within `specifier`."""

    kind: Literal["wanted", "here", "depends", "conflicts"]
    name: str
    specifier: SpecifierSet = field(default_factory=SpecifierSet)


NOBODY = Version("0")


@dataclass(frozen=True, kw_only=True, slots=True)
class Assumptions:
    """See the module."""

    ignored: frozenset[Fact] = frozenset()
    frozen: frozenset[str] = frozenset()
    targets: Mapping[str, Version] = field(default_factory=dict)


class World:
    """The candidates and requirements of one problem under some assumptions."""

    def __init__(self, ground: Ground, assumptions: Assumptions) -> None:
        self.ground = ground
        self.given = assumptions
        self.candidates = cache(self._candidates)
        self.relations = cache(self._relations)
        self.requirements = cache(self._requirements)
        self.satisfied = cache(self._satisfied)  # asked a hundred times for each answer
        self.nothing = cache(lambda name: Candidate(name, "nothing", NOBODY))

    def roots(self) -> tuple[Requirement, ...]:
        """Return what must be there: what is wanted, and what is installed of its own accord."""
        wanted = [
            Requirement("wanted", name, bounds)
            for name in sorted(self.ground.wanted)
            if Fact("wanted", name) not in self.given.ignored
            for bounds in self.ground.wanted[name]
        ]
        here = [
            Requirement("here", name)
            for name in sorted(self.ground.staying)
            if Fact("here", name) not in self.given.ignored
        ]
        return (*wanted, *here)

    def _requirements(self, candidate: Candidate) -> tuple[Requirement, ...]:
        """Return what a candidate asks of others."""
        return tuple(Requirement(r.kind, r.other.name, r.other.specifier) for r in self.relations(candidate))

    def _satisfied(self, requirement: Requirement, candidate: Candidate) -> bool:
        """Say whether a candidate is what a requirement asks for.

        What the node itself provides meets any bounds: its versions are lightningd's and say nothing about the bounds
        of the separate plugin. For the same reason no conflict reaches it.
        """
        within = contains(requirement.specifier, candidate.version)
        if requirement.kind == "conflicts":
            return candidate.kind not in {"installed", "release"} or not within
        if candidate.kind == "nothing":
            return False
        return candidate.kind == "anything" or self.ground.problem.provided(candidate.name) or within

    def facts(self) -> tuple[Fact, ...]:
        """Return every fact that binds here, in the order in which to set them aside."""
        names = self.ground.reachable()
        found = [
            *(Fact(r.kind, n, r) for n in names for r in self.ground.relations(n)),
            *(
                Fact("fault", n, detail=fault)
                for n in names
                for fault in FAULTS
                if any(fault in faults for faults in self.ground.faults(n).values())
            ),
            *(Fact("missing", n) for n in names if self._missing(n)),
            *(Fact("older", n) for n in names if self._has_older(n)),
            *(Fact("frozen", n) for n in sorted(self.given.frozen)),
            *(Fact("pinned", n) for n in names if n in self.ground.problem.installed and self._installed(n).pinned),
            *(Fact("here", n) for n in sorted(self.ground.staying)),
            *(Fact("wanted", n) for n in sorted(self.ground.wanted)),
        ]
        return tuple(found)

    def _installed(self, name: str) -> Installed:
        return self.ground.problem.installed[name]

    def _missing(self, name: str) -> bool:
        problem = self.ground.problem
        return not self.ground.releases(name) and name not in problem.installed and not problem.provided(name)

    def _has_older(self, name: str) -> bool:
        here = self.ground.problem.installed.get(name)
        if here is None or self.ground.may_go_back(name):
            return False
        return any(r.version < here.version for r in self.ground.releases(name))

    def _candidates(self, name: str) -> tuple[Candidate, ...]:
        target = self.given.targets.get(name)
        return tuple(c for c in self._untargeted(name) if target is None or c.version == target)

    def _untargeted(self, name: str) -> tuple[Candidate, ...]:
        ground = self.ground
        here = ground.separate(name)
        if here is None and ground.problem.provided(name):
            version = ground.problem.lightningd or max(ground.problem.builtins[name].since, OLDEST_LIGHTNINGD)
            return (Candidate(name, "builtin", version),)
        if here is None:
            found = self._open_releases(name)
            missing = self._missing(name) and Fact("missing", name) in self.given.ignored
            return (Candidate(name, "anything", NOBODY),) if missing else found
        release = next((r for r in ground.releases(name) if r.version == here.version), None)
        keep = Candidate(name, "installed", here.version, release)
        return self._moves(here, keep)

    def _moves(self, here: Installed, keep: Candidate) -> tuple[Candidate, ...]:
        name, ignored = here.name, self.given.ignored
        if self.ground.problem.provided(name) or (here.pinned and Fact("pinned", name) not in ignored):
            return (keep,)
        if name in self.given.frozen and Fact("frozen", name) not in ignored:
            return (keep,)
        others = [c for c in self._open_releases(name) if c.version != here.version]
        if not self.ground.may_go_back(name) and Fact("older", name) not in ignored:
            others = [c for c in others if c.version > here.version]
        if name not in self.ground.problem.upgrade:
            return (keep, *others)
        better = [c for c in others if c.version > here.version and not self.ground.faults(name)[c.version]]
        return (*better, keep, *(c for c in others if c not in better))

    def _open_releases(self, name: str) -> tuple[Candidate, ...]:
        """Return the releases that may be chosen, newest first, those that are only just acceptable at the end."""
        plain: list[Candidate] = []
        doubtful: list[Candidate] = []
        for release in self.ground.releases(name):
            faults = self.ground.faults(name)[release.version]
            candidate = Candidate(name, "release", release.version, release)
            if not faults:
                plain.append(candidate)
            elif all(self._passes(name, release.version, fault) for fault in faults):
                doubtful.append(candidate)
        return (*plain, *doubtful)

    def _passes(self, name: str, version: Version, fault: Fault) -> bool:
        named = fault == "prerelease" and version in self.ground.named(name)
        return named or Fact("fault", name, detail=fault) in self.given.ignored

    def _relations(self, candidate: Candidate) -> tuple[Relation, ...]:
        if candidate.kind == "installed":
            name, ground = candidate.name, self.ground
            # What was broken before, and was not asked for, stays as it is: it must not keep people from other work.
            found = relations_of(name, self._installed(name))
            found = tuple(r for r in found if name in ground.wanted or not ground.broken(r))
        elif candidate.release is not None:
            found = relations_of(candidate.name, candidate.release)
        else:
            found = ()
        return tuple(r for r in found if Fact(r.kind, r.holder, r) not in self.given.ignored)


def depends_of(world: World, candidate: Candidate) -> tuple[Dependency, ...]:
    """Return what a candidate depends on."""
    return tuple(r.other for r in world.relations(candidate) if r.kind == "depends")
