"""A store with something in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reckless.model.state import Entry, Receipt, State
from reckless.store.layout import Layout
from reckless.store.store import Store

HELLO = Entry(
    name="hello",
    version="1.1.0",
    tree="1.1.0+abcdef12",
    entrypoint="bin/hello.py",
    origin="https://example.com/index",
    dynamic=False,
    requested=False,
    pinned=True,
    enabled=("bitcoin", "regtest"),
    previous=("1.0.0+11111111",),
)
STATE = State(
    plugins={"hello": HELLO},
    sources=("embedded", "/srv/manifests"),
    lightningd={"regtest": "v26.06.6"},
    left={"regtest": ("hello-greeting",)},
)
RECEIPT = Receipt(
    name="hello",
    version="1.1.0",
    digest="abcdef12" * 8,
    origin="embedded",
    source="https://example.com/hello.git@" + "a" * 40,
    language="python",
    entrypoint="bin/hello.py",
    interpreter="/usr/bin/python3",
    depends=("other>=1",),
    options=("hello-greeting",),
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    root = tmp_path / "reckless"
    root.mkdir()
    return Store(Layout(root))
