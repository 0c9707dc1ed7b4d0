"""How a command ends: exit statuses, signals, pipes that close, disks that are full. No traceback, ever."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from tests.cli.conftest import MANIFESTS, PROGRAM, Run, fake_cli


def start(*argv: object, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*PROGRAM, *(str(a) for a in argv)],
        env={**os.environ, **env}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=_as_on_a_terminal,  # noqa: PLW1509 - the tests start no threads
    )  # fmt: skip


def _as_on_a_terminal() -> None:
    """Hear hang-ups also where the tests themselves run under nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def imported(*argv: str) -> set[str]:
    """The modules that a command loads; those that measuring coverage adds are left out."""
    done = subprocess.run(
        [PROGRAM[0], "-X", "importtime", *PROGRAM[1:], *argv], capture_output=True, text=True, check=True,
        env={k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")},
    )  # fmt: skip
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}


def ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE  # for init to bury, where there is one
    except psutil.NoSuchProcess:
        return True


def test_done_is_0(process: Run, down: Path) -> None:
    assert process("-l", down, "-r", "list").status == 0


def test_failed_is_1(process: Run, down: Path) -> None:
    answer = process("-l", down, "-r", "pin", "x")
    assert answer.status == 1
    assert answer.out == ""
    assert answer.err.startswith("error: x is not installed\nhint: ")


def test_a_bug_is_70(run: Run, down: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def bug(*_: object) -> None:
        raise RuntimeError("what\x1b[2J now")

    monkeypatch.setattr("reckless.operate.listing.list_installed", bug)
    answer = run("-l", down, "-r", "list")
    assert answer.status == 70
    assert answer.err.startswith("error: a bug in reckless: RuntimeError: what\N{REPLACEMENT CHARACTER}[2J now\nhint: ")
    assert len(list((tmp_path / "tmp").iterdir())) == 1


def test_a_bug_where_no_report_can_be_written(
    run: Run, down: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def bug(*_: object) -> None:
        raise RuntimeError

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("reckless.operate.listing.list_installed", bug)
    monkeypatch.setattr("tempfile.NamedTemporaryFile", full)
    assert run("-l", down, "-r", "list").status == 70


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("json", [False, True])
def test_an_interrupt_is_130_and_ends_what_runs(
    tmp_path: Path, down: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, json: bool
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    fake_cli(tmp_path, monkeypatch, f"echo $$ > {fifo}; exec sleep 100")
    command = start(*(["-j"] if json else []), "-l", down, "-r", "upgrade")
    child = int(fifo.read_text())
    command.send_signal(number)
    out, err = command.communicate(timeout=30)
    assert command.returncode == 130
    assert "Traceback" not in err
    if json:
        assert '"code": "interrupted"' in out
    else:
        assert err.startswith("error: interrupted; ")
    assert ended(child)


def test_what_was_told_to_ignore_hangups_does(tmp_path: Path, down: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fifo, go = tmp_path / "fifo", tmp_path / "go"
    os.mkfifo(fifo)
    os.mkfifo(go)
    fake_cli(tmp_path, monkeypatch, f"echo $$ > {fifo}; cat {go}; exit 2")
    command = subprocess.Popen(["nohup", *PROGRAM, "-l", str(down), "-r", "list"], stdout=subprocess.PIPE)
    fifo.read_text()
    command.send_signal(signal.SIGHUP)
    go.write_text("")
    command.communicate(timeout=30)
    assert command.returncode == 0


def test_list_leaves_no_question_behind(tmp_path: Path, down: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = tmp_path / "asked"
    fake_cli(tmp_path, monkeypatch, f'case "$*" in *getinfo*) exit 2;; esac; echo $$ > {asked}; exec sleep 60')
    while not asked.exists() or not asked.read_text():  # the second question may not come to be asked at all
        done = subprocess.run([*PROGRAM, "-l", str(down), "-r", "list"], capture_output=True, timeout=30, check=False)
        assert done.returncode == 0
    assert not Path(f"/proc/{asked.read_text().strip()}").exists()


def test_a_reader_who_has_seen_enough(down: Path) -> None:
    command = start("-l", down, "-r", "search")
    assert command.stdout is not None
    command.stdout.close()
    assert command.stderr is not None
    err = command.stderr.read()
    command.stderr.close()
    assert command.wait(30) == 1
    assert err == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_an_answer_that_cannot_be_written(down: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*PROGRAM, "-l", str(down), "-r", "search"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "disk is full" in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_terminals_that_have_no_arrows_and_ticks(process: Run, down: Path, encoding: str) -> None:
    answer = process(
        "-l", down, "-r", "source", "add", MANIFESTS, env={"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    )
    assert answer.status == 0
    assert "added, " in answer.out


def test_the_start_is_not_slowed_down_by_what_it_does_not_need() -> None:
    assert not imported("--version") & {"typer", "rich", "requests", "msgspec", "packaging", "subprocess", "json"}


def test_list_loads_nothing_heavy(down: Path) -> None:
    loaded = imported("-l", str(down), "-r", "list")
    assert not loaded & {"rich", "requests", "msgspec", "resolvelib", "packaging.requirements", "virtualenv", "tomlkit"}
