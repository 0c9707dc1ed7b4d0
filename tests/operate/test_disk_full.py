"""No room at any write: a clear error, and everything as it was, then or with the next command when there is room."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.operate.bench import NAME, STAGES, Bench, Stage


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


def test_no_room_to_put_back_the_link_leaves_the_tree_that_it_names(make_bench: Callable[..., Bench]) -> None:
    """With the node down nothing runs from that tree, and state.json does not know it; the config still needs it."""
    bench = make_bench(up=False)
    bench("install", f"{NAME}==1.0.0")
    before = bench.situation()
    whole = bench("upgrade", NAME, how="stays-full")
    bench("uninstall", NAME)
    bench("install", f"{NAME}==1.0.0")
    after_the_link = next(n for n, step in enumerate(whole.steps, 1) if ".current.new" in step) + 1

    bench("upgrade", NAME, at=after_the_link, how="stays-full", status=1)

    assert bench.journal_left
    bench.check_boots()
    assert "interrupted upgrade" in bench.mend().text
    assert bench.situation() == before
    bench.check_clean()
