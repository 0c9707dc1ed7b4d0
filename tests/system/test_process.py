"""Programs end in time, wholly, and say what they said."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from reckless.errors import ProcessError
from reckless.system import process
from reckless.system.process import Command, kill, kill_all, run, start

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


def python(code: str, **options: object) -> Command:
    return Command(argv=[sys.executable, "-c", code], **options)


def wait_until(condition, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_output_and_status_come_back():
    done = run(python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"), check=False)
    assert (done.status, done.stdout, done.stderr) == (3, "out\n", "err\n")


def test_a_failure_carries_the_last_lines_and_the_command_to_run_by_hand(tmp_path):
    with pytest.raises(ProcessError) as caught:
        run(python("import sys; print(*range(100), sep='\\n', file=sys.stderr); sys.exit(3)", cwd=tmp_path))
    assert (caught.value.code, caught.value.exit_status) == ("command-failed", 3)
    assert caught.value.detail.splitlines() == [str(n) for n in range(75, 100)]
    assert caught.value.hint.startswith(f"by hand: cd {tmp_path} && ")


def test_a_log_gets_both_outputs_and_only_its_own_tail_is_shown(tmp_path):
    log = tmp_path / "build.log"
    log.write_text("earlier\n")
    with pytest.raises(ProcessError) as caught:
        run(python("import sys; print('now'); sys.exit(1)", log=log))
    assert caught.value.detail == "now"
    assert log.read_text().startswith("earlier\n$ ")


def test_stdin_and_environment_are_what_was_given():
    code = "import os, sys; print(sys.stdin.read(), sorted(k for k in os.environ if k != 'LC_CTYPE'))"
    assert run(python(code, stdin="in", env={"A": "1"})).stdout == "in ['A']\n"


def test_output_that_is_not_text_does_not_stop_us():
    assert run(python("import os; os.write(1, b'a\\xff')")).stdout == "a\ufffd"


def test_a_program_that_is_missing_or_not_executable_says_so(tmp_path):
    (tmp_path / "plain").write_text("x")
    for program, code in ((tmp_path / "none", "command-missing"), (tmp_path / "plain", "command-not-executable")):
        for limit in (0, 1000):
            with pytest.raises(ProcessError) as caught:
                run(Command(argv=[program], file_limit=limit))
            assert caught.value.code == code


def test_out_of_time_the_whole_family_is_ended(tmp_path):
    log = tmp_path / "log"
    with pytest.raises(ProcessError) as caught:
        run(python(PARENT, log=log, timeout=2))
    assert caught.value.code == "command-timeout"
    pid = int(log.read_text().splitlines()[-1])
    wait_until(lambda: not is_alive(pid))


def test_kill_all_ends_what_other_threads_wait_for():
    results: list[int] = []
    thread = threading.Thread(target=lambda: results.append(run(python(PARENT), check=False).status))
    thread.start()
    wait_until(lambda: process._running)
    kill_all()
    thread.join(20)
    assert results == [-9]
    assert not process._running


def test_an_interrupt_ends_the_program_that_is_running(tmp_path):
    code = (
        "from pathlib import Path\n"
        "from reckless.system.process import Command, run\n"
        f"run(Command(argv=[{sys.executable!r}, '-c', {PARENT!r}], log=Path('log')))\n"
    )
    log = tmp_path / "log"
    ours = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(Path(process.__file__).parents[2])},
    )
    wait_until(lambda: log.exists() and log.read_text().strip().split("\n")[-1].isdigit())
    grandchild = int(log.read_text().split()[-1])
    ours.send_signal(signal.SIGINT)
    ours.wait(20)
    wait_until(lambda: not is_alive(grandchild))


def test_a_file_limit_ends_a_program_that_fills_the_disk(tmp_path):
    code = "open('big', 'wb').write(bytes(100_000))"
    done = run(python(code, cwd=tmp_path, file_limit=10_240), check=False)
    assert done.status != 0
    assert (tmp_path / "big").stat().st_size <= 10_240
    assert run(python(code, cwd=tmp_path, file_limit=200_000)).status == 0


def test_kill_returns_when_it_is_gone_and_may_be_called_again():
    running = start(python(PARENT), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    kill(running)
    assert running.returncode == -9
    kill(running)
