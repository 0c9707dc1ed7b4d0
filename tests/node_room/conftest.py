"""Fake lightning-cli programs and tiny plugins: real processes, made for one test each."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


@pytest.fixture
def script(tmp_path):
    """Write an executable Python program; it is given `sys`, `json`, `os`, `time`."""

    def write(name: str, body: str) -> Path:
        path = tmp_path / "programs" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!{sys.executable} -S\nimport json, os, sys, time\n{body}\n")
        path.chmod(0o755)
        return path

    return write


@pytest.fixture
def plugin(script):
    """Write a plugin that does `body` once it has read getmanifest into `request`; `answer(result)` replies."""

    def write(body: str, name: str = "tiny.py") -> Path:
        return script(
            name,
            "def say(value):\n"
            "    sys.stdout.write(json.dumps(value) + '\\n\\n')\n"
            "    sys.stdout.flush()\n"
            "def answer(result):\n"
            "    say({'jsonrpc': '2.0', 'id': request['id'], 'result': result})\n"
            "line = sys.stdin.readline()\n"
            "request = json.loads(line)\n"
            "METHOD = {'name': 'tiny', 'usage': '', 'description': 'd'}\n"
            "GOOD = {'dynamic': True, 'options': [], 'rpcmethods': [METHOD]}\n"
            f"{body}\n",
        )

    return write


@pytest.fixture
def lightning_dir(tmp_path):
    """A lightning-dir in which a regtest node has run, with one good plugin beside it."""
    folder = tmp_path / "lightning"
    (folder / "regtest").mkdir(parents=True)
    return folder
