"""Never a `plugin start` that lightningd would die of: what cannot be done now waits, is said, and comes at a restart.

The stand-in dies of it as the real one does (tests/standin/test_stale_options.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from tests.nodes import Node
from tests.operate.bench import GREETING, NAME, Bench
from tests.world import BREAKS_IN_INIT, World

OTHER = "needs-option"  # it does not run without its option
TOKEN = ("-o", "needy-token=t")
WAITS = "waits for a restart of lightningd"


@pytest.fixture
def both(world: World) -> World:
    world.add_plugin(OTHER, versions=("1.0.0", "1.1.0"))
    return world


@pytest.fixture
def bench(both: World, make_bench: Callable[..., Bench]) -> Bench:
    """A node that booted with python-hello 1.0.0 and its option in the config."""
    made = make_bench()
    made("install", f"{NAME}==1.0.0", "-o", GREETING)
    made.node.restart()
    assert said_by(made.node) == "moin moin world"
    return made


def said_by(node: Node) -> str:
    answer: str = node.cli("hello")["say"]
    return answer


def outcome(bench: Bench, *args: str, status: int = 0) -> dict[str, Any]:
    """Run a verb; return its outcome, and all that was noted beside it."""
    envelope = json.loads(bench("-j", *args, status=status).text)
    assert bench.node.running, "it lives"
    return {**envelope["result"][-1], "log": " ".join(envelope["log"])}


def end(bench: Bench, name: str) -> None:
    """Kill a plugin's process, and wait until the node has noticed."""
    found = [p for p in psutil.Process(bench.node.pid).children() if name in " ".join(p.cmdline())]
    assert found
    for process in found:
        process.kill()
    while any(name in path for path in bench.node.plugins()):
        pass


def assert_waits_then_runs(bench: Bench, done: dict[str, Any]) -> None:
    assert WAITS in done["log"]
    assert done["restart"]
    assert "needy-token=t" in (bench.root / "regtest-reckless.conf").read_text()
    assert not any(OTHER in path for path in bench.node.plugins())
    bench.check_boots()
    assert bench.node.restart().up
    assert bench.node.cli("needy")["options"] == {"needy-token": "t"}


def test_after_an_uninstall_another_with_options_waits(bench: Bench) -> None:
    bench("uninstall", NAME)

    assert_waits_then_runs(bench, outcome(bench, "install", OTHER, *TOKEN))


def test_after_a_plugin_died_another_with_options_waits(bench: Bench) -> None:
    end(bench, NAME)

    assert_waits_then_runs(bench, outcome(bench, "install", OTHER, *TOKEN))


def test_after_a_plugin_died_and_was_uninstalled_another_with_options_waits(bench: Bench) -> None:
    end(bench, NAME)
    bench("uninstall", NAME)

    assert_waits_then_runs(bench, outcome(bench, "install", OTHER, *TOKEN))


def test_after_options_of_a_plugin_that_died_were_unset_another_with_options_waits(bench: Bench) -> None:
    end(bench, NAME)
    outcome(bench, "unset", NAME, "hello-greeting")

    assert_waits_then_runs(bench, outcome(bench, "install", OTHER, *TOKEN))


def test_after_a_change_of_the_option_and_an_uninstall_another_with_options_waits(bench: Bench) -> None:
    bench("set", NAME, "hello-greeting=servus")
    bench("uninstall", NAME)

    assert_waits_then_runs(bench, outcome(bench, "install", OTHER, *TOKEN))


def test_an_option_of_lightningds_command_line_is_seen(both: World, make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    bench("install", NAME)
    bench.node.flags = ("--hello-greeting=moin",)
    bench.node.restart()
    bench("disable", NAME)

    assert WAITS in outcome(bench, "install", OTHER, *TOKEN)["log"]


def test_without_options_anything_can_be_installed_meanwhile(bench: Bench) -> None:
    bench("uninstall", NAME)

    done = outcome(bench, "install", NAME)

    assert not done["restart"] or "old value" in done["log"]


def test_after_a_restart_nothing_waits_any_more(bench: Bench) -> None:
    bench("uninstall", NAME)
    bench.node.restart()

    done = outcome(bench, "install", OTHER, *TOKEN)

    assert not done["restart"]
    assert bench.node.cli("needy")["options"] == {"needy-token": "t"}


@pytest.fixture
def stale(bench: Bench) -> Bench:
    """A node that booted with options of both plugins, of which needs-option runs, and python-hello has died."""
    bench("install", f"{OTHER}==1.0.0", *TOKEN)
    bench.node.restart()
    end(bench, NAME)
    return bench


def test_an_upgrade_with_the_options_of_boot_goes_on(stale: Bench) -> None:
    done = outcome(stale, "upgrade", OTHER)

    assert not done["restart"]
    assert stale.node.cli("needy") == {"version": "1.1.0", "options": {"needy-token": "t"}}


def test_setting_an_option_waits_with_the_old_one_running(stale: Bench) -> None:
    done = outcome(stale, "set", OTHER, "needy-token=new")

    assert done["restart"]
    assert WAITS in done["log"]
    assert stale.node.cli("needy")["options"] == {"needy-token": "t"}
    stale.node.restart()
    assert stale.node.cli("needy")["options"] == {"needy-token": "new"}


def test_a_broken_release_is_undone_with_the_options_of_boot(stale: Bench, both: World) -> None:
    both.add_release(
        OTHER,
        "1.2.0",
        edits=(("def answer(method, params):", "def answer(method, params):\n    1 / (method != 'init')"),),
    )

    outcome(stale, "upgrade", OTHER, status=1)

    assert stale.node.cli("needy") == {"version": "1.0.0", "options": {"needy-token": "t"}}


def test_killed_in_the_middle_it_is_undone_with_the_options_of_boot(stale: Bench) -> None:
    steps = stale("upgrade", OTHER).steps
    stale("rollback", OTHER)
    steps = stale("upgrade", OTHER).steps
    stale("rollback", OTHER)
    at = next(n for n, step in enumerate(steps, 1) if "plugin start" in step)

    assert stale("upgrade", OTHER, at=at, status=None).status == -9
    mended = stale.mend()

    assert "an interrupted upgrade of needs-option was undone" in mended.text
    assert stale.node.cli("needy") == {"version": "1.0.0", "options": {"needy-token": "t"}}


def test_what_an_undo_cannot_start_again_is_said_and_starts_with_lightningd(bench: Bench, both: World) -> None:
    bench("install", f"{OTHER}==1.0.0", *TOKEN)  # its option came by `plugin start`: by position it would have none
    steps = bench("upgrade", OTHER).steps
    bench("rollback", OTHER)
    steps = bench("upgrade", OTHER).steps
    bench("rollback", OTHER)
    at = next(n for n, step in enumerate(steps, 1) if "plugin=" in step and "subcommand=start" in step)
    assert bench("upgrade", OTHER, at=at, status=None).status == -9
    end(bench, NAME)

    mended = bench.mend()

    assert bench.node.running
    assert WAITS in mended.text
    bench.check_boots()
    assert bench.node.restart().up
    assert bench.node.cli("needy") == {"version": "1.0.0", "options": {"needy-token": "t"}}


def test_an_option_that_was_unset_is_held_until_a_restart(bench: Bench) -> None:
    done = outcome(bench, "unset", NAME, "hello-greeting")

    assert done["restart"]
    assert "has the old value of hello-greeting until lightningd is restarted" in done["log"]
    assert said_by(bench.node) == "moin moin world"
    bench.node.restart()
    assert said_by(bench.node) == "hello world"


def test_a_broken_release_is_undone_where_nothing_is_stale(bench: Bench, both: World) -> None:
    both.add_release(NAME, "1.2.0", edits=BREAKS_IN_INIT)
    bench("set", NAME, "hello-greeting=servus")

    bench("upgrade", NAME, status=1)

    assert (bench.situation().version, said_by(bench.node)) == ("1.0.0", "servus world")
    bench("uninstall", NAME)
    assert WAITS in outcome(bench, "install", OTHER, *TOKEN)["log"], "what was undone is still held since boot"
