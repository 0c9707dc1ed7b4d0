"""Completion: commands, options and plugin names, in each shell's way, whatever stands before them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reckless.store.layout import Layout
from reckless.store.store import Store
from tests.cli.conftest import Run
from tests.store.conftest import STATE


@pytest.fixture
def installed(down: Path) -> Path:
    """A node's folder with hello and hallo installed."""
    (down / "reckless").mkdir()
    hello = STATE.plugins["hello"]
    state = replace(STATE, sources=()).with_entry(replace(hello, name="hallo"))
    Store(Layout(down / "reckless")).save(state)
    return down


def bash(process: Run, *words: object) -> list[str]:
    line = [str(w) for w in words]
    answer = process(
        env={"_RECKLESS_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(line), "COMP_CWORD": str(len(line) - 1)}
    )
    assert answer.err == ""
    return answer.out.split()


def test_commands(process: Run) -> None:
    assert bash(process, "reckless", "in") == ["install", "info", "index"]
    assert bash(process, "reckless", "source", "re") == ["remove"]


def test_options(process: Run) -> None:
    assert bash(process, "reckless", "install", "--dr") == ["--dry-run"]


def test_installed_plugins(process: Run, installed: Path) -> None:
    assert bash(process, "reckless", "-l", installed, "-r", "upgrade", "h") == ["hallo", "hello"]
    assert bash(process, "reckless", "upgrade", "-l", installed, "-r", "he") == ["hello"]
    assert bash(process, "reckless", f"--lightning-dir={installed}", "-r", "pin", "hallo", "he") == ["hello"]


def test_what_bash_takes_apart_at_an_equals_sign(process: Run, installed: Path) -> None:
    words = ("reckless", "--network", "=", "regtest", "--lightning-dir", "=", installed, "pin", "he")
    assert bash(process, *words) == ["hello"]


def test_all_plugins(process: Run, installed: Path) -> None:
    assert bash(process, "reckless", "-l", installed, "-r", "install", "summ") == ["summars", "summary"]
    assert bash(process, "reckless", "-l", installed, "-r", "info", "hal") == ["hallo"]


def test_a_value_of_ours_is_left_to_the_shell(process: Run) -> None:
    assert bash(process, "reckless", "-l", "/tm") == []


def test_zsh_and_fish(process: Run, installed: Path) -> None:
    line = f"reckless -l {installed} -r pin he"
    zsh = process(env={"_RECKLESS_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": line})
    assert zsh.out.strip() == """_arguments '*: :(("hello"))'"""
    env = {"_RECKLESS_COMPLETE": "complete_fish", "_TYPER_COMPLETE_ARGS": line}
    assert process(env={**env, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}).out == "hello\n"
    assert process(env={**env, "_TYPER_COMPLETE_FISH_ACTION": "is-args"}).status == 0


@pytest.mark.parametrize("text", ["", "{", '{"schema": 99}'])
def test_trouble_is_no_noise_in_a_prompt(process: Run, installed: Path, text: str) -> None:
    (installed / "reckless" / "state.json").write_text(text)
    assert bash(process, "reckless", "-l", installed, "-r", "pin", "h") == []
    assert bash(process, "reckless", "-l", "/nowhere", "pin", "h") == []


def test_rubbish_from_the_shell(process: Run) -> None:
    for words, at in (("", ""), ("reckless 'x", "1"), ("reckless", "x"), ("reckless -l", "9")):
        answer = process(env={"_RECKLESS_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": at})
        assert answer.err == ""
