"""`lightning-cli reckless ...`: lightningd's recklessrpc plugin runs us in the place of the tool it was made for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.scene import BOTH, RECKLESS, Reckless, Shop
from tests.nodes import Node, RpcError

NAME = "python-hello"


@pytest.fixture
def node(kind: str, make_node: Callable[..., Node], cache: Path) -> Node:
    """A node on whose PATH ours is the first `reckless`."""
    made = make_node()
    made.env["PATH"] = f"{RECKLESS.parent}:{made.env['PATH']}"
    made.env["RECKLESS_CACHE"] = str(cache)
    made.start("# a person's own config\n")
    return made


@BOTH
def test_a_plugin_is_found_installed_switched_and_removed(kind: str, node: Node, shop: Shop) -> None:
    shop.world.add_plugin(NAME, versions=("1.0.0", "1.1.0"))
    shop.publish()
    assert node.cli("reckless", "source", "add", shop.url)["result"] == [shop.url]
    assert node.cli("reckless", "source", "list")["result"] == ["embedded", shop.url]
    assert node.cli("reckless", "search", "hello")["result"] == [f"{NAME} 1.1.0: The test plugin {NAME}"]

    answer = node.cli("reckless", "install", f"{NAME}@1.0.0")

    assert answer["result"] == [f"{node.dir}/reckless/{NAME}"]
    assert f"✓ {NAME} 1.0.0: installed; running" in answer["log"]
    assert node.cli("hello")["version"] == "1.0.0"
    assert node.cli("reckless", "update", NAME)["result"] == [f"{node.dir}/reckless/{NAME}"]
    assert node.cli("hello")["version"] == "1.1.0"
    assert node.cli("reckless", "disable", NAME)["result"] == ["disabled"]
    assert node.plugins() == {}
    assert node.cli("reckless", "enable", f'["{NAME}"]')["result"] == ["enabled"]
    assert node.cli("hello")["version"] == "1.1.0"
    assert node.cli("reckless", "uninstall", NAME)["result"] == ["uninstalled"]
    assert node.plugins() == {}


@BOTH
def test_what_fails_says_why_and_is_no_crash(kind: str, node: Node, shop: Shop) -> None:
    answer = node.cli("reckless", "install", "xyzzy")
    assert answer["result"] == ["null"]
    assert "error: there is no plugin named xyzzy" in answer["log"]
    assert any(line.startswith("hint: ") for line in answer["log"])
    assert node.cli("reckless", "search", "xyzzy")["result"] == ["null"]
    assert node.cli("reckless", "frobnicate", "it")["result"] == ["null"]
    with pytest.raises(RpcError, match="missing required parameter"):
        node.cli("reckless", "search")


@BOTH
def test_an_answer_of_any_length_leaves_the_node_alive(kind: str, node: Node, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    text = (Path(__file__).parents[2] / "manifests" / "summary.toml").read_text()
    for number in range(300):
        (folder / f"plugin-x{number}.toml").write_text(text.replace('name = "summary"', f'name = "plugin-x{number}"'))
    node.cli("reckless", "source", "add", str(folder))
    for _ in range(5):
        assert len(node.cli("reckless", "search", "plugin")["result"]) >= 300
        assert len(node.cli("reckless", "search", "")["result"]) > 300
    assert node.running


@BOTH
def test_words_in_any_script_come_through(kind: str, node: Node, tmp_path: Path) -> None:
    answer = node.cli("reckless", "source", "add", f"{tmp_path}/no “such” 文件夹")
    assert answer["result"] == ["null"]
    assert f"error: {tmp_path}/no “such” 文件夹 is no folder" in answer["log"]


@BOTH
def test_the_tool_itself_still_answers_programs_as_documented(
    kind: str, node: Node, operate: Callable[[Node], Reckless]
) -> None:
    reckless = operate(node)
    said = reckless("-v", "--json", "install", "xyzzy", status=1, env={"LIGHTNINGD_PLUGIN": "1"})
    assert said.error["code"] == "no-such-plugin"
    assert "\0" not in said.stdout
