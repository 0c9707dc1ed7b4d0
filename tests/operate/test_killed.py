"""SIGKILL at every step: the node would start on what is left, and the next command puts everything right."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.operate.bench import NAME, Bench, points

GREETING = "hello-greeting=moin moin"
STAGES: dict[str, list[tuple[str, ...]]] = {
    # a verb: how to come to where it starts from, then the verb itself
    "install": [("install", NAME, "-o", GREETING)],
    "uninstall": [("install", NAME, "-o", GREETING), ("uninstall", NAME)],
    "upgrade": [("install", f"{NAME}==1.0.0", "-o", GREETING), ("upgrade", NAME)],
    "rollback": [("install", f"{NAME}==1.0.0", "-o", GREETING), ("upgrade", NAME), ("rollback", NAME)],
    "enable": [("install", NAME, "-o", GREETING), ("disable", NAME), ("enable", NAME)],
    "disable": [("install", NAME, "-o", GREETING), ("disable", NAME)],
    "set": [("install", NAME, "-o", GREETING), ("set", NAME, "hello-greeting=servus")],
}
BACK = {
    "install": ("uninstall", NAME),
    "uninstall": ("install", NAME, "-o", GREETING),
    "upgrade": ("rollback", NAME),
    "rollback": ("upgrade", NAME),
    "enable": ("disable", NAME),
    "disable": ("enable", NAME),
    "set": ("set", NAME, GREETING),
}


@pytest.mark.parametrize("verb", STAGES)
@pytest.mark.parametrize("up", [True, False], ids=["node-up", "node-down"])
def test_killed_at_any_step_the_next_command_puts_it_right(
    make_bench: Callable[..., Bench], verb: str, up: bool
) -> None:
    bench = make_bench(up=up)
    *before, command = STAGES[verb]
    for step in before:
        bench(*step)
    first = bench.situation()
    bench(*command)
    last = bench.situation()
    bench(*BACK[verb])
    whole = bench(*command)  # now that what it changes between is built
    bench(*BACK[verb])
    assert bench.situation() == first
    for at in points(whole):
        said = bench(*command, at=at, status=None)
        where = f"killed at step {at}, {said.steps[-1]}"
        assert said.status in (-9, 0), f"{where}: {said}"
        bench.check_boots()
        bench.check_person()
        interrupted = bench.journal_left

        mended = bench.mend()

        assert ("interrupted" in mended.text) is interrupted, f"{where}: {mended.text}"
        bench.check_clean()
        bench.check_boots()
        bench.check_person()
        found = bench.situation()
        assert found in (first, last), where
        if found != first:
            bench(*BACK[verb])
            assert bench.situation() == first
