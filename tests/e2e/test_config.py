"""What a person, or lightningd's own setconfig, wrote: nothing that we take out leaves a node that does not start."""

from __future__ import annotations

import pytest

from tests.e2e.scene import BOTH, Snapshot


@pytest.fixture
def greeter(kind, shop, node, operate):
    """An operator whose node has python-hello since its last start."""
    reckless = operate(node)
    shop.world.add_plugin("python-hello", versions=("1.0.0", "1.1.0"))
    shop.publish()
    reckless("source", "add", shop.url)
    reckless("install", "python-hello==1.0.0")
    assert node.restart().up
    return reckless


@BOTH
@pytest.mark.parametrize("verb", ["uninstall", "disable"])
def test_what_setconfig_wrote_leaves_with_its_plugin(kind, verb, greeter, node):
    node.cli("setconfig", "hello-greeting", "salut")
    assert node.cli("hello", "you")["say"] == "salut you"

    greeter(verb, "python-hello")

    assert node.restart().up
    assert node.plugins() == {}


@BOTH
def test_what_setconfig_wrote_outlives_an_upgrade_and_being_disabled(kind, greeter, node):
    node.cli("setconfig", "hello-greeting", "salut")
    greeter("upgrade", "--all")
    assert node.cli("hello", "you") == {"say": "salut you", "version": "1.1.0", "options": {"hello-greeting": "salut"}}
    greeter("disable", "python-hello")
    assert node.restart().up
    greeter("enable", "python-hello")
    assert node.cli("hello", "you")["say"] == "salut you"
    assert node.restart().up
    assert node.cli("hello", "you")["say"] == "salut you"


@BOTH
def test_what_is_set_wins_over_what_setconfig_wrote(kind, greeter, node):
    node.cli("setconfig", "hello-greeting", "salut")

    greeter("set", "python-hello", "hello-greeting=servus")

    assert node.cli("hello", "you")["say"] == "servus you"
    assert node.restart().up
    assert node.cli("hello", "you")["say"] == "servus you"


@BOTH
@pytest.mark.parametrize("verb", ["uninstall", "disable"])
def test_a_plugin_whose_option_a_person_set_in_their_own_config_cannot_go(kind, verb, greeter, node):
    assert node.restart(node.config.read_text() + "hello-greeting=mine\n").up
    assert node.cli("hello", "you")["say"] == "mine you"
    before = Snapshot.of(node)

    error = greeter.refused(verb, "python-hello")

    assert error["code"] == "option-in-config"
    assert f"{node.config} line 2 sets hello-greeting" in error["message"]
    assert Snapshot.of(node) == before
    assert node.restart().up
    node.config.write_text("# a person's own config\n")
    greeter(verb, "python-hello")
    assert node.restart().up


@BOTH
def test_a_plugin_that_this_run_of_lightningd_cannot_start_waits_for_the_next(kind, shop, greeter, node):
    """lightningd v26.06.6 dies at a start with options once an option that it booted with has lost its plugin."""
    shop.world.add_plugin("needs-option")
    shop.publish()
    greeter("set", "python-hello", "hello-greeting=salut")
    assert node.restart().up
    greeter("uninstall", "python-hello")

    said = greeter("install", "needs-option", "--option", "needy-token=abc")

    assert "needs-option 1.0.0: installed; restart lightningd to bring it in" in said.stdout
    assert "waits for a restart of lightningd: this one would crash" in said.stderr
    assert greeter.health() == {"needs-option": "restart-due"}
    assert node.restart().up
    assert node.cli("needy")["options"] == {"needy-token": "abc"}
    assert greeter.health() == {"needs-option": "running"}


@BOTH
def test_a_persons_config_keeps_its_bytes(kind, shop, make_node, operate):
    node = make_node()
    node.start("# mine\n\n#  alias=x \nalias=two  words \nlog-level=info")
    reckless = operate(node)
    shop.world.add_plugin("python-hello")
    shop.publish()
    reckless("source", "add", shop.url)
    before = node.config.read_bytes()

    reckless("install", "python-hello")
    reckless("set", "python-hello", "hello-greeting=x")
    reckless("uninstall", "python-hello")

    assert node.config.read_bytes() == before
    assert node.restart().up
