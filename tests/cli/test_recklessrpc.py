"""What is said to lightningd's recklessrpc plugin (reckless/cli/recklessrpc.py says what that understands)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reckless.cli import main
from reckless.cli.globals import Globals
from reckless.cli.recklessrpc import MOST, RpcContext
from reckless.errors import RecklessError
from reckless.operate.result import Outcome, Result

PROGRAM = (sys.executable, "-c", "from reckless.cli.main import main; main()")
READ = 5000  # JSON tokens


def tokens(value: object) -> int:
    if isinstance(value, dict):
        return 1 + sum(1 + tokens(v) for v in value.values())
    return 1 + sum(map(tokens, value)) if isinstance(value, list) else 1


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Any:
    def read() -> dict[str, Any]:
        text = capsys.readouterr().out
        assert text.endswith("}\0")
        assert text.count("\0") == 1
        found: dict[str, Any] = json.loads(text[:-1])
        assert tokens(found) < READ
        assert all(isinstance(item, str) for item in found["log"])
        assert all(item is None or isinstance(item, str) for item in found["result"])
        return found

    return read


def context(command: str) -> RpcContext:
    made = RpcContext(Globals(json=True), [])
    made.command = command
    return made


def outcome(action: Any, status: Any = "done") -> Outcome:
    error = RecklessError("build-failed", "it does not build", "look") if status == "failed" else None
    return Outcome(name="hello", action=action, status=status, version="1.0", error=error)


@pytest.mark.parametrize(
    ("command", "action", "status", "word"),
    [
        ("install", "install", "done", "hello"), ("install", "keep", "unchanged", "hello"),
        ("install", "enable", "done", "hello"), ("install", "install", "failed", None),
        ("upgrade", "upgrade", "done", "hello"), ("upgrade", "uninstall", "done", "uninstalled"),
        ("enable", "enable", "unchanged", "enabled"), ("disable", "disable", "done", "disabled"),
        ("uninstall", "uninstall", "done", "uninstalled"), ("uninstall", "uninstall", "failed", "uninstall failed"),
        ("install", "install", "skipped", None), ("pin", "pin", "done", "hello"),
    ],
)  # fmt: skip
def test_a_plugin_is_answered_in_the_words_of_the_other_tool(
    said: Any, command: str, action: str, status: str, word: str | None
) -> None:
    context(command)._say_change(Result(outcomes=(outcome(action, status),)))
    assert said()["result"] == [word]


def test_the_log_has_what_a_person_would_see(said: Any) -> None:
    context("install")._say_change(Result(outcomes=(outcome("install", "failed"),), notes=("a note",)))
    found = said()
    assert [line for line in found["log"] if line in ("error: it does not build", "hint: look", "a note")] == [
        "error: it does not build", "hint: look", "a note",
    ]  # fmt: skip
    assert found["error"] == "build-failed"
    assert found["ok"] is False


def test_nothing_in_it_needs_an_escape(said: Any, capsys: pytest.CaptureFixture[str]) -> None:
    error = RecklessError("x", 'a "quoted"\tword \\ and\x1b[31m “more” ✓', "one\ntwo")
    context("install").fail(error)
    text = capsys.readouterr().out
    assert "\\" not in text
    assert json.loads(text[:-1])["log"] == ["error: a 'quoted'    word / and�[31m “more” ✓", "hint: one", "two"]


def test_long_answers_are_bounded_and_say_so(said: Any) -> None:
    def show(rows: list[str]) -> None:
        print("\n".join(rows))

    made = context("search")
    made.log += [f"line {n}" for n in range(9999)]
    made._say_answer([], show, [f"plugin-{n}" for n in range(9999)], ok=True)
    found = said()
    left = f"... and {9999 - MOST} more: run reckless itself to see them"
    assert (len(found["result"]), found["result"][-1]) == (MOST + 1, left)
    assert (len(found["log"]), found["log"][-1]) == (MOST + 1, left)


@pytest.mark.parametrize(
    ("argv", "plugin", "asking"),
    [
        (["-v", "--json", "-l", "/l", "--network", "regtest", "search", "x"], True, True),
        (["-v", "--json", "-l", "/l", "--network", "regtest", "--conf", "/c", "install", "x"], True, True),
        (["-v", "--json", "-l", "/l", "--network", "regtest", "search", "x"], False, False),
        (["--json", "-l", "/l", "--network", "regtest", "search", "x"], True, False),
        (["-v", "--json", "search", "x"], True, False),
        ([], True, False),
    ],
)
def test_it_is_known_by_how_it_runs_us(
    monkeypatch: pytest.MonkeyPatch, argv: list[str], plugin: bool, asking: bool
) -> None:
    monkeypatch.setenv("LIGHTNINGD_PLUGIN", "1")
    if not plugin:
        monkeypatch.delenv("LIGHTNINGD_PLUGIN")
    assert main._is_recklessrpc(argv) is asking


def test_whoever_sees_the_end_of_the_output_finds_the_process_ended(down: Path) -> None:
    argv = [*PROGRAM, "-v", "--json", "-l", str(down), "--network", "regtest", "search", "xyzzy"]
    for _ in range(5):
        process = subprocess.Popen(
            argv, env={**os.environ, "LIGHTNINGD_PLUGIN": "1"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdin.close()
        text = process.stdout.read()
        ended = os.waitpid(process.pid, os.WNOHANG)
        process.stdout.close()
        process.returncode = 0
        assert ended == (process.pid, 0)
        assert json.loads(text[:-1])["result"] == [None]


def test_empty_words_are_no_words(down: Path) -> None:
    argv = [*PROGRAM, "-v", "--json", "-l", str(down), "--network", "regtest", "list", ""]
    done = subprocess.run(
        argv, env={**os.environ, "LIGHTNINGD_PLUGIN": "1"}, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout[:-1])["result"] == ["no plugins are installed"]
    assert done.stderr == ""
