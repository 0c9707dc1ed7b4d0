"""What a person sees: colours only where they belong, columns that fit, progress that leaves no rubbish."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.cli.conftest import MANIFESTS, Run, Screen
from tests.world import World

Terminal = Callable[..., Screen]
ESCAPE = "\x1b"


def test_colours_are_for_terminals(process: Run, terminal: Terminal, down: Path) -> None:
    argv = ("-l", down, "-r", "search", "rebalance")
    assert ESCAPE in terminal(*argv).raw
    assert ESCAPE not in process(*argv).out


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_can_be_done_without(terminal: Terminal, down: Path, env: dict[str, str]) -> None:
    assert ESCAPE not in terminal("-l", down, "-r", "search", env=env).raw
    assert ESCAPE not in terminal("-l", down, "-r", "pin", "x", env=env).raw


def test_an_empty_no_color_means_nothing(terminal: Terminal, down: Path) -> None:
    assert ESCAPE in terminal("-l", down, "-r", "pin", "x", env={"NO_COLOR": ""}).raw


@pytest.mark.parametrize("width", [60, 80, 132])
def test_tables_fit_the_terminal(terminal: Terminal, process: Run, down: Path, width: int) -> None:
    screen = terminal("-l", down, "-r", "search", width=width)
    assert max(map(len, screen.lines)) <= width
    assert len(screen.lines) == len(process("-l", down, "-r", "search").out.splitlines())


def test_piped_nothing_is_cut(process: Run, down: Path) -> None:
    assert "…" not in process("-l", down, "-r", "search").out


def test_long_values_hang_below_their_begin(terminal: Terminal, down: Path) -> None:
    lines = terminal("-l", down, "-r", "info", "sling", width=60).lines
    (at,) = (n for n, line in enumerate(lines) if line.startswith("  options"))
    start = len(lines[at]) - len(lines[at][len("  options") :].lstrip())
    assert lines[at + 1].startswith(" " * start + "sling-")
    assert max(map(len, lines[1:])) <= 60


def test_control_characters_move_nothing(run: Run, down: Path, tmp_path: Path) -> None:
    folder = tmp_path / "manifests"
    folder.mkdir()
    text = (MANIFESTS / "summary.toml").read_text()
    (folder / "summary.toml").write_text(text)
    (folder / "evil.toml").write_text('schema = 1\nx = "\x1b[2J\x1b]0;owned\x07"\n')
    (folder / "worse.toml").write_text(text.replace('name = "summary"', 'name = "\\u001b[2J"'))
    answers = [
        run("-l", down, "-r", *line)
        for line in (
            ["source", "add", folder], ["source", "list"], ["search"], ["info", "evil"], ["info", "\x1b[2J"],
            ["install", "evil"], ["pin", "\x1b[31m"], ["\x1b[2J"],
            ["index", "build", folder, "--out", tmp_path / "out"],
        )
    ]  # fmt: skip
    assert all(ESCAPE not in answer.out + answer.err for answer in answers)
    assert all("\x07" not in answer.out + answer.err for answer in answers)


@pytest.mark.slow
def test_what_a_plugin_prints_moves_nothing(at: Sequence[str], world: World, terminal: Terminal, run: Run) -> None:
    world.add_plugin("rubbish", name="clears")
    world.add_release(
        "clears", "1.1.0", edits=(("import", "print('\\x1b[2J\\x1b[1;1Howned\\x9b2J', flush=True)\nimport"),)
    )
    screen = terminal(*at, "install", "clears")
    assert screen.status == 1
    assert "\x1b[2J" not in screen.raw
    assert "\x9b" not in screen.raw
    assert "\x1b[1;1H" not in screen.raw
    assert ESCAPE not in run(*at, "log", "clears").out


@pytest.mark.slow
def test_progress_leaves_only_the_answer(at: Sequence[str], terminal: Terminal) -> None:
    screen = terminal(*at, "install", "python-hello")
    assert screen.lines == ["✓ python-hello 1.1.0: installed; running"]
    assert "python-hello  building" in screen.raw
    assert screen.raw.count("\x1b[?25l") == screen.raw.count("\x1b[?25h")  # the cursor is back


@pytest.mark.slow
def test_piped_each_step_is_a_line(at: Sequence[str], process: Run) -> None:
    answer = process(*at, "install", "python-hello")
    assert answer.out == "✓ python-hello 1.1.0: installed; running\n"
    assert answer.err.splitlines() == [
        f"python-hello: {word}" for word in ("fetching", "building", "probing", "ready", "starting")
    ]


@pytest.mark.slow
def test_verbose_says_more(at: Sequence[str], process: Run, world: World) -> None:
    answer = process(*at, "-v", "install", "python-hello")
    assert f"python-hello: fetching ({world.git}/python-hello.git" in answer.err
    assert "python-hello: building (python)" in answer.err
