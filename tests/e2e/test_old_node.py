"""A plugin that lightningd ships since some version: there it is built in, on an older node it is installed."""

from __future__ import annotations

import pytest

from tests.e2e.scene import Snapshot


@pytest.fixture
def store(shop):
    """A shop with a plugin named as one that lightningd ships since v0.12.0."""
    shop.world.add_plugin(
        "python-hello",
        name="commando",
        overrides={"release": {"cln": "<0.12"}},
    )
    shop.world.add_plugin("needs-option", depends=("commando",))
    shop.publish()
    return shop


def test_on_a_new_node_it_is_built_in_and_nothing_is_started(store, reckless, node):
    reckless("source", "remove", "embedded", status=None)
    reckless("source", "add", store.url)
    before = Snapshot.of(node)

    said = reckless("install", "commando")

    assert "commando: built into lightningd since v0.12.0; there is nothing to install" in said.stdout
    assert Snapshot.of(node).plugins == before.plugins == {}
    assert reckless.rows() == {}
    assert store.git.requests == []


def test_what_depends_on_it_is_installed_alone(store, reckless, node):
    reckless("source", "add", store.url)

    reckless("install", "needs-option", "--option", "needy-token=1")

    assert set(reckless.rows()) == {"needs-option"}


def test_on_an_old_node_it_is_installed(store, make_node, operate):
    node = make_node(version="v0.11.2")
    node.start("# a person's own config\n")
    reckless = operate(node)
    reckless("source", "add", store.url)
    reckless("source", "remove", "embedded")

    said = reckless("install", "commando")

    assert "commando 1.0.0: installed; running" in said.stdout
    assert node.cli("hello")["version"] == "1.0.0"
    assert node.restart().up
    assert node.cli("hello")["version"] == "1.0.0"
    reckless("uninstall", "commando")
    assert node.plugins() == {}


def test_the_index_that_ships_with_us_says_the_same(reckless, node):
    said = reckless("install", "commando")

    assert "built into lightningd since v0.12.0" in said.stdout
    assert node.plugins() == {}
