"""The parts that the verbs are made of, where a whole process is not needed to see them keep their promise."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from reckless.errors import ProcessError
from reckless.model.reporter import SilentReporter
from reckless.operate.carry import disk_error
from reckless.operate.recover import clear_debris, recover
from reckless.operate.session import Session, Settings
from reckless.operate.undo import settle, undo
from reckless.store import journal
from reckless.store.journal import Record
from reckless.system.files import remove_leftovers
from reckless.system.interrupts import interrupt
from reckless.system.parallel import in_parallel
from reckless.system.process import Command, run
from tests.operate.bench import GREETING, NAME, Bench


class Notes(SilentReporter):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def note(self, text: str) -> None:
        self.heard.append(text)


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    """python-hello 1.1.0 runs, 1.0.0 is kept for a rollback."""
    made = make_bench()
    made("install", f"{NAME}==1.0.0", "-o", GREETING)
    made("upgrade", NAME)
    return made


def open_session(bench: Bench, network: str = "regtest") -> Session:
    return Session(Settings(lightning_dir=bench.node.dir, network=network, cache=bench.root / "cache"), Notes())


def record_of(session: Session, verb: str = "rollback", **changes: object) -> Record:
    """A change from the plugin as it is to its earlier release."""
    before = session.store.load().plugins[NAME]
    after = replace(before, version="1.0.0", tree=before.previous[0], previous=(before.tree,))
    block = session.files.read_our_conf().block(NAME)
    made = Record(verb=verb, name=NAME, network="regtest", before=before, after=after, running=True, block=block)
    return replace(made, **changes)


def test_an_undo_can_be_repeated(bench: Bench) -> None:
    session = open_session(bench)
    before = bench.situation()
    record = record_of(session)
    (bench.root / NAME / "current").unlink()
    (bench.root / NAME / "current").symlink_to(record.after.tree)
    session.files.write_our_conf(session.files.read_our_conf().without(NAME))
    bench.node.cli("plugin", "stop", str(session.store.running_path(record.before)))

    for _ in range(2):
        undo(session, record)

        assert bench.situation() == before


def test_what_is_recorded_is_finished_what_is_not_is_undone(bench: Bench) -> None:
    session = open_session(bench)
    before = bench.situation()
    state = session.store.load()
    uninstall = record_of(session, "uninstall", after=None)

    assert not settle(session, state, uninstall)
    assert bench.situation() == before
    assert settle(session, state.without(NAME), uninstall)
    assert not (bench.root / NAME / "current").is_symlink()


def test_recovering_says_what_became_of_what(bench: Bench) -> None:
    session = open_session(bench)
    state = session.store.load()
    journal.begin(session.store.layout, [record_of(session)])
    recover(session, state)
    journal.begin(session.store.layout, [record_of(session, "uninstall", after=None)])
    recover(session, state.without(NAME))
    recover(session, state)  # nothing is left to recover

    assert session.reporter.heard == [
        "an interrupted rollback of python-hello was undone; everything is as it was before it",
        "an interrupted uninstall of python-hello was already done; finished it",
    ]


def test_what_a_node_still_runs_is_no_debris(bench: Bench) -> None:
    session = open_session(bench)
    state = session.store.load()
    entry = state.plugins[NAME]
    running, kept = (session.store.layout.tree(NAME, tree) for tree in (entry.tree, entry.previous[0]))

    clear_debris(session, state.without(NAME))

    assert running.is_dir()
    assert not kept.exists()


def test_what_the_node_of_another_network_runs_is_no_debris(bench: Bench) -> None:
    here = open_session(bench)
    other = open_session(bench, "testnet")
    assert other.info is None
    (bench.root / "testnet-reckless.conf").write_text("")
    state = here.store.load()

    clear_debris(other, state.without(NAME))

    assert here.store.layout.tree(NAME, state.plugins[NAME].tree).is_dir()


def test_where_the_node_cannot_be_asked_nothing_is_removed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    state = open_session(bench).store.load()
    trees = sorted(p for p in (bench.root / NAME).iterdir() if not p.is_symlink())
    session = open_session(bench)
    assert session.files
    monkeypatch.setenv("LIGHTNING_CLI", "/no/such/lightning-cli")

    clear_debris(session, state.without(NAME))

    assert sorted(p for p in (bench.root / NAME).iterdir() if not p.is_symlink()) == trees


def test_what_did_not_run_before_does_not_run_after_an_undo(bench: Bench) -> None:
    bench("disable", NAME)
    before = bench.situation()
    session = open_session(bench)
    entry = session.store.load().plugins[NAME]
    block = session.files.read_our_conf().block(NAME)
    session.node.start(session.store.running_path(entry))

    undo(session, record_of(session, "enable", after=entry.on("regtest", enabled=True), running=False, block=block))

    assert bench.situation() == before


def test_an_old_version_that_no_longer_starts_is_said_and_blocks_nothing(bench: Bench) -> None:
    session = open_session(bench)
    record = record_of(session)
    path = session.store.running_path(record.before)
    bench.node.cli("plugin", "stop", str(path))
    path.write_text("#!/bin/sh\nexit 1\n")
    journal.begin(session.store.layout, [record])

    recover(session, session.store.load())

    assert not journal.pending(session.store.layout)
    assert "python-hello 1.1.0 could not be started again" in session.reporter.heard[0]
    assert "`reckless enable python-hello` tries again" in session.reporter.heard[0]


def test_only_our_own_temporary_files_are_swept(tmp_path: Path) -> None:
    ours = tmp_path / ".config.a1b2c3d4.new"
    others = [tmp_path / name for name in (".config.new", ".config.backup.new", ".config.setconfig.a1b2c3d4.new")]
    for path in (ours, *others):
        path.touch()

    remove_leftovers(tmp_path / "config")

    assert sorted(tmp_path.iterdir()) == sorted(others)


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [
        (errno.ENOSPC, "disk-full", "free some room"),
        (errno.EDQUOT, "disk-full", "free some room"),
        (errno.EACCES, "cannot-write", "user who runs lightningd"),
        (errno.EROFS, "cannot-write", "user who runs lightningd"),
        (errno.EIO, "os-error", ""),
    ],
)
def test_what_the_system_says_of_a_disk_is_said_in_our_words(number: int, code: str, word: str) -> None:
    error = disk_error(OSError(number, "as the system puts it", "/some/file"))

    assert error.code == code
    assert "/some/file" in error.message
    assert word in error.hint


def test_what_fails_in_parallel_is_the_answer_in_its_place() -> None:
    def work(item: int) -> int:
        if item == 2:
            raise ValueError(item)
        return item * 10

    answers = in_parallel(work, {"a": 1, "b": 2, "c": 3}, workers=2)

    assert (answers["a"], answers["c"]) == (10, 30)
    assert isinstance(answers["b"], ValueError)


@pytest.mark.skipif(not shutil.which("sleep"), reason="no sleep")
def test_an_interrupt_ends_all_that_runs_in_parallel_and_starts_nothing_more() -> None:
    started = threading.Event()
    seen: list[str] = []

    def work(item: str) -> None:
        for step in range(100):
            seen.append(f"{item}{step}")
            started.set()
            run(Command(argv=["sleep", "60"]))

    def interrupt() -> None:
        started.wait()
        while not psutil.Process().children():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        in_parallel(work, {"a": "a", "b": "b", "c": "c"}, workers=2)

    assert time.monotonic() - began < 30
    assert "c0" not in seen, "what had not begun does not begin"
    assert not [s for s in seen if s.endswith("1")], "a program that is ended is a failure: no next step"
    assert not [p for p in psutil.Process().children() if "sleep" in p.name()]


def test_however_often_interrupted_it_ends_only_when_nothing_is_at_work_any_more() -> None:
    started, ended = threading.Barrier(3), []

    def work(item: str) -> None:
        started.wait()
        time.sleep(1)
        ended.append(item)

    def interrupt_thrice() -> None:
        started.wait()
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.1)

    before = signal.signal(signal.SIGINT, lambda *_: interrupt())
    threading.Thread(target=interrupt_thrice).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            in_parallel(work, {"a": "a", "b": "b"}, workers=2)
    finally:
        signal.signal(signal.SIGINT, before)

    assert sorted(ended) == ["a", "b"]


def test_a_program_that_is_ended_is_a_failure() -> None:
    with pytest.raises(ProcessError):
        run(Command(argv=["sh", "-c", "kill -9 $$"]))


def test_programs_carry_the_mark_of_their_command(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path\n"
        "from reckless.system.process import Command, mark, run\n"
        "mark('abc')\n"
        "for env in (None, {'PATH': '/usr/bin:/bin'}):\n"
        "    print(run(Command(argv=['env'], env=env)).stdout)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert said.count("RECKLESS_RUN=abc") == 2


def test_what_undoing_notes_is_not_lost_on_what_comes_after_it(bench: Bench) -> None:
    session = open_session(bench)
    journal.begin(session.store.layout, [record_of(session, booted=("an-option-from-boot",))])

    with session.writing() as state:
        assert "an-option-from-boot" in state.left["regtest"]
        assert state.left == session.store.load().left
