"""One damaged receipt: that plugin stays as it is, and says so; every other plugin goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.operate.bench import Bench
from tests.operate.test_beside import add, running
from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path / "world")
    add(made, "anna")
    add(made, "bert", depends=["anna"])
    return made


@pytest.fixture
def bench(make_bench: Callable[..., Bench], world: World) -> Bench:
    """anna, bert and carl run; anna's receipt is cut short; newer releases of all are there."""
    add(world, "carl")
    made = make_bench()
    made("install", "bert", "carl")
    receipt_of(made, "anna").write_text('{"schema": 1, "na')
    for name in ("anna", "carl"):
        world.add_release(name, "1.1.0")
    return made


def receipt_of(bench: Bench, name: str) -> Path:
    tree = json.loads((bench.root / "state.json").read_text())["plugins"][name]["tree"]
    return bench.root / name / tree / "receipt.json"


def test_the_others_are_upgraded(bench: Bench) -> None:
    said = bench("-j", "upgrade", "--all", status=1).json

    outcomes = {o["name"]: o for o in said["result"]}
    assert outcomes["carl"]["status"] == "done"
    assert outcomes["anna"]["status"] == "failed"
    assert outcomes["anna"]["error"]["code"] == "state-damaged"
    assert outcomes["anna"]["message"] == "1.0.0 is as it was"
    assert running(bench) == {"anna": "1.0.0", "bert": "1.0.0", "carl": "1.1.0"}


def test_others_are_installed_disabled_and_removed(bench: Bench, world: World) -> None:
    add(world, "dora")

    bench("install", "dora")
    bench("disable", "carl")
    bench("enable", "carl")
    bench("uninstall", "carl")

    assert running(bench) == {"anna": "1.0.0", "bert": "1.0.0", "dora": "1.0.0"}
    bench.check_boots()


def test_what_another_needs_is_not_removed_for_that_its_receipt_is_damaged(bench: Bench) -> None:
    error = bench("-j", "uninstall", "anna", status=1).json["error"]

    assert error["code"] == "still-needed"
    assert running(bench) == {"anna": "1.0.0", "bert": "1.0.0", "carl": "1.0.0"}


def test_it_is_removed_together_with_what_needs_it(bench: Bench) -> None:
    bench("uninstall", "anna", "bert")

    assert running(bench) == {"carl": "1.0.0"}
    bench.check_clean()


def test_the_hint_mends_it(bench: Bench) -> None:
    error = bench("-j", "install", "anna", status=1).json["error"]
    receipt = receipt_of(bench, "anna")
    assert error["hint"] == f"remove {receipt}; `reckless install anna` then builds it again"

    receipt.unlink()
    bench("install", "anna")

    assert running(bench)["anna"] in ("1.0.0", "1.1.0")
    bench.check_clean()


def test_an_option_that_a_person_set_for_it_still_holds_it(bench: Bench) -> None:
    bench.own += "anna-greeting=moin\n"
    bench.node.restart(bench.own)

    error = bench("-j", "uninstall", "anna", "bert", status=1).json["error"]

    assert error["code"] == "option-in-config"
    bench.check_boots()


def test_with_the_node_down_too_the_others_go_on(bench: Bench, world: World) -> None:
    add(world, "dora", depends=["anna>=1.1"])
    bench.node.stop()

    said = bench("-j", "install", "dora", "carl==1.1.0", status=1).json

    outcomes = {o["name"]: o["status"] for o in said["result"]}
    assert outcomes == {"anna": "failed", "bert": "skipped", "carl": "done", "dora": "skipped"}
    bench.check_boots()
