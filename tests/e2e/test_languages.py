"""Plugins in whatever language the system brings: installed, called, upgraded, held when a release breaks."""

from __future__ import annotations

import shutil

import pytest

from tests.e2e.scene import BOTH
from tests.world import BREAKS_IN_INIT

pytestmark = pytest.mark.slow
# What builds each, and, where it is not the only way, the entrypoint that says so.
WAYS = {
    "node-hello": ("node-hello", ("node", "npm"), ""),
    "make-hello": ("make-hello", ("make", "cc"), ""),
    "script-hello": ("script-hello", ("bash",), ""),
    "java-hello": ("java-hello", ("javac", "mvn"), ""),
    "java-hello by gradle": ("java-hello", ("javac", "gradle"), "build/install/java-hello/bin/java-hello"),
}


@BOTH
@pytest.mark.parametrize("way", WAYS)
def test_it_is_installed_called_upgraded_and_what_runs_stays_when_a_release_breaks(kind, way, shop, node, operate):
    name, tools, entrypoint = WAYS[way]
    for tool in tools:
        if not shutil.which(tool):
            pytest.skip(f"no {tool} on PATH")
    option = f"{name.removesuffix('-hello')}-greeting"
    shop.world.add_plugin(name, overrides={"build": {"entrypoint": entrypoint}} if entrypoint else None)
    shop.publish()
    reckless = operate(node)
    reckless("source", "add", shop.url)

    reckless("install", name, "--option", f"{option}=grüezi")
    said = node.cli(name)
    assert (said["say"], said["version"]) == ("grüezi", "1.0.0")

    shop.world.add_release(name, "1.1.0")
    shop.publish()
    reckless("upgrade", name)
    assert node.cli(name)["version"] == "1.1.0"

    shop.world.add_release(name, "1.2.0", edits=BREAKS_IN_INIT)
    shop.publish()
    assert reckless.refused("upgrade", name)["code"] in {"plugin-start-failed", "plugin-not-running"}
    assert reckless.health() == {name: "running"}
    assert node.restart().up
    said = node.cli(name)
    assert (said["say"], said["version"]) == ("grüezi", "1.1.0")
