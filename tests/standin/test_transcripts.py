"""The stand-in answers what a real lightningd v26.06.6 answered, case by case (tests/node/transcripts.json)."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.node.cast import write_cast
from tests.nodes import HERE, STUB_CHAIN, Boot, Node, Software, real_lightningd, stand_in

TRANSCRIPTS = json.loads((Path(__file__).parent.parent / "node" / "transcripts.json").read_text())
CASES: list[dict[str, Any]] = TRANSCRIPTS["cases"]
TIMEOUT = 4.0  # the real one waits 120 s
# What differs from node to node; everything else has to be the same
VOLATILE = {"id": "<id>", "alias": "<alias>", "color": "<color>", "port": 0}
# The recorder's own chain backend complained when its node ended under it
RECORDERS_TRACEBACK = re.compile(r"Traceback \(most recent call last\):\n(  .*\n)+BrokenPipeError: .*\n")
TIMESTAMP = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+Z ")


def scenes() -> list[range]:
    """The runs of cases that share a node: each starts with a boot, but for the first, which has none."""
    starts = [i for i, case in enumerate(CASES) if case["case"].startswith("boot:")]
    return [range(a, b) for a, b in zip([0, *starts], [*starts, len(CASES)], strict=True)]


class Replay:
    """Plays scenes once each and keeps what was answered to each case."""

    def __init__(self, folder: Path, software: Software) -> None:
        self.dir = write_cast(folder)
        self.software = software
        self.answers: dict[int, Any] = {}
        self.init: dict[int, Any] = {}
        self.node = Node(self.dir / "n1", software)
        self.node.config = self.node.netdir / "config"
        self.placeholders = {
            "$CLN/plugins": software.builtins,
            "$CLN/cli": software.bin,
            "$TOOLS": self.dir / "tools",
            "$DIR": self.dir,
        }

    def expected(self, value: Any) -> Any:
        """Return a recorded value with the places of this run in it."""
        text = json.dumps(value)
        for placeholder, path in self.placeholders.items():
            text = text.replace(placeholder, str(path))
        return json.loads(text)

    def answer(self, number: int) -> Any:
        if number not in self.answers:
            self.play(next(scene for scene in scenes() if number in scene))
        return self.answers[number]

    def play(self, scene: range) -> None:
        shutil.rmtree(self.node.dir, ignore_errors=True)
        for number in scene:
            case = CASES[number]
            if "argv" not in case:
                self.answers[number] = self.node.boot(self.expected(case["config"]))
            elif not (self.software.real and case["seconds"] > 60):
                self.answers[number] = self.ask(case)
                self.init[number] = self.last_init()
        self.node.close()

    def ask(self, case: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        folder = self.node.dir if self.node.running or case["exit"] != 2 else self.dir / "absent"
        argv = [str(self.software.bin / "lightning-cli"), f"--lightning-dir={folder}", "--network=regtest"]
        argv += self.expected(case["argv"])[1:]
        return subprocess.run(argv, env=self.node.env, capture_output=True, text=True, timeout=200, check=False)

    def last_init(self) -> Any:
        written = self.dir / "plugins" / "good.py.init"
        return json.loads(written.read_text()) if written.exists() else None


def software_of(name: str, folder: Path) -> Software | None:
    shutil.copytree(HERE, folder / "tools", ignore=shutil.ignore_patterns("standin", "bin", "plugins"))
    chain = Path(shutil.copy(STUB_CHAIN, folder / "tools" / "fakechain.py"))
    if name == "lightningd":
        return real_lightningd(chain)
    software = stand_in(timeout=TIMEOUT)
    flags = (*software.flags, "--disable-plugin=bcli", f"--plugin={chain}", "--bind-addr=127.0.0.1:58337")
    return Software(bin=software.bin, builtins=software.builtins, flags=flags, env=software.env)


@pytest.fixture(scope="module", params=["stand-in", pytest.param("lightningd", marks=pytest.mark.lightningd)])
def replay(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replay]:
    folder = tmp_path_factory.mktemp("replay")
    software = software_of(request.param, folder)
    if software is None:
        pytest.skip("no lightningd on PATH")
    replay = Replay(folder, software)
    yield replay
    replay.node.close()


def commands_and_boots(*, boots: bool) -> list[Any]:
    numbered = [(i, c) for i, c in enumerate(CASES) if c["case"].startswith("boot:") is boots]
    return [pytest.param(i, id=f"{i}-{c['case']}") for i, c in numbered]


@pytest.mark.parametrize("number", commands_and_boots(boots=False))
def test_a_command_is_answered_as_recorded(replay: Replay, number: int) -> None:
    case = CASES[number]
    skip_what_the_real_one_decides(replay, case)
    answer = replay.answer(number)

    assert answer.returncode == case["exit"]
    assert answer.stderr == replay.expected(case["stderr"])
    assert comparable(replay, answer.stdout, case) == comparable(replay, replay.expected(case["stdout"]), case)
    if "init_options" in case:
        assert replay.init[number]["options"] == case["init_options"]


@pytest.mark.parametrize("number", commands_and_boots(boots=True))
def test_a_config_is_booted_or_refused_as_recorded(replay: Replay, number: int) -> None:
    case = CASES[number]
    skip_what_the_real_one_decides(replay, case)
    boot = replay.answer(number)
    assert isinstance(boot, Boot)

    assert boot.up is case["comes_up"]
    assert boot.exit == case["exit"]
    if not case["comes_up"]:  # what plugins print on stderr of a node that is up was not recorded
        assert without_traceback(boot.output) == without_traceback(replay.expected(case["output"]))
    logged = [TIMESTAMP.sub("", line) for line in boot.log]
    for line in replay.expected(case["log"]):
        assert TIMESTAMP.sub("", line) in logged


def test_init_says_to_a_plugin_what_was_recorded(replay: Replay) -> None:
    number = next(i for i, case in enumerate(CASES) if case["case"] == "start a good plugin")
    replay.answer(number)

    assert replay.init[number] == replay.expected(TRANSCRIPTS["init_params_a_plugin_gets"])


def skip_what_the_real_one_decides(replay: Replay, case: dict[str, Any]) -> None:
    if replay.software.real and case.get("seconds", 0) > 60:
        pytest.skip("the real one waits 120 s for this answer")
    if replay.software.real and "two plugins with one method" in case["case"]:
        pytest.skip("of two plugins with one method, the real one keeps whichever answers first")


def comparable(replay: Replay, stdout: Any, case: dict[str, Any]) -> Any:
    """An answer as JSON, volatile parts masked, and built-in plugins out where the record left them out."""
    value = json.loads(stdout) if isinstance(stdout, str) and stdout else stdout
    if case["case"] == "startdir":
        value.pop("command", None)  # the record left it out: the real one answers "command": "startdir"
    if isinstance(value, dict) and "plugins" in value and case["case"] != "plugin list of a clean node":
        value["plugins"] = [p for p in value["plugins"] if not replay.node.is_builtin(p["name"])]
    return masked(value)


def masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: VOLATILE[k] if k in VOLATILE else masked(v) for k, v in value.items()}
    return [masked(v) for v in value] if isinstance(value, list) else value


def without_traceback(text: str) -> str:
    return RECORDERS_TRACEBACK.sub("", text)
