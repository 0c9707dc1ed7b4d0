"""An option of the config whose plugin has gone: from then on a `plugin start` by name ends lightningd v26.06.6.

Not among the recorded transcripts; found on a real one, and held against one where there is one.
"""

from __future__ import annotations

from collections.abc import Callable

import psutil
import pytest

from tests.nodes import Node, RpcError
from tests.world import PLUGINS

HELLO = str(PLUGINS / "python-hello" / "hello.py")
NEEDY = str(PLUGINS / "needs-option" / "needs-option.py")
OTHER = str(PLUGINS / "takes-other" / "takes-other.py")
WITH_OPTION = f"plugin={HELLO}\nhello-greeting=moin\n"
BY_NAME = ("-k", "plugin", "subcommand=start")
BOTH = pytest.mark.parametrize("kind", ["stand-in", pytest.param("lightningd", marks=pytest.mark.lightningd)])


@pytest.fixture
def booted(kind: str, make_node: Callable[..., Node]) -> Node:
    """A node whose config sets an option of python-hello."""
    node = make_node()
    node.start(WITH_OPTION)
    return node


def dies_at(node: Node, *start: str) -> None:
    """Insist that this start ends lightningd."""
    answer = node.run_cli(*BY_NAME, *start)
    assert (answer.returncode, answer.stderr) == (2, "lightning-cli: reading response: socket closed\n")
    assert node.wait_dead() == -11


@BOTH
@pytest.mark.parametrize("start", [(f"plugin={NEEDY}", "needy-token=t"), (f"plugin={OTHER}",)], ids=["option", "plain"])
def test_a_start_by_name_ends_it_once_the_plugin_was_stopped(booted: Node, kind: str, start: tuple[str, ...]) -> None:
    booted.cli("plugin", "stop", HELLO)

    dies_at(booted, *start)


@BOTH
def test_a_start_by_name_ends_it_once_the_plugin_has_died(booted: Node, kind: str) -> None:
    found = [p for p in psutil.Process(booted.pid).children(recursive=True) if HELLO in " ".join(p.cmdline())]
    for process in found:
        process.kill()
    while HELLO in booted.plugins():
        pass

    dies_at(booted, f"plugin={NEEDY}", "needy-token=t")


@BOTH
def test_an_option_of_its_command_line_or_of_setconfig_does_it_too(kind: str, make_node: Callable[..., Node]) -> None:
    node = make_node(flags=("--hello-greeting=moin",))
    node.start(f"plugin={HELLO}\n")
    node.cli("plugin", "stop", HELLO)
    dies_at(node, f"plugin={OTHER}")
    node.flags = ()
    node.start(f"plugin={HELLO}\n")
    node.cli("setconfig", "hello-greeting", "ciao")
    node.cli("plugin", "stop", HELLO)
    dies_at(node, f"plugin={OTHER}")


@BOTH
def test_by_position_any_plugin_can_be_started(booted: Node, kind: str) -> None:
    booted.cli("plugin", "stop", HELLO)
    booted.cli("plugin", "start", OTHER)

    assert booted.plugins() == {OTHER: True}


@BOTH
def test_the_options_of_the_plugin_itself_are_no_danger_and_come_back_by_position(booted: Node, kind: str) -> None:
    def source() -> str:
        source: str = booted.cli("listconfigs", "hello-greeting")["configs"]["hello-greeting"]["source"]
        return source

    booted.cli("plugin", "stop", HELLO)
    with pytest.raises(RpcError, match="config: Unknown config option: invalid token"):
        booted.cli("listconfigs", "hello-greeting")
    booted.cli(*BY_NAME, f"plugin={HELLO}", "hello-greeting=servus")
    assert booted.cli("hello")["say"] == "servus world"
    assert source() == "pluginstart"
    booted.cli("plugin", "stop", HELLO)

    booted.cli("plugin", "start", HELLO)

    assert booted.cli("hello")["say"] == "moin world"
    assert source() == f"{booted.config}:2"


@BOTH
def test_an_option_of_plugin_start_leaves_with_its_plugin(kind: str, make_node: Callable[..., Node]) -> None:
    node = make_node()
    node.start()
    node.cli(*BY_NAME, f"plugin={HELLO}", "hello-greeting=servus")
    node.cli("plugin", "stop", HELLO)

    node.cli(*BY_NAME, f"plugin={NEEDY}", "needy-token=t")

    assert node.plugins() == {NEEDY: True}


@BOTH
def test_a_plugin_that_is_refused_before_its_options_are_taken_ends_nothing(booted: Node, kind: str) -> None:
    booted.cli("plugin", "stop", HELLO)

    with pytest.raises(RpcError, match="exited before replying to getmanifest"):
        booted.cli(*BY_NAME, f"plugin={PLUGINS / 'crashes' / 'crashes.py'}")
    with pytest.raises(RpcError, match="unknown parameter nope"):
        booted.cli(*BY_NAME, f"plugin={NEEDY}", "nope=t")

    assert booted.running
