"""docs/reference/cli.md has every command, argument and option that there is, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from reckless.cli.app import app
from reckless.cli.globals import HELP

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "reference" / "cli.md").read_text()
SECTIONS = dict(re.findall(r"^### `reckless ([^`]+)`\n(.*?)(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL))


def commands(group: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path}{name} ")
        elif not command.hidden:
            yield path + name, command


def usage(path: str, command: Any) -> str:
    """The command as its heading has it: name and arguments."""
    arguments = [p.metavar for p in command.params if p.param_type_name == "argument"]
    return " ".join([path, *arguments])


ALL = dict(commands(typer.main.get_command(app)))


def options(text: str) -> set[str]:
    return set(re.findall(r"`(--?[a-zA-Z][a-z-]*)`", text))


def test_every_command_has_its_section() -> None:
    assert sorted(SECTIONS) == sorted(usage(path, command) for path, command in ALL.items())


def test_every_option_is_explained() -> None:
    for path, command in ALL.items():
        there = {o for p in command.params if p.param_type_name == "option" for o in (*p.opts, *p.secondary_opts)}
        assert options(SECTIONS[usage(path, command)]) == there - {"--help", "-h"}, path


def test_hidden_names_are_told() -> None:
    for name in ("update", "rem", "rm", "listinstalled", "listavailable", "listconfig"):
        assert f"`{name}`" in TEXT


def test_the_options_of_every_command() -> None:
    section = TEXT.partition("## Options of every command")[2].partition("\n## ")[0]
    top = {o for p in typer.main.get_command(app).params for o in p.opts}
    shared = {name for names, _ in HELP for name in re.findall(r"--?[a-z][a-z-]*", names)}
    assert options(section.partition("| option |")[2]) == top | shared | {"-h", "--help", "--conf", "--lightning"}


def test_every_variable_is_told() -> None:
    section = TEXT.partition("## Environment")[2]
    told = set(re.findall(r"^\| `([A-Z_]+)` \|", section, re.MULTILINE))
    source = "\n".join(file.read_text() for file in (ROOT / "reckless").rglob("*.py"))
    assert told == {"LIGHTNING_CLI", "RECKLESS_CACHE", "RECKLESS_JOBS", "NO_COLOR"}
    assert set(re.findall(r'environ(?:\.get\(|\[)"(RECKLESS_[A-Z]+)"', source)) <= told


def test_every_exit_status_is_told() -> None:
    from reckless import errors

    section = TEXT.partition("## Exit status")[2].partition("\n## ")[0]
    told = {int(n) for n in re.findall(r"^\| (\d+) \|", section, re.MULTILINE)}
    assert told == {0, errors.EXIT_FAILED, errors.EXIT_USAGE, errors.EXIT_BUG, errors.EXIT_INTERRUPTED}
