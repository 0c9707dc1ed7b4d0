"""The command line, run inside this process and as a process of its own."""

from __future__ import annotations

import fcntl
import json
import os
import re
import struct
import subprocess
import sys
import termios
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


@dataclass(frozen=True)
class Screen:
    """What a command wrote to a terminal: `raw`, and the lines that are left to read."""

    status: int
    raw: str

    @property
    def lines(self) -> list[str]:
        """What the person sees in the end: colours gone, and lines that were drawn over, too."""
        shown: list[str] = []
        at = 0
        text = re.sub(r"\x1b\[[0-9;]*m|\x1b\[\?25[lh]", "", self.raw)
        for piece in re.split(r"(\r\n|\n|\r|\x1b\[\d*[AK])", text):
            while len(shown) <= at:
                shown.append("")
            if piece in ("\r\n", "\n"):
                at += 1
            elif found := re.fullmatch(r"\x1b\[(\d*)A", piece):
                at = max(0, at - int(found[1] or 1))
            elif re.fullmatch(r"\x1b\[\d*K", piece):
                shown[at] = ""
            elif piece not in ("", "\r"):
                shown[at] += piece
        return [line for line in shown if line]


@pytest.fixture
def terminal() -> Callable[..., Screen]:
    """Run a command on a terminal of its own, `width` columns wide; stdout and stderr both are that terminal."""

    def call(*argv: object, width: int = 80, env: dict[str, str] | None = None) -> Screen:
        ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
        command = subprocess.Popen(
            [*PROGRAM, *(str(a) for a in argv)],
            stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, **(env or {})}, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        said = b""
        try:
            while piece := os.read(ours, 65536):
                said += piece
        except OSError:  # Linux says so that the last writer has gone
            pass
        os.close(ours)
        return Screen(command.wait(120), said.decode())

    return call
