"""The command line, run inside this process and as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reckless.cli import main
from tests.nodes import Node
from tests.world import World

MANIFESTS = Path(__file__).parents[2] / "manifests"
PROGRAM = (sys.executable, "-c", "from reckless.cli.main import main; main()")


@dataclass(frozen=True)
class Answer:
    """What a command came to."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The envelope: exactly one object on stdout, in the form of docs/reference/json.md."""
        assert self.out.endswith("\n")
        assert self.out.count("\n") == 1
        found = json.loads(self.out)
        assert list(found) == ["schema", "ok", "command", "result", "log", "error"]
        assert found["schema"] == 1
        assert isinstance(found["command"], str)
        assert isinstance(found["result"], list)
        assert isinstance(found["log"], list)
        assert all(isinstance(line, str) for line in found["log"])
        assert isinstance(found["ok"], bool)
        if found["error"] is not None:
            assert {"code", "message", "hint"} <= set(found["error"]) <= {"code", "message", "hint", "detail"}
            assert all(isinstance(text, str) for text in found["error"].values())
        assert found["ok"] == (self.status == 0)
        return dict(found)

    @property
    def error(self) -> str:
        """The error's code."""
        return str(self.json["error"]["code"])


Run = Callable[..., Answer]


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the person who runs the tests is read, and nothing is written but below tmp_path."""
    (tmp_path / "home").mkdir()
    (tmp_path / "tmp").mkdir()
    for name in ("LIGHTNING_CLI", "RECKLESS_JOBS", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "_RECKLESS_COMPLETE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("RECKLESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TERM", "xterm")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process."""

    def call(*argv: object) -> Answer:
        capsys.readouterr()
        status = main.run([str(a) for a in argv])
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return Answer(status, said.out, said.err)

    return call


@pytest.fixture
def process() -> Run:
    """Run a command as a process."""

    def call(*argv: object, env: dict[str, str] | None = None) -> Answer:
        done = subprocess.run(
            [*PROGRAM, *(str(a) for a in argv)],
            env={**os.environ, **(env or {})}, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stdout + done.stderr
        return Answer(done.returncode, done.stdout, done.stderr)

    return call


@pytest.fixture
def down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The lightning-dir of a node that does not run, with a lightning-cli that says so."""
    folder = tmp_path / "lightning"
    (folder / "regtest").mkdir(parents=True)
    fake_cli(tmp_path, monkeypatch, "echo \"lightning-cli: Connecting to 'lightning-rpc': No such file\" >&2; exit 2")
    return folder


def fake_cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    """Make a lightning-cli that does what `script` says, and have it used."""
    file = tmp_path / "lightning-cli"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    monkeypatch.setenv("LIGHTNING_CLI", str(file))
    return file


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Plugins to install, as a folder of manifests."""
    made = World(tmp_path / "world")
    made.add_plugin("python-hello", versions=("1.0.0", "1.1.0"))
    return made


@pytest.fixture
def at(node: Node, world: World, run: Run) -> Sequence[str]:
    """The options that name a running node, which has the world as its source."""
    options = ("-l", str(node.dir), "--network", node.network)
    assert run(*options, "source", "add", world.index_dir).status == 0
    return options
