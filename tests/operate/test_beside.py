"""Plugins that may not stand beside each other never do, and who is needed after all is there when it is over."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.operate.bench import Bench, Said, points
from tests.world import BREAKS_IN_INIT, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "world")


@pytest.fixture
def bench(make_bench: Callable[..., Bench], world: World) -> Bench:
    """anna 1.0.0 runs, and bert, which came with it."""
    add(world, "bert")
    add(world, "anna", depends=["bert"])
    made = make_bench()
    made("install", "anna")
    return made


def add(world: World, name: str, **release: object) -> None:
    """A copy of python-hello under another name, whose method and option have that name."""
    runtime = {"rpcmethods": [name], "options": [f"{name}-greeting"]}
    world.add_plugin("python-hello", name=name, versions=(), overrides={"runtime": runtime})
    edits = (("hello-greeting", f"{name}-greeting"), ('"name": "hello"', f'"name": "{name}"'))
    world.add_release(name, "1.0.0", edits=edits, overrides=release)


def running(bench: Bench) -> dict[str, str]:
    """What is installed, runs, and answers."""
    plugins = json.loads((bench.root / "state.json").read_text())["plugins"]
    assert len(bench.node.plugins()) == len(plugins)
    return {name: bench.node.cli(name)["version"] for name in sorted(plugins)}


def told(said: Said) -> list[str]:
    """What the node was told, in order: `stop bert`, `start anna`."""
    return [
        f"{verb} {step.split('/reckless/')[1].split('/')[0]}"
        for step in said.steps
        for verb in ("start", "stop")
        if step.startswith("subprocess.Popen") and (f" {verb} " in step or f"subcommand={verb} " in step)
    ]


def test_what_is_no_longer_needed_leaves_before_what_it_conflicts_with_comes(bench: Bench, world: World) -> None:
    add(world, "carl", conflicts=["bert"])
    world.add_release("anna", "2.0.0", depends=["carl"])

    said = bench("upgrade", "anna")

    assert told(said) == ["stop bert", "start carl", "stop anna", "start anna"]
    assert running(bench) == {"anna": "2.0.0", "carl": "1.0.0"}
    bench.check_clean()
    bench.check_boots()


def test_where_the_upgrade_fails_what_stood_aside_is_back(bench: Bench, world: World) -> None:
    add(world, "carl", conflicts=["bert"])
    world.add_release("anna", "2.0.0", depends=["carl"], edits=BREAKS_IN_INIT)

    said = bench("upgrade", "anna", status=1)

    assert "bert stays: anna 1.0.0 needs it" in said.text
    assert running(bench) == {"anna": "1.0.0", "bert": "1.0.0"}
    assert told(said)[-2:] == ["stop carl", "start bert"]
    bench.check_clean()
    bench.check_boots()


def test_what_the_old_release_needs_stays_where_the_new_one_does_not_run(bench: Bench, world: World) -> None:
    world.add_release("anna", "2.0.0", edits=BREAKS_IN_INIT)

    said = bench("upgrade", "anna", status=1)

    assert "bert stays: anna 1.0.0 needs it" in said.text
    assert "stop bert" not in told(said)
    assert running(bench) == {"anna": "1.0.0", "bert": "1.0.0"}


def test_what_conflicts_with_an_old_release_comes_once_that_has_gone(bench: Bench, world: World) -> None:
    world.add_release("anna", "2.0.0", depends=["bert"])
    add(world, "abel", conflicts=["anna<2"])

    said = bench("install", "abel")

    assert told(said) == ["stop anna", "start anna", "start abel"]
    assert running(bench) == {"abel": "1.0.0", "anna": "2.0.0", "bert": "1.0.0"}


def test_where_the_old_release_stays_what_conflicts_with_it_does_not_come(bench: Bench, world: World) -> None:
    world.add_release("anna", "2.0.0", depends=["bert"], edits=BREAKS_IN_INIT)
    add(world, "abel", conflicts=["anna<2"])

    said = bench("-j", "install", "abel", status=1)

    outcomes = {o["name"]: o for o in said.json["result"]}
    assert outcomes["abel"]["message"] == "not touched: it conflicts with anna 1.0.0, which is still here"
    assert "start abel" not in told(said)
    assert running(bench) == {"anna": "1.0.0", "bert": "1.0.0"}
    bench.check_clean()


def test_what_another_still_needs_does_not_stand_aside(bench: Bench, world: World) -> None:
    """Both move away from bert; dora does not run, so bert stays, and emil, which bert is in the way of, stays out."""
    add(world, "dora", depends=["bert"])
    bench("install", "dora")
    add(world, "emil", conflicts=["bert"])
    world.add_release("anna", "2.0.0", depends=["emil"])
    world.add_release("dora", "2.0.0", edits=BREAKS_IN_INIT)

    said = bench("-j", "upgrade", "--all", status=1)

    outcomes = {o["name"]: o for o in said.json["result"]}
    assert outcomes["dora"]["status"] == "failed"
    assert running(bench) == {"anna": "1.0.0", "bert": "1.0.0", "dora": "1.0.0"}
    bench.check_clean()
    bench.check_boots()


def test_what_only_the_replaced_release_needs_stands_aside(bench: Bench, world: World) -> None:
    world.add_release("anna", "2.0.0", overrides={"conflicts": ["bert"]})

    said = bench("upgrade", "anna")

    assert told(said) == ["stop bert", "stop anna", "start anna"]
    assert running(bench) == {"anna": "2.0.0"}
    bench.check_clean()


def test_where_that_release_does_not_run_it_is_back(bench: Bench, world: World) -> None:
    world.add_release("anna", "2.0.0", overrides={"conflicts": ["bert"]}, edits=BREAKS_IN_INIT)

    bench("upgrade", "anna", status=1)

    assert running(bench) == {"anna": "1.0.0", "bert": "1.0.0"}
    bench.check_clean()


def test_one_that_only_a_restart_stops_does_not_stand_aside(bench: Bench, world: World) -> None:
    world.add_plugin("static")
    world.add_release("anna", "1.5.0", depends=["static"])
    bench("upgrade", "anna")
    bench.node.restart()
    add(world, "carl", conflicts=["static"])
    world.add_release("anna", "2.0.0", depends=["carl"])

    said = bench("upgrade", "anna", status=1)

    assert "not touched: it conflicts with static 1.0.0, which only a restart of lightningd stops" in said.text
    assert told(said) == []
    assert list(names(bench)) == ["anna", "static"]
    bench.check_clean()


def test_who_stood_aside_stays_off_where_what_it_conflicts_with_stays(bench: Bench, world: World) -> None:
    """Both move from bert to emil: anna has, dora could not. One of them has to do without what it needs."""
    add(world, "dora", depends=["bert"])
    bench("install", "dora")
    add(world, "emil", conflicts=["bert"])
    world.add_release("anna", "2.0.0", depends=["emil"])
    world.add_release("dora", "2.0.0", depends=["emil"], edits=BREAKS_IN_INIT)

    said = bench("upgrade", "--all", status=1)

    assert "bert is switched off: it conflicts with emil 1.0.0, which is here now" in said.text
    assert list(names(bench)) == ["anna", "dora", "emil"]
    assert "dora depends on bert, which is off" in bench("doctor", status=1).text


def test_interrupted_at_any_step_who_stood_aside_is_back(bench: Bench, world: World) -> None:
    add(world, "carl", conflicts=["bert"])
    world.add_release("anna", "2.0.0", depends=["carl"])
    whole = bench("upgrade", "anna")
    old, new = {"anna": "1.0.0", "bert": "1.0.0"}, {"anna": "2.0.0"}
    back(bench)
    moves = [n for n in points(whole) if any(word in whole.steps[n - 1] for word in ("Popen", "os.rename"))]
    for at in moves:
        said = bench("upgrade", "anna", at=at, how="interrupt", status=None)

        where = f"interrupted at {at}: {said}"
        found = {name: version for name, version in names(bench).items() if name in ("anna", "bert")}
        assert found in (old, new), where
        assert not bench.journal_left, where
        bench.check_boots()
        back(bench)


def names(bench: Bench) -> dict[str, str]:
    """The plugins that the node runs, and their versions."""
    parts = [path.split("/reckless/")[1].split("/") for path in bench.node.plugins()]
    return {name: tree.partition("+")[0] for name, tree, *_ in sorted(parts)}


def back(bench: Bench) -> None:
    """Have anna 1.0.0 and bert as at first, whatever was there."""
    here = json.loads((bench.root / "state.json").read_text())["plugins"]
    bench("uninstall", *here)
    bench("install", "anna==1.0.0")
    assert names(bench) == {"anna": "1.0.0", "bert": "1.0.0"}
