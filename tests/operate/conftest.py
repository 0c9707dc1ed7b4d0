"""Fixtures for the operator's verbs: a node, a plugin in two releases, and `reckless` as a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.nodes import Node
from tests.operate.bench import BOTTOM, NAME, Bench, Nursery
from tests.world import World


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """One cache for the whole run, all workers together."""
    base = tmp_path_factory.getbasetemp()
    return (base if worker_id == "master" else base.parent) / "reckless-cache"


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    made = Nursery(tmp_path_factory.mktemp("nursery"))
    yield made
    made.close()


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A folder of manifests that has python-hello 1.0.0 and 1.1.0."""
    made = World(tmp_path / "world")
    made.add_plugin(NAME, versions=("1.0.0", "1.1.0"))
    return made


@pytest.fixture
def make_bench(make_node: Callable[..., Node], nursery: Nursery, cache: Path, world: World) -> Callable[..., Bench]:
    """Make a node that is up, or down, with the folder of manifests as a source."""

    def make(*, up: bool = True) -> Bench:
        node = make_node()
        node.start(BOTTOM)
        bench = Bench(node, nursery, cache, world.index_dir)
        bench.mend()
        if not up:
            node.stop()
        return bench

    return make
