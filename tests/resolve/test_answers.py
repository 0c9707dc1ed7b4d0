"""What is chosen, in which order, and what is said about it."""

from __future__ import annotations

import sys

import pytest
from packaging.version import Version

from reckless.errors import ResolutionError
from reckless.model.machine import Machine
from reckless.model.manifest import Builtin
from reckless.resolve.problem import Choice, Problem
from reckless.resolve.solver import resolve
from tests.resolve.worlds import chosen, installed, manifest, problem, refused, release

COMMANDO = Builtin(name="commando", since=Version("0.12.0"))


def choice(given: Problem, name: str) -> Choice:
    return next(c for c in resolve(given).choices if c.name == name)


# --- newest, with what it needs, dependencies first


def test_the_newest_release_and_what_it_needs_dependencies_first() -> None:
    given = problem(
        "summary",
        index={
            "summary": [release("1.0"), release("1.2.0", "datastore", "commando>=0.2")],
            "commando": [release("0.1"), release("0.2", "runes"), release("0.3", "runes")],
            "datastore": [release("1.0")],
            "runes": [release("2.0")],
        },
    )
    assert chosen(resolve(given)) == [
        "install runes 2.0", "install commando 0.3", "install datastore 1.0", "install summary 1.2.0",
    ]  # fmt: skip
    assert choice(given, "commando").because == ("summary 1.2.0 depends on commando>=0.2",)
    assert choice(given, "summary").because == ("you asked for it",)
    assert choice(given, "summary").requested
    assert not choice(given, "commando").requested
    assert choice(given, "commando").release is not None


def test_an_older_release_where_the_newest_cannot_have_what_it_needs_and_why() -> None:
    given = problem("a", index={"a": [release("2.0", "b>=2"), release("1.0", "b")], "b": [release("1.0")]})
    assert chosen(resolve(given)) == ["install b 1.0", "install a 1.0"]
    assert choice(given, "a").held_back == "a 2.0 depends on b>=2. No release of b is within >=2: there is 1.0."
    assert " ".join(resolve(given).notes) == (
        "a comes as 1.0, though there is a newer release. a 2.0 depends on b>=2. "
        "No release of b is within >=2: there is 1.0"
    )


def test_a_circle_starts_at_the_same_place_whatever_was_asked() -> None:
    index = {"a": [release("1", "b")], "b": [release("1", "c")], "c": [release("1", "a")]}
    for wish in "abc":
        assert chosen(resolve(problem(wish, index=index))) == ["install c 1", "install b 1", "install a 1"]


def test_a_plugin_that_names_itself_means_nothing_by_it() -> None:
    given = problem("a", index={"a": [release("1", "a>=2", conflicts=["a"])]})
    assert chosen(resolve(given)) == ["install a 1"]


def test_the_same_plugin_asked_for_twice_is_within_both_bounds() -> None:
    given = problem("a>=1.1", "a<2", index={"a": [release("1.0"), release("1.5"), release("2.0")]})
    assert chosen(resolve(given)) == ["install a 1.5"]


# --- what is installed stays


def test_what_is_installed_stays_while_others_come() -> None:
    given = problem(
        "new", index={"new": [release("1", "b")], "b": [release("1"), release("2")]}, here=[installed("b", "1")]
    )
    assert chosen(resolve(given)) == ["keep b 1", "install new 1"]
    assert choice(given, "b").because == ("you asked for it before", "new 1 depends on b")
    assert choice(given, "b").release is not None


def test_asked_for_again_it_stays_and_counts_as_asked_for() -> None:
    here = [installed("b", "1", requested=False)]
    given = problem("b", index={"b": [release("1"), release("2")]}, here=here)
    assert chosen(resolve(given)) == ["keep b 1"]
    assert choice(given, "b").requested


def test_it_moves_where_what_was_asked_needs_it_to_and_says_so() -> None:
    index = {"new": [release("1", "b>=2")], "b": [release("1"), release("2"), release("3")]}
    given = problem("new", index=index, here=[installed("b", "1")])
    assert chosen(resolve(given)) == ["upgrade b 3", "install new 1"]
    assert choice(given, "b").before == Version("1")
    assert "new 1 depends on b>=2" in choice(given, "b").because


def test_it_moves_out_of_the_way_of_a_conflict_and_says_so() -> None:
    index = {"new": [release("1", conflicts=["b<2"])], "b": [release("1"), release("2")]}
    given = problem("new", index=index, here=[installed("b", "1")])
    assert chosen(resolve(given)) == ["upgrade b 2", "install new 1"]
    assert choice(given, "b").because == ("you asked for it before", "new 1 conflicts with b<2")


def test_a_move_that_nobody_names_is_explained_too() -> None:
    index = {
        "new": [release("1", "c>=2")], "b": [release("1", "c<2"), release("2", "c")], "c": [release("1"), release("2")],
    }  # fmt: skip
    here = [installed("b", "1", "c<2"), installed("c", "1", requested=False)]
    given = problem("new", index=index, here=here)
    assert chosen(resolve(given)) == ["upgrade c 2", "upgrade b 2", "install new 1"]
    assert choice(given, "b").because == (
        "you asked for it before",
        "new 1, which you asked for, depends on c>=2",
        "b 1 is installed, and moves only when that is asked for",
        "b 1 (installed) depends on c<2",
        "No release of c suits them all: there are 2 and 1",
    )


def test_an_older_new_plugin_is_better_than_moving_what_is_installed() -> None:
    index = {"new": [release("2", "b>=2"), release("1", "b")], "b": [release("1"), release("2")]}
    given = problem("new", index=index, here=[installed("b", "1")])
    assert chosen(resolve(given)) == ["keep b 1", "install new 1"]
    assert choice(given, "new").held_back == (
        "new 2 depends on b>=2. b 1 is installed, and moves only when that is asked for."
    )


def test_of_two_ways_the_one_that_moves_fewer() -> None:
    index = {
        "new": [release("2", "b>=2", "c>=2"), release("1", "b>=2")],
        "b": [release("1"), release("2")],
        "c": [release("1"), release("2")],
    }
    given = problem("new", index=index, here=[installed("b", "1"), installed("c", "1")])
    assert chosen(resolve(given)) == ["upgrade b 2", "keep c 1", "install new 1"]


def test_it_goes_back_only_when_that_was_asked_for() -> None:
    index = {"b": [release("1"), release("2"), release("3")], "new": [release("1", "b<2")]}
    here = [installed("b", "2")]
    assert chosen(resolve(problem("b==1", index=index, here=here))) == ["downgrade b 1"]
    assert chosen(resolve(problem("b<2", index=index, here=here))) == ["downgrade b 1"]
    assert refused(problem("new", index=index, here=here)).code == "conflict"
    assert chosen(resolve(problem("new", "b==1", index=index, here=here))) == ["downgrade b 1", "install new 1"]


def test_what_the_index_no_longer_lists_stays_and_still_counts() -> None:
    here = [installed("old", "1", "b<2", conflicts=["c"])]
    index = {"b": [release("1"), release("2")], "c": [release("1")]}
    given = problem("b", index=index, here=[*here, installed("b", "1", requested=False)])
    assert chosen(resolve(given)) == ["keep b 1", "keep old 1"]
    assert choice(given, "old").release is None
    assert refused(problem("c", index=index, here=[*here, installed("b", "1")])).code == "conflict"


def test_an_installed_plugin_that_does_not_fit_the_node_stops_nobody() -> None:
    given = problem("new", index={"new": [release("1")]}, here=[installed("old", "1", cln="<25")])
    assert chosen(resolve(given)) == ["install new 1", "keep old 1"]
    assert resolve(given).notes == ("old 1 needs lightningd <25, and this one is v26.06.6",)


def test_what_was_broken_before_stops_nobody_and_is_mended_when_asked_for() -> None:
    index = {"new": [release("1")], "old": [release("1", "b")], "b": [release("1")]}
    here = [installed("old", "1", "b")]
    resolution = resolve(problem("new", index=index, here=here))
    assert chosen(resolution) == ["install new 1", "keep old 1"]
    assert resolution.notes == ("old 1 depends on b, which is not installed: `reckless install old` mends it",)
    assert chosen(resolve(problem("old", index=index, here=here))) == ["install b 1", "keep old 1"]


def test_two_that_should_not_be_here_together_stop_nobody() -> None:
    here = [installed("x", "1", conflicts=["y"]), installed("y", "1")]
    resolution = resolve(problem("new", index={"new": [release("1")]}, here=here))
    assert chosen(resolution) == ["install new 1", "keep x 1", "keep y 1"]
    assert resolution.notes == ("x 1 conflicts with y, and 1 is installed",)


# --- upgrade


def test_upgrade_takes_the_newest_that_fits_and_takes_dependencies_along() -> None:
    index = {
        "a": [release("3", "b>=2"), release("2", "b"), release("1", "b")],
        "b": [release("1"), release("2")],
        "c": [release("1"), release("2")],
    }
    here = [installed("a", "1", "b"), installed("b", "1", requested=False), installed("c", "1")]
    given = problem(index=index, here=here, upgrade=["a"])
    assert chosen(resolve(given)) == ["upgrade b 2", "upgrade a 3", "keep c 1"]
    assert choice(given, "a").because == ("you asked for it",)


def test_upgrade_says_what_holds_it_back() -> None:
    index = {"a": [release("2", cln=">=27.02"), release("1")], "b": [release("3", "c>=2"), release("1")],
             "c": [release("1"), release("2")]}  # fmt: skip
    here = [installed("a", "1"), installed("b", "1"), installed("c", "1", pinned=True)]
    given = problem(index=index, here=here, upgrade=["a", "b", "c"])
    assert chosen(resolve(given)) == ["keep a 1", "keep b 1", "keep c 1"]
    assert resolve(given).notes == (
        "a stays at 1, though there is a newer release. a 2 needs lightningd >=27.02, and this one is v26.06.6",
        "b stays at 1, though there is a newer release. b 3 depends on c>=2. c is pinned at 1",
        "c is pinned at 1, so it stays, though 2 is out (`reckless unpin c`)",
    )


def test_upgrade_of_two_that_exclude_each_others_newest_decides_by_name() -> None:
    index = {
        "a": [release("2", conflicts=["b>=2"]), release("1")], "b": [release("2"), release("1")],
    }  # fmt: skip
    given = problem(index=index, here=[installed("a", "1"), installed("b", "1")], upgrade=["a", "b"])
    assert chosen(resolve(given)) == ["upgrade a 2", "keep b 1"]
    assert choice(given, "b").held_back == "a 2 conflicts with b>=2. Of b there is only 2."


def test_upgrade_leaves_what_is_newer_than_the_index() -> None:
    given = problem(index={"a": [release("1")]}, here=[installed("a", "2")], upgrade=["a"])
    assert chosen(resolve(given)) == ["keep a 2"]
    assert choice(given, "a").held_back == ""


def test_a_dependency_that_nothing_needs_after_the_upgrade_goes() -> None:
    index = {"a": [release("2"), release("1", "b")], "b": [release("1", "c")], "c": [release("1")]}
    here = [
        installed("a", "1", "b"), installed("b", "1", "c", requested=False), installed("c", "1", requested=False),
    ]  # fmt: skip
    resolution = resolve(problem(index=index, here=here, upgrade=["a"]))
    assert chosen(resolution) == ["upgrade a 2"]
    assert resolution.unneeded == ("b", "c")


def test_a_dependency_that_is_in_the_way_of_the_release_that_no_longer_needs_it_goes() -> None:
    index = {"a": [release("2", conflicts=["b"]), release("1", "b")], "b": [release("1")]}
    here = [installed("a", "1", "b"), installed("b", "1", requested=False)]
    resolution = resolve(problem(index=index, here=here, upgrade=["a"]))
    assert chosen(resolution) == ["upgrade a 2"]
    assert resolution.unneeded == ("b",)


def test_a_pinned_dependency_is_never_unneeded() -> None:
    resolution = resolve(problem(here=[installed("b", "1", requested=False, pinned=True)]))
    assert chosen(resolution) == ["keep b 1"]
    assert resolution.unneeded == ()
    assert resolution.choices[0].because == ("you pinned it",)


# --- conflicts


@pytest.mark.parametrize("declared_by", ["a", "b"])
@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_a_conflict_holds_whoever_declares_it(declared_by: str, order: tuple[str, str]) -> None:
    other = {"a": "b", "b": "a"}[declared_by]
    index = {declared_by: [release("1", conflicts=[f"{other}<2"])], other: [release("1"), release("2")]}
    assert f"install {other} 2" in chosen(resolve(problem(*order, index=index)))
    assert refused(problem("a", "b", f"{other}<2", index=index)).code == "conflict"


def test_a_conflict_with_what_is_not_here_means_nothing() -> None:
    given = problem("a", index={"a": [release("1", conflicts=["b"])], "b": [release("1")]})
    assert chosen(resolve(given)) == ["install a 1"]


# --- built-ins


def test_what_the_node_ships_is_not_installed_and_meets_any_bounds() -> None:
    index = {"commando": [release("0.2", cln="<0.12")], "summary": [release("1", "commando>=9")]}
    given = problem("commando", index=index, builtins=[COMMANDO])
    assert chosen(resolve(given)) == ["builtin commando 26.6.6"]
    assert choice(given, "commando").release is None
    assert resolve(given).notes == ()
    dependent = resolve(problem("summary", index=index, builtins=[COMMANDO]))
    assert chosen(dependent) == ["builtin commando 26.6.6", "install summary 1"]
    assert dependent.notes == ()


def test_bounds_on_what_the_node_ships_are_said_to_mean_the_separate_plugin() -> None:
    assert resolve(problem("commando==0.2", builtins=[COMMANDO])).notes[0] == (
        "commando==0.2 speaks of the separate plugin: the built-in one has lightningd's version"
    )


def test_an_older_node_gets_the_separate_plugin() -> None:
    index = {"commando": [release("0.2", cln="<0.12")]}
    given = problem("commando", index=index, builtins=[COMMANDO], lightningd="v0.11.2")
    assert chosen(resolve(given)) == ["install commando 0.2"]


def test_no_conflict_reaches_what_the_node_ships() -> None:
    given = problem("a", "commando", index={"a": [release("1", conflicts=["commando"])]}, builtins=[COMMANDO])
    assert chosen(resolve(given)) == ["install a 1", "builtin commando 26.6.6"]


def test_a_separate_plugin_that_the_node_now_ships_stays_where_a_person_asked_for_it() -> None:
    given = problem(here=[installed("commando", "0.2")], builtins=[COMMANDO], upgrade=["commando"])
    assert chosen(resolve(given)) == ["keep commando 0.2"]
    assert " ".join(resolve(given).notes) == (
        "commando 0.2 is installed, and lightningd has it built in since v0.12.0: "
        "`reckless uninstall commando` leaves the built-in one"
    )


def test_a_separate_dependency_that_the_node_now_ships_goes() -> None:
    here = [installed("summary", "1", "commando>=0.1"), installed("commando", "0.2", requested=False)]
    resolution = resolve(problem(here=here, builtins=[COMMANDO]))
    assert chosen(resolution) == ["builtin commando 26.6.6", "keep summary 1"]
    assert resolution.unneeded == ("commando",)
    assert resolution.notes == (
        "commando came as a dependency, and is built into this lightningd: the separate plugin goes",
    )


def test_where_the_node_is_not_known_only_what_every_node_ships_is_built_in() -> None:
    pay = Builtin(name="pay", since=Version("0.7.0"))
    index = {"commando": [release("0.2", cln="<0.12")], "pay": [release("1")]}
    resolution = resolve(problem("commando", "pay", index=index, builtins=[COMMANDO, pay], lightningd=None))
    assert chosen(resolution) == ["install commando 0.2", "builtin pay 0.10"]
    assert "lightningd's version is not known, so nothing was checked against it" in resolution.notes


# --- lightningd, toolchains, binaries


def test_a_release_candidate_of_lightningd_counts_as_its_release() -> None:
    given = problem("a", index={"a": [release("1", cln=">=24.11")]}, lightningd="v24.11rc2")
    assert chosen(resolve(given)) == ["install a 1"]


def test_a_release_for_another_node_or_toolchain_is_passed_over_and_that_is_said() -> None:
    releases = [release("3", cln=">=27"), release("2", language="rust"), release("1")]
    given = problem("a", index={"a": releases})
    assert chosen(resolve(given)) == ["install a 1"]
    assert choice(given, "a").held_back == "a 3 needs lightningd >=27, and this one is v26.06.6."


def test_any_python_of_the_machine_will_do() -> None:
    assert chosen(resolve(problem("a", index={"a": [release("1", toolchain="<3.10")]}))) == ["install a 1"]


def test_scripts_and_ready_made_programs_need_no_toolchain() -> None:
    bare = Machine(os="linux", arch="x86_64", libc="gnu")
    index = {
        "a": [release("1", language="script")],
        "b": [release("1", language="prebuilt", targets=["x86_64-linux-gnu"])],
    }
    assert chosen(resolve(problem("a", "b", index=index, machine=bare))) == ["install a 1", "install b 1"]


def test_what_comes_ready_made_for_this_machine_needs_no_toolchain_either() -> None:
    index = {"a": [release("2", language="rust", targets=["x86_64-linux-gnu"]), release("1", language="go")]}
    assert chosen(resolve(problem("a", index=index))) == ["install a 2"]
    assert chosen(resolve(problem("a", index=index, from_source=["a"]))) == ["install a 1"]
    musl = Machine(os="linux", arch="x86_64", libc="musl", toolchains={"go": Version("1.22")})
    assert chosen(resolve(problem("a", index=index, machine=musl))) == ["install a 1"]


def test_what_is_installed_needs_no_toolchain_to_stay() -> None:
    given = problem(index={"a": [release("1", language="rust")]}, here=[installed("a", "1")], upgrade=["a"])
    assert chosen(resolve(given)) == ["keep a 1"]


# --- yanked and pre-releases


def test_yanked_is_taken_only_by_its_exact_version_and_said() -> None:
    index = {"a": [release("2", yanked="leaks the rune"), release("1")]}
    assert chosen(resolve(problem("a", index=index))) == ["install a 1"]
    assert refused(problem("a>=2", index=index)).code == "yanked"
    assert refused(problem("a==2.*", index=index)).code == "yanked"
    taken = resolve(problem("a==2", index=index))
    assert chosen(taken) == ["install a 2"]
    assert taken.notes == ("a 2 is yanked (leaks the rune); it was asked for by its exact version",)


def test_yanked_stays_where_it_is_installed_until_it_is_upgraded() -> None:
    index = {"a": [release("3"), release("2", yanked="broken"), release("1")], "b": [release("1", "a")]}
    here = [installed("a", "2")]
    resolution = resolve(problem("b", index=index, here=here))
    assert chosen(resolution) == ["keep a 2", "install b 1"]
    assert resolution.notes == ("a 2 is yanked (broken); it is installed",)
    assert chosen(resolve(problem(index=index, here=here, upgrade=["a"]))) == ["upgrade a 3"]


def test_a_pre_release_only_where_it_is_named_or_there_is_nothing_else() -> None:
    both = {"a": [release("2.0rc1"), release("1.0")]}
    assert chosen(resolve(problem("a", index=both))) == ["install a 1.0"]
    assert chosen(resolve(problem("a>=2.0rc1", index=both))) == ["install a 2.0rc1"]
    assert chosen(resolve(problem("a", index=both, prereleases=True))) == ["install a 2.0rc1"]
    only = resolve(problem("a", index={"a": [release("2.0rc1"), release("2.0b1")]}))
    assert chosen(only) == ["install a 2.0rc1"]
    assert only.notes == ("a 2.0rc1 is a pre-release",)
    beyond = resolve(problem("a>=1.5", index=both))
    assert chosen(beyond) == ["install a 2.0rc1"]


def test_a_dependency_may_name_a_pre_release() -> None:
    index = {"a": [release("1", "b>=2.0rc1")], "b": [release("2.0rc1"), release("1.0")], "c": [release("1", "b")]}
    here = [installed("b", "1.0"), installed("c", "1", "b")]
    assert "upgrade b 2.0rc1" in chosen(resolve(problem("a", index=index, here=here)))


def test_upgrade_takes_no_pre_release() -> None:
    index = {"a": [release("2.0rc1"), release("1.0")]}
    assert chosen(resolve(problem(index=index, here=[installed("a", "1.0")], upgrade=["a"]))) == ["keep a 1.0"]


# --- the rest


def test_an_archived_plugin_is_installed_with_a_word_about_what_replaces_it() -> None:
    given = problem("a", manifests=[manifest("a", release("1"), status="archived", replaced_by="b")])
    assert resolve(given).notes == ("a is archived; b replaces it",)


def test_nothing_asked_nothing_done() -> None:
    assert resolve(problem()).choices == ()


def test_the_world_may_be_large_where_the_closure_is_small() -> None:
    index = {f"p{n}": [release(f"{v}.0", f"p{n + 1}>={v}") for v in (1, 2, 3)] for n in range(4999)}
    index["p4999"] = [release("3.0")]
    assert len(resolve(problem("p4980", index=index)).choices) == 20


def test_a_long_chain_does_not_exhaust_the_stack() -> None:
    depth = 300
    index = {f"p{n}": [release("1", f"p{n + 1}")] for n in range(depth)}
    index[f"p{depth}"] = [release("1")]
    assert len(resolve(problem("p0", index=index)).choices) == depth + 1


def test_what_cannot_be_found_out_with_bounded_effort_ends_with_a_clear_error() -> None:
    names = [f"h{n}" for n in range(9)]
    index = {
        name: [release(str(v), conflicts=[f"{other}=={v}" for other in names if other != name]) for v in range(1, 9)]
        for name in names
    }
    error = refused(problem(*names, index=index))
    assert error.code == "too-hard"
    assert error.message == (
        "Too many releases exclude each other: 10000 attempts did not show whether any set of them fits."
    )


def test_the_search_library_is_not_loaded_before_it_is_needed() -> None:
    import subprocess

    program = "import sys, reckless.resolve.solver; sys.exit('resolvelib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_errors_are_of_the_family() -> None:
    with pytest.raises(ResolutionError):
        resolve(problem("nothing"))
