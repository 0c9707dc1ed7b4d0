"""One writer at a time: the second waits, is told for whom, and gives up in the end."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from reckless.errors import StoreError
from reckless.model.reporter import SilentReporter
from reckless.store import lock
from reckless.store.lock import writing
from reckless.system.process import MARK, Command, run

HOLDER = """
import sys
from pathlib import Path
from reckless.model.reporter import SilentReporter
from reckless.store.lock import writing
with writing(Path(sys.argv[1]), "reckless install hello", SilentReporter()):
    print("held", flush=True)
    sys.stdin.read()
"""


class Listener(SilentReporter):
    def __init__(self) -> None:
        self.heard = threading.Event()
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)
        self.heard.set()


def hold(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def release(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=30)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "FIRST_WORD_AFTER", 0.05)


def test_held_and_freed_it_can_be_held_again(tmp_path: Path) -> None:
    for _ in range(2):
        with writing(tmp_path / "lock", "reckless", SilentReporter()):
            assert (tmp_path / "lock.holder").exists()
        assert not (tmp_path / "lock.holder").exists()


@pytest.mark.usefixtures("impatient")
def test_the_second_waits_and_is_told_for_whom(tmp_path: Path) -> None:
    first = hold(tmp_path / "lock")
    listener = Listener()
    got = threading.Event()

    def second() -> None:
        with writing(tmp_path / "lock", "reckless upgrade", listener):
            got.set()

    thread = threading.Thread(target=second)
    thread.start()
    assert listener.heard.wait(30)
    assert listener.notes == [f"waiting for another reckless (process {first.pid}: reckless install hello)"]
    assert not got.is_set()
    release(first)
    thread.join(30)
    assert got.is_set()


@pytest.mark.usefixtures("impatient")
def test_it_gives_up_in_the_end_and_says_who_is_at_work(tmp_path: Path) -> None:
    first = hold(tmp_path / "lock")
    try:
        with (
            pytest.raises(StoreError) as caught,
            writing(tmp_path / "lock", "reckless", SilentReporter(), patience=0.1),
        ):
            raise AssertionError
    finally:
        release(first)
    assert caught.value.code == "locked"
    assert f"process {first.pid}: reckless install hello" in caught.value.message
    assert "nothing was changed" in caught.value.message


def test_one_who_was_killed_holds_nothing(tmp_path: Path) -> None:
    first = hold(tmp_path / "lock")
    first.kill()
    release(first)
    with writing(tmp_path / "lock", "reckless", SilentReporter(), patience=5):
        pass


@pytest.mark.usefixtures("impatient")
def test_a_damaged_note_of_the_holder_is_no_trouble(tmp_path: Path) -> None:
    first = hold(tmp_path / "lock")
    (tmp_path / "lock.holder").write_text("{")
    try:
        with pytest.raises(StoreError) as caught, writing(tmp_path / "lock", "", SilentReporter(), patience=0.1):
            pass
    finally:
        release(first)
    assert caught.value.message.startswith("another reckless is at work")


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises((StoreError, OSError)), writing(tmp_path / "lock", "", SilentReporter(), patience=0.1):
        pass


def test_programs_are_marked_as_ours_only_while_we_hold_the_lock(tmp_path: Path) -> None:
    def marked() -> bool:
        return MARK in run(Command(argv=[sys.executable, "-c", "import os; print(*os.environ)"])).stdout.split()

    with writing(tmp_path / "lock", "reckless install hello", SilentReporter()):
        assert marked()
    assert not marked()
