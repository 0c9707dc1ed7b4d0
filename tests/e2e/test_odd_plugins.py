"""Plugins that do not do what a plugin should: none of them harms the node, and each gets a clear error."""

from __future__ import annotations

import pytest

from reckless.operate.install import install
from reckless.operate.session import Session, Settings
from tests.e2e.scene import Snapshot


@pytest.fixture
def offer(shop, reckless):
    """Put a plugin of tests/plugins on offer."""

    def add(folder: str, **more: object) -> None:
        shop.world.add_plugin(folder, **more)
        shop.publish()
        reckless("source", "add", shop.url)

    return add


REFUSED = {
    "crashes": ("probe-exited", "exited with status 1 before it answered getmanifest", "cannot find my configuration"),
    "rubbish": ("probe-rubbish", "does not speak JSON-RPC on its output; it said: Welcome to rubbish", ""),
    "disables-itself": ("", "there is no printer", ""),
    "needs-option": ("option-required", "cannot start without its option needy-token", ""),
    "takes-method": ("method-taken", "the RPC method getinfo belongs to lightningd itself", ""),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_run_is_never_shown_to_the_node(name, offer, reckless, node):
    code, message, detail = REFUSED[name]
    offer(name)
    before = Snapshot.of(node)

    answer = reckless("-j", "install", name, status=1).json

    error = answer["error"]
    assert error["code"] == code or not code
    assert message in error["message"]
    assert detail in error.get("detail", "")
    assert [(o["name"], o["status"]) for o in answer["result"]] == [(name, "failed")]
    assert not [line for line in answer["log"] if line.endswith(": starting")]
    assert Snapshot.of(node) == before
    assert reckless.rows() == {}
    assert not list((node.dir / "reckless").glob("*/*+*")), "its files are gone"


def test_one_that_hangs_is_given_up_after_the_time_that_lightningd_gives_it(offer, node, cache, monkeypatch):
    offer("hangs")
    before = Snapshot.of(node)
    settings = Settings(lightning_dir=node.dir, network=node.network, cache=cache, probe_timeout=1)
    assert Settings().probe_timeout == 120

    result = install(Session(settings), ["hangs"])

    assert not result.ok
    assert result.outcomes[0].error.code == "probe-timeout"
    assert "no answer to getmanifest within 1 s" in result.outcomes[0].error.message
    assert Snapshot.of(node) == before


def test_one_that_is_slow_is_waited_for(offer, reckless, node):
    offer("slow")

    reckless("install", "slow")

    assert node.cli("slow")["version"] == "1.0.0"


def test_one_that_needs_an_option_runs_once_it_has_it(offer, reckless, node):
    offer("needs-option")

    reckless("install", "needs-option", "--option", "needy-token=abc123")

    assert node.cli("needy")["options"] == {"needy-token": "abc123"}
    assert node.restart().up
    assert node.cli("needy")["options"] == {"needy-token": "abc123"}


def test_the_value_of_a_secret_option_is_in_no_output(offer, reckless):
    offer("needs-option")
    secret = "correct-horse-battery"
    seen = [reckless("-v", "install", "needs-option", f"--option=needy-token={secret}", "--dry-run").text]
    seen.append(reckless("-v", "install", "needs-option", f"--option=needy-token={secret}").text)
    seen.append(reckless("-j", "set", "needs-option", f"needy-token={secret}x").text)
    seen.append(reckless("-j", "set", "needs-option", f"needy-toke={secret}", status=1).text)
    seen += [reckless(*verb).text for verb in (["info", "needs-option"], ["list"], ["log", "needs-option"], ["doctor"])]

    assert secret not in "".join(seen)


def test_an_option_that_a_plugin_needs_cannot_be_unset_from_under_it(offer, reckless, node):
    offer("needs-option")
    reckless("install", "needs-option", "--option", "needy-token=abc123")
    before = Snapshot.of(node)

    error = reckless.refused("unset", "needs-option", "needy-token")

    assert (error["code"], error["message"]) == (
        "option-required",
        "needs-option cannot start without its option needy-token; nothing was changed",
    )
    assert Snapshot.of(node) == before
    assert node.cli("needy")["options"] == {"needy-token": "abc123"}


def test_one_that_takes_anothers_method_is_refused(offer, shop, stocked, reckless, node):
    reckless("install", "python-hello")
    shop.world.add_plugin("takes-other")
    shop.publish()
    before = Snapshot.of(node)

    error = reckless.refused("install", "takes-other")

    assert error["code"] == "method-taken"
    assert "the RPC method hello belongs to python-hello already" in error["message"]
    assert Snapshot.of(node) == before
    assert node.cli("hello")["version"] == "1.1.0"


def test_of_two_new_ones_that_want_one_method_only_one_comes(shop, stocked, reckless, node):
    shop.world.add_plugin("takes-other")
    shop.publish()

    said = reckless("install", "python-hello", "takes-other", status=1)

    assert len(node.plugins()) == 1
    assert said.stdout.count("installed; running") == 1
    assert node.restart().up
    assert len(node.plugins()) == 1


def test_one_that_dies_when_it_is_started_is_taken_away_again(offer, reckless, node):
    offer("fails-init")
    before = Snapshot.of(node)

    answer = reckless("-j", "install", "fails-init", status=1).json

    assert answer["result"][0]["message"] == "nothing of it was left"
    assert "lightningd" in answer["error"]["message"]
    assert answer["error"]["hint"]
    assert Snapshot.of(node) == before
    assert reckless.rows() == {}
    assert node.restart().up


def test_a_manifest_that_lies_about_its_methods_is_found_out(offer, reckless, node):
    offer("python-hello", overrides={"runtime": {"rpcmethods": ["hello", "make-coffee"]}})
    before = Snapshot.of(node)

    error = reckless.refused("install", "python-hello")

    assert error["code"] == "manifest-mismatch"
    assert "make-coffee" in error["message"]
    assert Snapshot.of(node) == before


def test_dependencies_that_came_for_one_that_failed_go_again(shop, reckless, node):
    shop.world.add_plugin("python-hello")
    shop.world.add_plugin("crashes", depends=("python-hello",))
    shop.publish()
    reckless("source", "add", shop.url)

    reckless("install", "crashes", status=1)

    assert node.plugins() == {}
    assert reckless.rows() == {}
    assert node.restart().up
