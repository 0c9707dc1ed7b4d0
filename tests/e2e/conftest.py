"""Fixtures of the end-to-end tests: a shop of plugins over HTTP, and the command on a node."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.scene import Reckless, Shop
from tests.nodes import Node


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """One cache for the whole run, all workers together: what was compiled once is not compiled again."""
    base = tmp_path_factory.getbasetemp()
    return (base if worker_id == "master" else base.parent) / "reckless-cache"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """An empty world of plugins, served over HTTP."""
    with Shop(tmp_path / "shop") as made:
        yield made


@pytest.fixture
def operate(cache: Path) -> Callable[[Node], Reckless]:
    """Make the command for a node."""
    return lambda node: Reckless(node, cache)


@pytest.fixture
def reckless(node: Node, operate: Callable[[Node], Reckless]) -> Reckless:
    """The command on a node that is up."""
    return operate(node)


@pytest.fixture
def stocked(shop: Shop, reckless: Reckless) -> Shop:
    """A shop that has python-hello, and that the node's operator has added."""
    shop.world.add_plugin("python-hello", versions=("1.0.0", "1.1.0"))
    shop.publish()
    reckless("source", "add", shop.url)
    return shop
