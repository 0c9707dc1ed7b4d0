"""--json: exactly one object, for every verb, whatever comes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import MANIFESTS, Run, fake_cli

LOOKING = ("list", "outdated", "search", "search rebalance", "info summary", "doctor", "source list")
CHANGING = (
    "install x", "upgrade", "upgrade x", "update", "uninstall x", "enable x", "disable x", "rollback x", "pin x",
    "unpin x", "set x a=b", "unset x a", "source add /nowhere", "source remove /nowhere", "source rm /nowhere",
)  # fmt: skip
NAMES = {"update": "upgrade", "source rm": "source remove"}


def name_of(line: str) -> str:
    words = line.split()
    name = " ".join(words[:2]) if words[0] == "source" else words[0]
    return NAMES.get(name, name)


@pytest.mark.parametrize("line", LOOKING)
def test_looking_with_the_node_down(run: Run, down: Path, line: str) -> None:
    found = run("-j", "-l", down, "-r", *line.split()).json
    assert found["ok"]
    assert found["error"] is None
    assert found["command"] == name_of(line)


@pytest.mark.parametrize("line", [*CHANGING, "info nonsense", "log x"])
def test_each_verb_failing(run: Run, down: Path, line: str) -> None:
    answer = run("-j", "-l", down, "-r", *line.split())
    found = answer.json
    assert found["command"] == name_of(line)
    assert answer.err == ""
    if line in ("upgrade", "update"):
        assert found["log"] == ["no plugins are installed"]
        return
    assert answer.status == 1
    assert found["error"]["message"] in found["log"]


@pytest.mark.parametrize("line", [*LOOKING, *CHANGING, "log x"])
def test_each_verb_without_a_lightning_dir(run: Run, down: Path, tmp_path: Path, line: str) -> None:
    answer = run("-j", "-l", tmp_path / "nowhere", *line.split())
    assert answer.json["command"] == name_of(line)
    assert answer.status == 1
    if line == "doctor":  # what it finds is its answer
        assert [a["code"] for a in answer.json["result"]] == ["node-down", "lightning-dir-missing"]
    else:
        assert answer.error == "lightning-dir-missing"


@pytest.mark.parametrize("line", [*LOOKING, *CHANGING, "log x"])
def test_each_verb_with_a_bug_in_it(
    run: Run, down: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    def bug(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a slip of ours")

    monkeypatch.setattr("reckless.operate.session.Session.store", property(bug))
    answer = run("-j", "-l", down, "-r", *line.split())
    assert answer.status == 70
    assert answer.json["command"] == name_of(line)
    assert answer.error == "bug"
    (report,) = (tmp_path / "tmp").glob("reckless-bug-*.txt")
    assert "ZeroDivisionError: a slip of ours" in report.read_text()
    assert str(report) in answer.json["error"]["hint"]


@pytest.mark.parametrize("line", [*LOOKING, *CHANGING])
def test_each_verb_interrupted(run: Run, down: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("reckless.operate.session.Session.store", property(interrupt))
    answer = run("-j", "-l", down, "-r", *line.split())
    assert answer.status == 130
    assert answer.json["command"] == name_of(line)
    assert answer.error == "interrupted"


def test_what_succeeds(run: Run, down: Path) -> None:
    found = run("-j", "-l", down, "-r", "source", "add", MANIFESTS).json
    (row,) = found["result"]
    assert (row["name"], row["action"], row["status"]) == (str(MANIFESTS), "source", "done")


def test_a_plan_is_an_outcome_too(run: Run, down: Path) -> None:
    found = run("-j", "-l", down, "-r", "source", "add", MANIFESTS, "--dry-run").json
    assert found["result"][0]["status"] == "planned"
    assert not (down / "reckless").exists()


def test_an_error_keeps_what_was_said_before_it(run: Run, down: Path) -> None:
    found = run("-j", "-l", down, "info", "nonsense").json  # regtest is there, bitcoin is not
    assert "regtest" in found["log"][0]
    assert found["log"][-1] == found["error"]["message"]


def test_index_build(run: Run, tmp_path: Path) -> None:
    (tmp_path / "manifests").mkdir()
    found = run("-j", "index", "build", tmp_path / "manifests", "--out", tmp_path / "out").json
    assert found["command"] == "index build"
    assert found["result"][0]["plugins"] == 0


def test_unprintable_arguments(run: Run, down: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_cli(tmp_path, monkeypatch, "exit 2")
    assert run("-j", "-l", down, "-r", "info", "\udcff\x1b[2J").status == 1
