"""What the test plugins promise, and how a node takes each: the stand-in, and a real lightningd where there is one."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.nodes import Node, RpcError
from tests.world import PLUGINS

BOTH = pytest.mark.parametrize("kind", ["stand-in", pytest.param("lightningd", marks=pytest.mark.lightningd)])


def script(name: str) -> str:
    return str(PLUGINS / name / f"{name}.py")


HELLO = str(PLUGINS / "python-hello" / "hello.py")


@BOTH
def test_hello_answers_with_its_version_and_options(node: Node, kind: str) -> None:
    node.cli("plugin", "-k", "subcommand=start", f"plugin={HELLO}", "hello-greeting=bonjour")
    assert node.cli("hello", "Alice") == {
        "say": "bonjour Alice",
        "version": "1.0.0",
        "options": {"hello-greeting": "bonjour"},
    }

    node.cli("setconfig", "hello-greeting", "ciao")

    assert node.cli("hello")["say"] == "ciao world"


REFUSED = {
    "crashes": "exited before replying to getmanifest",
    "static": "Not a dynamic plugin",
    "disables-itself": "disabled itself: there is no printer",
    "fails-init": "exited before replying to init",
    "needs-option": "exited before replying to init",
}


@BOTH
@pytest.mark.parametrize("name", REFUSED)
def test_a_plugin_that_cannot_run_is_refused_and_gone(node: Node, kind: str, name: str) -> None:
    with pytest.raises(RpcError, match=REFUSED[name]) as refusal:
        node.cli("plugin", "start", script(name))

    assert refusal.value.code == -3
    assert node.plugins() == {}


@BOTH
def test_rubbish_on_stdout_is_refused(node: Node, kind: str) -> None:
    with pytest.raises(RpcError, match="Failed to parse RPC JSON response 'Welcome to rubbish"):
        node.cli("plugin", "start", script("rubbish"))


@BOTH
def test_a_needed_option_lets_it_run(node: Node, kind: str) -> None:
    node.cli("plugin", "-k", "subcommand=start", f"plugin={script('needs-option')}", "needy-token=t")

    assert node.cli("needy") == {"version": "1.0.0", "options": {"needy-token": "t"}}


@BOTH
def test_a_static_plugin_comes_in_by_config_and_a_restart(node: Node, kind: str) -> None:
    assert node.restart(f"plugin={script('static')}\nstatic-word=calm\n").up

    assert node.plugins() == {script("static"): True}
    assert node.cli("static")["options"] == {"static-word": "calm"}


@BOTH
def test_the_method_of_another_plugin_is_not_to_be_had(node: Node, kind: str) -> None:
    node.cli("plugin", "start", HELLO)

    with pytest.raises(RpcError, match=f'"hello", a method with that name is already registered by plugin {HELLO}'):
        node.cli("plugin", "start", script("takes-other"))


@BOTH
def test_taking_a_method_of_lightningd_ends_lightningd(node: Node, kind: str) -> None:
    answer = node.run_cli("plugin", "start", script("takes-method"))

    assert (answer.returncode, answer.stderr) == (2, "lightning-cli: reading response: socket closed\n")
    assert node.wait_dead() == -11


@BOTH
def test_a_plugin_whose_file_changed_is_started_anew(node: Node, kind: str, tmp_path: Path) -> None:
    copy = Path(shutil.copy(HELLO, tmp_path / "hello.py"))
    node.cli("plugin", "start", str(copy))
    copy.write_text(copy.read_text().replace('VERSION = "1.0.0"', 'VERSION = "1.1.0"'))

    node.cli("plugin", "start", str(copy))

    assert node.cli("hello")["version"] == "1.1.0"


@BOTH
def test_an_option_left_by_setconfig_keeps_the_node_from_starting_without_its_plugin(node: Node, kind: str) -> None:
    node.cli("plugin", "start", HELLO)
    node.cli("setconfig", "hello-greeting", "ciao")

    boot = node.restart()

    assert not boot.up
    assert "hello-greeting=ciao: unknown option" in boot.output


def test_a_slow_plugin_has_until_the_time_limit(
    make_node: Callable[..., Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLOW_SECONDS", "30")
    node = make_node(timeout=0.3)
    node.start()

    with pytest.raises(RpcError, match="timed out before replying to getmanifest"):
        node.cli("plugin", "start", script("slow"))


def test_an_old_node_has_no_commando(make_node: Callable[..., Node]) -> None:
    node = make_node(version="v0.11.2")
    node.start()

    assert node.cli("getinfo")["version"] == "v0.11.2"
    with pytest.raises(RpcError, match="Unknown command commando"):
        node.cli("help", "commando")
    assert node.cli("listconfigs")["# version"] == "v0.11.2"


def test_plugins_end_with_their_node_however_it_ends(node: Node) -> None:
    node.cli("plugin", "start", HELLO)
    (plugin,) = psutil.Process(node.pid).children()

    psutil.Process(node.pid).kill()

    psutil.wait_procs([plugin], timeout=10)
    assert not plugin.is_running() or plugin.status() == psutil.STATUS_ZOMBIE


def test_plugins_are_told_of_a_stop_and_gone_after_it(node: Node) -> None:
    node.cli("plugin", "start", HELLO)
    (plugin,) = psutil.Process(node.pid).children()

    node.stop()

    assert not plugin.is_running()
    assert "plugin-hello.py: Killing plugin" not in "\n".join(node.log)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rust-hello", "go-hello"])
def test_the_compiled_ones_build_and_answer(node: Node, name: str, tmp_path: Path) -> None:
    tool = "cargo" if name == "rust-hello" else "go"
    if shutil.which(tool) is None:
        pytest.skip(f"no {tool} here")
    out = tmp_path / "out"
    argv = {
        "cargo": ["cargo", "build", "--quiet", "--locked", f"--target-dir={out}"],
        "go": ["go", "build", "-o", str(out / "debug" / name), f"./cmd/{name}"],
    }[tool]
    subprocess.run(argv, cwd=PLUGINS / name, check=True)
    word = name.removesuffix("-hello") + "-greeting"

    node.cli("plugin", "-k", "subcommand=start", f"plugin={out / 'debug' / name}", f"{word}=servus")

    assert node.cli(name) == {"say": "servus", "version": "1.0.0", "options": {word: "servus"}}
