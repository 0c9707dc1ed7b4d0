"""SIGKILL at every step: the node would start on what is left, and the next command puts everything right."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.operate.bench import GREETING, NAME, STAGES, Bench, Stage, points
from tests.world import PLUGINS, World


@pytest.mark.parametrize("verb", STAGES)
@pytest.mark.parametrize("up", [True, False], ids=["node-up", "node-down"])
def test_killed_at_any_step_the_next_command_puts_it_right(
    make_bench: Callable[..., Bench], verb: str, up: bool
) -> None:
    bench = make_bench(up=up)
    stage = Stage.build(bench, verb)
    for at, where in stage.hurt():
        said = stage.run(at, "kill")
        assert said.status in (-9, 0), f"{where}: {said}"
        bench.check_boots()
        bench.check_person()
        interrupted = bench.journal_left

        mended = bench.mend()

        assert ("interrupted" in mended.text) is interrupted, f"{where}: {mended.text}"
        bench.check_clean()
        bench.check_boots()
        bench.check_person()
        assert bench.situation() in (stage.first, stage.last), where


def test_killed_in_the_author_s_loop_the_next_command_puts_it_right(
    make_bench: Callable[..., Bench], tmp_path: Path
) -> None:
    folder, edits = tmp_path / NAME, iter(range(1000))
    folder.mkdir()

    def edit(version: str) -> None:
        text = (PLUGINS / NAME / "hello.py").read_text()
        text = re.sub(r'VERSION = "[^"]*"', f'VERSION = "{version}"', text) + f"# {next(edits)}\n"
        (folder / "hello.py").write_text(text)
        (folder / "pyproject.toml").write_text(f'[project]\nname = "hello"\nversion = "{version}"\n')

    bench = make_bench()
    edit("1.0.0")
    bench("install", str(folder), "-o", GREETING)
    first = bench.situation()
    edit("1.1.0")
    whole = bench("install", str(folder))
    last = bench.situation()
    assert (first.version, last.version) == ("1.0.0", "1.1.0")
    for at in points(whole):
        where = f"at step {at}, {whole.steps[at - 1]}"
        if bench.situation() == last:
            bench("rollback", NAME)
        edit("1.1.0")
        assert bench("install", str(folder), at=at, status=None).status in (-9, 0), where
        bench.check_boots()
        bench.check_person()
        bench.mend()
        bench.check_clean()
        bench.check_boots()
        assert bench.situation() in (first, last), where


def test_killed_while_an_option_leaves_with_an_upgrade_the_node_would_start(
    make_bench: Callable[..., Bench], world: World
) -> None:
    world.add_release(NAME, "2.0.0", edits=[("hello-greeting", "hello-word")])
    bench = make_bench()
    bench("install", f"{NAME}==1.1.0", "-o", GREETING)
    first = bench.situation()
    assert "no longer has the option hello-greeting" in bench("upgrade", NAME).text
    bench("rollback", NAME)
    bench("set", NAME, GREETING)
    steps = bench("upgrade", NAME)
    bench("rollback", NAME)
    bench("set", NAME, GREETING)
    for at in points(steps):
        bench("upgrade", NAME, at=at, status=None)
        bench.check_boots()
        bench.mend()
        bench.check_clean()
        bench.check_boots()
        if json.loads((bench.root / "state.json").read_text())["plugins"][NAME]["version"] == "2.0.0":
            assert bench.node.cli("hello")["version"] == "2.0.0"
            bench("rollback", NAME)
            bench("set", NAME, GREETING)
        assert bench.situation() == first


def test_an_option_in_a_persons_own_config_holds_up_a_release_that_drops_it(
    make_bench: Callable[..., Bench], world: World
) -> None:
    world.add_release(NAME, "2.0.0", edits=[("hello-greeting", "hello-word")])
    bench = make_bench()
    bench("install", f"{NAME}==1.1.0")
    bench.own += "hello-greeting=moin\n"
    bench.node.config.write_text(bench.own)

    error = bench("-j", "upgrade", NAME, status=1).json["error"]

    assert error["code"] == "option-in-config"
    assert f"{bench.node.config} line 2 sets hello-greeting" in error["message"]
    assert f"{NAME} 2.0.0 no longer has it" in error["message"]
    bench.check_boots()
    assert bench.node.cli("hello")["version"] == "1.1.0"


def test_what_was_interrupted_on_one_network_is_put_right_from_another(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    bench("install", f"{NAME}==1.0.0", "-o", GREETING)
    bench("upgrade", NAME)
    first = bench.situation()
    at = next(n for n, s in enumerate(bench("rollback", NAME).steps, 1) if "subcommand=start" in s)
    bench("upgrade", NAME)
    assert bench("rollback", NAME, at=at, status=None).status == -9
    (bench.node.dir / "testnet").mkdir()

    mended = bench("source", "add", str(bench.source), network="testnet")

    assert "an interrupted rollback of python-hello was undone" in mended.text
    assert bench.situation() == first
    assert not (bench.root / "testnet-reckless.conf").exists()
    bench.check_clean()


def test_a_tree_stops_counting_before_it_is_taken_apart(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    bench("install", NAME)

    removed = [s for s in bench("uninstall", NAME).steps if s.startswith(("os.remove", "os.rmdir")) and "+" in s]

    assert removed[0].endswith("/receipt.json")
