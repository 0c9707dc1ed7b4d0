"""Fixtures for every room: nodes that come up in a temporary folder and never outlive their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.nodes import Node, Software, real_lightningd, stand_in


@pytest.fixture
def make_node(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Node]]:
    """Make nodes, not started: `make_node("name", version="v0.11.2", network="regtest", timeout=5)`.

    A test marked `lightningd` gets a real one (the stand-in's own arguments then mean nothing), and is skipped where
    none is on PATH. The last node made is the one that LIGHTNING_CLI and PATH name.
    """
    real: Software | None = None
    if request.node.get_closest_marker("lightningd"):
        real = real_lightningd()
        if real is None:
            pytest.skip("no lightningd on PATH")
    nodes: list[Node] = []

    def make(
        name: str = "lightning",
        *,
        version: str = "v26.06.6",
        network: str = "regtest",
        timeout: float = 120.0,
        stop_wait: float = 30.0,
        flags: tuple[str, ...] = (),
    ) -> Node:
        software = real or stand_in(version=version, timeout=timeout, stop_wait=stop_wait)
        node = Node(tmp_path / name, software, network=network, flags=flags)
        nodes.append(node)
        for key in ("PATH", "LIGHTNING_CLI", *software.env):
            monkeypatch.setenv(key, node.env[key])
        return node

    yield make
    for node in nodes:
        node.close()


@pytest.fixture
def node(make_node: Callable[..., Node]) -> Node:
    """A node on regtest that is up, with `lightning-cli` first on PATH and in LIGHTNING_CLI."""
    made = make_node()
    made.start("# a person's own config\n")
    return made
