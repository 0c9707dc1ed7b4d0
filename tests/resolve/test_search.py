"""The search finds an answer whenever there is one, and none where there is none, in worlds that are hard for it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from reckless.model.manifest import Release
from reckless.resolve.effort import Effort, OutOfEffort
from reckless.resolve.exhaust import Exhaustive
from reckless.resolve.ground import Ground
from reckless.resolve.search import search
from reckless.resolve.world import Assumptions, World
from tests.resolve.worlds import installed, problem, refused, release

NAMES = "abcdef"
BOUNDS = ("", "", "", ">=2", "<2", "==2", "==3", "<3")
Index = dict[str, list[Release]]
# Worlds in which resolvelib 1.2.1 misses the only answer, or gives one that breaks a rule.
MISLEADING = (8664, 18008, 19182, 21551, 23324, 24357, 32785, 38500)


def dense(seed: int) -> tuple[Index, list[str]]:
    """A world in which everything depends on and excludes everything else, and what is wanted."""
    chance = random.Random(seed)
    index: Index = {}
    depending, excluding = chance.choice([0.3, 0.5, 0.8]), chance.choice([0, 0.1, 0.3])
    for name in NAMES:
        index[name] = []
        for version in chance.sample(("1", "2", "3"), chance.randint(1, 3)):
            rest = [n for n in NAMES if n != name]
            depends = [n + chance.choice(BOUNDS) for n in chance.sample(rest, 2) if chance.random() < depending]
            conflicts = [n + chance.choice(BOUNDS) for n in chance.sample(rest, 2) if chance.random() < excluding]
            index[name].append(release(version, *depends, conflicts=conflicts))
    return index, chance.sample(NAMES, chance.randint(1, 2))


def peaceful(picks: dict[str, Release]) -> bool:
    return not any(
        c.name != name and c.name in picks and c.specifier.contains(picks[c.name].version)
        for name, pick in picks.items()
        for c in pick.conflicts
    )


def possible(index: Index, picks: dict[str, Release], todo: list[tuple[str, SpecifierSet]]) -> bool:
    """Whether everything to do can be done: plain trying out."""
    if not todo:
        return True
    (name, bounds), rest = todo[0], todo[1:]
    if name in picks:
        return bounds.contains(picks[name].version) and possible(index, picks, rest)
    fitting = [r for r in index[name] if bounds.contains(r.version) and peaceful({**picks, name: r})]
    return any(
        possible(index, {**picks, name: r}, [*rest, *((d.name, d.specifier) for d in r.depends)]) for r in fitting
    )


def check(seed: int) -> None:
    index, wanted = dense(seed)
    world = World(Ground(problem(*wanted, index=index)), Assumptions())
    expected = possible(index, {}, [(name, SpecifierSet()) for name in wanted])
    for answer in (search(world, Effort(10_000)), Exhaustive(world, Effort(10_000)).answer()):
        assert (answer is not None) == expected
        if answer is not None:
            picks = {name: c.release for name, c in answer.items() if c.release}
            needs = [d for pick in picks.values() for d in pick.depends]
            assert set(wanted) <= set(picks)
            assert peaceful(picks)
            assert all(d.name in picks and d.specifier.contains(picks[d.name].version) for d in needs)


@pytest.mark.parametrize("seed", MISLEADING)
def test_where_resolvelib_is_misled_the_exhaustive_search_decides(seed: int) -> None:
    check(seed)


@given(st.integers(0, 10**9))
@settings(max_examples=300, deadline=None)
def test_there_is_an_answer_exactly_where_trying_everything_finds_one(seed: int) -> None:
    check(seed)


def test_a_search_that_runs_out_of_effort_says_so() -> None:
    index, wanted = dense(1)
    for run in (search, lambda world, effort: Exhaustive(world, effort).answer()):
        with pytest.raises(OutOfEffort):
            run(World(Ground(problem(*wanted, index=index)), Assumptions()), Effort(0))


def test_plugins_that_have_nothing_to_do_with_it_do_not_make_a_refusal_harder() -> None:
    others = {f"other{n}": [release(str(v), f"lib{n}") for v in range(1, 11)] for n in range(40)}
    others |= {f"lib{n}": [release(str(v)) for v in range(1, 11)] for n in range(40)}
    index = {**others, "a": [release("1", "zed>=2")], "zed": [release("1"), release("2")]}
    here = [installed(f"other{n}", "1", f"lib{n}") for n in range(40)]
    here += [installed(f"lib{n}", "1", requested=False) for n in range(40)]
    error = refused(problem("a", index=index, here=[*here, installed("zed", "1"), installed("yak", "1", "zed<2")]))
    assert error.message == (
        "a 1, which you asked for, depends on zed>=2. yak 1 (installed) depends on zed<2. "
        "No release of zed suits them all: there are 2 and 1."
    )
    assert error.hint == "`reckless uninstall yak`"
