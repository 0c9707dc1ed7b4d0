"""Where things are: part of the promise, since the node's config names these paths."""

from __future__ import annotations

from pathlib import Path

from reckless.store.layout import Layout, tree_name


def test_the_layout() -> None:
    at = Layout(Path("/n/reckless"))
    assert at.state == Path("/n/reckless/state.json")
    assert at.journal == Path("/n/reckless/journal.json")
    assert at.lock == Path("/n/reckless/lock")
    assert at.conf("regtest") == Path("/n/reckless/regtest-reckless.conf")
    assert at.plugin("hello") == Path("/n/reckless/hello")
    assert at.tree("hello", "1+2") == Path("/n/reckless/hello/1+2")
    assert at.receipt("hello", "1+2") == Path("/n/reckless/hello/1+2/receipt.json")
    assert at.current("hello") == Path("/n/reckless/hello/current")
    assert at.failed_log("hello") == Path("/n/reckless/.logs/hello.log")


def test_a_tree_is_named_by_version_and_bytes() -> None:
    assert tree_name("1.2.0", "0123456789abcdef") == "1.2.0+01234567"


def test_an_epoch_does_not_upset_a_shell() -> None:
    assert tree_name("1!2.0", "0123456789abcdef") == "1-2.0+01234567"
