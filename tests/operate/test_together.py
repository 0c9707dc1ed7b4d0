"""Plugins that have nothing to do with each other are switched over at once; each still has its own way back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.operate.bench import Bench, Said, points
from tests.world import BREAKS_IN_INIT, World

PAIR = ("anna", "bert")
OLD, NEW = {"anna": "1.0.0", "bert": "1.0.0"}, {"anna": "1.1.0", "bert": "1.1.0"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path / "world")
    for name in PAIR:
        add(made, name)
    return made


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    """Both run at 1.0.0, and 1.1.0 of both is built and kept, so that an upgrade only switches over."""
    made = make_bench()
    made.env["RECKLESS_JOBS"] = "2"
    made("install", *(f"{name}==1.0.0" for name in PAIR))
    made("upgrade", "--all")
    back(made)
    return made


def add(world: World, name: str, *, depends: tuple[str, ...] = ()) -> None:
    """A copy of python-hello under another name, whose method and option have that name."""
    runtime = {"rpcmethods": [name], "options": [f"{name}-greeting"]}
    world.add_plugin("python-hello", name=name, versions=(), overrides={"runtime": runtime})
    edits = (("hello-greeting", f"{name}-greeting"), ('"name": "hello"', f'"name": "{name}"'))
    world.add_release(name, "1.0.0", edits=edits, depends=depends)
    world.add_release(name, "1.1.0", depends=depends)


def back(bench: Bench) -> None:
    for name in PAIR:
        if versions(bench)[name] != "1.0.0":
            bench("rollback", name)
    assert versions(bench) == OLD


def versions(bench: Bench) -> dict[str, str]:
    """What is installed; state.json, links, config and node must agree on it."""
    plugins = json.loads((bench.root / "state.json").read_text())["plugins"]
    conf = (bench.root / "regtest-reckless.conf").read_text()
    running = {}
    for name, entry in plugins.items():
        assert (bench.root / name / "current").readlink() == Path(entry["tree"])
        assert conf.count(f"plugin={bench.root}/{name}/current/bin/hello.py\n") == 1
        running[str(bench.root.resolve() / name / entry["tree"] / entry["entrypoint"])] = True
        assert bench.node.cli(name)["version"] == entry["version"]
    assert bench.node.plugins() == running
    return {name: entry["version"] for name, entry in plugins.items()}


def journals(said: Said) -> int:
    """How often the journal was written: once for each change, or once for several made together."""
    return sum("journal.json" in step and step.startswith("os.rename") for step in said.steps)


def test_two_that_only_swap_trees_share_one_journal_and_one_state(bench: Bench) -> None:
    said = bench("upgrade", "--all")

    assert versions(bench) == NEW
    assert journals(said) == 1
    bench.check_clean()


def test_one_job_at_a_time_means_one_plugin_at_a_time(bench: Bench) -> None:
    bench.env["RECKLESS_JOBS"] = "1"

    assert journals(bench("upgrade", "--all")) == 2
    assert versions(bench) == NEW


def test_one_that_needs_the_other_waits_for_it(make_bench: Callable[..., Bench], world: World) -> None:
    add(world, "carl", depends=("anna",))
    bench = make_bench()
    bench.env["RECKLESS_JOBS"] = "2"
    bench("install", "anna==1.0.0", "carl==1.0.0")

    assert journals(bench("upgrade", "--all")) == 2
    assert versions(bench) == {"anna": "1.1.0", "carl": "1.1.0"}


def test_one_with_options_is_switched_over_alone(bench: Bench) -> None:
    bench("set", "bert", "bert-greeting=moin")

    assert journals(bench("upgrade", "--all")) == 2
    assert versions(bench) == NEW
    assert bench.node.cli("bert")["say"] == "moin world"


def test_where_one_does_not_run_the_other_still_moves(bench: Bench, world: World) -> None:
    world.add_release("anna", "1.2.0", edits=BREAKS_IN_INIT)
    world.add_release("bert", "1.2.0")

    said = bench("-j", "upgrade", "--all", status=1)

    outcomes = {o["name"]: o for o in said.json["result"]}
    assert outcomes["anna"]["status"] == "failed"
    assert outcomes["anna"]["error"]["code"] == "plugin-start-failed"
    assert outcomes["bert"]["status"] == "done"
    assert journals(said) == 1
    assert versions(bench) == {"anna": "1.0.0", "bert": "1.2.0"}
    bench.check_clean()


def test_where_neither_runs_both_are_back(bench: Bench, world: World) -> None:
    for name in PAIR:
        world.add_release(name, "1.2.0", edits=BREAKS_IN_INIT)

    said = bench("-j", "upgrade", "--all", status=1)

    assert [o["status"] for o in said.json["result"]] == ["failed", "failed"]
    assert versions(bench) == OLD
    bench.check_clean()


@pytest.mark.parametrize("how", ["kill", "interrupt", "full"])
def test_hurt_at_any_step_each_is_one_or_the_other_and_runs(bench: Bench, how: str) -> None:
    whole = bench("upgrade", "--all", how=how)
    for at in points(whole):
        back(bench)
        said = bench("-j", "upgrade", "--all", at=at, how=how, status=None)
        where = f"{how} at step {at} of {len(whole.steps)}: {said}"
        bench.check_boots()
        bench.check_person()
        interrupted = bench.journal_left
        if how != "kill":
            assert not said.orphans, where
            assert not interrupted, where
            assert versions(bench) in (OLD, NEW), where

        mended = bench.mend()

        assert ("interrupted" in mended.text) is interrupted, where
        assert versions(bench) in (OLD, NEW), where
        bench.check_clean()
        bench.check_boots()


def rubbish_for(bench: Bench, words: str, folder: Path) -> str:
    """Have lightning-cli answer with rubbish to what has these words (a shell pattern); return the real one."""
    real = bench.env["LIGHTNING_CLI"]
    fake = folder / "lightning-cli"
    fake.write_text(f'#!/bin/sh\ncase "$*" in {words}) echo rubbish; exit;; esac\nexec {real} "$@"\n')
    fake.chmod(0o755)
    bench.env["LIGHTNING_CLI"] = str(fake)
    return real


def test_what_could_not_be_put_back_is_not_lost_for_what_comes_after_it(
    bench: Bench, world: World, tmp_path: Path
) -> None:
    bench.env["RECKLESS_JOBS"] = "1"
    world.add_release("anna", "1.2.0", edits=BREAKS_IN_INIT)
    real = rubbish_for(bench, "*start*anna/1.0.0*", tmp_path)

    said = bench("-j", "upgrade", "--all", status=1)

    codes = {o["name"]: o["error"]["code"] for o in said.json["result"]}
    assert codes == {"anna": "plugin-start-failed", "bert": "journal-left"}
    bench.env["LIGHTNING_CLI"] = real
    assert "interrupted upgrade of anna was undone" in bench.mend().text
    assert versions(bench) == OLD


def test_what_is_recorded_is_done_though_the_other_cannot_be_put_back_nor_noted(
    bench: Bench, world: World, tmp_path: Path
) -> None:
    world.add_release("anna", "1.2.0", edits=BREAKS_IN_INIT)
    real = bench.env["LIGHTNING_CLI"]

    def upgrade(at: int = 0) -> Said:
        rubbish_for(bench, "*start*anna/1.0.0*", tmp_path)
        said = bench("-j", "upgrade", "--all", at=at, how="stays-full", status=1)
        bench.env["LIGHTNING_CLI"] = real
        assert "an interrupted upgrade of anna was undone" in bench.mend().text
        return said

    steps = upgrade().steps
    back(bench)
    second_journal = [n for n, step in enumerate(steps, 1) if ".journal.json" in step][1]
    outcomes = {o["name"]: o["status"] for o in upgrade(second_journal).json["result"]}

    assert outcomes == {"anna": "failed", "bert": "done"}
    assert versions(bench) == {"anna": "1.0.0", "bert": "1.1.0"}
    bench.check_clean()
