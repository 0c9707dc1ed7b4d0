"""Whatever the world, the answer holds: checked against every possible answer, tried one by one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from reckless.errors import ResolutionError
from reckless.model.manifest import Builtin, Dependency, Release
from reckless.resolve.problem import Installed, Problem, Resolution, Wanted
from reckless.resolve.solver import resolve
from tests.resolve.worlds import manifest, problem, release

NAMES = ("ant", "bee", "cat", "dog", "emu")
VERSIONS = ("1", "2", "3rc1", "3")
BOUNDS = ("", "", ">=2", "<2", "==1", ">=3", "==3rc1", ">=4")
CODES = {
    "no-such-plugin", "no-such-version", "not-for-this-lightningd", "not-for-this-machine", "toolchain-missing",
    "yanked", "pinned", "conflict",
}  # fmt: skip

# --- the reference: plain rules, no cleverness --------------------------------------------------------------------

Pick = Release | Installed | str | None  # a release, what is here, "builtin", or nothing
Picks = dict[str, Pick]


def inside(bounds: SpecifierSet, version: Version) -> bool:
    return bounds.contains(version, prereleases=True)


def options(given_: Problem, name: str) -> list[Pick]:
    here = given_.installed.get(name)
    if here and given_.provided(name) and not (here.requested or here.pinned):
        here = None
    if given_.provided(name):
        return [here, None] if here else ["builtin", None]
    releases = list(given_.manifests[name].releases) if name in given_.manifests else []
    if here is None:
        return [*releases, None]
    if here.pinned:
        return [here]
    goes_back = any(not inside(w.specifier, here.version) for w in given_.wanted if w.name == name)
    moves = [r for r in releases if r.version > here.version or (goes_back and r.version < here.version)]
    return [here, *moves, None]


def usable(given_: Problem, release_: Release) -> bool:
    return "99" not in str(release_.cln) and release_.build.language != "rust"


def leave(given_: Problem, name: str, release_: Release, asking: list[SpecifierSet]) -> bool:
    wishes = [w.specifier for w in given_.wanted if w.name == name]
    here = given_.installed.get(name)
    asked_exactly = {r.version for r in given_.manifests[name].releases if SpecifierSet(f"=={r.version}") in wishes}
    finals = [
        r.version
        for r in given_.manifests[name].releases
        if usable(given_, r)
        and (r.yanked is None or r.version in asked_exactly)
        and not r.version.is_prerelease
    ] + [here.version for _ in [0] if here and not here.version.is_prerelease]  # fmt: skip
    if release_.yanked is not None and SpecifierSet(f"=={release_.version}") not in asking:
        return False
    if release_.version.is_prerelease and not given_.prereleases and finals:
        named = [b for b in asking if "rc" in str(b)]
        empty = [b for b in asking if inside(b, release_.version) and not any(inside(b, v) for v in finals)]
        return any(inside(b, release_.version) for b in named) or any("rc" in str(w) for w in wishes) or bool(empty)
    return True


def version_of(pick: Pick) -> Version:
    assert isinstance(pick, (Release, Installed))
    return pick.version


def meets(given_: Problem, name: str, pick: Pick, bounds: SpecifierSet) -> bool:
    return pick is not None and (given_.provided(name) or inside(bounds, version_of(pick)))


def broken_before(given_: Problem, kind: str, other: Dependency) -> bool:
    here = given_.installed.get(other.name)
    if here and given_.provided(other.name) and not (here.requested or here.pinned):
        here = None
    hit = here is not None and inside(other.specifier, here.version)
    return hit if kind == "conflicts" else not hit and not given_.provided(other.name)


def relations(given_: Problem, name: str, pick: Pick) -> Iterator[tuple[str, Dependency]]:
    if not isinstance(pick, (Release, Installed)):
        return
    for kind, others in (("depends", pick.depends), ("conflicts", pick.conflicts)):
        for other in others:
            tolerated = (
                isinstance(pick, Installed)
                and name not in {w.name for w in given_.wanted}
                and broken_before(given_, kind, other)
            )
            if other.name != name and not tolerated:
                yield kind, other


def holds(given_: Problem, picks: Picks) -> bool:
    """Whether a choice for every name keeps every rule."""
    roots = {w.name for w in given_.wanted} | {n for n, i in given_.installed.items() if i.requested or i.pinned}
    asking: dict[str, list[SpecifierSet]] = {}
    for wish in given_.wanted:
        if not meets(given_, wish.name, picks.get(wish.name), wish.specifier):
            return False
        asking.setdefault(wish.name, []).append(wish.specifier)
    todo, reached = sorted(roots), set()
    while todo:
        name = todo.pop()
        if name in reached:
            continue
        reached.add(name)
        if picks.get(name) is None:
            return False
        for kind, other in relations(given_, name, picks[name]):
            against = picks.get(other.name)
            if kind == "depends":
                todo.append(other.name)
                asking.setdefault(other.name, []).append(other.specifier)
                if not meets(given_, other.name, against, other.specifier):
                    return False
            elif isinstance(against, (Release, Installed)) and inside(other.specifier, against.version):
                return False
    if reached != {n for n, pick in picks.items() if pick is not None}:
        return False
    return all(
        usable(given_, pick) and leave(given_, name, pick, asking.get(name, []))
        for name, pick in picks.items()
        if isinstance(pick, Release)
    )


def every_answer(given_: Problem) -> list[Picks]:
    names = sorted({*given_.manifests, *given_.installed, *given_.builtins})
    everything = product(*(options(given_, n) for n in names))
    return [picks for picks in (dict(zip(names, p, strict=True)) for p in everything) if holds(given_, picks)]


def as_picks(given_: Problem, answer: Resolution) -> Picks:
    names = {*given_.manifests, *given_.installed, *given_.builtins}
    picks: Picks = dict.fromkeys(names)
    for choice in answer.choices:
        if choice.kind == "builtin":
            picks[choice.name] = "builtin"
        elif choice.kind == "keep":
            picks[choice.name] = given_.installed[choice.name]
        else:
            picks[choice.name] = choice.release
    return picks


def moved(given_: Problem, picks: Picks) -> set[str]:
    """Installed plugins that move although nobody asked for that."""
    free = {
        n
        for n, i in given_.installed.items()
        if n not in given_.upgrade
        and not any(w.name == n and not inside(w.specifier, i.version) for w in given_.wanted)
    }
    return {n for n in free if isinstance(picks.get(n), Release)}


# --- worlds -------------------------------------------------------------------------------------------------------

some = st.integers(0, 9)


@st.composite
def others(draw: st.DrawFn, name: str, most: int) -> list[str]:
    found = draw(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(BOUNDS)), max_size=most))
    return [f"{n}{b}" for n, b in found if n != name]


@st.composite
def releases(draw: st.DrawFn, name: str) -> list[Release]:
    return [
        release(
            version,
            *draw(others(name, 2)),
            conflicts=draw(others(name, 1)),
            cln=">=99" if draw(some) == 0 else "",
            language="rust" if draw(some) == 0 else "python",
            yanked="broken" if draw(some) == 0 else None,
        )
        for version in draw(st.lists(st.sampled_from(VERSIONS), unique=True, max_size=4))
    ]


@st.composite
def here(draw: st.DrawFn, name: str, listed: list[Release]) -> Installed:
    if listed and draw(some) > 2:
        base = draw(st.sampled_from(listed))
    else:
        base = release(draw(st.sampled_from(VERSIONS)), *draw(others(name, 1)), conflicts=draw(others(name, 1)))
    return Installed(
        name=name,
        version=base.version,
        depends=base.depends,
        conflicts=base.conflicts,
        requested=draw(some) > 2,
        pinned=draw(some) == 0,
    )


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    names = NAMES[: draw(st.integers(2, 5))]
    index = {n: draw(releases(n)) for n in names if draw(some) > 0}
    there = {n: draw(here(n, index.get(n, []))) for n in names if draw(some) > 5}
    wishes = draw(st.lists(st.tuples(st.sampled_from(names), st.sampled_from(BOUNDS)), max_size=2))
    builtins = [Builtin(name=n, since=Version("23.02")) for n in names if draw(some) == 0]
    return replace(
        problem(builtins=builtins, prereleases=draw(some) == 0, manifests=[manifest(n, *r) for n, r in index.items()]),
        wanted=tuple(Wanted(name=n, specifier=SpecifierSet(b)) for n, b in wishes),
        installed=there,
        upgrade=frozenset(n for n in there if draw(some) > 6),
    )


thorough = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@given(problems())
@thorough
def test_an_answer_keeps_every_rule_and_there_is_one_whenever_there_can_be(given_: Problem) -> None:
    possible = every_answer(given_)
    try:
        answer = resolve(given_)
    except ResolutionError as error:
        assert error.code in CODES
        assert error.message.endswith(".")
        assert error.hint
        assert not possible, f"refused ({error.message}), yet there is {possible[0]}"
        return
    picks = as_picks(given_, answer)
    assert picks in possible
    asked = [p for p in possible if all(p[n] == picks[n] for n in given_.upgrade)]
    assert len(moved(given_, picks)) == min(len(moved(given_, p)) for p in asked)


@given(problems())
@thorough
def test_what_nothing_needs_is_unneeded_and_nothing_else(given_: Problem) -> None:
    try:
        answer = resolve(given_)
    except ResolutionError:
        return
    running = {c.name for c in answer.choices if c.kind != "builtin"}
    assert set(answer.unneeded) == set(given_.installed) - running
    assert not any(given_.installed[n].requested or given_.installed[n].pinned for n in answer.unneeded)


@given(problems())
@thorough
def test_when_nothing_is_asked_everything_stays(given_: Problem) -> None:
    answer = resolve(replace(given_, wanted=(), upgrade=frozenset()))
    kept = {c.name for c in answer.choices if c.kind == "keep"}
    assert {n for n, i in given_.installed.items() if i.requested or i.pinned} <= kept
    assert all(c.kind in {"keep", "builtin"} for c in answer.choices)


@given(problems())
@thorough
def test_dependencies_come_first_unless_they_go_round_in_circles(given_: Problem) -> None:
    try:
        answer = resolve(given_)
    except ResolutionError:
        return
    order = [c.name for c in answer.choices]
    picks = as_picks(given_, answer)
    needs = {n: {o.name for kind, o in relations(given_, n, picks[n]) if kind == "depends"} for n in order}
    far = {n: set(needs[n]) for n in order}
    for _ in order:
        far = {n: found.union(*(far[m] for m in found)) for n, found in far.items()}
    for name in order:
        for needed in needs[name]:
            assert order.index(needed) < order.index(name) or name in far[needed]


@given(problems(), st.randoms(use_true_random=False))
@thorough
def test_the_order_in_which_things_are_given_changes_nothing(given_: Problem, chance: random.Random) -> None:
    def shuffled(mapping: dict) -> dict:
        items = list(mapping.items())
        chance.shuffle(items)
        return dict(items)

    other = replace(
        given_,
        wanted=tuple(chance.sample(given_.wanted, len(given_.wanted))),
        installed=shuffled(given_.installed),
        manifests={
            n: replace(m, releases=tuple(chance.sample(m.releases, len(m.releases))))
            for n, m in shuffled(given_.manifests).items()
        },
        builtins=shuffled(given_.builtins),
    )
    assert told(given_) == told(other)


def told(given_: Problem) -> object:
    try:
        return resolve(given_)
    except ResolutionError as error:
        return (error.code, error.message, error.hint, error.detail)
