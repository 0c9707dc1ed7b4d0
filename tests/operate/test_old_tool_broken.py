"""A plugin of lightningd's own tool that is only half there, and a command that is killed while it takes one over."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.old_tool import HEADER, OldTool
from tests.operate.bench import NAME, Bench, points

GREETING = "hello-greeting=moin"


def no_folder(folder: Path) -> None:
    shutil.rmtree(folder)


def no_entrypoint(folder: Path) -> None:
    (folder / f"{NAME}.py").unlink()


def no_interpreter(folder: Path) -> None:
    shutil.rmtree(folder / ".venv")


def no_copy(folder: Path) -> None:
    shutil.rmtree(folder / "source")


def no_permission(folder: Path) -> None:
    (folder / f"{NAME}.py").chmod(0o644)


BROKEN = pytest.mark.parametrize("damage", [no_folder, no_entrypoint, no_interpreter, no_permission])
ANY = pytest.mark.parametrize("damage", [no_folder, no_entrypoint, no_interpreter, no_permission, no_copy])


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    """A node that is down: with such a line in its config it would not start."""
    return make_bench(up=False)


@pytest.fixture
def old(bench: Bench) -> OldTool:
    made = OldTool(bench.node)
    made.install(NAME)
    made.line(GREETING)
    made.install("static")
    return made


def health(bench: Bench) -> dict[str, str]:
    return {row["name"]: row["health"] for row in bench("-j", "list").json["result"]}


@BROKEN
def test_it_is_said_and_nothing_is_lost(bench: Bench, old: OldTool, damage: Callable[[Path], None]) -> None:
    damage(bench.root / NAME)
    before = old.conf.read_text()

    assert health(bench) == {NAME: "broken", "static": "node-down"}
    error = bench("-j", "enable", NAME, status=1).json["error"]

    assert error["code"] == "old-plugin-broken"
    assert f"{NAME}, which lightningd's own reckless installed, cannot be run" in error["message"]
    assert f"`reckless install {NAME}`" in error["hint"]
    assert old.conf.read_text() == before
    assert json.loads((bench.root / "state.json").read_text())["plugins"] == {}
    grave = [r for r in bench("-j", "doctor", status=1).json["result"] if r["severity"] == "grave"]
    assert "old-plugin-broken" in {row["code"] for row in grave}


@ANY
def test_it_can_be_switched_off_so_that_the_node_starts(
    bench: Bench, old: OldTool, damage: Callable[[Path], None]
) -> None:
    damage(bench.root / NAME)
    bench("disable", NAME)
    bench.check_boots()
    assert f"#off {GREETING}" in old.conf.read_text(), "its options are kept"
    assert f"plugin={bench.root}/static/static.py" in old.conf.read_text()


@ANY
def test_it_can_be_removed(bench: Bench, old: OldTool, damage: Callable[[Path], None]) -> None:
    damage(bench.root / NAME)
    bench("uninstall", NAME)
    bench.check_boots()
    assert not (bench.root / NAME).exists()
    assert old.conf.read_text() == f"{HEADER}plugin={bench.root}/static/static.py\n"


@ANY
@pytest.mark.parametrize("verb", ["install", "upgrade"])
def test_a_release_takes_its_place(bench: Bench, old: OldTool, damage: Callable[[Path], None], verb: str) -> None:
    damage(bench.root / NAME)
    bench(verb, NAME)
    bench.check_boots()
    bench.node.start(bench.own)
    assert bench.node.cli("hello")["say"] == "moin world"
    assert bench.node.cli("hello")["version"] == "1.1.0"
    bench("upgrade", NAME)
    kept = {p.name for p in (bench.root / NAME).iterdir()}
    assert {"current"} < kept


def test_one_that_no_source_has_is_an_error_and_stays(bench: Bench, old: OldTool) -> None:
    old.install(NAME, folder="unheard-of")
    shutil.rmtree(bench.root / "unheard-of")
    before = old.conf.read_text()
    error = bench("-j", "install", "unheard-of", status=1).json["error"]
    assert error["code"] == "no-such-plugin"
    bench("uninstall", "unheard-of")
    assert "unheard-of" not in old.conf.read_text()
    assert before.startswith(old.conf.read_text())


def test_a_broken_one_that_still_runs_is_replaced(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    old = OldTool(bench.node)
    bench.node.cli("plugin", "start", str(old.install(NAME)))
    shutil.rmtree(bench.root / NAME)
    bench("install", NAME)
    assert bench.node.cli("hello")["version"] == "1.1.0"
    assert len(bench.node.plugins()) == 1
    bench.check_boots()


@pytest.mark.parametrize("up", [True, False], ids=["node-up", "node-down"])
def test_killed_at_any_step_of_taking_it_over_the_next_command_puts_it_right(
    make_bench: Callable[..., Bench], up: bool
) -> None:
    bench = make_bench()
    old = OldTool(bench.node)
    path = old.install(NAME)
    old.line(GREETING)
    saved = bench.root.with_name("saved")
    bench("install", NAME, "--dry-run")
    shutil.copytree(bench.root, saved, symlinks=True)

    def back() -> None:
        for running in bench.node.plugins() if bench.node.running else ():
            bench.node.cli("plugin", "stop", running)
        shutil.rmtree(bench.root)
        shutil.copytree(saved, bench.root, symlinks=True)
        if up:
            bench.node.cli("plugin", "start", str(path))

    if not up:
        bench.node.stop()
    back()
    whole = bench("install", NAME)
    for at in points(whole):
        back()
        said = bench("install", NAME, at=at, status=None)
        where = f"at step {at}, {whole.steps[at - 1]}: {said}"
        assert said.status in (-9, 0), where
        bench.check_boots()

        bench.mend()

        bench.check_boots()
        assert not bench.journal_left, where
        rows = bench("-j", "list").json["result"]
        assert [row["name"] for row in rows] == [NAME], where
        assert rows[0]["health"] == ("running" if up else "node-down"), where
        assert old.conf.read_text().count(GREETING) == 1, where
        if up:
            assert bench.node.cli("hello")["say"].endswith(" world"), where
    back()
