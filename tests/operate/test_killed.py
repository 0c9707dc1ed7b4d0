"""SIGKILL at every step: the node would start on what is left, and the next command puts everything right."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.operate.bench import STAGES, Bench, Stage


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
