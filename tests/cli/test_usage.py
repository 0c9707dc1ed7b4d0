"""What is said of a command line: help, versions, slips, and always one JSON object where JSON was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from reckless import __version__
from tests.cli.conftest import Run

VERBS = (
    "install", "upgrade", "uninstall", "enable", "disable", "rollback", "pin", "unpin", "set", "unset",
    "list", "outdated", "search", "info", "log", "doctor", "source", "index",
)  # fmt: skip


def test_alone_it_shows_the_help(process: Run) -> None:
    answer = process()
    assert answer.status == 0
    assert answer.out.startswith("Usage: reckless ")
    assert answer.err == ""


@pytest.mark.parametrize("argv", [["help"], ["--help"], ["-h"], ["-v", "help"]])
def test_help_in_all_its_forms(run: Run, argv: list[str]) -> None:
    assert run(*argv).out == run().out


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_one_command(run: Run, verb: str) -> None:
    page = run("help", verb)
    assert page.status == 0
    assert page.out.startswith(f"Usage: reckless {verb} ")
    assert page.out == run(verb, "-h").out == run(verb, "--help").out
    assert "reckless --help" in page.out


def test_help_of_a_command_below_another(run: Run) -> None:
    assert run("help", "source", "add").out.startswith("Usage: reckless source add [OPTIONS] URL|DIR...")


@pytest.mark.parametrize("width", [60, 80, 200])
def test_pages_fit_the_terminal_and_nothing_is_cut_off(run: Run, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    for argv in ([], *([verb, "--help"] for verb in VERBS)):
        page = run(*argv).out
        assert max(len(line) for line in page.splitlines()) <= width
        assert "..." not in page.replace("NAME...", "").replace("KEY...", "").replace("VALUE...", "").replace(
            "[ARGS]...", ""
        ).replace("URL...", "").replace("WORD...", "").replace("DIR...", "").replace("testnet, ...", "").replace(
            "https://...", ""
        )


def test_every_command_is_on_the_first_page(run: Run) -> None:
    page = run().out
    for verb in VERBS:
        assert f"\n  {verb} " in page


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_version(process: Run, flag: str) -> None:
    answer = process(flag)
    assert (answer.status, answer.out) == (0, f"reckless {__version__}\n")


def test_version_beside_other_options(run: Run) -> None:
    assert run("-l", "/n", "--version", "-v").out == f"reckless {__version__}\n"
    assert run("-j", "--version").json["result"] == [__version__]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ("nonsense", "no such command 'nonsense'"),
        ("instal x", "did you mean install"),
        ("source lst", "did you mean list"),
        ("list --nonsense", "no such option: --nonsense"),
        ("install x --dry-rum", "did you mean --dry-run?"),
        ("install", "missing argument 'NAME[==VERSION|@REV]|PATH|URL...'"),
        ("set x", "missing argument 'KEY=VALUE...'"),
        ("info", "missing argument 'NAME|PATH|URL'"),
        ("rollback a b", "unexpected extra argument"),
        ("index build x", "missing option '--out'"),
        ("list --network", "--network needs a value"),
        ("-r --network signet list", "-r means regtest"),
        ("upgrade x --all", "--all means every plugin"),
        ("help nonsense", "no such command 'nonsense'"),
        ("install a b -o x=y", "--option goes with one plugin"),
        ("install a -o xy", "'xy' is not KEY=VALUE"),
    ],
)
def test_slips_are_wrong_usage_with_what_to_do(run: Run, down: Path, argv: str, said: str) -> None:
    answer = run("-l", down, *argv.split())
    assert answer.status == 2
    assert answer.out == ""
    assert said in answer.err
    assert "\nhint: " in answer.err
    assert run("-j", "-l", down, *argv.split()).error == "usage"


@pytest.mark.parametrize("argv", ["-j", "-j help", "-vj install --help", "-j source", "-j --show-completion"])
def test_pages_as_json(process: Run, argv: str) -> None:
    answer = process(*argv.split(), env={"SHELL": "/bin/bash"})
    if "--show-completion" in argv:  # needs to know which shell started it
        assert answer.out.count("\n") <= 1
        return
    found = answer.json
    assert found["command"] == "help"
    assert found["result"][0].startswith("Usage: reckless")


@pytest.mark.parametrize(
    "argv", ["-j nonsense", "-vj nonsense", "nonsense --json", "-j --network", "-jr --network x y"]
)
def test_slips_as_json(process: Run, argv: str) -> None:
    answer = process(*argv.split())
    assert answer.status == 2
    assert answer.err == ""
    assert answer.error == "usage"


def test_after_two_dashes_all_are_names(run: Run, down: Path) -> None:
    answer = run("-l", down, "-r", "-j", "uninstall", "--", "--dry-run")
    assert "--dry-run" not in answer.json["error"]["hint"]
    assert answer.status == 1


def test_a_number_of_jobs_that_is_none(run: Run, down: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECKLESS_JOBS", "²")
    assert run("-j", "-l", down, "list").error == "usage"
