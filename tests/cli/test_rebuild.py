"""state.json lost or damaged: nothing goes on over it, and `doctor --fix` makes it again from the installed trees."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from tests.cli.conftest import Run
from tests.nodes import Node

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("damage", ["gone", "cut"])
def test_it_is_made_again(at: Sequence[str], node: Node, run: Run, damage: str) -> None:
    assert run(*at, "install", "python-hello==1.0.0").status == 0
    assert run(*at, "upgrade").status == 0
    file = node.dir / "reckless" / "state.json"
    before = json.loads(file.read_text())["plugins"]
    half = file.read_bytes()[:100]
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(half)

    code = "state-missing" if damage == "gone" else "state-damaged"
    for line in ("list", "install python-hello", "uninstall python-hello", "upgrade", "source list"):
        assert run("-j", *at, *line.split()).error == code, line
    assert file.exists() == (damage == "cut")
    assert code in [a["code"] for a in run("-j", *at, "doctor").json["result"]]

    fixed = run(*at, "doctor", "--fix")
    assert fixed.status == 0, fixed
    assert "made again, with python-hello" in fixed.err
    assert json.loads(file.read_text())["plugins"] == before
    if damage == "cut":
        assert file.with_name("state.json.damaged").read_bytes() == half
    assert run("-j", *at, "list").json["result"][0]["health"] == "running"
    assert "made again" not in run(*at, "doctor", "--fix").err
    assert run(*at, "rollback", "python-hello").status == 0
    assert node.cli("hello")


def test_a_damaged_receipt_is_mended_as_its_hint_says(at: Sequence[str], node: Node, run: Run) -> None:
    assert run(*at, "install", "python-hello").status == 0
    (receipt,) = (node.dir / "reckless" / "python-hello").glob("*+*/receipt.json")
    receipt.write_text("{")
    refused = run("-j", *at, "install", "python-hello")
    assert refused.error == "state-damaged"
    assert f"remove {receipt};" in refused.json["error"]["hint"]
    receipt.unlink()
    assert run(*at, "install", "python-hello").status == 0
    assert run("-j", *at, "list").json["result"][0]["health"] == "running"
    assert node.cli("hello")
