"""A node with plugins of lightningd's own tool: ours takes them over, and the node comes up at each stage."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reckless.model.state import OLD_TOOL
from tests.e2e.scene import BOTH, Reckless, Shop
from tests.nodes import Node
from tests.old_tool import OldTool

NAME = "python-hello"


@BOTH
@pytest.mark.parametrize("version", ["v23.08", "v26.06"])
def test_the_move_from_lightningds_own_tool(
    kind: str, version: str, make_node: Callable[..., Node], operate: Callable[[Node], Reckless], shop: Shop
) -> None:
    shop.world.add_plugin(NAME, versions=("1.0.0", "1.1.0"))
    shop.publish()
    node = make_node()
    old = OldTool(node, version=version)
    path = old.install(NAME)
    old.line("hello-greeting=moin")
    node.start("# a person's own config\n")
    assert (node.cli("hello")["version"], node.cli("hello")["say"]) == ("0.9.0", "moin world")
    reckless = operate(node)
    reckless("source", "add", shop.url)
    assert (reckless.health(), reckless.rows()[NAME]["origin"]) == ({NAME: "running"}, OLD_TOOL)

    reckless("disable", NAME)
    assert node.restart().up
    assert node.plugins() == {}
    reckless("enable", NAME)
    assert [*node.plugins()] == [str(path.resolve())]
    reckless("upgrade", "--all")

    assert (node.cli("hello")["version"], node.cli("hello")["say"]) == ("1.1.0", "moin world")
    assert node.restart().up
    assert (node.cli("hello")["version"], node.cli("hello")["say"]) == ("1.1.0", "moin world")
    reckless("rollback", NAME)
    assert node.cli("hello")["version"] == "0.9.0"
    assert node.restart().up
    assert node.cli("hello")["say"] == "moin world"
    reckless("uninstall", NAME)
    assert node.restart().up
    assert node.plugins() == {}
    assert node.config.read_text() == "# a person's own config\n"
    assert not (old.root / NAME).exists()
