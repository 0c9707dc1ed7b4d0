"""Which releases to install: `resolve` for what comes, `removal` for what goes.

Among all answers: what is to be upgraded gets its newest fitting release; then as few other installed plugins as
possible move; then whatever is new gets its newest release. docs/explanation/resolving.md says why.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations, islice
from typing import TYPE_CHECKING

from packaging.version import Version

from reckless.resolve.effort import TO_ANSWER, TO_EXPLAIN, TO_IMPROVE, Effort, OutOfEffort
from reckless.resolve.explain import explain, held_back, too_hard, why_not
from reckless.resolve.ground import Ground, contains
from reckless.resolve.notes import notes_on
from reckless.resolve.order import start_order, stop_order
from reckless.resolve.problem import Choice, ChoiceKind, Problem, Resolution
from reckless.resolve.removal import removal
from reckless.resolve.words import needs_text
from reckless.resolve.world import Assumptions, Candidate, World, depends_of

if TYPE_CHECKING:
    from reckless.resolve.search import Answer

__all__ = ["removal", "resolve"]

# How often to search for an answer that is better still; past that, a good one is good enough.
MAX_TRIES = 300


def resolve(problem: Problem) -> Resolution:
    """Return releases that fit together, with every installed plugin, the node and this machine.

    Raises ResolutionError, its message and hint in sentences: `no-such-plugin`, `no-such-version`,
    `not-for-this-lightningd`, `not-for-this-machine`, `toolchain-missing`, `yanked`, `pinned`, `conflict`, `too-hard`.
    """
    from reckless.resolve.search import search

    ground = Ground(problem)
    try:
        answer = search(World(ground, Assumptions()), Effort(TO_ANSWER))
    except OutOfEffort as e:
        raise too_hard() from e
    if answer is None:
        raise explain(ground, Assumptions(), Effort(TO_EXPLAIN))
    effort = Effort(TO_IMPROVE)
    upgrade = [n for n in problem.upgrade if n in problem.installed and not problem.installed[n].pinned]
    given, answer = _newest(ground, Assumptions(), answer, upgrade, effort)
    given, answer = _calmest(ground, given, answer, effort)
    given, answer = _newest(ground, given, answer, set(ground.wanted) - set(problem.installed), effort)
    return _resolution(World(ground, given), answer, Effort(TO_EXPLAIN))


def _newest(
    ground: Ground, given: Assumptions, answer: Answer, names: Iterable[str], effort: Effort
) -> tuple[Assumptions, Answer]:
    """Give each name, in name order, the best release that it can have, and hold it there.

    The search decides on these names first and so gets it right nearly always; backjumping may pass by a better one.
    """
    from reckless.resolve.search import find

    for name in sorted(names):
        if name not in answer:
            continue
        for candidate in World(ground, given).candidates(name):
            if candidate.version == answer[name].version:
                break
            targeted = replace(given, targets={**given.targets, name: candidate.version})
            better = find(World(ground, targeted), effort)
            if better is not None and name in better:
                answer = better
                break
        given = replace(given, targets={**given.targets, name: answer[name].version})
    return given, answer


def _calmest(ground: Ground, given: Assumptions, answer: Answer, effort: Effort) -> tuple[Assumptions, Answer]:
    """Move as few installed plugins as can be that nobody asked to move, and hold the others where they are."""
    from reckless.resolve.search import find

    installed = ground.problem.installed
    free = [n for n in sorted(installed) if n not in given.targets and not ground.may_go_back(n)]
    moved = [n for n in free if n in answer and answer[n].kind == "release"]
    free.sort(key=lambda n: n not in moved)
    tries = (movable for size in range(len(moved)) for movable in combinations(free, size))
    for movable in islice(tries, MAX_TRIES):
        calmer = replace(given, frozen=frozenset(free).difference(movable))
        found = find(World(ground, calmer), effort)
        if found is not None:
            return calmer, found
    return replace(given, frozen=frozenset(free).difference(moved)), answer


def _resolution(world: World, answer: Answer, effort: Effort) -> Resolution:
    problem = world.ground.problem
    needs = {name: {d.name for d in depends_of(world, c)} for name, c in answer.items()}
    choices = tuple(_choice(world, answer, name, effort) for name in start_order(needs))
    gone = [n for n in problem.installed if n not in answer or answer[n].kind == "builtin"]
    unneeded = stop_order({n: {d.name for d in problem.installed[n].depends} for n in gone})
    return Resolution(choices=choices, unneeded=unneeded, notes=notes_on(world, answer, choices, unneeded))


def _choice(world: World, answer: Answer, name: str, effort: Effort) -> Choice:
    problem, candidate = world.ground.problem, answer[name]
    here = world.ground.separate(name)
    installed = problem.installed.get(name)
    kind: ChoiceKind = "builtin" if candidate.kind == "builtin" else _kind(candidate, here.version if here else None)
    return Choice(
        name=name,
        kind=kind,
        version=candidate.version,
        release=candidate.release,
        requested=name in world.ground.wanted or (installed is not None and installed.requested),
        because=tuple(_because(world, answer, name, effort)),
        before=installed.version if installed else None,
        held_back=held_back(world, answer, name, effort) if _asked_to_move(problem, world, name) else "",
    )


def _kind(candidate: Candidate, before: Version | None) -> ChoiceKind:
    if before is None:
        return "install"
    if candidate.version == before:
        return "keep"
    return "upgrade" if candidate.version > before else "downgrade"


def _asked_to_move(problem: Problem, world: World, name: str) -> bool:
    return name in problem.upgrade or (name in world.ground.wanted and name not in problem.installed)


def _because(world: World, answer: Answer, name: str, effort: Effort) -> list[str]:
    """Say who needs it, and for a move that nobody asked for also what would not have it as it was."""
    ground, chosen = world.ground, answer[name]
    here = ground.separate(name)
    reasons = []
    if name in ground.wanted or (name in ground.problem.upgrade and chosen.kind == "release"):
        reasons.append("you asked for it")
    elif name in ground.staying and ground.problem.installed[name].requested:
        reasons.append("you asked for it before")
    elif name in ground.staying:
        reasons.append("you pinned it")
    for holder in answer.values():
        for relation in world.relations(holder):
            against = relation.kind == "conflicts" and here is not None and here.version != chosen.version
            if relation.other.name != name or (relation.kind == "conflicts" and not against):
                continue
            if relation.kind == "depends" or (here and contains(relation.other.specifier, here.version)):
                verb = "depends on" if relation.kind == "depends" else "conflicts with"
                reasons.append(f"{holder.name} {holder.version} {verb} {needs_text(relation.other)}")
    return reasons + ([] if _reasoned(world, answer, name) else _forced(world, name, effort))


def _reasoned(world: World, answer: Answer, name: str) -> bool:
    """Say whether a move explains itself: asked for, or the release before does not meet those that name it."""
    ground, chosen, here = world.ground, answer[name], world.ground.separate(name)
    if here is None or chosen.version == here.version or name in ground.problem.upgrade or ground.may_go_back(name):
        return True
    keep = Candidate(name, "installed", here.version)
    return any(r.name == name and not world.satisfied(r, keep) for c in answer.values() for r in world.requirements(c))


def _forced(world: World, name: str, effort: Effort) -> list[str]:
    """Say why a plugin had to move although nothing that was chosen rules out its old release: what that one needs."""
    given = Assumptions(frozen=world.given.frozen | {name}, targets=world.given.targets)
    return [s.rstrip(".") for s in why_not(world.ground, given, effort)]
