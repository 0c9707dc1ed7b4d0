"""One operator's machine: the installed `reckless` as a process, a node, and an index and git served on loopback."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.nodes import Node
from tests.servers import FileServer, GitServer
from tests.world import World

if TYPE_CHECKING:
    from typing_extensions import Self

RECKLESS = Path(sys.executable).with_name("reckless")
PATIENCE = 240.0
BOTH = pytest.mark.parametrize("kind", ["stand-in", pytest.param("real", marks=pytest.mark.lightningd)])
NEEDS_COMPILERS = [pytest.mark.skipif(not shutil.which(tool), reason=f"no {tool} on PATH") for tool in ("cargo", "go")]


@dataclass(frozen=True, kw_only=True)
class Said:
    """What one command left: its exit status, and what it printed."""

    argv: tuple[str, ...]
    status: int
    stdout: str
    stderr: str

    @property
    def text(self) -> str:
        """All that a person sees."""
        return self.stdout + self.stderr

    @property
    def json(self) -> dict[str, Any]:
        """The one object on stdout."""
        return json.loads(self.stdout)

    @property
    def error(self) -> dict[str, str]:
        """The envelope's error."""
        return self.json["error"]


class Reckless:
    """Runs the command on one node, as its operator would; `env` may be changed."""

    def __init__(self, node: Node, cache: Path) -> None:
        self.node = node
        self.env = {**node.env, "RECKLESS_CACHE": str(cache), "COLUMNS": "200"}
        self.flags = [f"--lightning-dir={node.dir}", f"--network={node.network}"]

    def __call__(self, *args: str, status: int | None = 0, env: dict[str, str] | None = None) -> Said:
        """Run it to its end and insist on its exit status; on no traceback and no bug in any case."""
        said = finish(self.start(*args, env=env))
        if status is not None:
            assert said.status == status, said
        return said

    def start(self, *args: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        """Run it without waiting."""
        return subprocess.Popen(
            [str(RECKLESS), *self.flags, *args],
            env={**self.env, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def refused(self, *args: str, status: int = 1, env: dict[str, str] | None = None) -> dict[str, str]:
        """Run what must fail; return its error, which has a code and says what to do next."""
        error = self("-j", *args, status=status, env=env).error
        assert error["code"]
        assert error["message"]
        assert error["hint"], error
        return error

    def rows(self) -> dict[str, dict[str, Any]]:
        """What `list` says, by name."""
        return {row["name"]: row for row in self("-j", "list").json["result"]}

    def health(self) -> dict[str, str]:
        """How each installed plugin is."""
        return {name: row["health"] for name, row in self.rows().items()}


def finish(process: subprocess.Popen[str]) -> Said:
    """Wait for a command that was started."""
    stdout, stderr = process.communicate(timeout=PATIENCE)
    said = Said(argv=tuple(process.args), status=process.returncode, stdout=stdout, stderr=stderr)
    assert "Traceback" not in said.text, said.text
    assert said.status != 70, said.text
    return said


class Shop:
    """A world of plugins: its git repositories and its index, both over HTTP. A context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git = GitServer(folder / "git")
        self.world = World(folder, git_base=self.git.base)
        self.site = FileServer(folder / "site")

    @property
    def url(self) -> str:
        """What `reckless source add` takes."""
        return self.site.base

    def publish(self) -> None:
        """Make the index say what the manifests say now."""
        shutil.rmtree(self.folder / "site", ignore_errors=True)
        self.world.built_index(self.folder / "site")

    def __enter__(self) -> Self:
        self.git.__enter__()
        self.site.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.site.__exit__()
        self.git.__exit__()


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """All of a node that a command that fails must leave as it was: what runs, each config file's bytes, the state."""

    plugins: dict[str, bool]
    files: dict[str, bytes]

    @classmethod
    def of(cls, node: Node) -> Snapshot:
        """Look at it now."""
        own = [node.config, node.netdir / "config", node.netdir / "config.setconfig"]
        reckless = node.dir / "reckless"
        own += [reckless / f"{node.network}-reckless.conf", reckless / "state.json", reckless / "journal.json"]
        links = {str(p): str(p.readlink()).encode() for p in sorted(reckless.glob("*/current"))}
        return cls(
            plugins=node.plugins() if node.running else {},
            files={str(p): p.read_bytes() for p in own if p.is_file()} | links,
        )


def include_lines(node: Node) -> list[str]:
    """The lines that we wrote into a person's own config files."""
    own = [node.config, node.netdir / "config"]
    lines = [line for file in own if file.is_file() for line in file.read_text().splitlines()]
    return [line for line in lines if "reckless" in line]
