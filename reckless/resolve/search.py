"""The search itself: one candidate a name, so that every requirement of every chosen one is met.

resolvelib finds the answer. Conflicts are requirements too: a name that only conflicts speak of is met by `nothing`; as
soon as something depends on it, only real candidates count. So a conflict holds whichever of the two is chosen first,
and whichever declares it.

resolvelib (1.2.1) is made for indexes where an answer is always near, and is not exact: it keeps a candidate ruled out
after the choice that ruled it out was revised, and so can miss the only answer; and it forgets what a choice asks of
others when that choice is doubted for a moment. So its answers are checked, and its refusals are not believed: the
exhaustive search decides then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from resolvelib import AbstractProvider, BaseReporter, ResolutionImpossible, ResolutionTooDeep
from resolvelib.resolvers import Resolution
from resolvelib.structs import RequirementInformation

from reckless.resolve.effort import Effort, OutOfEffort
from reckless.resolve.exhaust import Exhaustive
from reckless.resolve.world import Candidate, Requirement, World

Answer = dict[str, Candidate]

QUICK = 2_000  # rounds after which resolvelib is not going to find it


def search(world: World, effort: Effort) -> Answer | None:
    """Return what stands for each name that is needed, or None: then nothing fits. Raises OutOfEffort."""
    answer = _resolvelib(world, effort)
    return answer if answer is not None and _sound(world, answer) else Exhaustive(world, effort).answer()


def _resolvelib(world: World, effort: Effort) -> Answer | None:
    """Return an answer, as far as resolvelib can tell."""
    # Not resolvelib.Resolver: that one then looks for what is needed by recursion, without end where dependencies that
    # the search left behind go round in circles.
    resolution: Resolution[Requirement, Candidate, str] = Resolution(_Provider(world), _Reporter(effort))
    try:
        mapping = resolution.resolve(world.roots(), max_rounds=max(1, min(QUICK, effort.left))).mapping
    except (ResolutionImpossible, ResolutionTooDeep):
        return None
    return _needed(world, mapping)


def _sound(world: World, answer: Answer) -> bool:
    asked = [*world.roots(), *(r for c in answer.values() for r in world.requirements(c))]
    return all(world.satisfied(r, answer.get(r.name, world.nothing(r.name))) for r in asked)


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
        if all(r.kind == "conflicts" for r in asked):
            found = (self._world.nothing(identifier),)
        return [c for c in found if c not in tried and all(self._world.satisfied(r, c) for r in asked)]

    def is_satisfied_by(self, requirement: Requirement, candidate: Candidate) -> bool:
        return self._world.satisfied(requirement, candidate)

    def get_dependencies(self, candidate: Candidate) -> tuple[Requirement, ...]:
        return self._world.requirements(candidate)
