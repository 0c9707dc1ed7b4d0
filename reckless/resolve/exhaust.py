"""An exhaustive search: slower to the point than resolvelib, but where it finds nothing there is nothing.

Conflict-directed backjumping (Prosser 1993): each name that could not be settled remembers which earlier choices are to
blame, and the search goes back to the latest of those, past whatever has nothing to do with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from reckless.resolve.effort import Effort
from reckless.resolve.world import Candidate, Requirement, World

_NOBODY = ""  # holds what is asked from the start


@dataclass(slots=True, eq=False)
class _Step:
    """A name being settled: the candidates not yet tried, and the earlier names that ruled out the others."""

    name: str
    rest: Iterator[Candidate]
    blamed: set[str] = field(default_factory=set)


class Exhaustive:
    """One search through one world."""

    def __init__(self, world: World, effort: Effort) -> None:
        self._world = world
        self._effort = effort
        self._pins: dict[str, Candidate] = {}
        self._asked: dict[str, list[tuple[str, Requirement]]] = {}

    def answer(self) -> dict[str, Candidate] | None:
        """Return what stands for each name that is needed, or None: then nothing fits. Raises OutOfEffort."""
        self._ask(_NOBODY, self._world.roots())
        steps: list[_Step] = []
        while (name := self._next()) is not None:
            steps.append(_Step(name, iter(self._world.candidates(name))))
            while not self._settle(steps[-1]):
                if not self._back(steps):
                    return None
        return dict(sorted(self._pins.items()))

    def _next(self) -> str | None:
        """Return the name to settle: one that has no choice, else what was asked for, else by name."""
        ground = self._world.ground
        first = {**dict.fromkeys(ground.wanted, 1), **dict.fromkeys(ground.problem.upgrade, 0)}
        open_names = (n for n in self._asked if n not in self._pins and self._needed_by(n) is not None)
        return min(open_names, key=lambda n: (min(self._choices(n), 2), first.get(n, 2), n), default=None)

    def _choices(self, name: str) -> int:
        return sum(not self._against(c) for c in self._world.candidates(name))

    def _needed_by(self, name: str) -> str | None:
        return next((holder for holder, r in self._asked[name] if r.kind != "conflicts"), None)

    def _against(self, candidate: Candidate) -> str | bool:
        """Return which settled name speaks against a candidate; True where it is ruled out from the start."""
        for holder, requirement in self._asked.get(candidate.name, ()):
            if not self._world.satisfied(requirement, candidate):
                return holder or True
        for requirement in self._world.requirements(candidate):
            pin = self._pins.get(requirement.name)
            if pin is not None and not self._world.satisfied(requirement, pin):
                return requirement.name
        return False

    def _settle(self, step: _Step) -> bool:
        """Take the next candidate that nothing speaks against."""
        self._effort.spend()
        for candidate in step.rest:
            against = self._against(candidate)
            if not against:
                self._pins[step.name] = candidate
                self._ask(step.name, self._world.requirements(candidate))
                return True
            if isinstance(against, str):
                step.blamed.add(against)
        return False

    def _back(self, steps: list[_Step]) -> bool:
        """Go back to the latest choice to blame, and leave it open."""
        stuck = steps.pop()
        blamed = stuck.blamed | {self._needed_by(stuck.name) or _NOBODY}
        while steps:
            self._unask(steps[-1].name, self._world.requirements(self._pins.pop(steps[-1].name)))
            if steps[-1].name in blamed:
                steps[-1].blamed |= blamed - {steps[-1].name}
                return True
            steps.pop()
        return False

    def _ask(self, holder: str, requirements: tuple[Requirement, ...]) -> None:
        for requirement in requirements:
            self._asked.setdefault(requirement.name, []).append((holder, requirement))

    def _unask(self, holder: str, requirements: tuple[Requirement, ...]) -> None:
        for requirement in requirements:
            self._asked[requirement.name].remove((holder, requirement))
