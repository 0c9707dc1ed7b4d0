"""Whatever the world, the answer holds: checked against every possible answer, tried one by one."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from reckless.errors import ResolutionError
from reckless.model.manifest import Builtin, Dependency, Release
from reckless.resolve.blame import blame
from reckless.resolve.effort import Effort
from reckless.resolve.ground import Ground
from reckless.resolve.problem import Installed, Problem, Resolution, Wanted
from reckless.resolve.solver import resolve
from reckless.resolve.world import Assumptions, World
from tests.resolve.worlds import manifest, problem, refused, release

NAMES = ("ant", "bee", "cat", "dog", "emu")
VERSIONS = ("1", "2", "3rc1", "3")
BOUNDS = (*[""] * 5, *[">=2"] * 4, *["<2"] * 3, *["==1"] * 2, ">=3", "<3", "==3rc1", ">=4")
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


def acceptable(given_: Problem, name: str, release_: Release) -> bool:
    """Whether a yanked release or a pre-release may be taken."""
    wishes = [w.specifier for w in given_.wanted if w.name == name]
    if release_.yanked is not None and SpecifierSet(f"=={release_.version}") not in wishes:
        return False
    here = given_.installed.get(name)
    finals = [
        r.version
        for r in given_.manifests[name].releases
        if usable(given_, r) and not r.version.is_prerelease
        and (r.yanked is None or SpecifierSet(f"=={r.version}") in wishes)
    ] + [here.version for _ in [0] if here and not here.version.is_prerelease]  # fmt: skip
    if not release_.version.is_prerelease or given_.prereleases or not finals or any("rc" in str(w) for w in wishes):
        return True
    bounds = [b for b in (*wishes, *in_play(given_, name)) if inside(b, release_.version)]
    return any("rc" in str(b) or not any(inside(b, v) for v in finals) for b in bounds)


def in_play(given_: Problem, name: str) -> list[SpecifierSet]:
    """The bounds on a name that anything within reach may bring."""
    todo, seen, bounds = [*(w.name for w in given_.wanted), *given_.installed], set(), []
    while todo:
        reached = todo.pop()
        if reached in seen:
            continue
        seen.add(reached)
        carriers = [*(given_.manifests[reached].releases if reached in given_.manifests else ())]
        for carrier in [*carriers, *([given_.installed[reached]] if reached in given_.installed else [])]:
            depends = [d for d in carrier.depends if d.name != reached]
            todo += [d.name for d in depends]
            bounds += [d.specifier for d in depends if d.name == name]
    return bounds


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
    for wish in given_.wanted:
        if not meets(given_, wish.name, picks.get(wish.name), wish.specifier):
            return False
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
                if not meets(given_, other.name, against, other.specifier):
                    return False
            elif isinstance(against, (Release, Installed)) and inside(other.specifier, against.version):
                return False
    if reached != {n for n, pick in picks.items() if pick is not None}:
        return False
    return all(
        usable(given_, pick) and acceptable(given_, name, pick)
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


def likely(chance: random.Random, tenths: int) -> bool:
    return chance.randrange(10) < tenths


def others(chance: random.Random, name: str, most: int) -> list[str]:
    count = chance.randint(0, most)
    return [f"{n}{chance.choice(BOUNDS)}" for n in chance.sample([n for n in NAMES if n != name], count)]


def some_releases(chance: random.Random, name: str) -> list[Release]:
    return [
        release(
            version,
            *others(chance, name, 2),
            conflicts=others(chance, name, 1) if likely(chance, 4) else (),
            cln=">=99" if likely(chance, 1) else "",
            language="rust" if likely(chance, 1) else "python",
            yanked="broken" if likely(chance, 1) else None,
        )
        for version in chance.sample(VERSIONS, chance.randint(1, 4))
    ]


def some_installed(chance: random.Random, name: str, listed: list[Release]) -> Installed:
    if listed and likely(chance, 8):
        base = min(chance.sample(listed, min(2, len(listed))), key=lambda r: r.version)
    else:
        base = release(chance.choice(VERSIONS), *others(chance, name, 1))
    return Installed(
        name=name,
        version=base.version,
        depends=base.depends,
        conflicts=base.conflicts,
        requested=likely(chance, 7),
        pinned=likely(chance, 1),
    )


def some_problem(chance: random.Random) -> Problem:
    names = NAMES[: chance.randint(3, 5)]
    index = {n: some_releases(chance, n) for n in names if likely(chance, 9)}
    there = {n: some_installed(chance, n, index.get(n, [])) for n in names if likely(chance, 5)}
    wishes = [(chance.choice(names), chance.choice(BOUNDS)) for _ in range(chance.choice((0, 1, 1, 2)))]
    builtins = [Builtin(name=n, since=Version("23.02")) for n in names if likely(chance, 1)]
    return replace(
        problem(
            builtins=builtins, prereleases=likely(chance, 1), manifests=[manifest(n, *r) for n, r in index.items()]
        ),
        wanted=tuple(Wanted(name=n, specifier=SpecifierSet(b)) for n, b in wishes),
        installed=there,
        upgrade=frozenset(n for n in there if likely(chance, 2)),
    )


def problems() -> st.SearchStrategy[Problem]:
    return st.randoms(use_true_random=True).map(some_problem)


thorough = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@given(problems())
@thorough
def test_an_answer_keeps_every_rule_and_there_is_one_whenever_there_can_be(given_: Problem) -> None:
    possible = every_answer(given_)
    if not possible:
        error = refused(given_)
        assert error.code in CODES
        assert error.message.endswith(".")
        assert error.hint
        return
    answer = resolve(given_)
    picks = as_picks(given_, answer)
    assert picks in possible
    asked = possible
    for name in sorted(n for n in given_.upgrade if isinstance(picks[n], (Release, Installed))):
        finals = [p[name] for p in asked if p[name] is not None and not version_of(p[name]).is_prerelease]
        assert version_of(picks[name]) >= max((version_of(f) for f in finals), default=version_of(picks[name]))
        asked = [p for p in asked if p[name] == picks[name]]
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


HELP = re.compile(
    r"`reckless (unpin|upgrade|uninstall|install) ([a-z ]+)(?:==(\S+))?`|(leave out) (\w+)|(install Rust)|(upgrade l)"
)


def helped(given_: Problem, hint: re.Match[str]) -> Problem | None:
    """The problem after a person has done what a hint says."""
    verb, names, version, leave_out, left_out, rust, _ = hint.groups()
    here_ = dict(given_.installed)
    if leave_out:
        return replace(given_, wanted=tuple(w for w in given_.wanted if w.name != left_out))
    if rust:
        toolchains = {**given_.machine.toolchains, "rust": Version("1.85")}
        return replace(given_, machine=replace(given_.machine, toolchains=toolchains))
    if verb == "unpin":
        here_[names] = replace(here_[names], pinned=False)
        return replace(given_, installed=here_)
    if verb == "uninstall":
        return replace(given_, installed={n: i for n, i in here_.items() if n not in names.split()})
    if verb == "install":
        wish = Wanted(name=names, specifier=SpecifierSet(f"=={version}"))
        return replace(given_, wanted=(*given_.wanted, wish))
    return replace(given_, lightningd=Version("99"))


@given(problems())
@thorough
def test_whatever_a_refusal_advises_helps(given_: Problem) -> None:
    if every_answer(given_):
        return
    error = refused(given_)
    if error.hint.startswith("more is in the way than this"):
        return
    for hint in HELP.finditer(error.hint):
        assert resolve(helped(given_, hint)), f"{error.message} {hint[0]}"


@given(problems())
@thorough
def test_a_refusal_blames_nothing_that_could_be_otherwise(given_: Problem) -> None:
    from reckless.resolve.search import find

    ground = Ground(given_)
    blamed = blame(ground, Assumptions(), Effort(10_000))
    assert bool(blamed) == (not every_answer(given_))
    everything = frozenset(World(ground, Assumptions()).facts())
    for fact in blamed:
        ignored = everything.difference(blamed) | {fact}
        assert find(World(ground, Assumptions(ignored=ignored)), Effort(10_000)) is not None, fact


@given(problems())
@thorough
def test_whoever_is_held_back_from_the_newest_final_release_is_told_why(given_: Problem) -> None:
    if not every_answer(given_):
        return
    for choice in resolve(given_).choices:
        listed = given_.manifests[choice.name].releases if choice.name in given_.manifests else ()
        newer = [
            r for r in listed if r.version > choice.version and r.yanked is None and not r.version.is_prerelease
            and all(inside(w.specifier, r.version) for w in given_.wanted if w.name == choice.name)
        ]  # fmt: skip
        asked = choice.name in given_.upgrade or choice.before is None
        if newer and asked and choice.requested and choice.kind != "builtin" and not given_.provided(choice.name):
            assert choice.held_back.endswith(".")
