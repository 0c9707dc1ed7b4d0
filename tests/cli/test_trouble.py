"""A node that cannot be asked, and folders that are not ours: looking goes on with a note, changing refuses clearly."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from reckless.node.rpc import TimeLimits
from tests.cli.conftest import MANIFESTS, Run, fake_cli

LOOKING = ("list", "outdated", "search rebalance", "info summary", "source list")
CHANGING = ("install summary", "upgrade", "uninstall x", "enable x", "disable x", "rollback x", "pin x", "set x a=b")
BROKEN = {
    "missing": ("", "lightning-cli-missing"),
    "rubbish": ("echo 'Segmentation fault'", "node-answer"),
    "cut": ("""echo '{"id": "02'""", "node-answer"),
    "list": ("echo '[]'", "node-answer"),
    "fails": ("echo 'no such option' >&2; exit 3", "lightning-cli-usage"),
    "killed": ("kill -9 $$", "lightning-cli-failed"),
    "endless": ("yes", "node-answer"),
    "hangs": ("sleep 100", "node-timeout"),
    "denied": ("echo 'lightning-cli: Connecting: Permission denied' >&2; exit 2", "node-permission"),
}


@pytest.fixture(params=BROKEN)
def broken(
    request: pytest.FixtureRequest, tmp_path: Path, down: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, str]:
    """A lightning-dir whose node cannot be asked, and the error's code."""
    script, code = BROKEN[request.param]
    if script:
        fake_cli(tmp_path, monkeypatch, script)
    else:
        monkeypatch.setenv("LIGHTNING_CLI", str(tmp_path / "nowhere" / "lightning-cli"))
    monkeypatch.setattr("reckless.node.rpc.TimeLimits", lambda: TimeLimits(quick=0.3 if code == "node-timeout" else 30))
    return down, code


def test_looking_goes_on(run: Run, broken: tuple[Path, str]) -> None:
    folder, _ = broken
    for line in LOOKING:
        answer = run("-j", "-l", folder, "-r", *line.split())
        assert answer.json["ok"], (line, answer)
    text = run("-l", folder, "-r", "list")
    assert text.out == "no plugins are installed\n"
    assert "cannot ask lightningd what runs: " in text.err


def test_changing_refuses_with_words(run: Run, broken: tuple[Path, str]) -> None:
    folder, code = broken
    for line in CHANGING:
        answer = run("-j", "-l", folder, "-r", *line.split())
        assert answer.status == 1
        assert answer.error == code, line
        assert answer.json["error"]["message"]
    assert not (folder / "reckless").exists()


def test_the_doctor_names_it(run: Run, broken: tuple[Path, str]) -> None:
    folder, code = broken
    answer = run("-j", "-l", folder, "-r", "doctor")
    assert answer.status == 1
    assert [a["code"] for a in answer.json["result"]] == [code]


def test_no_lightning_dir(run: Run, down: Path, tmp_path: Path) -> None:
    answer = run("-l", tmp_path / "nowhere", "list")
    assert answer.status == 1
    assert answer.err == (
        f"error: there is no folder {tmp_path}/nowhere\n"
        "hint: give the node's folder with --lightning-dir; lightningd makes it when it first runs\n"
    )


def test_without_a_node_there_is_still_search(run: Run, down: Path) -> None:
    assert "summary" in run("search", "summary").out
    assert run("info", "summary").status == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look into any folder")
def test_a_lightning_dir_that_cannot_be_looked_into(run: Run, down: Path) -> None:
    down.chmod(0)
    try:
        assert run("-j", "-l", down, "-r", "list").error == "lightning-dir-unreadable"
    finally:
        down.chmod(0o700)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_another_users_lightning_dir(run: Run, down: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.chown(down, "nobody")
    for line in (*CHANGING, f"source add {MANIFESTS}"):
        answer = run("-j", "-l", down, "-r", *line.split())
        assert answer.error == "wrong-user", line
        assert answer.json["error"]["hint"] == f"sudo -u nobody reckless -j -l {down} -r {line}"
    assert not (down / "reckless").exists()
    assert run("-l", down, "-r", "list").status == 0


@pytest.mark.parametrize("text", ["", "{", '{"schema": 99}', "\0"])
def test_a_state_that_cannot_be_read_is_never_taken_for_empty(run: Run, down: Path, text: str) -> None:
    (down / "reckless").mkdir()
    state = down / "reckless" / "state.json"
    state.write_text(text)
    for line in ("list", "outdated", *CHANGING, f"source add {MANIFESTS}"):
        answer = run("-j", "-l", down, "-r", *line.split())
        assert answer.error == ("state-too-new" if "99" in text else "state-damaged"), line
        assert answer.json["error"]["hint"]
        assert state.read_text() == text


def test_a_damaged_journal_stops_changes(run: Run, down: Path) -> None:
    (down / "reckless").mkdir()
    journal = down / "reckless" / "journal.json"
    journal.write_text("{")
    assert run("-j", "-l", down, "-r", "source", "add", MANIFESTS).error == "state-damaged"
    assert journal.read_text() == "{"
    assert run("-l", down, "-r", "list").status == 0
