"""No room at any write: a clear error, and everything as it was, then or with the next command when there is room."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.operate.bench import STAGES, Bench, Stage


@pytest.mark.parametrize("verb", STAGES)
@pytest.mark.parametrize("how", ["full", "stays-full"])
def test_no_room_at_any_write_leaves_everything_as_it_was(
    make_bench: Callable[..., Bench], verb: str, how: str
) -> None:
    bench = make_bench()
    stage = Stage.build(bench, verb, how)
    for at, where in stage.hurt():
        said = stage.run(at, how)

        bench.check_boots()
        bench.check_person()
        if said.status == 0:  # it was a write that can be done without
            assert bench.situation() == stage.last, f"{where}: {said}"
        else:
            assert said.status == 1, f"{where}: {said}"
            assert said.json["error"]["code"] == "disk-full", f"{where}: {said}"
            if bench.journal_left:
                assert how == "stays-full", f"{where}: {said}"
                assert "the next reckless command" in said.text, f"{where}: {said}"
                assert "interrupted" in bench.mend().text
            assert bench.situation() == stage.first, f"{where}: {said}"
        bench.mend()
        bench.check_clean()
