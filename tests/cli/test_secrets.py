"""A secret on the command line is printed nowhere and kept nowhere but in the config."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli.conftest import Run, fake_cli
from tests.nodes import Node
from tests.world import World

SECRET = "hunter2correcthorse"


@pytest.mark.parametrize(
    "line",
    [
        "rollback x needy-token={}", "nonsense token={}", "install x -o needy-token={}", "set x --needy-token={}",
        "unset x needy-token={}", "list token={}", "install a b -otoken={}", "search token={} --nonsense",
        "set x needy-token={} no-value",
    ],
)  # fmt: skip
def test_no_error_shows_it(run: Run, down: Path, line: str) -> None:
    for flags in ([], ["-j"]):
        answer = run(*flags, "-l", down, "-r", *line.format(SECRET).split())
        assert answer.status in (1, 2)
        assert SECRET not in answer.out + answer.err


def test_who_holds_the_lock_does_not_tell(
    run: Run, down: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    holder = down / "reckless" / "lock.holder"
    fake_cli(tmp_path, monkeypatch, f"cat {holder} >> {seen} 2>&1; echo 'Connecting to x' >&2; exit 2")
    monkeypatch.setattr(
        "reckless.operate.recover.recover", lambda _session, _state: seen.write_bytes(holder.read_bytes())
    )
    run("-l", down, "-r", "set", "x", f"needy-token={SECRET}", "other=open")
    command = json.loads(seen.read_text())["command"]
    assert command == f"reckless -l {down} -r set x needy-token=*** other=open"


@pytest.mark.slow
def test_only_the_config_has_it(at: Sequence[str], node: Node, world: World, run: Run, tmp_path: Path) -> None:
    world.add_plugin("needs-option")
    said = [
        run(*at, "-v", "install", "needs-option", "--option", f"needy-token={SECRET}"),
        run(*at, "-v", "set", "needs-option", f"needy-token={SECRET}2"),
        run(*at, "-j", "set", "needs-option", f"needy-token={SECRET}3"),
        run(*at, "log", "needs-option"),
        run(*at, "-j", "info", "needs-option"),
        run(*at, "-j", "list"),
    ]
    assert [answer.status for answer in said] == [0] * len(said), said
    assert all(SECRET not in answer.out + answer.err for answer in said)
    conf = node.dir / "reckless" / "regtest-reckless.conf"
    assert f"needy-token={SECRET}3" in conf.read_text()
    for folder, _, names in os.walk(tmp_path):
        for name in names:
            file = Path(folder) / name
            if file != conf and file.is_file():
                assert SECRET.encode() not in file.read_bytes(), file
