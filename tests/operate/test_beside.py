"""Plugins that may not stand beside each other never do, and who is needed after all is there when it is over."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.operate.bench import Bench, Said
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
