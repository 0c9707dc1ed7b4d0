"""`reckless doctor` says what is wrong, exits 1 where it is grave, and touches nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.operate.bench import GREETING, NAME, Bench
from tests.world import World


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    """A node that is down, with python-hello and its option in the config."""
    made = make_bench(up=False)
    made("install", NAME, "-o", GREETING)
    assert doctor(made, status=0) == {"node-down"}
    return made


def everything(folder: Path) -> dict[str, object]:
    """All files below a folder: what is in them, or where they point, and their mode."""
    return {
        str(p.relative_to(folder)): (
            str(p.readlink()) if p.is_symlink() else p.read_bytes() if p.is_file() else None,
            p.lstat().st_mode,
            p.lstat().st_mtime_ns,
        )
        for p in sorted(folder.rglob("*"))
        if not p.is_socket()
    }


def findings(bench: Bench, status: int = 1) -> list[dict[str, Any]]:
    """What doctor finds; it changes nothing, and each grave finding says what to do."""
    before = everything(bench.node.dir)
    said = bench("-j", "doctor", status=status)
    assert everything(bench.node.dir) == before
    found: list[dict[str, Any]] = said.json["result"][0]["ailments"] if "ailments" in said.text else said.json["result"]
    assert all(f["message"] and (f["hint"] or f["severity"] == "note") for f in found), found
    return found


def doctor(bench: Bench, status: int = 1) -> set[str]:
    return {f["code"] for f in findings(bench, status)}


def tree(bench: Bench) -> Path:
    return (bench.root / NAME / "current").resolve()


def test_a_node_that_is_up_and_well_has_nothing(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    bench("install", NAME)

    assert doctor(bench, status=0) == set()


def test_a_link_that_points_elsewhere(bench: Bench) -> None:
    current = bench.root / NAME / "current"
    current.unlink()
    assert "link-broken" in doctor(bench)
    current.symlink_to("1.9.9+00000000")
    assert "link-broken" in doctor(bench)

    bench("disable", NAME)
    bench("enable", NAME)  # as its hint says

    assert doctor(bench, status=0) == {"node-down"}


@pytest.mark.parametrize(
    ("gone", "code"),
    [(".", "tree-missing"), ("receipt.json", "tree-missing"), ("bin/hello.py", "entrypoint-missing")],
)
def test_files_that_are_gone(bench: Bench, gone: str, code: str) -> None:
    path = tree(bench) / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()

    assert code in doctor(bench)

    hint = next(f["hint"] for f in findings(bench) if f["code"] == code)
    assert f"`reckless install {NAME}==1.1.0`" in hint
    bench("install", f"{NAME}==1.1.0")
    assert doctor(bench, status=0) == {"node-down"}
    assert bench.node.boot().up
    assert bench.situation().greeting == "moin moin"


def test_an_interpreter_that_is_gone(bench: Bench) -> None:
    receipt = tree(bench) / "receipt.json"
    text = receipt.read_text()
    interpreter = text.partition('"interpreter": "')[2].partition('"')[0]
    assert Path(interpreter).exists()
    receipt.write_text(text.replace(interpreter, "/usr/bin/python2.6"))

    (grave,) = [f for f in findings(bench) if f["severity"] == "grave"]

    assert grave["code"] == "interpreter-gone"
    assert "/usr/bin/python2.6" in grave["message"]
    bench("install", f"{NAME}==1.1.0")
    assert doctor(bench, status=0) == {"node-down"}


def test_a_journal_that_was_left(bench: Bench) -> None:
    steps = bench("disable", NAME).steps
    bench("enable", NAME)
    at = next(n for n, step in enumerate(steps, 1) if step == "os.rename reckless/state.json")
    bench("disable", NAME, at=at, status=None)

    assert "journal-left" in doctor(bench, status=0)
    bench.mend()
    assert "journal-left" not in doctor(bench, status=0)


def test_debris(bench: Bench) -> None:
    (bench.root / NAME / "9.9+12345678").mkdir()

    assert "debris" in doctor(bench, status=0)
    bench.mend()
    assert "debris" not in doctor(bench, status=0)


@pytest.mark.parametrize(
    ("file", "text", "code"),
    [
        ("state.json", '{"schema": 1, "plug', "state-damaged"),
        ("state.json", "", "state-damaged"),
        ("state.json", '{"schema": 99}', "state-too-new"),
        ("journal.json", "{", "state-damaged"),
        ("journal.json", '{"schema": 99}', "state-too-new"),
    ],
)
def test_records_that_cannot_be_read_are_said_and_never_overwritten(
    bench: Bench, file: str, text: str, code: str
) -> None:
    (bench.root / file).write_text(text)
    before = everything(bench.node.dir)

    assert code in doctor(bench)

    assert bench("-j", "disable", NAME, status=1).json["error"]["code"] == code
    after = everything(bench.node.dir)
    assert {k: v for k, v in after.items() if "lock" not in k and k != "reckless"} == {
        k: v for k, v in before.items() if "lock" not in k and k != "reckless"
    }


def test_a_state_that_is_gone_beside_installed_plugins(bench: Bench) -> None:
    (bench.root / "state.json").unlink()

    assert "state-missing" in doctor(bench)


def test_a_config_that_lightningd_would_refuse(bench: Bench) -> None:
    bench.node.config.write_text(f"{bench.own}plugin={bench.node.dir}/no-such-plugin\n")
    assert not bench.node.boot().up

    (grave,) = [f for f in findings(bench) if f["severity"] == "grave"]

    assert f"{bench.node.config} line 2" in grave["message"]


def test_what_a_plugin_needs_and_is_off_or_gone(make_bench: Callable[..., Bench], world: World) -> None:
    world.add_plugin("slow", depends=[NAME])
    bench = make_bench(up=False)
    bench("install", "slow")
    assert doctor(bench, status=0) == {"node-down"}
    state = bench.root / "state.json"
    whole = json.loads(state.read_text())

    whole["plugins"][NAME]["enabled"] = []
    state.write_text(json.dumps(whole))
    assert [f["hint"] for f in findings(bench) if f["code"] == "dependency-off"] == [f"`reckless enable {NAME}`"]

    del whole["plugins"][NAME]
    state.write_text(json.dumps(whole))
    assert [f["hint"] for f in findings(bench) if f["code"] == "dependency-missing"] == [f"`reckless install {NAME}`"]
    bench("install", NAME)
    assert doctor(bench, status=0) == {"node-down"}
