"""The search itself, by resolvelib: one candidate a name, so that every requirement of every chosen one is met.

Conflicts are requirements too. A name that only conflicts speak of is met by `nothing`; as soon as something depends on
it, only real candidates count. So a conflict holds whichever of the two is chosen first, and whichever declares it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache

from resolvelib import AbstractProvider, BaseReporter, ResolutionImpossible, ResolutionTooDeep
from resolvelib.resolvers import Resolution
from resolvelib.structs import RequirementInformation

from reckless.resolve.effort import Effort, OutOfEffort
from reckless.resolve.world import Candidate, Requirement, World

Answer = dict[str, Candidate]


def search(world: World, effort: Effort) -> Answer | None:
    """Return what stands for each name that is needed, or None where nothing fits. Raises OutOfEffort."""
    if effort.left <= 0:
        raise OutOfEffort
    # Not resolvelib.Resolver: that one then looks for what is needed by recursion, without end where dependencies that
    # the search left behind go round in circles.
    resolution: Resolution[Requirement, Candidate, str] = Resolution(_Provider(world), _Reporter(effort))
    try:
        mapping = resolution.resolve(world.roots(), max_rounds=effort.left).mapping
    except ResolutionImpossible:
        return None
    except ResolutionTooDeep as e:
        raise OutOfEffort from e
    return _needed(world, mapping)


def find(world: World, effort: Effort) -> Answer | None:
    """Return an answer, or None where there is none or the effort does not reach to find out."""
    try:
        return search(world, effort)
    except OutOfEffort:
        return None


def _needed(world: World, mapping: Mapping[str, Candidate]) -> Answer:
    """Leave out what the search passed by on its way and nothing needs in the end."""
    todo = [r.name for r in world.roots()]
    needed: set[str] = set()
    while todo:
        name = todo.pop()
        if name not in needed:
            needed.add(name)
            todo += [r.name for r in world.requirements(mapping[name]) if r.kind == "depends"]
    return {name: mapping[name] for name in sorted(needed)}


class _Reporter(BaseReporter[Requirement, Candidate, str]):
    """Counts rounds."""

    def __init__(self, effort: Effort) -> None:
        self._effort = effort

    def starting_round(self, index: int) -> None:  # noqa: ARG002
        self._effort.spend()


class _Provider(AbstractProvider[Requirement, Candidate, str]):
    """What resolvelib asks, answered from a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        upgrade, wanted = world.ground.problem.upgrade, world.ground.wanted
        self._itself = cache(lambda name: Requirement("itself", name))
        self._first = {**dict.fromkeys(wanted, 1), **dict.fromkeys(upgrade, 0)}

    def identify(self, requirement_or_candidate: Requirement | Candidate) -> str:
        return requirement_or_candidate.name

    def get_preference(
        self,
        identifier: str,
        resolutions: Mapping[str, Candidate],  # noqa: ARG002
        candidates: Mapping[str, Iterator[Candidate]],  # noqa: ARG002
        information: Mapping[str, Iterator[RequirementInformation[Requirement, Candidate]]],  # noqa: ARG002
        backtrack_causes: Sequence[RequirementInformation[Requirement, Candidate]],  # noqa: ARG002
    ) -> tuple[int, str]:
        """Decide first on what was asked for: it gets its newest release, and others adapt."""
        return (self._first.get(identifier, 2), identifier)

    def find_matches(
        self,
        identifier: str,
        requirements: Mapping[str, Iterator[Requirement]],
        incompatibilities: Mapping[str, Iterator[Candidate]],
    ) -> Sequence[Candidate]:
        asked = list(requirements[identifier])
        tried = list(incompatibilities[identifier])
        found: Iterable[Candidate] = self._world.candidates(identifier)
        if all(r.kind in {"conflicts", "itself"} for r in asked):
            found = (self._world.nothing(identifier),)
        return [c for c in found if c not in tried and all(self._world.satisfied(r, c) for r in asked)]

    def is_satisfied_by(self, requirement: Requirement, candidate: Candidate) -> bool:
        return self._world.satisfied(requirement, candidate)

    def get_dependencies(self, candidate: Candidate) -> tuple[Requirement, ...]:
        """Return what a candidate asks of others, and of itself.

        The latter keeps resolvelib (1.2.1) complete. Looking back for the choice to revise, it passes by those that
        speak of none of the names in the conflict, also where the name itself is one of them, and so can miss the only
        answer. One that speaks of itself is not passed by.
        """
        asked = self._world.requirements(candidate)
        return asked if candidate.kind == "nothing" else (*asked, self._itself(candidate.name))
