"""What goes when plugins are uninstalled, and what speaks against it."""

from __future__ import annotations

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from reckless.errors import ResolutionError
from reckless.model.manifest import Dependency
from reckless.resolve.problem import Installed
from reckless.resolve.solver import removal
from tests.resolve.worlds import installed


def here(*plugins: Installed) -> dict[str, Installed]:
    return {p.name: p for p in plugins}


def test_what_others_need_stays_and_they_are_named() -> None:
    state = here(
        installed("b", "1"), installed("a", "1.0", "b"), installed("c", "2.0", "b>=1"), installed("d", "1", "c")
    )
    with pytest.raises(ResolutionError) as caught:
        removal(state, ["b"])
    assert caught.value.code == "still-needed"
    assert caught.value.message == "b is still needed by a 1.0 and c 2.0; nothing was removed"
    assert caught.value.hint == "`reckless uninstall b a c d` removes them together"
    assert set(removal(state, ["b", "a", "c", "d"])) == {"a", "b", "c", "d"}


def test_a_plugin_and_what_needs_it_go_together_dependents_first() -> None:
    assert removal(here(installed("a", "1"), installed("b", "1", "a")), ["a", "b"]) == ("b", "a")


def test_dependencies_go_with_the_last_that_needs_them() -> None:
    state = here(
        installed("a", "1", "lib"), installed("b", "1", "lib"), installed("lib", "1", "base", requested=False),
        installed("base", "1", requested=False),
    )  # fmt: skip
    assert removal(state, ["a"]) == ("a",)
    assert removal(state, ["a", "b"]) == ("b", "a", "lib", "base")


def test_what_a_person_asked_for_or_pinned_never_goes_along() -> None:
    state = here(installed("a", "1", "b", "c"), installed("b", "1"), installed("c", "1", requested=False, pinned=True))
    assert removal(state, ["a"]) == ("a",)


def test_a_circle_of_dependencies_goes_with_the_one_that_was_asked_for() -> None:
    state = here(installed("a", "1", "b"), installed("b", "1", "a", requested=False))
    assert set(removal(state, ["a"])) == {"a", "b"}
    with pytest.raises(ResolutionError, match="b is still needed by a 1; nothing was removed"):
        removal(state, ["b"])


def test_what_has_nothing_to_do_with_it_stays() -> None:
    stray = installed("stray", "1", "lib", requested=False)
    state = here(installed("a", "1", "lib"), stray, installed("lib", "1", requested=False))
    assert removal(state, ["a"]) == ("a",)


def test_what_the_node_ships_is_not_missed() -> None:
    state = here(installed("summary", "1", "commando"), installed("commando", "0.2"))
    assert removal(state, ["commando"], provided={"commando"}) == ("commando",)


def test_what_is_not_here_cannot_go() -> None:
    with pytest.raises(ResolutionError) as caught:
        removal(here(installed("a", "1")), ["b", "a", "c"])
    assert (caught.value.code, caught.value.message) == (
        "not-installed", "b and c are not installed; nothing was removed",
    )  # fmt: skip


def test_nothing_named_nothing_goes() -> None:
    assert removal(here(installed("stray", "1", requested=False)), []) == ()


NAMES = "abcdef"


@st.composite
def states(draw: st.DrawFn) -> dict[str, Installed]:
    rows = {}
    for name in draw(st.permutations(NAMES)):
        needs = draw(st.lists(st.sampled_from(NAMES), max_size=2, unique=True))
        rows[name] = installed(name, "1", *needs, requested=draw(st.booleans()), pinned=draw(st.integers(0, 9)) == 9)
    return rows


@given(states(), st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
def test_nothing_that_stays_ever_loses_what_it_needs(state: dict[str, Installed], names: list[str]) -> None:
    def needs(name: str) -> set[str]:
        return {d.name for d in state[name].depends if d.name != name}

    try:
        gone = removal(state, names)
    except ResolutionError:
        event("refused")
        return
    assert gone == removal(dict(sorted(state.items())), sorted(names))
    assert set(names) <= set(gone)
    assert all(not state[n].requested and not state[n].pinned for n in set(gone) - set(names))
    for name in set(state) - set(gone):
        assert not needs(name) & set(gone)
    assert all(isinstance(d, Dependency) for n in gone for d in state[n].depends)
