"""The main job on a node, the stand-in always, a real lightningd where there is one: install, run, upgrade, remove."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from tests.e2e.scene import BOTH, NEEDS_COMPILERS, Reckless, Shop, include_lines
from tests.nodes import Node
from tests.world import BREAKS_IN_INIT, DOES_NOT_COMPILE

pytestmark = [pytest.mark.slow, *NEEDS_COMPILERS]
BULK = 300_000  # bytes that do not compress, in the first release and in every later one
ALL = ("go-hello", "python-hello", "python-locked", "rust-hello")


@pytest.fixture
def stall(shop: Shop) -> Shop:
    """A shop with a plugin in each language, one of which depends on another."""
    world = shop.world
    for name in ("python-hello", "python-locked", "rust-hello"):
        world.add_plugin(name)
    world.add_plugin("go-hello", versions=())
    (shop.folder / "work" / "go-hello" / "bulk.bin").write_bytes(random.Random(1).randbytes(BULK))
    world.add_release("go-hello", "1.0.0", depends=("python-hello>=1",))
    shop.publish()
    return shop


@pytest.fixture
def installed(kind: str, stall: Shop, node: Node, operate: Callable[[Node], Reckless]) -> Reckless:
    """An operator who has them all, installed by one command, with an option each that they were then given."""
    reckless = operate(node)
    reckless("source", "add", stall.url)
    reckless("install", "python-locked", "rust-hello", "go-hello")
    reckless("set", "python-hello", "hello-greeting=moin moin")
    reckless("set", "rust-hello", "rust-greeting=ahoi")
    return reckless


def comes_up_again(node: Node) -> None:
    """Restart the node; the only line of ours in a person's files is the include."""
    assert node.restart().up
    lines = include_lines(node)
    assert lines == [f"include {node.dir}/reckless/{node.network}-reckless.conf"]


def versions(node: Node) -> dict[str, str]:
    """Which version answers each method."""
    return {name: node.cli(method)["version"] for name, method in METHODS.items()}


METHODS = {"python-hello": "hello", "python-locked": "locked", "rust-hello": "rust-hello", "go-hello": "go-hello"}


@BOTH
def test_plugins_are_found_installed_with_what_they_depend_on_and_called(kind, stall, node, operate):
    reckless = operate(node)
    assert "4 plugins" in reckless("source", "add", stall.url).text
    assert {h["entry"]["name"] for h in reckless("-j", "search", "rust", "hello").json["result"]} == {"rust-hello"}
    assert "python-hello>=1" in reckless("info", "go-hello").stdout

    said = reckless("install", "python-locked", "rust-hello", "go-hello")

    assert said.text.count("installed; running") == 4
    assert versions(node) == dict.fromkeys(ALL, "1.0.0")
    assert node.cli("hello", "you")["say"] == "hello you"
    rows = reckless.rows()
    assert {n for n, row in rows.items() if not row["requested"]} == {"python-hello"}
    assert {row["health"] for row in rows.values()} == {"running"}
    assert [line for line in reckless("list").stdout.splitlines() if "dependency" in line and "python-hello" in line]
    assert set(node.plugins()) == {row["path"] for row in rows.values()}
    comes_up_again(node)
    assert versions(node) == dict.fromkeys(ALL, "1.0.0")


@BOTH
def test_options_given_at_install_reach_the_plugin_now_and_after_a_restart(kind, stall, node, operate):
    reckless = operate(node)
    reckless("source", "add", stall.url)

    reckless("install", "python-hello", "--option", "hello-greeting=good day,")

    assert node.cli("hello", "you")["say"] == "good day, you"
    comes_up_again(node)
    assert node.cli("hello", "you")["say"] == "good day, you"


@BOTH
def test_an_upgrade_brings_every_newer_release_and_keeps_options(kind, installed, stall, node):
    reckless, world = installed, stall.world
    comes_up_again(node)
    assert "everything is up to date" in reckless("outdated").stdout
    first_transfer = stall.git.sent
    for name in ("python-hello", "python-locked", "rust-hello"):
        world.add_release(name, "1.1.0")
    world.add_release("go-hello", "1.1.0", depends=("python-hello>=1.1",))
    stall.publish()
    assert {row["name"]: row["available"] for row in reckless("-j", "outdated").json["result"]} == dict.fromkeys(
        ALL, "1.1.0"
    )
    assert "would upgrade rust-hello 1.0.0 → 1.1.0" in reckless("upgrade", "--all", "--dry-run").stdout
    seen: list[dict[str, str]] = []
    serve, stall.git.answer = stall.git.answer, lambda handler: (seen.append(versions(node)), serve(handler))

    log = reckless("-j", "upgrade", "--all").json["log"]

    stall.git.answer = serve
    assert seen, "nothing was fetched"
    assert seen == [dict.fromkeys(ALL, "1.0.0")] * len(seen), "the old ones run while the new ones are fetched"
    stops = [at for at, line in enumerate(log) if line.endswith(": stopping")]
    ready = [at for at, line in enumerate(log) if line.endswith(": ready")]
    assert (len(stops), len(ready)) == (4, 4)
    assert max(ready) < min(stops), "all are built and probed before the first is stopped"
    assert stall.git.sent - first_transfer < BULK / 3 < first_transfer, "only what is new is transferred"
    assert versions(node) == dict.fromkeys(ALL, "1.1.0")
    assert node.cli("hello", "you")["say"] == "moin moin you"
    assert node.cli("rust-hello")["say"] == "ahoi"
    comes_up_again(node)
    assert versions(node) == dict.fromkeys(ALL, "1.1.0")
    assert node.cli("hello", "you")["say"] == "moin moin you"


@BOTH
def test_what_fails_in_an_upgrade_is_as_it_was_and_the_others_go_on(kind, installed, stall, node):
    reckless, world = installed, stall.world
    world.add_release("python-hello", "1.1.0", edits=BREAKS_IN_INIT)
    world.add_release("go-hello", "1.1.0", depends=("python-hello>=1.1",))
    world.add_release("rust-hello", "1.1.0", edits=DOES_NOT_COMPILE)
    world.add_release("python-locked", "1.1.0")
    stall.publish()

    said = reckless("upgrade", "--all", status=1)

    assert "python-hello 1.0.0 → 1.1.0: not upgraded; 1.0.0 is as it was" in said.stdout
    assert "go-hello 1.0.0 → 1.1.0: not touched: it depends on python-hello, which failed" in said.stdout
    assert "rust-hello 1.0.0 → 1.1.0: not upgraded; 1.0.0 is as it was" in said.stdout
    assert "python-locked 1.0.0 → 1.1.0: upgraded; running" in said.stdout
    assert "this is no Rust" in said.stderr, "the end of the build log is shown"
    assert "this is no Rust" in reckless("log", "rust-hello").stdout
    assert versions(node) == dict.fromkeys(ALL, "1.0.0") | {"python-locked": "1.1.0"}
    assert node.cli("hello", "you")["say"] == "moin moin you"
    assert set(reckless.health().values()) == {"running"}
    comes_up_again(node)
    assert versions(node) == dict.fromkeys(ALL, "1.0.0") | {"python-locked": "1.1.0"}
    assert node.cli("hello", "you")["say"] == "moin moin you"

    said = reckless("upgrade", "python-hello", status=1)  # now with options that lightningd took from its config

    assert node.cli("hello", "you") == {
        "say": "moin moin you",
        "version": "1.0.0",
        "options": {"hello-greeting": "moin moin"},
    }
    comes_up_again(node)


@BOTH
def test_one_goes_back_at_once_and_is_held_there(kind, installed, stall, node):
    reckless, world = installed, stall.world
    world.add_release("rust-hello", "1.1.0")
    stall.publish()
    reckless("upgrade", "rust-hello")
    requests = len(stall.git.requests)

    said = reckless("rollback", "rust-hello")

    assert "rust-hello 1.1.0 → 1.0.0: rolled back" in said.stdout
    assert "building" not in said.stderr
    assert len(stall.git.requests) == requests
    assert node.cli("rust-hello") == {"say": "ahoi", "version": "1.0.0", "options": {"rust-greeting": "ahoi"}}
    reckless("pin", "rust-hello")
    assert "pinned" in reckless("upgrade", "--all").stdout
    assert node.cli("rust-hello")["version"] == "1.0.0"
    comes_up_again(node)
    assert node.cli("rust-hello")["version"] == "1.0.0"
    reckless("unpin", "rust-hello")
    reckless("upgrade", "--all")
    assert node.cli("rust-hello") == {"say": "ahoi", "version": "1.1.0", "options": {"rust-greeting": "ahoi"}}


@BOTH
def test_options_are_set_and_unset_and_outlive_being_disabled(kind, installed, node):
    reckless = installed
    reckless("set", "go-hello", "go-greeting=servus", "--dry-run")
    assert node.cli("go-hello")["say"] == "hello"
    reckless("set", "go-hello", "go-greeting=servus")
    assert node.cli("go-hello")["say"] == "servus"
    comes_up_again(node)
    assert node.cli("go-hello")["say"] == "servus"

    reckless("disable", "go-hello")

    assert reckless.health()["go-hello"] == "disabled"
    assert "go-hello" not in {c["command"].split()[0] for c in node.cli("help")["help"]}
    comes_up_again(node)
    assert reckless.health()["go-hello"] == "disabled"
    reckless("enable", "go-hello")
    assert node.cli("go-hello")["say"] == "servus"
    comes_up_again(node)
    assert node.cli("go-hello")["say"] == "servus"

    said = reckless("unset", "go-hello", "go-greeting")

    assert "restart lightningd" in said.stdout, "lightningd gives a plugin what its config said at boot"
    assert "go-hello has the old value of go-greeting until lightningd is restarted" in said.stderr
    assert node.cli("go-hello")["say"] == "servus"
    comes_up_again(node)
    assert node.cli("go-hello")["say"] == "hello"
    reckless("set", "go-hello", "go-greeting=grias di")
    reckless("unset", "go-hello", "go-greeting")
    assert node.cli("go-hello")["say"] == "hello", "no restart for what the config did not say at boot"


@BOTH
def test_options_that_leave_before_a_restart_hold_nothing_up(kind, installed, node):
    installed("uninstall", "rust-hello")  # lightningd had its option from `plugin start` only
    installed("install", "rust-hello")
    assert node.cli("rust-hello")["say"] == "hello"
    installed("uninstall", "rust-hello")
    installed("set", "go-hello", "go-greeting=servus")
    assert node.cli("go-hello")["say"] == "servus"


@BOTH
def test_what_others_need_stays_and_goes_with_the_last_of_them(kind, installed, node):
    reckless = installed
    comes_up_again(node)
    error = reckless.refused("uninstall", "python-hello")
    assert error["code"] == "still-needed"
    assert "go-hello" in error["message"]
    assert set(reckless.health().values()) == {"running"}

    said = reckless("uninstall", "go-hello")

    assert "python-hello 1.0.0: removed; it came as a dependency" in said.stdout
    assert set(reckless.rows()) == {"python-locked", "rust-hello"}
    assert len(node.plugins()) == 2
    comes_up_again(node)
    reckless("uninstall", "python-locked", "rust-hello")
    assert node.plugins() == {}
    comes_up_again(node)
    kept = {p.name for p in (node.dir / "reckless").iterdir() if p.is_dir() and not p.name.startswith(".")}
    assert not kept, "no files of a plugin stay"
