"""Fixtures of the fetch room: repositories, servers and one call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reckless.errors import FetchError
from reckless.fetch.fetcher import fetch
from reckless.model.manifest import Binary, Source
from tests.servers import GitRepository, GitServer


class Notes:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, str, str]] = []
        self.notes: list[str] = []

    def step(self, name: str, phase: str, detail: str = "") -> None:
        self.steps.append((name, phase, detail))

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def bring(tmp_path: Path, notes: Notes) -> Callable[..., Path]:
    """Fetch with one shared cache, into a folder of its own each time: `bring(source)`."""
    count = iter(range(1000))

    def call(
        source: Source | Binary, *, timeout: float = 60, cache: Path | None = None, env: dict[str, str] | None = None
    ) -> Path:
        into = tmp_path / "trees" / str(next(count)) / "src"
        try:
            fetch(
                source,
                into,
                cache=cache or tmp_path / "cache",
                name="summary",
                reporter=notes,
                timeout=timeout,
                env=env,
            )
        except FetchError:
            assert not into.exists(), "nothing is left of what failed"
            assert not list(into.parent.glob("*")), "nothing is left beside it either"
            raise
        return into

    return call


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "served"
    folder.mkdir()
    return folder


@pytest.fixture
def plugins(root: Path) -> GitRepository:
    """A repository with two plugins, each in a folder, and some files above them."""
    repository = GitRepository(root / "plugins.git")
    repository.commit(
        {
            "README.md": "plugins",
            "LICENSE": "MIT",
            "summary/summary.py": "#!/usr/bin/env python3\nprint(1)\n",
            "summary/lib/tables.py": "WIDTH = 80\n",
            "rebalance/rebalance.py": "#!/usr/bin/env python3\nprint(2)\n",
        }
    )
    return repository


@pytest.fixture
def server(root: Path) -> Iterator[GitServer]:
    with GitServer(root) as running:
        yield running


def tree(root: Path) -> dict[str, str]:
    """What is in a folder: text by path; links as `-> target`."""
    return {
        p.relative_to(root).as_posix(): f"-> {p.readlink()}" if p.is_symlink() else p.read_text()
        for p in sorted(root.rglob("*"))
        if p.is_symlink() or p.is_file()
    }
