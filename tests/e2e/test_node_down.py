"""With lightningd down every verb works on disk and config, and says so; what needs a restart waits for it."""

from __future__ import annotations

import pytest

from tests.e2e.scene import include_lines


@pytest.fixture
def asleep(stocked, node):
    """A stocked node that has been stopped."""
    node.stop()
    return node


def test_what_is_installed_while_it_is_down_starts_with_it(asleep, reckless):
    said = reckless("install", "python-hello==1.0.0", "--option", "hello-greeting=moin")

    assert "python-hello 1.0.0: installed; lightningd is not running; it starts with it" in said.stdout
    assert reckless.health() == {"python-hello": "node-down"}
    assert "lightningd is not running" in reckless("list").text
    assert asleep.boot().up
    assert asleep.cli("hello", "you") == {
        "say": "moin you",
        "version": "1.0.0",
        "options": {"hello-greeting": "moin"},
    }
    assert reckless.health() == {"python-hello": "running"}
    assert len(include_lines(asleep)) == 1


def test_every_other_verb_works_while_it_is_down_too(asleep, reckless):
    reckless("install", "python-hello==1.0.0")
    assert asleep.start()
    asleep.stop()

    reckless("set", "python-hello", "hello-greeting=servus")
    reckless("upgrade", "--all")
    assert asleep.boot().up
    assert asleep.cli("hello", "you") == {
        "say": "servus you",
        "version": "1.1.0",
        "options": {"hello-greeting": "servus"},
    }
    asleep.stop()
    reckless("rollback", "python-hello")
    reckless("unset", "python-hello", "hello-greeting")
    assert asleep.boot().up
    assert asleep.cli("hello", "you") == {
        "say": "hello you",
        "version": "1.0.0",
        "options": {"hello-greeting": "hello"},
    }
    asleep.stop()
    reckless("pin", "python-hello")
    reckless("disable", "python-hello")
    assert reckless.health() == {"python-hello": "disabled"}
    assert asleep.boot().up
    assert asleep.plugins() == {}
    asleep.stop()
    reckless("unpin", "python-hello")
    reckless("enable", "python-hello")
    assert asleep.boot().up
    assert asleep.cli("hello")["version"] == "1.0.0"
    asleep.stop()
    for looking in (["search"], ["info", "python-hello"], ["outdated"], ["log", "python-hello"], ["source", "list"]):
        reckless(*looking)
    reckless("doctor")
    reckless("uninstall", "python-hello")
    assert reckless.rows() == {}
    assert asleep.boot().up
    assert asleep.plugins() == {}


def test_the_version_last_seen_is_what_releases_must_fit(shop, reckless, node):
    shop.world.add_plugin("python-hello", versions=())
    shop.world.add_release("python-hello", "1.0.0", overrides={"cln": ">=23.08"})
    shop.world.add_release("python-hello", "2.0.0", overrides={"cln": ">=99"})
    shop.publish()
    reckless("source", "add", shop.url)
    node.stop()

    assert "python-hello 1.0.0: installed" in reckless("install", "python-hello").stdout


@pytest.fixture
def static(shop, reckless):
    """A shop with a plugin that is not dynamic."""
    shop.world.add_plugin("static", versions=("1.0.0", "1.1.0"))
    shop.publish()
    reckless("source", "add", shop.url)
    return shop


def test_one_that_is_not_dynamic_comes_with_a_restart(static, reckless, node):
    said = reckless("install", "static==1.0.0", "--option", "static-word=calm")

    assert "static 1.0.0: installed; restart lightningd to bring it in" in said.stdout
    assert reckless.health() == {"static": "restart-due"}
    assert "waits for a restart of lightningd" in reckless("list").stdout
    assert node.restart().up
    assert reckless.health() == {"static": "running"}
    assert node.cli("static") == {"version": "1.0.0", "options": {"static-word": "calm"}}


def test_its_upgrade_waits_for_a_restart_with_the_old_one_running(static, reckless, node):
    reckless("install", "static==1.0.0")
    node.restart()

    said = reckless("upgrade", "--all")

    assert "restart lightningd" in said.stdout
    assert node.cli("static")["version"] == "1.0.0"
    assert reckless.health() == {"static": "restart-due"}
    assert node.restart().up
    assert node.cli("static")["version"] == "1.1.0"
    assert reckless.health() == {"static": "running"}


def test_its_files_stay_until_the_node_no_longer_runs_them(static, reckless, node):
    reckless("install", "static==1.0.0")
    node.restart()
    files = reckless.rows()["static"]["path"]

    said = reckless("uninstall", "static")

    assert "runs until lightningd is restarted; its files stay until then" in said.stdout
    assert reckless.rows() == {}
    assert node.cli("static")["version"] == "1.0.0"
    reckless("install", "static==1.1.0", "--dry-run")
    assert files in node.plugins()
    assert node.restart().up
    assert node.plugins() == {}
    reckless("install", "static==1.1.0")
    assert not list((node.dir / "reckless" / "static").glob("1.0.0*")), "the next command clears them away"


def test_its_disabling_waits_for_a_restart(static, reckless, node):
    reckless("install", "static==1.0.0", "--option", "static-word=calm")
    node.restart()

    said = reckless("disable", "static")

    assert "restart lightningd" in said.stdout
    assert node.cli("static")["version"] == "1.0.0"
    assert node.restart().up
    assert node.plugins() == {}
    assert reckless.health() == {"static": "disabled"}
