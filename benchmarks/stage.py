"""Where the measuring takes place: reckless as a user has it, a trivial program beside it, an index and a node."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.nodes import Node, real_lightningd, stand_in
from tests.servers import GitRepository
from tests.world import PROJECTS, Project, World

ROOT = Path(__file__).resolve().parent.parent
TWENTY = ROOT / "benchmarks" / "plugins" / "python-twenty"
CRATES = ROOT / "benchmarks" / "plugins" / "rust-crates"
TRIVIAL = '''
import typer

app = typer.Typer()


@app.command()
def hello() -> None:
    """Say hello."""
    print("hello")


@app.command()
def bye() -> None:
    """Say goodbye."""
    print("bye")
'''
TRIVIAL_PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "trivial"
version = "1"
dependencies = ["typer"]

[project.scripts]
trivial = "trivial:app"
"""
PROJECTS[str(TWENTY)] = Project(entrypoint="twenty.py", build={"lock": "requirements.txt"}, methods=("twenty",))
PROJECTS[str(CRATES)] = Project(language="rust", entrypoint="rust-crates", methods=("rust-crates",))


class Stage:
    """Everything below one folder, with caches of its own; `env` is what both sides of each comparison run with."""

    def __init__(self, stack: contextlib.ExitStack, folder: Path, *, pretend: bool) -> None:
        self.folder = folder
        self.cache = folder / "cache"
        self.uv = Path(sys.executable).with_name("uv")
        (folder / "bin").mkdir()
        (folder / "bin" / "uv").symlink_to(self.uv)
        self.node = Node(folder / "lightning", (None if pretend else real_lightningd()) or stand_in())
        stack.callback(self.node.close)
        self.cli = [str(self.node.lightning_cli), f"--lightning-dir={self.node.dir}", f"--network={self.node.network}"]
        kept = {k: v for k, v in self.node.env.items() if not k.startswith(("RECKLESS", "PYTHON"))}
        self.env = kept | {
            "PATH": f"{folder / 'bin'}{os.pathsep}{kept['PATH']}",
            "LIGHTNING_CLI": shlex.join([str(self.node.lightning_cli)]),
            "RECKLESS_CACHE": str(self.cache),
        }
        self.venv = folder / "venv"
        self._install_both()
        self.world = World(folder / "world")
        self.world.add_plugin("static")  # never installed: a folder without manifests is no source
        self.node.start("")
        self.reckless("source", "add", str(self.world.index_dir))

    @property
    def command(self) -> list[str]:
        """The start of each command line."""
        return [str(self.venv / "bin" / "reckless"), "-l", str(self.node.dir), "--network", self.node.network]

    @property
    def trivial(self) -> list[str]:
        """The trivial program's command line."""
        return [str(self.venv / "bin" / "trivial"), "hello"]

    def reckless(self, *args: str, env: Mapping[str, str] | None = None) -> str:
        """Run our command, not measured."""
        argv = [*self.command, *args]
        done = subprocess.run(argv, env=self.env | dict(env or {}), capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{shlex.join(argv)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def without_uv(self) -> dict[str, str]:
        """The environment of a machine that has no uv."""
        folders = self.env["PATH"].split(os.pathsep)
        return self.env | {"PATH": os.pathsep.join(f for f in folders if not Path(f, "uv").exists())}

    def add_twenty(self, name: str) -> None:
        """A Python plugin with twenty dependencies, whose method is called as it is."""
        self.world.add_plugin(str(TWENTY), name=name, versions=(), overrides={"runtime": {"rpcmethods": [name]}})
        self.world.add_release(name, "1.0.0", edits=(('METHOD = "twenty"', f'METHOD = "{name}"'),))

    def answers(self, method: str) -> dict[str, object]:
        """What a plugin's method answers."""
        return dict(self.node.cli(method))

    def software(self) -> str:
        """What it was measured with."""
        version = subprocess.run([self.uv, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
        info = self.node.cli("getinfo")["version"]
        return (
            f"uv {version}, {'a real lightningd' if self.node.software.real else 'the stand-in for lightningd'} {info}"
        )

    def _install_both(self) -> None:
        project = self.folder / "trivial"
        project.mkdir()
        (project / "trivial.py").write_text(TRIVIAL)
        (project / "pyproject.toml").write_text(TRIVIAL_PROJECT)
        from reckless.build.python_index import for_uv

        env = {**os.environ, **for_uv(os.environ)[0]}
        base = str(getattr(sys, "_base_executable", None) or sys.executable)
        for argv in (
            ["venv", "--quiet", "--python", base, str(self.venv)],
            ["pip", "install", "--quiet", "--compile-bytecode", "--python", str(self.venv), str(ROOT), str(project)],
        ):
            subprocess.run([str(self.uv), *argv], env=env, check=True)


def many_manifests(folder: Path, count: int) -> Path:
    """Write that many manifests, as a large index would have."""
    folder.mkdir()
    for n in range(count):
        name = f"plugin-{n:04}"
        (folder / f"{name}.toml").write_text(f"""schema = 1
[plugin]
name = "{name}"
summary = "Watches channel {n}, and says so when something about it changes"
repository = "https://example.com/plugins/{name}"
license = "MIT"
category = "monitoring"
keywords = ["channels", "watch", "number-{n}"]
[build]
language = "python"
entrypoint = "{name}.py"
[runtime]
rpcmethods = ["{name}-watch", "{name}-status"]
options = ["{name}-interval"]
[[release]]
version = "1.1.0"
source = {{ git = "https://example.com/plugins/{name}", rev = "{n:040x}" }}
[[release]]
version = "1.0.0"
source = {{ git = "https://example.com/plugins/{name}", rev = "{n + count:040x}" }}
""")
    return folder


def many_plugins(folder: Path, count: int) -> Path:
    """Make a repository of that many plugins, each with code, a project, a lock and tests; return where it is."""
    repository = GitRepository(folder / "plugins.git")
    script = (TWENTY / "twenty.py").read_text()
    lock = (TWENTY / "requirements.txt").read_text()
    files: dict[str, str | bytes] = {"README.md": "# Plugins\n" * 200, "LICENSE": "x\n" * 500}
    for n in range(count):
        name = f"plugin-{n:02}"
        project = (
            f'[project]\nname = "{name}"\nversion = "1.{n}.0"\ndescription = "Does {n}"\nrequires-python = ">=3.9"\n'
        )
        files |= {
            f"{name}/{name}.py": script.replace('"twenty"', f'"{name}"'),
            f"{name}/pyproject.toml": project,
            f"{name}/uv.lock": f"# {name}\n" + lock * 8,
            f"{name}/README.md": f"# {name}\n" + "It does this and that.\n" * 100,
            f"{name}/tests/test_{name}.py": "def test():\n    assert True\n" * 50,
        }
    repository.commit(files)
    return repository.path


def catalog_size(index: Path) -> int:
    """How many plugins a built index lists."""
    return len(json.loads((index / "v1" / "catalog.json").read_text())["plugins"])
