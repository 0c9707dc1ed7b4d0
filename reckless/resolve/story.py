"""The facts to blame, told in sentences: who asked for what, what that needs, and what stands in its way."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from reckless.model.manifest import Release
from reckless.resolve.ground import FAULTS, Fault, Ground, Relation, contains, toolchains
from reckless.resolve.words import (
    bounds_text,
    lightningd_text,
    listed,
    needs_text,
    toolchain_text,
    versions_text,
)
from reckless.resolve.world import Assumptions, Candidate, Fact, World

MANY_VERSIONS = 12
MANY_ALIKE = 5


class Story:
    """Tells one set of facts. `assumed` is wanted for the sake of the explanation only: no person asked for it."""

    def __init__(self, ground: Ground, given: Assumptions, facts: tuple[Fact, ...], assumed: str = "") -> None:
        self.ground = ground
        self.facts = facts
        every = World(ground, given).facts()
        self._world = World(ground, replace(given, ignored=frozenset(every).difference(facts)))
        self._introduced = {assumed}

    def sentences(self) -> list[str]:
        """Return the sentences: from what was asked for, along what each needs, to what stays as it is."""
        todo = [f.name for kind in ("wanted", "here") for f in self.facts if f.kind == kind]
        told: list[str] = []
        seen: list[str] = []
        while todo:
            name = todo.pop(0)
            if name not in seen:
                seen.append(name)
                told += self._about(name)
                todo += [r.other.name for r in self._held_by(name)]
        return told + [s for name in seen for s in self._in_the_end(name)]

    def bounds_on(self, name: str) -> list[list[SpecifierSet]]:
        """Return the bounds that a release of `name` has to meet by the facts told: of each group, one of them.

        A group is what one plugin asks: its releases may differ in that, and any of them will do.
        """
        wanted = self.ground.wanted.get(name, ()) if self.has("wanted", name) else ()
        asking: dict[str, list[SpecifierSet]] = {}
        for relation in self.relations:
            if relation.kind == "depends" and relation.other.name == name:
                asking.setdefault(relation.holder, []).append(relation.other.specifier)
        return [*([s] for s in wanted), *asking.values()]

    def faulty(self, name: str, fault: Fault) -> list[Release]:
        """Return the releases of `name` that would do but for this fault (and perhaps others), newest first."""
        faults = self.ground.faults(name)
        return [r for r in self.ground.releases(name) if fault in faults[r.version] and self.would_do(name, r.version)]

    def would_do(self, name: str, version: Version) -> bool:
        """Say whether this version is within all bounds told."""
        return all(any(contains(s, version) for s in group) for group in self.bounds_on(name))

    def has(self, kind: str, name: str) -> bool:
        """Say whether such a fact is told."""
        return any(f.kind == kind and f.name == name for f in self.facts)

    @cached_property
    def relations(self) -> tuple[Relation, ...]:
        """What depends on and conflicts with what, as far as it is to blame."""
        return tuple(f.relation for f in self.facts if f.relation is not None)

    def crowded(self) -> bool:
        """Say whether several ask for one name, and it cannot serve them all."""
        return any(len(self.bounds_on(n)) > 1 for n in {r.other.name for r in self.relations})

    def _held_by(self, name: str) -> list[Relation]:
        return [r for r in self.relations if r.holder == name]

    def _about(self, name: str) -> list[str]:
        faults = [fault for fault in FAULTS if Fact("fault", name, detail=fault) in self.facts]
        held = self._held_by(name)
        told = []
        if self.has("wanted", name) and name not in self._introduced:
            bounds = [b for b in (bounds_text(s) for s in self.ground.wanted[name]) if b]
            if bounds or not (held or faults or self.has("missing", name)):
                told.append(f"You asked for {listed(name + b for b in bounds or [''])}.")
                self._introduced.add(name)
        told += self._status(name, quiet=bool(held))
        told += [s for fault in faults for s in self._faults(name, fault)]
        return told + self._relations(held)

    def _status(self, name: str, *, quiet: bool) -> list[str]:
        if self.has("missing", name):
            return [missing_text(self.ground, name)]
        here = self.ground.problem.installed.get(name)
        if here is None:
            return []
        if self.has("pinned", name):
            return [f"{name} is pinned at {here.version}."]
        if self.has("frozen", name):
            return [f"{name} {here.version} is installed, and moves only when that is asked for."]
        if self.has("older", name):
            return [
                f"{name} {here.version} is installed, and goes back to an older release only when that is asked for."
            ]
        return [f"{name} {here.version} is installed."] if self.has("here", name) and not quiet else []

    def _faults(self, name: str, fault: Fault) -> list[str]:
        groups: dict[tuple[str, str], list[str]] = {}
        for release in self.faulty(name, fault):
            groups.setdefault(fault_text(self.ground, name, release, fault), []).append(str(release.version))
        return [
            f"{self._subject(name, versions)} {many if len(versions) > 1 else one}."
            for (one, many), versions in groups.items()
        ]

    def _relations(self, held: list[Relation]) -> list[str]:
        """Tell each relation, or all to the same plugin at once where every release has another one."""
        alike: dict[tuple[str, str], list[Relation]] = {}
        for relation in held:
            alike.setdefault((relation.kind, relation.other.name), []).append(relation)
        told = []
        for group in alike.values():
            if len(group) < MANY_ALIKE:
                told += [self._relation(r) for r in group]
                continue
            bounds = versions_text([needs_text(r.other) for r in group])
            verb = "depends on one of" if group[0].kind == "depends" else "conflicts with one of"
            told.append(f"Every release of {group[0].holder} that would do {verb} {bounds}.")
        return told

    def _relation(self, relation: Relation) -> str:
        here = self.ground.problem.installed.get(relation.holder)
        versions = [
            f"{c.version} (installed)" if here and c.version == here.version else str(c.version)
            for c in self._carriers(relation)
        ]
        many = len(versions) > 1
        verb = {"depends": ("depends on", "depend on"), "conflicts": ("conflicts with", "conflict with")}
        subject = self._subject(relation.holder, versions)
        return f"{subject} {verb[relation.kind][many]} {needs_text(relation.other)}."

    def _carriers(self, relation: Relation) -> list[Candidate]:
        """Return the candidates that say so and would otherwise do; all that say so where none would."""
        name = relation.holder
        carriers = [c for c in self._world.candidates(name) if relation in self._world.relations(c)]
        return [c for c in carriers if self.would_do(name, c.version)] or carriers

    def _subject(self, name: str, versions: list[str]) -> str:
        text = f"{name} {versions_text(versions)}"
        asked = self.has("wanted", name) or (self.has("here", name) and name in self.ground.wanted)
        if not asked or name in self._introduced:
            return text
        self._introduced.add(name)
        return f"{text}, which you asked for,"

    def _in_the_end(self, name: str) -> list[str]:
        """Say what is left of a name, where its bounds alone do not say it."""
        stated = {"pinned", "frozen", "older", "missing", "fault"}
        if any(f.name == name and f.kind in stated for f in self.facts):
            return []
        versions = self._versions(name)
        bounds = self.bounds_on(name)
        against = any(r.kind == "conflicts" and r.other.name == name and r.other.specifier for r in self.relations)
        fitting = [v for v in versions if self.would_do(name, v)]
        texts = versions_text([str(v) for v in versions], MANY_VERSIONS)
        only = f"there {'is' if len(versions) == 1 else 'are'} {texts}" if versions else "it has none"
        if fitting or not bounds:
            shown = versions_text([str(v) for v in fitting])
            alone = f"Of {name} there {'is' if len(fitting) == 1 else 'are'} only {shown}."
            return [alone] if fitting and against and bounds else []
        if len(bounds) > 1:
            return [f"No release of {name} suits them all: {only}."]
        if len(bounds[0]) > 1:
            return [f"No release of {name} suits any of them: {only}."]
        return [f"No release of {name} is within {bounds_text(bounds[0][0])}: {only}."]

    def _versions(self, name: str) -> list[Version]:
        here = self.ground.problem.installed.get(name)
        versions = {r.version for r in self.ground.releases(name)} | ({here.version} if here else set())
        return sorted(versions, reverse=True)


def fault_text(ground: Ground, name: str, release: Release, fault: Fault) -> tuple[str, str]:
    """Say what is wrong with a release of `name`, as the end of a sentence about one, and about several."""
    problem, build = ground.problem, release.build
    if fault == "lightningd":
        node = lightningd_text(problem.lightningd) if problem.lightningd else "of an unknown version"
        return _needs(f"lightningd {bounds_text(release.cln)}, and this one is {node}")
    if fault == "toolchain":
        have = listed(str(v) for v in toolchains(build.language, problem.machine))
        what = f"{toolchain_text(build.language)} {bounds_text(build.toolchain)}".strip()
        return _needs(f"{what}, and this machine has {have or 'none'}{_but_for(ground, name, release)}")
    if fault == "machine":
        rest = _ready_made_for(ground, release)
        if name in problem.from_source:
            rest = "ready-made only, and it is to be built from source"
        return f"comes {rest}", f"come {rest}"
    if fault == "yanked":
        reason = f": {release.yanked.strip().rstrip('.')}" if release.yanked and release.yanked.strip() else ""
        return f"is yanked{reason}", f"are yanked{reason}"
    return "is a pre-release", "are pre-releases"


def _ready_made_for(ground: Ground, release: Release) -> str:
    targets = listed(sorted({b.target for b in release.binary}))
    return f"ready-made for {targets} only, and this machine is {ground.problem.machine.target}"


def _but_for(ground: Ground, name: str, release: Release) -> str:
    """Say why no ready-made program makes up for a toolchain that is missing; empty where the release has none."""
    if not release.binary:
        return ""
    if name in ground.problem.from_source:
        return "; ready-made it is not to be taken"
    return f"; it comes {_ready_made_for(ground, release)}"


def missing_text(ground: Ground, name: str) -> str:
    """Say that nobody has a plugin of this name, and where lightningd comes in."""
    builtin = ground.problem.builtins.get(name)
    if builtin is None:
        listed_empty = name in ground.problem.manifests
        return f"{name} has no releases." if listed_empty else f"There is no plugin named {name}."
    node = ground.problem.lightningd
    this = f"this one is {lightningd_text(node)}" if node else "the version of this one is not known"
    if builtin.until is None or (node is not None and node < builtin.since):
        return f"{name} is part of lightningd since {lightningd_text(builtin.since)}, and {this}."
    gone = f"{name} was part of lightningd until {lightningd_text(builtin.until)}, and {this}."
    return gone + (f" It was replaced by {builtin.replacement}." if builtin.replacement else "")


def _needs(rest: str) -> tuple[str, str]:
    return f"needs {rest}", f"need {rest}"
