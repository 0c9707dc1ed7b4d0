"""Two commands at once: the second waits, says for whom, and works on what the first left."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.e2e.scene import Reckless, finish
from tests.operate.bench import NAME, Bench
from tests.world import World

CODE = """    if method == "getmanifest":
        import pathlib, time
        place = pathlib.Path("HERE")
        place.joinpath("dawdling").touch()
        while not place.joinpath("go-on").exists():
            pathlib.Path(__file__).with_name("junk").write_text("x")
            time.sleep(0.02)
"""


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()


@pytest.fixture
def place(tmp_path: Path, world: World) -> Path:
    """Where the newest release says that it is asked for its manifest, and waits to be told to go on."""
    place = tmp_path / "place"
    place.mkdir()
    code = CODE.replace("HERE", str(place))
    world.add_release(NAME, "1.2.0", edits=[('    if method == "getmanifest":\n', code)])
    return place


@pytest.fixture
def reckless(bench: Bench, cache: Path) -> Reckless:
    """The command as real processes."""
    return Reckless(bench.node, cache)


def wait_for(there: Callable[[], bool], patience: float = 60) -> None:
    until = time.monotonic() + patience
    while not there():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_the_second_waits_says_for_whom_and_goes_on_from_what_the_first_left(
    bench: Bench, reckless: Reckless, place: Path
) -> None:
    first = reckless.start("install", NAME)
    wait_for((place / "dawdling").exists)

    second = reckless.start("set", NAME, "hello-greeting=servus")
    assert second.stderr is not None
    waiting = second.stderr.readline()

    assert f"waiting for another reckless (process {first.pid}: reckless " in waiting
    assert f"install {NAME})" in waiting
    assert second.poll() is None
    (place / "go-on").touch()
    assert finish(first).status == 0
    assert finish(second).status == 0
    found = bench.situation()
    assert (found.version, found.greeting) == ("1.2.0", "servus")
    bench.check_clean()


def test_who_only_looks_does_not_wait(bench: Bench, reckless: Reckless, place: Path) -> None:
    first = reckless.start("install", NAME)
    wait_for((place / "dawdling").exists)

    assert reckless("list").status == 0
    assert reckless("doctor").status == 0
    assert "would" in reckless("install", f"{NAME}==1.0.0", "--dry-run").text

    assert first.poll() is None
    (place / "go-on").touch()
    assert finish(first).status == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only /proc tells what a killed command has left running")
def test_programs_that_a_killed_command_left_running_are_ended_by_the_next(
    bench: Bench, reckless: Reckless, place: Path
) -> None:
    first = reckless.start("install", NAME)
    wait_for((place / "dawdling").exists)
    ours = f"{bench.root}/{NAME}/"
    (left,) = [p for p in psutil.Process(first.pid).children(recursive=True) if ours in " ".join(p.cmdline())]
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    assert left.is_running(), "it writes into a tree that nobody will seal"

    bench.mend()

    assert not left.is_running() or left.status() == psutil.STATUS_ZOMBIE
    bench.check_clean()
    assert json.loads((bench.root / "state.json").read_text())["plugins"] == {}


def test_interrupted_while_it_waits_the_second_leaves_everything_alone(
    bench: Bench, reckless: Reckless, place: Path
) -> None:
    first = reckless.start("install", NAME)
    wait_for((place / "dawdling").exists)
    second = reckless.start("install", NAME)
    assert second.stderr is not None
    second.stderr.readline()

    second.send_signal(signal.SIGINT)

    assert finish(second).status == 130
    assert (bench.root / "lock.holder").exists(), "the first goes on holding it"
    (place / "go-on").touch()
    assert finish(first).status == 0
    assert bench.situation().version == "1.2.0"
