"""Ctrl-C at every step: everything is as it was when the command ends, and nothing that it started lives on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.operate.bench import STAGES, Bench, Stage


@pytest.mark.parametrize("verb", STAGES)
def test_interrupted_at_any_step_everything_is_as_it_was(make_bench: Callable[..., Bench], verb: str) -> None:
    bench = make_bench()
    stage = Stage.build(bench, verb)
    for at, where in stage.hurt():
        said = stage.run(at, "interrupt")

        assert said.status == 130, f"{where}: {said}"
        assert said.json["error"]["code"] == "interrupted", where
        assert not said.orphans, where
        assert not bench.journal_left, f"{where}: {said}"
        found = bench.situation()
        assert found == stage.first or "state.json" in " ".join(said.steps), f"{where}: {found}"
        assert found in (stage.first, stage.last), where
        bench.check_boots()
        bench.check_person()
        bench.mend()  # half a build is removed by the next command at the latest
        bench.check_clean()
